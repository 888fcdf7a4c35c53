// The JavaScript of wasm-bindgen, made smaller and quiet: nothing of it runs before a module is there, so that an import does
// nothing and can be left out of a bundle, and what loads modules from URLs is gone, since `ts/wasm-*.ts` does that.

/** Where the part begins that loads and instantiates. */
const LOADING = '\nlet wasmModule, wasmInstance, wasm;';

/** What is changed, and into what. */
const CHANGES = [
  [/^import .*;?$/gm, ''],
  ['export class', 'class'],
  ['"petasus:sink": import1', '"petasus:sink": { kept, number }'],
  [/ *"petasus:sink": import2,\n/, ''],
  // The registry frees what is not held any more; nobody else does.
  [/ {4}__destroy_into_raw\(\) \{[^]*?\n {4}\}\n {4}free\(\) \{[^]*?\n {4}\}\n/, ''],
  [/if \(Symbol\.dispose\) .*\n/, ''],
  // Every engine that has DecompressionStream has it.
  [/\(typeof FinalizationRegistry === 'undefined'\)\n.*\n {4}: new/, 'new'],
  // Texts are read in `ts/sink.ts`; those of wasm-bindgen itself are about misuse of the module.
  ['new Error(getStringFromWasm0(arg0, arg1))', 'new Error("the module was misused")'],
  [/function getStringFromWasm0\([^]*?\n\}\n/, ''],
  [/let cachedTextDecoder = [^]*?\nfunction decodeText\([^]*?\n\}\n/, ''],
];

/**
 * Wraps the text of `petasus.js` (`wasm-bindgen --target web`) into a module whose only export is
 * `instantiate(module): Promise<Core>`.
 *
 * @throws Error if it does not look like that of the version that the workspace locks
 */
export function wrap(text) {
  const [body, loading] = text.split(LOADING);
  const quiet = CHANGES.reduce((text, [from, to]) => {
    const changed = text.replace(from, to);
    if (changed === text || loading === undefined) {
      throw new Error(`wasm-bindgen writes its JavaScript in another way than before: adapt client-wasm/glue.mjs to it (${from})`);
    }
    return changed;
  }, body);
  return `import { begin, bytes, kept, number } from 'petasus:sink';
export default async function instantiate(module) {
  ${quiet}
  const made = await WebAssembly.instantiate(module, __wbg_get_imports());
  // Bytes give a pair, a module gives an instance.
  const wasm = (made.instance ?? made).exports;
  wasm.__wbindgen_start();
  return Core;
}
`;
}
