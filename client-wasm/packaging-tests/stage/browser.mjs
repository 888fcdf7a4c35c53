// One Chromium for all tests of this process.

import assert from 'node:assert/strict';
import { after } from 'node:test';
import { chromium } from 'playwright-core';
import { BROKER, EXCHANGED } from './broker.mjs';

/** No account, no update: without these flags Chromium looks for hosts of its own at every start. */
const FLAGS = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update'];

/** What Vite and React say while one develops, and Chromium when a client closes a socket that it had only begun to open. */
const EXPECTED = /^\[vite\] (connect|server connection)|React DevTools|WebSocket is closed before the connection is established/;

const executablePath = process.env.PETASUS_TEST_CHROMIUM ?? process.env.CHROMIUM ?? '/usr/bin/chromium';
const browser = await chromium.launch({ executablePath, args: FLAGS });
after(() => browser.close());

/** Opens a page at `address` in the given dialect; returns the outcome that it leaves, and what it complained about. */
export async function visit(address, dialect = 'wamp') {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    const problems = [];
    page.on('pageerror', (error) => problems.push(`exception: ${error}`));
    page.on('requestfailed', (request) => problems.push(`failed: ${request.url()}`));
    page.on('console', (message) => {
      if (!EXPECTED.test(message.text())) problems.push(`${message.type()}: ${message.text()}`);
    });
    await page.goto(`${address}?${new URLSearchParams({ broker: BROKER, dialect })}`);
    const outcome = await page
      .waitForSelector('[data-outcome]', { state: 'attached', timeout: 20_000 })
      .then((body) => body.getAttribute('data-outcome'))
      .catch((error) => JSON.stringify({ error: `no outcome: ${error.message}` }));
    return { ...JSON.parse(outcome), problems };
  } finally {
    await context.close();
  }
}

/** Opens a page and requires that its exchange works, without a word on the console. */
export async function expectExchange(address, dialect) {
  assert.deepEqual(await visit(address, dialect), { value: EXCHANGED, problems: [] }, `${address} in ${dialect}`);
}
