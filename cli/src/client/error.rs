//! What can go wrong in a client command, and the exit code that says so.

use std::io;

use petasus_protocol::EndpointError;
use thiserror::Error;

/// Why a client command failed.
#[derive(Debug, Error)]
pub(super) enum ClientError {
    #[error("`{0}` is no URL of a broker; write ws://HOST:PORT or wss://HOST:PORT (--server or PETASUS_URL)")]
    Server(String),
    #[error(transparent)]
    Topic(#[from] EndpointError),
    #[error("`{0}` is no header; write --header 'Name: value'")]
    Header(String),
    #[error("`{0}` can not be sent as an Origin; write for example --origin https://example.com")]
    Origin(String),
    #[error("{file}: no root certificate can be read from it: {reason}; name a PEM file by --ca")]
    Ca { file: String, reason: String },
    #[error("the system's root certificates can not be read: {0}; name a PEM file by --ca")]
    SystemRoots(String),
    #[error("TLS can not be used: {0}; use ws:// on a network you trust")]
    TlsSetup(rustls::Error),
    #[error(
        "nothing listens at {0}; start a broker with `petasus broker`, or name another by --server or PETASUS_URL"
    )]
    ConnectionRefused(String),
    #[error("{url} can not be reached: {source}; check --server or PETASUS_URL, and the network")]
    Unreachable { url: String, source: io::Error },
    #[error("{0} did not answer in {1} seconds; check that a broker listens there")]
    TimedOut(String, u64),
    #[error(
        "the TLS handshake with {url} failed: {reason}; name its root certificate by --ca, or use ws:// if it speaks no TLS"
    )]
    Tls { url: String, reason: String },
    #[error("{url} does not speak WebSocket: {reason}; check that it is a broker, and ws:// or wss://")]
    NoWebSocket { url: String, reason: String },
    #[error("{url} answered {status}{}; {}", said(.text), advice(*.status))]
    Status { url: String, status: u16, text: String },
    #[error(
        "{url} answered 503{}; if nobody pulls, start `petasus pull` or let the broker hold jobs \
         (queue.without_puller), else try again in a moment",
        said(.text)
    )]
    Unavailable { url: String, text: String },
    #[error("{url} does not speak HTTP: {reason}; check that it is a broker, and http:// or https://")]
    NoHttp { url: String, reason: String },
    #[error("{url} gave no answer: {reason}; find out before you push it again")]
    Unanswered { url: String, reason: String },
    /// What ended a `push`.
    #[error("{}: {cause}{}", fate(*.line, .cause), before(*.line))]
    Push {
        /// Its line of standard input, from 1; `None` if there is but one message.
        line: Option<u64>,
        cause: Box<ClientError>,
    },
    #[error("the broker closed the connection: code {code}{}; {}", said(.reason), close_advice(*.code))]
    Closed { code: u16, reason: String },
    #[error("the connection was lost: {0}; messages may be missing, run the command again")]
    Lost(String),
    #[error(
        "the broker did not confirm the end of the connection in {0} seconds; messages may not have arrived"
    )]
    CloseTimedOut(u64),
    #[error("standard input can not be read: {0}")]
    Input(io::Error),
    #[error("standard output can not be written: {0}")]
    Output(io::Error),
    /// The reader of standard output went away: the end of the command, but no failure.
    #[error("nobody reads standard output")]
    OutputClosed,
    #[error("signals can not be handled: {0}")]
    Signals(io::Error),
}

impl ClientError {
    /// The exit code of the process, as `petasus --help` lists them.
    pub(super) fn exit_code(&self) -> u8 {
        match self {
            Self::Ca { .. }
            | Self::SystemRoots(_)
            | Self::TlsSetup(_)
            | Self::Input(_)
            | Self::Output(_)
            | Self::Signals(_) => 1,
            Self::Server(_) | Self::Topic(_) | Self::Header(_) | Self::Origin(_) => 2,
            Self::ConnectionRefused(_)
            | Self::Unreachable { .. }
            | Self::TimedOut(..)
            | Self::Tls { .. }
            | Self::NoWebSocket { .. }
            | Self::NoHttp { .. } => 3,
            Self::Status { .. } | Self::Unavailable { .. } => 4,
            Self::Closed { .. } | Self::Lost(_) | Self::CloseTimedOut(_) | Self::Unanswered { .. } => 5,
            Self::Push { cause, .. } => cause.exit_code(),
            Self::OutputClosed => 0,
        }
    }
}

/// What the broker said, as an appendix; nothing if it said nothing.
fn said(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(" ({text})") }
}

/// What became of the message with which a `push` ended.
fn fate(line: Option<u64>, cause: &ClientError) -> String {
    let message = line.map_or_else(|| "the message".to_owned(), |line| format!("line {line}"));
    let fate = match cause {
        ClientError::Unanswered { .. } => "may have been taken or not",
        _ => "was not taken",
    };
    format!("{message} {fate}")
}

/// How many came before, on a line of its own.
fn before(line: Option<u64>) -> String {
    line.map_or_else(String::new, |line| format!("\nlines taken before it: {}", line - 1))
}

fn advice(status: u16) -> &'static str {
    match status {
        200..=299 => {
            "this is no answer of a queue; check that it speaks the mercury dialect at the path in --server"
        }
        400 => "correct the topic or the headers",
        401 => "it wants a page's origin from its allow_origin list, name one by --origin",
        403 => "its operator does not allow this; credentials go into --header 'Authorization: ...'",
        404 => "check the path in --server, and that the broker speaks the mercury dialect there",
        408 => "the network is too slow for its timeouts.body",
        413 => "the message is longer than its limits.message",
        300..=399 => "name the final address by --server",
        503 => "it is full or its authorisation is down; try again in a moment",
        500..=599 => "look into its log",
        _ => "check that --server names a broker",
    }
}

/// RFC 6455 7.4.1, and the broker's own codes.
fn close_advice(code: u16) -> &'static str {
    match code {
        1001 => "it is shutting down, connect again later",
        1008 | 3000 | 3003 => "its operator does not allow this",
        1009 => "the message is longer than its limits.message",
        1011 => "it had an internal error, look into its log",
        3100 => "this command or the reader of its output is too slow",
        3101 => "there was no message for its timeouts.idle",
        3102 => "the queue was full for its queue.push_timeout",
        3500..=3999 => "connecting again will not help",
        _ => "connect again",
    }
}
