// The page that the pinghub dialect serves for each of its paths.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { close, open } from './chromium.mjs';
import { stage } from './stage.mjs';

test('two pages of the pinghub dialect talk on their path', async (t) => {
  if (!stage.pinghubUrl) return t.skip('no pinghub listener: PETASUS_TEST_PINGHUB_URL is not set');
  const url = `${stage.pinghubUrl}/room/${encodeURIComponent('<b>&"é')}`;
  const left = await open(stage.here, url);
  const right = await open(stage.there, url);
  for (const { page } of [left, right]) {
    assert.equal(await page.title(), 'pinghub /room/<b>&"é');
    assert.equal(await page.locator('h3').textContent(), 'Websocket client for /room/<b>&"é');
    await page.getByRole('status').getByText('connected', { exact: true }).waitFor();
  }
  for (const [{ page: sender }, words] of [[left, '<i>from the left</i>'], [right, 'from the right 🪽']]) {
    await sender.getByLabel('Message', { exact: true }).fill(words);
    await sender.keyboard.press('Enter');
    // Everybody on the path hears it, the sender too.
    for (const { page } of [left, right]) await page.getByRole('log').getByText(words).waitFor();
  }
  assert.equal(await left.page.locator('#log i').count(), 0);
  await close(left, right);
});
