// The meta API by autobahn-js.

import { define, equal, holds, refused } from '../registry.mjs';

const serializers = { transports: ['ws.json', 'ws.msgpack', 'ws.cbor'] };

// REQ-WAMP-031
define('meta.sessions', async (world) => {
  const [one, two] = [await world.join(), await world.join()];
  const listed = await one.call('wamp.session.list');
  holds(listed.includes(one.id) && listed.includes(two.id), 'a session is not listed');
  equal(await one.call('wamp.session.count'), listed.length, 'the count');
  equal((await one.call('wamp.session.get', [two.id])).session, two.id, 'wamp.session.get');
  await refused(one.call('wamp.session.get', [4711]), 'wamp.error.no_such_session');
}, serializers);

// REQ-WAMP-032
define('meta.session_events', async (world) => {
  const watcher = await world.join();
  const [joins, leaves] = [world.heard(), world.heard()];
  await watcher.subscribe('wamp.session.on_join', ([details]) => joins.add(details.session));
  await watcher.subscribe('wamp.session.on_leave', ([session]) => leaves.add(session));
  const { session, connection } = await world.open();
  const id = session.id;
  connection.close();
  while (!joins.includes(id)) await joins.reach(joins.length + 1);
  while (!leaves.includes(id)) await leaves.reach(leaves.length + 1);
}, serializers);

// REQ-WAMP-033
define('meta.session_kill', async (world) => {
  const one = await world.join();
  const { session, connection } = await world.open();
  const ended = new Promise((resolve) => (connection.tellEnd = resolve));
  await one.call('wamp.session.kill', [session.id], { reason: 'com.example.killed', message: 'begone' });
  const details = await ended;
  equal([details.reason, details.message], ['com.example.killed', 'begone'], 'GOODBYE to the killed session');
}, serializers);

// REQ-WAMP-028
define('meta.subscriptions', async (world) => {
  const one = await world.join();
  const subscription = await one.subscribe(world.uri(), () => {});
  equal(await one.call('wamp.subscription.lookup', [world.uri()]), subscription.id, 'lookup');
  equal(await one.call('wamp.subscription.count_subscribers', [subscription.id]), 1, 'count_subscribers');
  equal(await one.call('wamp.subscription.list_subscribers', [subscription.id]), [one.id], 'list_subscribers');
}, serializers);

// REQ-WAMP-053
define('meta.registrations', async (world) => {
  const one = await world.join();
  const registration = await one.register(world.uri(), () => 1);
  equal(await one.call('wamp.registration.lookup', [world.uri()]), registration.id, 'lookup');
  equal((await one.call('wamp.registration.get', [registration.id])).uri, world.uri(), 'get');
  equal(await one.call('wamp.registration.list_callees', [registration.id]), [one.id], 'list_callees');
}, serializers);

// REQ-WAMP-034
define('meta.testament', async (world) => {
  const watcher = await world.join();
  const heard = world.heard();
  await watcher.subscribe(world.uri(), (args) => heard.add(args));
  const { session, connection } = await world.open();
  await session.call('wamp.session.add_testament', [world.uri(), ['gone'], {}]);
  connection.close();
  await heard.reach(1);
  equal(heard, [['gone']], 'the testament');
}, serializers);
