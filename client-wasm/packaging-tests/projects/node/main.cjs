// node main.cjs ENTRY BROKER DIALECT [ws]: as main.mjs, by `require`.

const [entry, broker, dialect, socket] = process.argv.slice(2);
const { connect } = require(entry);
const options = socket ? { dialect, WebSocket: require('ws').WebSocket } : { dialect };

import('../exchange.js')
  .then(({ exchange }) => exchange(connect, broker, options))
  .then((value) => console.log(JSON.stringify(value)));
