/** Drives a core: sockets, the timer and the page on the one hand, those who wait on the other. */

import type { Core } from "petasus:glue";
import { aborted, PetasusError, tell, toError, wrong } from "./error.js";
import * as kind from "./kind.js";
import { Login } from "./login.js";
import * as op from "./op.js";
import {
  amount,
  LATEST,
  numbers,
  placeIn,
  wrongOption,
  type ConnectOptions,
  type Limits,
  type WebSocketConstructor,
} from "./options.js";
import { watchPage, type Sleeper } from "./page.js";
import { post } from "./post.js";
import { utf8 } from "./content.js";
import { Publisher } from "./quick.js";
import { forget } from "./outline.js";
import { take, type Item, type Told } from "./sink.js";
import { Socket } from "./socket.js";
import { toStatus, type Status } from "./status.js";

/** Who is told of a number: a socket, a subscription, a request. */
export interface Ear {
  _told(told: Told): void;
}

/** The numbers of errors: see `src/wrong.rs`. */
const URI = 4;
const TOO_LARGE = 5;
const TIMED_OUT = 8;

/** Messages of WAMP that tell more than the core has to know. */
const WELCOME = 2;
const CHALLENGE = 4;

export const now = () => performance.now();

export class Driver implements Sleeper {
  _status: Status = { state: "connecting", attempt: 0 };
  /** Whether messages go as they are: over Mercury. */
  readonly _plain: boolean;
  readonly _WebSocket: WebSocketConstructor;
  readonly _ears = new Map<number, Ear>();
  readonly _sockets = new Set<Socket>();
  readonly _watchers = new Set<(status: Status) => void>();
  /** Until the client is closed. */
  readonly _life = new AbortController();
  /** How many sockets take no more. */
  _blocked = 0;
  /** Whether the core may have something to say. */
  _stale = false;

  /** Who waits for room in the queue, in their order. */
  private readonly _rooms = new Set<() => void>();
  /** Why they wait. */
  private _full: unknown;
  /** Who waits for a socket that takes more. */
  private readonly _slow: (() => void)[] = [];
  private readonly _requestTimeout: number;
  /** The longest message. */
  private readonly _limit: number;
  private readonly _login: Login;
  /** The details of the last WELCOME. */
  private _details: object = {};
  /** The messages of which the core has not told yet who gets them. */
  private _kept: number[] = [];
  /** How many attempts to connect failed. */
  _attempt = 0;
  private readonly _publisher = new Publisher(this);
  /** The socket that was opened last: of WAMP there is but one. */
  private _line: Socket | undefined;
  private _scheduled = false;
  /** Whether the timer has to be looked at. */
  private _timed = false;
  private _asleep = false;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _due = Infinity;
  /** How many bytes waited to be sent when that was last told. */
  private _waiting = 0;
  /** Whether something that waited was thrown away at the end. */
  _unsent = false;

  /** @throws PetasusError `url`, `setting` */
  constructor(
    readonly _core: Core,
    url: string,
    options: ConnectOptions,
  ) {
    this._plain = !!placeIn(MERCURY ? ["wamp", "mercury"] : ["wamp"], options.dialect ?? "wamp", "dialect");
    for (const name of ["WebSocket", "getToken", "onStatus"] as const) {
      if (options[name] && typeof options[name] != "function") throw wrongOption(name, "it is no function");
    }
    if (this._plain && (options.getToken || options.auth)) throw wrongOption("getToken or auth", "Mercury has no log-in");
    const socket = options.WebSocket ?? (globalThis.WebSocket as WebSocketConstructor | undefined);
    if (!socket) throw wrongOption("WebSocket", "there is none here: give one, such as that of `ws` in Node before 22");
    this._WebSocket = socket;
    this._requestTimeout = options.requestTimeout ?? 30000;
    this._limit = options.messageBytes ?? 1 << 24;
    this._login = new Login(this, options);
    if (options.onStatus) this._watchers.add(options.onStatus);
    this._act(op.URL, [url], +this._plain);
    numbers(options).forEach((value, which) => value != undefined && this._act(op.SET, [], which, value));
    if (options.realm != undefined) this._act(op.REALM, [options.realm]);
    this._login._identify();
    watchPage(this, this._life.signal);
    this._do(op.CONNECT, [], Math.random() * 2 ** 53);
  }

  // To the core.

  /** Does one thing. @throws PetasusError */
  _act(what: number, items: Item[] = [], a = 0, b = 0, c = 0): number {
    this._stale = true;
    return this._enter(what, items, a, b, c);
  }

