// One broker for all tests of this process, and the URLs at which each dialect is spoken.

import { after } from 'node:test';
import { findBroker } from '../../../xtask/browser/broker.mjs';

const found = await findBroker();
after(() => found.stop());

/** As a page writes it: `ws://127.0.0.1:PORT`. */
export const BROKER = found.url.replace(/^http/, 'ws');
/** What the projects expect to come out of one exchange. */
export const EXCHANGED = { greeting: 'hello', to: ['you'] };
