/** What can be sent: texts, bytes, values, arguments, and what came. */

import { PetasusError } from "./error.js";
import { Message } from "./message.js";
import type { Item } from "./sink.js";

/** What JSON can say. */
export type JsonValue =
  null | boolean | number | string | readonly JsonValue[] | JsonValue[] | { readonly [key: string]: JsonValue | undefined };

/** What can be sent. Over Mercury a value goes as its JSON text. */
export type Value = JsonValue | Uint8Array;

/** Positional and keyword arguments (WAMP), where a message is to carry more than one value. */
export class Args {
  constructor(
    readonly args: readonly Value[],
    readonly kwargs: { readonly [key: string]: JsonValue } = {},
  ) {}
}

/** Anything that can be sent. */
export type Content = Value | Args | Message;

/** Texts as they are on the wire. */
export const utf8 = /* @__PURE__ */ new TextEncoder();

/** U+0000 before base64: how WAMP writes bytes in JSON. */
const BINARY = "\0";

/** Whether it gives several, one after the other. */
export function isAsync<T>(content: T): content is Extract<T, AsyncIterable<unknown>> {
  return typeof (content as AsyncIterable<unknown> | undefined)?.[Symbol.asyncIterator] == "function";
}

/**
 * A content as the core takes it: over Mercury one text or bytes, else `args` and `kwargs` as JSON, each empty if there
 * are none. @throws PetasusError `content` if JSON can not say it.
 */
export function encode(content: unknown, plain: boolean): Item[] {
  if (content instanceof Message) {
    if (plain == content._plain) return content._raw;
    content = plain ? new Args(content.args, content.kwargs) : content.value;
  }
  try {
    return MERCURY && plain ? [encodePlain(content)] : encodeArguments(content);
  } catch (error) {
    throw new PetasusError("content", `the content can not be written: ${(error as Error)?.message}`);
  }
}

function encodePlain(value: unknown): string | Uint8Array {
  if (value instanceof Args) {
    const { args, kwargs } = value;
    value = args.length == 1 && !Object.keys(kwargs).length ? args[0] : { args, kwargs };
  }
  return typeof value == "string" || value instanceof Uint8Array ? value : json(value);
}

function encodeArguments(value: unknown): [string, string] {
  const { args, kwargs } = value instanceof Args ? value : { args: value === undefined ? [] : [value], kwargs: {} };
  // A list may have holes, which are null as they are in JSON.
  const list = [...args].map((item) => json(item instanceof Uint8Array ? BINARY + toBase64(item) : (item ?? null)));
  const named = json(kwargs);
  if (named[0] != "{") throw new TypeError("kwargs is no object");
  return [list.length ? `[${list}]` : "", named == "{}" ? "" : named];
}

/** JSON, as JSON.stringify writes it; instead of halves of characters, which no wire takes, it has U+FFFD, as a text on a WebSocket would. */
function json(value: unknown): string {
  if (typeof value == "string") return whole(JSON.stringify(value));
  const { toJSON, [Symbol.toStringTag]: tag } = Object(value);
  // JSON has `{}` for a Map or an ArrayBuffer.
  const text = tag && !toJSON ? undefined : JSON.stringify(value);
  if (text === undefined && value !== undefined) throw new TypeError(`a ${tag ?? typeof value} has no form on the wire`);
  return whole(text ?? "");
}

function whole(json: string): string {
  // Hardly any has one.
  if (!json.includes("\\ud")) return json;
  return json.replace(/\\+ud[89a-f]../g, (found) => (found.length % 2 ? found : found.slice(0, -6) + "\uFFFD"));
}

/** Reads JSON as WAMP writes it. @throws if it is none */
export function read(text: string) {
  // Hardly any has bytes in it, and to look at each value takes its time.
  return JSON.parse(text, text.includes("\\u0000") ? fromBinary : undefined);
}

/** Reads bytes where `JSON.parse` meets them. */
function fromBinary(_: string, value: unknown): unknown {
  return typeof value == "string" && value[0] == BINARY ? (fromBase64(value.slice(1)) ?? value) : value;
}

/** The elements of a list in JSON, as they are written. */
export function elements(list: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let begin = 0;
  for (const { 0: mark, index } of list.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"|[[\]{},]/g)) {
    const isInside = depth == 1;
    if (mark == "[" || mark == "{") depth++;
    else if (mark == "]" || mark == "}") depth--;
    if (isInside && (mark == "," || !depth)) found.push(list.slice(begin, index).trim());
    if (depth == 1 && (mark == "," || (!isInside && !begin))) begin = index + 1;
  }
  return found;
}

/** The bytes of base64, if it is any. */
function fromBase64(base64: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  } catch {
    return undefined;
  }
}

/** In slices, as a function takes only so many arguments. */
function toBase64(bytes: Uint8Array): string {
  let letters = "";
  for (let at = 0; at < bytes.length; at += 0x2000) {
    letters += String.fromCharCode(...bytes.subarray(at, at + 0x2000));
  }
  return btoa(letters);
}
