// Our client in Chromium beside others: `node measure.mjs --help`.

import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { cpus, loadavg, release } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { CONTESTANTS, DIRECTIONS } from './contest.mjs';
import { OURS, bundle, serve } from './site.mjs';
import { start } from './servers.mjs';
import { markdown } from './table.mjs';
import { feeder, sink } from './wire.mjs';

const HELP = `node measure.mjs [--rounds 5] [--seconds 2] [--warm-up 1] [--only publish,receive] [--contestants TEXT,TEXT] [--package FILE] [--json FILE]`;
/** No account, no update, no telemetry. */
const FLAGS = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

const { values: given } = parseArgs({
  options: {
    help: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    'warm-up': { type: 'string', default: '1' },
    only: { type: 'string', default: DIRECTIONS.join(',') },
    contestants: { type: 'string', default: '' },
    package: { type: 'string', default: OURS },
    json: { type: 'string' },
  },
});
if (given.help) {
  console.log(HELP);
  process.exit(0);
}
const [rounds, seconds, warmUp] = [given.rounds, given.seconds, given['warm-up']].map(Number);
const directions = DIRECTIONS.filter((name) => given.only.includes(name));
const wanted = given.contestants.split(',').filter(Boolean);
const chosen = CONTESTANTS.filter(({ name }) => !wanted.length || wanted.some((text) => name.includes(text)));

const site = await serve(await bundle(resolve(given.package)));
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const browser = await chromium.launch({ executablePath, args: FLAGS });
const servers = await startAll(new Set(chosen.map(({ server }) => server)));
const loadBefore = loadavg()[0];
const runs = [];
try {
  for (let round = 1; round <= rounds; round++) {
    // All in turn, so that a change of the machine's speed meets all of them.
    for (const direction of directions) {
      for (const contestant of chosen) {
        if (!servers[contestant.server] || contestant.only?.includes(direction) === false) continue;
        const run = await measure(contestant, direction).catch((problem) => ({ problem }));
        if (run.problem) console.error(`${contestant.name}, ${direction}: ${run.problem.stack}`);
        else runs.push({ name: contestant.name, direction, ...run });
        if (!run.problem) tell(round, direction, contestant.name, run);
      }
    }
  }
} finally {
  await browser.close();
  site.close();
  for (const server of Object.values(servers)) await server.stop();
}
console.log(`${machine()}; load average ${loadBefore.toFixed(1)} before, ${loadavg()[0].toFixed(1)} after. ${rounds} rounds, ${seconds} s each.\n`);
console.log(markdown(runs, directions, chosen));
if (given.json) await writeFile(given.json, JSON.stringify(runs, null, 1));

/** One run, in a page of its own, after a while in which its code is compiled. */
async function measure({ library, server, path = '', wire, options }, direction) {
  const context = await browser.newContext();
  const { page: url, plain } = servers[server];
  const at = wire === 'mercury' ? new URL(plain).origin.replace('http', 'ws') : plain;
  let other;
  try {
    const page = await context.newPage();
    page.once('pageerror', (error) => console.error(`in the page: ${error.stack}`));
    await page.goto(site.url);
    await page.evaluate(([name, ...rest]) => window.bench.connect(name, ...rest), [library, url + path, options]);
    const cost = await metrics(context, page);
    if (direction === 'publish') return await published(page, cost, (other = await sink(wire, at)));
    return await received(page, cost, (other = await feeder(wire, at)));
  } finally {
    other?.end();
    await context.close();
  }
}

/** The page publishes, flat out; what counts is what comes out of the broker. */
async function published(page, cost, sink) {
  const publish = (time) => page.evaluate((time) => window.bench.publish(time), time);
  await sink.until(await publish(warmUp));
  const before = await cost();
  const began = performance.now();
  const sent = await publish(seconds);
  const { received, last } = await sink.until(sent);
  return figures(before, await cost(), sent, received, (last - began) / 1000);
}

/** The page receives what a plain socket publishes, as fast as it is taken. */
async function received(page, cost, feeder) {
  site.onProgress = () => feeder.took();
  await page.evaluate((progress) => window.bench.listen(progress), site.progress);
  await feeder.feed(warmUp);
  const taken = feeder.sent;
  const before = await cost();
  const began = performance.now();
  await feeder.feed(seconds);
  const time = (performance.now() - began) / 1000;
  const after = await cost();
  const { count, disorder } = await page.evaluate(() => window.bench.received());
  return { ...figures(before, after, feeder.sent - taken, count - taken, time), disorder };
}

function figures(before, after, sent, received, time) {
  return {
    rate: received / time,
    lost: sent - received,
    task: ((after.TaskDuration - before.TaskDuration) / received) * 1e6,
  };
}

/** What the page's main thread has spent, in seconds on a processor, whatever else the machine does. */
async function metrics(context, page) {
  const session = await context.newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  return async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
  };
}

async function startAll(names) {
  const started = {};
  for (const name of names) {
    try {
      started[name] = await start(name);
    } catch (problem) {
      console.error(`left out: ${problem.message}`);
    }
  }
  return started;
}

function tell(round, direction, name, { rate, task, lost }) {
  const perSecond = Math.round(rate).toLocaleString('en').padStart(9);
  console.error(`round ${round} ${direction.padEnd(8)} ${name.padEnd(36)} ${perSecond}/s, main thread ${task.toFixed(2)} us, lost ${lost}`);
}

function machine() {
  const commit = execFileSync('git', ['describe', '--always', '--dirty'], { cwd: import.meta.dirname ?? '.', encoding: 'utf8' }).trim();
  return `${cpus().length} cores of ${cpus()[0].model.trim()}, Linux ${release()}, Chromium ${browser.version()}, commit ${commit}`;
}
