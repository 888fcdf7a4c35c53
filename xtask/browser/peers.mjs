// What a reader of the example page sees and does, by the page's stable ids.

export const PEERS = ['bus-a', 'bus-b', 'publisher', 'subscriber-a', 'subscriber-b', 'pusher', 'puller-a', 'puller-b'];

/** One part of a peer's card: `topic`, `connect`, `state`, `count`, `log`, `message`, `repeat`, `send`, `echo`, `notice`. */
export function part(page, peer, name) {
  return page.getByTestId(`${peer}-${name}`);
}

/** Waits until a peer's card is in a state: `idle`, `connecting`, `open`, `closing`, `closed` or `failed`. */
export async function untilState(page, peer, state) {
  await page.locator(`#${peer}[data-state="${state}"]`).waitFor();
}

export async function untilAllConnected(page) {
  await Promise.all(PEERS.map((peer) => untilState(page, peer, 'open')));
}

/** Moves a connected peer to another topic, as a user does: type, then leave the field. */
export async function moveTo(page, peer, topic) {
  const field = part(page, peer, 'topic');
  if (await field.inputValue() === topic) return;
  const path = { bus: 'bus', pub: 'pub', sub: 'sub', pus: 'push', pul: 'pull' }[peer.slice(0, 3)];
  const joined = page.waitForEvent('websocket', (socket) => new URL(socket.url()).pathname === `/${path}/${topic}`);
  await field.fill(topic);
  await field.blur();
  await joined;
  await untilState(page, peer, 'open');
}

export async function say(page, peer, message) {
  await part(page, peer, 'message').fill(message);
  await part(page, peer, 'send').click();
}

/** The texts that a peer has received, oldest first. */
export function received(page, peer) {
  return part(page, peer, 'log').locator('p.in .text').allTextContents();
}

/** Waits until a peer has received `text`. */
export async function untilReceived(page, peer, text) {
  await part(page, peer, 'log').locator('p.in .text').getByText(text, { exact: true }).first().waitFor();
}

/** Waits until the peers have received `total` messages together. */
export async function untilCount(page, peers, total) {
  await page.waitForFunction(([ids, wanted]) => {
    const counts = ids.map((id) => Number(/(\d+) received/.exec(document.getElementById(`${id}-count`).textContent)?.[1] ?? 0));
    return counts.reduce((sum, count) => sum + count, 0) === wanted;
  }, [peers, total]);
}
