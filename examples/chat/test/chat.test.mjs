// Two people chat, in a real Chromium, against a real broker: `npm test`.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { say, setUp, untilConnected, untilHere, untilSaid } from './stage.mjs';

let stage;
let ada;
let bob;

before(async () => {
  stage = await setUp();
  [ada, bob] = await Promise.all([stage.open('Ada'), stage.open('Bob')]);
  await Promise.all([untilConnected(ada), untilConnected(bob)]);
});

after(() => stage?.tearDown());

test('everybody sees who is here, and who leaves', async () => {
  await untilHere(ada, 'Ada', 'Bob');
  await untilHere(bob, 'Ada', 'Bob');
  const eve = await stage.open('Eve');
  await untilHere(ada, 'Ada', 'Bob', 'Eve');
  await untilHere(eve, 'Ada', 'Bob', 'Eve');
  await eve.goto('about:blank');
  await untilHere(ada, 'Ada', 'Bob');
});

test('what is said in a room is heard there, and not in another', async () => {
  await say(ada, 'Hello Bob');
  for (const page of [ada, bob]) await untilSaid(page, 'Hello Bob');
  await bob.getByRole('button', { name: '# garden' }).click();
  await bob.getByTestId('lines').getByText('Nothing was said yet').waitFor();
  await say(ada, 'still in the lounge');
  await untilSaid(ada, 'still in the lounge');
  await say(bob, 'in the garden');
  await untilSaid(bob, 'in the garden');
  assert.equal(await bob.getByText('still in the lounge').count(), 0);
  assert.equal(await ada.getByText('in the garden').count(), 0);
  await bob.getByRole('button', { name: '# lounge' }).click();
});

test('a job is done by the tab that does jobs', async () => {
  await ada.getByLabel(/this tab does jobs/).uncheck();
  await say(ada, 'one two three');
  await untilSaid(ada, 'one two three');
  await ada.getByRole('button', { name: 'Count the words' }).click();
  const answer = await ada.getByTestId('count').getByText(/^\d+ words, counted by Bob$/).textContent();
  const said = await ada.getByTestId('lines').locator('.text').allTextContents();
  assert.equal(Number.parseInt(answer, 10), said.join(' ').split(' ').length);
  await bob.getByLabel('this tab does jobs: 1 done').waitFor();
});

test('a call is answered by the tab that came first, whoever calls', async () => {
  const answers = await Promise.all([ada, bob].map(async (page) => {
    await page.getByRole('button', { name: 'Roll the dice' }).click();
    return page.getByTestId('dice').getByText(/ [1-6], rolled by (Ada|Bob)$/).textContent();
  }));
  assert.equal(answers[0].split(' ').pop(), answers[1].split(' ').pop());
});

test('the broker is killed and started again, and the chat goes on', async () => {
  await stage.broker.stop('SIGKILL');
  for (const page of [ada, bob]) await page.getByTestId('status').getByText(/reconnecting in \d+ s/).waitFor();
  await stage.broker.start();
  // Nobody has to wait for the next attempt.
  for (const page of [ada, bob]) {
    await page.getByTestId('status').getByRole('button', { name: 'now' }).click({ timeout: 1000 }).catch(() => {});
    await untilConnected(page);
  }
  await untilHere(ada, 'Ada', 'Bob');
  await say(bob, 'back again');
  for (const page of [ada, bob]) await untilSaid(page, 'back again');
  await ada.getByText('The connection was lost here').first().waitFor();
  await ada.getByRole('button', { name: 'Count the words' }).click();
  await ada.getByTestId('count').getByText(/counted by Bob$/).waitFor();
  await bob.getByRole('button', { name: 'Roll the dice' }).click();
  await bob.getByTestId('dice').getByText(/rolled by/).waitFor();
});
