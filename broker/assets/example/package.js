// The page that tries the package `petasus`, if it has been built. Everything else here is plain JavaScript.

const byId = (id) => document.getElementById(id);
const PACKAGE = new URL('petasus.js', import.meta.url);

const answer = await fetch(PACKAGE);
if (answer.ok) await talk(await import(PACKAGE));
else byId('missing').hidden = false;

async function talk({ connect }) {
  byId('talk').hidden = false;
  const broker = new URL('..', location.href).href.replace(/^http/, 'ws').replace(/\/$/, '');
  // `within: 0`: the page is there at once, and says how the connection comes.
  const client = await connect(broker, { within: 0, onStatus: show });
  show(client.status);
  const lobby = client.bus('lobby', ({ text }) => write('in', text));
  byId('form').addEventListener('submit', (event) => {
    event.preventDefault();
    const { value } = byId('message');
    // A bus does not send to its sender; queued, it waits for a connection if there is none.
    lobby.send(value).then(() => write('out', value), (error) => write('fault', error.message));
  });
}

function show({ state, wait, failure }) {
  const soon = state === 'waiting' ? `: ${failure.message}; again in ${(wait / 1000).toFixed(1)} s` : '';
  byId('status').textContent = state + soon;
}

function write(kind, text) {
  const line = document.createElement('p');
  line.className = kind;
  const words = document.createElement('span');
  words.className = 'text';
  words.textContent = text;
  line.append(words);
  byId('log').append(line);
  line.scrollIntoView({ block: 'nearest' });
}
