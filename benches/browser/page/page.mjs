// What the page does when it is told to: connect, publish for a while, count what comes.

import { BATCH, CYCLE, Tally, text } from '../load.mjs';
import { contestants } from './contestants.mjs';

/** When so many bytes wait in a socket, a publisher waits for it, whichever client it is of. */
const HIGH_WATER = 1 << 18;

const texts = Array.from({ length: CYCLE }, (_, number) => text(number));
const sockets = [];
let client;
let tally;

// A client keeps its socket to itself; how much waits in it has to be known.
window.WebSocket = class extends WebSocket {
  constructor(...given) {
    super(...given);
    sockets.push(this);
  }
};

window.bench = {
  async connect(library, url, options) {
    client = await contestants[library](url, options);
  },

  /** Publishes, flat out, for so long. Gives how many messages. */
  async publish(seconds) {
    const until = performance.now() + seconds * 1000;
    let sent = 0;
    while (performance.now() < until) {
      let last;
      for (let left = BATCH; left > 0; left--) last = client.publish(texts[sent++ % CYCLE]);
      await last;
      await turn();
      while (sockets.some(({ bufferedAmount }) => bufferedAmount > HIGH_WATER)) await new Promise((resolve) => setTimeout(resolve, 4));
    }
    return sent;
  },

  /** Counts what comes, and tells `progress` of each step. */
  async listen(progress) {
    const socket = new WebSocket(progress);
    await new Promise((resolve) => (socket.onopen = resolve));
    tally = new Tally();
    await client.listen((message) => {
      if (tally.take(message)) socket.send('.');
    });
  },

  received: () => ({ count: tally.count, disorder: tally.disorder }),
};

/** Lets the page do what else it has to do: a task, not a microtask, and no timer, which the browser would slow down. */
const channel = new MessageChannel();
function turn() {
  return new Promise((resolve) => {
    channel.port1.onmessage = resolve;
    channel.port2.postMessage(0);
  });
}
