import { useEffect, useState } from "react";
import type { Client } from "petasus";
import type { Person } from "./me";

const QUEUE = "chat/jobs";

interface Count {
  words: number;
  by: string;
}

/** A queue of jobs: each is done by one tab that has time, and whoever pushed it gets the result. */
export function Jobs({ client, me, text }: { client: Client | undefined; me: Person; text: string }) {
  const [works, setWorks] = useState(true);
  const [done, setDone] = useState(0);
  const [answer, setAnswer] = useState("");

  useEffect(() => {
    if (!client || !works) return;
    const stop = new AbortController();
    void work(client, me, stop.signal, () => setDone((count) => count + 1)).catch(() => {});
    return () => stop.abort();
  }, [client, works, me]);

  async function push() {
    setAnswer("…");
    try {
      const { words, by } = await client!.push<Count>(QUEUE, { text }, { ack: "done", timeout: 10_000 });
      setAnswer(`${words} words, counted by ${by}`);
    } catch (error) {
      setAnswer((error as Error).message);
    }
  }

  return (
    <section className="card" aria-label="Jobs">
      <h2>A queue</h2>
      <button onClick={push} disabled={!client}>Count the words</button>
      <p data-testid="count" aria-live="polite">{answer}</p>
      <label>
        <input type="checkbox" checked={works} onChange={() => setWorks(!works)} /> this tab does jobs: {done} done
      </label>
    </section>
  );
}

/** Takes one job after the other, until the signal says stop. */
async function work(client: Client, me: Person, signal: AbortSignal, onDone: () => void) {
  for await (const job of client.pull<{ text: string }>(QUEUE, { signal })) {
    const words = job.value.text.match(/\S+/g)?.length ?? 0;
    await job.done({ words, by: me.name });
    onDone();
  }
}
