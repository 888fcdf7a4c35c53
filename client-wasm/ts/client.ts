/** The client. */

import { Call, type CallOptions } from "./call.js";
import type { Content } from "./content.js";
import type { Driver } from "./driver.js";
import { PetasusError } from "./error.js";
import * as op from "./op.js";
import { amount, checked, wrongOption } from "./options.js";
import { Jobs, push, type PullOptions, type PushOptions } from "./queue.js";
import { Registration, type Procedure, type RegisterOptions } from "./register.js";
import { asyncDispose } from "./standing.js";
import type { Status } from "./status.js";
import {
  Bus,
  kindOf,
  send,
  Subscription,
  type BusOptions,
  type Listener,
  type SendOptions,
  type SubscribeOptions,
} from "./subscription.js";
import { topicOf, type Topic } from "./topic.js";

export interface PublishOptions extends SendOptions {
  /** Whether this client's own subscriptions hear it too. Default yes; `false` is for WAMP. */
  toSelf?: boolean;
}

const BUS = 4;

/**
 * A client of a broker; made by `connect`. It connects again when the connection is lost, and takes up its subscriptions
 * and registrations again.
 */
export class Client implements AsyncDisposable {
  /** @internal */
  constructor(private readonly _driver: Driver) {}

  /** How the connection stands now. */
  get status(): Status {
    return this._driver._status;
  }

  /** Tells the listener how the connection stands when it changes, until what is returned is called. @throws PetasusError `setting` */
  on(event: "status", listener: (status: Status) => void): () => void {
    if ((event as string) != "status" || typeof listener != "function") throw wrongOption("on", "give it status and a listener");
    // A listener may be given twice.
    const watcher = (status: Status) => listener(status);
    this._driver._watchers.add(watcher);
    return () => void this._driver._watchers.delete(watcher);
  }

  /** The network may have changed: looks now whether the connection is alive, and does not wait with the next attempt. */
  check(): void {
    this._driver._check();
  }

  /**
   * Hears a topic, and all below it: iterate over the subscription, or give a listener.
   *
   * What can go wrong rejects `ready` and ends the iteration: `topic`, `unsupported`, `refused`, `timed_out`, `revoked`,
   * `overflow`, `gave_up`. That the client is closed just ends the iteration.
   */
  subscribe<T = unknown>(topic: Topic, options?: SubscribeOptions): Subscription<T>;
  subscribe<T = unknown>(topic: Topic, listener: Listener<T>, options?: SubscribeOptions): Subscription<T>;
  subscribe<T>(topic: Topic, first?: Listener<T> | SubscribeOptions, second?: SubscribeOptions): Subscription<T> {
    const [listener, options] = split(first, second);
    return new Subscription<T>(this._driver, topic, kindOf(options), options, listener);
  }

  /** Joins the bus of a topic: hears what its other peers send. */
  bus<T = unknown>(topic: Topic, options?: BusOptions): Bus<T>;
  bus<T = unknown>(topic: Topic, listener: Listener<T>, options?: BusOptions): Bus<T>;
  bus<T>(topic: Topic, first?: Listener<T> | BusOptions, second?: BusOptions): Bus<T> {
    const [listener, options] = split(first, second);
    return new Bus<T>(this._driver, topic, BUS + +!!options.echo, options, listener);
  }

  /**
   * Publishes. Default `acknowledged`: waits until the broker has confirmed that it gave it to all who are subscribed.
   * @throws PetasusError `topic`, `content`, `too_large`, `queue_full`, `not_connected`: nothing was published; `refused`;
   * `timed_out`, `lost`: it may have been published or not; `closed`, `gave_up`, `aborted`
   */
  publish(topic: Topic, content: Content, options: PublishOptions = {}): Promise<void> {
    return send(this._driver, () => topicOf(topic), content, "acknowledged", options);
  }

  /**
   * Pushes a job into a queue, and waits until a puller has it (`handed`) or the broker holds it (`held`); with
   * `ack: "done"` until it is done, and gives the puller's answer.
   * @throws PetasusError as `publish`; `refused` also if there is no puller, or if it failed
   */
  push<R = unknown>(queue: Topic, job: Content, options: PushOptions & { ack: "done" }): Promise<R>;
  push(queue: Topic, job: Content, options?: PushOptions): Promise<"handed" | "held">;
  push(queue: Topic, job: Content, options: PushOptions = {}): Promise<unknown> {
    return push(this._driver, queue, job, options);
  }

  /** Takes a place among the pullers of a queue: iterate over the jobs. */
  pull<T = unknown>(queue: Topic, options: PullOptions = {}): Jobs<T> {
    return new Jobs<T>(this._driver, queue, checked(options));
  }

  /**
   * Calls a procedure (WAMP). `content` is its argument, several as `Args`; an async iterable sends arguments in pieces.
   * @throws PetasusError `refused` by the broker or the callee; `timed_out`, `lost`: it may have been done or not; `uri`,
   * `content`, `too_large`, `queue_full`, `unsupported`: nothing was called; `closed`, `gave_up`, `aborted`
   */
  call<R = unknown>(procedure: string, content?: Content | AsyncIterable<Content>, options: CallOptions = {}): Call<R> {
    return new Call<R>(this._driver, procedure, content, options);
  }

  /** Offers a procedure (WAMP). What can go wrong rejects `ready`, and is reported. */
  register<T = unknown>(procedure: string, listener: Procedure<T>, options: RegisterOptions = {}): Registration<T> {
    return new Registration<T>(this._driver, procedure, listener, checked(options));
  }

  /**
   * Ends the client when all that was asked for is finished, within `timeout` milliseconds. From now on nothing new is
   * taken.
   * @throws PetasusError `gave_up` if the client had given up its connection, `not_connected` if there was none in time for
   * what was `queued`
   */
  async drain(timeout = 10000): Promise<void> {
    amount("timeout", timeout);
    await this._end(op.DRAIN, timeout);
    if (this.status.failure) throw this.status.failure;
    if (this._driver._unsent) throw new PetasusError("not_connected", "there was no connection, so what waited was not sent");
  }

  /** Ends the client: what was sent is delivered, what waits is not sent, and what is not answered is `closed`. */
  close(): Promise<void> {
    return this._end(op.CLOSE);
  }

  /** As `close`. */
  [asyncDispose](): Promise<void> {
    return this.close();
  }

  private async _end(how: number, timeout?: number): Promise<void> {
    // A call begins when its statement is over; what was called before goes out before.
    await undefined;
    return new Promise((resolve) => {
      const { signal } = this._driver._life;
      if (signal.aborted) return resolve();
      signal.addEventListener("abort", () => resolve());
      this._driver._do(how, [], timeout);
    });
  }
}

/** A listener or none, and the options. */
function split<T, O extends object>(first: Listener<T> | O | undefined, second: O | undefined): [Listener<T> | undefined, O] {
  return typeof first == "function" ? [first as Listener<T>, checked(second)] : [undefined, checked(second ?? first)];
}
