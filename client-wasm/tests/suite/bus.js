// The bus: every other peer hears.

import { equal, fails } from './expect.js';

async function join(t, client, options) {
  const bus = client.bus(t.topic('room'), options);
  await t.soon(bus.ready, 'the bus');
  return bus;
}

async function clients(t, count) {
  const all = [];
  for (let number = 0; number < count; number++) all.push(await t.connect());
  return all;
}

export default [
  {
    name: 'every other peer hears',
    needs: ['bus'],
    async run(t) {
      const all = [];
      for (const client of await clients(t, 3)) all.push(await join(t, client));
      for (const [index, sender] of all.entries()) {
        for (const value of ['ünï', new Uint8Array([255, 0]), { from: index }]) {
          await sender.send(value);
          for (const bus of all.filter((other) => other !== sender)) {
            const message = await t.next(bus);
            equal(value.from === undefined ? message.value : message.json(), value);
          }
        }
      }
    },
  },
  {
    name: 'with echo the sender hears too',
    needs: ['bus'],
    async run(t) {
      const [one, two] = await clients(t, 2);
      const echo = await join(t, one, { echo: true });
      const plain = await join(t, two);
      await echo.send('first');
      await plain.send('second').then(async () => {
        const heard = [await t.value(echo), await t.value(echo)];
        equal(heard.sort(), ['first', 'second']);
      });
      equal(await t.value(plain), 'first');
      await echo.send('third');
      equal(await t.value(plain), 'third');
      equal(await t.value(echo), 'third');
    },
  },
  {
    name: 'a bus is no topic',
    needs: ['bus'],
    async run(t) {
      const [client] = await clients(t, 1);
      const room = await join(t, client, { echo: true });
      const news = await t.subscribe(client, t.topic('room'));
      await t.soon(client.publish(t.topic('room'), 'published'), 'the acknowledgement');
      await room.send('said');
      equal(await t.value(room), 'said');
      equal(await t.value(news), 'published');
    },
  },
  {
    name: 'a message to a bus can be fired and queued',
    needs: ['bus'],
    async run(t) {
      const [one, two] = await clients(t, 2);
      const [room, other] = [await join(t, one), await join(t, two)];
      for (const mode of ['fire', 'queued']) {
        await room.send(mode, { mode });
        equal(await t.value(other), mode);
      }
    },
  },
  {
    name: 'it can be acknowledged: then all were given it',
    needs: ['bus', 'busAcknowledged'],
    async run(t) {
      const [one, two] = await clients(t, 2);
      const [room, other] = [await join(t, one), await join(t, two)];
      await t.soon(room.send('sure', { mode: 'acknowledged' }), 'the acknowledgement');
      equal(await t.value(other), 'sure');
    },
  },
  {
    name: 'who left hears nothing, and cannot send',
    needs: ['bus'],
    async run(t) {
      const [one, two, three] = await clients(t, 3);
      const [room, witness, other] = [await join(t, one), await join(t, two), await join(t, three)];
      await t.soon(room.unsubscribe(), 'the end');
      await fails((async () => room.send('from nowhere'))(), 'stale');
      await other.send('to those who stayed');
      equal(await t.value(witness), 'to those who stayed');
      const again = await join(t, one);
      await other.send('to all');
      equal(await t.value(again), 'to all');
      equal(await t.value(witness), 'to all');
      equal((await t.iterator(room).next()).done, true);
    },
  },
];
