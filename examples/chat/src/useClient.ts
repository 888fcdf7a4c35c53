import { useEffect, useState } from "react";
import { connect, type Client } from "petasus";

/** A client as long as the component is mounted. It connects again by itself, so there is nothing more to do here. */
export function useClient(url: string): Client | undefined {
  const [client, setClient] = useState<Client>();
  useEffect(() => {
    const stop = new AbortController();
    // `within: 0`: not to wait for the connection, but show how it comes.
    connect(url, { within: 0, signal: stop.signal, backoff: { max: 5000 } }).then(setClient, (error) => {
      if (!stop.signal.aborted) throw error;
    });
    return () => {
      setClient(undefined);
      stop.abort();
    };
  }, [url]);
  return client;
}
