import { exchange } from '../exchange.js';

/** Does the exchange that the page's address asks for (`?broker=URL&dialect=NAME`), and leaves the outcome in the document. */
export async function report(connect) {
  const { broker, dialect } = Object.fromEntries(new URLSearchParams(location.search));
  show(exchange(connect, broker, { dialect }));
}

/** Leaves `{ value }` or `{ error }` in the document, where the test waits for it. */
export async function show(promise) {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error) => ({ error: `${error.name} ${error.code}: ${error.message}` }),
  );
  document.body.dataset.outcome = JSON.stringify(outcome);
}
