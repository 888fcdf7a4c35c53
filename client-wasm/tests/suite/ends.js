// The beginning and the end of a client.

import { equal, fails, ok } from './expect.js';

export default [
  {
    name: 'the status tells the whole story',
    async run(t) {
      const told = [];
      const client = await t.connect({ onStatus: ({ state }) => told.push(state) });
      equal(client.status.state, 'connected');
      const { welcome } = client.status;
      equal(typeof welcome === 'object', true, 'the welcome');
      if (t.dialect === 'wamp') ok(Number.isSafeInteger(welcome.session), `${welcome.session} is a session`);
      const heard = [];
      const off = client.on('status', ({ state }) => heard.push(state));
      const none = [];
      const forgotten = client.on('status', ({ state }) => none.push(state));
      forgotten();
      await t.soon(client.drain(), 'the end');
      equal([told[0], told.includes('connected'), told.at(-1)], ['connecting', true, 'closed']);
      equal([heard.at(-1), none], ['closed', []]);
      equal(client.status.state, 'closed');
      equal(client.status.failure, undefined);
      off();
    },
  },
  {
    name: 'a listener of the status that throws harms nobody',
    async run(t) {
      const caught = t.reports('the status is broken');
      const client = await t.connect({ onStatus: () => { throw new Error('the status is broken'); } });
      await t.soon(client.publish(t.topic(), 'x'), 'the acknowledgement');
      await t.soon(client.close(), 'the end');
      await t.until('the errors', () => caught() >= 2);
    },
  },
  {
    name: 'a client can be told to look whether its connection is alive',
    async run(t) {
      const client = await t.connect({ heartbeat: { idle: 600_000, patience: 200 } });
      const news = await t.subscribe(client, t.topic());
      client.check();
      await t.soon(client.publish(t.topic(), 'x'), 'the acknowledgement');
      equal([await t.value(news), client.status.state], ['x', 'connected']);
    },
  },
  {
    name: 'a client can be disposed of',
    async run(t) {
      const dispose = Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose');
      const client = await t.connect();
      await t.soon(client[dispose](), 'the end');
      equal(client.status.state, 'closed');
    },
  },
  {
    name: 'await using works where the engine has it',
    only: ['awaitUsing'],
    async run(t) {
      // Not every parser knows the words.
      const run = new Function('connect', 'seen', `return (async () => {
        await using client = await connect();
        seen.push(client);
        return client.status.state;
      })()`);
      const seen = [];
      equal(await run(() => t.connect(), seen), 'connected');
      equal(seen[0].status.state, 'closed');
    },
  },
  {
    name: 'a drained client sends what waits, in order',
    async run(t) {
      const [client, listener] = [await t.connect(), await t.connect()];
      const news = await t.subscribe(listener, t.topic(), { buffer: 5000 });
      const sent = [];
      for (let number = 0; number < 2000; number++) sent.push(client.publish(t.topic(), `${number}`, { mode: 'queued' }));
      const drained = client.drain();
      for (let number = 0; number < 2000; number++) equal(await t.value(news), `${number}`);
      await t.soon(Promise.all([drained, ...sent]), 'the end');
      await fails((async () => client.publish(t.topic(), 'late'))(), 'closed', 'connect');
    },
  },
  {
    name: 'a drained client finishes the calls it answers and those it waits for',
    needs: ['calls'],
    async run(t) {
      const [client, other] = [await t.connect(), await t.connect()];
      let [answer, reply] = [];
      const [working, slow] = [new Promise((resolve) => { answer = resolve; }), new Promise((resolve) => { reply = resolve; })];
      let asked = 0;
      await t.soon(client.register(t.uri('work'), () => { asked++; return working; }).ready, 'the registration');
      await t.soon(other.register(t.uri('slow'), () => { asked++; return slow; }).ready, 'the registration');
      const [waits, asks] = [Promise.resolve(other.call(t.uri('work'))), Promise.resolve(client.call(t.uri('slow')))];
      await t.until('both calls', () => asked === 2);
      const drained = client.drain();
      await t.untilState(client, 'draining');
      await fails((async () => client.call(t.uri('slow')))(), 'closed');
      answer('answered');
      equal(await t.soon(waits, 'the answer'), 'answered');
      equal(client.status.state, 'draining');
      reply('heard');
      equal(await t.soon(asks, 'the other answer'), 'heard');
      await t.soon(drained, 'the end');
      equal(client.status.state, 'closed');
    },
  },
  {
    name: 'a drain without a connection says that what waited was not sent',
    async run(t) {
      const client = await t.petasus.connect(await t.control.nobody(), t.options({ ...t.quick, within: 0 }));
      const sent = client.publish(t.topic(), 'x', { mode: 'queued' });
      await t.soon(sent, 'the place in the queue');
      await fails(t.soon(client.drain(100), 'the end'), 'not_connected', 'not sent');
      const idle = await t.petasus.connect(await t.control.nobody(), t.options({ ...t.quick, within: 0 }));
      await t.soon(idle.drain(100), 'the end of one that had nothing to send');
    },
  },
  {
    name: 'a drain that takes too long ends all the same',
    needs: ['calls'],
    async run(t) {
      const [client, other] = [await t.connect(), await t.connect()];
      let asked = false;
      await t.soon(other.register(t.uri('slow'), () => { asked = true; return new Promise(() => {}); }).ready, 'the registration');
      const call = fails(Promise.resolve(client.call(t.uri('slow'))), 'closed').then(() => true, () => true);
      await t.until('the call', () => asked);
      await t.soon(client.drain(100).catch((error) => fails(Promise.reject(error), 'timed_out')), 'the end');
      equal(client.status.state, 'closed');
      await t.soon(call, 'the end of the call');
    },
  },
  {
    name: 'a close with much under way ends all of it, with an error each',
    async run(t) {
      const network = await t.control.network(t.url);
      const client = await t.connectTo(network.url, { ...t.quick, closeTimeout: 200 });
      const news = await t.subscribe(client, t.topic());
      const next = news[Symbol.asyncIterator]().next();
      await t.control.freeze(network.id);
      const asked = [client.publish(t.topic(), 'x'), client.subscribe(t.topic('b'), t.flat).ready];
      if (t.can('calls')) asked.push(Promise.resolve(client.call(t.uri())), client.register(t.uri(), () => 1).ready);
      if (t.can('queues')) asked.push(client.push(t.topic(), 'x'), client.pull(t.topic()).ready);
      const ends = asked.map((promise) => promise.then(() => 'success', (error) => error.code));
      const closed = client.close();
      for (const end of ends) equal(await t.soon(end, 'an end'), 'closed');
      await t.soon(closed, 'the end');
      equal((await t.soon(next, 'the end of the iterator')).done, true);
      equal(client.status.state, 'closed');
    },
  },
  {
    name: 'a closed client takes nothing more, and says so',
    async run(t) {
      const client = await t.connect();
      const news = await t.subscribe(client, t.topic());
      await t.soon(client.close(), 'the end');
      await t.soon(client.close(), 'the end again');
      await t.soon(client.drain(), 'the end of draining');
      equal((await t.soon(news[Symbol.asyncIterator]().next(), 'the end of the iterator')).done, true);
      const late = [
        () => client.publish(t.topic(), 'x'),
        () => client.publish(t.topic(), 'x', { mode: 'queued' }),
        () => client.publish(t.topic(), 'x', { mode: 'fire' }),
        () => client.subscribe(t.topic(), t.flat).ready,
        () => client.subscribe(t.topic(), () => {}, t.flat).ready,
        () => client.bus(t.topic()).ready,
        () => client.push(t.topic(), 'x'),
        () => client.push(t.topic(), 'x', { ack: 'done' }),
        () => client.pull(t.topic()).ready,
        () => client.call(t.uri()),
        () => client.register(t.uri(), () => 1).ready,
      ];
      for (const ask of late) await fails((async () => ask())(), 'closed', 'connect');
      await t.soon(news.unsubscribe(), 'the end of what is over');
    },
  },
  {
    name: 'a subscription that nobody waits for fails without an unhandled rejection',
    async run(t) {
      const client = await t.connect();
      await t.soon(client.close(), 'the end');
      client.subscribe(t.topic(), t.flat);
      client.bus(t.topic());
      client.pull(t.topic());
      client.register(t.uri(), () => 1);
      for (let turn = 0; turn < 5; turn++) await t.turn();
      const reading = (async () => {
        for await (const message of client.subscribe(t.topic(), t.flat)) return message;
        return 'over';
      })();
      equal(await t.soon(reading, 'the end'), 'over');
    },
  },
];
