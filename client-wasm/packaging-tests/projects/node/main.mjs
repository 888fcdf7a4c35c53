// node main.mjs ENTRY BROKER DIALECT [ws]: prints what arrived. With `ws`, the WebSocket is that of the package ws.

import { exchange } from '../exchange.js';

const [entry, broker, dialect, socket] = process.argv.slice(2);
const { connect } = await import(entry);
const options = socket ? { dialect, WebSocket: (await import('ws')).WebSocket } : { dialect };
console.log(JSON.stringify(await exchange(connect, broker, options)));
