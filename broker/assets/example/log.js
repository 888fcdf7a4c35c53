// A bounded log of messages. Text is only ever set as text: what a message contains can never become part of the page.

const MAX_LINES = 200;
const MAX_CHARS = 2000;
const MARKS = { in: ['↓', 'received'], out: ['↑', 'sent'], note: ['', ''] };
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });

/** What the log says about one message: text as it is, binary as hexadecimal bytes. */
export function describe(payload) {
  if (typeof payload !== 'string') {
    const bytes = new Uint8Array(payload);
    const shown = Array.from(bytes.subarray(0, 32), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
    return { text: `${shown}${bytes.length > 32 ? ' …' : ''}`, remark: `binary, ${bytes.length} bytes` };
  }
  if (payload === '') return { text: '', remark: 'empty message' };
  if (payload.length <= MAX_CHARS) return { text: payload, remark: '' };
  return { text: `${payload.slice(0, MAX_CHARS)}…`, remark: `${payload.length} characters` };
}

export class Log {
  #element;
  #waiting = [];
  #frame = 0;
  /** Whether the newest line is kept in sight: until the reader scrolls up to look at an older one. */
  #following = true;
  #top = 0;

  constructor(element) {
    this.#element = element;
    element.addEventListener('scroll', () => {
      if (element.scrollHeight - element.scrollTop - element.clientHeight < 8) this.#following = true;
      else if (element.scrollTop < this.#top) this.#following = false;
    });
    // A notice above may take some of the height.
    new ResizeObserver(() => this.#follow()).observe(element);
  }

  /** Adds a line: `kind` is `in`, `out` or `note`. Lines appear together at the next frame, so a flood costs one layout. */
  add(kind, payload) {
    this.#waiting.push({ kind, payload, at: new Date() });
    if (this.#waiting.length > MAX_LINES) this.#waiting.shift();
    this.#frame ||= requestAnimationFrame(() => this.#show());
  }

  #show() {
    this.#frame = 0;
    const pane = this.#element;
    pane.append(...this.#waiting.splice(0).map(line));
    while (pane.childElementCount > MAX_LINES) pane.firstElementChild.remove();
    this.#follow();
  }

  #follow() {
    if (!this.#following) return;
    this.#element.scrollTop = this.#element.scrollHeight;
    this.#top = this.#element.scrollTop;
  }
}

function line({ kind, payload, at }) {
  const [mark, word] = MARKS[kind];
  const { text, remark } = describe(payload);
  const row = document.createElement('p');
  row.className = kind;
  const time = element('time', clock.format(at));
  time.dateTime = at.toISOString();
  row.append(time, ' ');
  if (mark) {
    const glyph = element('span', mark, 'way');
    glyph.setAttribute('aria-hidden', 'true');
    row.append(glyph, element('span', `${word} `, 'unseen'));
  }
  if (remark) row.append(element('span', remark, 'remark'), ' ');
  const words = element('span', text, 'text');
  words.dir = 'auto';
  row.append(words);
  return row;
}

function element(name, text, className = '') {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}
