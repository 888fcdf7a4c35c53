// All cases, in their order.

import abort from './abort.js';
import bus from './bus.js';
import calls from './calls.js';
import ends from './ends.js';
import logins from './logins.js';
import parts from './parts.js';
import publish from './publish.js';
import queues from './queues.js';
import streams from './streams.js';
import subscribe from './subscribe.js';
import trouble from './trouble.js';
import wrong from './wrong.js';

export const AREAS = { publish, subscribe, bus, queues, calls, parts, streams, abort, ends, logins, wrong, trouble };
