// What every project does with the package once it has imported it.

/**
 * Two clients of `connect` at the broker `url`; one sends the other a message, by a topic that nobody else knows.
 * Returns what arrived.
 */
export async function exchange(connect, url, options = {}) {
  const topic = `packaging/${Math.random().toString(36).slice(2)}`;
  const [sender, receiver] = await Promise.all([connect(url, options), connect(url, options)]);
  try {
    const subscription = receiver.subscribe(topic);
    await subscription.ready;
    await sender.publish(topic, { greeting: 'hello', to: ['you'] }, { mode: 'acknowledged' });
    for await (const message of subscription) return message.json();
    throw new Error('the subscription ended without a message');
  } finally {
    await Promise.all([sender.close(), receiver.close()]);
  }
}
