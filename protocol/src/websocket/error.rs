//! What can go wrong, and what a [`Session`](crate::session::Session) is told of it.

use crate::session::Failure;

/// Why a request cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The host is empty or holds what no host does.
    #[error(
        "the host `{host}` cannot be used: give a name or address, with its port if it is not the usual one"
    )]
    Host {
        /// As it was given.
        host: String,
    },
    /// The path does not begin with a slash or holds what has to be percent-encoded.
    #[error(
        "the path `{path}` cannot be used: begin it with `/` and percent-encode what is not visible ASCII"
    )]
    Path {
        /// As it was given.
        path: String,
    },
    /// A header is no header of HTTP. Its value is not shown, because it may be a secret.
    #[error(
        "the header `{name}` cannot be sent: its name must be a token, its value visible ASCII and spaces"
    )]
    Header {
        /// Its name.
        name: String,
    },
    /// A header is written by this module.
    #[error("the header `{name}` is written by the client itself: leave it out")]
    Reserved {
        /// Its name.
        name: String,
    },
    /// A subprotocol is no token or is named twice (RFC 6455 4.1).
    #[error("the subprotocol `{name}` cannot be offered: it must be a token and be named once")]
    Subprotocol {
        /// As it was given.
        name: String,
    },
}

/// Why there is no answer by HTTP.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// What came is not the head of an HTTP/1 answer.
    #[error("no HTTP is spoken there, it began with `{start}`: check host and port, and TLS against no TLS")]
    NotHttp {
        /// The first bytes that came, 40 at most; what is not visible ASCII is escaped as in `\x15`.
        start: String,
    },
    /// The head is longer than 16 KiB.
    #[error("the head of the answer is longer than 16 KiB: check that the URL names a broker")]
    HeadTooLong,
    /// The peer ended before the head of its answer was complete.
    #[error("the connection ended before an answer came: check that the broker runs, and TLS against no TLS")]
    Ended,
}

/// Why no WebSocket was opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// There is no answer.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The server answered with a status other than 101.
    #[error("the server answered {status}{} and opened no WebSocket: check the path of the URL and the log-in", said(.text))]
    Status {
        /// The HTTP status.
        status: u16,
        /// The first line of the body, as in [`Answer::text`](super::Answer::text).
        text: String,
        /// As [`Answer::retry_after`](super::Answer::retry_after).
        retry_after: Option<u32>,
    },
    /// The server answered 101, but not as RFC 6455 4.1 wants.
    #[error(
        "the server speaks no WebSocket: {reason}; check that the URL names a broker and what proxies do on the way"
    )]
    NotWebSocket {
        /// What is wrong.
        reason: &'static str,
    },
    /// The server chose a subprotocol that was not offered.
    #[error(
        "the server chose the subprotocol `{chosen}`, which was not offered: its operator has to mend that"
    )]
    Subprotocol {
        /// What it chose.
        chosen: String,
    },
}

/// Why a connection cannot go on: the server broke the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WebSocketError {
    /// A frame breaks RFC 6455.
    #[error("the server broke the WebSocket protocol ({0}): its operator has to mend that")]
    Protocol(&'static str),
    /// A text, or the reason of a close, is not UTF-8.
    #[error("the server sent text that is not UTF-8: send it as binary there")]
    NotUtf8,
    /// A message is longer than allowed.
    #[error("the server sent a message of more than {limit} bytes: raise the limit, or send less there")]
    TooLong {
        /// The limit, in bytes.
        limit: usize,
    },
}

impl WebSocketError {
    /// The close code that tells it to the server (RFC 6455 7.4.1).
    pub const fn close_code(self) -> u16 {
        match self {
            Self::Protocol(_) => 1002,
            Self::NotUtf8 => 1007,
            Self::TooLong { .. } => 1009,
        }
    }

    /// The reason in that close frame.
    pub(super) const fn close_reason(self) -> &'static str {
        match self {
            Self::Protocol(what) => what,
            Self::NotUtf8 => "text is not UTF-8",
            Self::TooLong { .. } => "message is too long",
        }
    }
}

/// Why a close frame cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CloseError {
    /// The code must not be sent (RFC 6455 7.4).
    #[error("the close code {0} cannot be sent: take 1000, or one from 3000 to 4999")]
    Code(u16),
    /// The reason does not fit into a control frame (RFC 6455 5.5).
    #[error("the reason has {len} bytes, 123 are allowed: shorten it")]
    ReasonTooLong {
        /// Its length in bytes.
        len: usize,
    },
}

impl From<HttpError> for Failure {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::NotHttp { start } => {
                Failure::NotWebSocket { reason: format!("the answer is no HTTP, it began with `{start}`") }
            }
            HttpError::HeadTooLong => {
                Failure::NotWebSocket { reason: "the head of the answer is longer than 16 KiB".to_owned() }
            }
            HttpError::Ended => Failure::Broken { reason: "it ended before an answer came".to_owned() },
        }
    }
}

impl From<HandshakeError> for Failure {
    fn from(error: HandshakeError) -> Self {
        match error {
            HandshakeError::Http(error) => error.into(),
            HandshakeError::Status { status, text, .. } => Failure::Status { status, text },
            HandshakeError::NotWebSocket { reason } => Failure::NotWebSocket { reason: reason.to_owned() },
            HandshakeError::Subprotocol { chosen } => Failure::NotWebSocket {
                reason: format!("the server chose the subprotocol `{chosen}`, which was not offered"),
            },
        }
    }
}

impl From<WebSocketError> for Failure {
    fn from(error: WebSocketError) -> Self {
        let reason = match error {
            WebSocketError::TooLong { limit } => {
                format!("a message has more than the {limit} bytes allowed here")
            }
            _ => error.close_reason().to_owned(),
        };
        Failure::Protocol { reason }
    }
}

/// What somebody said, in brackets; nothing if it said nothing.
fn said(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(" ({text})") }
}
