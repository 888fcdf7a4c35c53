// Logging in (WAMP): each way, right and wrong, and fresh tokens.

import { equal, fails, failsNow, ok } from './expect.js';

const RULES = `
[[rules]]
role = "user"
uri = ""
match = "prefix"
allow = ["subscribe", "publish", "call", "register"]
`;

/** A user for each way. `salted` has the secret that "right" is with this salt: PBKDF2 with SHA-256, 100 rounds, 32 bytes. */
const ACCESS = `
anonymous = ""
[[users]]
authid = "tina"
role = "user"
ticket = "right"
[[users]]
authid = "carl"
role = "user"
secret = "right"
[[users]]
authid = "sally"
role = "user"
secret = "SALTED"
salt = "salt123"
iterations = 100
keylen = 32
${RULES}`;

async function salted() {
  const encode = (text) => new TextEncoder().encode(text);
  const key = await crypto.subtle.importKey('raw', encode('right'), 'PBKDF2', false, ['deriveBits']);
  const way = { name: 'PBKDF2', hash: 'SHA-256', salt: encode('salt123'), iterations: 100 };
  return btoa(String.fromCharCode(...new Uint8Array(await crypto.subtle.deriveBits(way, key, 256))));
}

async function guarded(t) {
  return t.control.broker({ access: ACCESS.replace('SALTED', await salted()) });
}

