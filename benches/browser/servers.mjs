// The brokers, as they are out of the box but for one setting, each a process of its own on a free port.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { once } from 'node:events';
import { connect as tcp } from 'node:net';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const START_MS = 60_000;

/** As much waits for a slow reader; mosquitto has no bound, and a page that compiles something is slow for a while. */
const OUTBOX = String(64 << 20);

/** What is started ends with this program, however that ends. */
const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill()));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));

/** Starts a broker: `{ page, plain, stop }`, the URLs for the page and for plain sockets. Throws if it is not installed. */
export async function start(name) {
  const folder = await mkdtemp(join(tmpdir(), 'petasus-bench-'));
  const { program, arguments: given, page, plain, says } = await brokers[name](folder);
  const child = spawn(program, given, { cwd: folder, env: { ...process.env, PETASUS_OUTBOX_BYTES: OUTBOX }, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (said = (said + bytes).slice(-20_000)));
  const ended = Promise.race([once(child, 'exit'), once(child, 'error')]).catch((error) => error);
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    running.delete(child);
    await rm(folder, { recursive: true, force: true });
  };
  const until = Date.now() + START_MS;
  for (;;) {
    if (child.exitCode !== null || Date.now() > until) {
      await stop();
      throw new Error(`${name} did not start: ${said}`);
    }
    const url = says?.exec(said)?.[1];
    if (url) return { page: url, plain: `${url}#realm1`, stop };
    if (!says && (await listens(plain))) return { page, plain, stop };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const brokers = {
  async petasus() {
    const program = process.env.PETASUS ?? join(ROOT, 'target/release/petasus');
    if (!existsSync(program)) throw new Error('the broker is missing; run: cargo build --release -p petasus-cli');
    const port = await freePort();
    const listen = ['--listen', `http://127.0.0.1:${port}`, '--allow-origin', '127.0.0.1', '--admin', 'none'];
    return { program, arguments: ['broker', '--mode', 'production', ...listen], page: `ws://127.0.0.1:${port}`, plain: `ws://127.0.0.1:${port}/ws#default` };
  },

  async mosquitto(folder) {
    const program = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto', '/usr/bin/mosquitto'].find(existsSync);
    if (!program) throw new Error('mosquitto is missing; run: apt-get install mosquitto');
    const [port, pagePort] = [await freePort(), await freePort()];
    const file = join(folder, 'mosquitto.conf');
    // It drops what a slow reader does not take, unless told otherwise.
    const settings = ['allow_anonymous true', 'max_queued_messages 0', `listener ${port} 127.0.0.1`, `listener ${pagePort} 127.0.0.1`, 'protocol websockets'];
    await writeFile(file, `${settings.join('\n')}\n`);
    return { program, arguments: ['-c', file], page: `ws://127.0.0.1:${pagePort}`, plain: `mqtt://127.0.0.1:${port}` };
  },

  async crossbar(folder) {
    const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
    const program = join(cache, 'petasus/wamp-python/bin/python');
    if (!existsSync(program)) throw new Error('crossbar is missing; run: cargo xtask test wamp');
    return { program, arguments: ['-u', join(ROOT, 'xtask/wamp/serve.py'), folder], says: /listening on (ws\S+)/ };
  },
};

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

async function listens(url) {
  const { hostname, port } = new URL(url);
  const socket = tcp(Number(port), hostname);
  const up = await once(socket, 'connect').then(() => true, () => false);
  socket.destroy();
  return up;
}
