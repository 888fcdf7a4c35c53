/** Where the core puts its records. Whoever calls the core takes them at once, so all clients share one list. */

import { kept as keptUnder, type Kept } from "./outline.js";

/** A kind, then what belongs to it: see `src/told.rs`. */
export type Item = number | string | Uint8Array;
/** What a message carries: itself, over Mercury. */
export type Carried = Item | Kept | undefined;
export type Told = [kind: number, ...rest: Item[]];

let all: Told[] = [];
let last: Told;

/** A new record. */
export function begin(kind: number): void {
  all.push((last = [kind]));
}

/** A number in the present record. */
export function number(item: number): void {
  last.push(item);
}

/** The message of the router that is kept under a number, in the present record. */
export function kept(number: number): void {
  last.push(keptUnder(number) as Carried as Item);
}

/** Bytes, or a text as UTF-8, in the present record. They are a view of the module's memory, which changes. */
export function bytes(view: Uint8Array, isText: boolean): void {
  // Safari's decoder fails when it has read 2 GiB.
  if ((read += view.length) > 2e9) {
    read = view.length;
    decoder = newDecoder();
  }
  if (!isText) last.push(view.slice());
  // A decoder takes long to begin.
  else if (view.length < 100 && isAscii(view)) last.push(String.fromCharCode.apply(null, view as unknown as number[]));
  else last.push((decoder ??= newDecoder()).decode(view));
}

function isAscii(view: Uint8Array): boolean {
  for (let at = 0; at < view.length; at++) if (view[at]! > 127) return false;
  return true;
}

const newDecoder = () => new TextDecoder("utf-8", { ignoreBOM: true });
let decoder: TextDecoder | undefined;
let read = 0;

/** All records since the last time. */
export function take(): Told[] {
  const taken = all;
  all = [];
  return taken;
}
