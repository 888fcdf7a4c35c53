// What a browser loads of each client: the smallest useful import, bundled and minified by esbuild, gzip -9.
//
//   npm ci --ignore-scripts && npm run measure            all libraries, as a Markdown table
//   npm run measure -- petasus mqtt                       only those whose name begins so
//
// Ours is measured in the same way, from client-wasm/dist, if it has been built (`cargo xtask wasm`, `npm run build`).

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { entries } from './entries.mjs';

const wanted = process.argv.slice(2);
const rows = [];
for (const entry of entries) {
  if (wanted.length > 0 && !wanted.some((start) => entry.library.startsWith(start))) continue;
  rows.push(await measure(entry).catch((error) => ({ ...entry, failed: error })));
}
rows.sort((a, b) => (a.gzip ?? Infinity) - (b.gzip ?? Infinity));
print(rows);

/** Bundles one entry. Everything counts that the bundle consists of: scripts, and files such as a `.wasm` beside them. */
async function measure(entry) {
  const { outputFiles } = await build({
    // A package may import itself by its name: that is how ours is found.
    stdin: { contents: source(entry), resolveDir: folder(entry) },
    bundle: true,
    minify: true,
    write: false,
    outdir: '/',
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    legalComments: 'none',
    logLevel: 'silent',
    define: { 'process.env.NODE_ENV': '"production"', global: 'globalThis' },
    loader: { '.wasm': 'file' },
  });
  const files = outputFiles.map((file) => file.contents);
  return {
    ...entry,
    version: version(entry),
    minified: sum(files.map((file) => file.length)),
    gzip: sum(files.map((file) => gzipSync(file, { level: 9 }).length)),
  };
}

/** A page that uses what it imports, so that nothing of it is dropped as unused. */
function source({ library, imported }) {
  const names = imported.replace(/default as /g, '');
  return `import ${imported.startsWith('default') ? names : `{ ${imported} }`} from '${library}'; globalThis.used = [${names}];`;
}

function version(entry) {
  return JSON.parse(readFileSync(`${folder(entry)}/package.json`, 'utf8')).version;
}

function folder({ library, folder: path = `node_modules/${library}` }) {
  return fileURLToPath(new URL(path, import.meta.url));
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}

function print(measured) {
  console.log('| library | import | minified, kB | gzip, kB | speaks |');
  console.log('|---|---|---|---|---|');
  for (const row of measured) {
    const { library, shown = `\`${row.imported}\``, version: number, minified, gzip, speaks, failed } = row;
    const name = library.startsWith('petasus') ? `**${library}**` : library;
    if (failed) console.log(`| ${name} | ${shown} | - | not measured: ${reason(failed)} | ${speaks} |`);
    else console.log(`| ${name} ${number} | ${shown} | ${kB(minified)} | **${kB(gzip)}** | ${speaks} |`);
  }
}

/** The first line that names a cause. */
function reason(error) {
  return error.errors?.[0]?.text ?? String(error.message).split('\n')[0];
}

/** Thousands of bytes, one decimal. */
function kB(bytes) {
  return (bytes / 1000).toFixed(1);
}
