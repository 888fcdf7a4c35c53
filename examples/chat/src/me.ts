// Who this tab is, and where its broker is.

/** Somebody who chats: a tab of a browser. */
export interface Person {
  readonly id: string;
  readonly name: string;
}

const asked = new URLSearchParams(location.search);
const NAMES = ["Ada", "Boole", "Curie", "Dijkstra", "Erdős", "Franklin", "Gauss", "Hopper"];

/** `?name=` in the address, or any name. */
export const me: Person = {
  id: crypto.getRandomValues(new Uint32Array(2)).join("-"),
  name: asked.get("name") ?? NAMES[Math.floor(Math.random() * NAMES.length)]!,
};

/** `?broker=` in the address, or the one that `cargo run --release` starts. */
export const BROKER = asked.get("broker") ?? `ws://${location.hostname}:3000`;
