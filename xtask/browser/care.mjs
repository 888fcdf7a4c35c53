// The page is for everybody: keyboard, screen reader, light and dark, phone, little motion, a flood of messages.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { close } from './chromium.mjs';
import { PEERS, moveTo, part, received, say, untilCount, untilReceived, untilState } from './peers.mjs';
import { openExample, stage } from './stage.mjs';

test('a log keeps the newest 200 lines', async () => {
  const opened = await openExample();
  const { page } = opened;
  await moveTo(page, 'subscriber-a', 'flood');
  await page.evaluate(async (url) => {
    const socket = new WebSocket(url);
    await new Promise((resolve) => { socket.onopen = resolve; });
    for (let number = 1; number <= 500; number++) socket.send(`flood ${number}`);
  }, `${stage.url.replace('http', 'ws')}/pub/flood`);
  await untilReceived(page, 'subscriber-a', 'flood 500');
  await untilCount(page, ['subscriber-a'], 500);
  const texts = await received(page, 'subscriber-a');
  assert.equal(texts.length, 200);
  assert.equal(texts[0], 'flood 301');
  await close(opened);
});

test('a log follows the newest line, unless the reader has scrolled up', async () => {
  const opened = await openExample();
  const { page } = opened;
  await part(page, 'pusher', 'message').fill('{n}');
  await part(page, 'puller-b', 'connect').click();
  await untilState(page, 'puller-b', 'closed');
  const pane = part(page, 'puller-a', 'log');
  const push = async (last) => {
    await part(page, 'pusher', 'send').click({ clickCount: 30 });
    await untilReceived(page, 'puller-a', String(last));
  };
  const atEnd = () => pane.evaluate((log) => log.scrollHeight - log.scrollTop - log.clientHeight < 8);
  await push(30);
  assert.equal(await atEnd(), true);
  await pane.hover();
  // A line that is drawn just now may take the log down again.
  const scrolledUp = () => pane.evaluate((log) => log.scrollHeight - log.scrollTop - log.clientHeight > 50);
  while (!(await scrolledUp())) await page.mouse.wheel(0, -200);
  await push(60);
  assert.equal(await atEnd(), false);
  await close(opened);
});

test('everything can be done with the keyboard', async () => {
  const opened = await openExample();
  const { page } = opened;
  const focused = () => page.evaluate(() => {
    const { dataset, tagName } = document.activeElement;
    const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
    return { id: dataset.testid ?? tagName, visible: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 1 };
  });
  const tabTo = async (id) => {
    for (;;) {
      await page.keyboard.press('Tab');
      const at = await focused();
      assert.notEqual(at.id, 'BODY', `the Tab key does not reach ${id}`);
      assert.ok(at.visible, `the focus on ${at.id} cannot be seen`);
      if (at.id === id) return;
    }
  };

  await tabTo('bus-a-log');
  await tabTo('bus-a-message');
  await page.keyboard.press('Control+A');
  await page.keyboard.type('typed, not clicked');
  await page.keyboard.press('Enter');
  await untilReceived(page, 'bus-b', 'typed, not clicked');

  await tabTo('bus-b-echo');
  await page.keyboard.press('Space');
  await page.getByTestId('bus-b-log').getByText('joined /bus/lobby?echo=1').waitFor();
  await tabTo('bus-b-connect');
  await page.keyboard.press('Enter');
  await untilState(page, 'bus-b', 'closed');
  assert.equal(await part(page, 'bus-b', 'state').textContent(), 'closed 1000: normal closure');
  await page.keyboard.press('Enter');
  await untilState(page, 'bus-b', 'open');

  await tabTo('subscriber-a-topic');
  await page.keyboard.press('Control+A');
  await page.keyboard.type('weather/berlin/mitte');
  await page.keyboard.press('Enter');
  await page.getByTestId('subscriber-a-log').getByText('joined /sub/weather/berlin/mitte').waitFor();
  await tabTo('post-send');
  await page.keyboard.press('Enter');
  await untilReceived(page, 'subscriber-b', '18 °C, light wind');
  await close(opened);
});

test('every field and button has a name', async () => {
  const opened = await openExample();
  const controls = opened.page.locator('input:visible, select:visible, button:visible, [tabindex="0"]:visible, [role="img"]');
  const nameless = await controls.evaluateAll((elements) => elements.filter((element) => (
    !element.getAttribute('aria-label') && !element.labels?.length && !element.textContent.trim()
  )).map((element) => element.outerHTML));
  assert.deepEqual(nameless, []);
  await close(opened);
});

test('a flow shows in the picture of rates, for eyes and for ears', async () => {
  const opened = await openExample();
  const { page } = opened;
  const picture = page.getByTestId('queue-rates').getByRole('img');
  assert.match(await picture.getAttribute('aria-label'), /^Push\/Pull in the last minute: 0 messages sent/);
  await part(page, 'pusher', 'repeat').selectOption('100 / s');
  await part(page, 'pusher', 'send').click();
  await page.waitForFunction(() => {
    const figure = document.querySelector('[data-testid="queue-rates"]');
    const label = figure.querySelector('svg').getAttribute('aria-label');
    return figure.querySelector('path.received').getAttribute('d') !== '' && /minute: [1-9]\d+ messages sent, [1-9]\d+ received/.test(label);
  });
  await part(page, 'pusher', 'send').getByText('Stop').waitFor();
  await part(page, 'pusher', 'send').click();
  await part(page, 'pusher', 'send').getByText('Send').waitFor();
  assert.equal(await page.getByTestId('bus-rates').locator('path.received').getAttribute('d'), '');
  await close(opened);
});

test('dots run along the wire, but not for people who ask for less motion', async () => {
  for (const [reducedMotion, moves] of [['no-preference', true], ['reduce', false]]) {
    const opened = await openExample(stage.here, { reducedMotion });
    const { page } = opened;
    await page.evaluate(() => {
      window.dots = 0;
      new MutationObserver((changes) => changes.forEach(({ addedNodes }) => addedNodes.forEach((node) => {
        if (node.className === 'dot') window.dots++;
      }))).observe(document.querySelector('.patterns'), { childList: true, subtree: true });
    });
    await say(page, 'bus-a', 'fly');
    await untilReceived(page, 'bus-b', 'fly');
    assert.equal(await page.evaluate(() => window.dots > 0), moves);
    await close(opened);
  }
});

test('light and dark follow the system until the button is pressed, and the choice is kept', async () => {
  const paper = (page) => page.evaluate(() => {
    const [red] = getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number);
    return red > 128 ? 'light' : 'dark';
  });
  for (const [system, other] of [['light', 'dark'], ['dark', 'light']]) {
    const opened = await openExample(stage.here, { colorScheme: system });
    const { page } = opened;
    assert.equal(await paper(page), system);
    await page.getByTestId('theme').click();
    assert.equal(await paper(page), other);
    await page.reload();
    await page.locator(`html[data-theme="${other}"]`).waitFor();
    assert.equal(await paper(page), other);
    await page.getByTestId('theme').click();
    assert.equal(await paper(page), system);
    await close(opened);
  }
});

test('the page fits a phone', async () => {
  const opened = await openExample(stage.here, { viewport: { width: 390, height: 844 }, hasTouch: true });
  const { page } = opened;
  await page.getByTestId('root').fill(`${stage.url}/${'long/'.repeat(30)}`);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth) <= 390);
  for (const peer of PEERS) {
    const box = await part(page, peer, 'connect').boundingBox();
    assert.ok(box.x >= 0 && box.x + box.width <= 390, `${peer} sticks out`);
  }
  await close(opened);
});
