//! What can go wrong in a client command, and the exit code that says so.

use std::io;

use petasus::protocol::EndpointError;
use petasus::protocol::wamp::uri;
use petasus::{Error, Failure};

/// Why a client command failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClientError {
    #[error("{0} (--server or PETASUS_URL)")]
    Server(Error),
    #[error(transparent)]
    Topic(#[from] EndpointError),
    #[error("`{0}` is no header; write --header 'Name: value'")]
    Header(String),
    #[error("{0}; write for example --origin https://example.com, --header 'Name: value'")]
    Setting(Error),
    #[error("{file}: no root certificate can be read from it: {reason}; name a PEM file by --ca")]
    Ca { file: String, reason: String },
    #[error("{0}; name a PEM file by --ca")]
    Tls(Error),
    #[error("no log-in for --user: {0}")]
    LogIn(&'static str),
    #[error("{what} is no {wanted}: {reason}; a text needs quotes of its own, as in '\"text\"'")]
    Json { what: String, wanted: &'static str, reason: serde_json::Error },
    #[error("{url} can not be reached: {reason}; check --server or PETASUS_URL, and the network")]
    Unreachable { url: String, reason: String },
    #[error("{0} did not answer in {1} seconds; check that a broker listens there")]
    TimedOut(String, u64),
    #[error(
        "the TLS handshake with {url} failed: {reason}; name its root certificate by --ca, or use ws:// if it speaks no TLS"
    )]
    Handshake { url: String, reason: String },
    #[error("{url} does not speak WebSocket: {reason}; check that it is a broker, and ws:// or wss://")]
    NoWebSocket { url: String, reason: String },
    #[error("{0} speaks no WAMP; check the path in --server (Petasus: /ws)")]
    NoWamp(String),
    #[error("{url} answered {status}{}; {}", said(.text), advice(*.status))]
    Status { url: String, status: u16, text: String },
    /// The router, the broker or a callee does not want it.
    #[error("{url} refused: {uri}{}; {}", said(.text), uri_advice(.uri))]
    Refused { url: String, uri: String, text: String },
    #[error("{url} gave no answer: {reason}; find out before you do it again")]
    Unanswered { url: String, reason: String },
    /// What ended a `push` that had a message under way.
    #[error("{}: {cause}{}", fate(*.line, .cause), before(*.line))]
    Push {
        /// Its line of standard input, from 1; `None` if there is but one message.
        line: Option<u64>,
        cause: Box<ClientError>,
    },
    /// What ended a `push` between two messages.
    #[error("{cause}\nlines taken before it: {taken}")]
    PushedBefore { taken: u64, cause: Box<ClientError> },
    #[error("the broker closed the connection: code {code}{}; {}", said(.reason), close_advice(*.code))]
    Closed { code: u16, reason: String },
    #[error("the connection was lost: {0}; messages may be missing, run the command again")]
    Lost(String),
    /// What the client says well enough itself.
    #[error("{0}")]
    Client(Error),
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

impl From<Error> for ClientError {
    /// An error before there was anything to connect to.
    fn from(error: Error) -> Self {
        match error {
            Error::Url { .. } => Self::Server(error),
            Error::Setting { what, .. } if what.contains("TLS") || what.contains("certificate") => {
                Self::Tls(error)
            }
            Error::Setting { .. } => Self::Setting(error),
            error => Self::Client(error),
        }
    }
}

impl ClientError {
    /// What an error means for this URL; `met`: there was a connection.
    pub(super) fn new(url: &str, met: bool, error: Error) -> Self {
        let url = url.to_owned();
        match error {
            Error::GaveUp(failure) => Self::of_failure(&url, met, failure),
            Error::Refused(refusal) => Self::Refused { url, uri: refusal.uri, text: refusal.text },
            Error::TimedOut | Error::Lost => Self::Unanswered { url, reason: error.to_string() },
            error => error.into(),
        }
    }

    /// What a failure of the connection means; `met`: there had been one.
    pub(super) fn of_failure(url: &str, met: bool, failure: Failure) -> Self {
        let url = url.to_owned();
        match failure {
            Failure::Unreachable { reason } if !met => Self::Unreachable { url, reason },
            Failure::Tls { reason, .. } => Self::Handshake { url, reason },
            Failure::Status { status, text } => Self::Status { url, status, text },
            Failure::NotWebSocket { reason } => Self::NoWebSocket { url, reason },
            Failure::Broken { reason } if !met => Self::NoWebSocket { url, reason },
            Failure::NoSubprotocol => Self::NoWamp(url),
            Failure::ConnectTimedOut => Self::TimedOut(url, 10),
            Failure::Aborted { uri, text } => Self::Refused { url, uri, text },
            Failure::Goodbye { uri, text } => Self::Lost(format!("the router said {uri}{}", said(&text))),
            // RFC 6455 7.1.5: a connection that ends without a close frame counts as 1006.
            Failure::Closed { code: 1006, .. } => Self::Lost("it was cut off".to_owned()),
            Failure::Closed { code, reason } => Self::Closed { code, reason },
            Failure::Unreachable { reason } | Failure::Broken { reason } => Self::Lost(reason),
            failure => Self::Lost(failure.to_string()),
        }
    }

    /// The exit code of the process, as `petasus --help` lists them.
    pub(super) fn exit_code(&self) -> u8 {
        match self {
            Self::Ca { .. } | Self::Tls(_) | Self::Input(_) | Self::Output(_) | Self::Signals(_) => 1,
            Self::Server(_)
            | Self::Topic(_)
            | Self::Header(_)
            | Self::Setting(_)
            | Self::LogIn(_)
            | Self::Json { .. } => 2,
            Self::Unreachable { .. }
            | Self::TimedOut(..)
            | Self::Handshake { .. }
            | Self::NoWebSocket { .. }
            | Self::NoWamp(_) => 3,
            Self::Status { .. } | Self::Refused { .. } => 4,
            Self::Closed { .. } | Self::Lost(_) | Self::Unanswered { .. } => 5,
            Self::Client(error) => match error {
                Error::NotConnected => 3,
                Error::Revoked { .. } => 4,
                Error::QueueFull { .. } | Error::Closed | Error::Stale => 5,
                _ => 2,
            },
            Self::Push { cause, .. } | Self::PushedBefore { cause, .. } => cause.exit_code(),
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
        400 => "correct the topic or the headers",
        401 => "it wants a page's origin from its allow_origin list, name one by --origin",
        403 => "its operator does not allow this; credentials go into --header 'Authorization: ...'",
        404 => "check the path in --server, and that the broker speaks the dialect (--dialect) there",
        408 => "the network is too slow for its timeouts.body",
        413 => "the message is longer than its limits.message",
        300..=399 => "name the final address by --server",
        503 => "it is full or its authorisation is down; try again in a moment",
        500..=599 => "look into its log",
        _ => "check that --server names a broker",
    }
}

fn uri_advice(uri: &str) -> &'static str {
    use uri::error;
    match uri {
        error::NO_SUCH_REALM => "name another realm by --realm",
        error::NO_MATCHING_AUTH_METHOD | error::AUTHENTICATION_REQUIRED => {
            "log in by --user with --ticket or --secret"
        }
        error::AUTHENTICATION_DENIED | error::AUTHENTICATION_FAILED | error::NO_SUCH_PRINCIPAL => {
            "check --user, --ticket and --secret"
        }
        error::NOT_AUTHORIZED => {
            "its operator does not allow this: log in by --user, or name credentials by --header and a page's \
             origin by --origin"
        }
        error::NO_SUCH_PROCEDURE => "nobody offers it: check its name, and --realm",
        error::PROCEDURE_ALREADY_EXISTS => "somebody offers it already: choose another name",
        error::INVALID_URI => {
            "check the name, the path in --server, and that the broker speaks the dialect there"
        }
        error::PAYLOAD_SIZE_EXCEEDED => "the message is longer than its limits.message",
        error::UNAVAILABLE => {
            "if nobody pulls, start `petasus pull` or let the broker hold jobs (queue.without_puller), else try \
             again in a moment"
        }
        error::INVALID_ARGUMENT => {
            "correct it; if this is no answer of a queue or callee, check that --server names a broker of the dialect"
        }
        _ => "look into the log of who said it",
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
