// A live picture of one pattern: messages per second over the last minute, sent as a line, received as bars.

const SECONDS = 60;
const WIDTH = 300;
const HEIGHT = 60;
const HEADROOM = 14; // above the highest value, where its label stands
const SPEAK_EVERY = 5;
const SVG = 'http://www.w3.org/2000/svg';

export class Rates {
  #name;
  #seconds = Array.from({ length: SECONDS }, () => ({ sent: 0, received: 0 }));
  #current = { sent: 0, received: 0 };
  #begun = Math.floor(performance.now() / 1000);
  #ticks = 0;
  #parts;

  constructor(figure, name) {
    this.#name = name;
    this.#parts = build(figure);
    this.#draw();
  }

  sent() {
    this.#advance();
    this.#current.sent++;
  }

  received() {
    this.#advance();
    this.#current.received++;
  }

  /** Moves the picture on. Called about once a second; a tab in the background is called more rarely and catches up. */
  tick() {
    this.#advance();
    this.#draw();
  }

  /** Begins a new second if the clock has. Done at every count too, so that a late tick puts nothing into the wrong second. */
  #advance() {
    const second = Math.floor(performance.now() / 1000);
    for (let missed = Math.min(second - this.#begun, SECONDS); missed > 0; missed--) {
      this.#seconds.push(this.#current);
      this.#seconds.shift();
      this.#current = { sent: 0, received: 0 };
    }
    this.#begun = second;
  }

  #draw() {
    const { bars, stroke, top, sentNow, receivedNow, picture } = this.#parts;
    const peak = Math.max(...this.#seconds.map(({ sent, received }) => Math.max(sent, received)));
    const scale = niceCeiling(peak);
    const step = WIDTH / SECONDS;
    const y = (value) => round(HEIGHT - (value / scale) * (HEIGHT - HEADROOM));
    bars.setAttribute('d', this.#seconds.map(({ received }, index) => (
      received === 0 ? '' : `M${round(index * step + 0.5)} ${HEIGHT}V${y(received)}h${step - 1}V${HEIGHT}z`
    )).join(''));
    stroke.setAttribute('d', this.#seconds.map(({ sent }, index) => (
      `${index === 0 ? 'M0 ' : 'V'}${y(sent)}H${round((index + 1) * step)}`
    )).join(''));
    const now = this.#seconds.at(-1);
    top.textContent = `${scale}/s`;
    sentNow.textContent = now.sent;
    receivedNow.textContent = now.received;
    // A label that changed every second would be no label: a reader could not finish it.
    if (this.#ticks++ % SPEAK_EVERY === 0) picture.setAttribute('aria-label', this.#sentence(now, peak));
  }

  #sentence(now, peak) {
    const total = (key) => this.#seconds.reduce((sum, second) => sum + second[key], 0);
    return `${this.#name} in the last minute: ${total('sent')} messages sent, ${total('received')} received. `
      + `Now ${now.sent} sent and ${now.received} received per second; the highest second had ${peak}.`;
  }
}

function build(figure) {
  const picture = document.createElementNS(SVG, 'svg');
  picture.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
  picture.setAttribute('preserveAspectRatio', 'none');
  picture.setAttribute('role', 'img');
  const bars = document.createElementNS(SVG, 'path');
  bars.setAttribute('class', 'received');
  const stroke = document.createElementNS(SVG, 'path');
  stroke.setAttribute('class', 'sent');
  picture.append(bars, stroke);

  const top = text('span', '', 'top');
  top.setAttribute('aria-hidden', 'true');
  const sentNow = text('b', '0');
  const receivedNow = text('b', '0');
  const caption = document.createElement('figcaption');
  const sent = text('span', '', 'sent');
  sent.append(sentNow, ' sent/s');
  const received = text('span', '', 'received');
  received.append(receivedNow, ' received/s');
  caption.append(sent, received, text('span', 'last minute', 'span'));
  figure.append(picture, top, caption);
  return { picture, bars, stroke, top, sentNow, receivedNow };
}

/** The next number of the form 1, 2 or 5 times a power of ten, at least 5. */
function niceCeiling(value) {
  for (let power = 1; ; power *= 10) {
    for (const factor of [1, 2, 5]) if (factor * power >= Math.max(value, 5)) return factor * power;
  }
}

function round(value) {
  return Math.round(value * 10) / 10;
}

function text(name, words, className = '') {
  const made = document.createElement(name);
  made.textContent = words;
  if (className) made.className = className;
  return made;
}
