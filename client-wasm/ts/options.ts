/** What a program may choose. Times are milliseconds, sizes bytes. */

import { PetasusError } from "./error.js";
import type { Status } from "./status.js";

/** What is used of a `WebSocket`. */
export interface WebSocketLike {
  readonly protocol: string;
  readonly bufferedAmount: number;
  send(message: string | Uint8Array): void;
  close(code?: number, reason?: string): void;
}

/** The browser's `WebSocket`, or another one such as that of `ws`. */
export type WebSocketConstructor = new (url: string, protocols?: string[]) => WebSocketLike;

/** For which connection something is made, and when it is not wanted any more. */
export interface Attempt {
  /** How many attempts failed since a connection last stood. */
  readonly attempt: number;
  /** Aborted when the connection is gone before the answer. */
  readonly signal: AbortSignal;
}

/** What answers a challenge: the signature, or it and what goes along. */
export type Proof = string | { signature: string; extra?: Record<string, unknown> };

/** A log-in (WAMP). `petasus/auth` has some. */
export interface Auth {
  readonly authid?: string;
  /** The methods to offer, the dearest first. */
  readonly methods: readonly string[];
  /** What goes along with the offer (`authextra` of HELLO); asked for at each connection if it is a function. */
  readonly extra?: Record<string, unknown> | (() => Record<string, unknown>);
  /** Answers the challenge of the method that the router chose. If it throws, the client gives up. */
  answer(method: string, extra: Record<string, unknown>, attempt: Attempt): Proof | Promise<Proof>;
}

export interface ConnectOptions {
  /** `wamp` (default) is everything over one socket, with any WAMP router; `mercury` a socket for each topic. */
  dialect?: "wamp" | "mercury";
  /** The realm (WAMP). Default `default`. */
  realm?: string;
  /** The log-in (WAMP). Default: none. */
  auth?: Auth;
  /**
   * A ticket for each connection (WAMP); who it is for says `authid`. If it throws, the attempt failed, and the next one
   * asks again; if it gives no text, the client gives up. Not for Mercury, which has no log-in.
   */
  getToken?: (attempt: Attempt) => string | Promise<string>;
  /** The user of `getToken`. */
  authid?: string;
  /** Whether the first attempt is the only one. Default no: attempts go on until one succeeds or none ever will. */
  failFast?: boolean;
  /** How long `connect` waits for the first connection. Default 10,000; 0 does not wait, `Infinity` waits on. */
  within?: number;
  /** The longest wait for one attempt. Default 10,000. */
  connectTimeout?: number;
  /** How long requests wait that name no `timeout`. Default 30,000. */
  requestTimeout?: number;
  /** The longest wait for the broker to confirm the end. Default 5,000. */
  closeTimeout?: number;
  /**
   * How a dead network is noticed (WAMP): by no sign of life for `patience` after `idle` without a message. Default
   * 20,000 and 10,000. Over Mercury a browser can not ask for any.
   */
  heartbeat?: { idle?: number; patience?: number };
  /** The waits between attempts, by chance from 0 to `min` at first and `max` in the end. Default 500 and 20,000. */
  backoff?: { min?: number; max?: number };
  /** The most that waits to be sent, offline or because the network is slow. Default 4 MiB. */
  queueBytes?: number;
  /** The longest message to be sent. Default 16 MiB. */
  messageBytes?: number;
  /** Aborted, the client is closed. */
  signal?: AbortSignal;
  /** Where there is none: `import WebSocket from "ws"` in Node 20. */
  WebSocket?: WebSocketConstructor;
  /** Told how the connection stands, now and when it changes. */
  onStatus?: (status: Status) => void;
}

/** How long something may take, and whether it is still wanted. */
export interface Limits {
  /** The longest wait in milliseconds: for room in the queue, a connection and the answer together. */
  timeout?: number;
  /** Aborted, it is given up: error `aborted`. */
  signal?: AbortSignal;
}

/** The most that `setTimeout` takes. */
export const LATEST = 2 ** 31 - 1;

/** The numbers among the options, in the order of `src/settings.rs`. */
const NUMBERS = [
  "failFast",
  "connectTimeout",
  "requestTimeout",
  "closeTimeout",
  "heartbeat.idle",
  "heartbeat.patience",
  "backoff.min",
  "backoff.max",
  "queueBytes",
  "messageBytes",
];

/** All options of `connect`, and of its methods. */
export const CONNECT =
  /^(dialect|realm|auth|getToken|authid|failFast|within|(connect|request|close)Timeout|heartbeat|backoff|(queue|message)Bytes|signal|onStatus|WebSocket)$/;
const OTHERS = /^(timeout|signal|buffer|overflow|match|echo|mode|toSelf|ack|concurrency|complete|progress|disclose|invoke)$/;

/** Their values. @throws PetasusError `setting` */
export function numbers(options: ConnectOptions): (number | undefined)[] {
  const { min = 500, max = 20000 } = options.backoff ?? {};
  if (min > max) throw wrongOption("backoff", "min is more than max");
  const { idle = 1, patience = 1 } = options.heartbeat ?? {};
  // It would do nothing else.
  if (Math.min(min, idle, patience) < 1) throw wrongOption("backoff or heartbeat", "its times are 1 at least");
  return NUMBERS.map((name) => {
    const value = name
      .split(".")
      .reduce((within: unknown, key) => (within as Record<string, unknown> | undefined)?.[key], options);
    return name == "failFast" ? +!!value : amount(name, value);
  });
}

/** A time or size, if there is one. @throws PetasusError `setting` */
export function amount(name: string, value: unknown): number | undefined {
  if (value != undefined && !(typeof value == "number" && value >= 0 && !(/Bytes|buffer/.test(name) && value % 1))) {
    throw wrongOption(name, "it is a number, 0 at least");
  }
  return value as number | undefined;
}

/** Options that are known, with a signal that is one, if any. @throws PetasusError `setting` */
export function checked<O>(options: O = {} as O, known = OTHERS): O {
  if (typeof options != "object" || !options) throw wrongOption("options", "it is an object");
  for (const name in options) if (!known.test(name)) throw wrongOption(name, "there is none of this name");
  const { signal } = options as Limits;
  if (signal && !(signal.addEventListener as unknown)) throw wrongOption("signal", "it is an AbortSignal");
  return options;
}

/** The place of a name in a list. @throws PetasusError `setting` if it is not there. */
export function placeIn(names: readonly string[], name: string, option: string): number {
  const place = names.indexOf(name);
  if (place < 0) throw wrongOption(option, "take " + names.join(", "));
  return place;
}

/** The error of an option that can not be used. */
export function wrongOption(name: string, why: string): PetasusError {
  return new PetasusError("setting", `the option ${name} can not be used: ${why}`);
}
