// Results in parts, and arguments in pieces.

import { equal, fails, ok, thrown } from './expect.js';
import { gate, pair } from './pair.js';

export default [
  {
    name: 'a result comes in parts and in order',
    needs: ['calls'],
    async run(t) {
      const { caller } = await pair(t, async function* count({ value }) {
        for (let number = 0; number < value; number++) yield number;
        return 'end';
      });
      const call = caller.call(t.uri(), 100);
      const parts = [];
      const reading = (async () => {
        for await (const part of call) parts.push(part.value);
      })();
      await t.soon(reading, 'all parts');
      equal(parts.slice(0, 100), Array.from({ length: 100 }, (_, number) => number));
      equal(await t.soon(call, 'the end'), 'end');
    },
  },
  {
    name: 'parts end with an error too',
    needs: ['calls'],
    only: ['errors'],
    async run(t) {
      const { CallError } = t.petasus;
      const { caller } = await pair(t, async function* half() {
        yield 'half';
        throw new CallError('com.example.error', 'no more');
      });
      const parts = [];
      const reading = (async () => {
        for await (const part of caller.call(t.uri())) parts.push(part.value);
      })();
      await fails(t.soon(reading, 'the end'), 'refused', 'no more');
      equal(parts, ['half']);
    },
  },
  {
    name: 'who iterates when all is over finds the end',
    needs: ['calls'],
    async run(t) {
      const { caller } = await pair(t, () => 'whole');
      const call = caller.call(t.uri());
      equal(await t.soon(call, 'the answer'), 'whole');
      ok((await t.soon(call[Symbol.asyncIterator]().next(), 'the end')).done, 'it is over');
      const none = caller.call(t.uri('none'));
      await fails(t.soon(none, 'the refusal'), 'refused');
      await fails(t.soon(none[Symbol.asyncIterator]().next(), 'the refusal'), 'refused');
    },
  },
  {
    name: 'a source whose first piece never comes does not hold the call',
    only: ['ours', 'wamp'],
    async run(t) {
      const { caller } = await pair(t, () => 'never called');
      const ended = [];
      const source = () => ({
        next: () => new Promise(() => {}),
        return: async () => ended.push('ended'),
        [Symbol.asyncIterator]() { return this; },
      });
      await fails(t.soon(caller.call(t.uri(), source(), { timeout: 50 }), 'the end of the time'), 'timed_out');
      const abort = new AbortController();
      const aborted = caller.call(t.uri(), source(), { signal: abort.signal });
      await t.turn();
      abort.abort();
      await fails(t.soon(aborted, 'the abort'), 'aborted');
      const closed = caller.call(t.uri(), source());
      await t.turn();
      await t.soon(caller.close(), 'the end of the client');
      await fails(t.soon(closed, 'the end'), 'closed');
      equal(ended.length, 3);
    },
  },
  {
    name: 'a source of pieces that fails is the error of the call, and one that is not read to its end is ended',
    needs: ['calls', 'pieces'],
    async run(t) {
      const { caller } = await pair(t, async (invocation) => {
        if (invocation.value === 'early') return 'answer';
        for await (const piece of invocation.more) void piece;
        return 'end';
      });
      async function* broken() {
        yield 'late';
        throw new Error('the disk is full');
      }
      const error = await t.soon(thrown(caller.call(t.uri(), broken())), 'the error');
      if (t.can('pieces')) equal(error.message, 'the disk is full');
      else throw error;
      const [told, gone] = [gate(), gate()];
      async function* endless() {
        try {
          yield 'early';
          await gone.opened;
          for (;;) yield 'more';
        } finally {
          told.open();
        }
      }
      equal(await t.soon(caller.call(t.uri(), endless()), 'the answer'), 'answer');
      gone.open();
      await t.soon(told.opened, 'the end of the source');
    },
  },
  {
    name: 'who waits for the result alone gets the last part',
    needs: ['calls'],
    async run(t) {
      const { caller } = await pair(t, async function* parts() {
        yield 'half';
        return 'whole';
      });
      equal(await t.soon(caller.call(t.uri()), 'the answer'), 'whole');
    },
  },
  {
    name: 'parts that are left early cancel the call',
    needs: ['calls'],
    only: ['cancel'],
    async run(t) {
      const told = gate();
      const { caller } = await pair(t, async function* forever(invocation) {
        invocation.signal.addEventListener('abort', told.open);
        for (let number = 0; ; number++) {
          yield number;
          await t.turn();
        }
      });
      for await (const part of caller.call(t.uri())) {
        if (part.value === 3) break;
      }
      await t.soon(told.opened, 'the word to the callee');
    },
  },
  {
    name: 'a procedure may send parts by hand, to those who take any',
    needs: ['calls'],
    async run(t) {
      const { caller } = await pair(t, async (invocation) => {
        if (invocation.takesProgress) await invocation.progress('half');
        return invocation.takesProgress;
      });
      equal(await t.soon(caller.call(t.uri()), 'the answer'), false);
      const call = caller.call(t.uri(), undefined, { progress: true });
      const parts = [];
      for await (const part of call) parts.push(part.value);
      equal([parts, await t.soon(call, 'the answer')], [['half'], true]);
    },
  },
  {
    name: 'arguments go in pieces',
    needs: ['calls', 'pieces'],
    async run(t) {
      const { caller } = await pair(t, async (invocation) => {
        const pieces = [invocation.value];
        for await (const piece of invocation.more) pieces.push(...piece.args);
        return pieces;
      });
      async function* numbers() {
        for (let number = 0; number < 50; number++) yield number;
      }
      equal(await t.soon(caller.call(t.uri(), numbers()), 'the answer'), Array.from({ length: 50 }, (_, number) => number));
    },
  },
];
