//! The `petasus` binary as its users meet it: real processes, real sockets.

mod binary;
mod clients;
mod configuration;
mod push;
mod refusals;
mod signals;
mod tls;
