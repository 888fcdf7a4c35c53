// The broker under test: the one that `cargo xtask test` has started, or one of our own.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const LISTENING = 'petasus: listening on ';
const PROGRAM = fileURLToPath(new URL('../../target/debug/petasus', import.meta.url));
const LISTEN = ['http://127.0.0.1:0', 'http://127.0.0.1:0?dialects=pinghub'];

/**
 * Returns `{ url, pinghubUrl, stop }`. `PETASUS_TEST_URL` and `PETASUS_TEST_PINGHUB_URL` name a running broker; without the
 * first, `target/debug/petasus` is started on free ports. `pinghubUrl` is empty if there is no such listener.
 */
export async function findBroker() {
  const { PETASUS_TEST_URL: url, PETASUS_TEST_PINGHUB_URL: pinghubUrl } = process.env;
  if (url) return { url: bare(url), pinghubUrl: pinghubUrl ? bare(pinghubUrl) : '', stop: async () => {} };

  const child = spawn(PROGRAM, ['broker', '--admin', 'none', ...LISTEN.flatMap((address) => ['--listen', address])], {
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
      if (urls.length === LISTEN.length) resolve();
    });
    ended.then((why) => reject(new Error(`${PROGRAM} ended (${why}) before it listened; run: cargo build -p petasus-cli`)));
  });
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  return { url: urls[0], pinghubUrl: urls[1], stop };
}

/** The URL without options and without a slash at the end. */
function bare(url) {
  return url.trim().replace(/[?].*$/, '').replace(/\/$/, '');
}
