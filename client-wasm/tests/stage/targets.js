// The brokers that the suite runs against, and what each of them can do.

import { Broker } from './broker.js';

/** Of our own broker over WAMP. */
const ALL = ['trees', 'exact', 'patterns', 'excludeMe', 'bus', 'busAcknowledged', 'queues', 'done', 'calls', 'pieces'];

const OURS = [
  'ours', 'wamp', 'cancel', 'errors', 'uniqueNames', 'shared', 'lists', 'nulls', 'mebibyte', 'binaryPost', 'concurrency',
  'disclosure',
];

/**
 * Each target: its wire; the `entry` of the package that is loaded, and the `areas` of the suite, if not all; `can`, where everything else is `unsupported`; and `has`, the traits that decide which cases concern
 * it. Ours is started by the suite, the others listen where an environment variable says.
 *
 * - `cancel`: a callee learns that nobody waits any more; `errors`: a caller learns the error of a callee;
 * - `uniqueNames`: a procedure has one callee, unless they share it (`shared`);
 * - `concurrency`: a callee may bound the calls it gets; `disclosure`: a callee may learn who calls;
 * - `lists`, `nulls`: arguments that are lists or null arrive as they were;
 * - `mebibyte`: so long a message is taken; `binaryPost`: a page may send bytes by POST.
 */
export const TARGETS = [
  {
    name: 'petasus over wamp',
    dialect: 'wamp',
    can: ALL,
    has: OURS,
  },
  {
    name: 'petasus over wamp, by petasus/slim',
    entry: './slim',
    areas: ['publish', 'subscribe', 'calls', 'trouble'],
    dialect: 'wamp',
    can: ALL,
    has: OURS,
  },
  {
    name: 'petasus over wamp, by petasus/url',
    entry: './url',
    areas: ['publish', 'subscribe', 'calls', 'trouble'],
    dialect: 'wamp',
    can: ALL,
    has: OURS,
  },
  {
    name: 'petasus over mercury',
    dialect: 'mercury',
    can: ['trees', 'bus', 'queues'],
    has: ['ours', 'mercury', 'lists', 'nulls', 'mebibyte'],
  },
  {
    name: 'crossbar',
    variable: 'PETASUS_TEST_CROSSBAR',
    dialect: 'wamp',
    options: { realm: process.env.PETASUS_TEST_CROSSBAR_REALM ?? 'realm1' },
    can: ['trees', 'exact', 'patterns', 'excludeMe', 'calls'],
    has: ['wamp', 'cancel', 'errors', 'uniqueNames', 'shared', 'lists', 'nulls', 'mebibyte', 'binaryPost'],
  },
  {
    // It has no patterns of topics, says `null` where there are no arguments, and lists that are the only argument become the
    // arguments.
    name: 'fox-wamp',
    variable: 'PETASUS_TEST_FOX_WAMP',
    dialect: 'wamp',
    options: { realm: 'realm1' },
    can: ['exact', 'excludeMe', 'calls'],
    has: ['wamp', 'mebibyte', 'binaryPost'],
  },
  {
    // It allows no page of another origin to read an answer: pages come from the same origin, as they would there.
    name: 'a broker in Perl over mercury',
    variable: 'PETASUS_TEST_MERCURY',
    dialect: 'mercury',
    sameOrigin: true,
    can: ['trees', 'bus', 'queues'],
    has: ['mercury', 'lists', 'nulls', 'binaryPost'],
  },
];

/** The target as it runs: `{ url, broker, stop }`; `undefined` if it is not here. */
export async function openTarget({ variable }) {
  if (!variable) {
    const broker = await Broker.start();
    return { url: broker.url, broker, stop: () => broker.stop() };
  }
  const url = process.env[variable];
  return url && { url, stop: async () => {} };
}
