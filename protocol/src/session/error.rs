//! What can go wrong: for one request ([`Error`]), and for a connection ([`Failure`]).

use super::Content;
use crate::{EndpointError, TopicError};

/// Why a request, a subscription or a registration came to nothing.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The wire or the router can not do this.
    #[error("{what} can not be had here: {why}")]
    Unsupported {
        /// What was wanted.
        what: &'static str,
        /// Why not, and what to do.
        why: &'static str,
    },
    /// A topic is over its limits, or has no form on this wire.
    #[error("the topic can not be used: {0}")]
    Topic(#[from] TopicError),
    /// A topic has no Mercury URL.
    #[error("the topic can not be used: {0}")]
    Endpoint(#[from] EndpointError),
    /// A procedure or pattern is not a URI.
    #[error("the name can not be used: {0}")]
    Uri(#[from] crate::wamp::uri::UriError),
    /// The message is longer than the configured limit, or was the longest when the server ended the connection
    /// because one was too long.
    #[error(
        "the message has {len} bytes, {limit} at most are allowed: send less, or raise the limit of both sides"
    )]
    TooLarge {
        /// Its bytes, as they would have been sent.
        len: usize,
        /// The limit; for one that only the server knows, the most that it can be.
        limit: usize,
    },
    /// What waits to be sent has reached its bound.
    #[error(
        "{waiting} bytes wait to be sent, no more fit: send more slowly, wait for a connection, or raise the bound"
    )]
    QueueFull {
        /// The bytes that wait.
        waiting: usize,
    },
    /// There was no connection, and the message was not to wait for one, or not any longer. Nothing was sent.
    #[error("there was no connection, so nothing was sent: send it queued, or with a longer timeout")]
    NotConnected,
    /// There was no answer in time. What was asked for may have happened or not.
    #[error("there was no answer in time; it may have happened or not")]
    TimedOut,
    /// The connection was lost before the answer came. What was asked for may have happened or not.
    #[error("the connection was lost before the answer came; it may have happened or not")]
    Lost,
    /// The program canceled it.
    #[error("it was canceled")]
    Canceled,
    /// The broker, or who answers a call, refused.
    #[error("{0}")]
    Refused(Refusal),
    /// The router took the subscription or registration away.
    #[error("the broker took it away{}", said(.reason))]
    Revoked {
        /// The reason it gave, or an empty text.
        reason: String,
    },
    /// The handle is of a call, job or connection that is over.
    #[error("it is over: nobody waits for this any more")]
    Stale,
    /// The client was closed, or is draining, by its own program.
    #[error("the client was closed: connect anew")]
    Closed,
    /// The client gave up its connection for good.
    #[error("the client gave up: {0}")]
    GaveUp(#[from] Failure),
}

/// An ERROR (WAMP) or a refusing answer (HTTP).
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("refused: {uri}{}", said(.text))]
pub struct Refusal {
    /// The error's URI; for an answer by HTTP the nearest one of [`uri::error`](crate::wamp::uri::error).
    pub uri: String,
    /// A text for people: the first argument if it is a text, else empty.
    pub text: String,
    /// All that came along.
    pub content: Content,
}

