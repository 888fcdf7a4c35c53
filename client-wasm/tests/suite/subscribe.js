// What a subscription hears, and how it ends.

import { equal, fails, ok } from './expect.js';

/** Publishes the name of each topic to it, one after the other. */
async function publishNames(t, client, names) {
  for (const name of names) await t.soon(client.publish(t.topic(name), name), 'the acknowledgement');
}

async function expect(t, news, names) {
  for (const name of names) equal(await t.value(news, name), name);
}

/** How many subscriptions the broker knows of. */
const members = (t) => t.control.metric('petasus_members');

export default [
  {
    name: 'a topic comes with all below it and without its siblings',
    needs: ['trees'],
    async run(t) {
      const [subscriber, publisher] = [await t.connect(), await t.connect()];
      const news = subscriber.subscribe(t.topic('a'));
      await t.soon(news.ready, 'the subscription');
      await publishNames(t, publisher, ['a', 'ab', 'b', 'a/b', 'b/a', 'a/b/c', 'ab/c', 'a']);
      await expect(t, news, ['a', 'a/b', 'a/b/c', 'a']);
    },
  },
  {
    name: 'exact hears the topic alone',
    needs: ['exact'],
    async run(t) {
      const client = await t.connect();
      const news = client.subscribe(t.topic('a'), { match: 'exact' });
      await t.soon(news.ready, 'the subscription');
      await publishNames(t, client, ['a/b', 'ab', 'a', 'a/b/c', 'a']);
      await expect(t, news, ['a', 'a']);
    },
  },
  {
    name: 'a prefix is a beginning of the name',
    needs: ['patterns'],
    async run(t) {
      const client = await t.connect();
      const news = client.subscribe(t.uri('a'), { match: 'prefix' });
      await t.soon(news.ready, 'the subscription');
      await publishNames(t, client, ['b', 'a', 'ab', 'ba', 'a/b']);
      await expect(t, news, ['a', 'ab', 'a/b']);
    },
  },
  {
    name: 'a wildcard stands for one segment',
    needs: ['patterns'],
    async run(t) {
      const client = await t.connect();
      const news = client.subscribe(t.uri('a..c'), { match: 'wildcard' });
      await t.soon(news.ready, 'the subscription');
      await publishNames(t, client, ['a/c', 'a/b/c', 'a/b/d', 'a/b/c/d', 'a/x/c']);
      await expect(t, news, ['a/b/c', 'a/x/c']);
    },
  },
  {
    name: 'a message knows what it was published to',
    async run(t) {
      const client = await t.connect();
      const news = await t.subscribe(client, t.topic('a'));
      await publishNames(t, client, t.can('trees') ? ['a', 'a/b'] : ['a']);
      equal((await t.next(news)).topic, t.dialect === 'wamp' ? t.topic('a') : undefined);
      if (t.can('trees')) equal((await t.next(news)).topic, t.dialect === 'wamp' ? t.topic('a/b') : undefined);
    },
  },
  {
    name: 'subscriptions that overlap hear each message once each',
    async run(t) {
      const client = await t.connect();
      const names = t.can('trees') ? ['a', 'a', 'a/b', 'a/b/c', 'a/b'] : ['a/b/c', 'a/b/c'];
      const all = [];
      for (const name of names) all.push(await t.subscribe(client, t.topic(name)));
      for (const text of ['one', 'two', 'three']) await t.soon(client.publish(t.topic('a/b/c'), text), 'the acknowledgement');
      for (const news of all) await expect(t, news, ['one', 'two', 'three']);
    },
  },
  {
    name: 'a listener hears what an iterator would',
    async run(t) {
      const client = await t.connect();
      const heard = [];
      const news = client.subscribe(t.topic(), (message) => heard.push(message.value), t.flat);
      await t.soon(news.ready, 'the subscription');
      for (const number of [1, 2, 3]) await client.publish(t.topic(), `${number}`, { mode: 'queued' });
      await t.until('three messages', () => heard.length === 3);
      equal(heard, ['1', '2', '3']);
      await t.soon(news.unsubscribe(), 'the end');
      await t.soon(client.publish(t.topic(), 'late'), 'the acknowledgement');
      const later = await t.subscribe(client, t.topic());
      await t.soon(client.publish(t.topic(), 'later'), 'the acknowledgement');
      equal(await t.value(later), 'later');
      equal(heard, ['1', '2', '3']);
    },
  },
  {
    name: 'a listener that throws stops neither itself nor the others, and its error is not lost',
    async run(t) {
      const client = await t.connect();
      const [heard, other] = [[], []];
      const caught = t.reports('the listener is broken');
      const bad = client.subscribe(t.topic(), (message) => {
        heard.push(message.value);
        throw new Error('the listener is broken');
      }, t.flat);
      const good = client.subscribe(t.topic(), (message) => { other.push(message.value); }, t.flat);
      await t.soon(Promise.all([bad.ready, good.ready]), 'the subscriptions');
      for (const text of ['one', 'two']) await t.soon(client.publish(t.topic(), text), 'the acknowledgement');
      await t.until('all messages', () => heard.length === 2 && other.length === 2);
      equal([heard, other], [['one', 'two'], ['one', 'two']]);
      equal(client.status.state, 'connected');
      await t.until('both errors', () => caught() === 2);
    },
  },
  {
    name: 'an async listener that fails is reported, and is not the end of the program',
    async run(t) {
      const client = await t.connect();
      const caught = t.reports('the async listener is broken');
      const news = client.subscribe(t.topic(), async () => {
        throw new Error('the async listener is broken');
      }, t.flat);
      await t.soon(news.ready, 'the subscription');
      for (const text of ['one', 'two']) await t.soon(client.publish(t.topic(), text), 'the acknowledgement');
      await t.until('both errors', () => caught() === 2);
    },
  },
  {
    name: 'options are taken without a listener, too',
    async run(t) {
      const client = await t.connect();
      const news = client.subscribe(t.topic(), undefined, { ...t.flat, buffer: 1 });
      const all = await t.subscribe(client, t.topic());
      await t.soon(news.ready, 'the subscription');
      for (const text of ['one', 'two', 'three']) await t.soon(client.publish(t.topic(), text), 'the acknowledgement');
      for (let count = 0; count < 3; count++) await t.next(all);
      const { value, missed } = await t.next(news);
      equal([value, missed], ['three', 2]);
    },
  },
  {
    name: 'a subscription with a listener that is taken away is reported, also if it was awaited',
    only: ['wamp'],
    async run(t) {
      const client = await t.connectTo(await t.control.strange('revoking'), { closeTimeout: 100 });
      const caught = t.reports('took it away');
      await t.soon(client.subscribe('news', () => {}, { match: 'exact' }).ready, 'the subscription');
      await t.until('the error', () => caught() === 1);
    },
  },
  {
    name: 'what one listener does to a value is no concern of another',
    async run(t) {
      const client = await t.connect();
      const [first, second] = [await t.subscribe(client, t.topic('a')), await t.subscribe(client, t.topic('a'))];
      await t.soon(client.publish(t.topic('a'), { list: [1] }), 'the acknowledgement');
      const { list } = (await t.next(first)).json();
      list.push(2);
      equal((await t.next(second)).json(), { list: [1] });
    },
  },
  {
    name: 'nothing comes after an unsubscription, and the others hear on',
    async run(t) {
      const client = await t.connect();
      const stays = await t.subscribe(client, t.topic('a'));
      const first = await t.subscribe(client, t.topic('a'));
      await t.soon(first.unsubscribe(), 'the end');
      await t.soon(first.unsubscribe(), 'the end again');
      equal((await t.soon(t.iterator(first).next(), 'the end of the iterator')).done, true);
      await publishNames(t, client, ['a']);
      await expect(t, stays, ['a']);
      const again = await t.subscribe(client, t.topic('a'));
      await publishNames(t, client, ['a']);
      await expect(t, again, ['a']);
      await expect(t, stays, ['a']);
    },
  },
  {
    name: 'an iterator that is left early unsubscribes',
    only: ['ours'],
    async run(t) {
      const client = await t.connect();
      const other = await t.connect();
      // Over Mercury one socket tells each client that the broker is there, as long as no other does.
      const idle = await members(t);
      const leave = async (how) => {
        const news = await t.subscribe(client, t.topic());
        await t.until('it to be there', async () => (await members(t)) > idle || t.dialect === 'mercury');
        await other.publish(t.topic(), how, { mode: 'queued' });
        const loop = async () => {
          for await (const message of news) {
            equal(message.value, how);
            if (how === 'break') break;
            if (how === 'return') return;
            throw new Error('left');
          }
        };
        await t.soon(loop().catch((error) => equal(error.message, 'left')), how);
        equal((await news[Symbol.asyncIterator]().next()).done, true, how);
        await t.until(`the broker to forget it after ${how}`, async () => (await members(t)) <= idle + (t.dialect === 'mercury' ? 1 : 0));
      };
      for (const how of ['break', 'return', 'throw']) await leave(how);
    },
  },
  {
    name: 'await using ends a subscription',
    only: ['ours'],
    async run(t) {
      const dispose = Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose');
      const client = await t.connect();
      const idle = await members(t);
      const news = await t.subscribe(client, t.topic());
      ok(typeof news[dispose] === 'function', 'it can be disposed of');
      await t.soon(news[dispose](), 'the end');
      await t.until('the broker to forget it', async () => (await members(t)) === idle);
      equal((await news[Symbol.asyncIterator]().next()).done, true);
    },
  },
  {
    name: 'slashes and dots name the same topic',
    async run(t) {
      const client = await t.connect();
      const [dots, slashes] = [await t.subscribe(client, t.uri('a.b')), await t.subscribe(client, t.topic('a/b'))];
      await t.soon(client.publish(t.topic('a/b'), 'slashes'), 'the acknowledgement');
      await t.soon(client.publish(t.uri('a.b'), 'dots'), 'the acknowledgement');
      for (const news of [dots, slashes]) await expect(t, news, ['slashes', 'dots']);
    },
  },
  {
    name: 'a subscription that is left before it is ready is over',
    async run(t) {
      const client = await t.connect();
      const news = client.subscribe(t.topic(), t.flat);
      await t.soon(news.unsubscribe(), 'the end');
      equal((await t.soon(news[Symbol.asyncIterator]().next(), 'the end of the iterator')).done, true);
      await fails(news.ready, 'closed', 'before it stood');
    },
  },
  {
    name: 'two iterations over one subscription share its messages',
    async run(t) {
      const client = await t.connect();
      const news = await t.subscribe(client, t.topic());
      const [one, two] = [news[Symbol.asyncIterator](), news[Symbol.asyncIterator]()];
      const both = Promise.all([one.next(), two.next()]);
      for (const text of ['first', 'second']) await t.soon(client.publish(t.topic(), text), 'the acknowledgement');
      const texts = (await t.soon(both, 'two messages')).map(({ value }) => value.value);
      equal(texts.sort(), ['first', 'second']);
    },
  },
];
