/** Drives a core: sockets, the timer and the page on the one hand, those who wait on the other. */

import type { Core } from "petasus:glue";
import { aborted, PetasusError, tell, toError, wrong } from "./error.js";
import * as kind from "./kind.js";
import * as op from "./op.js";
import {
  amount,
  LATEST,
  numbers,
  placeIn,
  wrongOption,
  type Auth,
  type ConnectOptions,
  type Limits,
  type Proof,
  type WebSocketConstructor,
} from "./options.js";
import { watchPage, type Sleeper } from "./page.js";
import { post } from "./post.js";
import { utf8 } from "./content.js";
import { take, type Item, type Told } from "./sink.js";
import { Socket } from "./socket.js";
import { toStatus, type Status } from "./status.js";

/** Who is told of a number: a socket, a subscription, a request. */
export interface Ear {
  _told(told: Told): void;
}

/** The number of the error: see `src/wrong.rs`. */
const URI = 4;

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

  /** Who waits for room in the queue, in their order. */
  private readonly _rooms = new Set<() => void>();
  /** Why they wait. */
  private _full: unknown;
  /** Who waits for a socket that takes more. */
  private readonly _slow: (() => void)[] = [];
  private readonly _requestTimeout: number;
  private readonly _auth: Auth | undefined;
  /** Whether it is by `getToken`. */
  private readonly _asks: boolean;
  private _proof: AbortController | undefined;
  private _attempt = 0;
  private _scheduled = false;
  private _asleep = false;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _due = Infinity;
  private _waiting = 0;

  /** @throws PetasusError `url`, `setting` */
  constructor(
    private readonly _core: Core,
    url: string,
    options: ConnectOptions,
  ) {
    this._plain = !!placeIn(MERCURY ? ["wamp", "mercury"] : ["wamp"], options.dialect ?? "wamp", "dialect");
    for (const name of ["WebSocket", "getToken", "onStatus"] as const) {
      if (options[name] && typeof options[name] != "function") throw wrongOption(name, "it is no function");
    }
    const socket = options.WebSocket ?? (globalThis.WebSocket as WebSocketConstructor | undefined);
    if (!socket) throw wrongOption("WebSocket", "there is none here: give one, such as that of `ws` in Node before 22");
    this._WebSocket = socket;
    this._requestTimeout = options.requestTimeout ?? 30000;
    this._auth = options.auth ?? this._tickets(options);
    this._asks = !options.auth && !!this._auth;
    if (this._auth && !(Array.isArray(this._auth.methods) && typeof this._auth.answer == "function")) {
      throw wrongOption("auth", "it has methods, and answer(): see petasus/auth");
    }
    if (options.onStatus) this._watchers.add(options.onStatus);
    this._act(op.URL, [url], +this._plain);
    numbers(options).forEach((value, which) => value != undefined && this._act(op.SET, [], which, value));
    if (options.realm != undefined) this._act(op.REALM, [options.realm]);
    this._identify();
    watchPage(this, this._life.signal);
    this._do(op.CONNECT, [], Math.random() * 2 ** 53);
  }

  // To the core.

  /** Does one thing. @throws PetasusError */
  _act(what: number, items: Item[] = [], a = 0, b = 0, c = 0): number {
    // Before any of them is put.
    if (!items.every((item) => typeof item == "string" || item instanceof Uint8Array)) {
      throw what < op.SUBSCRIBE ? wrongOption("realm or auth", "it is no text") : toError([URI]);
    }
    for (const item of items) {
      const isText = typeof item == "string";
      this._core.put(isText ? utf8.encode(item) : (item as Uint8Array), isText);
    }
    const id = this._core.act(what, a, b, c, now());
    if (id < 0) throw wrong(take());
    return id;
  }

  /** Does one thing, and soon what comes of it: what is asked for in one go is sent in one go. @throws PetasusError */
  _do(what: number, items?: Item[], a?: number, b?: number, c?: number): number {
    const id = this._act(what, items, a, b, c);
    if (!this._scheduled) {
      this._scheduled = true;
      queueMicrotask(() => this._turn());
    }
    return id;
  }

  /** Does what the core wants. */
  _turn(): void {
    this._scheduled = false;
    if (this._asleep) return;
    this._core.poll();
    const each = (told: Told) => this._told(told);
    // What goes wrong with one of them is not the end of the others.
    for (const told of take()) tell(each, told);
    for (const socket of this._sockets) socket._flush();
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
        const socket = new Socket(this, first, second, rest as string[]);
        this._ears.set(first, socket);
        try {
          if (typeof this._auth?.extra == "function") this._identify();
        } catch (error) {
          queueMicrotask(() => socket._fail((error as Error).message));
        }
        break;
      }
      case kind.POST:
        if (MERCURY) post(this, first, second, rest[0] as string);
        break;
      case kind.STATUS:
        this._change(toStatus(told.slice(1)));
        break;
      case kind.CHALLENGE:
        void this._prove(first as unknown as string, second);
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
    if (status.state != "connecting") {
      this._proof?.abort();
      this._proof = undefined;
    }
    if (status.state == "closed") this._over();
    for (const watcher of [...this._watchers]) tell(watcher, status);
  }

  private _over(): void {
    clearTimeout(this._timer);
    this._due = -1;
    this._life.abort();
    // Nobody confirms anything any more.
    for (const [id, ear] of this._ears) ear._told([kind.LEFT, id]);
    this._wake();
  }

  // The log-in.

  private _tickets({ getToken, authid }: ConnectOptions): Auth | undefined {
    if (!getToken) return undefined;
    return { ...(authid && { authid }), methods: ["ticket"], answer: (_, __, attempt) => getToken(attempt) };
  }

  private _identify(): void {
    const auth = this._auth;
    if (!auth) return;
    let extra;
    try {
      extra = JSON.stringify(typeof auth.extra == "function" ? auth.extra() : (auth.extra ?? {}));
    } catch (error) {
      throw wrongOption("auth", reasonOf(error));
    }
    this._act(op.IDENTIFY, [auth.authid ?? "", extra, ...auth.methods], +(auth.authid != undefined));
  }

  private async _prove(method: string, extra: string): Promise<void> {
    this._proof?.abort();
    const proof = (this._proof = new AbortController());
    const { signal } = proof;
    const done = (what: number, items: string[]) => this._proof == proof && this._do(what, items);
    try {
      if (!this._auth) throw new Error("the router wants a log-in: see the option auth");
      const made = await this._auth.answer(method, JSON.parse(extra), { attempt: this._attempt, signal });
      const { signature, extra: along = {} }: Partial<Exclude<Proof, string>> =
        typeof made == "string" ? { signature: made } : (made ?? {});
      done(op.AUTHENTICATE, [signature!, JSON.stringify(along)]);
    } catch (error) {
      const reason = reasonOf(error);
      // A token that can not be had now may be had later: the attempt failed, no more.
      if (!this._asks) done(op.REFUSE, [reason]);
      else if (this._proof == proof) for (const socket of this._sockets) socket._fail(reason);
    }
  }
}

/** What was thrown, as a text. */
const reasonOf = (error: unknown) => String((error as Error)?.message ?? error);