/// Why a connection could not be opened, or ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// Nothing answers there.
    #[error("{reason}; check the URL, that the broker runs, and the network")]
    Unreachable {
        /// What the system says.
        reason: String,
    },
    /// The TLS handshake failed: an unknown root certificate, another name, no TLS at all.
    #[error(
        "TLS failed: {reason}; check the host name of the URL, the root certificates, and wss:// against ws://"
    )]
    Tls {
        /// What the TLS library says.
        reason: String,
        /// Whether the certificate was refused (and not the connection broken): trying again will not help.
        certificate: bool,
    },
    /// The server answered the handshake with a status other than 101.
    #[error("the server answered {status}{}; {}", said(.text), status_advice(*.status))]
    Status {
        /// The HTTP status.
        status: u16,
        /// The first line of its text, if it came.
        text: String,
    },
    /// The server does not speak WebSocket.
    #[error("no WebSocket there: {reason}; check that the URL names a broker, and ws:// against wss://")]
    NotWebSocket {
        /// What came instead.
        reason: String,
    },
    /// The server chose none of the subprotocols that were offered.
    #[error("the server speaks no WAMP at this path: check the path of the URL (Petasus: /ws)")]
    NoSubprotocol,
    /// There was no connection, or no welcome, in time.
    #[error("there was no welcome within the connect timeout; check the URL and the network")]
    ConnectTimedOut,
    /// The router refused the session (ABORT).
    #[error("the router refused the session: {uri}{}; {}", said(.text), abort_advice(.uri))]
    Aborted {
        /// The reason, a constant of [`uri::error`](crate::wamp::uri::error) mostly.
        uri: String,
        /// A text for people, or empty.
        text: String,
    },
    /// The router ended the session (GOODBYE).
    #[error("the router ended the session: {uri}{}", said(.text))]
    Goodbye {
        /// The reason, a constant of [`uri::close`](crate::wamp::uri::close) mostly.
        uri: String,
        /// A text for people, or empty.
        text: String,
    },
    /// The driver could not answer a challenge.
    #[error("the challenge could not be answered: {reason}")]
    Challenge {
        /// Why.
        reason: String,
    },
    /// The server closed the socket.
    #[error("the server closed the connection: {code}{}; {}", said(.reason), close_advice(*.code))]
    Closed {
        /// The close code; 1005 if it gave none, 1006 if it did not say goodbye at all (RFC 6455 7.4.1).
        code: u16,
        /// Its reason, or empty.
        reason: String,
    },
    /// The connection broke.
    #[error("the connection broke: {reason}")]
    Broken {
        /// What the system says.
        reason: String,
    },
    /// No sign of life came within the heartbeat's patience.
    #[error("nothing came from the server any more: the network is dead")]
    Silent,
    /// The server sent what the protocol does not allow.
    #[error("the server broke the protocol: {reason}; check that it is a router of this dialect")]
    Protocol {
        /// What was wrong.
        reason: String,
    },
}

/// Whose move it is after an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Retry {
    /// The same request may succeed later, and doing it twice does no harm: nothing has happened.
    Yes,
    /// The same request may succeed later, but it may have happened already: ask yourself whether twice is harmful.
    IfHarmless,
    /// Something has to change first: the request, the settings, or the rights.
    No,
}

/// Whose fault an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The program's, or that of who configured it.
    Program,
    /// The network's, or the server is down.
    Network,
    /// The server refused or misbehaved, or who answers a call.
    Server,
}

impl Error {
    /// Whether to try again.
    pub fn retry(&self) -> Retry {
        match self {
            Error::QueueFull { .. } | Error::NotConnected => Retry::Yes,
            Error::TimedOut | Error::Lost => Retry::IfHarmless,
            Error::Refused(refusal) => refusal.retry(),
            _ => Retry::No,
        }
    }

    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            Error::TimedOut | Error::Lost | Error::NotConnected => Fault::Network,
            Error::Refused(_) | Error::Revoked { .. } => Fault::Server,
            Error::GaveUp(failure) => failure.fault(),
            _ => Fault::Program,
        }
    }
}

impl Refusal {
    fn retry(&self) -> Retry {
        use crate::wamp::uri::error::{NETWORK_FAILURE, NO_AVAILABLE_CALLEE, TIMEOUT, UNAVAILABLE};
        match self.uri.as_str() {
            UNAVAILABLE | NO_AVAILABLE_CALLEE => Retry::Yes,
            TIMEOUT | NETWORK_FAILURE => Retry::IfHarmless,
            _ => Retry::No,
        }
    }
}

