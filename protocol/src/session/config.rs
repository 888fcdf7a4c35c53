//! What a program may choose.

use super::{Backoff, ServerUrl};
use crate::wamp::{RawDict, Serializer};

/// The wire that a session speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Dialect {
    /// WAMP: everything over one socket, with any WAMP router. Bus, push and pull need a broker that announces
    /// `_pattern`, as Petasus does.
    #[default]
    Wamp,
    /// Mercury's URLs: a socket per topic. No calls, no exact subscriptions; with the original as well (feature
    /// `mercury`).
    #[cfg(feature = "mercury")]
    Mercury,
}

/// All that a session is told before it connects. Times are milliseconds, sizes bytes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The broker.
    pub url: ServerUrl,
    /// The wire.
    pub dialect: Dialect,
    /// The realm to join (WAMP). Default `default`.
    pub realm: String,
    /// The serializers to offer, the dearest first (WAMP). Default: all, JSON first.
    pub serializers: Vec<Serializer>,
    /// Who the program says it is (WAMP). Default: nobody, method `anonymous`.
    pub identity: Identity,
    /// The waits between attempts to connect.
    pub backoff: Backoff,
    /// Whether the first attempt to connect is the only one. Default no: it is repeated like any other.
    pub fail_fast: bool,
    /// The longest wait for a socket to open and a session to be welcome. Default 10,000.
    pub connect_timeout: u64,
    /// How a dead network is noticed.
    pub heartbeat: Heartbeat,
    /// The most that waits to be sent, offline or because the network is slow. Default 4 MiB.
    pub queue_bytes: usize,
    /// The longest message to be sent; longer ones are refused at once. Default 16 MiB.
    pub message_bytes: usize,
    /// How long requests wait for their answer that name no time of their own, the time in the queue included;
    /// subscribing and registering too, while there is a connection. Default 30,000.
    pub request_timeout: u64,
    /// The longest wait for the broker to confirm the end. Default 5,000.
    pub close_timeout: u64,
}

impl Config {
    /// The defaults for a broker.
    pub fn new(url: ServerUrl) -> Config {
        Config {
            url,
            dialect: Dialect::Wamp,
            realm: "default".to_owned(),
            serializers: Serializer::ALL.to_vec(),
            identity: Identity::default(),
            backoff: Backoff::default(),
            fail_fast: false,
            connect_timeout: 10_000,
            heartbeat: Heartbeat::default(),
            queue_bytes: 4 << 20,
            message_bytes: 16 << 20,
            request_timeout: 30_000,
            close_timeout: 5_000,
        }
    }
}

/// Who the program says it is (WAMP, "Authentication").
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Identity {
    /// The user, if it has a name.
    pub authid: Option<String>,
    /// The methods that the driver can answer challenges of, the dearest first, such as `ticket` and `wampcra`; none
    /// means `anonymous`.
    pub methods: Vec<String>,
    /// What the methods send along with HELLO, such as the `nonce` of SCRAM and the `pubkey` of cryptosign.
    pub extra: RawDict,
}

/// How a dead network is noticed: a socket from which nothing came for `idle` is asked for a sign of life, and given
/// up when there is none within `patience`. So it takes `idle + patience` at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// The silence before a sign of life is asked for. Default 20,000.
    pub idle: u64,
    /// The wait for it. Default 10,000.
    pub patience: u64,
    /// How it is asked for.
    pub probe: Probe,
}

impl Default for Heartbeat {
    fn default() -> Self {
        Heartbeat { idle: 20_000, patience: 10_000, probe: Probe::Ping }
    }
}

/// How a sign of life is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Probe {
    /// By a ping (RFC 6455 5.5.2), for drivers that can send one: [`Output::Ping`](super::Output::Ping).
    Ping,
    /// By a cheap CALL (WAMP); any answer counts, an ERROR as well. For browsers, which show no pings. Over Mercury
    /// nothing can be asked there, and a dead network shows when the system notices it.
    Call,
    /// Not at all.
    Never,
}
