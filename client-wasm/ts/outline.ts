/**
 * Messages of a router that go no short way. They are read here, by the parser that the engine has anyway; the core is told
 * an outline of each, and what it carries is kept until the core has said who gets it.
 */

import { read } from "./content.js";
import type { Item } from "./sink.js";

/** A message of the router with a content: as it was written, what that says, and where in it the arguments are. */
export interface Kept {
  readonly message: unknown[];
  readonly text: string;
  readonly at: number;
}

/** Where the arguments of ERROR, EVENT, RESULT and INVOCATION are (WAMP 4.5). */
const ARGUMENTS: Record<number, number> = { 8: 5, 36: 4, 50: 3, 68: 4 };

/** The longest text for people that a router's error tells. */
const LONGEST = 4096;

const all = new Map<number, Kept>();
let last = 0;

/** What the core means by this number: nothing, where a content has no arguments. */
export const kept = (number: number): Kept | undefined => all.get(number);

/** It was given to whom it is for. */
export const forget = (numbers: number[]): void => numbers.forEach((number) => all.delete(number));

/** Reads a message and keeps it: its number. Nothing if it is in no form of WAMP. */
export function keep(data: Item): [number: number, message: unknown[]] | undefined {
  try {
    const text = data as string;
    const message = read(text);
    if (!Array.isArray(message)) return undefined;
    all.set(++last, { message, text, at: ARGUMENTS[message[0]] ?? message.length });
    return [last, message];
  } catch {
    return undefined;
  }
}

/** The outline, in the form of `petasus_protocol::wamp::outline`. */
export function outlineOf([number, message]: [number, unknown[]]): string {
  const at = ARGUMENTS[message[0] as number] ?? message.length;
  return [number, ...message.map((value, place) => element(value, place < at))].join("\0");
}

function element(value: unknown, whole: boolean): string {
  if (value === null) return "-";
  if (Array.isArray(value)) return "l" + (typeof value[0] == "string" ? clean(value[0].slice(0, LONGEST)) : "");
  return isDict(value) ? "d" + (whole ? entries(value, "") : "") : leaf(value);
}

function entries(dict: object, path: string): string {
  return Object.entries(dict)
    .map(([key, value]) => {
      const at = path + clean(key);
      if (isDict(value)) return entries(value, at + ".");
      const entry = (value: unknown) => `\x01${at}\x02${leaf(value)}`;
      return Array.isArray(value) ? value.map(entry).join("") : entry(value);
    })
    .join("");
}

function leaf(value: unknown): string {
  return isId(value) ? "n" + value : typeof value == "string" ? "t" + clean(value) : value === true ? "b" : "x";
}

/** Without what holds the parts of an outline together. */
const clean = (text: string) => text.replace(/[\0-\x02]/g, "\uFFFD");

/** WAMP 2.1.2. */
export const isId = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 2 ** 53;

export const isDict = (value: unknown): value is object =>
  typeof value == "object" && value != null && !Array.isArray(value) && !(value instanceof Uint8Array);
