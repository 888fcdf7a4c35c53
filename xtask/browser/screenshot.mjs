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

/** Flows whose rates change until the charts have a shape, then a conversation on the bus. */
async function makeTraffic(page) {
  const sendsPerSecond = (peer, rate) => part(page, peer, 'repeat').selectOption(rate ? `${rate} / s` : 'once');
  const untilSent = (peer, count) => page.waitForFunction(
    ([id, least]) => Number.parseInt(document.getElementById(id).textContent, 10) >= least,
    [`${peer}-count`, count],
  );
  await part(page, 'bus-a', 'message').fill('Tick {n}');
  for (const [peer, rate] of [['bus-a', 1], ['publisher', 10], ['pusher', 1]]) {
    await sendsPerSecond(peer, rate);
    await part(page, peer, 'send').click();
  }
  await untilSent('publisher', 120);
  await sendsPerSecond('publisher', 1);
  await sendsPerSecond('pusher', 10);
  await untilSent('pusher', 90);
  await part(page, 'bus-a', 'send').click();
  await sendsPerSecond('bus-a', 0);
  await sendsPerSecond('publisher', 10);
  await sendsPerSecond('pusher', 1);

  let sent = 150;
  for (const [peer, text] of [
    ['bus-a', 'Anybody there?'],
    ['bus-b', 'Yes, in the other window.'],
    ['bus-a', 'What is the weather like?'],
    ['bus-b', 'See the next column.'],
    ['bus-b', 'Sunny, since reading 1!'],
    ['bus-a', 'Then let us push some jobs.'],
    ['bus-b', 'The pullers take turns.'],
  ]) {
    await untilSent('publisher', sent);
    sent += 20;
    await say(page, peer, text);
    await untilReceived(page, peer === 'bus-a' ? 'bus-b' : 'bus-a', text);
  }
  await sendsPerSecond('pusher', 10);
  await untilSent('pusher', 140);
  await page.getByTestId('post-send').click();
  await page.getByTestId('post-answer').getByText('200').waitFor();
}
