// A broker that can be killed and started again, the built app, and a browser.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { preview } from 'vite';

const LISTENING = 'petasus: listening on ';
const PROGRAM = process.env.PETASUS_TEST_BROKER ?? fileURLToPath(new URL('../../../target/debug/petasus', import.meta.url));
const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** The broker takes variables that begin so for its settings; those of the tests are none of its own. */
const OWN = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PETASUS_')));
/** No account, no update, no telemetry. */
const FLAGS = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

export class Broker {
  url = 'http://127.0.0.1:0';

  /** On a free port; on the same one again after a stop. */
  async start() {
    this.child = spawn(PROGRAM, ['broker', '--admin', 'none', '--listen', this.url], { env: OWN, stdio: ['ignore', 'pipe', 'inherit'] });
    this.ended = new Promise((resolve) => this.child.once('exit', resolve).once('error', resolve));
    const lines = createInterface({ input: this.child.stdout });
    await new Promise((resolve, reject) => {
      lines.on('line', (line) => {
        if (!line.startsWith(LISTENING)) return;
        this.url = line.slice(LISTENING.length).trim().replace(/\/$/, '');
        resolve();
      });
      this.ended.then((why) => reject(new Error(`${PROGRAM} ended (${why}) before it listened; run: cargo build -p petasus-cli`)));
    });
  }

  async stop(signal = 'SIGTERM') {
    this.child.kill(signal);
    await this.ended;
  }
}

/** All of it: `open(name)` gives the page of somebody who chats, in a browser context of their own. */
export async function setUp(options = {}) {
  const broker = new Broker();
  await broker.start();
  const server = await preview({ root: ROOT, logLevel: 'error', preview: { host: '127.0.0.1', port: 0 } });
  const executablePath = process.env.PETASUS_TEST_CHROMIUM ?? process.env.CHROMIUM ?? '/usr/bin/chromium';
  const browser = await chromium.launch({ executablePath, args: FLAGS });
  const app = `http://127.0.0.1:${server.httpServer.address().port}/`;
  return {
    broker,
    async open(name) {
      const context = await browser.newContext({ viewport: { width: 900, height: 560 }, ...options });
      const page = await context.newPage();
      page.setDefaultTimeout(60_000);
      const wanted = new URLSearchParams({ name, broker: broker.url.replace('http', 'ws') });
      await page.goto(`${app}?${wanted}`);
      return page;
    },
    async tearDown() {
      await browser.close();
      await server.close();
      await broker.stop();
    },
  };
}

export const untilConnected = (page) => page.getByTestId('status').getByText('connected', { exact: true }).waitFor();

/** Waits until these are all who are here, in any order. */
export function untilHere(page, ...names) {
  return page.waitForFunction((wanted) => {
    const items = [...document.querySelectorAll('[data-testid="people"] li')];
    return items.map((item) => item.firstChild.textContent).sort().join() === wanted;
  }, names.sort().join());
}

export async function say(page, text) {
  await page.getByLabel('Message', { exact: true }).fill(text);
  await page.keyboard.press('Enter');
}

/** Waits until a page shows a line. */
export const untilSaid = (page, text) => page.getByTestId('lines').locator('.text').getByText(text, { exact: true }).waitFor();
