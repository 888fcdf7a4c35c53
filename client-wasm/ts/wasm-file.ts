/** The module as a file beside this one, for programs that read files: Node, Deno, Bun. */

import { readFile } from "node:fs/promises";
import instantiate, { type Core } from "petasus:glue";

let loading: Promise<typeof Core> | undefined;

/** Loads the module, once. */
export function load(): Promise<typeof Core> {
  return (loading ??= readFile(new URL("./petasus.wasm", import.meta.url)).then(instantiate));
}
