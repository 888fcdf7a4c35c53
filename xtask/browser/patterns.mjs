// What the page is for: messages over all three patterns, by WebSocket and by POST.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { close } from './chromium.mjs';
import { moveTo, part, received, say, untilCount, untilReceived, untilState } from './peers.mjs';
import { openExample, stage } from './stage.mjs';

const run = promisify(execFile);

test('the page comes with a policy that lets it run nothing but its own scripts', async () => {
  const opened = await openExample();
  const policy = opened.response.headers()['content-security-policy'] ?? '';
  assert.match(policy, /default-src 'self'/);
  assert.doesNotMatch(policy, /unsafe/);
  assert.equal(await opened.page.locator('script:not([src]), [onclick], [onerror], [style]:not(.pattern)').count(), 0);
  await close(opened);
});

test('two browsers with the page as it comes exchange messages over all three patterns', async () => {
  const left = await openExample(stage.here);
  const right = await openExample(stage.there);
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
  // The logs are drawn a frame after the counts.
  let jobs = [];
  while (jobs.flat().length < 8) {
    jobs = await Promise.all([a, b].flatMap((page) => ['puller-a', 'puller-b'].map((peer) => received(page, peer))));
  }
  assert.deepEqual(jobs.map((each) => each.length), [2, 2, 2, 2]);
  assert.deepEqual(jobs.flat().sort(), ['job 1', 'job 2', 'job 3', 'job 4', 'job 5', 'job 6', 'job 7', 'job 8']);
  await close(left, right);
});

test('a subscriber hears its topic and the topics below it, in another browser too', async () => {
  const left = await openExample(stage.here);
  const right = await openExample(stage.there);
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
  const left = await openExample(stage.here);
  const right = await openExample(stage.there);
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
  }, `${stage.url.replace('http', 'ws')}/bus/kinds`);

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
