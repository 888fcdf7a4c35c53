// Packs `petasus` as it would be published, and installs it here. With a published package this is `npm install petasus`.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const source = join(here, '../../client-wasm');
const tarball = join(here, 'petasus.tgz');
const npm = (folder, ...given) => execFileSync('npm', [...given, '--no-audit', '--no-fund', '--loglevel=error'], { cwd: folder, encoding: 'utf8' });

if (!existsSync(join(source, 'wasm/full/petasus_bg.wasm'))) throw new Error('the WebAssembly module is not built; run: cargo xtask wasm');
if (!existsSync(join(source, 'node_modules'))) npm(source, 'ci', '--ignore-scripts');
// This builds it before.
npm(source, 'pack', '--pack-destination', here);
const { version } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'));
renameSync(join(here, `petasus-${version}.tgz`), tarball);
// Neither package.json nor the lock file names the tarball: it is another one after each build.
rmSync(join(here, 'node_modules/petasus'), { recursive: true, force: true });
npm(here, 'install', '--no-save', '--ignore-scripts', tarball);
console.log(`petasus ${version} is installed`);
