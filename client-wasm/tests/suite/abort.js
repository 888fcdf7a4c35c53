// AbortSignal and timeout, for every method that takes them.

import { equal, fails, ok } from './expect.js';

/** All that waits for an answer: `{ name, needs, ask(client, t, options) }`; `stands` is what is made again after a loss. */
const ASKS = [
  { name: 'publish', ask: (client, t, options) => client.publish(t.topic(), 'x', options) },
  { name: 'publish queued', queued: true, ask: (client, t, options) => client.publish(t.topic(), 'x', { mode: 'queued', ...options }) },
  { name: 'subscribe', stands: true, ask: (client, t, options) => client.subscribe(t.topic(), { ...t.flat, ...options }).ready },
  {
    name: 'subscribe with a listener',
    stands: true,
    ask: (client, t, options) => client.subscribe(t.topic(), () => {}, { ...t.flat, ...options }).ready,
  },
  { name: 'bus', stands: true, needs: 'bus', ask: (client, t, options) => client.bus(t.topic(), options).ready },
  { name: 'pull', stands: true, needs: 'queues', ask: (client, t, options) => client.pull(t.topic(), options).ready },
  { name: 'push', needs: 'queues', ask: (client, t, options) => client.push(t.topic(), 'x', options) },
  { name: 'push until done', needs: 'done', ask: (client, t, options) => client.push(t.topic(), 'x', { ack: 'done', ...options }) },
  { name: 'call', needs: 'calls', ask: (client, t, options) => Promise.resolve(client.call(t.uri(), 1, options)) },
  { name: 'register', stands: true, needs: 'calls', ask: (client, t, options) => client.register(t.uri(), () => 1, options).ready },
];

const asks = (t) => ASKS.filter(({ needs }) => !needs || t.can(needs));

/** A client whose network says nothing any more, and tells nobody. */
async function stuck(t, options = {}) {
  const network = await t.control.network(t.url);
  const client = await t.connectTo(network.url, { ...t.quick, closeTimeout: 200, ...options });
  await t.control.freeze(network.id);
  return { client, network };
}

/** The error of what took too long: it may have happened. */
function late(error, name) {
  equal([error.retry, error.fault], ['if_harmless', 'network'], name);
}

export default [
  {
    name: 'what is aborted before it began does not begin',
    async run(t) {
      const client = await t.connect();
      const witness = await t.subscribe(client, t.topic());
      for (const { name, ask } of asks(t)) {
        const error = await fails(t.soon((async () => ask(client, t, { signal: AbortSignal.abort() }))(), name), 'aborted');
        equal([error.retry, error.fault], ['no', 'program'], name);
      }
      await t.soon(client.publish(t.topic(), 'the only one'), 'the acknowledgement');
      equal(await t.value(witness), 'the only one');
    },
  },
  {
    name: 'the reason of the signal goes along',
    async run(t) {
      const client = await t.connect();
      const reason = new Error('the user left the page');
      const error = await fails((async () => client.publish(t.topic(), 'x', { signal: AbortSignal.abort(reason) }))(), 'aborted');
      ok(error.cause === reason, 'the cause is the reason');
    },
  },
  {
    name: 'what is aborted while it waits ends at once',
    async run(t) {
      const { client } = await stuck(t);
      for (const { name, ask, queued } of asks(t)) {
        // What is queued does not wait.
        if (queued) continue;
        const stop = new AbortController();
        const asked = fails(ask(client, t, { signal: stop.signal }), 'aborted');
        await t.turn();
        stop.abort();
        await t.soon(asked, name);
      }
    },
  },
  {
    name: 'an abort after the end changes nothing',
    async run(t) {
      const client = await t.connect();
      const stop = new AbortController();
      await t.soon(client.publish(t.topic(), 'x', { signal: stop.signal }), 'the acknowledgement');
      stop.abort();
      await t.turn();
      equal(client.status.state, 'connected');
      await t.soon(client.publish(t.topic(), 'x'), 'the acknowledgement');
    },
  },
  {
    name: 'an abort ends what is already there: subscriptions, buses, pullers, registrations',
    async run(t) {
      const client = await t.connect();
      const publisher = await t.connect();
      const stop = new AbortController();
      const news = await t.subscribe(client, t.topic(), { signal: stop.signal });
      const others = [];
      if (t.can('bus')) others.push(client.bus(t.topic('room'), { signal: stop.signal }));
      if (t.can('queues')) others.push(client.pull(t.topic('jobs'), { signal: stop.signal }));
      await t.soon(Promise.all(others.map(({ ready }) => ready)), 'all of them');
      const waits = [news, ...others].map((each) => each[Symbol.asyncIterator]().next());
      stop.abort();
      for (const next of waits) {
        // Over by an error or by the end: but over.
        const end = await t.soon(next.catch((error) => fails(Promise.reject(error), 'aborted').then(() => ({ done: true }))), 'the end');
        equal(end.done, true);
      }
      if (t.can('queues')) {
        await t.until('the queue to be empty of pullers', () => publisher.push(t.topic('jobs'), 'x').then(() => false, () => true));
      }
      equal(client.status.state, 'connected');
    },
  },
  {
    name: 'what is not answered in time says so',
    async run(t) {
      const { client } = await stuck(t);
      for (const { name, ask } of asks(t).filter(({ queued }) => !queued)) {
        late(await fails(t.soon(ask(client, t, { timeout: 60 }), name), 'timed_out'), name);
      }
    },
  },
  {
    name: 'the request timeout of the client is that of all that names none, subscriptions and the like too',
    async run(t) {
      const { client } = await stuck(t, { requestTimeout: 60 });
      for (const { name, ask } of asks(t).filter(({ queued, stands }) => !queued && (!stands || t.dialect === 'wamp'))) {
        late(await fails(t.soon(ask(client, t, {}), name), 'timed_out'), name);
      }
    },
  },
  {
    name: 'connect can be aborted: before, and while it waits',
    async run(t) {
      await fails(t.soon(t.petasus.connect(t.url, t.options({ signal: AbortSignal.abort() })), 'the end'), 'aborted');
      const stop = new AbortController();
      const silent = await t.control.strange('silent');
      const waits = fails(t.petasus.connect(silent, t.options({ signal: stop.signal })), 'aborted');
      await t.turn();
      stop.abort();
      await t.soon(waits, 'the end');
    },
  },
  {
    name: 'the signal of connect closes the client afterwards',
    async run(t) {
      const stop = new AbortController();
      const client = await t.connect({ signal: stop.signal });
      stop.abort();
      await t.untilState(client, 'closed');
      await fails((async () => client.publish(t.topic(), 'x'))(), 'closed');
    },
  },
  {
    name: 'a timeout that is no time is refused',
    async run(t) {
      const client = await t.connect();
      for (const timeout of [-1, NaN, 'soon']) {
        await fails((async () => client.publish(t.topic(), 'x', { timeout }))(), 'setting', 'timeout');
      }
    },
  },
];
