// Queues: each job to one puller.

import { equal, fails, failsNow, ok } from './expect.js';

const UNAVAILABLE = 'wamp.error.unavailable';

async function pull(t, client, options = {}) {
  const jobs = client.pull(t.topic('jobs'), options);
  await t.soon(jobs.ready, 'the queue');
  return jobs;
}

export default [
  {
    name: 'a job is handed to a puller',
    needs: ['queues'],
    async run(t) {
      const [puller, pusher] = [await t.connect(), await t.connect()];
      const jobs = await pull(t, puller);
      const bytes = t.has('binaryPost') ? [new Uint8Array([255, 0])] : [];
      for (const value of ['one', '', 'ünï', ...bytes]) {
        // Held, if the puller's answer to the one before is still on its way.
        const word = await t.soon(pusher.push(t.topic('jobs'), value), 'the word that it was handed');
        ok(word === 'handed' || word === 'held', word);
        const job = await t.next(jobs);
        equal(job.value, value);
        await t.soon(job.done(), 'the end of the job');
      }
      await t.soon(pusher.push(t.topic('jobs'), { resize: [640, 480] }), 'the word that it was handed');
      equal((await t.next(jobs)).json(), { resize: [640, 480] });
    },
  },
  {
    name: 'a job without a puller is refused, and may come later',
    needs: ['queues'],
    async run(t) {
      const client = await t.connect();
      const error = await fails(client.push(t.topic('jobs'), 'one'), 'refused');
      equal([error.uri, error.retry, error.fault], [UNAVAILABLE, 'yes', 'server']);
    },
  },
  {
    name: 'a pull that is refused for its options takes no place',
    needs: ['queues'],
    async run(t) {
      const client = await t.connect();
      await failsNow(() => client.pull(t.topic('jobs'), { complete: 'sometime' }).ready, 'setting', 'complete');
      await fails(client.push(t.topic('jobs'), 'one'), 'refused');
    },
  },
  {
    name: 'jobs that were not taken when the queue is left go to another puller, and to nobody else',
    needs: ['queues'],
    only: ['wamp', 'ours'],
    async run(t) {
      const [one, two, pusher] = [await t.connect(), await t.connect(), await t.connect()];
      const jobs = await pull(t, one, { concurrency: 5 });
      for (const text of ['a', 'b', 'c']) await t.soon(pusher.push(t.topic('jobs'), text), 'a turn');
      // What was handed has arrived when this has.
      await t.soon(one.publish(t.topic('settled'), ''), 'the acknowledgement');
      await (await t.next(jobs)).done();
      const others = await pull(t, two, { concurrency: 5 });
      await t.soon(jobs.leave(), 'the end');
      equal((await t.soon(t.iterator(jobs).next(), 'the end of the iterator')).done, true);
      equal([await t.value(others), await t.value(others)].sort(), ['b', 'c']);
    },
  },
  {
    name: 'a job without a puller may be held by the broker',
    only: ['ours'],
    async run(t) {
      const { url } = await t.control.broker({ env: { PETASUS_QUEUE_WITHOUT_PULLER: 'hold' } });
      const client = await t.connectTo(url);
      equal(await t.soon(client.push(t.topic('jobs'), 'one'), 'the word that it is held'), 'held');
      const jobs = await pull(t, client);
      equal(await t.value(jobs), 'one');
    },
  },
  {
    name: 'who waits until a job is done hears the answer',
    needs: ['queues', 'done'],
    async run(t) {
      const [puller, pusher] = [await t.connect(), await t.connect()];
      const jobs = t.can('done') ? await pull(t, puller) : undefined;
      const answers = ['first', { second: [2] }, undefined];
      for (const answer of answers) {
        const pushed = pusher.push(t.topic('jobs'), 'job', { ack: 'done' });
        if (!jobs) await t.soon(pushed, 'the answer');
        await (await t.next(jobs)).done(answer);
        equal((await t.soon(pushed, 'the answer')) ?? undefined, answer);
      }
    },
  },
  {
    name: 'a job that failed says so to who waits',
    needs: ['queues', 'done'],
    async run(t) {
      const [puller, pusher] = [await t.connect(), await t.connect()];
      const jobs = t.can('done') ? await pull(t, puller) : undefined;
      const pushed = pusher.push(t.topic('jobs'), 'one', { ack: 'done' });
      if (!jobs) await t.soon(pushed, 'the answer');
      await (await t.next(jobs)).failed('no paper', 'com.example.error');
      const error = await fails(t.soon(pushed, 'the failure'), 'refused', 'no paper', 'com.example.error');
      equal(error.uri, 'com.example.error');
    },
  },
  {
    name: 'a job that failed is no error where nobody waits',
    needs: ['queues'],
    async run(t) {
      const [puller, pusher] = [await t.connect(), await t.connect()];
      const jobs = await pull(t, puller);
      for (const text of ['one', 'two']) {
        await t.soon(pusher.push(t.topic('jobs'), text), 'the word that it was handed');
        const job = await t.next(jobs);
        equal(job.value, text);
        await t.soon(job.failed('no paper', 'com.example.error'), 'the end of the job');
      }
    },
  },
  {
    name: 'two pullers take turns',
    needs: ['queues'],
    async run(t) {
      const [one, two, pusher] = [await t.connect(), await t.connect(), await t.connect()];
      const pullers = [await pull(t, one, { concurrency: 10 }), await pull(t, two, { concurrency: 10 })];
      for (let number = 0; number < 10; number++) await t.soon(pusher.push(t.topic('jobs'), `${number}`), 'a turn');
      for (let number = 0; number < 10; number++) {
        const job = await t.next(pullers[number % 2]);
        equal(job.value, `${number}`);
        await job.done();
      }
    },
  },
  {
    name: 'a puller has as many jobs as it takes',
    needs: ['queues'],
    only: ['wamp'],
    async run(t) {
      const [puller, other, pusher] = [await t.connect(), await t.connect(), await t.connect()];
      const few = await pull(t, puller, { concurrency: 2 });
      const many = await pull(t, other, { concurrency: 100 });
      for (let number = 0; number < 6; number++) await t.soon(pusher.push(t.topic('jobs'), `${number}`), 'a turn');
      const [first, second] = [await t.next(few), await t.next(few)];
      equal([first.value, second.value], ['0', '2']);
      for (const text of ['1', '3', '4', '5']) {
        const job = await t.next(many);
        equal(job.value, text);
        await job.done();
      }
      await second.done();
      // What it answered first has arrived when this has.
      await t.soon(puller.publish(t.topic('settled'), ''), 'the acknowledgement');
      await t.soon(pusher.push(t.topic('jobs'), '6'), 'a turn');
      equal((await t.next(few)).value, '6');
      await first.done();
    },
  },
  {
    name: 'jobs that were not answered go to another puller',
    needs: ['queues'],
    only: ['wamp', 'ours'],
    async run(t) {
      const [one, two, pusher] = [await t.connect(), await t.connect(), await t.connect()];
      const first = await pull(t, one, { concurrency: 3 });
      const pushes = ['a', 'b', 'c'].map((text) => pusher.push(t.topic('jobs'), text, { ack: 'done' }));
      const held = await t.next(first);
      const second = await pull(t, two, { concurrency: 3 });
      await t.soon(one.close(), 'the end of the first');
      const texts = [];
      for (let count = 0; count < 3; count++) {
        const job = await t.next(second);
        texts.push(job.value);
        await job.done();
      }
      equal(texts.sort(), ['a', 'b', 'c']);
      await t.soon(Promise.all(pushes), 'the ends of the jobs');
      await fails((async () => held.done())(), 'stale').catch(() => fails((async () => held.done())(), 'closed'));
    },
  },
  {
    name: 'with complete: on_return a job is done when the next one is asked for, and failed where the loop is left',
    needs: ['queues', 'done'],
    async run(t) {
      const [puller, pusher] = [await t.connect(), await t.connect()];
      const push = (text) => pusher.push(t.topic('jobs'), text, { ack: 'done' });
      if (!t.can('done')) await push('x');
      const jobs = await pull(t, puller, { complete: 'on_return' });
      const seen = [];
      const working = (async () => {
        for await (const job of jobs) {
          seen.push(job.value);
          if (job.value === 'answered') await job.done('by hand');
          if (job.value === 'last') break;
        }
      })();
      await t.soon(push('one'), 'the end of one');
      equal(await t.soon(push('answered'), 'the answer'), 'by hand');
      await fails(t.soon(push('last'), 'the end of the last'), 'refused');
      await t.soon(working, 'the end of the loop');
      equal(seen, ['one', 'answered', 'last']);
    },
  },
  {
    name: 'a loop over jobs that is left early leaves the queue',
    needs: ['queues'],
    async run(t) {
      const [puller, pusher] = [await t.connect(), await t.connect()];
      const jobs = await pull(t, puller);
      await t.soon(pusher.push(t.topic('jobs'), 'one'), 'the word that it was handed');
      for await (const job of jobs) {
        await job.done();
        break;
      }
      await t.until('the queue to have no puller', async () => {
        const error = await pusher.push(t.topic('jobs'), 'two').then(() => undefined, (problem) => problem);
        return error?.uri === UNAVAILABLE;
      });
      ok((await jobs[Symbol.asyncIterator]().next()).done, 'it is over');
    },
  },
];
