// What all tests stand on: one broker, and two browsers that know nothing of each other.

import { after, before } from 'node:test';
import { findBroker } from './broker.mjs';
import { launch, open } from './chromium.mjs';
import { untilAllConnected } from './peers.mjs';

/** `url` and `pinghubUrl` of the broker, and the browsers `here` and `there`; set before the first test runs. */
export const stage = {};
let broker;

before(async () => {
  broker = await findBroker();
  stage.url = broker.url;
  stage.pinghubUrl = broker.pinghubUrl;
  [stage.here, stage.there] = await Promise.all([launch(), launch()]);
});

after(async () => {
  await Promise.all([stage.here?.close(), stage.there?.close()]);
  await broker?.stop();
});

/** Opens the example page and waits until its eight peers have connected by themselves. */
export async function openExample(browser = stage.here, options = {}) {
  const opened = await open(browser, `${stage.url}/`, options);
  await untilAllConnected(opened.page);
  return opened;
}
