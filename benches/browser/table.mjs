// The figures as Markdown.

const TITLES = {
  publish: 'Published, flat out, 128 B; counted where a plain socket is subscribed',
  receive: 'Received, 128 B, of what a plain socket publishes as fast as it is taken',
};
const HEAD = '| client | messages/s | main thread, us a message | lost | out of order |\n|---|---|---|---|---|';

/** A table for each direction: medians, and the lowest and highest in brackets. */
export function markdown(runs, directions, contestants) {
  return directions.map((direction) => {
    const rows = contestants.map(({ name }) => row(name, runs.filter((run) => run.name === name && run.direction === direction)));
    return `**${TITLES[direction]}**\n\n${HEAD}\n${rows.filter(Boolean).join('\n')}\n`;
  }).join('\n');
}

function row(name, runs) {
  if (!runs.length) return '';
  const spread = (key, places) => span(runs.map((run) => run[key]), places);
  const disorder = runs[0].disorder === undefined ? '' : spread('disorder', 0);
  return `| ${name} | ${spread('rate', 0)} | ${spread('task', 2)} | ${spread('lost', 0)} | ${disorder} |`;
}

function span(values, places) {
  const sorted = [...values].sort((one, other) => one - other);
  const [low, middle, high] = [0, 0.5, 1].map((part) => {
    const at = part * (sorted.length - 1);
    return (sorted[Math.floor(at)] + sorted[Math.ceil(at)]) / 2;
  });
  const say = (value) => value.toLocaleString('en', { minimumFractionDigits: places, maximumFractionDigits: places });
  return say(low) === say(high) ? say(middle) : `${say(middle)} (${say(low)} to ${say(high)})`;
}
