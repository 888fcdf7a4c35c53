// Authentication by autobahn-js.

import nacl from 'tweetnacl';
import { autobahn } from '../client.mjs';
import { define, equal, holds, Failed } from '../registry.mjs';

const transports = { transports: ['ws.json', 'ws.msgpack', 'ws.cbor', 'tcp.json'] };

function hello(world, method, wrong) {
  const user = world.ends.users[method];
  const answers = {
    ticket: () => (wrong ? 'a wrong ticket' : user.ticket),
    wampcra: (extra) => autobahn.auth_cra.sign(wrong ? 'a wrong secret' : user.secret, extra.challenge),
    salted: (extra) => {
      const key = autobahn.auth_cra.derive_key(wrong ? 'a wrong one' : user.password, extra.salt, extra.iterations, extra.keylen);
      return autobahn.auth_cra.sign(key, extra.challenge);
    },
  };
  const authmethod = method === 'salted' ? 'wampcra' : method;
  return {
    authmethods: [authmethod],
    authid: user.authid,
    onchallenge: (_, asked, extra) => {
      equal(asked, authmethod, 'the method of CHALLENGE');
      return answers[method](extra);
    },
  };
}

/** With the signing key that `seed` (64 hexadecimal digits) makes. */
function cryptosign(world, seed) {
  const key = nacl.sign.keyPair.fromSeed(Buffer.from(seed, 'hex'));
  return {
    authmethods: ['cryptosign'],
    authid: world.ends.users.cryptosign.authid,
    authextra: { pubkey: autobahn.auth_cryptosign.public_key(key) },
    onchallenge: (_, __, extra) => autobahn.auth_cryptosign.sign_challenge(key, extra),
  };
}

/** Asks for an ABORT with a reason of the specification. */
async function isRefused(opening) {
  const refusal = await opening.then(() => null, (error) => error);
  if (refusal === null) throw new Failed('bad credentials opened a session');
  holds(String(refusal.error).startsWith('wamp.error.'), `the reason of ABORT is ${refusal.error}`);
}

for (const method of ['ticket', 'wampcra', 'salted']) {
  // REQ-WAMP-061, REQ-WAMP-062
  define(`auth.${method}`, async (world) => {
    const { session, details } = await world.open(hello(world, method));
    const user = world.ends.users[method];
    equal([details.authid, details.authrole], [user.authid, user.role], 'WELCOME');
    await session.subscribe(world.uri(), () => {});
  }, transports);

  // REQ-WAMP-061, REQ-WAMP-062
  define(`auth.${method}_bad`, async (world) => {
    await isRefused(world.open(hello(world, method, true)));
  }, transports);
}

// REQ-WAMP-064
define('auth.cryptosign', async (world) => {
  const { details } = await world.open(cryptosign(world, world.ends.users.cryptosign.private));
  equal([details.authid, details.authrole], ['chris', 'user'], 'WELCOME');
}, transports);

// REQ-WAMP-064
define('auth.cryptosign_bad', async (world) => {
  await isRefused(world.open(cryptosign(world, '00'.repeat(31) + '01')));
}, transports);
