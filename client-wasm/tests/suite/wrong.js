// Bad input: wrong URLs, servers that are none, refusals. One typed error each, whose text says what to do.

import { equal, fails, failsNow, ok, says } from './expect.js';

const URLS = [
  '',
  'broker',
  'ftp://127.0.0.1:3000',
  'ws://',
  'ws://127.0.0.1:port',
  'ws://127.0.0.1:70000',
  'ws://joe:secret@127.0.0.1:3000',
  'ws://127.0.0.1:3000/#part',
  'ws://127.0.0.1:3000/a b',
];

/** Connects once, to a URL that will not do. */
function refused(t, url, code, ...words) {
  return fails(t.soon(t.petasus.connect(url, t.options({ failFast: true, connectTimeout: 15_000 })), 'the end'), code, ...words);
}

export default [
  {
    name: 'a URL that is none is refused at once and says how to write it',
    async run(t) {
      for (const url of URLS) {
        const error = await failsNow(() => t.petasus.connect(url, t.options()), 'url', 'can not be used: ');
        equal([error.retry, error.fault], ['no', 'program'], url);
        ok(!error.message.includes('secret'), 'what it holds of secrets is not shown');
      }
      for (const url of [undefined, null, 3000, {}]) await failsNow(() => t.petasus.connect(url, t.options()), 'url');
    },
  },
  {
    name: 'http and https and a URL object will do',
    async run(t) {
      for (const url of [t.url.replace('ws', 'http'), new URL(t.url)]) {
        const client = await t.connectTo(url);
        await t.soon(client.publish(t.topic(), 'x'), 'the acknowledgement');
      }
    },
  },
  {
    name: 'an option that cannot be used is named',
    async run(t) {
      const wrong = {
        dialect: 'esperanto',
        connectTimeout: -1,
        requestTimeout: 'long',
        queueBytes: 1.5,
        messageBytes: -4,
        heartbeat: { idle: 'often', patience: 1 },
        backoff: { min: 10, max: 1 },
        WebSocket: 17,
      };
      for (const [name, value] of Object.entries(wrong)) {
        await failsNow(() => t.petasus.connect(t.url, t.options({ [name]: value })), 'setting', name);
      }
    },
  },
  {
    name: 'options and signals that are none are refused, and a promise fails instead of a throw',
    async run(t) {
      const client = await t.connect();
      const { connect } = t.petasus;
      for (const options of [null, 5, { signal: 5 }]) {
        await fails(connect(t.url, options && typeof options === 'object' ? t.options(options) : options), 'setting');
        await fails(client.publish(t.topic(), 'x', options), 'setting');
        await fails(client.push(t.topic(), 'x', options), 'setting');
        await fails(client.call(t.uri(), 'x', options), 'setting');
        if (options === null) continue;
        await failsNow(() => client.subscribe(t.topic(), options).ready, 'setting');
        await failsNow(() => client.pull(t.topic(), options).ready, 'setting');
        await failsNow(() => client.register(t.uri(), () => 1, options).ready, 'setting');
      }
      await failsNow(() => client.pull(t.topic(), null).ready, 'setting');
      await failsNow(() => client.register(t.uri(), () => 1, null).ready, 'setting');
      await fails(client.publish(undefined, 'x'), 'topic');
      const wrong = { realm: 5, authid: 5, getToken: 5, onStatus: 5, auth: { methods: [5], answer: () => '' } };
      for (const [name, value] of Object.entries(wrong)) {
        const more = { [name]: value, ...(name === 'authid' && { getToken: () => '' }) };
        await fails(connect(t.url, t.options(more)), 'setting');
      }
      const round = {};
      round.round = round;
      await fails(connect(t.url, t.options({ auth: { methods: ['x'], extra: round, answer: () => '' } })), 'setting', 'auth');
    },
  },
  {
    name: 'what is unknown is refused by its name, and so is what would only do harm',
    async run(t) {
      const client = await t.connect();
      for (const [option, name] of [
        [{ hearbeat: {} }, 'hearbeat'],
        [{ backoff: { min: 0, max: 0 } }, 'backoff'],
        [{ heartbeat: { idle: 0 } }, 'heartbeat'],
        [{ heartbeat: { patience: 0 } }, 'heartbeat'],
      ]) {
        await fails(t.petasus.connect(t.url, t.options(option)), 'setting', name);
      }
      await fails(client.publish(t.topic(), 'x', { timout: 5 }), 'setting', 'timout');
      await failsNow(() => client.subscribe(t.topic(), () => {}, { bufer: 5 }).ready, 'setting', 'bufer');
      await failsNow(async () => client.on('foo', () => {}), 'setting', 'status');
      await failsNow(async () => client.on('status', 5), 'setting', 'listener');
    },
  },
  {
    name: 'a name that is no text is refused',
    only: ['wamp'],
    async run(t) {
      const client = await t.connect();
      for (const name of [undefined, 5]) {
        await fails(client.call(name), 'uri', 'the name can not be used');
        await failsNow(() => client.register(name, () => 1).ready, 'uri');
        await failsNow(() => client.subscribe(name, { match: 'prefix' }).ready, 'uri');
      }
      await t.soon(client.publish(t.topic(), 'fine'), 'the acknowledgement');
    },
  },
  {
    name: 'a port where nobody listens is told',
    async run(t) {
      const error = await refused(t, await t.control.nobody(), 'gave_up', 'check the URL');
      equal([error.failure, error.fault], ['unreachable', 'network']);
      const host = await refused(t, 'ws://no-such-host.invalid:3000', 'gave_up', 'check the URL');
      equal(host.fault, 'network');
    },
  },
  {
    name: 'without failFast connect tries again, and gives up when its time is over',
    async run(t) {
      const connecting = t.petasus.connect(await t.control.nobody(), t.options({ ...t.quick, within: 400 }));
      const error = await fails(t.soon(connecting, 'the end of patience'), 'gave_up', 'check the URL');
      equal(error.failure, 'unreachable');
    },
  },
  {
    name: 'without failFast connect tries again until the broker is there',
    only: ['ours'],
    async run(t) {
      const broker = await t.control.broker();
      await t.control.kill(broker.id);
      const seen = [];
      const connecting = t.connectTo(broker.url, { ...t.quick, onStatus: (status) => seen.push(status) });
      await t.until('a failed attempt', () => seen.some(({ failure }) => failure));
      await t.control.restart(broker.id);
      const client = await connecting;
      await t.soon(client.publish(t.topic(), 'x'), 'the acknowledgement');
    },
  },
  {
    name: 'a server that is no broker is told: a web server',
    async run(t) {
      const error = await refused(t, await t.control.strange('http'), 'gave_up', 'check');
      ok(['not_websocket', 'status', 'unreachable'].includes(error.failure), error.failure);
    },
  },
  {
    name: 'a server that is no broker is told: something else',
    async run(t) {
      const error = await refused(t, await t.control.strange('mail'), 'gave_up', 'check');
      ok(['not_websocket', 'broken', 'unreachable'].includes(error.failure), error.failure);
    },
  },
  {
    name: 'a server that never answers is given up',
    async run(t) {
      const url = await t.control.strange('silent');
      const connecting = t.petasus.connect(url, t.options({ failFast: true, connectTimeout: 200 }));
      const error = await fails(t.soon(connecting, 'the end of patience'), 'gave_up', 'connect timeout', 'check the URL');
      equal(error.failure, 'connect_timed_out');
    },
  },
  {
    name: 'a server without the subprotocol is told',
    only: ['wamp'],
    async run(t) {
      const error = await refused(t, await t.control.strange('plain'), 'gave_up', 'check');
      // A browser says nothing but that it failed; Node has a word for it.
      ok(['no_subprotocol', 'unreachable', 'not_websocket', 'broken'].includes(error.failure), error.failure);
      if (t.has('node')) says(error.message, 'subprotocol');
    },
  },
  {
    name: 'a server that talks nonsense is told',
    only: ['wamp'],
    async run(t) {
      for (const kind of ['babble', 'wrong']) {
        const error = await refused(t, await t.control.strange(kind), 'gave_up', 'broke the protocol', 'check that it is a router');
        equal([error.failure, error.fault], ['protocol', 'server'], kind);
      }
    },
  },
  {
    name: 'nonsense after the welcome is the end of that connection, and the program learns why',
    only: ['wamp'],
    async run(t) {
      for (const [kind, reason] of [['derailed', 'protocol'], ['rude', 'closed']]) {
        const seen = [];
        const client = await t.connectTo(await t.control.strange(kind), { ...t.quick, onStatus: (status) => seen.push(status) });
        client.publish(t.topic(), 'x', { mode: 'queued' }).catch(() => {});
        await t.until('the failure', () => seen.some(({ failure }) => failure?.failure === reason));
        if (kind === 'rude') {
          const { failure } = seen.find((status) => status.failure?.failure === reason);
          says(failure.message, '4999', 'no more today');
        }
        await t.soon(client.close(), 'the end');
      }
    },
  },
  {
    name: 'an event in no form of WAMP is dropped and reported, and the others are heard',
    only: ['wamp'],
    async run(t) {
      const client = await t.connectTo(await t.control.strange('sloppy'), { closeTimeout: 100 });
      const dropped = t.reports('a message was dropped');
      const news = client.subscribe('news', { match: 'exact' });
      await t.soon(news.ready, 'the subscription');
      const half = await t.next(news, 'half a pair');
      equal([half.value, half.topic], ['half a pair \ud800', 'news']);
      equal(await t.value(news, 'a number beyond all'), Infinity);
      const odd = await t.next(news, 'odd details');
      equal([odd.value, odd.publisher, odd.topic], ['odd details', undefined, 'news']);
      equal(await t.value(news), 'with spaces');
      const empty = await t.next(news, 'nothing');
      equal([empty.value, empty.args, empty.kwargs], [null, [], {}]);
      equal((await t.next(news, 'a large number')).text, '12345678901234567890');
      const both = await t.next(news, 'both');
      equal([both.args, both.kwargs], [[1.5, '"],{['], { b: [{}], c: { d: '}' } }]);
      equal(both.text, '{"args":[1.50,"\\"],{["],"kwargs":{"b":[{}],"c":{"d":"}"}}}');
      equal(await t.value(news), new Uint8Array([1, 2, 3]));
      equal(await t.value(news), 'the last one');
      equal([dropped(), news.resumed, client.status.state], [5, 0, 'connected']);
    },
  },
  {
    name: 'a refused origin is told, with what to do',
    only: ['ours'],
    async run(t) {
      const { url } = await t.control.broker({ origins: ['example.com'] });
      const error = await refused(t, url, 'gave_up', 'check');
      // A browser does not show the 401. What it may have been is said all the same.
      says(error.message, t.has('page') ? 'origin' : '401');
    },
  },
  {
    name: 'an unknown realm is named',
    only: ['wamp', 'ours'],
    async run(t) {
      const { url } = await t.control.broker({ production: true });
      // Not even without failFast is it tried again.
      const connecting = t.soon(t.petasus.connect(url, t.options({ realm: 'elsewhere' })), 'the end');
      const error = await fails(connecting, 'gave_up', 'check the name of the realm');
      equal([error.failure, error.retry], ['aborted', 'no']);
      await t.connectTo(url);
    },
  },
  {
    name: 'a message over the limit of the broker is told and is not the end',
    only: ['ours'],
    async run(t) {
      const { url } = await t.control.broker({ env: { PETASUS_LIMITS_MESSAGE: '2000' } });
      const client = await t.connectTo(url, t.quick);
      const asked = client.publish(t.topic(), 'x'.repeat(20_000));
      const error = await t.soon(asked.then(() => undefined, (problem) => problem), 'the end');
      ok(error?.name === 'PetasusError' && ['refused', 'lost', 'too_large'].includes(error.code), `${error?.code}: ${error?.message}`);
      await t.untilState(client, 'connected');
      await t.soon(client.publish(t.topic(), 'short'), 'the acknowledgement');
    },
  },
  {
    name: 'what a method is given is looked at',
    async run(t) {
      const client = await t.connect();
      await failsNow(() => client.subscribe(17).ready, 'topic');
      await failsNow(() => client.publish(t.topic(), 'x', { mode: 'loud' }), 'setting', 'mode');
      await failsNow(() => client.subscribe(t.topic(), { ...t.flat, buffer: 0 }).ready, 'setting', 'buffer');
      await failsNow(() => client.subscribe(t.topic(), { ...t.flat, overflow: 'spill' }).ready, 'setting', 'overflow');
      await failsNow(() => client.subscribe(t.topic(), { match: 'fuzzy' }).ready, 'setting', 'match');
      await failsNow(() => client.register(t.uri(), 'not a function').ready, 'setting', 'listener');
    },
  },
];