/** Signs a challenge of WAMP-CRA, as a program might do itself. */
async function sign(secret, challenge) {
  const encode = (text) => new TextEncoder().encode(text);
  const key = await crypto.subtle.importKey('raw', encode(secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return btoa(String.fromCharCode(...new Uint8Array(await crypto.subtle.sign('HMAC', key, encode(challenge)))));
}

export default [
  {
    name: 'the right proof opens a session',
    only: ['wamp', 'ours'],
    async run(t) {
      const { url } = await guarded(t);
      const own = {
        authid: 'carl',
        methods: ['wampcra'],
        answer: (method, extra) => (method === 'wampcra' ? sign('right', extra.challenge) : Promise.reject(new Error(method))),
      };
      const ways = [
        ['tina', t.auth.ticket('tina', 'right')],
        ['carl', t.auth.wampcra('carl', 'right')],
        ['sally', t.auth.wampcra('sally', 'right')],
        ['carl', own],
      ];
      for (const [authid, auth] of ways) {
        const client = await t.connectTo(url, { auth });
        equal(client.status.welcome.authid, authid);
        await t.soon(client.publish(t.topic(), 'x'), 'the acknowledgement');
      }
    },
  },
  {
    name: 'a wrong proof is final and says what to check',
    only: ['wamp', 'ours'],
    async run(t) {
      const { url } = await guarded(t);
      const ways = [t.auth.ticket('tina', 'wrong'), t.auth.wampcra('carl', 'wrong'), t.auth.wampcra('sally', 'wrong')];
      for (const auth of ways) {
        const connecting = t.soon(t.petasus.connect(url, t.options({ auth })), 'the end');
        const error = await fails(connecting, 'gave_up', 'refused the session', 'check user and secret');
        equal([error.failure, error.retry], ['aborted', 'no']);
      }
    },
  },
  {
    name: 'no log-in where one is wanted says so',
    only: ['wamp', 'ours'],
    async run(t) {
      const { url } = await guarded(t);
      const never = { authid: 'tina', methods: ['telepathy'], answer: () => 'it is never asked' };
      for (const auth of [undefined, never]) {
        const error = await fails(t.soon(t.petasus.connect(url, t.options({ auth })), 'the end'), 'gave_up', 'log-in that it accepts');
        equal(error.failure, 'aborted');
      }
    },
  },
  {
    name: 'a challenge that cannot be answered ends the client with the reason',
    only: ['wamp', 'ours'],
    async run(t) {
      const { url } = await guarded(t);
      const locked = () => { throw new Error('the vault is locked'); };
      for (const [answer, words] of [[locked, 'the vault is locked'], [async () => locked(), 'the vault is locked'], [() => 17, 'challenge']]) {
        const auth = { authid: 'tina', methods: ['ticket'], answer };
        const error = await fails(t.soon(t.petasus.connect(url, t.options({ auth })), 'the end'), 'gave_up', words);
        equal([error.failure, error.fault], ['challenge', 'program']);
      }
    },
  },
  {
    name: 'a token is asked for at each connection, and the new one counts',
    only: ['wamp', 'ours'],
    async run(t) {
      const access = ACCESS.replace('SALTED', await salted());
      const broker = await t.control.broker({ access });
      const asked = [];
      const client = await t.connectTo(broker.url, {
        ...t.quick,
        authid: 'tina',
        getToken: async ({ attempt, signal }) => {
          asked.push(attempt);
          ok(signal instanceof AbortSignal, 'it can be told to stop');
          await t.turn();
          return asked.length === 1 ? 'right' : 'renewed';
        },
      });
      equal(asked.length, 1);
      await t.control.kill(broker.id);
      await t.control.restart(broker.id, { access: access.replace('ticket = "right"', 'ticket = "renewed"') });
      await t.until('a second token', () => asked.length >= 2);
      await t.untilState(client, 'connected');
      await t.soon(client.publish(t.topic(), 'x'), 'the acknowledgement');
    },
  },
  {
    name: 'a token that cannot be had ends the client with the reason',
    only: ['wamp', 'ours'],
    async run(t) {
      const { url } = await guarded(t);
      const getToken = async () => { throw new Error('the server of tokens is down'); };
      const connecting = t.petasus.connect(url, t.options({ authid: 'tina', getToken, failFast: true }));
      await fails(t.soon(connecting, 'the end'), 'gave_up', 'the server of tokens is down');
    },
  },
  {
    name: 'a token that is no text ends the client with the reason',
    only: ['wamp', 'ours'],
    async run(t) {
      for (const token of [undefined, 5, null, {}]) {
        const { url } = await guarded(t);
        const options = t.options({ ...t.quick, authid: 'tina', getToken: async () => token });
        const error = await fails(t.soon(t.petasus.connect(url, options), 'the end'), 'gave_up', 'getToken gave no text');
        equal([error.failure, error.fault], ['challenge', 'program']);
      }
    },
  },
  {
    name: 'a log-in where there is none is refused',
    only: ['mercury'],
    async run(t) {
      for (const more of [{ getToken: () => 'x' }, { auth: { methods: ['ticket'], answer: () => 'x' } }]) {
        await fails(t.petasus.connect(t.url, t.options(more)), 'setting', 'no log-in');
      }
    },
  },
  {
    name: 'what the rules do not allow is refused, and the rest goes on',
    only: ['wamp', 'ours'],
    async run(t) {
      const access = `anonymous = "guest"${RULES.replace('"user"', '"guest"').replace('uri = ""', 'uri = "open"')}`;
      const { url } = await t.control.broker({ access });
      const client = await t.connectTo(url);
      const refused = [
        () => client.publish('shut/a', 'x'),
        () => client.subscribe('shut/a').ready,
        () => client.bus('shut/a').ready,
        () => client.push('shut/a', 'x'),
        () => client.pull('shut/a').ready,
        () => client.call('shut.a'),
        () => client.register('shut.a', () => 1).ready,
      ];
      for (const ask of refused) {
        const error = await fails(t.soon((async () => ask())(), 'the refusal'), 'refused', 'guest', 'shut.a');
        equal([error.uri, error.retry, error.fault], ['wamp.error.not_authorized', 'no', 'server']);
      }
      const news = client.subscribe('open/a');
      await t.soon(news.ready, 'the subscription');
      await t.soon(client.publish('open/a', 'x'), 'the acknowledgement');
      equal(await t.value(news), 'x');
    },
  },
  {
    name: 'a log-in of your own that throws is the end at once, however many parameters it has',
    only: ['wamp', 'ours'],
    async run(t) {
      const answers = [
        () => { throw new Error('no smartcard'); },
        (method, extra, attempt) => { throw new Error(`no smartcard (${attempt.attempt})`); },
      ];
      for (const answer of answers) {
        const { url } = await guarded(t);
        const auth = { authid: 'tina', methods: ['ticket'], answer };
        const error = await fails(t.soon(t.petasus.connect(url, t.options({ ...t.quick, auth })), 'the end'), 'gave_up', 'no smartcard');
        equal(error.failure, 'challenge');
      }
    },
  },
  {
    name: 'a router that challenges a client without a log-in is told',
    only: ['wamp'],
    async run(t) {
      const connecting = t.petasus.connect(await t.control.strange('challenging'), t.options(t.quick));
      const error = await fails(t.soon(connecting, 'the end'), 'gave_up', 'log-in');
      equal(error.failure, 'challenge');
    },
  },
  {
    name: 'what goes along with a log-in may fail once, and is asked for again',
    only: ['wamp', 'ours'],
    async run(t) {
      let count = 0;
      const extra = () => {
        if (++count === 2) throw new Error('not now');
        return {};
      };
      const seen = [];
      const options = { auth: { methods: ['anonymous'], extra, answer: () => '' }, onStatus: (status) => seen.push(status) };
      await t.connectTo(t.url, { ...t.quick, ...options });
      ok(seen.some(({ failure }) => failure?.message.includes('not now')), 'the reason is told');
      equal(count, 3);
    },
  },
  {
    name: 'a log-in that is none is refused at once',
    only: ['wamp', 'ours'],
    async run(t) {
      for (const auth of [{}, 'joe', { authid: 'joe', methods: [], answer: 1 }]) {
        await failsNow(() => t.petasus.connect(t.url, t.options({ auth })), 'setting', 'auth');
      }
    },
  },
  {
    name: 'secrets are not shown',
    only: ['wamp', 'ours'],
    async run(t) {
      const error = await fails(
        t.soon(t.petasus.connect(await t.control.nobody(), t.options({ auth: t.auth.ticket('joe', 'hush'), failFast: true })), 'the end'),
        'gave_up',
      );
      for (const text of [error.message, String(error), JSON.stringify(error), String(error.stack)]) ok(!text.includes('hush'), text);
      ok(!JSON.stringify(t.auth.wampcra('joe', 'hush')).includes('hush'), 'JSON of a log-in');
    },
  },
];
