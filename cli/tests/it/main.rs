//! The `petasus` binary as its users meet it: real processes, real sockets.

mod binary;
mod clients;
mod configuration;
mod crash;
mod losses;
mod measure;
mod push;
#[path = "../../../broker/tests/support/raw.rs"]
mod raw;
mod refusals;
mod signals;
mod tls;
mod wamp;
