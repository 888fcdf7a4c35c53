/** What came and was not taken yet: a buffer with a bound, one writer and one reader. */

import { PetasusError, tell } from "./error.js";
import { amount, placeIn, wrongOption } from "./options.js";

/**
 * What becomes of what finds no room in a buffer: the oldest or the newest one is dropped (`Message.missed` counts
 * them), or all is over with the error `overflow`. To read no more from the network, as the clients of other languages
 * can, is not possible in a browser.
 */
export type Overflow = (typeof OVERFLOWS)[number];

const OVERFLOWS = ["drop_oldest", "drop_newest", "end"] as const;

/** How many items wait for their reader unless it says otherwise. */
export const CAPACITY = 16384;

/** What a buffer may say of those it dropped. */
interface Marked {
  missed?: number;
  gap?: boolean;
}

/** Who waits for the next item. */
interface Reader<T> {
  _take(result: IteratorResult<T, undefined>): void;
  _fail(error: unknown): void;
}

/** Items in the order in which they came; to be iterated over once. */
export class Stream<T> implements AsyncIterableIterator<T, undefined> {
  /** @internal What is iterated over, unless items go to this. */
  _listener?(item: T): unknown;
  /** @internal The next item comes after a gap. */
  _gap = false;
  private _items: T[] = [];
  /** The items before this place were taken. */
  private _head = 0;
  private _missed = 0;
  private _over = false;
  private _error: unknown;
  private _readers: Reader<T>[] = [];
  private _capacity: number;
  private _overflow: Overflow;

  /** @internal */
  constructor(capacity = CAPACITY, overflow: Overflow = "drop_oldest") {
    this._capacity = amount("buffer", capacity) || 0;
    this._overflow = OVERFLOWS[placeIn(OVERFLOWS, overflow, "overflow")]!;
    if (!this._capacity) throw wrongOption("buffer", "it holds 1 at least");
  }

  /** The next one. What was there before the end comes before it. */
  next(): Promise<IteratorResult<T, undefined>> {
    return new Promise((resolve, reject) => {
      if (this._head < this._items.length) return resolve({ done: false, value: this._shift() });
      if (!this._over) return void this._readers.push({ _take: resolve, _fail: reject });
      const error = this._error;
      this._error = undefined;
      if (error) reject(error);
      else resolve({ done: true, value: undefined });
    });
  }

  /** Ends it; `break` out of `for await` does this. */
  async return(): Promise<IteratorResult<T, undefined>> {
    this._end();
    this._drop();
    await this._leave();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** @internal What was not taken is not wanted any more. */
  _drop(): void {
    this._items = [];
    this._head = 0;
  }

  /** @internal Tells whoever sends that nothing more is wanted. */
  _leave(): unknown {
    return undefined;
  }

  /** @internal Says whether it is over because of that. */
  _push(item: T & Marked): boolean {
    if (this._over) return false;
    const full = !this._listener && this._items.length - this._head >= this._capacity;
    if (full && this._overflow == "drop_newest") {
      this._missed++;
      return false;
    }
    if (full && this._overflow == "end") {
      this._end(new PetasusError("overflow", "the buffer is full: take faster, or give it a larger buffer"));
      return true;
    }
    if (this._gap) item.gap = true;
    if (this._missed) item.missed = this._missed;
    this._gap = false;
    this._missed = 0;
    if (full) this._dropOldest(item);
    if (this._listener) tell(this._listener, item);
    else if (this._readers.length) this._readers.shift()!._take({ done: false, value: item });
    else this._items.push(item);
    return false;
  }

  /** @internal Whether somebody waits for the next item, or the end. */
  get _isAwaited(): boolean {
    return this._readers.length > 0;
  }

  /** @internal Nothing more comes. */
  _end(error?: unknown): void {
    if (this._over) return;
    this._over = true;
    this._error = error;
    for (const reader of this._readers) {
      if (this._error) reader._fail(this._error);
      else reader._take({ done: true, value: undefined });
      // It is thrown once.
      this._error = undefined;
    }
    this._readers = [];
  }

  private _dropOldest(newest: Marked): void {
    const old: Marked = this._shift()!;
    const next: Marked = this._items[this._head] ?? newest;
    next.missed = (next.missed ?? 0) + (old.missed ?? 0) + 1;
    next.gap ||= old.gap ?? false;
  }

  private _shift(): T {
    const item = this._items[this._head]!;
    this._items[this._head++] = undefined as T;
    // Taking the first out of a long list takes long.
    if (this._head == this._items.length) {
      this._drop();
    } else if (this._head > 4096 && this._head * 2 > this._items.length) {
      this._items.splice(0, this._head);
      this._head = 0;
    }
    return item;
  }
}
