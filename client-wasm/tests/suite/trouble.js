// Brokers that are killed, networks that are cut.

import { equal, fails, ok } from './expect.js';

/** A client of a network to a broker of the case's own. */
async function outside(t, options = {}) {
  const broker = await t.control.broker();
  const network = await t.control.network(broker.url);
  const client = await t.connectTo(network.url, { ...t.quick, ...options });
  return { broker, network, client };
}

/** Subscriptions live on: what comes next comes with the word that something may be missing, and only that. */
async function livesOn(t, news, publisher, topic) {
  await t.soon(publisher.publish(topic, 'after'), 'the acknowledgement');
  await t.soon(publisher.publish(topic, 'later'), 'the acknowledgement');
  const [after, later] = [await t.next(news, 'the first message'), await t.next(news, 'the second message')];
  equal([after.value, after.gap], ['after', true]);
  equal([later.value, later.gap], ['later', false]);
}

export default [
  {
    name: 'a broker that is killed and started again gets its subscriptions back, and the gap is told',
    only: ['ours'],
    async run(t) {
      const broker = await t.control.broker();
      const told = [];
      const client = await t.connectTo(broker.url, { ...t.quick, onStatus: (status) => told.push(status) });
      const publisher = await t.connectTo(broker.url, t.quick);
      const news = await t.subscribe(client, t.topic());
      const room = client.bus(t.topic('room'), { echo: true });
      await t.soon(room.ready, 'the bus');
      await t.soon(publisher.publish(t.topic(), 'before'), 'the acknowledgement');
      const before = await t.next(news);
      equal([before.value, before.gap], ['before', false]);
      await t.control.kill(broker.id);
      await t.untilState(client, 'connected', false);
      ok(told.some(({ failure }) => failure?.message.length > 10), 'the failure is told');
      await t.control.restart(broker.id);
      await t.until('the subscription', () => news.resumed > 0 && room.resumed > 0);
      await t.untilState(publisher, 'connected');
      await livesOn(t, news, publisher, t.topic());
      await room.send('hello again');
      equal(await t.value(room), 'hello again');
    },
  },
  {
    name: 'procedures and pullers come back as well',
    only: ['ours', 'wamp'],
    async run(t) {
      const broker = await t.control.broker();
      const [callee, caller] = [await t.connectTo(broker.url, t.quick), await t.connectTo(broker.url, t.quick)];
      await t.soon(callee.register(t.uri(), ({ value }) => value + 1).ready, 'the registration');
      const jobs = callee.pull(t.topic('jobs'));
      await t.soon(jobs.ready, 'the queue');
      equal(await t.soon(caller.call(t.uri(), 1), 'an answer'), 2);
      await t.control.kill(broker.id);
      await t.untilState(callee, 'connected', false);
      await t.control.restart(broker.id);
      const works = (ask) => t.until('it to work again', () => ask().then(() => true, () => false));
      await works(() => Promise.resolve(caller.call(t.uri(), 1)));
      equal(await t.soon(caller.call(t.uri(), 2), 'an answer'), 3);
      await works(() => caller.push(t.topic('jobs'), 'job'));
      equal(await t.value(jobs), 'job');
    },
  },
  {
    name: 'a call that was sent is lost with the connection',
    only: ['ours', 'wamp'],
    async run(t) {
      const { network, client } = await outside(t);
      let asked = 0;
      await t.soon(client.register(t.uri(), () => { asked++; return new Promise(() => {}); }).ready, 'the registration');
      const call = Promise.resolve(client.call(t.uri()));
      const failed = fails(call, 'lost', 'may have happened');
      await t.until('the call', () => asked === 1);
      await t.control.drop(network.id);
      const error = await t.soon(failed, 'the loss');
      equal([error.retry, error.fault], ['if_harmless', 'network']);
    },
  },
  {
    name: 'a network that was cut is used again when it is healed',
    only: ['ours'],
    async run(t) {
      const { broker, network, client } = await outside(t);
      const publisher = await t.connectTo(broker.url);
      const news = await t.subscribe(client, t.topic());
      await t.control.cut(network.id);
      await t.untilState(client, 'connected', false);
      // It goes on trying, with one attempt at a time.
      const asked = await t.control.asked(network.id);
      await t.until('three attempts', async () => (await t.control.asked(network.id)) >= asked + 3);
      await t.control.heal(network.id);
      await t.until('the subscription', () => news.resumed > 0);
      await livesOn(t, news, publisher, t.topic());
    },
  },
  {
    name: 'a network that says nothing any more is noticed by the heartbeat',
    only: ['ours', 'wamp'],
    async run(t) {
      const seen = [];
      const { broker, network, client } = await outside(t, {
        heartbeat: { idle: 200, patience: 200 },
        onStatus: (status) => seen.push(status),
      });
      const publisher = await t.connectTo(broker.url);
      const news = await t.subscribe(client, t.topic());
      // Idle, but alive: the broker answers what is asked, so nothing is lost.
      await new Promise((resolve) => { setTimeout(resolve, 1000); });
      equal([client.status.state, seen.filter(({ failure }) => failure).length], ['connected', 0]);
      await t.control.freeze(network.id);
      await t.until('the loss', () => seen.some(({ failure }) => failure?.failure === 'silent'));
      await t.control.heal(network.id);
      await t.until('the subscription', () => news.resumed > 0);
      await livesOn(t, news, publisher, t.topic());
    },
  },
  {
    name: 'an attempt that hangs is given up and the next one succeeds',
    only: ['ours'],
    async run(t) {
      const { broker, network, client } = await outside(t, { connectTimeout: 300 });
      const publisher = await t.connectTo(broker.url);
      const news = await t.subscribe(client, t.topic());
      await t.control.freeze(network.id);
      await t.control.drop(network.id);
      const asked = await t.control.asked(network.id);
      await t.until('two attempts', async () => (await t.control.asked(network.id)) >= asked + 2);
      await t.control.heal(network.id);
      await t.until('the subscription', () => news.resumed > 0);
      await livesOn(t, news, publisher, t.topic());
    },
  },
  {
    name: 'what is queued waits for the broker, in order',
    only: ['ours'],
    async run(t) {
      const { broker, network, client } = await outside(t);
      const listener = await t.connectTo(broker.url);
      const news = await t.subscribe(listener, t.topic(), { buffer: 2000 });
      await t.control.cut(network.id);
      await t.untilState(client, 'connected', false);
      for (let number = 0; number < 1000; number++) await client.publish(t.topic(), `${number}`, { mode: 'queued' });
      await t.control.heal(network.id);
      for (let number = 0; number < 1000; number++) equal(await t.value(news), `${number}`);
    },
  },
  {
    name: 'a client that is closed while it has no connection is closed at once',
    only: ['ours'],
    async run(t) {
      const { network, client } = await outside(t);
      await t.control.cut(network.id);
      await t.untilState(client, 'connected', false);
      const waits = client.publish(t.topic(), 'x').then(() => 'success', (error) => error.code);
      await t.soon(client.close(), 'the end');
      ok(['closed', 'lost'].includes(await t.soon(waits, 'the end of the request')), 'the request ends too');
      // One may have been under way. The waits between attempts are 200 ms at most.
      const pause = () => new Promise((resolve) => { setTimeout(resolve, 400); });
      await pause();
      const asked = await t.control.asked(network.id);
      await pause();
      await pause();
      equal(await t.control.asked(network.id), asked, 'no attempt is made any more');
    },
  },
];
