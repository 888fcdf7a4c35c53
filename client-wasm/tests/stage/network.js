// A network between client and broker that can be cut: with an error, or with nobody told.

import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/** A `HOST:PORT` of the loopback interface at which nobody listens. */
export async function freeAuthority() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return `127.0.0.1:${port}`;
}

/** Forwards TCP connections as long as it is whole. */
export class Network {
  #server;
  #authority;
  #pairs = new Set();
  #state = 'whole';
  /** The URL of the broker behind it, by this way. */
  url;
  /** How many connections were asked for. */
  asked = 0;

  /** A network to the broker at a URL. */
  static async to(target) {
    const network = new Network();
    const url = new URL(target);
    network.#authority = { host: url.hostname, port: Number(url.port) };
    network.#server = createServer((near) => network.#accept(near)).listen(0, '127.0.0.1');
    await once(network.#server, 'listening');
    url.port = String(network.#server.address().port);
    network.url = url.href.replace(/\/$/, '');
    return network;
  }

  /** Breaks all connections, and every new one, until it is healed. */
  cut() {
    this.#state = 'cut';
    this.drop();
  }

  /**
   * From now on nothing is forwarded in either direction, and nothing is closed: nobody is told. New connections are taken and
   * are as dead.
   */
  freeze() {
    this.#state = 'frozen';
    for (const { near, far } of this.#pairs) {
      near.unpipe(far).pause();
      far?.unpipe(near).pause();
    }
  }

  /** New connections are forwarded again. Those that died stay dead. */
  heal() {
    this.#state = 'whole';
  }

  /** Breaks all connections. */
  drop() {
    for (const { near, far } of this.#pairs) {
      near.resetAndDestroy();
      far?.destroy();
    }
  }

  async close() {
    this.drop();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(near) {
    this.asked++;
    near.on('error', () => {});
    if (this.#state === 'cut') {
      near.resetAndDestroy();
      return;
    }
    const pair = { near };
    this.#pairs.add(pair);
    near.on('close', () => this.#pairs.delete(pair));
    if (this.#state === 'frozen') {
      near.pause();
      return;
    }
    const far = connect(this.#authority);
    pair.far = far;
    far.on('error', () => near.resetAndDestroy());
    near.on('close', () => far.destroy());
    far.on('close', () => { if (this.#state !== 'frozen') near.destroy(); });
    near.pipe(far).pipe(near);
  }
}
