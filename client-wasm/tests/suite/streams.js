// Many messages: their order, slow readers, and what becomes of messages that find no room.

import { equal, fails, ok } from './expect.js';

/** Of a broker of ours; the others are not what is measured. */
const MANY = 100_000;
const LESS = 10_000;

/** A subscription with room for ten messages, after a hundred, all of which have come. */
async function full(t, overflow) {
  const client = await t.connect();
  const news = await t.subscribe(client, t.topic(), { buffer: 10, overflow });
  const witness = await t.subscribe(client, t.topic());
  await hundred(t, client, witness);
  return { client, news };
}

async function hundred(t, client, witness) {
  for (let number = 0; number < 100; number++) await client.publish(t.topic(), `${number}`, { mode: 'queued' });
  for (let number = 0; number < 100; number++) equal(await t.value(witness), `${number}`);
}

/** The next message: its number, and how many are missing before it. */
async function numbered(t, news) {
  const { value, missed } = await t.next(news);
  return [Number(value), missed];
}

/** Publishes the numbers from 0, a few thousand under way at a time, until `count`. */
async function publishAll(t, publisher, count, heard) {
  for (let number = 0; number < count; number++) {
    // The bound of the queue is for the network, not for the reader: it is kept on the way.
    if (number % 1000 === 0) await t.until('the reader to follow', () => number - heard() < 5000);
    await publisher.publish(t.topic(), `${number}`, { mode: 'queued' });
  }
}

/** Whether each message is the successor of the one before. */
function counter() {
  let next = 0;
  return {
    heard: () => next,
    take({ value, missed }) {
      if (value !== `${next}` || missed !== 0) equal([value, missed], [`${next}`, 0], 'in order without loss');
      next++;
    },
  };
}

