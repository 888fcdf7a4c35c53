// Draws docs/chat.png: two people chat, one in light and one in dark.

import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { say, setUp, untilConnected, untilHere, untilSaid } from './stage.mjs';

const PICTURE = fileURLToPath(new URL('../docs/chat.png', import.meta.url));
const MAX_BYTES = 300_000;

const stage = await setUp();
try {
  const [ada, bob] = [await stage.open('Ada'), await stage.open('Bob')];
  await bob.emulateMedia({ colorScheme: 'dark' });
  await Promise.all([ada, bob].map(untilConnected));
  await Promise.all([ada, bob].map((page) => untilHere(page, 'Ada', 'Bob')));
  await ada.getByLabel(/this tab does jobs/).uncheck();
  for (const [speaker, text] of [
    [ada, 'Hello Bob, do you hear me?'],
    [bob, 'Loud and clear. Who else is here?'],
    [ada, 'Only we two, says the bus.'],
    [bob, 'Then roll the dice, and I count our words.'],
  ]) {
    await say(speaker, text);
    for (const page of [ada, bob]) await untilSaid(page, text);
  }
  for (const page of [ada, bob]) {
    await page.getByRole('button', { name: 'Count the words' }).click();
    await page.getByTestId('count').getByText(/counted by Bob$/).waitFor();
    await page.getByRole('button', { name: 'Roll the dice' }).click();
    await page.getByTestId('dice').getByText(/rolled by/).waitFor();
  }
  await draw(ada, bob);
} finally {
  await stage.tearDown();
}
const { size } = await stat(PICTURE);
if (size > MAX_BYTES) throw new Error(`${PICTURE} has ${size} bytes; at most ${MAX_BYTES} are wanted`);
console.log(`${PICTURE}: ${size} bytes`);

/** Both pages side by side. */
async function draw(...pages) {
  const pictures = await Promise.all(pages.map((page) => page.screenshot()));
  const canvas = await pages[0].context().newPage();
  await canvas.setViewportSize({ width: 1840, height: 600 });
  const images = pictures.map((picture) => `<img src="data:image/png;base64,${picture.toString('base64')}">`);
  await canvas.setContent(`<body style="margin:20px;display:flex;gap:20px;justify-content:center;background:#8497a0">${images.join('')}</body>`);
  await canvas.screenshot({ path: PICTURE });
}
