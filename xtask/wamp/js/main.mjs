// Runs the cases of autobahn-js against a router that is already there: one JSON line for each.
//
//   node js/main.mjs --ws URL [--tcp HOST:PORT] [--unix PATH] [--longpoll URL] [--mercury URL]
//                    [--realm realm1] [--users FILE] [--petasus] [--list] [PATTERN...]
//
// A PATTERN is a shell pattern on the full name (`js.ws.json/rpc.call`, `js.*/auth.*`) or a part of it.

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { PATIENCE, SHORT, judge, matches, runs } from './registry.mjs';

const text = { type: 'string' };
const { values: given, positionals: patterns } = parseArgs({
  allowPositionals: true,
  options: {
    ws: text, tcp: text, unix: text, longpoll: text, mercury: text, users: text,
    short: { type: 'string', multiple: true, default: [] },
    realm: { type: 'string', default: 'realm1' },
    petasus: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
});

// autobahn-js prints what it does not like, and leaves promises that nobody waits for.
console.warn = console.debug = console.error = () => {};
process.on('unhandledRejection', () => {});

const { World } = await import('./client.mjs');
for (const room of ['pubsub', 'rpc', 'auth', 'meta', 'patterns']) await import(`./cases/${room}.mjs`);

const ends = { ...given, users: given.users ? JSON.parse(readFileSync(given.users, 'utf8')) : null };
if (!given.list && !given.ws) {
  process.stderr.write('js/main.mjs: --ws URL is missing\n');
  process.exit(2);
}
let failed = 0;
for (const one of runs()) {
  if (patterns.length > 0 && !patterns.some((pattern) => matches(pattern, one.full))) continue;
  if (given.list) {
    console.log(one.full);
    continue;
  }
  if (one.petasus && !given.petasus) continue;
  const patience = given.short.some((pattern) => matches(pattern, one.full)) ? SHORT : PATIENCE;
  const begin = performance.now();
  const [verdict, detail] = await judge(one, new World(ends, one.transport), patience);
  failed += verdict === 'fail';
  const line = { case: one.full, ok: verdict === 'pass', detail, ms: Math.round(performance.now() - begin) };
  if (verdict === 'skip') line.skip = true;
  console.log(JSON.stringify(line));
}
process.exit(failed > 0 ? 1 : 0);
