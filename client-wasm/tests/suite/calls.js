// Calls, and those who answer.

import { equal, fails, ok, thrown } from './expect.js';
import { gate, pair } from './pair.js';

const NO_SUCH_PROCEDURE = 'wamp.error.no_such_procedure';

export default [
  {
    name: 'arguments go there and results come back',
    needs: ['calls'],
    async run(t) {
      const { Args } = t.petasus;
      const { caller, registration } = await pair(t, ({ args, kwargs, value }) => {
        if (args?.length === 2) return args[0] + args[1];
        if (args?.length === 3) return new Args([args[2], args[0]], kwargs);
        return value;
      });
      equal(await t.soon(caller.call(t.uri(), new Args([2, 3])), 'the sum'), 5);
      for (const value of ['text', 'ünï', { deep: [1, null] }, new Uint8Array([255, 0]), true, 2.5]) {
        equal(await t.soon(caller.call(t.uri(), value), 'the echo'), value);
      }
      const many = await t.soon(caller.call(t.uri(), new Args([1, 2, 'c'], { unit: 'm' })).message, 'many results');
      equal([many.args, many.kwargs], [['c', 1], { unit: 'm' }]);
      equal((await t.soon(caller.call(t.uri()), 'nothing')) ?? null, null);
      await t.soon(registration.unregister(), 'the end');
      const error = await fails(t.soon(caller.call(t.uri(), 1), 'the error'), 'refused');
      equal(error.uri, NO_SUCH_PROCEDURE);
    },
  },
  {
    name: 'a procedure that nobody offers is refused',
    needs: ['calls'],
    async run(t) {
      const client = await t.connect();
      const error = await client.call(t.uri('nobody'), 1).then(() => 'it succeeded', (problem) => problem);
      if (error.code === 'unsupported') throw error;
      equal([error.code, error.uri, error.retry, error.fault], ['refused', NO_SUCH_PROCEDURE, 'no', 'server']);
    },
  },
  {
    name: 'an answer may be a promise, and calls run side by side',
    needs: ['calls'],
    async run(t) {
      const both = gate();
      let running = 0;
      const { caller } = await pair(t, async ({ value }) => {
        if (++running === 2) both.open();
        await both.opened;
        return value;
      });
      equal(await t.soon(Promise.all([caller.call(t.uri(), 1), caller.call(t.uri(), 2)]), 'both answers'), [1, 2]);
    },
  },
  {
    name: 'a thousand calls get their own answers',
    needs: ['calls'],
    async run(t) {
      const { caller } = await pair(t, ({ value }) => value * 2);
      const numbers = Array.from({ length: 1000 }, (_, number) => number);
      const answers = await t.soon(Promise.all(numbers.map((number) => caller.call(t.uri(), number))), 'all answers');
      equal(answers, numbers.map((number) => number * 2));
    },
  },
  {
    name: 'an error comes back with all that goes along',
    needs: ['calls'],
    only: ['errors'],
    async run(t) {
      const { CallError, Args } = t.petasus;
      const { caller } = await pair(t, ({ value }) => {
        if (value === 'paper') throw new CallError('com.example.error.paper', 'no paper');
        throw new CallError('com.example.error.tray', new Args([1, 2], { tray: 3 }));
      });
      const paper = await fails(t.soon(caller.call(t.uri(), 'paper'), 'the error'), 'refused', 'com.example.error.paper', 'no paper');
      equal([paper.uri, paper.content.args, paper.retry, paper.fault], ['com.example.error.paper', ['no paper'], 'no', 'server']);
      const tray = await fails(t.soon(caller.call(t.uri(), 'tray'), 'the error'), 'refused');
      equal([tray.uri, tray.content.args, tray.content.kwargs], ['com.example.error.tray', [1, 2], { tray: 3 }]);
    },
  },
  {
    name: 'a procedure that throws something else fails too, without telling what is its own',
    needs: ['calls'],
    only: ['errors'],
    async run(t) {
      const caught = t.reports('a secret of the program');
      const { caller } = await pair(t, ({ value }) => {
        if (value === 'now') throw new TypeError('a secret of the program');
        return Promise.reject(new Error('a secret of the program'));
      });
      for (const when of ['now', 'later']) {
        const error = await fails(t.soon(caller.call(t.uri(), when), 'the error'), 'refused');
        ok(/^wamp\.error\./.test(error.uri), error.uri);
        ok(!error.message.includes('secret'), error.message);
      }
      await t.until('both errors to be told here', () => caught() === 2);
      equal(caller.status.state, 'connected');
    },
  },
  {
    name: 'a name that is taken is refused',
    needs: ['calls'],
    only: ['uniqueNames'],
    async run(t) {
      const { caller, registration } = await pair(t, () => 'first');
      const error = await fails(t.soon(caller.register(t.uri(), () => 'second').ready, 'the refusal'), 'refused');
      equal(error.uri, 'wamp.error.procedure_already_exists');
      await t.soon(registration.unregister(), 'the end');
      await t.soon(caller.register(t.uri(), () => 'second').ready, 'the registration');
    },
  },
  {
    name: 'a call that is aborted is canceled, and its callee told',
    needs: ['calls'],
    only: ['cancel'],
    async run(t) {
      const [started, told] = [gate(), gate()];
      const { caller } = await pair(t, async (invocation) => {
        started.open();
        await new Promise((resolve) => { invocation.signal.addEventListener('abort', resolve); });
        told.open();
      });
      const stop = new AbortController();
      const call = caller.call(t.uri(), 1, { signal: stop.signal });
      const failed = fails(call, 'aborted');
      await t.soon(started.opened, 'the call');
      stop.abort();
      await t.soon(failed, 'the error');
      await t.soon(told.opened, 'the word to the callee');
    },
  },
  {
    name: 'a call that takes too long is given up, and its callee told',
    needs: ['calls'],
    only: ['cancel'],
    async run(t) {
      const told = gate();
      const { caller } = await pair(t, async (invocation) => {
        await new Promise((resolve) => { invocation.signal.addEventListener('abort', resolve); });
        told.open();
      });
      const error = await t.soon(thrown(caller.call(t.uri(), 1, { timeout: 100 })), 'the end of patience');
      // Whose clock is faster: the client's or the broker's.
      ok(error.code === 'timed_out' || error.code === 'refused', `${error.code}: ${error.message}`);
      if (error.code === 'timed_out') equal(error.retry, 'if_harmless');
      await t.soon(told.opened, 'the word to the callee');
    },
  },
  {
    name: 'no more calls run at one time than were allowed',
    needs: ['calls'],
    only: ['concurrency'],
    async run(t) {
      let [running, most] = [0, 0];
      const { caller } = await pair(t, async ({ value }) => {
        most = Math.max(most, ++running);
        await t.turn();
        running--;
        return value;
      }, { concurrency: 2 });
      const asked = Array.from({ length: 20 }, (_, number) => Promise.resolve(caller.call(t.uri(), number)).then(() => 1, () => 0));
      const answered = (await t.soon(Promise.all(asked), 'all ends')).reduce((sum, each) => sum + each);
      ok(most <= 2 && answered >= 2, `${most} at one time, ${answered} answered`);
    },
  },
  {
    name: 'a caller may disclose itself',
    needs: ['calls'],
    only: ['disclosure'],
    async run(t) {
      const { caller } = await pair(t, (invocation) => invocation.caller ?? 0);
      equal(await t.soon(caller.call(t.uri(), 1, { disclose: true }), 'the answer'), caller.status.welcome.session);
      equal(await t.soon(caller.call(t.uri(), 1), 'the answer'), 0);
    },
  },
  {
    name: 'callees that share a procedure take turns',
    needs: ['calls'],
    only: ['shared'],
    async run(t) {
      for (const number of [0, 1, 2]) {
        const callee = await t.connect();
        await t.soon(callee.register(t.uri(), () => number, { invoke: 'roundrobin' }).ready, 'the registration');
      }
      const caller = await t.connect();
      const answers = [];
      for (let count = 0; count < 6; count++) answers.push(await t.soon(caller.call(t.uri()), 'an answer'));
      equal(answers, [0, 1, 2, 0, 1, 2]);
    },
  },
  {
    name: 'a prefix answers for all below it',
    needs: ['calls', 'patterns'],
    async run(t) {
      const [caller, callee] = [await t.connect(), await t.connect()];
      await t.soon(callee.register(t.uri('files.'), ({ procedure }) => procedure, { match: 'prefix' }).ready, 'the registration');
      for (const name of ['files.a', 'files.a.b']) {
        equal(await t.soon(caller.call(t.uri(name)), 'an answer'), t.uri(name));
      }
    },
  },
  {
    name: 'a name that is no URI is refused at once',
    needs: ['calls'],
    async run(t) {
      const client = await t.connect();
      if (!t.can('calls')) return client.call(t.uri());
      for (const name of ['', 'with space', 'a..b', 'a#b']) {
        await fails(Promise.resolve(client.call(name)), 'uri');
        await fails(client.register(name, () => 1).ready, 'uri');
      }
    },
  },
];
