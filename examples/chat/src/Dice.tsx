import { useEffect, useState } from "react";
import type { Client } from "petasus";
import type { Person } from "./me";

const PROCEDURE = "chat.dice.roll";

interface Roll {
  eyes: number;
  by: string;
}

/** A call: one tab keeps the dice, and all others ask it. When it leaves, the next one takes over. */
export function Dice({ client, me }: { client: Client | undefined; me: Person }) {
  const [answer, setAnswer] = useState("");

  useEffect(() => {
    if (!client) return;
    // `first`: of all who offer the procedure the one who came first is called.
    const roll = () => ({ eyes: 1 + Math.floor(Math.random() * 6), by: me.name });
    const registration = client.register(PROCEDURE, roll, { invoke: "first" });
    return () => void registration.unregister();
  }, [client, me]);

  async function call() {
    try {
      const { eyes, by } = await client!.call<Roll>(PROCEDURE, undefined, { timeout: 5000 });
      setAnswer(`${"⚀⚁⚂⚃⚄⚅"[eyes - 1]} ${eyes}, rolled by ${by}`);
    } catch (error) {
      setAnswer((error as Error).message);
    }
  }

  return (
    <section className="card" aria-label="Dice">
      <h2>A call</h2>
      <button onClick={call} disabled={!client}>Roll the dice</button>
      <p data-testid="dice" aria-live="polite">{answer}</p>
    </section>
  );
}
