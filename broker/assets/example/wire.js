// Messages in flight: a dot runs along the wire between a peer and the broker, once for each message that is seen.

const MAX_IN_FLIGHT = 6;
const LINE = 3; // so that the corner at the last tap is closed, in CSS pixels
const stillness = matchMedia('(prefers-reduced-motion: reduce)');

/** The wire of one column. It hangs from the top of the column and reaches down to the last card. */
export class Wire {
  #column;
  #inFlight = new Map();

  constructor(column, list) {
    this.#column = column;
    const reach = new ResizeObserver(() => {
      column.style.setProperty('--wire-length', `${this.#tap(list.lastElementChild) + LINE}px`);
    });
    reach.observe(column);
    reach.observe(list);
  }

  /** Sends a dot `out` (peer to broker) or `in` (broker to peer). A flood shows as a steady stream, not as a thousand dots. */
  fly(card, way) {
    const flying = this.#inFlight.get(card) ?? 0;
    if (stillness.matches || document.hidden || flying >= MAX_IN_FLIGHT) return;
    const wireX = this.#measure('--wire-x');
    const tapY = this.#tap(card);
    const path = [[wireX, 0], [wireX, tapY], [card.offsetLeft, tapY]];
    if (way === 'out') path.reverse();
    const [first, second] = [distance(path[0], path[1]), distance(path[1], path[2])];
    const offsets = [0, first / (first + second), 1];

    const dot = document.createElement('i');
    dot.className = 'dot';
    dot.setAttribute('aria-hidden', 'true');
    this.#column.append(dot);
    this.#inFlight.set(card, flying + 1);
    const flight = dot.animate(
      path.map(([x, y], index) => ({ transform: `translate(${x}px, ${y}px)`, offset: offsets[index] })),
      { duration: 260 + (first + second) * 0.5, easing: 'cubic-bezier(.3, .2, .7, .8)' },
    );
    flight.onfinish = flight.oncancel = () => {
      dot.remove();
      this.#inFlight.set(card, this.#inFlight.get(card) - 1);
    };
  }

  #tap(card) {
    return card.offsetTop + this.#measure('--tap-y');
  }

  #measure(variable) {
    return parseFloat(getComputedStyle(this.#column).getPropertyValue(variable));
  }
}

function distance([x1, y1], [x2, y2]) {
  return Math.abs(x2 - x1) + Math.abs(y2 - y1);
}
