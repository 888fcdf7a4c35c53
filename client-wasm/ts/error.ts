/** What can go wrong. */

import { Message } from "./message.js";
import type { Item, Told } from "./sink.js";

/** Why something came to nothing. */
export type ErrorCode =
  /** The client was closed, or is draining, by its own program. */
  | "closed"
  /** There is no connection, and there will be none: see `failure`. */
  | "gave_up"
  /** The wire or the router can not do this. */
  | "unsupported"
  /** A topic can not be used as it is written. */
  | "topic"
  /** The name of a procedure, or a pattern, is not a URI. */
  | "uri"
  /** The message is longer than `messageBytes`. */
  | "too_large"
  /** What waits to be sent has reached `queueBytes`, and there was no room in time. */
  | "queue_full"
  /** There was no connection, or none in time. Nothing was sent. */
  | "not_connected"
  /** There was no answer in time. What was asked for may have happened or not. */
  | "timed_out"
  /** The connection was lost before the answer. What was asked for may have happened or not. */
  | "lost"
  /** It was canceled by the other side. */
  | "canceled"
  /** The broker, or who answers a call, refused: see `uri` and `content`. */
  | "refused"
  /** The broker took the subscription or registration away. */
  | "revoked"
  /** The call or job is over: nobody waits for this any more. */
  | "stale"
  /** The URL of the broker is none. */
  | "url"
  /** An option can not be used. */
  | "setting"
  /** A value can not be written as, or read from, a message. */
  | "content"
  /** The buffer of a subscription or queue with `overflow: "end"` was full. */
  | "overflow"
  /** The `AbortSignal` was aborted. */
  | "aborted"
  /** The WebAssembly module could not be loaded. */
  | "module";

/** Why a connection could not be opened, or ended. */
export type FailureKind = (typeof FAILURES)[number];

/**
 * Whether the same may succeed later: `yes` (nothing has happened), `if_harmless` (it may have happened, so ask
 * yourself whether twice is harmful), `no` (something has to change first).
 */
export type Retry = "yes" | "if_harmless" | "no";

/** Whose fault it is. */
export type Fault = "program" | "network" | "server";

/** What is thrown: always this, told apart by `code`. The message says what to do. */
export class PetasusError extends Error {
  override readonly name = "PetasusError";
  readonly code: ErrorCode;
  readonly retry: Retry;
  readonly fault: Fault;
  /** Why there is no connection (`gave_up`). */
  readonly failure?: FailureKind;
  /** The close code of the WebSocket (`gave_up`, failure `closed`). */
  readonly closeCode?: number;
  /** The URI of the error (`refused`), or of the router's reason (`gave_up`, failures `aborted` and `goodbye`). */
  readonly uri?: string;
  /** All that came along (`refused`). */
  readonly content?: Message;

  constructor(
    code: ErrorCode,
    message: string,
    more: Partial<Pick<PetasusError, "retry" | "fault" | "failure" | "closeCode" | "uri" | "content" | "cause">> = {},
  ) {
    super(message);
    this.code = code;
    this.retry =
      code == "queue_full" || code == "not_connected" ? "yes" : code == "timed_out" || code == "lost" ? "if_harmless" : "no";
    this.fault =
      code == "not_connected" || this.retry == "if_harmless"
        ? "network"
        : code == "refused" || code == "revoked"
          ? "server"
          : "program";
    Object.assign(this, more);
  }

  /** The message: what went wrong, and what to do. */
  get reason(): string {
    return this.message;
  }
}

/** Throw it in a procedure to answer a call with an error of your own. */
export class CallError extends Error {
  /**
   * @param uri The URI of the error, such as `com.example.error.sold_out`.
   * @param content What goes along; a text for people is usual.
   */
  constructor(
    readonly uri: string,
    readonly content: unknown = "",
  ) {
    super(uri);
  }
}

/** By the numbers of `src/wrong.rs`. */
const CODES = [
  "closed",
  "gave_up",
  "unsupported",
  "topic",
  "uri",
  "too_large",
  "queue_full",
  "not_connected",
  "timed_out",
  "lost",
  "canceled",
  "refused",
  "revoked",
  "stale",
  "url",
] as const;

const HAPPENED = "; it may have happened or not";

const TEXTS: Partial<Record<ErrorCode, string>> = {
  closed: "the client was closed: connect anew",
  topic: "the topic can not be used: it must not be empty, and have 1024 characters and 64 segments at most",
  uri: "the name can not be used: write something between its dots, and neither # nor white space",
  not_connected: "there was no connection, so nothing was sent: send it queued, or allow more time",
  timed_out: "there was no answer in time" + HAPPENED,
  lost: "the connection was lost before the answer came" + HAPPENED,
  canceled: "it was canceled",
  stale: "it is over: nobody waits for this any more",
};

const URLS = [, , "its port is not a number from 1 to 65535", "it holds a user: give the log-in to the client instead"];

