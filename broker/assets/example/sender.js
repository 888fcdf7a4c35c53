// The row that sends: one message, or a steady flow of them.

/** How often a flow looks at what is due. Well below the shortest period, so that a late timer leaves no second empty. */
const TICK_MS = 50;

/** What became of one message. */
export const Outcome = Object.freeze({ SENT: 'sent', BUSY: 'busy', CLOSED: 'closed' });

export class Sender {
  #send;
  #message;
  #repeat;
  #button;
  #timer = 0;
  #count = 0;

  /** `send(text)` sends one message and answers with an `Outcome`. */
  constructor(form, send) {
    this.#send = send;
    this.#message = form.querySelector('.message');
    this.#repeat = form.querySelector('.repeat');
    this.#button = form.querySelector('button');
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#repeat.addEventListener('change', () => {
      if (!this.flowing) return;
      this.stop();
      if (this.#perSecond > 0) this.#start();
    });
    this.#label();
  }

  get flowing() {
    return this.#timer !== 0;
  }

  get #perSecond() {
    return Number(this.#repeat.value);
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = 0;
    this.#label();
  }

  #submit() {
    if (this.flowing) {
      this.stop();
      return;
    }
    const outcome = this.#sendNext();
    if (outcome === Outcome.CLOSED) return;
    if (this.#perSecond > 0) this.#start();
    // The next key press replaces the message, Enter sends it again.
    else if (document.activeElement === this.#message) this.#message.select();
  }

  #start() {
    const perSecond = this.#perSecond;
    let last = performance.now();
    let due = 0;
    this.#timer = setInterval(() => {
      const now = performance.now();
      // A tab in the background is woken once a second: it sends what it missed, but never more than one second's worth.
      due = Math.min(due + ((now - last) / 1000) * perSecond, perSecond);
      last = now;
      for (; due >= 1; due--) if (this.#sendNext() !== Outcome.SENT) return;
    }, TICK_MS);
    this.#label();
  }

  #sendNext() {
    const outcome = this.#send(this.#message.value.replaceAll('{n}', this.#count + 1));
    if (outcome === Outcome.SENT) this.#count++;
    if (outcome === Outcome.CLOSED) this.stop();
    return outcome;
  }

  #label() {
    this.#button.textContent = this.flowing ? 'Stop' : 'Send';
    this.#button.classList.toggle('flowing', this.flowing);
  }
}
