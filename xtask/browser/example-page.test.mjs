// The example page in Chromium, against a real broker. `node --test example-page.test.mjs`, or `cargo xtask test`.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { findBroker } from './broker.mjs';
import { close, launch, open } from './chromium.mjs';
import { PEERS, moveTo, part, received, say, untilAllConnected, untilCount, untilReceived, untilState } from './peers.mjs';

const run = promisify(execFile);
let broker;
let here;
let there;

before(async () => {
  broker = await findBroker();
  [here, there] = await Promise.all([launch(), launch()]);
});

after(async () => {
  await Promise.all([here?.close(), there?.close()]);
  await broker?.stop();
});

/** Opens the example page and waits until its eight peers have connected by themselves. */
async function openExample(browser = here, options = {}) {
  const opened = await open(browser, `${broker.url}/`, options);
  await untilAllConnected(opened.page);
  return opened;
}

test('the page comes with a policy that lets it run nothing but its own scripts', async () => {
  const opened = await openExample();
  const policy = opened.response.headers()['content-security-policy'] ?? '';
  assert.match(policy, /default-src 'self'/);
  assert.doesNotMatch(policy, /unsafe/);
  assert.equal(await opened.page.locator('script:not([src]), [onclick], [onerror], [style]:not(.pattern)').count(), 0);
  await close(opened);
});

test('two browsers with the page as it comes exchange messages over all three patterns', async () => {
  const left = await openExample(here);
  const right = await openExample(there);
  const [a, b] = [left.page, right.page];

  await say(a, 'bus-a', 'from the left');
  for (const [page, peer] of [[a, 'bus-b'], [b, 'bus-a'], [b, 'bus-b']]) await untilReceived(page, peer, 'from the left');
  await say(b, 'bus-b', 'from the right');
  for (const [page, peer] of [[a, 'bus-a'], [a, 'bus-b'], [b, 'bus-a']]) await untilReceived(page, peer, 'from the right');
  assert.deepEqual(await received(a, 'bus-a'), ['from the right']);
  assert.deepEqual(await received(b, 'bus-b'), ['from the left']);

  await say(a, 'publisher', 'sunny');
  for (const page of [a, b]) for (const peer of ['subscriber-a', 'subscriber-b']) await untilReceived(page, peer, 'sunny');

  for (let job = 1; job <= 8; job++) await say(job % 2 ? a : b, 'pusher', `job ${job}`);
  await Promise.all([a, b].map((page) => untilCount(page, ['puller-a', 'puller-b'], 4)));
  const jobs = await Promise.all([a, b].flatMap((page) => ['puller-a', 'puller-b'].map((peer) => received(page, peer))));
  assert.deepEqual(jobs.map((each) => each.length), [2, 2, 2, 2]);
  assert.deepEqual(jobs.flat().sort(), ['job 1', 'job 2', 'job 3', 'job 4', 'job 5', 'job 6', 'job 7', 'job 8']);
  await close(left, right);
});

test('a subscriber hears its topic and the topics below it, in another browser too', async () => {
  const left = await openExample(here);
  const right = await openExample(there);
  const [a, b] = [left.page, right.page];
  for (const page of [a, b]) {
    await moveTo(page, 'subscriber-a', 'tree');
    await moveTo(page, 'subscriber-b', 'tree/leaf');
  }
  for (const topic of ['tree', 'tree/twig', 'tree/leaf', 'trees']) {
    await moveTo(a, 'publisher', topic);
    await say(a, 'publisher', topic);
  }
  await moveTo(a, 'publisher', 'tree/leaf/vein');
  await say(a, 'publisher', 'last');
  for (const page of [a, b]) {
    await untilReceived(page, 'subscriber-a', 'last');
    await untilReceived(page, 'subscriber-b', 'last');
    assert.deepEqual((await received(page, 'subscriber-a')).sort(), ['last', 'tree', 'tree/leaf', 'tree/twig']);
    assert.deepEqual((await received(page, 'subscriber-b')).sort(), ['last', 'tree/leaf']);
  }
  await close(left, right);
});