const FAILURES = [
  "unreachable",
  "tls",
  "status",
  "not_websocket",
  "no_subprotocol",
  "connect_timed_out",
  "aborted",
  "goodbye",
  "challenge",
  "closed",
  "broken",
  "silent",
  "protocol",
] as const;

const NETWORK = "check the URL and the network";

/** By the same numbers; where there is none, what the browser says is all. */
const FAILURE_TEXTS = [
  `the broker can not be reached, or does not let this page in: ${NETWORK}, that it runs, and that it allows this origin`,
  ,
  ,
  ,
  "the server speaks no WAMP at this path: check the path of the URL (Petasus: /ws)",
  `there was no welcome within the connect timeout: ${NETWORK}`,
  "the router refused the session",
  "the router ended the session",
  "the challenge could not be answered",
  "the server closed the connection",
  "the connection broke",
  "nothing came from the server any more: the network is dead",
  "the server broke the protocol: check that it is a router of this dialect",
];

/** The error of numbers and texts that the core wrote: a code, and what belongs to it. */
export function toError([number, one, two, ...rest]: Item[]): PetasusError {
  const code = CODES[number as number] ?? "closed";
  switch (code) {
    case "gave_up":
      return toFailure([one!, two!, ...rest]);
    case "unsupported":
      return new PetasusError(code, `${one} can not be had here: ${two}`);
    case "too_large":
      return new PetasusError(code, `the message has ${one} bytes, at most ${two} are allowed: send less, or raise the limits`);
    case "queue_full":
      return new PetasusError(code, `${one} bytes wait to be sent, no more fit: send more slowly, or raise queueBytes`);
    case "refused":
      return toRefusal(one as string, two as string, rest[0]);
    case "revoked":
      return new PetasusError(code, `the broker took it away${said(one)}`);
    case "url":
      return new PetasusError(
        code,
        `the URL can not be used: ${URLS[one as number] ?? "write it as ws://HOST:PORT or wss://HOST:PORT, with # and all but plain ASCII percent-encoded"}`,
      );
    default:
      return new PetasusError(code, TEXTS[code]!);
  }
}

function toRefusal(uri: string, text: string, content: Item | undefined): PetasusError {
  const retry = /error\.(unavailable|no_available_callee)$/.test(uri)
    ? "yes"
    : /error\.(timeout|network_failure)$/.test(uri)
      ? "if_harmless"
      : "no";
  return new PetasusError("refused", `refused: ${uri}${said(text)}`, { uri, retry, content: new Message(content) });
}

/** Why a connection could not be opened, or ended: a kind, a number, two texts. */
export function toFailure([kind, code, uri, reason]: Item[]): PetasusError {
  const failure = FAILURES[kind as number] ?? "broken";
  const text = `no connection: ${FAILURE_TEXTS[kind as number] ?? failure}${code ? ` with ${code}` : ""}${said(uri)}${said(reason)}`;
  return new PetasusError("gave_up", text + advice(failure, code as number, uri as string), {
    failure,
    fault: /unreach|timed|broken|silent/.test(failure) ? "network" : /sub|socket|chall/.test(failure) ? "program" : "server",
    ...(code && { closeCode: code as number }),
    ...(uri && { uri: uri as string }),
  });
}

function advice(failure: FailureKind, code: number, uri: string): string {
  const known = ADVICE.find(([pattern]) => pattern.test(failure == "closed" ? String(code) : uri));
  return known ? "; " + known[1] : failure == "aborted" ? "; its operator knows more" : "";
}

/** By the router's reason, or by the close code (RFC 6455 7.4.1, and the broker's own). */
const ADVICE: [RegExp, string][] = [
  [/realm$/, "check the name of the realm"],
  [/method|required/, "give it a log-in that it accepts"],
  [/denied|failed|principal/, "check user and secret"],
  [/^(1008|30..)$/, "its operator does not allow this"],
  [/1009/, "a message was longer than it takes"],
  [/3100/, "this client reads too slowly"],
  [/^3[5-9]/, "connecting again will not help"],
];

function said(text: Item | undefined): string {
  return text ? ` (${text})` : "";
}

/** The error of a signal that was aborted. */
export function aborted(signal: AbortSignal): PetasusError {
  return new PetasusError("aborted", "it was aborted by its signal", { cause: signal.reason });
}

/** The error that an act left behind. */
export function wrong(told: Told[]): PetasusError {
  return toError(told[told.length - 1]!.slice(1));
}

/** Calls a listener. What it throws is reported, also if it is async. */
export function tell<T>(listener: (item: T) => unknown, item: T): void {
  try {
    (listener(item) as PromiseLike<unknown> | undefined)?.then?.(undefined, report);
  } catch (error) {
    report(error);
  }
}

/** Tells a program of an error that nobody waits for. */
export function report(error: unknown): void {
  (globalThis.reportError ?? console.error)(error);
}
