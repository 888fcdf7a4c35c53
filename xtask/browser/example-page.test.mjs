// The broker's pages in Chromium, against a real broker: `node --test example-page.test.mjs`, or `cargo xtask test`.
// The tests are in the files below and run in this order.

import './patterns.mjs';
import './trouble.mjs';
import './care.mjs';
import './pinghub-page.mjs';
import './package-page.mjs';
