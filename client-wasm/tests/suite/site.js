// What a case works with: a broker, clients of it, and patience.

import { Broken, show } from './expect.js';

/** How long a case waits for something that must come. Only a hung one waits so long. */
export const PATIENCE = 20_000;

let topics = 0;

export class Site {
  /** Words of errors that are reported and should be. */
  expected = [];
  #clients = [];
  #undo = [];
  #iterators = new WeakMap();
  #can;
  #has;
  #options;
  #prefix = `t${Date.now().toString(36)}${Math.random().toString(36).slice(2, 8)}${++topics}`;

  /**
   * - `petasus`, `auth`: the package under test, and its ways to log in;
   * - `target`: `{ dialect, url, can, has, options }`, see `stage/targets.js`;
   * - `control`: calls `stage/control.js`;
   * - `WebSocket`: what the environment has none of.
   */
  constructor({ petasus, auth, target, control, WebSocket }) {
    Object.assign(this, { petasus, auth, control, WebSocket });
    this.url = target.url;
    this.dialect = target.dialect;
    this.#can = new Set(target.can);
    this.#has = new Set(target.has);
    this.#options = target.options ?? {};
    /** Options of subscriptions to a topic where trees of topics cannot be had. */
    this.flat = this.can('trees') ? {} : { match: 'exact' };
  }

  /** Whether the dialect or the router can do something. What it cannot is `unsupported`. */
  can(ability) {
    return this.#can.has(ability);
  }

  /** Whether something is so here. */
  has(trait) {
    return this.#has.has(trait);
  }

  /** The options of a client of this target. */
  options(more = {}) {
    const socket = this.WebSocket ? { WebSocket: this.WebSocket } : {};
    return { dialect: this.dialect, ...this.#options, ...socket, ...more };
  }

  /** A connected client, closed when the case is over. */
  connect(options = {}) {
    return this.connectTo(this.url, options);
  }

  /** The same at another URL. */
  async connectTo(url, options = {}) {
    const client = await this.soon(this.petasus.connect(url, this.options(options)), 'a connection');
    this.#clients.push(client);
    return client;
  }

  /** Waits of a few milliseconds, for cases that lose their connection. */
  get quick() {
    return { backoff: { min: 20, max: 200 } };
  }

  /** A name that no other case uses, of a topic. */
  topic(name = 'a') {
    return `${this.#prefix}/${name}`;
  }

  /** The same, of a procedure. */
  uri(name = 'a') {
    return `${this.#prefix}.${name}`;
  }

  /** A subscription that is there. */
  async subscribe(client, topic, options = {}) {
    const subscription = client.subscribe(topic, { ...this.flat, ...options });
    await this.soon(subscription.ready, 'the subscription');
    return subscription;
  }

  /** What must come. */
  async soon(promise, what, patience = PATIENCE) {
    let late;
    const hang = new Promise((_, reject) => {
      late = setTimeout(() => reject(new Broken(`${what} did not come`)), patience);
    });
    try {
      return await Promise.race([promise, hang]);
    } finally {
      clearTimeout(late);
    }
  }

  /** The iterator that the case takes from, the same each time. */
  iterator(iterable) {
    const iterator = this.#iterators.get(iterable) ?? iterable[Symbol.asyncIterator]();
    this.#iterators.set(iterable, iterator);
    return iterator;
  }

  /** What the iterator gives next; it must not be over. */
  async next(iterable, what = 'the next one') {
    const { done, value } = await this.soon(this.iterator(iterable).next(), what);
    if (done) throw new Broken(`${what}: it is over`);
    return value;
  }

  /** The value of what comes next. */
  async value(iterable, what) {
    return (await this.next(iterable, what)).value;
  }

  /** Waits until something is so. */
  until(what, reached) {
    let over = false;
    const watch = async () => {
      while (!over && !(await reached())) await new Promise((resolve) => { setTimeout(resolve, 3); });
    };
    return this.soon(watch(), what).finally(() => { over = true; });
  }

  /** Waits until the client is in this state, or another as told. */
  untilState(client, state, is = true) {
    return this.until(`${is ? '' : 'not '}${state}`, () => (client.status.state === state) === is);
  }

  /** What must come, and takes its time. */
  long(promise, what) {
    return this.soon(promise, what, 6 * PATIENCE);
  }

  /** Lets the event loop turn once: timers and sockets have had a chance. */
  turn() {
    return new Promise((resolve) => { setTimeout(resolve, 0); });
  }

  /**
   * Counts the errors with these words that the client reports because nobody waits for them: a page hears of them by an event,
   * Node shows them. They are expected.
   */
  reports(words) {
    let count = 0;
    this.expected.push(words);
    if (typeof reportError === 'function') {
      const listener = ({ message }) => { count += message.includes(words); };
      addEventListener('error', listener);
      this.#undo.push(() => removeEventListener('error', listener));
    } else {
      const { error } = console;
      console.error = (...told) => (told.some((each) => String(each?.message).includes(words)) ? count++ : error(...told));
      this.#undo.push(() => { console.error = error; });
    }
    return () => count;
  }

  /** Ends what the case has made. */
  async end() {
    this.#undo.splice(0).forEach((undo) => undo());
    const clients = this.#clients.splice(0);
    try {
      await this.soon(Promise.all(clients.map((client) => client.close())), 'the end of the clients');
    } finally {
      await this.control.end();
    }
  }
}

/**
 * Runs a case. Where the target lacks something that the case needs, it must end with `unsupported` and nothing else: an
 * unexpected success fails.
 */
export async function runCase(site, { needs = [], run }) {
  const missing = needs.filter((ability) => !site.can(ability));
  try {
    const error = await run(site).then(() => undefined, (problem) => problem);
    if (missing.length === 0) {
      if (error) throw error;
    } else if ((error?.cause ?? error)?.code !== 'unsupported') {
      throw new Broken(`it has no ${missing}, but ${error ? `failed with ${show(error)}` : 'succeeded'}`, { cause: error });
    }
  } finally {
    await site.end();
  }
}

/** Whether a case is for this target: what it wants must all be so. */
export function concerns({ only = [] }, target) {
  return only.every((trait) => (trait.startsWith('!') ? !target.has.includes(trait.slice(1)) : target.has.includes(trait)));
}
