// The example page: three patterns, eight peers, one broker. Start reading in peer.js: that is all a client needs.

import { AddressError, parseRoot, shellQuote } from './address.js';
import { Announcer } from './announcer.js';
import { Peer } from './peer.js';
import { setUpPost } from './post.js';
import { Rates } from './rates.js';
import { setUpTheme } from './theme.js';
import { Wire } from './wire.js';

const DEFAULT_ROOT = 'http://127.0.0.1:3000';
const QUIET_MS = 500;

const PATTERNS = [
  {
    key: 'bus',
    name: 'Bus',
    posts: 'bus',
    terminal: ([a]) => `petasus bus ${shellQuote(a.topic)}`,
    peers: [
      { id: 'bus-a', name: 'Peer A', kind: 'bus', topic: 'lobby', message: 'Hello from A' },
      { id: 'bus-b', name: 'Peer B', kind: 'bus', topic: 'lobby', message: 'Hello from B' },
    ],
  },
  {
    key: 'pubsub',
    name: 'Pub/Sub',
    posts: 'pub',
    terminal: ([publisher]) => `petasus pub ${shellQuote(publisher.topic)} fog`,
    peers: [
      {
        id: 'publisher',
        name: 'Publisher',
        kind: 'pub',
        topic: 'weather/berlin',
        topics: ['weather', 'weather/berlin', 'weather/rome'],
        message: 'Reading {n}: sunny',
      },
      { id: 'subscriber-a', name: 'Subscriber A', kind: 'sub', topic: 'weather' },
      { id: 'subscriber-b', name: 'Subscriber B', kind: 'sub', topic: 'weather/berlin' },
    ],
  },
  {
    key: 'queue',
    name: 'Push/Pull',
    posts: 'push',
    terminal: (peers) => `petasus pull ${shellQuote(peers[1].topic)}`,
    peers: [
      { id: 'pusher', name: 'Pusher', kind: 'push', topic: 'jobs', message: 'Job {n}' },
      { id: 'puller-a', name: 'Puller A', kind: 'pull', topic: 'jobs' },
      { id: 'puller-b', name: 'Puller B', kind: 'pull', topic: 'jobs' },
    ],
  },
];

const columns = [];
let summary = 0;

const byId = (id) => document.getElementById(id);
const announcer = new Announcer(byId('announcements'));
const rootField = byId('root');
const root = () => parseRoot(rootField.value);

// The page may stand behind a prefix; the broker's endpoints are beside it.
rootField.value = new URL('.', location.href).href.replace(/\/$/, '');
setUpTheme(byId('theme'));

for (const pattern of PATTERNS) columns.push(buildColumn(pattern));
const refreshPost = setUpPost({
  root,
  announcer,
  rates: Object.fromEntries(columns.map(({ pattern, rates }) => [pattern.posts, rates])),
});

byId('root-form').addEventListener('submit', (event) => {
  event.preventDefault();
  connectAll();
});
rootField.addEventListener('input', () => {
  refreshPost();
  refresh();
});
setInterval(() => columns.forEach(({ rates }) => rates.tick()), 1000);
refresh();
connectAll();

function buildColumn(pattern) {
  const section = document.querySelector(`[data-pattern="${pattern.key}"]`);
  const rates = new Rates(section.querySelector('.rates'), pattern.name);
  const list = section.querySelector('.peers');
  const page = { root, announcer, rates, wire: new Wire(section, list), onState: () => refresh() };
  const made = pattern.peers.map((definition) => {
    const card = byId('peer-template').content.firstElementChild.cloneNode(true);
    list.append(card);
    return new Peer(definition, card, page);
  });
  return { pattern, rates, peers: made, terminal: section.querySelector('.terminal code') };
}

function connectAll() {
  const notice = byId('page-notice');
  try {
    root();
    notice.hidden = true;
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    notice.textContent = error.message;
    notice.hidden = false;
    announcer.say(error.message);
    return;
  }
  everyPeer().forEach((peer) => peer.connect());
}

function everyPeer() {
  return columns.flatMap((column) => column.peers);
}

/** Brings what depends on several peers up to date: the tally, and the lines for the terminal. */
function refresh() {
  const peers = everyPeer();
  const connected = peers.filter((peer) => peer.connected).length;
  const words = `${connected} of ${peers.length} connected`;
  const tally = byId('tally');
  if (tally.textContent !== words) {
    tally.textContent = words;
    clearTimeout(summary);
    summary = setTimeout(() => announcer.say(`${words}.`), QUIET_MS);
  }
  for (const column of columns) column.terminal.textContent = environment() + column.pattern.terminal(column.peers);
}

/** The variable that tells the commands which broker, where it is not the usual one. */
function environment() {
  try {
    const { http } = root();
    return http === DEFAULT_ROOT ? '' : `PETASUS_URL=${shellQuote(http)} `;
  } catch {
    return '';
  }
}
