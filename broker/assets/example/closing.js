// Why a connection ended or never began, in words. The codes are those of RFC 6455 7.4 and PROTOCOL.md.

const MEANINGS = {
  1000: ['normal closure', ''],
  1001: ['going away', 'Start the broker again, then connect.'],
  1002: ['protocol error', 'The broker could not read a frame. A proxy in between may be changing the bytes.'],
  1005: ['no code given', 'The broker closed the connection without saying why. Connect again.'],
  1006: ['connection lost', 'The connection broke without a goodbye: the broker was stopped or the network failed. Start it again, then connect.'],
  1007: ['text was not UTF-8', 'Send text as UTF-8, or send a binary message.'],
  1008: ['refused by policy', 'The broker refuses this client. Ask whoever runs it.'],
  1009: ['message too large', 'The broker takes no message this long (key limits.message, 262144 bytes unless changed). Send a shorter one.'],
  1011: ['fault inside the broker', 'Look at the broker’s log, then connect again.'],
  1012: ['broker restarts', 'Connect again in a moment.'],
  1013: ['try again later', 'The broker is overloaded. Connect again in a moment.'],
  3000: ['unauthorised', 'The broker wants to know who you are. Log in, then connect.'],
  3003: ['forbidden', 'The broker’s rules do not allow this. Try another topic.'],
  3100: ['read too slowly', 'Messages came faster than this page took them. Lower the rate, then connect again.'],
  3101: ['idle for too long', 'Nothing was sent for a long time. Connect again.'],
  3102: ['queue full for too long', 'No puller took the messages in time. Connect a puller, then connect again.'],
};

/** `{ words, advice }` of a close code; `advice` is empty where there is nothing to do. */
export function closeMeaning(code) {
  const known = MEANINGS[code];
  if (known) return { words: known[0], advice: known[1] };
  if (code >= 3100 && code < 3500) return { words: 'closed by the broker', advice: 'You may connect again.' };
  if (code >= 3500 && code < 4000) return { words: 'closed for good', advice: 'The broker asks not to connect again.' };
  if (code >= 4000 && code < 5000) return { words: 'closed by the application', advice: 'What it means is up to the application.' };
  return { words: 'closed', advice: 'Connect again.' };
}

/**
 * Finds out why a WebSocket to `path` below `root` could not be opened. A browser hides the reason from scripts, so this asks
 * the same address over plain HTTP, where a healthy endpoint answers 426 (Upgrade Required).
 */
export async function connectFailure(root, path) {
  if (location.protocol === 'https:' && root.http.startsWith('http:')) {
    return `This page came by https, so the browser refuses the unencrypted ${root.http}. Use an https address.`;
  }
  const sameOrigin = new URL(root.http).origin === location.origin;
  let response;
  try {
    response = await fetch(root.http + path, {
      mode: sameOrigin ? 'same-origin' : 'no-cors',
      cache: 'no-store',
      credentials: 'omit',
      signal: AbortSignal.timeout(5000),
    });
  } catch {
    return `Nothing answers at ${root.http}. Start a broker there (petasus broker), or correct the address at the top.`;
  }
  if (response.type === 'opaque' || response.status === 426) {
    return `${root.http} answers, but refuses WebSockets from this page. If it is a broker, allow this page there: `
      + `petasus broker --allow-origin ${location.hostname}`;
  }
  const line = (await response.text().catch(() => '')).split('\n', 1)[0].slice(0, 200);
  return `The broker answered ${response.status}${line ? ` (${line})` : ''}. Correct the topic or the address, then connect.`;
}
