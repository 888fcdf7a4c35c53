// The page that tries the npm package. The broker reads it from the source tree in which it runs, if it is built there.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startBroker } from './broker.mjs';
import { close, open } from './chromium.mjs';
import { received, say, untilAllConnected, untilReceived } from './peers.mjs';
import { stage } from './stage.mjs';

const PACKAGE = 'client-wasm/dist/index.js';
const BUILT = fileURLToPath(new URL(`../../${PACKAGE}`, import.meta.url));

test('where the package is not built, its page says how to build it', async () => {
  await inFolder(async (folder) => {
    const broker = await startBroker({ folder });
    const opened = await open(stage.here, `${broker.url}/`, { expectErrors: true });
    const { page } = opened;
    await page.getByTestId('package').click();
    await page.getByTestId('missing').getByText('cargo xtask wasm').waitFor();
    assert.equal(await page.getByTestId('send').isVisible(), false);
    await close(opened);
    await broker.stop();
  });
});

test('where the package is built, its page talks to the peers of the other page, also after the broker came back', async (t) => {
  if (!existsSync(BUILT)) return t.skip('the package is not built; run: cargo xtask wasm && cd client-wasm && npm ci && npm run build');
  await inFolder(async (folder) => {
    await cp(BUILT, join(folder, PACKAGE));
    const broker = await startBroker({ folder });
    const peers = await open(stage.there, `${broker.url}/`, { expectErrors: true });
    const opened = await open(stage.here, `${broker.url}/example/package`, { expectErrors: true });
    const { page } = opened;
    assert.match(opened.response.headers()['content-security-policy'], /script-src 'self' 'wasm-unsafe-eval';/);
    await untilAllConnected(peers.page);
    await page.getByTestId('status').getByText('connected', { exact: true }).waitFor();

    await page.getByTestId('send').click();
    for (const peer of ['bus-a', 'bus-b']) await untilReceived(peers.page, peer, 'Hello from the package');
    await say(peers.page, 'bus-a', 'Hello from a WebSocket');
    await heard(page, 'Hello from a WebSocket');

    await broker.stop('SIGKILL');
    await page.getByTestId('status').getByText(/^waiting: .*; again in/).waitFor();
    const again = await startBroker({ folder, listen: [broker.url] });
    await page.getByTestId('status').getByText('connected', { exact: true }).waitFor();
    await peers.page.getByTestId('connect-all').click();
    await untilAllConnected(peers.page);
    await page.getByTestId('send').click();
    await peers.page.waitForFunction(() => (
      [...document.querySelectorAll('[data-testid="bus-a-log"] p.in .text')].filter(({ textContent }) => textContent === 'Hello from the package').length === 2
    ));
    assert.deepEqual(await received(peers.page, 'bus-b'), ['Hello from the package', 'Hello from a WebSocket', 'Hello from the package']);
    await close(peers, opened);
    await again.stop();
  });
});

const heard = (page, text) => page.getByTestId('log').locator('p.in .text').getByText(text, { exact: true }).waitFor();

async function inFolder(run) {
  const folder = await mkdtemp(join(tmpdir(), 'petasus-page-'));
  try {
    await run(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
