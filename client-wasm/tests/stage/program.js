// A program that listens: started, killed, started again at the same address.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** The start of a program fails after so many milliseconds. */
const PATIENCE = 30_000;

export class Program {
  #child;
  #line;
  /** The URLs that it said, in their order. */
  urls = [];

  /** `line` is a program with its arguments, `env` its whole environment. */
  constructor(line, env) {
    this.#line = { line, env };
  }

  /** Starts it, and reads as many URLs as `count`, each from a line `... on URL`. */
  async start(count) {
    const { line, env } = this.#line;
    const child = spawn(line[0], line.slice(1), { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    let log = '';
    child.stderr.setEncoding('utf8').on('data', (text) => { log = (log + text).slice(-4000); });
    const urls = [];
    const listens = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => reject(new Error(`${line[0]} ended (${code ?? signal}) before it listened:\n${log}`)));
      createInterface({ input: child.stdout }).on('line', (said) => {
        const url = /^\S+: (?:listening|admin) on (\S+)/.exec(said)?.[1];
        if (url) urls.push(url);
        if (urls.length === count) resolve();
      });
    });
    const late = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
    await listens;
    clearTimeout(late);
    this.urls = urls;
    return this;
  }

  /** Ends it as a crash does: it has no chance to say goodbye. */
  kill() {
    return this.#end('SIGKILL');
  }

  /** Ends it as an operator does. */
  stop() {
    return this.#end('SIGTERM');
  }

  async #end(signal) {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
  }
}
