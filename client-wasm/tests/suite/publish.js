// The ways to publish, and what arrives.

import { equal, fails, failsNow, ok } from './expect.js';

const ORDER = {
  id: 2 ** 52,
  name: 'büro "stuhl"',
  price: 99.95,
  tags: ['a', ''],
  note: null,
  nested: { minus: -7, deep: [{ list: [1, [2, [3]]] }] },
};

/** Texts that are easily taken for something else. */
const TEXTS = [
  '', ' ', 'text', 'ünïcode €, 日本語, 😀', 'a\u0000b', 'two\nlines', '{"json":1}', '"quoted"', 'null', '\u2028',
  'é'.repeat(50_000),
];

const bytes = (...values) => new Uint8Array(values);

async function there(t, value, options) {
  const client = await t.connect();
  const news = await t.subscribe(client, t.topic());
  await t.soon(client.publish(t.topic(), value, options), 'the acknowledgement');
  return t.next(news);
}

/** A text or bytes of a mebibyte arrive whole. */
async function big(t, value) {
  const message = await there(t, value, t.dialect === 'mercury' ? { mode: 'queued' } : {});
  equal(message.value, value);
  equal(message.data.length, 1 << 20);
}

export default [
  {
    name: 'the three ways to publish arrive in their order',
    async run(t) {
      const client = await t.connect();
      const news = await t.subscribe(client, t.topic());
      for (const mode of [undefined, 'acknowledged']) {
        await t.soon(client.publish(t.topic(), `by ${mode}`, { mode }), 'the acknowledgement');
        equal(await t.value(news), `by ${mode}`);
      }
      await client.publish(t.topic(), 'queued', { mode: 'queued' });
      equal(await t.value(news), 'queued');
      // Over Mercury the socket for it is open by now.
      await client.publish(t.topic(), 'fired', { mode: 'fire' });
      equal(await t.value(news), 'fired');
    },
  },
  {
    name: 'a message stands for its value where it is written, alone or inside of another value',
    async run(t) {
      const client = await t.connect();
      const news = await t.subscribe(client, t.topic());
      await t.soon(client.publish(t.topic(), ORDER), 'the acknowledgement');
      const message = await t.next(news);
      // Over Mercury its value is a text.
      const inside = { order: message.value, all: [message.value] };
      equal(JSON.parse(JSON.stringify(message)), message.value);
      await t.soon(client.publish(t.topic(), { order: message, all: [message] }), 'the acknowledgement');
      equal((await t.next(news)).json(), inside);
    },
  },
  {
    name: 'texts stay texts',
    async run(t) {
      const client = await t.connect();
      const news = await t.subscribe(client, t.topic());
      for (const text of TEXTS) {
        await t.soon(client.publish(t.topic(), text), 'the acknowledgement');
        const message = await t.next(news);
        equal(message.value, text);
        equal(message.text, text);
        equal(message.data, new TextEncoder().encode(text));
      }
    },
  },
  {
    name: 'bytes stay bytes, and are never a Buffer',
    async run(t) {
      const client = await t.connect();
      const news = await t.subscribe(client, t.topic());
      const mode = t.has('binaryPost') ? 'acknowledged' : 'queued';
      const every = Uint8Array.from({ length: 256 }, (_, index) => index);
      for (const data of [bytes(), bytes(0), new TextEncoder().encode('ascii'), bytes(0xff, 0xfe), every]) {
        await t.soon(client.publish(t.topic(), data, { mode }), 'the acknowledgement');
        const message = await t.next(news);
        equal(message.value, data);
        equal(message.data, data);
        equal(Object.getPrototypeOf(message.data) === Uint8Array.prototype, true, 'a plain Uint8Array');
      }
      // A view of a part of a buffer is that part.
      await client.publish(t.topic(), every.subarray(3, 6), { mode });
      equal(await t.value(news), bytes(3, 4, 5));
    },
  },
  {
    name: 'bytes may be changed once they were given',
    async run(t) {
      const client = await t.connect();
      const news = await t.subscribe(client, t.topic());
      const data = bytes(1, 2, 3);
      await client.publish(t.topic(), data, { mode: 'queued' });
      data.fill(9);
      equal(await t.value(news), bytes(1, 2, 3));
    },
  },
  {
    name: 'JSON values arrive as they were',
    async run(t) {
      const client = await t.connect();
      const news = await t.subscribe(client, t.topic());
      const lists = t.has('lists') ? [[1, 2, 3], [[1, 2]], []] : [];
      for (const value of [ORDER, -1.5, 0, true, false, {}, ...lists]) {
        await t.soon(client.publish(t.topic(), value), 'the acknowledgement');
        const message = await t.next(news);
        equal(message.json(), value);
        if (t.dialect === 'wamp') equal(message.value, value);
      }
      if (t.has('nulls')) {
        await t.soon(client.publish(t.topic(), null), 'the acknowledgement');
        equal((await t.next(news)).json(), null);
      }
    },
  },
  {
    name: 'a value that went through a text is JSON there',
    async run(t) {
      const message = await there(t, JSON.stringify(ORDER));
      equal(message.json(), ORDER);
      const other = await there(t, ORDER);
      equal(JSON.parse(other.text), ORDER);
    },
  },
  {
    name: 'what is no JSON is the text itself, and what is no text says so',
    async run(t) {
      const message = await there(t, 'not { json');
      equal(message.json(), 'not { json');
      const binary = await there(t, bytes(0xff, 0xfe), { mode: 'queued' });
      await failsNow(() => binary.json(), 'content', 'see data');
      await failsNow(() => binary.text, 'content', 'see data');
    },
  },
  {
    name: 'arguments arrive as they were',
    async run(t) {
      const message = await there(t, new t.petasus.Args([1, 'two', [3]], { unit: 'm', note: 'ü' }));
      if (t.dialect === 'wamp') {
        equal(message.args, [1, 'two', [3]]);
        equal(message.kwargs, { unit: 'm', note: 'ü' });
      } else {
        equal(message.json(), { args: [1, 'two', [3]], kwargs: { unit: 'm', note: 'ü' } });
      }
    },
  },
  {
    name: 'a hole in a list of arguments is null, as in JSON',
    only: ['wamp'],
    async run(t) {
      // eslint-disable-next-line no-sparse-arrays
      const message = await there(t, new t.petasus.Args([1, , 3]));
      equal(message.args, [1, null, 3]);
    },
  },
  {
    name: 'keyword arguments that are no object are refused, and harm nothing else',
    only: ['wamp'],
    async run(t) {
      const client = await t.connect();
      for (const kwargs of [['a'], 'a', null, { toJSON: () => 5 }]) {
        await fails(client.publish(t.topic(), new t.petasus.Args([1], kwargs)), 'content');
      }
      await t.soon(client.publish(t.topic(), 'fine'), 'the acknowledgement');
    },
  },
  {
    name: 'a message without arguments has none',
    only: ['wamp'],
    async run(t) {
      // Some routers say null where there is nothing.
      const message = await there(t, new t.petasus.Args([]));
      equal([message.value, message.args, message.kwargs], [null, [], {}]);
      const named = await there(t, new t.petasus.Args([], { unit: 'm' }));
      equal([named.args, named.kwargs], [[], { unit: 'm' }]);
    },
  },
  { name: 'a text of a mebibyte arrives', only: ['mebibyte'], run: (t) => big(t, 'petasus '.repeat(1 << 17)) },
  {
    name: 'bytes of a mebibyte arrive',
    only: ['mebibyte'],
    run: (t) => big(t, Uint8Array.from({ length: 1 << 20 }, (_, index) => (index * 7) & 255)),
  },
  {
    name: 'who publishes hears it unless told not to',
    async run(t) {
      const [client, other] = [await t.connect(), await t.connect()];
      const [own, others] = [await t.subscribe(client, t.topic()), await t.subscribe(other, t.topic())];
      await t.soon(client.publish(t.topic(), 'for all'), 'the acknowledgement');
      await t.soon(client.publish(t.topic(), 'the last'), 'the acknowledgement');
      for (const news of [own, others]) {
        equal(await t.value(news), 'for all');
        equal(await t.value(news), 'the last');
      }
    },
  },
  {
    name: 'with toSelf off the own subscriptions do not hear it',
    needs: ['excludeMe'],
    async run(t) {
      const [client, other] = [await t.connect(), await t.connect()];
      const [own, others] = [await t.subscribe(client, t.topic()), await t.subscribe(other, t.topic())];
      await t.soon(client.publish(t.topic(), 'for others', { toSelf: false }), 'the acknowledgement');
      await t.soon(client.publish(t.topic(), 'the last'), 'the acknowledgement');
      equal(await t.value(others), 'for others');
      equal(await t.value(others), 'the last');
      equal(await t.value(own), 'the last');
    },
  },
  {
    name: 'a message that the broker finds too long says so, and the next one goes',
    only: ['ours', 'wamp'],
    async run(t) {
      const client = await t.connect(t.quick);
      const long = 'x'.repeat(5 << 20);
      await fails(t.soon(client.publish(t.topic(), long), 'the end of the connection'), 'too_large', 'send less');
      await t.untilState(client, 'connected');
      await t.soon(client.publish(t.topic(), 'short'), 'the acknowledgement');
    },
  },
  {
    name: 'a message over the own limit is refused at once',
    async run(t) {
      const client = await t.connect({ messageBytes: 1000 });
      const news = await t.subscribe(client, t.topic());
      const long = 'x'.repeat(1001);
      for (const mode of ['acknowledged', 'queued', 'fire']) {
        const error = await fails(client.publish(t.topic(), long, { mode }), 'too_large', '1000 are allowed');
        equal(error.retry, 'no');
      }
      await t.soon(client.publish(t.topic(), 'short'), 'the acknowledgement');
      equal(await t.value(news), 'short');
    },
  },
  {
    name: 'a value that cannot be written is refused at once',
    async run(t) {
      const client = await t.connect();
      const round = {};
      round.round = round;
      const unlike = [new Map([[1, 2]]), new Set(), new ArrayBuffer(2), new Float32Array(2), Promise.resolve(1)];
      for (const value of [round, 10n, () => 1, Symbol('s'), { toJSON() { throw null; } }, ...unlike]) {
        await failsNow(() => client.publish(t.topic(), value), 'content');
      }
    },
  },
  {
    name: 'a topic that cannot be used is refused at once and says why',
    async run(t) {
      const client = await t.connect();
      // Mercury's URLs have no place for an empty one.
      const wrong = ['v1.0/x', Array(65).fill('a').join('/'), 'x'.repeat(1025), ...(t.dialect === 'mercury' ? [''] : [])];
      for (const topic of wrong) {
        await failsNow(() => client.publish(topic, 'x'), 'topic', 'can not be used');
        await failsNow(() => client.subscribe(topic, t.flat).ready, 'topic', 'can not be used');
      }
      const news = await t.subscribe(client, t.topic());
      await t.soon(client.publish(t.topic(), 'fine'), 'the acknowledgement');
      equal(await t.value(news), 'fine');
    },
  },
  {
    name: 'what came can be sent on',
    async run(t) {
      const client = await t.connect();
      const [first, second] = [await t.subscribe(client, t.topic('a')), await t.subscribe(client, t.topic('b'))];
      await t.soon(client.publish(t.topic('a'), ORDER), 'the acknowledgement');
      await t.soon(client.publish(t.topic('b'), (await t.next(first)).value), 'the acknowledgement');
      equal((await t.next(second)).json(), ORDER);
    },
  },
  {
    name: 'what is published without a connection waits, or fails if it must not wait',
    async run(t) {
      const network = await t.control.network(t.url);
      const listener = await t.connect();
      const news = await t.subscribe(listener, t.topic());
      const client = await t.connectTo(network.url, t.quick);
      const warm = await t.subscribe(client, t.topic('warm'));
      await t.control.cut(network.id);
      await t.untilState(client, 'connected', false);
      const error = await fails(client.publish(t.topic(), 'fired', { mode: 'fire' }), 'not_connected', 'nothing was sent');
      equal(error.retry, 'yes');
      await client.publish(t.topic(), 'queued', { mode: 'queued' });
      // Over Mercury this is a POST, which does not wait: a page can not know whether it arrived.
      const waits = t.dialect === 'wamp' ? client.publish(t.topic(), 'acknowledged') : undefined;
      await t.control.heal(network.id);
      equal(await t.value(news), 'queued');
      if (waits) equal([await t.soon(waits, 'the acknowledgement'), await t.value(news)], [undefined, 'acknowledged']);
      ok(warm, 'it had more to restore than its queue');
    },
  },
  {
    name: 'a full queue says so and takes more when there is room',
    async run(t) {
      const network = await t.control.network(t.url);
      const client = await t.connectTo(network.url, { ...t.quick, queueBytes: 2000 });
      // Over Mercury it has a socket for each topic: another client hears for sure.
      const news = await t.subscribe(await t.connect(), t.topic());
      await t.control.cut(network.id);
      await t.untilState(client, 'connected', false);
      await client.publish(t.topic(), 'x'.repeat(1500), { mode: 'queued' });
      const error = await fails(client.publish(t.topic(), 'x'.repeat(1500), { mode: 'queued', timeout: 50 }), 'queue_full', 'more slowly');
      equal(error.retry, 'yes');
      const waits = client.publish(t.topic(), 'y'.repeat(1500), { mode: 'queued', timeout: 20_000 });
      await t.control.heal(network.id);
      await t.soon(waits, 'room');
      equal((await t.value(news)).length, 1500);
      equal((await t.value(news))[0], 'y');
    },
  },
  {
    name: 'who comes later waits behind those who wait for room, whatever its size',
    async run(t) {
      const network = await t.control.network(t.url);
      const client = await t.connectTo(network.url, { ...t.quick, queueBytes: 2000 });
      const news = await t.subscribe(await t.connect(), t.topic());
      await t.control.cut(network.id);
      await t.untilState(client, 'connected', false);
      const sent = [1500, 1500, 10, 10].map((size, place) => client.publish(t.topic(), `${place}`.repeat(size), { mode: 'queued' }));
      await fails(client.publish(t.topic(), 'x', { mode: 'fire' }), 'not_connected');
      await t.control.heal(network.id);
      await t.soon(Promise.all(sent), 'room for all');
      for (const place of ['0', '1', '2', '3']) equal((await t.value(news))[0], place);
    },
  },
  {
    name: 'who gives up waiting for room makes way for the next one',
    async run(t) {
      const network = await t.control.network(t.url);
      const client = await t.connectTo(network.url, { ...t.quick, queueBytes: 2000 });
      await t.control.cut(network.id);
      await t.untilState(client, 'connected', false);
      await client.publish(t.topic(), 'x'.repeat(1500), { mode: 'queued' });
      const controller = new AbortController();
      const first = client.publish(t.topic(), 'y'.repeat(1500), { mode: 'queued', signal: controller.signal });
      const second = client.publish(t.topic(), 'small', { mode: 'queued' });
      controller.abort();
      await fails(first, 'aborted');
      await t.soon(second, 'its turn');
    },
  },
];
