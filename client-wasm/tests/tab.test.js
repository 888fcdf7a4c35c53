// What happens to a tab: it is frozen, hidden, offline, kept in the back-forward cache. In both dialects.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import WebSocket from 'ws';
import { Broker } from './stage/broker.js';
import { launch } from './stage/chromium.js';
import { serveFiles } from './stage/files.js';
import { Network } from './stage/network.js';
import { load } from './stage/package.js';

const { connect } = await load('.');

/** Nothing is noticed by a clock: a test that waits for one hangs. */
const NEVER = 600_000;
const PATIENCE = 20_000;

let chromium;
let files;
before(async () => {
  // Playwright switches it off.
  chromium = await launch({ ignoreDefaultArgs: ['--disable-back-forward-cache'] });
  files = await serveFiles();
});
after(async () => {
  await files?.stop();
  await chromium?.stop();
});

/** A page with a client behind a network to a broker of its own, that hears `news`; and a publisher in Node. */
async function scene(t, dialect, options = {}) {
  const broker = await Broker.start();
  const network = await Network.to(broker.url);
  const publisher = await connect(broker.url, { dialect, WebSocket, backoff: { min: 20, max: 200 } });
  const context = await chromium.browser.newContext();
  const page = await context.newPage();
  t.after(async () => {
    await context.close();
    await publisher.close();
    await network.close();
    await broker.stop();
  });
  page.setDefaultTimeout(PATIENCE);
  const problems = [];
  page.on('pageerror', (error) => problems.push(error));
  await page.goto(files.url);
  await page.waitForFunction(() => globalThis.petasus);
  await page.evaluate(async ([url, chosen]) => {
    globalThis.told = [];
    globalThis.heard = [];
    const onStatus = ({ state, failure }) => told.push({ state, failure: failure?.failure });
    globalThis.client = await petasus.connect(url, { ...chosen, onStatus });
    globalThis.news = client.subscribe('news', ({ value, gap }) => heard.push([value, gap]));
    await news.ready;
  }, [network.url, { dialect, backoff: { min: 20, max: 200 }, ...options }]);
  const cdp = await context.newCDPSession(page);
  return { broker, network, publisher, page, cdp, problems };
}

const heard = (page) => page.evaluate(() => heard);

async function untilHeard(page, text) {
  await page.waitForFunction((wanted) => heard.some(([value]) => value === wanted), text, { polling: 20 });
}

const untilState = (page, state, is = true) => page.waitForFunction(
  ([wanted, so]) => (client.status.state === wanted) === so,
  [state, is],
  { polling: 20 },
);

const untilResumed = (page) => page.waitForFunction(() => news.resumed > 0, undefined, { polling: 20 });

/** Makes a page believe that it is hidden, or seen again, and tells it. */
const show = (page, state) => page.evaluate((visibility) => {
  Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => visibility });
  Object.defineProperty(document, 'hidden', { configurable: true, get: () => visibility === 'hidden' });
  document.dispatchEvent(new Event('visibilitychange'));
}, state);

const lifecycle = (cdp, state) => cdp.send('Page.setWebLifecycleState', { state });

