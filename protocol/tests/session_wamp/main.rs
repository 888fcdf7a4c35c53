//! A session over WAMP against a router that the test plays, message by message.

mod anything;
mod callee;
mod calls;
mod endings;
mod opening;
mod publishing;
mod quick;
mod subscribing;
mod talk;
