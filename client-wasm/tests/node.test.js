// The suite in Node, with the WebSocket of `ws` passed in.

import { after, before, describe, test } from 'node:test';
import WebSocket from 'ws';
import { Control } from './stage/control.js';
import { load } from './stage/package.js';
import { TARGETS, openTarget } from './stage/targets.js';
import { AREAS } from './suite/index.js';
import { Site, concerns, runCase } from './suite/site.js';

const auth = await load('./auth');

for (const target of TARGETS) {
  const here = { ...target, has: [...target.has, 'node', ...(target.has.includes('binaryPost') ? [] : ['binaryPost'])] };
  describe(`node, ${target.name}`, { skip: skipped(target) }, () => {
    let opened;
    let petasus;
    before(async () => {
      petasus = await load(target.entry ?? '.');
      opened = await openTarget(target);
    });
    after(() => opened.stop());
    for (const [area, cases] of Object.entries(AREAS)) {
      if (target.areas?.includes(area) === false) continue;
      for (const each of cases.filter((one) => concerns(one, here))) {
        test(`${area}: ${each.name}`, async () => {
          const control = new Control(opened.broker);
          await runCase(new Site({ petasus, auth, target: { ...here, url: opened.url }, control, WebSocket }), each);
        });
      }
    }
  });
}

function skipped({ variable }) {
  return variable && !process.env[variable] && `${variable} is not set: \`cargo xtask test npm\` sets it`;
}
