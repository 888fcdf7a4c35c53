import { show } from './report.js';

const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
show(
  new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => ('value' in data ? resolve(data.value) : reject(new Error(data.error)));
    worker.onerror = (event) => reject(new Error(event.message ?? 'the worker did not start'));
    worker.postMessage(Object.fromEntries(new URLSearchParams(location.search)));
  }),
);
