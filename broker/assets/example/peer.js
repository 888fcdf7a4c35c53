// One peer: a card on the page and the WebSocket behind it. The protocol is all here: the address says what the socket does,
// and every message is the bare payload.

import { AddressError, endpointPath } from './address.js';
import { closeMeaning, connectFailure } from './closing.js';
import { Log, describe } from './log.js';
import { Outcome, Sender } from './sender.js';

const MAX_BUFFERED_BYTES = 4 * 1024 * 1024;
const RECEIVES = new Set(['bus', 'sub', 'pull']);
const SENDS = new Set(['bus', 'pub', 'push']);
const STATES = {
  idle: 'not connected',
  connecting: 'connecting…',
  open: 'connected',
  closing: 'closing…',
  failed: 'could not connect',
};

export class Peer {
  #definition;
  #page;
  #parts;
  #log;
  #sender;
  #socket = null;
  #url = '';
  /** Whether a flow met this socket while it was closing: the browser tells of the end a little later. */
  #interrupted = false;
  #counts = { sent: 0, received: 0 };

  /**
   * `definition`: `{ id, name, kind, topic, message, topics }`; `kind` is the first segment of the endpoint.
   * `page`: `{ root(), announcer, rates, wire, onState() }`; `root()` may throw an `AddressError`.
   */
  constructor(definition, card, page) {
    this.#definition = definition;
    this.#page = page;
    this.#parts = dress(card, definition);
    this.#log = RECEIVES.has(definition.kind) ? new Log(this.#parts.log) : null;
    this.#sender = SENDS.has(definition.kind) ? new Sender(this.#parts.send, (text) => this.#send(text)) : null;
    this.#parts.button.addEventListener('click', () => {
      if (this.#socket) this.disconnect();
      else this.connect();
    });
    // Enter in the topic field connects, and never disconnects.
    this.#parts.join.addEventListener('submit', (event) => {
      event.preventDefault();
      this.connect();
    });
    // A connected peer whose topic or echo is changed moves there at once.
    const move = () => {
      if (this.#socket && this.#moved) this.connect();
      this.#page.onState();
    };
    this.#parts.topic.addEventListener('change', move);
    this.#parts.echo.addEventListener('change', move);
    this.#parts.hints.addEventListener('click', ({ target }) => {
      if (!target.dataset.topic) return;
      this.#parts.topic.value = target.dataset.topic;
      move();
    });
    this.#show('idle');
  }

  get connected() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  get topic() {
    return this.#parts.topic.value;
  }

  /** Connects to what the fields say now. A connection to somewhere else is left first; one to the same place is kept. */
  connect() {
    let root, path, socket;
    try {
      root = this.#page.root();
      path = this.#path();
      if (this.#socket && this.#url === root.ws + path) return;
      this.#abandon();
      socket = new WebSocket(root.ws + path);
    } catch (error) {
      this.#abandon();
      this.#show('failed');
      this.#notice(error instanceof AddressError ? error.message : `The browser does not allow ${root.ws}: ${error.message}`);
      return;
    }
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    this.#url = socket.url;
    this.#interrupted = false;
    this.#notice('');
    this.#show('connecting');
    this.#listen(socket, root, path);
  }

  disconnect() {
    this.#sender?.stop();
    if (!this.#socket) return;
    if (this.#socket.readyState === WebSocket.CONNECTING) {
      this.#abandon();
      this.#show('idle');
      return;
    }
    this.#show('closing');
    this.#socket.close(1000);
  }

  #listen(socket, root, path) {
    let opened = false;
    const current = (listener) => (event) => {
      if (this.#socket === socket) listener(event);
    };
    socket.addEventListener('open', current(() => {
      opened = true;
      this.#show('open');
      this.#log?.add('note', `joined ${path}`);
    }));
    socket.addEventListener('message', current(({ data }) => this.#receive(data)));
    socket.addEventListener('close', current(async ({ code, reason }) => {
      this.#socket = null;
      if (opened) {
        this.#closed(code, reason);
        return;
      }
      this.#show('failed');
      const sentence = await connectFailure(root, path);
      if (!this.#socket) this.#notice(sentence);
    }));
  }

  #receive(data) {
    this.#counts.received++;
    this.#count();
    this.#log.add('in', data);
    this.#page.rates.received();
    this.#page.wire.fly(this.#parts.card, 'in');
    const { text, remark } = describe(data);
    this.#page.announcer.message(this.#definition.name, text.slice(0, 100) || remark);
  }

  #send(text) {
    if (!this.connected) {
      this.#interrupted = this.#socket !== null && this.#sender.flowing;
      const why = this.#socket?.readyState === WebSocket.CONNECTING ? 'is not connected yet' : 'is not connected';
      this.#notice(`${this.#definition.name} ${why}, so nothing was sent. Connect it, then send again.`);
      return Outcome.CLOSED;
    }
    if (this.#socket.bufferedAmount > MAX_BUFFERED_BYTES) {
      this.#notice('The broker takes messages more slowly than they are sent; some were left out. Choose a lower rate.');
      return Outcome.BUSY;
    }
    this.#socket.send(text);
    this.#counts.sent++;
    this.#count();
    this.#log?.add('out', text);
    this.#page.rates.sent();
    this.#page.wire.fly(this.#parts.card, 'out');
    return Outcome.SENT;
  }

  #closed(code, reason) {
    const { words, advice } = closeMeaning(code);
    const flowing = this.#sender?.flowing || this.#interrupted;
    const wanted = this.#parts.card.dataset.state === 'closing';
    this.#sender?.stop();
    const ending = `closed ${code}: ${words}${reason ? ` (“${reason}”)` : ''}`;
    this.#show('closed', ending);
    this.#log?.add('note', ending);
    if (!wanted) this.#notice(`${flowing ? 'The socket closed while sending; the flow has stopped. ' : ''}${advice}`);
  }

  /** Lets go of the socket without waiting: its events no longer concern this card. */
  #abandon() {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(1000);
  }

  #path() {
    return endpointPath(this.#definition.kind, this.topic, { echo: this.#parts.echo.checked });
  }

  /** Whether the fields name another endpoint than the one that the socket is connected to. */
  get #moved() {
    try {
      return this.#url !== this.#page.root().ws + this.#path();
    } catch {
      return true;
    }
  }

  #show(state, words = STATES[state]) {
    const { card, state: label, button } = this.#parts;
    card.dataset.state = state;
    label.textContent = words;
    button.textContent = state === 'open' || state === 'connecting' || state === 'closing' ? 'Disconnect' : 'Connect';
    this.#page.onState();
  }

  #count() {
    const { sent, received } = this.#counts;
    const words = [];
    if (this.#sender) words.push(`${sent} sent`);
    if (this.#log) words.push(`${received} received`);
    this.#parts.count.textContent = words.join(', ');
  }

  #notice(sentence) {
    this.#parts.notice.textContent = sentence;
    this.#parts.notice.hidden = sentence === '';
    if (sentence) this.#page.announcer.say(sentence);
  }
}

