// Who is measured: a library, at a broker, on a wire.

export const DIRECTIONS = ['publish', 'receive'];

const PETASUS = { library: 'petasus', server: 'petasus', path: '/ws', wire: 'wamp' };
const WAMP = { dialect: 'wamp', realm: 'default' };
const MERCURY = { dialect: 'mercury' };
const PUBLISH = ['publish'];
const RECEIVE = ['receive'];

/** `only` names the directions of those that have a variant in one of them. */
export const CONTESTANTS = [
  { ...PETASUS, name: 'petasus, WAMP, fire', options: { ...WAMP, mode: 'fire' }, only: PUBLISH },
  { ...PETASUS, name: 'petasus, WAMP, queued', options: { ...WAMP, mode: 'queued' }, only: PUBLISH },
  { ...PETASUS, name: 'petasus, Mercury, fire', path: '', wire: 'mercury', options: { ...MERCURY, mode: 'fire' }, only: PUBLISH },
  { ...PETASUS, name: 'petasus, WAMP, listener', options: WAMP, only: RECEIVE },
  { ...PETASUS, name: 'petasus, WAMP, for await', options: { ...WAMP, iterated: true }, only: RECEIVE },
  { ...PETASUS, name: 'petasus, Mercury, listener', path: '', wire: 'mercury', options: MERCURY, only: RECEIVE },
  { ...PETASUS, name: 'petasus, WAMP, at crossbar', server: 'crossbar', path: '', options: { ...WAMP, realm: 'realm1', mode: 'fire' } },
  { ...PETASUS, name: 'autobahn-js, at Petasus', library: 'autobahn', options: { realm: 'default' } },
  { ...PETASUS, name: 'autobahn-js, at crossbar', library: 'autobahn', server: 'crossbar', path: '', options: { realm: 'realm1' } },
  { name: 'mqtt.js, QoS 0, at mosquitto', library: 'mqtt', server: 'mosquitto', wire: 'mqtt', options: {} },
  { name: 'bare WebSocket, Mercury', library: 'bare', server: 'petasus', wire: 'mercury', options: {} },
];
