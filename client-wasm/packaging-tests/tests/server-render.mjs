// A server renders a page: nothing may be needed that only a browser has.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { HERE, SCRATCH } from '../stage/install.mjs';
import { webpack } from '../stage/webpack.mjs';

const PAGE = join(HERE, 'projects/server-render/render.mjs');
const RENDERED = ['<p>connecting 0 true</p>', 'function function function function function'];

test('a server renders the hooks without a browser, and imports every entry without touching one', () => {
  assert.deepEqual(lines(PAGE), RENDERED);
});

test('so it does when webpack has bundled it for the server, as Next.js does', async () => {
  const path = join(SCRATCH, 'server-render');
  const output = { path, filename: '[name].cjs', chunkFilename: '[name].cjs' };
  await webpack({ target: 'node20', entry: { render: PAGE }, output, optimization: { minimize: false } });
  assert.deepEqual(lines(join(path, 'render.cjs')), RENDERED);
});

function lines(program) {
  return execFileSync(process.execPath, [program], { encoding: 'utf8' }).trim().split('\n');
}
