// Where something goes wrong, the page says in a sentence what it was and what to do.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { close } from './chromium.mjs';
import { part, received, say, untilAllConnected, untilState } from './peers.mjs';
import { openExample, stage } from './stage.mjs';

test('where nothing answers, a sentence says what to do', async () => {
  const opened = await openExample(stage.here, { expectErrors: true });
  const { page } = opened;
  const port = await freePort();
  await page.getByTestId('root').fill(`127.0.0.1:${port}`);
  await page.getByTestId('connect-all').click();
  await untilState(page, 'bus-a', 'failed');
  await part(page, 'bus-a', 'notice').getByText(/^Nothing answers at http:\/\/127\.0\.0\.1:\d+\. Start a broker there/).waitFor();
  await page.getByTestId('tally').getByText('0 of 8 connected').waitFor();

  await page.getByTestId('root').fill(stage.url);
  await page.getByTestId('root').press('Enter');
  await untilAllConnected(page);
  assert.equal(await part(page, 'bus-a', 'notice').isVisible(), false);
  await opened.context.close();
});

test('where an origin is refused, a sentence says what to do', async () => {
  const refusing = createServer((request, response) => response.writeHead(401).end('Origin check failed'));
  refusing.on('upgrade', (request, socket) => socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n'));
  await new Promise((resolve) => refusing.listen(0, '127.0.0.1', resolve));
  const opened = await openExample(stage.here, { expectErrors: true });
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
  await page.getByTestId('root').fill(stage.url);
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
  const opened = await openExample(stage.here, {
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

test('a POST that no puller takes says so', async () => {
  const opened = await openExample(stage.here, { expectErrors: true });
  const { page } = opened;
  await page.getByTestId('post-kind').selectOption('push');
  await page.getByTestId('post-topic').fill('nobody/pulls here');
  await page.getByTestId('post-send').click();
  await page.getByTestId('post-answer').getByText(/^503: nobody pulls from this topic/).waitFor();
  await close(opened);
});

/** A port that nothing listens on: one that was free a moment ago. */
async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
