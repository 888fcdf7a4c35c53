// A web server for built pages: files of one folder, with the MIME types that browsers insist on.

import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm' };

/**
 * Serves the files below `folder` on a free port. `pages` are answered from memory, by path: `{ '/x.html': TEXT }`. `policy`
 * is sent as Content-Security-Policy. Returns `{ origin, stop }`.
 */
export async function serve(folder, { pages = {}, policy } = {}) {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    const body = pages[pathname] ?? (await readFile(join(folder, normalize(pathname))).catch(() => undefined));
    if (body === undefined) return response.writeHead(404).end();
    const type = TYPES[extname(pathname)] ?? 'application/octet-stream';
    response.writeHead(200, { 'content-type': type, ...(policy && { 'content-security-policy': policy }) }).end(body);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = () =>
    new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  return { origin: `http://127.0.0.1:${server.address().port}`, stop };
}
