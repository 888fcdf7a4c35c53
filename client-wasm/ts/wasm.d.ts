/** The module, ready for use: `wasm-inline.ts`, `wasm-url.ts` or `wasm-file.ts`, by the build. */
declare module "petasus:wasm" {
  import type { Core } from "petasus:glue";

  /** Loads the module, once, and makes cores. */
  export function load(): Promise<typeof Core>;
}

/** What `wasm-bindgen` writes around the module, as `build.mjs` has wrapped it. */
declare module "petasus:glue" {
  /** See `src/lib.rs`. */
  export class Core {
    constructor();
    put(bytes: Uint8Array, isText: boolean): void;
    act(op: number, a: number, b: number, c: number, now: number): number;
    poll(): void;
  }

  /** Brings the module to life. Nothing is done before that. */
  export default function instantiate(module: BufferSource | WebAssembly.Module): Promise<typeof Core>;
}

/** The bytes of the module, compressed, in base64. */
declare module "petasus:bytes" {
  const base64: string;
  export default base64;
}

/** All that is used of Node's files. */
declare module "node:fs/promises" {
  export function readFile(path: URL): Promise<BufferSource>;
}

/** Whether the module speaks Mercury as well: not that of `petasus/slim`. */
declare const MERCURY: boolean;