impl Failure {
    /// Whether another attempt is of no use, because something has to change first. `before` says whether there has
    /// been a connection before: who was let in once and now gets a 404 may look at a proxy that restarts.
    pub fn is_final(&self, before: bool) -> bool {
        use crate::wamp::uri::{close, error};
        match self {
            Failure::Tls { certificate, .. } => *certificate,
            Failure::Status { status, .. } => {
                matches!(status, 400..=499) && !matches!(status, 408 | 429) && !before
            }
            Failure::Challenge { .. } => true,
            Failure::Aborted { uri, .. } => !matches!(
                uri.as_str(),
                close::SYSTEM_SHUTDOWN | error::NETWORK_FAILURE | error::UNAVAILABLE | error::TIMEOUT
            ),
            Failure::Goodbye { uri, .. } => uri != close::SYSTEM_SHUTDOWN && uri != close::CLOSE_REALM,
            // 3000 and 3003 are registered codes, unauthorised and forbidden; from 3500 on it is Petasus's rule.
            Failure::Closed { code, .. } => {
                matches!(code, 1002 | 1007 | 1008 | 1010 | 3000 | 3003 | 3500..=3999)
            }
            Failure::NoSubprotocol | Failure::NotWebSocket { .. } | Failure::Protocol { .. } => !before,
            _ => false,
        }
    }

    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            Failure::Unreachable { .. }
            | Failure::ConnectTimedOut
            | Failure::Broken { .. }
            | Failure::Silent => Fault::Network,
            Failure::Tls { certificate, .. } if !certificate => Fault::Network,
            Failure::Tls { .. }
            | Failure::NoSubprotocol
            | Failure::NotWebSocket { .. }
            | Failure::Challenge { .. } => Fault::Program,
            Failure::Status { status, .. } if (400..500).contains(status) => Fault::Program,
            _ => Fault::Server,
        }
    }
}

/// What of a server's text is shown to people: its first line of at most 1,024 bytes, without control characters, which
/// terminals and logs might obey.
pub fn readable(text: &str) -> String {
    let mut line = String::new();
    let mut len = 0;
    for character in text.chars() {
        len += character.len_utf8();
        if character == '\n' || len > 1024 {
            break;
        }
        if !character.is_control() {
            line.push(character);
        }
    }
    line
}

/// What somebody said, as an appendix; nothing if it said nothing.
fn said(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(" ({text})") }
}

fn status_advice(status: u16) -> &'static str {
    match status {
        401 => "it wants an origin from its list (set one), or a log-in",
        403 => "its operator does not allow this",
        404 => "check the path of the URL",
        407 => "the proxy wants a log-in: give it as http://USER:PASSWORD@HOST:PORT",
        400 | 426 => "check the path of the URL, and the dialect",
        300..=399 => "name the final address",
        503 | 429 => "it is full: try again in a moment",
        500..=599 => "look into its log",
        _ => "check that the URL names a broker",
    }
}

fn abort_advice(uri: &str) -> &'static str {
    use crate::wamp::uri::error;
    match uri {
        error::NO_SUCH_REALM => "check the name of the realm",
        error::NO_MATCHING_AUTH_METHOD | error::AUTHENTICATION_REQUIRED => "give it a log-in that it accepts",
        error::AUTHENTICATION_DENIED | error::AUTHENTICATION_FAILED | error::NO_SUCH_PRINCIPAL => {
            "check user and secret"
        }
        error::NOT_AUTHORIZED | error::NO_SUCH_ROLE => "its operator does not allow this",
        _ => "its operator knows more",
    }
}

/// RFC 6455 7.4.1, and the broker's own codes.
fn close_advice(code: u16) -> &'static str {
    match code {
        1001 | 1012 | 1013 => "it restarts",
        1006 => "it went without a word",
        1008 | 3000 | 3003 => "its operator does not allow this",
        1009 => "a message was longer than it takes",
        1011 => "it had an internal error, look into its log",
        3100 => "this client reads too slowly",
        3101 => "there was no message for its timeouts.idle",
        3102 => "the queue was full for its queue.push_timeout",
        3500..=3999 => "connecting again will not help",
        _ => "connect again",
    }
}
