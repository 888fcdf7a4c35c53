//! `[wamp]`: the WAMP dialect.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[wamp]`: the WAMP dialect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Wamp {
    /// Paths on which WAMP is spoken over WebSocket. Empty: nowhere.
    pub paths: Vec<String>,
    /// The path below which WAMP is spoken by HTTP long-poll: `open` and what follows from it. A session that is not
    /// polled for two periods of `timeouts.ping` (a minute, without pings) is dropped. Empty: nowhere.
    pub longpoll: String,
    /// Whether a connection that begins with the octet 0x7F speaks WAMP rawsocket, on every listener with WAMP. Its
    /// handshake knows lengths that are powers of two, up to 16 MiB: the next one above `limits.message` is offered.
    pub rawsocket: bool,
    /// Realms that clients may join in production. In development they join, and so make, any realm. Sockets that
    /// name no realm are in `default`.
    pub realms: Vec<String>,
    /// Whether URIs must follow WAMP's strict rule (`a-z`, `0-9`, `_`) instead of the loose one.
    pub strict: bool,
    /// Subscriptions of one session. One more is refused.
    #[schemars(range(min = 1))]
    pub subscriptions: usize,
    /// Registrations of one session. One more is refused.
    #[schemars(range(min = 1))]
    pub registrations: usize,
}

impl Default for Wamp {
    fn default() -> Self {
        Self {
            paths: vec!["/ws".to_owned(), "/wamp".to_owned()],
            longpoll: "/longpoll".to_owned(),
            rawsocket: true,
            realms: vec!["default".to_owned()],
            strict: false,
            subscriptions: 10_000,
            registrations: 10_000,
        }
    }
}
