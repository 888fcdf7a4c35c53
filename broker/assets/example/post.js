// The POST form: the same message as one HTTP request, and the curl line that makes it.

import { AddressError, curlLine, endpointPath } from './address.js';

const TOPICS = { bus: 'lobby', pub: 'weather/berlin', push: 'jobs' };
const MEANINGS = {
  200: 'the broker has handed it on.',
  202: 'no puller is there, so the broker holds it until one comes.',
  401: 'the broker does not take messages from this page. Allow it with --allow-origin.',
  403: 'the broker’s rules do not allow it. Try another topic.',
  413: 'the message is too large. Send a shorter one.',
  503: 'nobody pulls from this topic (or the broker is full). Connect a puller, then post again.',
};

/** `page`: `{ root(), announcer, rates: { bus, pub, push } }`; `root()` may throw an `AddressError`. */
export function setUpPost(page) {
  const [form, kind, topic, body, curl, copy, answer] = ['form', 'kind', 'topic', 'body', 'curl', 'copy', 'answer']
    .map((name) => document.getElementById(`post-${name}`));

  const tell = (sentence) => {
    answer.textContent = sentence;
    page.announcer.say(sentence);
  };
  const address = () => page.root().http + endpointPath(kind.value, topic.value);
  const refresh = () => {
    try {
      curl.textContent = curlLine(address(), body.value);
    } catch (error) {
      curl.textContent = `# ${error.message}`;
    }
  };
  kind.addEventListener('change', () => {
    if (Object.values(TOPICS).includes(topic.value)) topic.value = TOPICS[kind.value];
    refresh();
  });
  form.addEventListener('input', refresh);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const rates = page.rates[kind.value];
    tell(await post(address, body.value, () => rates.sent()));
  });
  copy.addEventListener('click', async () => tell(await copyText(curl)));
  refresh();
  return refresh;
}

/** Posts and says in a sentence what came of it. */
async function post(address, body, onSent) {
  let url;
  try {
    url = address();
  } catch (error) {
    if (error instanceof AddressError) return error.message;
    throw error;
  }
  const here = new URL(url).origin === location.origin;
  let response;
  try {
    response = await fetch(url, {
      method: 'POST',
      body,
      mode: here ? 'same-origin' : 'no-cors',
      credentials: 'omit',
    });
  } catch {
    return `Nothing answers at ${new URL(url).origin}. Start a broker there, or correct the address at the top.`;
  }
  if (response.type === 'opaque') {
    onSent();
    return 'Sent. The answer of another host is hidden from this page; the curl line shows it.';
  }
  if (response.ok) onSent();
  const line = (await response.text().catch(() => '')).split('\n', 1)[0].slice(0, 200);
  const meaning = MEANINGS[response.status] ?? (line || 'see PROTOCOL.md for what this status means.');
  return `${response.status}: ${meaning}`;
}

/** Copies the text of an element. A page that did not come by https or from this machine may not: it selects it instead. */
async function copyText(element) {
  try {
    await navigator.clipboard.writeText(element.textContent);
    return 'Copied. Paste it into a terminal.';
  } catch {
    getSelection().selectAllChildren(element);
    return 'The line is selected: press Ctrl+C (or ⌘C) to copy it.';
  }
}
