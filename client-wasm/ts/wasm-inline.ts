/** The module out of the bundle: compressed bytes in base64, which cost next to nothing more after the server's gzip. */

import base64 from "petasus:bytes";
import instantiate, { type Core } from "petasus:glue";

let loading: Promise<typeof Core> | undefined;

/** Loads the module, once. Nothing happens before the first client wants to connect. */
export function load(): Promise<typeof Core> {
  return (loading ??= unpack());
}

async function unpack(): Promise<typeof Core> {
  const packed = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return instantiate(await new Response(stream).arrayBuffer());
}
