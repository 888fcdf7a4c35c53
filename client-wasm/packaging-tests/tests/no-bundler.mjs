// A page without any tool: an import map, files as they are in the package, and a strict Content-Security-Policy.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { BROKER } from '../stage/broker.mjs';
import { expectExchange, visit } from '../stage/browser.mjs';
import { HERE, manifest } from '../stage/install.mjs';
import { serve } from '../stage/serve.mjs';

const IMPORTS = Object.fromEntries(
  ['.', './slim', './url'].map((entry) => [join('petasus', entry), new URL(browserFile(entry), 'http://x/node_modules/petasus/').pathname]),
);
const PAGES = Object.fromEntries(['full', 'slim', 'url'].map((name) => [`/${name}.html`, page(name)]));
const POLICY = `default-src 'none'; img-src data:; connect-src 'self' ${BROKER} ${BROKER.replace('ws', 'http')}`;

test('a page without a bundler, with wasm-unsafe-eval in its policy', async (t) => {
  const { origin, stop } = await serve(HERE, { pages: PAGES, policy: `${POLICY}; script-src 'self' 'nonce-map' 'wasm-unsafe-eval'` });
  after(stop);
  for (const [name, dialect] of [['full', 'wamp'], ['full', 'mercury'], ['slim', 'wamp'], ['url', 'wamp']]) {
    await t.test(`${name} over ${dialect}`, () => expectExchange(`${origin}/${name}.html`, dialect));
  }
});

test('a policy that forbids wasm fails with an error that names the remedy', async () => {
  const { origin, stop } = await serve(HERE, { pages: PAGES, policy: `${POLICY}; script-src 'self' 'nonce-map'` });
  after(stop);
  const { error } = await visit(`${origin}/full.html`);
  assert.match(error, /^PetasusError .*wasm-unsafe-eval/);
});

/** The file that a browser takes for an entry of the package. */
function browserFile(entry) {
  let target = manifest.exports[entry];
  while (typeof target === 'object') target = target.browser ?? target.import ?? target.default;
  return target;
}

function page(name) {
  return `<!doctype html><meta charset="utf-8"><title>${name}</title><link rel="icon" href="data:,"><body>
<script type="importmap" nonce="map">${JSON.stringify({ imports: IMPORTS })}</script>
<script type="module" src="/projects/page/${name}.js"></script>`;
}