export default [
  {
    name: 'messages come in order without loss: 100,000 to an iterator',
    async run(t) {
      const count = t.has('ours') ? MANY : LESS;
      const [subscriber, publisher] = [await t.connect(), await t.connect()];
      const news = await t.subscribe(subscriber, t.topic(), { buffer: 20_000 });
      const { heard, take } = counter();
      const hearing = async () => {
        for await (const message of news) {
          take(message);
          if (heard() === count) return;
        }
      };
      await t.long(Promise.all([publishAll(t, publisher, count, heard), hearing()]), 'all of them');
      equal(heard(), count);
    },
  },
  {
    name: 'messages come in order without loss: 10,000 to a listener',
    async run(t) {
      const count = LESS;
      const [subscriber, publisher] = [await t.connect(), await t.connect()];
      const { heard, take } = counter();
      let wrong;
      const news = subscriber.subscribe(t.topic(), (message) => {
        try {
          take(message);
        } catch (error) {
          wrong ??= error;
        }
      }, { ...t.flat, buffer: 20_000 });
      await t.soon(news.ready, 'the subscription');
      await t.long(publishAll(t, publisher, count, () => (wrong ? count : heard())), 'all of them');
      await t.until('the last one', () => wrong || heard() === count);
      if (wrong) throw wrong;
    },
  },
  {
    name: 'the oldest messages are dropped and counted',
    async run(t) {
      const { client, news } = await full(t, 'drop_oldest');
      equal(await numbered(t, news), [90, 90]);
      for (let number = 91; number < 100; number++) equal(await numbered(t, news), [number, 0]);
      await t.soon(client.publish(t.topic(), '100'), 'the acknowledgement');
      equal(await numbered(t, news), [100, 0]);
    },
  },
  {
    name: 'the newest messages are dropped and counted',
    async run(t) {
      const { client, news } = await full(t, 'drop_newest');
      for (let number = 0; number < 10; number++) equal(await numbered(t, news), [number, 0]);
      await t.soon(client.publish(t.topic(), '100'), 'the acknowledgement');
      equal(await numbered(t, news), [100, 90]);
    },
  },
  {
    name: 'a subscription may end when its buffer is full, with what came before',
    async run(t) {
      const { client, news } = await full(t, 'end');
      for (let number = 0; number < 10; number++) equal(await numbered(t, news), [number, 0]);
      await fails(t.soon(t.iterator(news).next(), 'the end'), 'overflow', 'buffer');
      equal((await t.iterator(news).next()).done, true);
      await t.soon(client.publish(t.topic(), 'it still answers'), 'the acknowledgement');
    },
  },
  {
    name: 'without a choice the oldest are dropped, and the buffer holds 16,384',
    only: ['ours'],
    async run(t) {
      const [client, publisher] = [await t.connect(), await t.connect()];
      const news = await t.subscribe(client, t.topic());
      let heard = 0;
      const witness = client.subscribe(t.topic(), () => heard++, t.flat);
      await t.soon(witness.ready, 'the witness');
      await publishAll(t, publisher, 16_384 + 44, () => heard);
      await t.until('all of them', () => heard === 16_384 + 44);
      equal(await numbered(t, news), [44, 44]);
    },
  },
  {
    name: 'a bus has the same choice',
    needs: ['bus'],
    async run(t) {
      const [one, two] = [await t.connect(), await t.connect()];
      const room = one.bus(t.topic(), { buffer: 10, overflow: 'drop_newest' });
      await t.soon(room.ready, 'the bus');
      const [witness, other] = [one.bus(t.topic()), two.bus(t.topic())];
      await t.soon(Promise.all([witness.ready, other.ready]), 'the others');
      for (let number = 0; number < 100; number++) await other.send(`${number}`);
      for (let number = 0; number < 100; number++) await t.next(witness);
      for (let number = 0; number < 10; number++) equal(await numbered(t, room), [number, 0]);
      await other.send('100');
      equal(await numbered(t, room), [100, 90]);
    },
  },
  {
    name: 'what is taken in time misses nothing, however small the buffer',
    async run(t) {
      const client = await t.connect();
      const news = await t.subscribe(client, t.topic(), { buffer: 1 });
      for (let number = 0; number < 20; number++) {
        await t.soon(client.publish(t.topic(), `${number}`), 'the acknowledgement');
        equal(await numbered(t, news), [number, 0]);
      }
    },
  },
  {
    name: 'a reader that stands still costs the others nothing',
    async run(t) {
      const [client, other] = [await t.connect(), await t.connect()];
      const slow = await t.subscribe(client, t.topic(), { buffer: 1 });
      const quick = await t.subscribe(client, t.topic(), { buffer: 5000 });
      for (let number = 0; number < 2000; number++) await other.publish(t.topic(), `${number}`, { mode: 'queued' });
      for (let number = 0; number < 2000; number++) equal(await numbered(t, quick), [number, 0]);
      equal(await numbered(t, slow), [1999, 1999]);
      await t.soon(client.publish(t.topic('b'), 'it still answers'), 'the acknowledgement');
    },
  },
  {
    name: 'a thread that was blocked hears all in order afterwards',
    only: ['ours'],
    async run(t) {
      const [client, other] = [await t.connect({ heartbeat: { idle: 300, patience: 1500 } }), await t.connect()];
      const heard = [];
      const news = client.subscribe(t.topic(), ({ value }) => {
        heard.push(value);
        // Longer than the patience of the heartbeat: nobody else runs meanwhile.
        if (value === '0') for (const end = performance.now() + 2500; performance.now() < end;);
      }, { ...t.flat, buffer: 1000 });
      await t.soon(news.ready, 'the subscription');
      for (let number = 0; number < 500; number++) await other.publish(t.topic(), `${number}`, { mode: 'queued' });
      await t.until('all of them', () => heard.length >= 500);
      equal(heard, Array.from({ length: 500 }, (_, number) => `${number}`));
      ok(client.status.state === 'connected', 'it was not taken for dead');
    },
  },
];
