//! The hub, without a socket: properties over random histories, and planted faults that the same judges must find.
//!
//! A judge that cannot fail is worth nothing. So each pattern has a trait over the thing under test, a judge that
//! knows only the rules, and versions with one fault each. A fault counts as found only when the requirement that
//! it breaks is the one that the judge names; how many random cases that takes is printed.

mod outbox;
mod planted;

mod answers;
mod bus;
mod fan_out;
mod filter_faults;
mod filters;

mod history;
mod judge;
mod queue;
mod ring_faults;
mod ring_parts;
mod rotation;
mod rpc;
mod script;
mod stage;
mod threads;