test('the buttons under the publisher move it up and down the tree of topics', async () => {
  const opened = await openExample();
  await opened.page.getByRole('button', { name: 'Topic weather/rome' }).click();
  await untilState(opened.page, 'publisher', 'open');
  await say(opened.page, 'publisher', 'rain in Rome');
  await untilReceived(opened.page, 'subscriber-a', 'rain in Rome');
  await opened.page.getByRole('button', { name: 'Topic weather/berlin' }).click();
  await untilState(opened.page, 'publisher', 'open');
  await say(opened.page, 'publisher', 'fog in Berlin');
  await untilReceived(opened.page, 'subscriber-b', 'fog in Berlin');
  assert.deepEqual(await received(opened.page, 'subscriber-b'), ['fog in Berlin']);
  await close(opened);
});

test('a push goes to the pullers of two browsers in turn', async () => {
  const left = await openExample(here);
  const right = await openExample(there);
  const [a, b] = [left.page, right.page];
  for (const page of [a, b]) {
    await part(page, 'puller-b', 'connect').click();
    await untilState(page, 'puller-b', 'closed');
    await moveTo(page, 'puller-a', 'turns');
    await moveTo(page, 'pusher', 'turns');
  }
  // The message counts up by itself.
  await part(a, 'pusher', 'message').fill('{n}');
  for (let press = 0; press < 6; press++) await part(a, 'pusher', 'send').click();
  await untilCount(a, ['puller-a'], 3);
  await untilCount(b, ['puller-a'], 3);
  assert.deepEqual(await received(a, 'puller-a'), ['1', '3', '5']);
  assert.deepEqual(await received(b, 'puller-a'), ['2', '4', '6']);
  await close(left, right);
});

test('echo decides whether a bus peer hears itself', async () => {
  const opened = await openExample();
  const { page } = opened;
  await moveTo(page, 'bus-a', 'echoes');
  await moveTo(page, 'bus-b', 'echoes');
  await say(page, 'bus-a', 'without');
  await untilReceived(page, 'bus-b', 'without');
  const rejoined = page.waitForEvent('websocket', (socket) => socket.url().endsWith('/bus/echoes?echo=1'));
  await part(page, 'bus-a', 'echo').check();
  await rejoined;
  await untilState(page, 'bus-a', 'open');
  await say(page, 'bus-a', 'with');
  await untilReceived(page, 'bus-a', 'with');
  assert.deepEqual(await received(page, 'bus-a'), ['with']);
  assert.deepEqual(await received(page, 'bus-b'), ['without', 'with']);
  await close(opened);
});

test('markup in a message is text in the log', async () => {
  const opened = await openExample();
  const { page } = opened;
  const markup = '<img src=x onerror="document.title=1"><b>bold</b>&amp;';
  await say(page, 'bus-a', markup);
  await untilReceived(page, 'bus-b', markup);
  assert.equal(await page.locator('.log img, .log b').count(), 0);
  assert.notEqual(await page.title(), '1');
  await close(opened);
});

test('emoji, binary and empty messages come through as they are', async () => {
  const opened = await openExample();
  const { page } = opened;
  await moveTo(page, 'bus-a', 'kinds');
  await moveTo(page, 'bus-b', 'kinds');
  await page.evaluate(async (url) => {
    const socket = new WebSocket(url);
    socket.binaryType = 'arraybuffer';
    window.heard = [];
    socket.onmessage = ({ data }) => window.heard.push(typeof data === 'string' ? data : Array.from(new Uint8Array(data)));
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = reject;
    });
    window.probe = socket;
  }, `${broker.url.replace('http', 'ws')}/bus/kinds`);

  const emoji = '👩‍🚀 ÿ مرحبا 你好 \u0000';
  await page.evaluate((text) => {
    window.probe.send(text);
    window.probe.send(new Uint8Array([0, 255, 254, 128]));
    window.probe.send('');
  }, emoji);
  await part(page, 'bus-b', 'log').getByText('empty message').waitFor();
  const lines = part(page, 'bus-b', 'log').locator('p.in');
  assert.deepEqual(await lines.locator('.text').allTextContents(), [emoji, '00 ff fe 80', '']);
  assert.deepEqual(await lines.locator('.remark').allTextContents(), ['binary, 4 bytes', 'empty message']);

  await say(page, 'bus-a', 'é 🪽');
  await page.waitForFunction(() => window.heard.length === 1);
  assert.deepEqual(await page.evaluate(() => window.heard), ['é 🪽']);
  await close(opened);
});

