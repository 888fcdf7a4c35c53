/** Calls and jobs that are to be answered once. */

import { encode } from "./content.js";
import type { Driver } from "./driver.js";
import { PetasusError } from "./error.js";
import * as kind from "./kind.js";
import { Message } from "./message.js";
import * as op from "./op.js";
import type { Told } from "./sink.js";
import { Stream } from "./stream.js";

/** The answers: see `src/op.rs`. */
export const PART = 0;
export const RESULT = 1;
export const FAILED = 2;

const PROGRESS = 1;
const MORE = 2;
const ANSWERABLE = 4;

/** A job or call: a message, and how it is answered. */
export class Duty<T = unknown> extends Message<T> {
  private readonly _id: number;
  private readonly _flags: number;
  private _open = true;
  private _interruption: AbortController | undefined;
  private _pieces: Stream<Message<T>> | undefined;

  /** @internal */
  constructor(
    private readonly _driver: Driver,
    told: Told,
  ) {
    const [, , id, flags, , caller, content] = told;
    super(content, -1, caller);
    this._id = id as number;
    this._flags = flags as number;
    _driver._ears.set(this._id, this);
  }

  /** Aborted when nobody waits for the answer any more: it was canceled, timed out, or the connection is lost. */
  get signal(): AbortSignal {
    const made = (this._interruption ??= new AbortController());
    if (!this._driver._ears.has(this._id) && this._open) made.abort();
    return made.signal;
  }

  /** Whether an answer reaches anybody: not over Mercury, where jobs are handed and forgotten. */
  get answerable(): boolean {
    return !!(this._flags & ANSWERABLE);
  }

  /** @internal */
  get _takesParts(): boolean {
    return !!(this._flags & PROGRESS);
  }

  /** @internal The next arguments, where they come in pieces. */
  get _more(): Stream<Message<T>> {
    if (!this._pieces) {
      this._pieces = new Stream();
      if (!(this._flags & MORE)) this._pieces._end();
    }
    return this._pieces;
  }

  /** @internal */
  _told([what, , more, content]: Told): void {
    if (what == kind.MORE) {
      this._more._push(new Message<T>(content));
      if (!more) this._more._end();
      return;
    }
    this._driver._ears.delete(this._id);
    this._interruption?.abort();
    this._pieces?._end(stale());
  }

  /** @internal Answers, and waits as long as the network is slow. */
  async _answer(how: number, content: unknown, uri?: string): Promise<void> {
    if (!this._open) throw stale();
    if (this.answerable) {
      const items = encode(content, this._driver._plain);
      this._driver._do(op.ANSWER, uri == undefined ? items : [uri, ...items], this._id, how);
    }
    if (how != PART) {
      this._open = false;
      this._driver._ears.delete(this._id);
    }
    await this._driver._unblocked();
  }

  /** @internal Whether it was not answered yet. */
  get _isOpen(): boolean {
    return this._open;
  }
}

const stale = () => new PetasusError("stale", "it is over: it was answered before, or nobody waits for this any more");
