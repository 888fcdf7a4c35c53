import { useState } from "react";
import { Dice } from "./Dice";
import { Jobs } from "./Jobs";
import { BROKER, me } from "./me";
import { Room } from "./Room";
import { StatusBadge } from "./StatusBadge";
import { useClient } from "./useClient";
import { usePresence } from "./usePresence";

const ROOMS = ["lounge", "garden", "library"];

export function App() {
  const client = useClient(BROKER);
  const people = usePresence(client, me);
  const [room, setRoom] = useState(ROOMS[0]!);
  const [text, setText] = useState("");

  return (
    <div className="app">
      <header>
        <h1>Petasus chat</h1>
        <StatusBadge client={client} />
      </header>
      <nav aria-label="Rooms">
        {ROOMS.map((name) => (
          <button key={name} aria-current={name === room} onClick={() => setRoom(name)}>
            # {name}
          </button>
        ))}
      </nav>
      <Room client={client} room={room} me={me} onText={setText} />
      <aside>
        <section className="card" aria-label="People">
          <h2>Here now</h2>
          <ul data-testid="people">
            {people.map(({ id, name }) => (
              <li key={id}>
                {name}
                {id === me.id && <span className="note"> (you)</span>}
              </li>
            ))}
          </ul>
        </section>
        <Jobs client={client} me={me} text={text} />
        <Dice client={client} me={me} />
      </aside>
    </div>
  );
}
