// The suite in Chromium: a page loads the built package and runs each case, against real brokers.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launch, openPage } from './stage/chromium.js';
import { Control } from './stage/control.js';
import { serveFiles } from './stage/files.js';
import { TARGETS, openTarget } from './stage/targets.js';
import { AREAS } from './suite/index.js';
import { concerns } from './suite/site.js';

let chromium;
before(async () => { chromium = await launch(); });
after(() => chromium?.stop());

for (const target of TARGETS) {
  const here = { ...target, has: [...target.has, 'page', 'awaitUsing'] };
  describe(`chromium, ${target.name}`, { skip: skipped(target) }, () => {
    const stage = {};
    let control;
    before(async () => {
      stage.opened = await openTarget(target);
      stage.files = await serveFiles(target.sameOrigin && stage.opened.url, target.entry);
      stage.page = (await openPage(chromium.browser, stage.files.url, () => control)).page;
    });
    after(async () => {
      await stage.page?.context().close();
      await stage.files?.stop();
      await stage.opened?.stop();
    });
    for (const [area, cases] of Object.entries(AREAS)) {
      if (target.areas?.includes(area) === false) continue;
      for (const { name } of cases.filter((one) => concerns(one, here))) {
        test(`${area}: ${name}`, async () => {
          control = new Control(stage.opened.broker);
          const url = target.sameOrigin ? stage.files.url.replace('http', 'ws') : stage.opened.url;
          const asked = [area, name, { ...here, url }];
          try {
            assert.equal(await stage.page.evaluate(([of, which, where]) => runCase(of, which, where), asked), '');
          } finally {
            await control.end();
          }
        });
      }
    }
  });
}

function skipped({ variable }) {
  return variable && !process.env[variable] && `${variable} is not set: \`cargo xtask test npm\` sets it`;
}
