// TypeScript programs that use every part of the public face, in each kind of module resolution.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { HERE } from '../stage/install.mjs';

const TSC = join(HERE, 'node_modules/typescript/bin/tsc');
const TYPES = join(HERE, 'projects/types');
const STRICT = ['--ignoreConfig', '--noEmit', '--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess', '--skipLibCheck', 'false'];
const MODULES = {
  bundler: ['--module', 'esnext', '--moduleResolution', 'bundler'],
  node16: ['--module', 'node16'],
  nodenext: ['--module', 'nodenext'],
};

for (const [name, words] of Object.entries(MODULES)) {
  const commonjs = name === 'bundler' ? [] : ['require.cts'];
  test(`TypeScript accepts what is right and refuses what is wrong, resolved as ${name}`, () => {
    check([...words, '--lib', 'es2022,dom', '--types', 'node', 'face.mts', ...commonjs]);
  });
}

test('the types of a worker are enough: neither those of a document nor those of Node are needed', () => {
  check(['--module', 'esnext', '--moduleResolution', 'bundler', '--lib', 'es2022,webworker', '--types', '', 'worker.mts']);
});

function check(words) {
  try {
    execFileSync(process.execPath, [TSC, '--target', 'es2022', ...STRICT, ...words], { cwd: TYPES, encoding: 'utf8' });
  } catch ({ stdout, stderr }) {
    assert.fail(`${stdout}${stderr}`);
  }
}
