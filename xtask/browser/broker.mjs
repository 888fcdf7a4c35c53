// The broker under test: the one that `cargo xtask test` has started, or one of our own.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const LISTENING = 'petasus: listening on ';
const PROGRAM = process.env.PETASUS_TEST_BROKER ?? fileURLToPath(new URL('../../target/debug/petasus', import.meta.url));
/** The broker takes variables that begin so for its settings; those of the tests are none of its own. */
const OWN = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PETASUS_')));
const LISTEN = ['http://127.0.0.1:0', 'http://127.0.0.1:0?dialects=pinghub'];

/**
 * Returns `{ url, pinghubUrl, stop }`. `PETASUS_TEST_URL` and `PETASUS_TEST_PINGHUB_URL` name a running broker; without the
 * first, `target/debug/petasus` is started on free ports. `pinghubUrl` is empty if there is no such listener.
 */
export async function findBroker() {
  const { PETASUS_TEST_URL: url, PETASUS_TEST_PINGHUB_URL: pinghubUrl } = process.env;
  if (url) return { url: bare(url), pinghubUrl: pinghubUrl ? bare(pinghubUrl) : '', stop: async () => {} };

  return startBroker();
}

/** Starts one of our own, in a folder, on free ports unless told otherwise. */
export async function startBroker({ folder, listen = LISTEN } = {}) {
  const child = spawn(PROGRAM, ['broker', '--admin', 'none', ...listen.flatMap((address) => ['--listen', address])], {
    cwd: folder,
    env: OWN,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => {
    child.once('exit', resolve);
    child.once('error', resolve);
  });
  const urls = [];
  const lines = createInterface({ input: child.stdout });
  await new Promise((resolve, reject) => {
    lines.on('line', (line) => {
      if (line.startsWith(LISTENING)) urls.push(bare(line.slice(LISTENING.length)));
      if (urls.length === listen.length) resolve();
    });
    ended.then((why) => reject(new Error(`${PROGRAM} ended (${why}) before it listened; run: cargo build -p petasus-cli`)));
  });
  const stop = async (signal = 'SIGTERM') => {
    child.kill(signal);
    await ended;
  };
  return { url: urls[0], pinghubUrl: urls[1], stop };
}

/** The URL without options and without a slash at the end. */
function bare(url) {
  return url.trim().replace(/[?].*$/, '').replace(/\/$/, '');
}
