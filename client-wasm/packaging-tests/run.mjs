// Packs the package, installs the tarball, and uses it as its users will. Needs target/debug/petasus, Chromium, and what
// `cargo xtask wasm` and `npm run build` have made; then: npm ci --ignore-scripts && node --test run.mjs

import './tests/contents.mjs';
import './tests/types.mjs';
import './tests/size.mjs';
import './tests/server-render.mjs';
import './tests/runtimes.mjs';
import './tests/bundlers.mjs';
import './tests/no-bundler.mjs';