/** Fills a fresh copy of the template: names, ids, and only the parts that this kind of peer has. */
function dress(card, { id, name, kind, topic, message, topics = [] }) {
  const find = (selector) => card.querySelector(selector);
  const mark = (part, suffix) => {
    part.id = part.dataset.testid = `${id}-${suffix}`;
    return part;
  };
  card.id = card.dataset.testid = id;
  card.setAttribute('aria-labelledby', `${id}-name`);
  const heading = mark(find('h3'), 'name');
  heading.textContent = name;
  const parts = {
    card,
    state: mark(find('.state'), 'state'),
    count: mark(find('.count'), 'count'),
    join: find('.join'),
    topic: mark(find('.topic input'), 'topic'),
    echo: mark(find('.echo input'), 'echo'),
    button: mark(find('.join button'), 'connect'),
    hints: find('.hints'),
    notice: mark(find('.notice'), 'notice'),
    log: mark(find('.log'), 'log'),
    send: find('.send'),
  };
  find('.topic span').textContent = `/${kind}/`;
  parts.topic.value = topic;
  parts.topic.setAttribute('aria-label', `Topic of ${name}`);
  parts.button.setAttribute('aria-describedby', heading.id);
  parts.log.setAttribute('aria-label', `Messages of ${name}`);
  if (kind !== 'bus') find('.echo').hidden = true;
  for (const each of topics) parts.hints.append(hint(each), ' ');
  parts.hints.hidden = topics.length === 0;
  if (!RECEIVES.has(kind)) parts.log.remove();
  if (!SENDS.has(kind)) {
    parts.send.remove();
    return parts;
  }
  const input = mark(find('.message'), 'message');
  input.value = message;
  input.setAttribute('aria-label', `Message from ${name}; {n} counts up`);
  mark(find('.repeat'), 'repeat').setAttribute('aria-label', `How often ${name} sends`);
  mark(find('.send button'), 'send').setAttribute('aria-describedby', heading.id);
  return parts;
}

function hint(topic) {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'hint';
  button.dataset.topic = topic;
  // The last segment is what differs; the whole topic stays the button's name.
  button.textContent = topic.replace(/^.*\//, '…/');
  button.setAttribute('aria-label', `Topic ${topic}`);
  return button;
}