test('a log keeps the newest 200 lines', async () => {
  const opened = await openExample();
  const { page } = opened;
  await moveTo(page, 'subscriber-a', 'flood');
  await page.evaluate(async (url) => {
    const socket = new WebSocket(url);
    await new Promise((resolve) => { socket.onopen = resolve; });
    for (let number = 1; number <= 500; number++) socket.send(`flood ${number}`);
  }, `${broker.url.replace('http', 'ws')}/pub/flood`);
  await untilReceived(page, 'subscriber-a', 'flood 500');
  await untilCount(page, ['subscriber-a'], 500);
  const texts = await received(page, 'subscriber-a');
  assert.equal(texts.length, 200);
  assert.equal(texts[0], 'flood 301');
  await close(opened);
});

test('everything can be done with the keyboard', async () => {
  const opened = await openExample();
  const { page } = opened;
  const focused = () => page.evaluate(() => {
    const { dataset, tagName } = document.activeElement;
    const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
    return { id: dataset.testid ?? tagName, visible: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 1 };
  });
  const tabTo = async (id) => {
    for (;;) {
      await page.keyboard.press('Tab');
      const at = await focused();
      assert.notEqual(at.id, 'BODY', `the Tab key does not reach ${id}`);
      assert.ok(at.visible, `the focus on ${at.id} cannot be seen`);
      if (at.id === id) return;
    }
  };

  await tabTo('bus-a-log');
  await tabTo('bus-a-message');
  await page.keyboard.press('Control+A');
  await page.keyboard.type('typed, not clicked');
  await page.keyboard.press('Enter');
  await untilReceived(page, 'bus-b', 'typed, not clicked');

  await tabTo('bus-b-echo');
  await page.keyboard.press('Space');
  await page.getByTestId('bus-b-log').getByText('joined /bus/lobby?echo=1').waitFor();
  await tabTo('bus-b-connect');
  await page.keyboard.press('Enter');
  await untilState(page, 'bus-b', 'closed');
  assert.equal(await part(page, 'bus-b', 'state').textContent(), 'closed 1000: normal closure');
  await page.keyboard.press('Enter');
  await untilState(page, 'bus-b', 'open');

  await tabTo('subscriber-a-topic');
  await page.keyboard.press('Control+A');
  await page.keyboard.type('weather/berlin/mitte');
  await page.keyboard.press('Enter');
  await page.getByTestId('subscriber-a-log').getByText('joined /sub/weather/berlin/mitte').waitFor();
  await tabTo('post-send');
  await page.keyboard.press('Enter');
  await untilReceived(page, 'subscriber-b', '18 °C, light wind');
  await close(opened);
});

