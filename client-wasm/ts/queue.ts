/** Queues: each job goes to one puller. */

import { encode, type Content } from "./content.js";
import type { Driver } from "./driver.js";
import { Duty, FAILED, RESULT } from "./duty.js";
import { Message } from "./message.js";
import * as op from "./op.js";
import { amount, checked, placeIn, type Limits } from "./options.js";
import type { Told } from "./sink.js";
import { Standing, type StandingOptions } from "./standing.js";
import { topicOf, type Topic } from "./topic.js";

export interface PushOptions extends Limits {
  /**
   * `handed` (default): until a puller has the job, or the broker holds it. `done` (WAMP): until its puller has done it.
   */
  ack?: "handed" | "done";
}

export interface PullOptions extends Pick<StandingOptions, "signal" | "timeout"> {
  /** The most jobs that are not answered at one time (WAMP). Default 1. */
  concurrency?: number;
  /**
   * `explicitly` (default): by `job.done()`. `on_return`: when the next job is asked for; the job at which the loop is left
   * has failed, unless it was answered.
   */
  complete?: "explicitly" | "on_return";
}

/** A job that was pulled. */
export class Job<T = unknown> extends Duty<T> {
  /**
   * It is done; `result` is for a pusher that waits for it.
   * @throws PetasusError `stale` if it is not this puller's any more
   */
  done(result?: Content): Promise<void> {
    return this._answer(RESULT, result);
  }

  /**
   * It failed.
   * @param content What goes along; a text for people is usual.
   * @param uri The URI of the error.
   */
  failed(content: Content = "the job failed", uri = "wamp.error.canceled"): Promise<void> {
    return this._answer(FAILED, content, uri);
  }
}

/** A place among the pullers of a queue: iterate over it once. It survives the loss of the connection. */
export class Jobs<T = unknown> extends Standing<Job<T>> {
  private _present: Job<T> | undefined;
  private readonly _completes: boolean;

  /** @internal */
  constructor(driver: Driver, queue: Topic, { concurrency = 1, complete = "explicitly", ...options }: PullOptions) {
    // Before it begins: a place without anyone would swallow jobs.
    const completes = !!placeIn(["explicitly", "on_return"], complete, "complete");
    // Mercury's jobs can not be given back one by one: rather the place is.
    super(driver, op.UNREGISTER, () => driver._do(op.PULL, [topicOf(queue)], amount("concurrency", concurrency) || 1), {
      ...options,
      overflow: "end",
    });
    this._completes = completes;
  }

  override async next(): Promise<IteratorResult<Job<T>, undefined>> {
    await this._finish((job) => job.done());
    const result = await super.next();
    if (this._completes) this._present = result.value;
    return result;
  }

  override async return(): Promise<IteratorResult<Job<T>, undefined>> {
    await this._finish((job) => job.failed());
    return super.return();
  }

  /**
   * Gives the place up, and waits until the broker has confirmed that. Jobs that were not taken go to another puller; over
   * Mercury, which can not give them back, they are still there.
   */
  leave(): Promise<void> {
    return this._leave();
  }

  /** @internal */
  override _leave(): Promise<void> {
    if (!this._driver._plain) this._drop();
    return super._leave();
  }

  /** @internal */
  _came(told: Told): boolean {
    return this._push(new Job<T>(this._driver, told));
  }

  private async _finish(how: (job: Job<T>) => Promise<void>): Promise<void> {
    const job = this._present;
    this._present = undefined;
    // One that is another puller's by now is no concern of the program.
    if (job?._isOpen) await how(job).catch(() => {});
  }
}

/** @internal Pushes a job: what became of it, or its puller's answer. */
export async function push(driver: Driver, queue: Topic, job: Content, options: PushOptions): Promise<unknown> {
  const items = [topicOf(queue), ...encode(job, driver._plain)];
  const done = placeIn(["handed", "done"], checked(options).ack ?? "handed", "ack");
  const [, , outcome, answer] = await driver._request((left) => driver._do(op.PUSH, items, done, left), options);
  return done ? new Message(answer).value : outcome == 2 ? "held" : "handed";
}
