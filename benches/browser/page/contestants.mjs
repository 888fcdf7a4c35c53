// The clients, each as its documentation says that it is used: connected, then `publish(text)` or a listener of texts.

import autobahn from 'autobahn-browser';
import mqtt from 'mqtt';
import { connect } from 'petasus';
import { TOPIC } from '../load.mjs';

/** Each opens a client: `{ publish(text), listen(take) }`; what `publish` gives is awaited now and then. */
export const contestants = {
  async petasus(url, { dialect, realm, mode, iterated }) {
    const client = await connect(url, { dialect, realm });
    // Over Mercury a topic has a socket of its own, which is opened for the first message that may wait.
    if (mode) await client.publish(TOPIC, 'first', { mode: 'queued' });
    while (mode === 'fire' && !(await isOpen(client))) await new Promise((resolve) => setTimeout(resolve, 5));
    return {
      publish: (text) => client.publish(TOPIC, text, { mode }),
      async listen(take) {
        const subscription = iterated ? client.subscribe(TOPIC) : client.subscribe(TOPIC, ({ text }) => take(text));
        await subscription.ready;
        if (iterated) void each(subscription, take);
      },
    };
  },

  autobahn(url, { realm }) {
    return new Promise((resolve, reject) => {
      const connection = new autobahn.Connection({ url, realm, max_retries: 0 });
      connection.onopen = (session) => resolve({
        publish: (text) => session.publish(TOPIC, [text]),
        listen: (take) => session.subscribe(TOPIC, ([text]) => take(text)),
      });
      connection.onclose = (why, details) => reject(new Error(`${why}: ${details?.message}`));
      connection.open();
    });
  },

  async mqtt(url) {
    const client = await mqtt.connectAsync(url, { reconnectPeriod: 0 });
    return {
      publish: (text) => void client.publish(TOPIC, text),
      listen(take) {
        client.on('message', (_, payload) => take(payload.toString()));
        return client.subscribeAsync(TOPIC);
      },
    };
  },

  async bare(url) {
    const open = (path) => new Promise((resolve, reject) => {
      const socket = new WebSocket(`${url}/${path}/${TOPIC}`);
      socket.onopen = () => resolve(socket);
      socket.onerror = () => reject(new Error(`${socket.url} does not open`));
    });
    const publisher = await open('pub');
    return {
      publish: (text) => publisher.send(text),
      async listen(take) {
        (await open('sub')).onmessage = ({ data }) => take(data);
      },
    };
  },
};

/** Whether a message can go at once. */
const isOpen = (client) => client.publish(TOPIC, 'first', { mode: 'fire' }).then(() => true, () => false);

async function each(subscription, take) {
  for await (const { text } of subscription) take(text);
}
