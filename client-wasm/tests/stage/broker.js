// Our broker, as a program of its own: on a free port, with whatever settings a case needs.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Program } from './program.js';

/** `PETASUS_BIN` names another one. */
const PROGRAM = process.env.PETASUS_BIN ?? fileURLToPath(new URL('../../../target/debug/petasus', import.meta.url));

/** The longest message of the suite has a mebibyte, and grows on the way. */
const LIMITS = { PETASUS_LIMITS_MESSAGE: '4194304', PETASUS_OUTBOX_BYTES: '16777216' };

export class Broker {
  #program;
  #settings;
  #folder;
  #admin;
  /** `ws://127.0.0.1:PORT` */
  url;

  /**
   * `origins` are the only ones whose pages may connect, `access` is the text of an access file, `production` leaves only the
   * realm `default`, and `env` are settings as environment variables.
   */
  static async start(settings = {}) {
    const broker = new Broker();
    broker.#settings = settings;
    broker.#folder = await mkdtemp(join(tmpdir(), 'petasus-broker-'));
    await broker.#start('127.0.0.1:0');
    return broker;
  }

  async #start(authority) {
    const { origins = [], access, production, env = {} } = this.#settings;
    const line = [PROGRAM, 'broker', '--listen', `http://${authority}`, '--admin', 'http://127.0.0.1:0'];
    for (const origin of origins) line.push('--allow-origin', origin);
    if (production) line.push('--mode', 'production');
    if (access) await writeFile(join(this.#folder, 'access.toml'), access);
    const own = access ? { PETASUS_AUTH_ACCESS: join(this.#folder, 'access.toml') } : {};
    // It refuses settings that it does not know, and the tests have some of their own.
    const foreign = Object.entries(process.env).filter(([name]) => !name.startsWith('PETASUS_'));
    this.#program = await new Program(line, { ...Object.fromEntries(foreign), ...LIMITS, ...own, ...env }).start(2);
    const [url, admin] = this.#program.urls;
    this.url = url.replace('http', 'ws');
    this.#admin = admin;
  }

  /** Ends it as a crash does. */
  async kill() {
    await this.#program.kill();
  }

  /** Starts it again, at the same address, with settings that differ from those before. */
  async restart(settings = {}) {
    await this.#program.stop();
    Object.assign(this.#settings, settings);
    await this.#start(this.url.slice('ws://'.length));
  }

  /** The sum of the series of a metric. */
  async metric(name) {
    const text = await (await fetch(new URL('/metrics', this.#admin))).text();
    const values = text.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
    return values.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  }

  async stop() {
    await this.#program.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
