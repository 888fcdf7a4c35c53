//! One suite for all wires and brokers: what a client promises holds against each of them, or is
//! [`Error::Unsupported`](petasus::Error::Unsupported).
//!
//! The brokers that are not ours are named by variables of the environment, which `cargo xtask test client` sets;
//! without them their cases say that they are skipped.

#[path = "../support/mod.rs"]
mod support;
mod target;

mod bridge;
mod bus;
mod calls;
mod ends;
mod overflow;
mod publish;
mod queues;
mod registrations;
mod streams;
mod subscribe;
