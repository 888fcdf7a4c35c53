// What every client sends and counts: the same for all, in the page and outside.
//
// A message has 128 bytes: eight digits, `#`, and filling. The digits are its number, which begins again after `CYCLE`.

export const SIZE = 128;
export const CYCLE = 60_000;
export const TOPIC = 'load';
/** After so many messages a publisher lets the page have a turn. */
export const BATCH = 64;
/** After so many messages a receiver says how far it is; a whole number of steps makes a cycle. */
export const STEP = 500;
/** So many messages may be under way: a broker that drops messages, or disconnects who is slow, would measure something else. */
export const WINDOW = 4000;

export function text(number) {
  return `${String(number % CYCLE).padStart(8, '0')}#`.padEnd(SIZE, '.');
}

/** Counts the messages that came, and those that came out of turn. */
export class Tally {
  count = 0;
  disorder = 0;
  #expected = 0;

  /** Takes a message; says whether it is time to tell how far it is. */
  take(message) {
    const number = Number(message.slice(0, 8));
    if (number !== this.#expected) this.disorder++;
    this.#expected = (number + 1) % CYCLE;
    return ++this.count % STEP === 0;
  }
}
