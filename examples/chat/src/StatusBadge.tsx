import { useEffect, useState } from "react";
import type { Client } from "petasus";
import { useStatus } from "petasus/react";

/** How the connection stands; while it is lost, when the next attempt is. */
export function StatusBadge({ client }: { client: Client | undefined }) {
  const status = useStatus(client);
  const left = useCountdown(status.state === "waiting" ? status.wait : undefined, status);
  return (
    <div className={`status ${status.state}`} role="status" data-testid="status" title={status.failure?.message}>
      {status.state === "waiting" ? `reconnecting in ${left} s` : status.state}
      {status.state === "waiting" && <button onClick={() => client?.check()}>now</button>}
    </div>
  );
}

/** The whole seconds that are left of `wait` milliseconds, which begin when `since` changes. */
function useCountdown(wait: number | undefined, since: unknown): number {
  const [left, setLeft] = useState(0);
  useEffect(() => {
    if (wait === undefined) return;
    const until = performance.now() + wait;
    const look = () => setLeft(Math.max(0, Math.ceil((until - performance.now()) / 1000)));
    look();
    const timer = setInterval(look, 250);
    return () => clearInterval(timer);
  }, [wait, since]);
  return left;
}
