// What a screen reader hears. Six logs that all speak would be noise, so the logs are silent and this one line sums up.

const MESSAGES_EVERY_MS = 4000;
const REPEAT_AFTER_MS = 2000;

export class Announcer {
  #element;
  #said = new Map();
  #messages = [];
  #timer = 0;
  #flooded = false;

  constructor(element) {
    this.#element = element;
  }

  /** Says a sentence once, even if several peers report the same trouble together. */
  say(sentence) {
    const now = performance.now();
    for (const [old, at] of this.#said) if (now - at > REPEAT_AFTER_MS) this.#said.delete(old);
    if (this.#said.has(sentence)) return;
    this.#said.set(sentence, now);
    this.#element.textContent = sentence;
  }

  /** Notes that a message arrived: a few are read out, a flood is mentioned once. */
  message(who, text) {
    if (this.#messages.length < 10) this.#messages.push(`${who}: ${text}`);
    this.#timer ||= setTimeout(() => this.#sumUp(), MESSAGES_EVERY_MS);
  }

  #sumUp() {
    const messages = this.#messages.splice(0);
    this.#timer = 0;
    const flood = messages.length > 4;
    if (!flood) this.say(`Received. ${messages.join('. ')}`);
    else if (!this.#flooded) this.say('Many messages are arriving. The logs hold the newest 200 of each peer.');
    this.#flooded = flood;
  }
}
