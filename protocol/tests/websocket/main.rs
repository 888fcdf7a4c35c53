//! WebSocket and HTTP of the client's side, against the server of another library and against bytes by hand.
#![cfg(feature = "websocket")]

mod allocations;
mod frames;
mod handshake;
mod life;
mod peer;
mod posts;
mod round_trip;
