// Chromium, and pages in it that notice what a page must never do.

import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

/** No account, no update, no telemetry: without these flags Chromium looks for hosts of its own at every start. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Starts the Chromium that `PETASUS_TEST_CHROMIUM` or `CHROMIUM` names, or Debian's. */
export function launch(flags = []) {
  const executablePath = process.env.PETASUS_TEST_CHROMIUM ?? process.env.CHROMIUM ?? '/usr/bin/chromium';
  return chromium.launch({ executablePath, args: [...FLAGS, ...flags] });
}

/**
 * Opens `url` in a context (cookies, storage) of its own. The page comes with `problems`: requests to any host but
 * those in `hosts`, messages on the console, and exceptions. `expectErrors` leaves the console out, for tests that refuse
 * connections: the browser itself reports those there.
 */
export async function open(browser, url, { hosts = [], expectErrors = false, prepare, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, ...options });
  const page = await context.newPage();
  const problems = [];
  const allowed = new Set([new URL(url).host, ...hosts]);
  const check = (address) => {
    const { protocol, host } = new URL(address);
    if (protocol !== 'data:' && !allowed.has(host)) problems.push(`request to another host: ${address}`);
  };
  page.on('request', (request) => check(request.url()));
  page.on('websocket', (socket) => check(socket.url()));
  page.on('pageerror', (error) => problems.push(`exception: ${error}`));
  page.on('console', (message) => {
    if (!expectErrors) problems.push(`console ${message.type()}: ${message.text()}`);
  });
  page.setDefaultTimeout(15_000);
  if (prepare) await prepare(page);
  const response = await page.goto(url);
  return { page, context, problems, response };
}

/** Closes pages and fails if one of them did what it must not. */
export async function close(...opened) {
  for (const { context, problems } of opened) {
    await context.close();
    assert.deepEqual(problems, []);
  }
}
