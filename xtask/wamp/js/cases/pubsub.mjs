// Publish and subscribe by autobahn-js.

import { flush } from '../client.mjs';
import { define, equal, holds, refused } from '../registry.mjs';

const everywhere = { transports: ['ws.json', 'ws.msgpack', 'ws.cbor', 'tcp.json', 'unix.json', 'longpoll.json'] };
const serializers = { transports: ['ws.json', 'ws.msgpack', 'ws.cbor'] };
const acknowledge = { acknowledge: true };

/** Subscribes and keeps [args, kwargs, details] of each event. */
async function listen(world, session, topic, options) {
  const heard = world.heard();
  heard.subscription = await session.subscribe(topic, (...event) => heard.add(event), options);
  return heard;
}

// REQ-WAMP-011, REQ-WAMP-080, REQ-WAMP-083
define('session.join', async (world) => {
  const { session, details } = await world.open();
  holds(Number.isInteger(session.id) && session.id > 0, `the session id is ${session.id}`);
  equal(session.realm, world.ends.realm, 'the realm');
  equal(details.authmethod, 'anonymous', 'the authmethod');
}, everywhere);

// REQ-WAMP-020, REQ-WAMP-081, REQ-WAMP-083
define('pubsub.event', async (world) => {
  const [publisher, subscriber] = [await world.join(), await world.join()];
  const heard = await listen(world, subscriber, world.uri('a'));
  const publication = await publisher.publish(world.uri('a'), [1, 'two'], { three: [3] }, acknowledge);
  await heard.reach(1);
  const [args, kwargs, details] = heard[0];
  equal([args, kwargs], [[1, 'two'], { three: [3] }], 'the event');
  equal(details.publication, publication.id, 'the publication id');
}, everywhere);

// REQ-WAMP-022, REQ-WAMP-023
define('pubsub.patterns', async (world) => {
  const [publisher, subscriber] = [await world.join(), await world.join()];
  const prefix = await listen(world, subscriber, world.uri('a'), { match: 'prefix' });
  const wildcard = await listen(world, subscriber, `${world.base}..c`, { match: 'wildcard' });
  for (const name of ['a', 'a.c', 'b.c', 'a.b.c', 'ab']) publisher.publish(world.uri(name), [name]);
  await flush(publisher, subscriber);
  const topics = (heard) => heard.map(([, , details]) => details.topic.slice(world.base.length + 1));
  equal(topics(prefix), ['a', 'a.c', 'a.b.c', 'ab'], 'what the prefix matches');
  equal(topics(wildcard), ['a.c', 'b.c'], 'what the wildcard matches');
}, serializers);

// REQ-WAMP-021
define('pubsub.exclude_me', async (world) => {
  const session = await world.join();
  const heard = await listen(world, session, world.uri());
  await session.publish(world.uri(), ['not'], {}, acknowledge);
  await session.publish(world.uri(), ['heard'], {}, { acknowledge: true, exclude_me: false });
  await flush(session, session);
  equal(heard.map(([args]) => args), [['heard']], 'what the publisher hears');
}, serializers);

// REQ-WAMP-024
define('pubsub.eligible_and_exclude', async (world) => {
  const publisher = await world.join();
  const sessions = [await world.join(), await world.join()];
  const heard = [await listen(world, sessions[0], world.uri()), await listen(world, sessions[1], world.uri())];
  await publisher.publish(world.uri(), [1], {}, { acknowledge: true, eligible: [sessions[0].id] });
  await publisher.publish(world.uri(), [2], {}, { acknowledge: true, exclude: [sessions[0].id] });
  for (const session of sessions) await flush(publisher, session);
  equal(heard.map((one) => one.map(([args]) => args)), [[[1]], [[2]]], 'who hears what');
}, serializers);

// REQ-WAMP-025
define('pubsub.disclose_me', async (world) => {
  const [publisher, subscriber] = [await world.join(), await world.join()];
  const heard = await listen(world, subscriber, world.uri());
  await publisher.publish(world.uri(), [], {}, { acknowledge: true, disclose_me: true });
  await heard.reach(1);
  equal(heard[0][2].publisher, publisher.id, 'details.publisher');
}, serializers);

// REQ-WAMP-027
define('pubsub.unsubscribe', async (world) => {
  const [publisher, subscriber] = [await world.join(), await world.join()];
  const heard = await listen(world, subscriber, world.uri());
  await publisher.publish(world.uri(), [1], {}, acknowledge);
  await flush(publisher, subscriber);
  await heard.subscription.unsubscribe();
  await publisher.publish(world.uri(), [2], {}, acknowledge);
  await flush(publisher, subscriber);
  equal(heard.map(([args]) => args), [[1]], 'the events');
}, serializers);

// REQ-WAMP-072
define('pubsub.payloads', async (world) => {
  const [publisher, subscriber] = [await world.join(), await world.join()];
  const heard = await listen(world, subscriber, world.uri());
  const payloads = [
    [[1, 2]], [null], [[], [[]]], [0, -1, 2 ** 31, 2 ** 53 - 1, -(2 ** 53) + 1], [0.5, 1e300], [true, false],
    ['', 'Grüße 日本語 🦀', '\u0001"\\/'], [{ z: 1, a: { b: [1, { c: null }] } }],
  ];
  for (const args of payloads) await publisher.publish(world.uri(), args, { nested: args }, acknowledge);
  await heard.reach(payloads.length);
  payloads.forEach((args, at) => equal(heard[at].slice(0, 2), [args, { nested: args }], 'the event'));
}, everywhere);

// REQ-WAMP-074
define('pubsub.binary', async (world) => {
  const [publisher, subscriber] = [await world.join(), await world.join()];
  const heard = await listen(world, subscriber, world.uri());
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, octet) => octet));
  await publisher.publish(world.uri(), [bytes], {}, acknowledge);
  await heard.reach(1);
  equal(Buffer.from(heard[0][0][0]).toString('hex'), bytes.toString('hex'), 'the bytes');
}, { transports: ['ws.msgpack', 'ws.cbor'] });

// REQ-WAMP-006
define('pubsub.reserved', async (world) => {
  const session = await world.join();
  await refused(session.publish('wamp.session.on_join', [1], {}, acknowledge), 'wamp.error.invalid_uri');
}, serializers);
