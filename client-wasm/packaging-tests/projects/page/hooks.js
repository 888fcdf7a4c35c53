// A component with both hooks, mounted as React mounts them while one develops: twice. It shows a burst of messages, and its
// subscription ends with it.

import { createElement, StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Args, connect } from 'petasus';
import { useStatus, useSubscription } from 'petasus/react';
import { show } from './report.js';

const { broker, dialect } = Object.fromEntries(new URLSearchParams(location.search));
const topic = `hooks.${Math.random().toString(36).slice(2)}`;

function Component({ client, options }) {
  const { state } = useStatus(client);
  const { messages, last, ready, error } = useSubscription(client, topic, options);
  const numbers = messages.map((message) => message.json().number);
  return createElement('output', null, JSON.stringify({ state, ready, error: error?.code, numbers, last: last?.json().number }));
}

async function work() {
  const [shown, other] = await Promise.all([connect(broker, { dialect }), connect(broker, { dialect })]);
  let root = mount();
  const render = (client, options = { keep: 2 }) => {
    root.render(createElement(StrictMode, null, createElement(Component, { client, options })));
  };

  render(undefined);
  await rendered({ state: 'connecting', ready: false, numbers: [] });
  render(shown);
  await rendered({ state: 'connected', ready: true, numbers: [] });
  for (const number of [1, 2, 3]) await other.publish(topic, { number }, { mode: 'acknowledged' });
  await rendered({ state: 'connected', ready: true, numbers: [2, 3], last: 3 });

  if (dialect === 'wamp') {
    const id = await other.call('wamp.subscription.lookup', topic);
    const [session] = await other.call('wamp.subscription.list_subscribers', id);
    await other.call('wamp.subscription.remove_subscriber', new Args([id, session]));
    await rendered({ state: 'connected', ready: false, error: 'revoked', numbers: [2, 3], last: 3 });
  }
  render(shown, { match: 'no such way' });
  await rendered({ state: 'connected', ready: false, error: 'setting', numbers: [] });
  render(shown, { keep: 0 });
  await rendered({ state: 'connected', ready: true, numbers: [] });
  await other.publish(topic, { number: 4 }, { mode: 'acknowledged' });
  await rendered({ state: 'connected', ready: true, numbers: [], last: 4 });

  root.unmount();
  // Over Mercury nobody can be asked who listens.
  if (dialect === 'wamp') await until(async () => (await other.call('wamp.subscription.lookup', topic)) === null);

  root = mount();
  render(shown);
  await rendered({ state: 'connected', ready: true, numbers: [] });
  await Promise.all([shown.close(), other.close()]);
  await until(() => document.querySelector('output')?.textContent.includes('"state":"closed"'));
  return { greeting: 'hello', to: ['you'] };
}

function mount() {
  return createRoot(document.body.appendChild(document.createElement('div')));
}

/** Waits until the document shows this. */
function rendered(expected) {
  return until(() => document.querySelector('output')?.textContent === JSON.stringify(expected));
}

/** Asks again at every frame; the test's own limit ends what never comes. */
async function until(condition) {
  while (!(await condition())) await new Promise(requestAnimationFrame);
}

show(work());