  /** Asks for something that is known at once, and changes nothing. @throws PetasusError */
  _ask(what: number, items: Item[], a = 0, b = 0): Told[] {
    this._enter(what, items, a, b, 0);
    return take();
  }

  private _enter(what: number, items: Item[], a: number, b: number, c: number): number {
    // Memory that the module has taken once it never gives back.
    const large = items.find((item) => (item as string)?.length > this._limit) as string | undefined;
    if (large && what >= op.SUBSCRIBE) throw toError([TOO_LARGE, large.length, this._limit]);
    // Before any of them is put.
    if (!items.every((item) => typeof item == "string" || item instanceof Uint8Array)) {
      throw what < op.SUBSCRIBE ? wrongOption("realm or auth", "it is no text") : toError([URI]);
    }
    for (const item of items) {
      const isText = typeof item == "string";
      this._core.put(isText ? bytesOf(item) : (item as Uint8Array), isText);
    }
    const id = this._core.act(what, a, b, c, now());
    if (id < 0) throw wrong(take());
    return id;
  }

  /** Does one thing, and soon what comes of it: what is asked for in one go is sent in one go. @throws PetasusError */
  _do(what: number, items?: Item[], a?: number, b?: number, c?: number): number {
    const id = this._act(what, items, a, b, c);
    this._soon();
    return id;
  }

  /**
   * Publishes the short way: gives the number of the request, or 1 if nobody waits for an answer, or 0 if it has to go the
   * long way. @throws PetasusError `topic`
   */
  _publishNow(topic: string, items: Item[], how: number, left = -1): number {
    // What the core has to say comes before it, as does what waits for room.
    if (this._stale || this._plain || this._rooms.size || !this._line || this._asleep) return 0;
    const text = this._publisher._write(topic, items, how);
    // A character has three bytes at most, and the number of the request 16 digits. Of the long ones it counts how long.
    const length = (text.length < 4096 ? 3 * text.length : utf8.encode(text).length) + 20;
    const number = this._core.act(op.BEGIN, how & 3, left, length, now());
    if (!number) return 0;
    this._line._put(`[16,${number}${text}`);
    this._soon();
    if (!(how & 2)) return 1;
    this._timed = true;
    return take()[0]![1] as number;
  }

  /** A message is kept until the core has told of it. */
  _keeps(number: number, [code, , details]: unknown[]): void {
    this._kept.push(number);
    if (code == WELCOME) this._details = details as object;
    if (code == CHALLENGE) this._login._extra = details as Record<string, unknown>;
  }

  private _soon(): void {
    if (this._scheduled) return;
    this._scheduled = true;
    queueMicrotask(() => this._turn());
  }

  /** Does what the core wants, and sends what was collected. */
  _turn(): void {
    this._scheduled = false;
    if (this._asleep) return;
    if (this._stale || this._timed) this._poll();
    for (const socket of this._sockets) socket._flush();
  }

  /** Does what the core wants. */
  _poll(): void {
    if (this._asleep) return;
    this._stale = this._timed = false;
    this._core.poll();
    forget(this._kept.splice(0));
    const each = (told: Told) => this._told(told);
    // What goes wrong with one of them is not the end of the others.
    for (const told of take()) tell(each, told);
  }

  private _told(told: Told): void {
    const [what, first, second, ...rest] = told as [number, number, string, ...Item[]];
    switch (what) {
      case kind.TIMER:
        this._arm(first);
        if (+second < this._waiting) this._wake();
        this._waiting = +second;
        break;
      case kind.OPEN: {
        const socket = (this._line = new Socket(this, first, second, rest as string[]));
        this._ears.set(first, socket);
        try {
          this._login._identify(true);
        } catch (error) {
          queueMicrotask(() => socket._fail((error as Error).message));
        }
        break;
      }
      case kind.POST:
        if (MERCURY) post(this, first, second, rest[0] as string);
        break;
      case kind.STATUS:
        this._change(toStatus(told.slice(1), this._details));
        break;
      case kind.CHALLENGE:
        void this._login._prove(first as unknown as string);
        break;
      default:
        this._ears.get(first)?._told(told);
    }
  }

  // The time.

  private _arm(due: number): void {
    // A timer that is too early does no harm, and to set one at each message takes time.
    if (due < 0 || this._due <= due) return;
    this._due = due;
    clearTimeout(this._timer);
    this._timer = setTimeout(
      () => {
        this._due = Infinity;
        this._do(op.TIMEOUT);
      },
      Math.min(due - now(), LATEST),
    );
  }

  // The page.