test('addresses, topics and shell words are written as they must be', async () => {
  const opened = await openExample();
  const written = await opened.page.evaluate(async () => {
    const { curlLine, endpointPath, parseRoot, shellQuote } = await import('/example/address.js');
    return {
      roots: ['localhost:3000', ' https://x.example/mount/ ', 'wss://[::1]:8443', 'HTTP://H/?q#f'].map((text) => parseRoot(text).ws),
      paths: ['a/b', 'a//b/', 'ü %/?#', '/'].map((topic) => endpointPath('sub', topic)).concat(endpointPath('bus', 'a', { echo: true })),
      words: ['plain-1', "it's", '', '@file', 'a b;c'].map(shellQuote),
      line: curlLine('http://h/pub/a', '@file'),
    };
  });
  assert.deepEqual(written, {
    roots: ['ws://localhost:3000', 'wss://x.example/mount', 'wss://[::1]:8443', 'ws://h'],
    paths: ['/sub/a/b', '/sub/a//b/', '/sub/%C3%BC%20%25/%3F%23', '/sub//', '/bus/a?echo=1'],
    words: ['plain-1', "'it'\\''s'", "''", '@file', "'a b;c'"],
    line: 'curl --data-raw @file http://h/pub/a',
  });
  await close(opened);
});

test('every field and button has a name', async () => {
  const opened = await openExample();
  const controls = opened.page.locator('input:visible, select:visible, button:visible, [tabindex="0"]:visible, [role="img"]');
  const nameless = await controls.evaluateAll((elements) => elements.filter((element) => (
    !element.getAttribute('aria-label') && !element.labels?.length && !element.textContent.trim()
  )).map((element) => element.outerHTML));
  assert.deepEqual(nameless, []);
  await close(opened);
});

test('where nothing answers, a sentence says what to do', async () => {
  const opened = await openExample(here, { expectErrors: true });
  const { page } = opened;
  const port = await freePort();
  await page.getByTestId('root').fill(`127.0.0.1:${port}`);
  await page.getByTestId('connect-all').click();
  await untilState(page, 'bus-a', 'failed');
  await part(page, 'bus-a', 'notice').getByText(/^Nothing answers at http:\/\/127\.0\.0\.1:\d+\. Start a broker there/).waitFor();
  await page.getByTestId('tally').getByText('0 of 8 connected').waitFor();

  await page.getByTestId('root').fill(broker.url);
  await page.getByTestId('root').press('Enter');
  await untilAllConnected(page);
  assert.equal(await part(page, 'bus-a', 'notice').isVisible(), false);
  await opened.context.close();
});

