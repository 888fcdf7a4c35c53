import { connect } from 'petasus';
import { exchange } from '../exchange.js';

self.onmessage = async ({ data: { broker, dialect } }) => {
  try {
    self.postMessage({ value: await exchange(connect, broker, { dialect }) });
  } catch (error) {
    self.postMessage({ error: String(error) });
  }
};
