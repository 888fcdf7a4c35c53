// Draws docs/example-page.png: the page with live traffic over all three patterns. `cargo xtask screenshot`.

import { mkdir, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findBroker } from './broker.mjs';
import { close, launch, open } from './chromium.mjs';
import { part, say, untilAllConnected, untilReceived } from './peers.mjs';

const PICTURE = fileURLToPath(new URL('../../docs/example-page.png', import.meta.url));
const MAX_BYTES = 300_000;
/** The picture shows the address that a reader will have, whatever free port the broker was given. */
const SHOWN = '127.0.0.1:3000';

const broker = await findBroker();
const browser = await launch([`--host-resolver-rules=MAP ${SHOWN} ${new URL(broker.url).host}`]);
try {
  const opened = await open(browser, `http://${SHOWN}/`, { viewport: { width: 1200, height: 800 }, colorScheme: 'light' });
  await untilAllConnected(opened.page);
  await makeTraffic(opened.page);
  const picture = await opened.page.screenshot({ fullPage: true });
  await mkdir(dirname(PICTURE), { recursive: true });
  await writeFile(PICTURE, picture);
  await close(opened);
} finally {
  await browser.close();
  await broker.stop();
}
const { size } = await stat(PICTURE);
if (size > MAX_BYTES) throw new Error(`${PICTURE} has ${size} bytes; at most ${MAX_BYTES} are wanted`);
console.log(`${PICTURE}: ${size} bytes`);

/** A conversation on the bus, and two flows whose rates change, until the charts have a shape. */
async function makeTraffic(page) {
  const sendsPerSecond = (peer, rate) => part(page, peer, 'repeat').selectOption(`${rate} / s`);
  const untilSent = (peer, count) => page.waitForFunction(
    ([id, least]) => Number.parseInt(document.getElementById(id).textContent, 10) >= least,
    [`${peer}-count`, count],
  );
  await sendsPerSecond('publisher', 10);
  await sendsPerSecond('pusher', 1);
  await part(page, 'publisher', 'send').click();
  await part(page, 'pusher', 'send').click();

  const lines = [
    ['bus-a', 'Anybody there?'],
    ['bus-b', 'Yes, in another window'],
    ['bus-a', 'What is the weather like?'],
    ['bus-b', 'See the next column'],
    ['bus-b', 'sunny, it says'],
    ['bus-a', 'Then let us push some jobs'],
  ];
  let sent = 30;
  for (const [peer, text] of lines) {
    await say(page, peer, text);
    await untilReceived(page, peer === 'bus-a' ? 'bus-b' : 'bus-a', text);
    await untilSent('publisher', sent);
    sent += 25;
  }
  await sendsPerSecond('publisher', 1);
  await sendsPerSecond('pusher', 10);
  await untilSent('pusher', 90);
  await sendsPerSecond('publisher', 10);
  await sendsPerSecond('pusher', 1);
  await part(page, 'bus-a', 'repeat').selectOption('1 / s');
  await part(page, 'bus-a', 'message').fill('Done: {n}');
  await part(page, 'bus-a', 'send').click();
  await untilSent('pusher', 97);
  await sendsPerSecond('pusher', 10);
  await untilSent('pusher', 140);
  await page.getByTestId('post-send').click();
  await page.getByTestId('post-answer').getByText('200').waitFor();
}
