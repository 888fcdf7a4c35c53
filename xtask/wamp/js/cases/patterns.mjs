// Petasus only: the bus and the queues by the option `_pattern`, and Mercury's sockets beside them.

import { autobahn, flush } from '../client.mjs';
import { define, equal, holds, refused } from '../registry.mjs';

const petasus = { transports: ['ws.json', 'ws.msgpack', 'ws.cbor'], petasus: true };
const bus = { _pattern: 'bus' };
const queue = { _pattern: 'queue' };
const realm = 'default';

const join = (world) => world.join({ realm });
const path = (world, pattern, name) => `/${pattern}/${world.base}/${name}`;

// REQ-WAMP-011
define('pattern.is_announced', async (world) => {
  const { details } = await world.open();
  const roles = Object.values(details.roles).map((role) => role.features ?? {});
  holds(JSON.stringify(details).includes('_pattern') || roles.some((features) => features._pattern), 'WELCOME does not announce _pattern');
}, petasus);

// REQ-WAMP-092
define('pattern.bus_reaches_every_other_peer', async (world) => {
  const peers = [await join(world), await join(world), await join(world)];
  const heard = peers.map(() => world.heard());
  for (const [at, peer] of peers.entries()) await peer.subscribe(world.uri('x'), (args) => heard[at].add(args[0]), { ...bus });
  for (const [at, peer] of peers.entries()) await peer.publish(world.uri('x'), [at], {}, { ...bus, acknowledge: true });
  await Promise.all(heard.map((one) => one.reach(2)));
  for (const peer of peers) await flush(peer, peer);
  equal(heard, [[1, 2], [0, 2], [0, 1]], 'what each peer hears');
}, petasus);

// REQ-WAMP-092
define('pattern.bus_is_not_pubsub', async (world) => {
  const [one, two] = [await join(world), await join(world)];
  const [onBus, onPubsub] = [world.heard(), world.heard()];
  await two.subscribe(world.uri('x'), (args) => onBus.add(args[0]), { ...bus });
  await two.subscribe(world.uri('x'), (args) => onPubsub.add(args[0]));
  await one.publish(world.uri('x'), ['bus'], {}, { ...bus, acknowledge: true });
  await one.publish(world.uri('x'), ['pubsub'], {}, { acknowledge: true });
  await Promise.all([onBus.reach(1), onPubsub.reach(1)]);
  await flush(one, two);
  equal([onBus, onPubsub], [['bus'], ['pubsub']], 'who hears what');
}, petasus);

// REQ-WAMP-092
define('pattern.bus_and_raw_sockets', async (world) => {
  const session = await join(world);
  const heard = world.heard();
  const raw = await world.raw(path(world, 'bus', 'x'));
  await session.subscribe(world.uri('x'), (args) => heard.add(args), { ...bus });
  raw.send('from raw');
  await heard.reach(1);
  await session.publish(world.uri('x'), ['from wamp'], {}, { ...bus, acknowledge: true });
  equal([heard, await raw.next()], [[['from raw']], 'from wamp'], 'both ways');
}, petasus);

// REQ-WAMP-093
define('pattern.queue_gives_each_job_to_one', async (world) => {
  const pusher = await join(world);
  const jobs = [world.heard(), world.heard(), world.heard()];
  for (const mine of jobs) {
    const worker = await join(world);
    await worker.register(world.uri('q'), (args) => { mine.add(args[0]); return null; }, { ...queue });
  }
  for (let job = 0; job < 9; job += 1) await pusher.call(world.uri('q'), [job], {}, { ...queue, _ack: 'done' });
  equal(jobs.map((mine) => [...mine]), [[0, 3, 6], [1, 4, 7], [2, 5, 8]], 'the jobs of each worker, in strict rotation');
}, petasus);

// REQ-WAMP-095
define('pattern.queue_push_is_acknowledged_when_handed', async (world) => {
  const [pusher, worker] = [await join(world), await join(world)];
  const held = autobahn.when.defer();
  const begun = world.heard();
  await worker.register(world.uri('q'), (args) => { begun.add(args[0]); return held.promise; }, { ...queue });
  // The worker is still at it when the push is answered.
  await pusher.call(world.uri('q'), ['job'], {}, { ...queue });
  await begun.reach(1);
  held.resolve(null);
}, petasus);