test('where an origin is refused, a sentence says what to do', async () => {
  const refusing = createServer((request, response) => response.writeHead(401).end('Origin check failed'));
  refusing.on('upgrade', (request, socket) => socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n'));
  await new Promise((resolve) => refusing.listen(0, '127.0.0.1', resolve));
  const opened = await openExample(here, { expectErrors: true });
  const { page } = opened;
  await page.getByTestId('root').fill(`http://127.0.0.1:${refusing.address().port}`);
  await page.getByTestId('connect-all').click();
  const sentence = await part(page, 'puller-b', 'notice').getByText(/refuses WebSockets from this page/).textContent();
  assert.match(sentence, /--allow-origin 127\.0\.0\.1$/);
  await opened.context.close();
  await new Promise((resolve) => refusing.close(resolve));
});

test('an address or a topic that cannot be used is explained before anything is sent', async () => {
  const opened = await openExample();
  const { page } = opened;
  for (const [typed, words] of [['', /Enter the broker/], ['http://', /is not an address/], ['ftp://x', /cannot connect to ftp/]]) {
    await page.getByTestId('root').fill(typed);
    await page.getByTestId('connect-all').click();
    await page.getByTestId('page-notice').getByText(words).waitFor();
  }
  await page.getByTestId('root').fill(broker.url);
  for (const [typed, words] of [['', /at least one character/], ['a/../b', /Choose another topic/]]) {
    await part(page, 'bus-a', 'topic').fill(typed);
    await part(page, 'bus-a', 'topic').press('Enter');
    await part(page, 'bus-a', 'notice').getByText(words).waitFor();
  }
  await close(opened);
});

test('a peer that is not connected keeps the message and says so', async () => {
  const opened = await openExample();
  const { page } = opened;
  await part(page, 'publisher', 'connect').click();
  await untilState(page, 'publisher', 'closed');
  await say(page, 'publisher', 'kept');
  await part(page, 'publisher', 'notice').getByText('Publisher is not connected, so nothing was sent. Connect it').waitFor();
  assert.equal(await part(page, 'publisher', 'message').inputValue(), 'kept');
  await part(page, 'publisher', 'connect').click();
  await untilState(page, 'publisher', 'open');
  assert.equal(await part(page, 'publisher', 'notice').isVisible(), false);
  await close(opened);
});

test('a message over the limit closes the sender with code and reason in words', async () => {
  const opened = await openExample();
  const { page } = opened;
  await say(page, 'bus-a', 'x'.repeat(262_145));
  await untilState(page, 'bus-a', 'closed');
  assert.match(await part(page, 'bus-a', 'state').textContent(), /^closed 1009: message too large/);
  assert.match(await part(page, 'bus-a', 'notice').textContent(), /Send a shorter one/);
  assert.deepEqual(await received(page, 'bus-b'), []);
  await close(opened);
});

test('a socket that closes in the middle of a flow stops the flow and says why', async () => {
  const opened = await openExample(here, {
    prepare: (page) => page.routeWebSocket(/\/pub\/fragile$/, (socket) => {
      let count = 0;
      socket.onMessage(() => {
        if (++count === 3) socket.close({ code: 3100, reason: 'reads too slowly' });
      });
    }),
  });
  const { page } = opened;
  await part(page, 'publisher', 'topic').fill('fragile');
  await part(page, 'publisher', 'topic').press('Enter');
  await untilState(page, 'publisher', 'open');
  await part(page, 'publisher', 'repeat').selectOption('100 / s');
  await part(page, 'publisher', 'send').click();
  await untilState(page, 'publisher', 'closed');
  assert.equal(await part(page, 'publisher', 'state').textContent(), 'closed 3100: read too slowly (“reads too slowly”)');
  assert.match(await part(page, 'publisher', 'notice').textContent(), /^The socket closed while sending; the flow has stopped\./);
  assert.equal(await part(page, 'publisher', 'send').textContent(), 'Send');
  await close(opened);
});

test('a flow shows in the picture of rates, for eyes and for ears', async () => {
  const opened = await openExample();
  const { page } = opened;
  const picture = page.getByTestId('queue-rates').getByRole('img');
  assert.match(await picture.getAttribute('aria-label'), /^Push\/Pull in the last minute: 0 messages sent/);
  await part(page, 'pusher', 'repeat').selectOption('100 / s');
  await part(page, 'pusher', 'send').click();
  await page.waitForFunction(() => {
    const figure = document.querySelector('[data-testid="queue-rates"]');
    const label = figure.querySelector('svg').getAttribute('aria-label');
    return figure.querySelector('path.received').getAttribute('d') !== '' && /minute: [1-9]\d+ messages sent, [1-9]\d+ received/.test(label);
  });
  await part(page, 'pusher', 'send').getByText('Stop').waitFor();
  await part(page, 'pusher', 'send').click();
  await part(page, 'pusher', 'send').getByText('Send').waitFor();
  assert.equal(await page.getByTestId('bus-rates').locator('path.received').getAttribute('d'), '');
  await close(opened);
});

test('dots run along the wire, but not for people who ask for less motion', async () => {
  for (const [reducedMotion, moves] of [['no-preference', true], ['reduce', false]]) {
    const opened = await openExample(here, { reducedMotion });
    const { page } = opened;
    await page.evaluate(() => {
      window.dots = 0;
      new MutationObserver((changes) => changes.forEach(({ addedNodes }) => addedNodes.forEach((node) => {
        if (node.className === 'dot') window.dots++;
      }))).observe(document.querySelector('.patterns'), { childList: true, subtree: true });
    });
    await say(page, 'bus-a', 'fly');
    await untilReceived(page, 'bus-b', 'fly');
    assert.equal(await page.evaluate(() => window.dots > 0), moves);
    await close(opened);
  }
});

test('light and dark follow the system until the button is pressed, and the choice is kept', async () => {
  const paper = (page) => page.evaluate(() => {
    const [red] = getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number);
    return red > 128 ? 'light' : 'dark';
  });
  for (const [system, other] of [['light', 'dark'], ['dark', 'light']]) {
    const opened = await openExample(here, { colorScheme: system });
    const { page } = opened;
    assert.equal(await paper(page), system);
    await page.getByTestId('theme').click();
    assert.equal(await paper(page), other);
    await page.reload();
    await page.locator(`html[data-theme="${other}"]`).waitFor();
    assert.equal(await paper(page), other);
    await page.getByTestId('theme').click();
    assert.equal(await paper(page), system);
    await close(opened);
  }
});

