// What is in the tarball, and what its manifest promises.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { INSTALLED, manifest, packed } from '../stage/install.mjs';

const ENTRIES = ['index', 'slim', 'url', 'auth', 'react'];

test('the tarball holds what is needed and nothing else', () => {
  const scripts = packed.files.filter((file) => /^dist\/.*\.c?js$/.test(file));
  const expected = [
    'LICENSE-APACHE',
    'LICENSE-MIT',
    'README.md',
    'package.json',
    'dist/petasus.wasm',
    ...ENTRIES.flatMap((entry) => [`dist/${entry}.js`, `dist/${entry}.cjs`, `dist/${entry}.d.ts`, `dist/${entry}.d.cts`]),
    // Each script has its source map; declarations may be shared by the entries.
    ...scripts.flatMap((file) => [file, `${file}.map`]),
    ...packed.files.filter((file) => /^dist\/types\/.*\.d\.c?ts$/.test(file)),
  ];
  assert.deepEqual(packed.files.toSorted(), [...new Set(expected)].toSorted());
});

test('every script names its source map, and the map holds the sources', () => {
  for (const file of packed.files.filter((name) => /\.c?js$/.test(name))) {
    const path = join(INSTALLED, file);
    const [, name] = readFileSync(path, 'utf8').match(/\/\/# sourceMappingURL=(\S+)\s*$/) ?? assert.fail(`${file} names no map`);
    const { sources, sourcesContent } = JSON.parse(readFileSync(join(dirname(path), name), 'utf8'));
    assert.equal(sourcesContent?.length, sources.length, `${name} lacks sources`);
    for (const source of sources) assert.doesNotMatch(source, /^\/|node_modules/, `${name} names ${source}`);
  }
});

test('the manifest promises no dependency, no side effect, and an optional React', () => {
  const { dependencies, sideEffects, type, peerDependenciesMeta, scripts = {} } = manifest;
  assert.deepEqual({ dependencies, sideEffects, type }, { dependencies: undefined, sideEffects: false, type: 'module' });
  assert.deepEqual(peerDependenciesMeta, { react: { optional: true } });
  for (const name of ['preinstall', 'install', 'postinstall', 'prepare']) assert.equal(scripts[name], undefined, name);
});

test('every file that the manifest names is there', () => {
  const named = JSON.stringify([manifest.exports, manifest.main, manifest.module, manifest.types]).match(/\.\/dist\/[^"]+/g);
  for (const file of named) assert.ok(existsSync(join(INSTALLED, file)), `${file} is missing`);
});

test('publint finds nothing', async () => {
  const { messages, pkg } = await publint({ pkgDir: INSTALLED, pack: false, strict: true });
  assert.deepEqual(messages.map((message) => formatMessage(message, pkg)), []);
});

test('attw finds no wrong types, for import and for require, in any kind of resolution', async () => {
  const tarball = createPackageFromTarballData(readFileSync(packed.tarball));
  const { types, problems } = await checkPackage(tarball, { excludeEntrypoints: ['./petasus.wasm'] });
  assert.equal(types.kind, 'included');
  // Resolution as before Node 12 (`node10`) reads no `exports`, so it cannot find the entries beside the first.
  const counted = problems.filter(({ resolutionKind, entrypoint }) => resolutionKind !== 'node10' || entrypoint === '.');
  assert.deepEqual(counted, []);
});

test('nothing in it names the machine that built it, or Buffer', () => {
  for (const file of packed.files.filter((name) => /\.(c?js|map|d\.c?ts)$/.test(name))) {
    const text = readFileSync(join(INSTALLED, file), 'utf8');
    assert.doesNotMatch(text, /"\/(home|root|Users|work|tmp)\//, `${file} names a folder of the machine that built it`);
    if (!file.endsWith('.map')) assert.doesNotMatch(text, /\bBuffer\b/, `${file} names Buffer`);
  }
});