  _check(): void {
    this._do(op.CHECK);
  }

  _sleep(): void {
    // First, so that nothing is opened again before.
    this._asleep = true;
    for (const socket of this._sockets) socket._fail("the page went to sleep");
  }

  _awake(): void {
    this._asleep = false;
    this._check();
  }

  // Those who wait.

  /**
   * Asks the core for something, and waits for what comes of it: nothing if the core gives no number for it. If the
   * queue is full it waits for room first, behind those who came before. `ask` gets the milliseconds that are left.
   */
  _request(
    ask: (left: number) => number,
    { timeout = this._requestTimeout, signal }: Limits,
    part?: (told: Told) => void,
    fires = false,
  ): Promise<Told> {
    return new Promise((resolve, reject) => {
      amount("timeout", timeout);
      const until = now() + timeout;
      let id = 0;
      let timer: ReturnType<typeof setTimeout> | undefined;
      const settle = () => {
        this._ears.delete(id);
        // There may be room for the next one.
        if (this._rooms.delete(attempt)) queueMicrotask(() => this._wake());
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
      };
      const fail = (error: unknown) => {
        settle();
        reject(error);
      };
      const abort = () => {
        if (id) this._do(op.CANCEL, [], id);
        fail(aborted(signal!));
      };
      const told = (told: Told) => {
        if (told[0] == kind.FAILED) return fail(toError(told.slice(2) as Item[]));
        if (told[0] == kind.PROGRESS) return part?.(told);
        settle();
        resolve(told);
      };
      const attempt = () => {
        try {
          const [first = attempt] = this._rooms;
          if (first != attempt && !(fires && this._status.state != "connected")) throw this._full;
          id = ask(Math.max(until - now(), 0));
          this._rooms.delete(attempt);
          if (!id) return told([kind.DONE]);
          clearTimeout(timer);
          this._ears.set(id, { _told: told });
        } catch (error) {
          if ((error as PetasusError).code != "queue_full" || now() >= until) return fail(error);
          this._full = error;
          this._rooms.add(attempt);
          timer ??= setTimeout(() => fail(error), Math.min(timeout, LATEST));
        }
      };
      if (signal?.aborted) return reject(aborted(signal));
      signal?.addEventListener("abort", abort);
      attempt();
    });
  }

  /** What a promise gives, unless the time is over, the signal aborted or the client closed before. */
  _soonest<T>(promise: Promise<T>, timeout = this._requestTimeout, signal: AbortSignal): Promise<T> {
    amount("timeout", timeout);
    return new Promise((resolve, reject) => {
      const stop = new AbortController();
      const fail = (error: unknown) => {
        clearTimeout(timer);
        stop.abort();
        reject(error);
      };
      const timer = setTimeout(() => fail(toError([TIMED_OUT])), Math.min(timeout, LATEST));
      const life = this._life.signal;
      const onAbort = () => fail(signal.aborted ? aborted(signal) : (this._status.failure ?? toError([])));
      for (const each of [signal, life]) each.addEventListener("abort", onAbort, { signal: stop.signal });
      if (signal.aborted || life.aborted) onAbort();
      promise.then((value) => (clearTimeout(timer), stop.abort(), resolve(value)), fail);
    });
  }

  /** Waits as long as a socket takes no more, so that who sends much is slowed down by a slow network. */
  async _unblocked(): Promise<void> {
    while (this._blocked) await new Promise<void>((resolve) => this._slow.push(resolve));
  }

  /** There is room again. */
  _wake(): void {
    for (const resolve of this._slow.splice(0)) resolve();
    for (const attempt of this._rooms) {
      attempt();
      if (this._rooms.has(attempt)) break;
    }
  }

  // The connection.

  private _change(status: Status): void {
    this._status = status;
    this._attempt = status.attempt ?? this._attempt;
    if (status.state != "connecting") this._login._stop();
    if (status.state == "closed") this._over();
    for (const watcher of [...this._watchers]) tell(watcher, status);
  }

  private _over(): void {
    clearTimeout(this._timer);
    this._due = -1;
    this._unsent = this._waiting > 0;
    this._life.abort();
    // Nobody confirms anything any more.
    for (const [id, ear] of this._ears) ear._told([kind.LEFT, id]);
    this._wake();
  }
}

/** Room for most texts, from which the core copies them: to make an array for each takes longer. */
const room = new Uint8Array(4096);

function bytesOf(text: string): Uint8Array {
  // A character has three bytes at most.
  return text.length * 3 > room.length ? utf8.encode(text) : room.subarray(0, utf8.encodeInto(text, room).written);
}
