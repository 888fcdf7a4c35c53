/** The module as a file beside the bundle: it is compiled while it comes, and cached on its own. */

import instantiate, { type Core } from "petasus:glue";

let loading: Promise<typeof Core> | undefined;

/** Loads the module, once. What can not be loaded now may be loaded later. */
export function load(): Promise<typeof Core> {
  return (loading ??= fetched().catch((error) => {
    loading = undefined;
    throw error;
  }));
}

async function fetched(): Promise<typeof Core> {
  const response = await fetch(new URL("./petasus.wasm", import.meta.url));
  if (!response.ok) throw new Error(`${response.url} answers ${response.status}: copy petasus.wasm to where the script is, or import "petasus"`);
  // Servers that do not know the type `application/wasm` are still common.
  const isTyped = response.headers.get("content-type")?.startsWith("application/wasm");
  return instantiate(isTyped ? await WebAssembly.compileStreaming(response) : await response.arrayBuffer());
}
