//! What can go wrong in a run, and what to do about it.

use std::io;
use std::net::SocketAddr;

/// An error of the load generator. Every text says what the caller can do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// A URL on the command line cannot be used.
    #[error("{url}: {why}; write it as ws://127.0.0.1:3000/sub/topic")]
    Url { url: String, why: &'static str },
    /// The options contradict each other.
    #[error("{0}")]
    Options(&'static str),
    /// The TCP connection was not made.
    #[error(
        "cannot connect to {address}: {source}; is the server running, and is its descriptor limit high enough?"
    )]
    Connect { address: SocketAddr, source: io::Error },
    /// The server answered the upgrade with something else than 101.
    #[error(
        "{path}: the server answered the handshake with \"{answer}\"; check the path and the server's limits"
    )]
    Handshake { path: String, answer: String },
    /// The server sent bytes that are no WebSocket frames of an unfragmented message.
    #[error("the server sent {0}; petasus-load reads unmasked, unfragmented, uncompressed messages only")]
    Wire(&'static str),
    /// A WAMP router said something else than was waited for.
    #[error("the router said: {0}; check the realm, the topic and what anonymous sessions may do there")]
    Wamp(String),
    /// TLS failed.
    #[error("TLS: {0}; check that the listener speaks TLS")]
    Tls(#[from] rustls::Error),
    /// The process to be measured cannot be read.
    #[error("cannot read {path}: {source}; is the server on this machine and owned by this user?")]
    Process { path: String, source: io::Error },
    /// Nothing on this machine listens on the port.
    #[error("no process of this user listens on port {0}; name the server with --pid")]
    NoListener(u16),
    /// More connections than descriptors.
    #[error(
        "{needed} descriptors are needed and the limit is {limit}; raise it (ulimit -n) or open fewer connections"
    )]
    Descriptors { needed: u64, limit: u64 },
    /// The server stopped answering.
    #[error("the server did not {what} within {seconds} s; look at its log")]
    Late { what: &'static str, seconds: u64 },
    /// A client library of `clients` failed.
    #[error("{name}: {why}; is its broker still running?")]
    Client { name: &'static str, why: String },
    /// A program that `compare` needs was not started.
    #[error("cannot start {program}: {why}")]
    Launch { program: String, why: String },
    /// Anything else that the system refused.
    #[error("the system refused: {0}")]
    Io(#[from] io::Error),
}

impl From<rustix::io::Errno> for LoadError {
    fn from(errno: rustix::io::Errno) -> Self {
        Self::Io(errno.into())
    }
}
