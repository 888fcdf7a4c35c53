// Addresses: the broker's root, the endpoints below it, and the curl line that says the same. No DOM here.

/** An address that cannot be used. Its message is shown as it is: it says what to do. */
export class AddressError extends Error {}

/**
 * Reads what somebody typed as the broker's root (`http://`, `https://`, `ws://`, `wss://`, or just `host:port`).
 * Returns `{ http, ws }`, both without a slash at the end. A path is kept: the broker may stand behind a prefix.
 */
export function parseRoot(text) {
  const typed = text.trim();
  if (typed === '') throw new AddressError('Enter the broker’s address at the top, for example http://127.0.0.1:3000.');
  let url;
  try {
    url = new URL(/^[a-z][a-z0-9+.-]*:\/\//i.test(typed) ? typed : `http://${typed}`);
  } catch {
    throw new AddressError(`“${typed}” is not an address. Write it like http://127.0.0.1:3000.`);
  }
  const secure = { 'http:': false, 'ws:': false, 'https:': true, 'wss:': true }[url.protocol];
  if (secure === undefined) {
    throw new AddressError(`A page cannot connect to ${url.protocol}// addresses. Use http:// or https://.`);
  }
  const rest = url.host + url.pathname.replace(/\/+$/, '');
  return { http: `http${secure ? 's' : ''}://${rest}`, ws: `ws${secure ? 's' : ''}://${rest}` };
}

/** The path of an endpoint: each segment percent-encoded, the slashes between them kept. */
export function endpointPath(kind, topic, { echo = false } = {}) {
  if (topic === '') throw new AddressError('A topic needs at least one character.');
  const segments = topic.split('/');
  if (segments.some((segment) => segment === '.' || segment === '..')) {
    // The URL standard removes such segments, also when they are percent-encoded, before a request is made.
    throw new AddressError('Browsers remove the segments “.” and “..” from an address. Choose another topic.');
  }
  if (/\p{Surrogate}/u.test(topic)) throw new AddressError('This topic has half a character in it. Delete it and type it anew.');
  return `/${kind}/${segments.map(encodeURIComponent).join('/')}${echo ? '?echo=1' : ''}`;
}

/** Quotes one word for a POSIX shell. */
export function shellQuote(word) {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** The curl command that posts `body` to `url`. `--data-raw`, because `-d` would read `@name` from a file. */
export function curlLine(url, body) {
  return `curl --data-raw ${shellQuote(body)} ${shellQuote(url)}`;
}