// REQ-WAMP-094
define('pattern.queue_respects_concurrency', async (world) => {
  const [pusher, worker] = [await join(world), await join(world)];
  const gates = world.heard();
  let [running, most] = [0, 0];
  await worker.register(world.uri('q'), () => {
    running += 1;
    most = Math.max(most, running);
    const gate = autobahn.when.defer();
    gates.add(gate);
    return gate.promise.then(() => { running -= 1; return null; });
  }, { ...queue, concurrency: 2 });
  const pushed = Array.from({ length: 6 }, (_, job) => pusher.call(world.uri('q'), [job], {}, { ...queue, _ack: 'done' }));
  for (let job = 0; job < 6; job += 1) {
    await gates.reach(job + 1);
    gates[job].resolve(null);
  }
  await Promise.all(pushed);
  equal(most, 2, 'the jobs at a time');
}, petasus);

// REQ-WAMP-096
define('pattern.queue_gives_back_the_job_of_a_dead_worker', async (world) => {
  const pusher = await join(world);
  const dying = await world.open({ realm });
  const taken = world.heard();
  await dying.session.register(world.uri('q'), (args) => { taken.add(args[0]); return autobahn.when.defer().promise; }, { ...queue });
  const pushed = pusher.call(world.uri('q'), ['job'], {}, { ...queue, _ack: 'done' });
  await taken.reach(1);
  const worker = await join(world);
  const again = world.heard();
  await worker.register(world.uri('q'), (args) => { again.add(args[0]); return null; }, { ...queue });
  dying.connection.close();
  await again.reach(1);
  await pushed;
  equal(again, ['job'], 'the job of the next worker');
}, petasus);

// REQ-WAMP-098
define('pattern.queue_by_publish', async (world) => {
  const [pusher, worker] = [await join(world), await join(world)];
  const jobs = world.heard();
  await worker.register(world.uri('q'), (args) => { jobs.add(args[0]); return null; }, { ...queue });
  for (let job = 0; job < 5; job += 1) pusher.publish(world.uri('q'), [job], {}, { ...queue });
  await jobs.reach(5);
  equal(jobs, [0, 1, 2, 3, 4], 'the jobs');
}, petasus);

// REQ-WAMP-097
define('pattern.queue_and_raw_sockets', async (world) => {
  const [pusher, worker] = [await join(world), await join(world)];
  const puller = await world.raw(path(world, 'pull', 'q'));
  await pusher.call(world.uri('q'), ['to raw'], {}, { ...queue });
  equal(await puller.next(), 'to raw', 'the job of the raw puller');
  puller.terminate();
  const jobs = world.heard();
  await worker.register(world.uri('r'), (args) => { jobs.add(args); return null; }, { ...queue });
  const raw = await world.raw(path(world, 'push', 'r'));
  raw.send('from raw');
  await jobs.reach(1);
  equal(jobs, [['from raw']], 'the job of the WAMP worker');
}, petasus);

// REQ-WAMP-092, REQ-WAMP-008
define('pattern.unknown_one_is_refused', async (world) => {
  const session = await join(world);
  await refused(session.subscribe(world.uri('x'), () => {}, { _pattern: 'telepathy' }), 'wamp.error.invalid_argument');
}, petasus);

// REQ-WAMP-090, REQ-WAMP-091
define('bridge.pubsub_both_ways', async (world) => {
  const session = await join(world);
  const heard = world.heard();
  await session.subscribe(world.uri('amy'), (args, kwargs) => heard.add([args, kwargs]));
  const [pub, sub] = [await world.raw(path(world, 'pub', 'amy')), await world.raw(path(world, 'sub', 'amy'))];
  pub.send('text');
  await heard.reach(1);
  equal([heard[0][0], await sub.next()], [['text'], 'text'], 'raw text');
  await session.publish(world.uri('amy'), ['back'], {}, { acknowledge: true });
  equal(await sub.next(), 'back', 'a single text');
  await session.publish(world.uri('amy'), [{ a: 1 }], {}, { acknowledge: true });
  equal(await sub.next(), '{"a":1}', 'a single object');
  await session.publish(world.uri('amy'), [1, 2], { a: 1 }, { acknowledge: true });
  equal(JSON.parse(await sub.next()), { args: [1, 2], kwargs: { a: 1 } }, 'several arguments');
}, petasus);
