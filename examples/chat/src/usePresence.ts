import { useEffect, useState } from "react";
import type { Bus, Client } from "petasus";
import type { Person } from "./me";

const BUS = "chat/presence";
/** How often everybody says that they are there, in milliseconds. */
const EVERY = 3000;
/** Who says nothing for so long is gone: a phone without network says no goodbye. */
const GONE_AFTER = 10_000;

/** `asks`: who is new wants to know who else is there. */
type Sign = Person & { state: "here" | "asks" | "leaves" };

/** Who is here, this tab first. A bus carries what each peer says to all the others, and the broker keeps nothing. */
export function usePresence(client: Client | undefined, me: Person): Person[] {
  const [others, setOthers] = useState<ReadonlyMap<string, Person & { seen: number }>>(new Map());

  useEffect(() => {
    if (!client) return;
    const bus: Bus<Sign> = client.bus<Sign>(BUS, ({ value }) => {
      const { state, ...person } = value;
      setOthers((before) => {
        const after = new Map(before);
        if (state === "leaves") after.delete(person.id);
        else after.set(person.id, { ...person, seen: Date.now() });
        return after;
      });
      if (state === "asks") say("here");
    });
    // `fire`: now or never. What waits for a connection would be stale when it comes.
    const say = (state: Sign["state"]) => bus.send({ ...me, state }, { mode: "fire" }).catch(() => {});
    const leave = () => void say("leaves");

    const offStatus = client.on("status", ({ state }) => state === "connected" && say("asks"));
    void say("asks");
    const timer = setInterval(() => {
      void say("here");
      setOthers((before) => new Map([...before].filter(([, { seen }]) => Date.now() - seen < GONE_AFTER)));
    }, EVERY);
    // Captured: before the client closes its socket so that the page may be kept in the back-forward cache.
    addEventListener("pagehide", leave, true);
    return () => {
      removeEventListener("pagehide", leave, true);
      clearInterval(timer);
      offStatus();
      leave();
      void bus.unsubscribe();
    };
  }, [client, me]);

  return [me, ...[...others.values()].sort((one, other) => one.name.localeCompare(other.name))];
}
