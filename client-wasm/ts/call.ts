/** Calls (WAMP). */

import { Args, encode, isAsync, type Content } from "./content.js";
import type { Driver } from "./driver.js";
import { report } from "./error.js";
import { Message } from "./message.js";
import * as op from "./op.js";
import { checked, type Limits } from "./options.js";
import type { Told } from "./sink.js";
import { Stream } from "./stream.js";

export interface CallOptions extends Limits {
  /** Whether the result may come in parts. Default: if it is iterated over at once. */
  progress?: boolean;
  /** Whether the callee may learn which session calls. */
  disclose?: boolean;
}

const PROGRESS = 1;
const MORE = 2;
const DISCLOSE = 4;

/**
 * A call: await it for the result; iterate over it for the parts of the result that come before, then await it.
 * `timeout` begins anew with each part. Left by `break`, the call is canceled.
 */
export class Call<R = unknown> implements PromiseLike<R>, AsyncIterable<Message<R>> {
  /** The result as a message. */
  readonly message: Promise<Message<R>>;
  private _parts: Stream<Message<R>> | undefined;
  private readonly _cancel = new AbortController();

  /** @internal It begins when the statement that makes it is over, and it is known whether it is iterated over. */
  constructor(driver: Driver, procedure: string, content: Content | AsyncIterable<Content> | undefined, options: CallOptions) {
    this.message = Promise.resolve().then(() => this._begin(driver, procedure, content, options));
    this.message.catch(() => {});
  }

  then<A = R, B = never>(
    done?: ((result: R) => A | PromiseLike<A>) | null,
    failed?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.message.then((message) => message.value as R).then(done, failed);
  }

  /** As that of a promise. */
  catch<B>(failed: (error: unknown) => B | PromiseLike<B>): Promise<R | B> {
    return this.then(undefined, failed);
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Message<R>, undefined> {
    const parts = this._open();
    parts._leave = () => this._cancel.abort();
    return parts;
  }

  /** Takes parts, until the end of the call. */
  private _open(): Stream<Message<R>> {
    if (this._parts) return this._parts;
    const parts = (this._parts = new Stream());
    this.message.then(
      () => parts._end(),
      (error) => parts._end(error),
    );
    return parts;
  }

  private async _begin(
    driver: Driver,
    procedure: string,
    content: Content | AsyncIterable<Content> | undefined,
    options: CallOptions,
  ): Promise<Message<R>> {
    const progress = checked(options).progress || this._parts ? PROGRESS : 0;
    if (options.progress) this._open();
    const pieces = isAsync(content) ? content[Symbol.asyncIterator]() : undefined;
    const { signal } = this._cancel;
    const outer = options.signal;
    const abort = () => this._cancel.abort(outer!.reason);
    if (outer?.aborted) abort();
    outer?.addEventListener("abort", abort);
    const end = () => {
      outer?.removeEventListener("abort", abort);
      // Whoever gives the pieces hears that no more are wanted.
      Promise.resolve(pieces?.return?.()).catch(report);
    };
    const asked =
      pieces && driver._soonest(pieces.next(), options.timeout, signal).catch((error) => (end(), Promise.reject(error)));
    const first = (await asked) ?? { value: content as Content, done: true };
    const flags = progress | (first.done ? 0 : MORE) | (options.disclose ? DISCLOSE : 0);
    const items = [procedure, ...encode(first.value, driver._plain)];
    let id = 0;
    let broken: unknown;
    const ask = (left: number) => (id = driver._do(op.CALL, items, flags, left));
    const limits = options.timeout == undefined ? { signal } : { signal, timeout: options.timeout };
    const done = driver._request(ask, limits, ([, , part]: Told) => this._parts?._push(new Message(part)));
    if (pieces && !first.done) this._upload(driver, pieces, () => id).catch((error) => this._cancel.abort((broken = error)));
    const failed = (error: unknown) => {
      throw broken ?? error;
    };
    const [, , , result] = await done.catch(failed).finally(end);
    return new Message(result);
  }

  /** Sends the other arguments; the last piece is empty. */
  private async _upload(driver: Driver, pieces: AsyncIterator<Content>, id: () => number): Promise<void> {
    for (let more = true; more;) {
      await driver._unblocked();
      const piece = await pieces.next();
      more = !piece.done;
      driver._do(op.MORE, encode(piece.value ?? (more ? null : new Args([])), driver._plain), id(), +more);
    }
  }
}
