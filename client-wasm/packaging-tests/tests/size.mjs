// How much a page loads, against client-wasm/size-budget.json.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { HERE } from '../stage/install.mjs';

const README = new URL('../../README.md', import.meta.url);
const PLACE = new URL('../../size-budget.json', import.meta.url);
const budget = JSON.parse(readFileSync(PLACE, 'utf8'));

for (const [entry, { limit, target }] of Object.entries(budget.gzip)) {
  test(`${entry} weighs no more than its budget`, async (t) => {
    const weight = gzipSync(await bundle(`import { connect } from '${entry}'; globalThis.used = connect;`), { level: 9 }).length;
    t.diagnostic(`${entry}: ${weight} bytes gzip; limit ${limit}, target ${target}`);
    assert.ok(weight <= limit, `${entry} weighs ${weight} bytes, ${weight - limit} too many: make it smaller, not the limit larger`);
    // The names that wasm-bindgen makes differ from folder to folder, and weigh some bytes more or less.
    const lower = Math.max(Math.ceil(weight / 100) * 100, target);
    if (process.env.UPDATE) lowerTo(entry, Math.min(lower, limit));
    else assert.ok(limit - lower <= budget.slack, `${entry} weighs only ${weight} bytes; lower its limit: UPDATE=1 node --test tests/size.mjs`);
    const [, said] = readFileSync(README, 'utf8').match(new RegExp(`^\\| \`${entry}\` .* (\\d+) kB \\|$`, 'm'));
    assert.ok(Math.abs(said * 1000 - weight) <= 1500, `client-wasm/README.md says ${said} kB of ${entry}, which weighs ${weight} bytes`);
  });
}

/** Writes the limit of one entry, and leaves the rest of the file as it is. */
function lowerTo(entry, limit) {
  const text = readFileSync(PLACE, 'utf8');
  writeFileSync(PLACE, text.replace(new RegExp(`("${entry}": \\{ "limit": )\\d+`), `$1${limit}`));
}

test('an import that is not used costs nothing', async () => {
  for (const entry of ['petasus', 'petasus/slim', 'petasus/url', 'petasus/auth', 'petasus/react']) {
    const bundled = await bundle(`import * as unused from '${entry}';`);
    assert.equal(bundled.toString().trim(), '', `something of ${entry} stays`);
  }
});

test('who imports only the error class does not load the wasm', async () => {
  const bundled = await bundle("import { PetasusError } from 'petasus'; globalThis.used = PetasusError;");
  assert.ok(bundled.length < 20_000, `${bundled.length} bytes`);
});

/** A page's script with everything that it loads, as esbuild makes it. */
async function bundle(contents) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: HERE },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    legalComments: 'none',
    external: ['react'],
    loader: { '.wasm': 'file' },
    outdir: '/',
  });
  return Buffer.concat(outputFiles.map(({ contents: bytes }) => bytes));
}
