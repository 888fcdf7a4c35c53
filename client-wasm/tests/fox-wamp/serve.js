// Runs fox-wamp with its memory store until it is asked to end: `node serve.js`.
//
// Prints `fox-wamp: listening on ws://127.0.0.1:PORT` when it takes connections. Anonymous sessions may do everything in
// the realm `realm1`. It ends on SIGTERM and SIGINT, with status 0.

// The store on disk would need a compiled package; this module does without.
import FoxRouter from 'fox-wamp/lib/fox_router.js';

const server = new FoxRouter().listenWAMP({ host: '127.0.0.1', port: 0 });
server.on('listening', () => console.log(`fox-wamp: listening on ws://127.0.0.1:${server.address().port}`));
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0));