for (const dialect of ['wamp', 'mercury']) {
  describe(`a tab over ${dialect}`, () => {
    test('hears what came while it was frozen, without a gap', async (t) => {
      const { publisher, page, cdp, problems } = await scene(t, dialect);
      await lifecycle(cdp, 'frozen');
      for (const text of ['one', 'two', 'three']) await publisher.publish('news', text);
      await lifecycle(cdp, 'active');
      await untilHeard(page, 'three');
      assert.deepEqual(await heard(page), [['one', false], ['two', false], ['three', false]]);
      assert.deepEqual(problems, []);
    });

    test('that is frozen while the broker is killed and started again comes back', async (t) => {
      const { broker, publisher, page, cdp, problems } = await scene(t, dialect);
      await publisher.publish('news', 'before');
      await untilHeard(page, 'before');
      await lifecycle(cdp, 'frozen');
      await broker.kill();
      await broker.restart();
      await lifecycle(cdp, 'active');
      await untilResumed(page);
      await publisher.publish('news', 'after', { timeout: PATIENCE });
      await untilHeard(page, 'after');
      assert.deepEqual(await heard(page), [['before', false], ['after', true]]);
      assert.deepEqual(problems, []);
    });

    test('that waits for its next attempt tries at once when it is seen again', async (t) => {
      const { network, publisher, page } = await scene(t, dialect, { backoff: { min: NEVER, max: NEVER } });
      await show(page, 'hidden');
      network.cut();
      await untilState(page, 'waiting');
      network.heal();
      await show(page, 'visible');
      await untilResumed(page);
      await publisher.publish('news', 'after');
      await untilHeard(page, 'after');
    });

    test('that waits for its next attempt tries at once when the network is back', async (t) => {
      const { network, publisher, page, cdp } = await scene(t, dialect, { backoff: { min: NEVER, max: NEVER } });
      const still = { latency: 0, downloadThroughput: -1, uploadThroughput: -1 };
      const offline = (is) => cdp.send('Network.emulateNetworkConditions', { offline: is, ...still });
      await cdp.send('Network.enable');
      network.cut();
      await offline(true);
      await page.waitForFunction(() => !navigator.onLine);
      await untilState(page, 'waiting');
      network.heal();
      await offline(false);
      await untilResumed(page);
      await publisher.publish('news', 'after');
      await untilHeard(page, 'after');
    });

    test('goes into the back-forward cache, and hears on when it comes out', async (t) => {
      const { publisher, page } = await scene(t, dialect, { backoff: { min: NEVER, max: NEVER } });
      await publisher.publish('news', 'before');
      await untilHeard(page, 'before');
      await page.evaluate(() => {
        addEventListener('pageshow', (event) => { globalThis.persisted = event.persisted; });
      });
      await page.goto(`${files.url}/elsewhere`);
      assert.equal(await page.evaluate(() => typeof globalThis.client), 'undefined');
      await publisher.publish('news', 'while it is away');
      await page.goBack({ waitUntil: 'commit' });
      await page.waitForFunction(() => globalThis.persisted !== undefined);
      assert.equal(await page.evaluate(() => globalThis.persisted), true, 'it came out of the cache');
      await untilResumed(page);
      await publisher.publish('news', 'after');
      await untilHeard(page, 'after');
      assert.deepEqual(await heard(page), [['before', false], ['after', true]]);
      await page.evaluate(() => client.publish('news', 'and it speaks'));
      await untilHeard(page, 'and it speaks');
    });

    test('that is closed is gone at the broker', async (t) => {
      const { broker, publisher, page } = await scene(t, dialect);
      await publisher.close();
      await page.close();
      for (const end = Date.now() + PATIENCE; (await broker.metric('petasus_members')) > 0;) {
        assert.ok(Date.now() < end, 'the broker still knows it');
      }
    });
  });
}

test('two browsers talk, in five lines', async (t) => {
  const broker = await Broker.start();
  const other = await launch();
  t.after(async () => {
    await other.stop();
    await broker.stop();
  });
  const talk = async (browser, name) => {
    const page = await (await browser.newContext()).newPage();
    await page.goto(files.url);
    await page.waitForFunction(() => globalThis.petasus);
    return page.evaluate(async ([url, word]) => {
      const client = await petasus.connect(url);
      const room = client.bus('room');
      await room.ready;
      // Whoever comes second finds the first one there.
      const hello = setInterval(() => room.send(word), 20);
      for await (const message of room) {
        // And whoever hears something has not been heard for sure.
        await room.send(word, { mode: 'acknowledged' });
        clearInterval(hello);
        await client.drain();
        return message.value;
      }
    }, [broker.url, name]);
  };
  const heard = await Promise.all([talk(chromium.browser, 'one'), talk(other.browser, 'two')]);
  assert.deepEqual(heard, ['two', 'one']);
});

describe('a tab over wamp whose network says nothing any more', () => {
  const options = { heartbeat: { idle: NEVER, patience: 300 }, connectTimeout: 500 };

  test('notices it when it is seen again', async (t) => {
    const { network, publisher, page } = await scene(t, 'wamp', options);
    await show(page, 'hidden');
    network.freeze();
    await show(page, 'visible');
    await page.waitForFunction(() => told.some(({ failure }) => failure === 'silent'), undefined, { polling: 20 });
    network.heal();
    await untilResumed(page);
    await publisher.publish('news', 'after');
    await untilHeard(page, 'after');
  });

  test('notices it when the network is said to be back', async (t) => {
    const { network, page } = await scene(t, 'wamp', options);
    network.freeze();
    await page.evaluate(() => dispatchEvent(new Event('online')));
    await page.waitForFunction(() => told.some(({ failure }) => failure === 'silent'), undefined, { polling: 20 });
    network.heal();
    await untilResumed(page);
  });

  test('is left in peace when it is alive, however often it is hidden and seen', async (t) => {
    const { publisher, page } = await scene(t, 'wamp', options);
    for (let time = 0; time < 5; time++) {
      await show(page, 'hidden');
      await show(page, 'visible');
    }
    await publisher.publish('news', 'still there');
    await untilHeard(page, 'still there');
    assert.deepEqual(await heard(page), [['still there', false]]);
  });
});
