// RPC at one router: a caller and a callee in this process, WebSocket and JSON by hand, so that the client costs
// as little as possible and the same everywhere. Prints one JSON line.
//
//   node js/measure.mjs --ws URL [--realm realm1] [--sequential 3000] [--pipelined 20000] [--window 64]

import { parseArgs } from 'node:util';
import WebSocket from 'ws';

const { values: given } = parseArgs({
  options: {
    ws: { type: 'string' },
    realm: { type: 'string', default: 'realm1' },
    sequential: { type: 'string', default: '3000' },
    pipelined: { type: 'string', default: '20000' },
    window: { type: 'string', default: '64' },
  },
});
const roles = { caller: { features: {} }, callee: { features: {} } };

/** A joined socket; `hear` gets each message after WELCOME. */
async function join() {
  const socket = new WebSocket(given.ws, ['wamp.2.json'], { perMessageDeflate: false });
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  const peer = { socket, hear: () => {}, send: (message) => socket.send(JSON.stringify(message)) };
  await new Promise((resolve, reject) => {
    socket.on('message', (text) => {
      const message = JSON.parse(text);
      if (message[0] === 2) resolve();
      else if (message[0] === 3) reject(new Error(`ABORT ${text}`));
      else peer.hear(message);
    });
    socket.once('close', (code) => reject(new Error(`closed with ${code}`)));
    peer.send([1, given.realm, { roles }]);
  });
  return peer;
}

/** Makes `count` calls with up to `window` at a time; their round trips in microseconds, and the seconds of all. */
function calls(peer, uri, count, window, from) {
  return new Promise((resolve, reject) => {
    const sent = new Float64Array(count);
    const trips = [];
    let next = 0;
    const begin = performance.now();
    const call = () => {
      const number = next;
      next += 1;
      sent[number] = performance.now();
      peer.send([48, from + number, {}, uri, [number, 'a payload of a few dozen octets, as calls have them']]);
    };
    peer.hear = (message) => {
      if (message[0] !== 50) return reject(new Error(`no RESULT: ${JSON.stringify(message)}`));
      if (message[3][0] !== message[1] - from) return reject(new Error(`the wrong result: ${JSON.stringify(message)}`));
      trips.push((performance.now() - sent[message[1] - from]) * 1000);
      if (trips.length === count) return resolve({ trips, seconds: (performance.now() - begin) / 1000 });
      if (next < count) call();
    };
    while (next < Math.min(window, count)) call();
  });
}

/** The figures of some calls. */
function figures({ trips, seconds }) {
  const sorted = Float64Array.from(trips).sort();
  const at = (part) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]);
  return { per_second: Math.round(sorted.length / seconds), p50_us: at(0.5), p99_us: at(0.99) };
}

const [caller, callee] = [await join(), await join()];
const uri = `measure.p${process.pid}`;
await new Promise((resolve) => {
  callee.hear = resolve;
  callee.send([64, 1, {}, uri]);
});
callee.hear = (message) => {
  if (message[0] === 68) callee.send([70, message[1], {}, message[4]]);
};
let id = 1;
const run = async (count, window) => {
  const found = await calls(caller, uri, count, window, id);
  id += count;
  return found;
};
const [sequential, pipelined, window] = [Number(given.sequential), Number(given.pipelined), Number(given.window)];
await run(1000, window); // warms up all three
const result = { sequential: figures(await run(sequential, 1)), pipelined: figures(await run(pipelined, window)) };
console.log(JSON.stringify({ ...result, calls: 1000 + sequential + pipelined }));
process.exit(0);
