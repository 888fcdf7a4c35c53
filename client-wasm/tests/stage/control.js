// What a case may do to the world around its client: brokers, networks, strange servers. In a page it is called through a
// binding of the browser, so arguments and answers are JSON.

import { Broker } from './broker.js';
import { Network, freeAuthority } from './network.js';
import { strange } from './strange.js';

export class Control {
  /** What was made, by its number. */
  #things = new Map();
  #target;

  /** `target` is the broker of the target, if it is ours. */
  constructor(target) {
    this.#target = target;
  }

  /** Runs one by its name. */
  run(what, args) {
    return this[what](...args);
  }

  /** A broker of the case's own: `{ id, url }`. */
  async broker(settings) {
    const broker = await Broker.start(settings);
    return this.#keep(broker, broker.url, () => broker.stop());
  }

  async kill(id) {
    await this.#things.get(id).thing.kill();
  }

  async restart(id, settings) {
    await this.#things.get(id).thing.restart(settings);
  }

  /** A metric of a broker of the case's own, or of the target's. */
  metric(name, id) {
    return (id ? this.#things.get(id).thing : this.#target).metric(name);
  }

  /** A network to a URL: `{ id, url }`. */
  async network(url) {
    const network = await Network.to(url);
    return this.#keep(network, network.url, () => network.close());
  }

  cut(id) {
    this.#things.get(id).thing.cut();
  }

  freeze(id) {
    this.#things.get(id).thing.freeze();
  }

  heal(id) {
    this.#things.get(id).thing.heal();
  }

  drop(id) {
    this.#things.get(id).thing.drop();
  }

  /** How many connections were asked for by a network. */
  asked(id) {
    return this.#things.get(id).thing.asked;
  }

  /** The URL of a server that is no broker. */
  async strange(kind) {
    const server = await strange(kind);
    return this.#keep(server, server.url, () => server.close()).url;
  }

  /** A URL at which nobody listens. */
  async nobody() {
    return `ws://${await freeAuthority()}`;
  }

  /** Ends all that the case has made. */
  async end() {
    const things = [...this.#things.values()];
    this.#things.clear();
    // Networks before what is behind them.
    for (const { stop } of things.reverse()) await stop();
  }

  #keep(thing, url, stop) {
    const id = this.#things.size + 1;
    this.#things.set(id, { thing, stop });
    return { id, url };
  }
}