test('the page fits a phone', async () => {
  const opened = await openExample(here, { viewport: { width: 390, height: 844 }, hasTouch: true });
  const { page } = opened;
  await page.getByTestId('root').fill(`${broker.url}/${'long/'.repeat(30)}`);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth) <= 390);
  for (const peer of PEERS) {
    const box = await part(page, peer, 'connect').boundingBox();
    assert.ok(box.x >= 0 && box.x + box.width <= 390, `${peer} sticks out`);
  }
  await close(opened);
});

test('POST reaches the peers, and the curl line is the same request', async (t) => {
  const opened = await openExample();
  const { page } = opened;
  await page.getByTestId('post-kind').selectOption('bus');
  assert.equal(await page.getByTestId('post-topic').inputValue(), 'lobby');
  const message = "it's 100 % \"quoted\" $HOME `x` ⚡";
  await page.getByTestId('post-body').fill(message);
  await page.getByTestId('post-send').click();
  await untilReceived(page, 'bus-a', message);
  await page.getByTestId('post-answer').getByText('200: the broker has handed it on.').waitFor();

  const line = await page.getByTestId('post-curl').textContent();
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.getByTestId('post-copy').click();
  await page.getByTestId('post-answer').getByText('Copied').waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), line);
  const curl = await run('curl', ['--version']).catch(() => null);
  if (curl) {
    await run('sh', ['-c', line]);
    await untilCount(page, ['bus-a'], 2);
    assert.deepEqual(await received(page, 'bus-a'), [message, message]);
  } else {
    t.diagnostic('curl is not installed; the line was compared, not run');
  }
  await close(opened);
});

test('a POST that no puller takes says so', async () => {
  const opened = await openExample(here, { expectErrors: true });
  const { page } = opened;
  await page.getByTestId('post-kind').selectOption('push');
  await page.getByTestId('post-topic').fill('nobody/pulls here');
  await page.getByTestId('post-send').click();
  await page.getByTestId('post-answer').getByText(/^503: nobody pulls from this topic/).waitFor();
  await close(opened);
});

test('two pages of the pinghub dialect talk on their path', async (t) => {
  if (!broker.pinghubUrl) return t.skip('no pinghub listener: PETASUS_TEST_PINGHUB_URL is not set');
  const url = `${broker.pinghubUrl}/room/${encodeURIComponent('<b>&"é')}`;
  const left = await open(here, url);
  const right = await open(there, url);
  for (const { page } of [left, right]) {
    assert.equal(await page.title(), 'pinghub /room/<b>&"é');
    assert.equal(await page.locator('h3').textContent(), 'Websocket client for /room/<b>&"é');
    await page.getByRole('status').getByText('connected', { exact: true }).waitFor();
  }
  for (const [{ page: sender }, words] of [[left, '<i>from the left</i>'], [right, 'from the right 🪽']]) {
    await sender.getByLabel('Message', { exact: true }).fill(words);
    await sender.keyboard.press('Enter');
    // Everybody on the path hears it, the sender too.
    for (const { page } of [left, right]) await page.getByRole('log').getByText(words).waitFor();
  }
  assert.equal(await left.page.locator('#log i').count(), 0);
  await close(left, right);
});

/** A port that nothing listens on: one that was free a moment ago. */
async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
