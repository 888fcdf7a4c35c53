/**
 * The short way of most messages. JavaScript reads and writes their JSON itself, once and in its engine's own code; the core
 * is asked by numbers alone who hears what, and what may be sent. What is unusual goes the long way: see `outline.ts`.
 */

import { PetasusError, report } from "./error.js";
import { read } from "./content.js";
import { Message } from "./message.js";
import * as op from "./op.js";
import type { Driver } from "./driver.js";
import { isDict, isId, keep, outlineOf } from "./outline.js";
import { take, type Item } from "./sink.js";
import type { Subscription } from "./subscription.js";

/** What `op.HEAR` gives for several subscriptions, and for what is none of these messages. */
const SEVERAL = -1;
const OTHER = -2;

/** No topic, or a publisher who is not known. */
const NONE = -1;

/** No router gives a subscription this number. */
const NOBODY = 2 ** 60;

/** So many names of topics are kept. */
const NAMES = 1000;

const EVENT = /^\[36,/;
const PUBLISHED = /^\[17,(\d{1,15}),\d+\]$/;

/** What came by one socket. */
export class Hearer {
  /** The topics by their URIs, or by the router's numbers of subscriptions to one topic. */
  private readonly _topics = new Map<string | number, Item>();

  constructor(
    private readonly _driver: Driver,
    private readonly _socket: number,
  ) {}

  /** Takes a message. */
  _came(data: Item, now: number): void {
    const driver = this._driver;
    if (MERCURY && driver._plain) {
      if (!this._takePlain(data, now)) driver._act(op.MESSAGE, [data], this._socket);
    } else if (typeof data != "string" || !this._take(data, now)) {
      // Bytes are not what was agreed on.
      const kept = typeof data == "string" ? keep(data) : undefined;
      driver._act(op.MESSAGE, [kept ? outlineOf(kept) : ""], this._socket);
      if (kept) driver._keeps(...kept);
    }
  }

  /** Takes a message over WAMP. Says no if it has to go the long way. */
  private _take(text: string, now: number): boolean {
    if (EVENT.test(text)) return this._event(text, now);
    const published = PUBLISHED.exec(text);
    if (!published) return false;
    this._driver._stale = true;
    return !!this._driver._core.act(op.PUBLISHED, this._socket, +published[1]!, 0, now);
  }

  /** Takes a message over Mercury. */
  private _takePlain(raw: Item, now: number): boolean {
    return this._give(0, 0, now, (topic) => new Message(raw, topic));
  }

  private _event(text: string, now: number): boolean {
    const event = parseEvent(text);
    if (!event) {
      // It is alive, and the others of its messages may be good.
      this._driver._core.act(op.HEAR, this._socket, NOBODY, 0, now);
      report(new PetasusError("content", "a message was dropped: the router wrote it in no form of WAMP", { fault: "server" }));
      return true;
    }
    const [, id, publication, { topic: uri, publisher }] = event;
    const key = typeof uri == "string" ? uri : id;
    // What one listener does to the values is no concern of another.
    const made = (topic: Item, again: boolean) =>
      new Message({ message: again ? parseEvent(text)! : event, text, at: 4 }, topic, isId(publisher) ? publisher : NONE, publication);
    return this._give(id, key, now, made);
  }

  /** Gives it to whom it is for. */
  private _give(id: number, key: string | number, now: number, made: (topic: Item, again: boolean) => Message): boolean {
    const driver = this._driver;
    const found = driver._core.act(op.HEAR, this._socket, id, 0, now);
    if (found == OTHER) return false;
    const ids = found == SEVERAL ? (take()[0]!.slice(1) as number[]) : [found];
    if (!found) return true;
    const topic = this._topics.get(key) ?? this._learn(id, key);
    // What came before it is told before it.
    if (driver._stale) driver._poll();
    ids.forEach((each, place) => (driver._ears.get(each) as Subscription | undefined)?._give(made(topic, place > 0)));
    return true;
  }

  private _learn(id: number, key: string | number): Item {
    const driver = this._driver;
    const [told] = driver._ask(op.TOPIC, [typeof key == "string" ? key : ""], this._socket, id);
    const topic = told![1]!;
    if (this._topics.size >= NAMES) this._topics.clear();
    this._topics.set(key, topic);
    return topic;
  }
}

/** An EVENT (WAMP 10.1). */
type Event = [36, id: number, publication: number, details: Record<string, unknown>, args?: [], kwargs?: object];

function parseEvent(text: string): Event | undefined {
  try {
    const event = read(text);
    const [, id, publication, details, args, kwargs] = event;
    if (
      isId(id) &&
      isId(publication) &&
      isDict(details) &&
      (args == undefined || Array.isArray(args)) &&
      (kwargs == undefined || isDict(kwargs)) &&
      event.length < 7
    ) {
      return event;
    }
  } catch {
    // Said where it is dropped.
  }
  return undefined;
}

/** Writes PUBLISH. */
export class Publisher {
  /** The URIs of topics, as JSON. */
  private readonly _names = new Map<string, string>();

  constructor(private readonly _driver: Driver) {}

  /** What stands behind the number of a PUBLISH of this content. `how`: see `src/op.rs`. @throws PetasusError `topic` */
  _write(topic: string, [args, kwargs]: Item[], how: number): string {
    const uri = this._names.get(topic) ?? this._learn(topic);
    const content = (args ? "," + args : kwargs ? ",[]" : "") + (kwargs ? "," + kwargs : "");
    return `,{"exclude_me":${!!(how & 4)}${how & 2 ? ',"acknowledge":true' : ""}},${uri}${content}]`;
  }

  private _learn(topic: string): string {
    const [told] = this._driver._ask(op.NAME, [topic]);
    const uri = JSON.stringify(told![1]);
    if (this._names.size >= NAMES) this._names.clear();
    this._names.set(topic, uri);
    return uri;
  }
}
