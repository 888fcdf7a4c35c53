// Renders a page with the hooks where there is no browser, as a server does. Whatever the package does while it is imported
// must not need a window, a document, a WebSocket or WebAssembly: touching one of them ends the program.

import { createElement } from 'react';
import { renderToString } from 'react-dom/server';

const forbidden = ['window', 'document', 'navigator', 'location', 'WebSocket', 'WebAssembly', 'DecompressionStream', 'setTimeout', 'fetch'];
for (const name of forbidden) {
  Object.defineProperty(globalThis, name, {
    configurable: true,
    get() {
      throw new Error(`the import touched ${name}`);
    },
  });
}
const [full, slim, url, auth, react] = await Promise.all([
  import('petasus'),
  import('petasus/slim'),
  import('petasus/url'),
  import('petasus/auth'),
  import('petasus/react'),
]);
for (const name of forbidden) delete globalThis[name];

function Page({ client }) {
  const status = react.useStatus(client);
  const { messages, last } = react.useSubscription(client, 'news');
  return createElement('p', null, `${status.state} ${messages.length} ${last === undefined}`);
}

console.log(renderToString(createElement(Page, { client: undefined })));
console.log([full.connect, slim.connect, url.connect, auth.ticket, auth.wampcra].map((value) => typeof value).join(' '));
