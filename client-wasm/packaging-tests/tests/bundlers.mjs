// Pages made by a bundler, opened in Chromium.

import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { build as esbuild } from 'esbuild';
import { build as viteBuild, createServer as viteServer, preview as vitePreview } from 'vite';
import { expectExchange } from '../stage/browser.mjs';
import { HERE, SCRATCH } from '../stage/install.mjs';
import { serve } from '../stage/serve.mjs';
import { webpack } from '../stage/webpack.mjs';

const PAGE = join(HERE, 'projects/page');
const NAMES = ['full', 'slim', 'url', 'in-worker', 'hooks'];
const VITE = { root: PAGE, configFile: false, logLevel: 'error', cacheDir: join(SCRATCH, 'vite-cache') };
const PORT = { host: '127.0.0.1', port: 0 };

test('Vite builds pages that work', async (t) => {
  const outDir = join(SCRATCH, 'vite');
  const input = NAMES.map((name) => join(PAGE, `${name}.html`));
  const build = { outDir, emptyOutDir: true, rollupOptions: { input } };
  await viteBuild({ ...VITE, build, worker: { format: 'es' } });
  const server = await vitePreview({ ...VITE, build: { outDir }, preview: PORT });
  after(() => server.close());
  await visitAll(t, server.resolvedUrls.local[0]);
});

test('Vite serves pages that work while they are developed', async (t) => {
  const server = await viteServer({ ...VITE, server: { ...PORT, fs: { allow: [HERE] } } });
  after(() => server.close());
  await server.listen();
  await visitAll(t, server.resolvedUrls.local[0]);
});

test('webpack builds pages that work', async (t) => {
  const path = join(SCRATCH, 'webpack');
  // Not `slim`, which is made like `full`: webpack takes its time.
  const names = ['full', 'url', 'in-worker', 'hooks'];
  const entry = Object.fromEntries(names.map((name) => [name, join(PAGE, `${name}.js`)]));
  await webpack({ entry, output: { path }, performance: { hints: false } });
  await visitAll(t, await serveBuilt(path), names);
});

test('esbuild builds pages that work', async (t) => {
  const outdir = join(SCRATCH, 'esbuild');
  // Alone, esbuild neither copies the wasm file of petasus/url nor bundles workers named by `new URL`: a worker is an entry.
  const entryPoints = ['full', 'slim', 'in-worker', 'worker', 'hooks'].map((name) => join(PAGE, `${name}.js`));
  await esbuild({ entryPoints, outdir, bundle: true, minify: true, format: 'esm', logLevel: 'error' });
  await visitAll(t, await serveBuilt(outdir), ['full', 'slim', 'in-worker', 'hooks']);
});

/** Serves what a bundler wrote into `folder`, and the pages that load it. */
async function serveBuilt(folder) {
  for (const name of NAMES) cpSync(join(PAGE, `${name}.html`), join(folder, `${name}.html`));
  const { origin, stop } = await serve(folder);
  after(stop);
  return `${origin}/`;
}

async function visitAll(t, base, names = NAMES) {
  for (const name of names) {
    for (const dialect of name === 'full' ? ['wamp', 'mercury'] : ['wamp']) {
      await t.test(`${name} over ${dialect}`, () => expectExchange(`${base}${name}.html`, dialect));
    }
  }
}
