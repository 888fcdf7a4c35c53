/** What stands at the broker, and is made again after the connection was lost: subscriptions and registrations. */

import type { Driver } from "./driver.js";
import { aborted, PetasusError, report, toError } from "./error.js";
import * as kind from "./kind.js";
import { amount, LATEST } from "./options.js";
import { Stream, type Overflow } from "./stream.js";
import type { Item, Told } from "./sink.js";

/** `Symbol.asyncDispose`, also where the engine has none yet but a compiler wants it. */
export const asyncDispose: typeof Symbol.asyncDispose = Symbol.asyncDispose ?? Symbol.for("Symbol.asyncDispose");

/** What all of them may be told. */
export interface StandingOptions {
  /** The longest wait until it stands, in milliseconds. Default: that of requests, while there is a connection. */
  timeout?: number;
  /** Aborted, it is ended. */
  signal?: AbortSignal;
  /** How many items wait for the program at most. Default 16,384. */
  buffer?: number;
  /** What becomes of those that find no room. Default `drop_oldest`. */
  overflow?: Overflow;
}

/** The number of the error: see `src/wrong.rs`. */
const TIMED_OUT = 8;

export abstract class Standing<T> extends Stream<T> implements AsyncDisposable {
  /** How often it was made again, after the connection was lost. */
  resumed = 0;
  /** @internal 0 if it could not even begin. */
  _id = 0;
  private readonly _ready: Promise<void>;
  /** Whether the program looks after the errors itself. */
  private _heeded = false;
  private _stood = false;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _unbind: (() => void) | undefined;
  private _begun!: () => void;
  private _failed!: (error: unknown) => void;
  private _left: Promise<void> | undefined;
  private _gone: (() => void) | undefined;

  /** @internal */
  constructor(
    /** @internal */ readonly _driver: Driver,
    private readonly _leaveBy: number,
    begin: () => number,
    { signal, timeout, buffer, overflow }: StandingOptions,
    listener?: (item: T) => unknown,
  ) {
    amount("timeout", timeout);
    super(buffer, overflow);
    if (listener) this._listener = listener;
    this._ready = new Promise((resolve, reject) => {
      this._begun = resolve;
      this._failed = reject;
    });
    // Who iterates hears of it there.
    this._ready.catch(() => {});
    const giveUp = (error: PetasusError) => {
      this._fail(error);
      void this._leave();
    };
    const abort = () => giveUp(aborted(signal!));
    if (signal?.aborted) return (abort(), this);
    try {
      this._id = begin();
      _driver._ears.set(this._id, this);
      signal?.addEventListener("abort", abort);
      if (timeout! < LATEST) this._timer = setTimeout(() => giveUp(toError([TIMED_OUT])), timeout);
      this._unbind = () => signal?.removeEventListener("abort", abort);
    } catch (error) {
      this._fail(error);
    }
  }

  /** Settled when it stands for the first time, or can not. */
  get ready(): Promise<void> {
    this._heeded = true;
    return this._ready;
  }

  /** Ends it: see `unsubscribe`. */
  [asyncDispose](): Promise<void> {
    return this._leave();
  }

  /** @internal */
  _told(told: Told): void {
    switch (told[0]) {
      case kind.STANDS:
        if (told[2]) {
          this.resumed++;
          this._gap = true;
        }
        clearTimeout(this._timer);
        this._stood = true;
        this._begun();
        break;
      case kind.ENDED:
        this._driver._ears.delete(this._id);
        this._fail(toError(told.slice(2) as Item[]));
        break;
      case kind.LEFT:
        this._driver._ears.delete(this._id);
        this._fail(toError([]));
        this._gone?.();
        break;
      default:
        if (this._came(told)) void this._leave();
    }
  }

  /** @internal Something came. Says whether it is over because of that. */
  abstract _came(told: Told): boolean;

  /** @internal */
  override _leave(): Promise<void> {
    return (this._left ??= new Promise((resolve) => {
      this._end();
      this._failed(new PetasusError("closed", "it was ended before it stood"));
      this._gone = resolve;
      if (!this._driver._ears.has(this._id) || this._driver._status.state == "closed") return resolve();
      this._driver._do(this._leaveBy, [], this._id);
    }));
  }

  /** @internal */
  override _end(error?: unknown): void {
    clearTimeout(this._timer);
    this._unbind?.();
    super._end(error);
  }

  private _fail(error: unknown): void {
    const { code } = error as PetasusError;
    // It may be made and awaited in the same breath. Once it stood, nobody hears of it by `ready`.
    if (this._listener && !this._isAwaited && code != "closed" && code != "aborted") {
      setTimeout(() => (this._heeded && !this._stood) || report(error));
    }
    this._failed(error);
    // That the program closed the client is no error for who iterates.
    this._end(code == "closed" ? undefined : error);
  }
}
