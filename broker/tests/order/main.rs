//! Everybody sees one order, each sender's own order is kept in it, and an answer never comes before its cause.
//!
//! Four senders and eight receivers, on two threads that the broker and its clients share.

#[path = "../support/raw.rs"]
mod raw;
#[path = "../support/running.rs"]
mod running;
#[path = "../support/tls.rs"]
mod tls;

mod causal;
mod common;
mod talk;
