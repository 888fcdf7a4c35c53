// Chromium, and pages in it that run cases.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

/**
 * Starts the Chromium that `PETASUS_TEST_CHROMIUM` or `CHROMIUM` names, or Debian's. `options` go to Playwright. What it leaves in
 * the temporary folder goes with it: `{ browser, stop }`.
 */
export async function launch(options = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'petasus-chromium-'));
  const executablePath = process.env.PETASUS_TEST_CHROMIUM ?? process.env.CHROMIUM ?? '/usr/bin/chromium';
  const browser = await chromium.launch({ executablePath, args: FLAGS, env: { ...process.env, TMPDIR: folder }, ...options });
  const stop = async () => {
    await browser.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  return { browser, stop };
}

/** Opens the page of the suite, in a context of its own. `control` is asked for at each call. */
export async function openPage(browser, url, control) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.exposeFunction('control', (what, args) => control().run(what, args));
  await page.goto(url);
  await page.waitForFunction(() => globalThis.runCase);
  return { context, page };
}
