// A small web server for pages of the suite: the files of the package and of the suite, and the page that runs the cases.

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { entry, PACKAGE } from './package.js';

const TYPES = { '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm', '.map': 'application/json' };

/** Where the files of each path are. */
const FOLDERS = { '/package/': PACKAGE, '/suite/': fileURLToPath(new URL('../suite/', import.meta.url)) };

/** What a browser loads for each name of the package. */
function imports(main) {
  const names = { petasus: main, 'petasus/auth': './auth' };
  const entries = Object.entries(names).map(([name, key]) => [name, `/package/${entry(key, ['browser', 'import', 'default'])}`]);
  return JSON.stringify({ imports: Object.fromEntries(entries) });
}

const page = (main) => `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>suite</title><link rel="icon" href="data:,">
<script type="importmap">${imports(main)}</script>
<script type="module" src="/suite/page.js"></script>`;

/**
 * Serves on a free port; `main` is the entry of the package that pages load. What it has no file for goes to `upstream`, the URL of a broker, if there is one. `{ url, stop }`
 */
export async function serveFiles(upstream, main = '.') {
  const server = createServer(async (asked, answer) => {
    const { pathname } = new URL(asked.url, 'http://x');
    const html = (text) => answer.writeHead(200, { 'content-type': 'text/html' }).end(text);
    if (pathname === '/') return html(page(main));
    if (pathname === '/elsewhere') return html('<!doctype html><title>elsewhere</title>');
    const prefix = Object.keys(FOLDERS).find((each) => pathname.startsWith(each));
    if (!prefix && upstream) return forward(upstream, asked, answer);
    const path = prefix && normalize(decodeURIComponent(pathname.slice(prefix.length)));
    if (!path || path.startsWith('..')) return answer.writeHead(404).end();
    try {
      const content = await readFile(join(FOLDERS[prefix], path));
      return answer.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'text/plain' }).end(content);
    } catch {
      return answer.writeHead(404).end();
    }
  });
  if (upstream) server.on('upgrade', (asked, socket, head) => tunnel(upstream, asked, socket, head));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = async () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${server.address().port}`, stop };
}

function ask(upstream, { url, method, headers }) {
  const { hostname, port } = new URL(upstream);
  return request({ hostname, port, path: url, method, headers });
}

function forward(upstream, asked, answer) {
  const forwarded = ask(upstream, asked);
  forwarded.on('response', (came) => came.pipe(answer.writeHead(came.statusCode, came.headers)));
  forwarded.on('error', () => answer.destroy());
  asked.pipe(forwarded);
}

function tunnel(upstream, asked, socket, head) {
  const forwarded = ask(upstream, asked);
  socket.on('error', () => forwarded.destroy());
  forwarded.on('error', () => socket.destroy());
  forwarded.on('response', () => socket.destroy());
  forwarded.on('upgrade', (came, far, first) => {
    const lines = came.rawHeaders.map((each, at) => (at % 2 ? `${each}\r\n` : `${each}: `));
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('')}\r\n`);
    socket.write(first);
    far.write(head);
    far.on('error', () => socket.destroy());
    far.on('close', () => socket.destroy());
    socket.on('close', () => far.destroy());
    far.pipe(socket).pipe(far);
  });
  forwarded.end();
}
