// Sessions of autobahn-js over WebSocket, rawsocket and HTTP long-poll, and what else a case needs.

import autobahn from 'autobahn';
import WebSocket from 'ws';
import './xml-http-request.mjs';

const SERIALIZERS = {
  json: autobahn.serializer.JSONSerializer,
  msgpack: autobahn.serializer.MsgpackSerializer,
  cbor: autobahn.serializer.CBORSerializer,
};

let names = 0;

/** What a case gets: sessions of its own, names of its own, and their end. */
export class World {
  constructor(ends, transport) {
    this.ends = ends;
    this.transport = transport;
    names += 1;
    this.base = `j${names}x${process.pid}`;
    this.connections = [];
    this.sockets = [];
  }

  /** Why this case cannot run, if it cannot. */
  missing() {
    const end = this.transport.split('.')[0];
    return this.ends[end] ? null : `no address for ${end}`;
  }

  /** A name that no other case uses. */
  uri(name) {
    return name ? `${this.base}.${name}` : this.base;
  }

  /** A session that has joined; `options` are those of autobahn.Connection. */
  async join(options = {}) {
    const { session } = await this.open(options);
    return session;
  }

  /** {connection, session, details} of a session that has joined; rejects with the reason of an ABORT. */
  open(options = {}) {
    const connection = new autobahn.Connection({
      transports: [this.#transport(options.transport ?? this.transport)],
      realm: this.ends.realm,
      max_retries: 0,
      on_user_error: () => {},
      on_internal_error: () => {},
      ...options,
    });
    this.connections.push(connection);
    return new Promise((resolve, reject) => {
      connection.onopen = (session, details) => resolve({ connection, session, details });
      connection.onclose = (reason, details) => {
        connection.ended = true;
        connection.tellEnd?.(details);
        reject({ error: details.reason ?? reason, details });
        return true;
      };
      connection.open();
    });
  }

  #transport(name) {
    const [kind, serializer] = name.split('.');
    if (kind === 'ws') {
      return { type: 'websocket', url: this.ends.ws, serializers: [new SERIALIZERS[serializer]()] };
    }
    if (kind === 'tcp') {
      const [host, port] = this.ends.tcp.split(':');
      return { type: 'rawsocket', host, port: Number(port) };
    }
    if (kind === 'unix') return { type: 'rawsocket', path: this.ends.unix };
    return { type: 'longpoll', url: this.ends.longpoll };
  }

  /** One of Mercury's sockets: one socket, one topic, bare payloads; `next()` awaits the next one. */
  async raw(path) {
    const socket = new WebSocket(this.ends.mercury.replace(/^http/, 'ws').replace(/\/$/, '') + path);
    this.sockets.push(socket);
    const heard = this.heard();
    let taken = 0;
    socket.on('message', (payload, binary) => heard.add(binary ? payload : payload.toString()));
    socket.next = async () => (await heard.reach((taken += 1)))[taken - 1];
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    return socket;
  }

  /** What is heard, and a way to wait until it is enough. */
  heard() {
    const world = this;
    let wake = () => {};
    const list = [];
    return Object.assign(list, {
      add(one) {
        list.push(one);
        wake();
      },
      async reach(count) {
        while (list.length < count) {
          world.waiting = `${count} and only ${list.length} came`;
          await new Promise((resolve) => (wake = resolve));
        }
        return list;
      },
    });
  }

  /** Ends everything. What goes wrong here is no verdict on the case. */
  async close() {
    for (const socket of this.sockets) socket.terminate();
    await Promise.all(
      this.connections.map((connection) => {
        if (connection.ended || !connection.isConnected) return null;
        return new Promise((resolve) => {
          const timer = setTimeout(resolve, 2000);
          connection.tellEnd = () => {
            clearTimeout(timer);
            resolve();
          };
          try {
            connection.close();
          } catch {
            connection.tellEnd();
          }
        });
      }),
    );
  }
}

/** Waits until what `publisher` published before has reached `session` (WAMP, Ordering Guarantees). */
export async function flush(publisher, session) {
  names += 1;
  const topic = `barrier.j${names}x${process.pid}`;
  let tell;
  const told = new Promise((resolve) => (tell = resolve));
  await session.subscribe(topic, () => tell());
  await publisher.publish(topic, [], {}, { acknowledge: true, exclude_me: false });
  await told;
}

export { autobahn };
