// For each library the least that a page needs to connect, publish and subscribe.

/** `imported` from `library` is bundled; `shown` is how the table names it where that is not `imported`. */
export const entries = [
  {
    library: 'petasus',
    imported: 'connect',
    shown: '`connect`, wasm inlined',
    speaks: 'WAMP, Mercury',
    folder: '../../client-wasm',
  },
  {
    library: 'petasus/slim',
    imported: 'connect',
    shown: '`connect`, wasm inlined',
    speaks: 'WAMP',
    folder: '../../client-wasm',
  },
  { library: 'autobahn-browser', imported: 'default as autobahn', shown: 'all of it (UMD)', speaks: 'WAMP' },
  { library: 'wampy', imported: 'Wampy', speaks: 'WAMP' },
  { library: 'mqtt', imported: 'default as mqtt', shown: 'all of it', speaks: 'MQTT' },
  { library: '@nats-io/nats-core', imported: 'wsconnect', speaks: 'NATS' },
  { library: 'centrifuge', imported: 'Centrifuge', speaks: 'its own' },
  { library: 'socket.io-client', imported: 'io', speaks: 'its own' },
  { library: 'ably', imported: 'Realtime', speaks: 'its own' },
  {
    library: 'ably/modular',
    imported: 'BaseRealtime, WebSocketTransport, FetchRequest',
    speaks: 'its own',
    folder: 'node_modules/ably',
  },
  { library: '@supabase/realtime-js', imported: 'RealtimeClient', speaks: 'Phoenix channels' },
  { library: 'phoenix', imported: 'Socket', speaks: 'Phoenix channels' },
  { library: 'pusher-js', imported: 'default as Pusher', shown: 'all of it (UMD)', speaks: 'its own' },
  { library: '@stomp/stompjs', imported: 'Client', speaks: 'STOMP' },
  { library: 'graphql-ws', imported: 'createClient', speaks: 'GraphQL subscriptions' },
  {
    library: 'partysocket/ws',
    imported: 'default as ReconnectingWebSocket',
    shown: 'a WebSocket that reconnects',
    speaks: 'nothing of its own',
    folder: 'node_modules/partysocket',
  },
  {
    library: '@eclipse-zenoh/zenoh-ts',
    imported: 'Session, Config',
    shown: '`Session`, `Config`, and its wasm',
    speaks: 'zenoh',
  },
];
