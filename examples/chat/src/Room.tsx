import { useEffect, useRef, useState, type FormEvent } from "react";
import type { Client } from "petasus";
import { useSubscription } from "petasus/react";
import type { Person } from "./me";

interface Line {
  readonly from: Person;
  readonly text: string;
  readonly at: number;
}

const topicOf = (room: string) => `chat/room/${room}`;
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

/** What is said in a room. Who speaks is a subscriber too, and sees the line when the broker has taken it. */
export function Room({ client, room, me, onText }: { client: Client | undefined; room: string; me: Person; onText: (text: string) => void }) {
  const { messages, ready, error } = useSubscription<Line>(client, topicOf(room), { keep: 200 });
  const end = useRef<HTMLLIElement>(null);
  useEffect(() => {
    end.current?.scrollIntoView({ block: "nearest" });
    onText(messages.map(({ value }) => value.text).join("\n"));
  }, [messages, onText]);

  return (
    <section className="room" aria-label={`Room ${room}`}>
      <ol className="lines" role="log" aria-busy={!ready} data-testid="lines">
        {messages.length === 0 && <li className="note">{error ? error.message : ready ? "Nothing was said yet: only who listens hears." : "…"}</li>}
        {messages.map(({ value, gap, publication }, place) => (
          <li key={publication ?? place} className={value.from.id === me.id ? "mine" : ""}>
            {gap && <p className="note">The connection was lost here; lines may be missing.</p>}
            <p>
              <b>{value.from.name}</b> <time>{clock.format(value.at)}</time>
            </p>
            <p className="text">{value.text}</p>
          </li>
        ))}
        <li ref={end} />
      </ol>
      <Speak client={client} room={room} me={me} />
    </section>
  );
}

function Speak({ client, room, me }: { client: Client | undefined; room: string; me: Person }) {
  const [text, setText] = useState("");
  const [problem, setProblem] = useState("");

  async function speak(event: FormEvent) {
    event.preventDefault();
    if (!client || !text.trim()) return;
    setText("");
    setProblem("");
    const line: Line = { from: me, text, at: Date.now() };
    try {
      // Acknowledged: all who listen have it. Without a connection it waits for one, for 30 seconds.
      await client.publish(topicOf(room), { ...line, from: { ...me } });
    } catch (error) {
      setText(text);
      setProblem((error as Error).message);
    }
  }

  return (
    <form className="speak" onSubmit={speak}>
      <input aria-label="Message" placeholder={`Say something in ${room}`} value={text} onChange={(event) => setText(event.target.value)} />
      <button className="primary">Send</button>
      {problem && <p className="problem">{problem}</p>}
    </form>
  );
}
