// Makes `dist` of the modules that `cargo xtask wasm` has left in `wasm`, and of `ts`: each entry as an ES module and as a
// CommonJS module, minified, with source maps and types.
//
//   npm ci --ignore-scripts && npm run build

import { execFileSync } from 'node:child_process';
import { copyFileSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { deflateSync, gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { wrap } from './glue.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** What is bundled: from which source, around which module, loaded how, and for whom if not for both. */
const BUNDLES = [
  { name: 'index', source: 'index', module: 'full', load: 'inline' },
  { name: 'slim', source: 'index', module: 'slim', load: 'inline' },
  { name: 'url', source: 'index', module: 'full', load: 'url', formats: ['esm'] },
  { name: 'url.node', source: 'index', module: 'full', load: 'file', formats: ['esm'] },
  { name: 'url', source: 'index', module: 'full', load: 'file', formats: ['cjs'] },
  { name: 'auth', source: 'auth' },
  { name: 'react', source: 'react', banner: '"use client";' },
];

/** What a program imports, and what its types are. */
const TYPES = { index: 'index', slim: 'index', url: 'index', auth: 'auth', react: 'react' };

/** `import.meta.url` for CommonJS, which has none. */
const MODULE_URL = 'const moduleUrl=require("node:url").pathToFileURL(__filename);';

/** It takes the place of `dist` when all of it is there. */
const NEXT = 'dist.next';

rmSync(here(NEXT), { recursive: true, force: true });
for (const plan of BUNDLES) {
  for (const format of plan.formats ?? ['esm', 'cjs']) await bundle(plan, format);
}
copyFileSync(moduleOf('full'), here(`${NEXT}/petasus.wasm`));
declare();
for (const licence of ['LICENSE-APACHE', 'LICENSE-MIT']) copyFileSync(here(`../${licence}`), here(licence));
rmSync(here('dist'), { recursive: true, force: true });
renameSync(here(NEXT), here('dist'));
weigh();

async function bundle({ name, source, module, load, banner = '' }, format) {
  const isCommonJs = format === 'cjs';
  await build({
    entryPoints: [here(`ts/${source}.ts`)],
    outfile: here(`${NEXT}/${name}.${isCommonJs ? 'cjs' : 'js'}`),
    bundle: true,
    minify: true,
    sourcemap: true,
    format,
    platform: 'neutral',
    target: 'es2022',
    external: ['react', 'node:*'],
    // What is internal begins with one underscore; names of wasm-bindgen begin with two.
    mangleProps: /^_[a-zA-Z]/,
    define: { MERCURY: String(module !== 'slim'), ...(isCommonJs && load === 'file' && { 'import.meta.url': 'moduleUrl' }) },
    banner: { js: banner + (isCommonJs && load === 'file' ? MODULE_URL : '') },
    plugins: module ? [inside(module, load)] : [],
    logLevel: 'warning',
  });
}

/** Resolves what `ts/wasm.d.ts` declares. */
function inside(module, load) {
  const files = { 'petasus:wasm': `ts/wasm-${load}.ts`, 'petasus:sink': 'ts/sink.ts', 'petasus:glue': `wasm/${module}/petasus.js` };
  return {
    name: 'petasus',
    setup(bundler) {
      bundler.onResolve({ filter: /^petasus:bytes$/ }, () => ({ path: module, namespace: 'bytes' }));
      bundler.onResolve({ filter: /^petasus:(wasm|sink|glue)$/ }, ({ path }) => ({ path: here(files[path]) }));
      bundler.onLoad({ filter: /./, namespace: 'bytes' }, () => ({ contents: packed(module), loader: 'text' }));
      bundler.onLoad({ filter: /wasm.(full|slim).petasus\.js$/ }, ({ path }) => ({ contents: wrap(readFileSync(path, 'utf8')), loader: 'js' }));
    },
  };
}

/** The module, compressed as `DecompressionStream("deflate")` reads it, in base64. */
function packed(module) {
  const path = moduleOf(module);
  const squeezed = `${path}.zlib`;
  const modified = (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const bytes = modified(squeezed) >= modified(path) ? readFileSync(squeezed) : deflateSync(readFileSync(path), { level: 9, memLevel: 9 });
  return bytes.toString('base64');
}

function moduleOf(name) {
  const path = here(`wasm/${name}/petasus_bg.wasm`);
  if (!statSync(path, { throwIfNoEntry: false })) throw new Error(`${path} is missing; run: cargo xtask wasm`);
  return path;
}

/** Types for `import` and, with the names that CommonJS asks for, for `require`. */
function declare() {
  execFileSync(process.execPath, [here('node_modules/typescript/bin/tsc'), '--outDir', `${NEXT}/types`], { cwd: here('.'), stdio: 'inherit' });
  const reachable = new Set(Object.values(TYPES).map((source) => `${source}.d.ts`));
  for (const file of reachable) imported(file).forEach((other) => reachable.add(other));
  for (const file of readdirSync(here(`${NEXT}/types`))) {
    if (reachable.has(file)) forRequire(`types/${file}`);
    else rmSync(here(`${NEXT}/types/${file}`));
  }
  for (const [name, source] of Object.entries(TYPES)) {
    // `AsyncDisposable` is younger than the rest that the types name.
    writeFileSync(here(`${NEXT}/${name}.d.ts`), `/// <reference lib="esnext.disposable" />\nexport * from "./types/${source}.js";\n`);
    forRequire(`${name}.d.ts`);
  }
}

/** The declarations that one names. */
function imported(file) {
  const text = readFileSync(here(`${NEXT}/types/${file}`), 'utf8');
  return [...text.matchAll(/["']\.\/([^"']*)\.js["']/g)].map(([, name]) => `${name}.d.ts`);
}

function forRequire(path) {
  const text = readFileSync(here(`${NEXT}/${path}`), 'utf8');
  writeFileSync(here(`${NEXT}/${path}`.replace(/\.d\.ts$/, '.d.cts')), text.replace(/(["']\.{1,2}\/[^"']*)\.js(["'])/g, '$1.cjs$2'));
}

/** Prints what there is, and what it weighs. */
function weigh() {
  for (const file of readdirSync(here('dist')).filter((name) => /\.(c?js|wasm)$/.test(name))) {
    const bytes = readFileSync(here(`dist/${file}`));
    console.log(`${file.padEnd(14)}${String(bytes.length).padStart(8)} bytes${String(gzipSync(bytes, { level: 9 }).length).padStart(8)} gzip`);
  }
}
