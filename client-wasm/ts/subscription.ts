/** Subscriptions, and places on buses. */

import { encode, type Content } from "./content.js";
import type { Driver } from "./driver.js";
import { Message } from "./message.js";
import * as op from "./op.js";
import { amount, checked, placeIn, type Limits } from "./options.js";
import type { Item, Told } from "./sink.js";
import { Standing, type StandingOptions } from "./standing.js";
import { topicOf, type Topic } from "./topic.js";

/** What is called at each message. What it throws, also if it is async, is reported, and changes nothing. */
export type Listener<T> = (message: Message<T>) => unknown;

export interface SubscribeOptions extends StandingOptions {
  /**
   * `tree` (default) is the topic and all below it. Over WAMP also: `exact`, the topic alone; `prefix`, all URIs that begin
   * with the text; `wildcard`, all URIs with these components, an empty one standing for any.
   */
  match?: "tree" | "exact" | "prefix" | "wildcard";
}

export interface BusOptions extends StandingOptions {
  /** Whether to hear also what this client sends. */
  echo?: boolean;
}

/** How a message is sent. */
export interface SendOptions extends Limits {
  /**
   * `fire`: now or never, `not_connected` without a connection. `queued`: it waits for a connection that takes it.
   * `acknowledged`: the broker has confirmed that it gave it to all who are subscribed.
   */
  mode?: "fire" | "queued" | "acknowledged";
}

const MATCHES = ["tree", "exact", "prefix", "wildcard"];

/** The numbers of the modes: see `src/op.rs`. */
export const MODES = ["fire", "queued", "acknowledged"];

/**
 * A subscription: iterate over it once, or give a listener. It survives the loss of the connection; the first message
 * after that has `gap`, and what was published meanwhile is missing.
 */
export class Subscription<T = unknown> extends Standing<Message<T>> {
  /** @internal */
  constructor(driver: Driver, topic: Topic, kind: number, options: StandingOptions, listener?: Listener<T>) {
    const begin = () => driver._do(op.SUBSCRIBE, [kind == 2 || kind == 3 ? (topic as string) : topicOf(topic)], kind);
    super(driver, op.UNSUBSCRIBE, begin, options, listener);
  }

  /** Ends it, and waits until the broker has confirmed that. Messages that were not taken are still there. */
  unsubscribe(): Promise<void> {
    return this._leave();
  }

  /** @internal */
  _came([, , topic, publisher, publication, content]: Told): boolean {
    return this._push(new Message<T>(content, topic, publisher, publication));
  }

  /** @internal It came the short way. */
  _give(message: Message): void {
    if (this._push(message as Message<T>)) void this._leave();
  }
}

/** A place on a bus: every other peer hears what is sent. Iterate over it, or give a listener. */
export class Bus<T = unknown> extends Subscription<T> {
  /**
   * Sends to the other peers. Default `queued`, as Mercury's buses confirm nothing.
   * @throws PetasusError as `Client.publish`
   */
  send(content: Content, options: SendOptions = {}): Promise<void> {
    return send(this._driver, () => "", content, "queued", options, this);
  }
}

/** The numbers of the ways to subscribe: see `src/op.rs`. */
export const kindOf = ({ match = "tree" }: SubscribeOptions): number => placeIn(MATCHES, match, "match");

/** What was published, where nobody confirms it. */
const DONE = Promise.resolve();

/** @internal Publishes to a topic, or to a bus. */
export function send(
  driver: Driver,
  topic: () => string,
  content: Content,
  usual: string,
  options: SendOptions & { toSelf?: boolean },
  bus?: Bus,
): Promise<void> {
  try {
    const { mode = usual, toSelf = true, signal, timeout } = checked(options);
    const to = bus ? "" : topic();
    const items = encode(content, driver._plain);
    const how = placeIn(MODES, mode, "mode") | (toSelf || bus ? 0 : 4);
    amount("timeout", timeout);
    // Most of what nobody confirms needs no waiting at all.
    if (!bus && mode != MODES[2] && !signal?.aborted && driver._publishNow(to, items, how)) return DONE;
    return sendLater(driver, to, items, how, options, bus);
  } catch (error) {
    return Promise.reject(error);
  }
}

async function sendLater(
  driver: Driver,
  topic: string,
  items: Item[],
  how: number,
  limits: Limits,
  bus: Bus | undefined,
): Promise<void> {
  // It could not begin, and says why.
  if (bus && !bus._id) await bus.ready;
  const fires = !(how & 3);
  const publish = (left: number) =>
    bus
      ? driver._do(op.PUBLISH, items, how, left, bus._id)
      : driver._publishNow(topic, items, how, left) || driver._do(op.PUBLISH, [topic, ...items], how, left);
  await driver._request(publish, limits, undefined, fires);
  // Who awaits each of many messages is as fast as the network.
  if (!fires && driver._blocked) await driver._unblocked();
}
