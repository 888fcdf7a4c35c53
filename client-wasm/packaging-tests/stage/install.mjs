// The package as it would be published: packed by `npm pack`, and installed from the tarball beside the projects.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** This folder, `packaging-tests`. */
export const HERE = fileURLToPath(new URL('..', import.meta.url));
/** The installed package. */
export const INSTALLED = join(HERE, 'node_modules', 'petasus');
/** Where the tarball, and what the bundlers write, goes; removed at the end of the process. */
export const SCRATCH = mkdtempSync(join(tmpdir(), 'petasus-packaging-'));
process.on('exit', () => rmSync(SCRATCH, { recursive: true, force: true }));

const PACKAGE = fileURLToPath(new URL('../..', import.meta.url));

/** The tarball, and the paths of the files in it. */
export const packed = pack();
install();
/** The manifest of the installed package. */
export const manifest = JSON.parse(readFileSync(join(INSTALLED, 'package.json'), 'utf8'));

function pack() {
  if (!existsSync(join(PACKAGE, 'dist'))) {
    throw new Error('client-wasm/dist is missing; run: cargo xtask wasm, then npm ci and npm run build in client-wasm');
  }
  const output = npm(['pack', '--json', '--ignore-scripts', '--pack-destination', SCRATCH], PACKAGE);
  // npm 12 answers with an object by package name, the versions before it with a list.
  const [{ filename, files }] = Object.values(JSON.parse(output));
  return { tarball: join(SCRATCH, filename), files: files.map(({ path }) => path) };
}

/** Nothing is downloaded: a package that needs another one at run time fails here. */
function install() {
  rmSync(INSTALLED, { recursive: true, force: true });
  npm(['install', '--offline', '--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund', packed.tarball], HERE);
}

function npm(words, cwd) {
  return execFileSync('npm', words, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
