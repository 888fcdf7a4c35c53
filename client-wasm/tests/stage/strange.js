// Servers that are no broker.

import { once } from 'node:events';
import { createServer } from 'node:net';
import { createServer as createHttp } from 'node:http';
import { WebSocketServer } from 'ws';

/** A message of WAMP that welcomes, as far as a client looks at it. */
const WELCOME = JSON.stringify([2, 4711, { roles: { broker: {}, dealer: {} } }]);

/** Events of the subscription 7. */
const SLOPPY = [
  '[36,"7",1,{},["no id"]]',
  '[36,7,1,{},["half',
  '[36,7,1,{},"no list"]',
  '[36,7,1,[],["no details"]]',
  '[36,7,1,{},[],{},0,"too much"]',
  '[36,7,1,{},["half a pair \\ud800"]]',
  '[36,7,1,{},[1e999]]',
  '[36,7,1,{"publisher":-5,"topic":5},["odd details"]]',
  ' [36, 7, 1, {}, ["with spaces"]]',
  '[36,7,1,{},null,null]',
  '[36,7,1,{},[12345678901234567890]]',
  '[36,7,1,{"a":"]}["},[1.50,"\\"],{["],{"b":[{}],"c":{"d":"}"}}]',
  '[36,7,1,{},["\\u0000AQID"]]',
  '[36,7,1,{},["the last one"]]',
];

/** By their names: each makes a server that takes connections at a free port. */
const KINDS = {
  /** A web server, which knows no WebSockets. */
  http: () => createHttp((_, response) => response.end('<html>')),
  /** Something else altogether. */
  mail: () => createServer((socket) => {
    socket.on('error', () => {});
    socket.end('220 mail.example.com ESMTP\r\n');
  }),
  /** Takes connections and says nothing. */
  silent: () => createServer((socket) => socket.on('error', () => {})),
  /** WebSockets without a subprotocol. */
  plain: () => sockets(() => false, () => {}),
  /** The subprotocol, and then no WAMP. */
  babble: () => sockets(wamp, (socket) => socket.send('this is no WAMP')),
  /** The right form, with a message that no router sends. */
  wrong: () => sockets(wamp, (socket) => socket.send('[99,"what?"]')),
  /** Welcomes, and talks nonsense afterwards. */
  derailed: () => sockets(wamp, (socket) => {
    socket.once('message', () => socket.send(WELCOME));
    socket.on('message', () => socket.send('[99,"what?"]'));
  }),
  /** Sends events that are none, or in an odd form, and between them good ones. */
  sloppy: () => sockets(wamp, (socket) => {
    socket.once('message', () => {
      socket.send(WELCOME);
      socket.on('message', (data) => {
        const [type, request] = JSON.parse(data);
        if (type !== 32) return;
        socket.send(JSON.stringify([33, request, 7]));
        for (const event of SLOPPY) socket.send(event);
      });
    });
  }),
  /** Asks everyone for a ticket. */
  challenging: () => sockets(wamp, (socket) => socket.once('message', () => socket.send('[4,"ticket",{}]'))),
  /** Confirms the first subscription, and takes it away. */
  revoking: () => sockets(wamp, (socket) => {
    socket.once('message', () => {
      socket.send(WELCOME);
      socket.on('message', (data) => {
        const [type, request] = JSON.parse(data);
        if (type !== 32) return;
        socket.send(JSON.stringify([33, request, 7]));
        socket.send('[35,0,{"subscription":7}]');
      });
    });
  }),
  /** Welcomes, and hangs up without a word. */
  rude: () => sockets(wamp, (socket) => {
    socket.once('message', () => {
      socket.send(WELCOME);
      socket.close(4999, 'no more today');
    });
  }),
};

const wamp = (offered) => [...offered].find((name) => name === 'wamp.2.json') ?? false;

function sockets(handleProtocols, connected) {
  const http = createHttp((_, response) => response.writeHead(426).end());
  const server = new WebSocketServer({ server: http, handleProtocols });
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    connected(socket);
  });
  http.on('close', () => server.clients.forEach((socket) => socket.terminate()));
  return http;
}

/** Starts one. `{ url, close() }` */
export async function strange(kind) {
  const server = KINDS[kind]().listen(0, '127.0.0.1');
  const open = new Set();
  server.on('connection', (socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
  });
  await once(server, 'listening');
  const close = async () => {
    for (const socket of open) socket.destroy();
    server.close();
    await once(server, 'close');
  };
  return { url: `ws://127.0.0.1:${server.address().port}`, close };
}
