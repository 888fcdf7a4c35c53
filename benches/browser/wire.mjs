// The other end of what is measured: sockets that send what was encoded before, or count what comes.
//
// Neither is a client library, so that the library in the page, or its broker, is the limit, and not its counterpart.

import { once } from 'node:events';
import { connect as tcp } from 'node:net';
import { CYCLE, STEP, TOPIC, WINDOW, text } from './load.mjs';

/** Each message has one. */
const MARK = '#'.charCodeAt(0);
/** So long nothing comes any more where something is lost. */
const QUIET_MS = 3000;

/** Publishes as fast as the receiver says that it takes. */
export class Feeder {
  sent = 0;
  #taken = 0;
  #more = () => {};
  #socket;
  #chunks = [];

  constructor(socket, frame) {
    this.#socket = socket;
    for (let at = 0; at < CYCLE; at += STEP) {
      const frames = Array.from({ length: STEP }, (_, place) => frame(at + place + 1, text(at + place)));
      this.#chunks.push(Buffer.concat(frames));
    }
  }

  /** The receiver has a step more. */
  took() {
    this.#taken += STEP;
    this.#more();
  }

  /** Feeds for so long, and waits until all is taken, or nothing is any more. */
  async feed(seconds) {
    const until = performance.now() + seconds * 1000;
    while (performance.now() < until) {
      if (this.sent - this.#taken > WINDOW && !(await this.#change())) return;
      const chunk = this.#chunks[(this.sent % CYCLE) / STEP];
      this.sent += STEP;
      if (!this.#socket.write(chunk)) await once(this.#socket, 'drain');
    }
    while (this.#taken < this.sent && (await this.#change()));
  }

  end() {
    this.#socket.destroy();
  }

  /** Waits until more was taken; says whether it was. */
  #change() {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), QUIET_MS);
      this.#more = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }
}

/** Is subscribed, and counts. */
export class Sink {
  count = 0;
  last = 0;
  #socket;

  constructor(socket) {
    this.#socket = socket;
    socket.on('data', (bytes) => {
      this.last = performance.now();
      for (let at = bytes.indexOf(MARK); at >= 0; at = bytes.indexOf(MARK, at + 1)) this.count++;
    });
  }

  /** Waits until so many have come, or nothing comes any more; then counts anew. Gives the number, and when the last came. */
  async until(total) {
    for (let quiet = 0, before = 0; this.count < total && quiet < QUIET_MS; quiet = this.count === before ? quiet + 10 : 0) {
      before = this.count;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const received = this.count;
    this.count = 0;
    return { received, last: this.last };
  }

  end() {
    this.#socket.destroy();
  }
}

/** One that publishes. */
export async function feeder(wire, url) {
  const { socket, frame } = await wires[wire](new URL(url), false);
  return new Feeder(socket, frame);
}

/** One that is subscribed. */
export async function sink(wire, url) {
  return new Sink((await wires[wire](new URL(url), true)).socket);
}

const wires = {
  async mercury(url, subscribed) {
    const socket = await upgraded(url, `/${subscribed ? 'sub' : 'pub'}/${TOPIC}`);
    return { socket, frame: (_, message) => frame(message) };
  },

  async wamp(url, subscribed) {
    const socket = await upgraded(url, url.pathname, 'wamp.2.json');
    const realm = url.hash.slice(1);
    socket.write(frame(JSON.stringify([1, realm, { roles: { publisher: {}, subscriber: {} } }])));
    await until(socket, '[2,');
    if (subscribed) {
      socket.write(frame(`[32,1,{},"${TOPIC}"]`));
      await until(socket, '[33,1,');
    }
    return { socket, frame: (number, message) => frame(`[16,${number},{},"${TOPIC}",["${message}"]]`) };
  },

  async mqtt(url, subscribed) {
    const socket = await opened(url);
    socket.write(packet(0x10, counted('MQTT'), Buffer.from([4, 2, 0, 0]), counted(`wire-${subscribed}`)));
    await until(socket, '\x20\x02\x00\x00');
    if (subscribed) {
      socket.write(packet(0x82, Buffer.from([0, 1]), counted(TOPIC), Buffer.from([0])));
      await until(socket, '\x90\x03\x00\x01\x00');
    }
    return { socket, frame: (_, message) => packet(0x30, counted(TOPIC), Buffer.from(message)) };
  },
};

async function opened({ hostname, port }) {
  const socket = tcp(Number(port), hostname);
  socket.setNoDelay(true);
  await once(socket, 'connect');
  return socket;
}

async function upgraded(url, path, subprotocol) {
  const socket = await opened(url);
  const offer = subprotocol ? `Sec-WebSocket-Protocol: ${subprotocol}\r\n` : '';
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: ${url.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nOrigin: http://${url.host}\r\n`
      + `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n${offer}\r\n`,
  );
  const answer = await until(socket, '\r\n\r\n');
  if (!answer.includes(' 101 ')) throw new Error(`${url} does not take a plain WebSocket: ${answer}`);
  return socket;
}

/** Reads until this has come. */
async function until(socket, mark) {
  let got = '';
  while (!got.includes(mark)) {
    const [bytes] = await Promise.race([once(socket, 'data'), once(socket, 'close').then(() => [null])]);
    if (!bytes) throw new Error(`the broker closed the plain socket after ${JSON.stringify(got)}`);
    got += bytes.toString('latin1');
  }
  return got;
}

/** A text frame, masked with zeros, which RFC 6455 5.3 allows and which costs nothing. */
function frame(text) {
  const payload = Buffer.from(text);
  const head = payload.length < 126 ? Buffer.from([0x81, 0x80 | payload.length]) : Buffer.from([0x81, 0xfe, payload.length >> 8, payload.length & 255]);
  return Buffer.concat([head, Buffer.alloc(4), payload]);
}

function packet(kind, ...parts) {
  const body = Buffer.concat(parts);
  const length = body.length < 128 ? [body.length] : [(body.length & 127) | 128, body.length >> 7];
  return Buffer.concat([Buffer.from([kind, ...length]), body]);
}

function counted(name) {
  return Buffer.concat([Buffer.from([name.length >> 8, name.length & 255]), Buffer.from(name)]);
}
