// The page, and where it says how far it is.

import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { WebSocketServer } from 'ws';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
/** The package as a bundler finds it. */
export const OURS = at('../../client-wasm/dist/index.js');
const PAGE = '<!doctype html><meta charset="utf-8"><title>benches</title><link rel="icon" href="data:,"><script src="bundle.js"></script>';

/** All clients in one script, as a bundler would give them to a page. */
export async function bundle(ours) {
  if (!existsSync(ours)) throw new Error('the package is not built; run: cargo xtask wasm && cd client-wasm && npm ci && npm run build');
  const { outputFiles } = await build({
    entryPoints: [at('page/page.mjs')],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    target: 'es2022',
    alias: { petasus: ours },
    define: { 'process.env.NODE_ENV': '"production"', global: 'globalThis' },
    logLevel: 'error',
  });
  return outputFiles[0].contents;
}

/** Serves the page on a free port: `{ url, progress, onProgress, close }`. */
export async function serve(script) {
  const server = createServer(({ url }, response) => {
    const [type, body] = url === '/bundle.js' ? ['text/javascript', script] : ['text/html', PAGE];
    response.writeHead(200, { 'content-type': type }).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${server.address().port}`;
  const sockets = new WebSocketServer({ server });
  const site = {
    url: `http://${host}/`,
    progress: `ws://${host}/progress`,
    onProgress: () => {},
    close() {
      sockets.close();
      server.close();
    },
  };
  sockets.on('connection', (socket) => socket.on('message', () => site.onProgress()));
  return site;
}
