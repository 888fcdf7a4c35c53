// Calls by autobahn-js.

import { autobahn } from '../client.mjs';
import { define, equal, holds, refused } from '../registry.mjs';

// Over long-poll autobahn-js posts each message by itself without waiting for the last one, so two may overtake each
// other on the way: cases with several messages in a row from one client leave it out.
const sockets = { transports: ['ws.json', 'ws.msgpack', 'ws.cbor', 'tcp.json', 'unix.json'] };
const everywhere = { transports: ['ws.json', 'ws.msgpack', 'ws.cbor', 'tcp.json', 'unix.json', 'longpoll.json'] };
const serializers = { transports: ['ws.json', 'ws.msgpack', 'ws.cbor'] };

// REQ-WAMP-040, REQ-WAMP-083
define('rpc.call', async (world) => {
  const [caller, callee] = [await world.join(), await world.join()];
  await callee.register(world.uri(), ([a, b]) => a + b);
  equal(await caller.call(world.uri(), [2, 3]), 5, 'the result');
}, everywhere);

// REQ-WAMP-040
define('rpc.arguments', async (world) => {
  const [caller, callee] = [await world.join(), await world.join()];
  const echo = (args, kwargs) => new autobahn.Result(args ?? [], kwargs ?? {});
  await callee.register(world.uri(), echo);
  for (const [args, kwargs] of [[[], { a: 1 }], [[1, null], { b: [2] }], [[[1, 2], 3], {}], [['ü'], { z: 1, a: {} }]]) {
    const answer = await caller.call(world.uri(), args, kwargs);
    const found = answer instanceof autobahn.Result ? [answer.args, answer.kwargs ?? {}] : [[answer], {}];
    equal(found, [args, kwargs], 'the result');
  }
  equal(await caller.call(world.uri()), null, 'the result without arguments');
}, serializers);

// REQ-WAMP-041, REQ-WAMP-042, REQ-WAMP-043, REQ-WAMP-083
define('rpc.errors', async (world) => {
  const [caller, callee] = [await world.join(), await world.join()];
  await callee.register(world.uri(), () => {
    throw new autobahn.Error('com.example.broken', ['why', [1]], { code: 7 });
  });
  const error = await refused(caller.call(world.uri()), 'com.example.broken');
  equal([error.args, error.kwargs], [['why', [1]], { code: 7 }], 'the arguments of the error');
  await refused(caller.call(world.uri('nobody')), 'wamp.error.no_such_procedure');
  await refused(caller.register(world.uri(), () => 1), 'wamp.error.procedure_already_exists');
}, everywhere);

// REQ-WAMP-047, REQ-WAMP-083
define('rpc.progress', async (world) => {
  const [caller, callee] = [await world.join(), await world.join()];
  await callee.register(world.uri(), ([to], _, details) => {
    for (let step = 0; step < to; step += 1) details.progress([step]);
    return 'done';
  });
  const heard = [];
  const answer = await caller.call(world.uri(), [3], {}, { receive_progress: true }).then(
    (value) => value, (error) => { throw error; }, (progress) => heard.push(progress),
  );
  equal([answer, heard], ['done', [0, 1, 2]], 'the result and the progress');
}, sockets);

// REQ-WAMP-049
define('rpc.cancel_kill', async (world) => {
  const [caller, callee] = [await world.join(), await world.join()];
  let begun;
  const running = new Promise((resolve) => (begun = resolve));
  const held = autobahn.when.defer();
  await callee.register(world.uri(), () => {
    begun();
    return held.promise;
  });
  const call = caller.call(world.uri());
  await running;
  call.cancel({ mode: 'kill' });
  // autobahn-js as a callee does not know INTERRUPT and does not announce it, so the mode is `skip` then.
  await refused(call, 'wamp.error.canceled');
}, serializers);

define('rpc.cancel_then_call_again', async (world) => {
  const [caller, callee] = [await world.join(), await world.join()];
  let begun;
  const running = new Promise((resolve) => (begun = resolve));
  const held = autobahn.when.defer();
  await callee.register(world.uri('slow'), () => {
    begun();
    return held.promise;
  });
  await callee.register(world.uri('quick'), () => 'quick');
  for (const mode of ['skip', 'killnowait']) {
    const call = caller.call(world.uri('slow'));
    await running;
    call.cancel({ mode });
    await call.then(() => holds(false, 'a cancelled call has a result'), () => {});
    equal(await caller.call(world.uri('quick')), 'quick', `the call after ${mode}`);
  }
  held.resolve('late');
  equal(await caller.call(world.uri('quick')), 'quick', 'the call after the late answer');
}, serializers);

// REQ-WAMP-051
define('rpc.disclose_me', async (world) => {
  const [caller, callee] = [await world.join(), await world.join()];
  await callee.register(world.uri(), (args, kwargs, details) => details.caller);
  equal(await caller.call(world.uri(), [], {}, { disclose_me: true }), caller.id, 'details.caller');
}, serializers);

// REQ-WAMP-044
define('rpc.pattern', async (world) => {
  const [caller, callee] = [await world.join(), await world.join()];
  await callee.register(world.uri('a'), (args, kwargs, details) => details.procedure, { match: 'prefix' });
  equal(await caller.call(world.uri('a.b')), world.uri('a.b'), 'details.procedure');
}, serializers);

// REQ-WAMP-045
define('rpc.roundrobin', async (world) => {
  const caller = await world.join();
  for (const who of [0, 1, 2]) {
    const callee = await world.join();
    await callee.register(world.uri(), () => who, { invoke: 'roundrobin' });
  }
  const answers = [];
  for (let turn = 0; turn < 6; turn += 1) answers.push(await caller.call(world.uri()));
  equal(answers, [0, 1, 2, 0, 1, 2], 'who answers');
}, serializers);

define('rpc.many_at_a_time', async (world) => {
  const [caller, callee] = [await world.join(), await world.join()];
  await callee.register(world.uri(), ([number]) => number * 2);
  const numbers = Array.from({ length: 300 }, (_, number) => number);
  const answers = await Promise.all(numbers.map((number) => caller.call(world.uri(), [number])));
  equal(answers, numbers.map((number) => number * 2), 'the results');
}, everywhere);

// REQ-WAMP-050
define('rpc.timeout', async (world) => {
  const [caller, callee] = [await world.join(), await world.join()];
  await callee.register(world.uri(), () => autobahn.when.defer().promise);
  await refused(caller.call(world.uri(), [], {}, { timeout: 50 }), 'wamp.error.timeout');
}, serializers);
