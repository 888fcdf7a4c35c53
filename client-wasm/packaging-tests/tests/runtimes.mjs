// Programs without a browser: Node by `import` and by `require`, Deno, Bun.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { BROKER, EXCHANGED } from '../stage/broker.mjs';
import { HERE } from '../stage/install.mjs';

const run = promisify(execFile);
const SUFFIX = process.platform === 'win32' ? '.exe' : '';

const RUNTIMES = {
  'Node, import': [process.execPath, ['main.mjs']],
  'Node, require': [process.execPath, ['main.cjs']],
  Deno: [join(HERE, `node_modules/@deno/linux-x64-glibc/deno${SUFFIX}`), ['run', '--allow-all', '--quiet', 'main.mjs']],
  Bun: [join(HERE, `node_modules/@oven/bun-${process.platform}-${process.arch}/bin/bun${SUFFIX}`), ['main.mjs']],
};
const ENTRIES = { petasus: ['wamp', 'mercury'], 'petasus/slim': ['wamp'], 'petasus/url': ['wamp', 'mercury'] };

for (const [runtime, [program, words]] of Object.entries(RUNTIMES)) {
  // Deno and Bun come by npm, but not for every machine; Deno is taken for Linux only.
  const skip = !existsSync(program) && `${program} is missing`;
  for (const [entry, dialects] of Object.entries(ENTRIES)) {
    for (const dialect of dialects) {
      test(`${runtime}: ${entry} exchanges a message over ${dialect}`, { skip }, async () => {
        assert.deepEqual(await outcome(program, [...words, entry, BROKER, dialect, ...socket(runtime)]), EXCHANGED);
      });
    }
  }
}

test('Node without a WebSocket of its own says which package to pass', { skip: 'WebSocket' in globalThis && 'Node has one' }, async () => {
  const failed = await run(process.execPath, ['main.mjs', 'petasus', BROKER, 'wamp'], { cwd: join(HERE, 'projects/node') }).then(
    ({ stdout }) => assert.fail(`it connected: ${stdout}`),
    (error) => error,
  );
  assert.match(failed.stderr, /PetasusError\]?: .*option WebSocket.*`ws`/m);
});

/** Node has a WebSocket since 22; before, the package ws is passed in. */
function socket(runtime) {
  return runtime.startsWith('Node') && !('WebSocket' in globalThis) ? ['ws'] : [];
}

/** The last line that a program prints. */
async function outcome(program, words) {
  const { stdout } = await run(program, words, { cwd: join(HERE, 'projects/node'), timeout: 30_000 });
  return JSON.parse(stdout.trim().split('\n').at(-1));
}
