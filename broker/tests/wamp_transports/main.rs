//! WAMP over rawsocket, by long-poll, and inside the program; which listener speaks it.

#[path = "../wamp/client.rs"]
mod client;
#[path = "../support/metrics.rs"]
mod metrics;
#[path = "../support/raw.rs"]
mod raw;
#[path = "../support/running.rs"]
mod running;
#[path = "../support/tls.rs"]
mod tls;

mod dialects;
mod handshakes;
mod local;
mod longpoll;
mod misuse;
mod octets;
mod rawsocket;

use petasus_protocol::wamp::{Dict, Message, Value, message};

/// HELLO of a client that knows every role.
fn hello(realm: &str) -> Message {
    let roles = ["publisher", "subscriber", "caller", "callee"];
    let roles = roles.into_iter().fold(Dict::new(), |roles, role| roles.with(role, Value::Dict(Dict::new())));
    message::Hello { realm: realm.to_owned(), details: Dict::new().with("roles", Value::Dict(roles)) }.into()
}
