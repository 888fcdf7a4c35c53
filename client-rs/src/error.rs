//! What can go wrong.

use petasus_protocol::session::{self, Failure, Fault, Refusal, Retry, UrlError};
use petasus_protocol::wamp::uri::UriError;
use petasus_protocol::wamp::{DecodeError, EncodeError};
use petasus_protocol::{EndpointError, TopicError};

/// Why something came to nothing. The text says what to do; [`Error::retry`] and [`Error::fault`] say it to programs.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The URL of the broker is none.
    #[error("the URL `{url}` can not be used: {reason}")]
    Url {
        /// The URL, as it was given.
        url: String,
        /// What is wrong.
        reason: UrlError,
    },
    /// Something else that the client was built with can not be used.
    #[error("{what} can not be used: {why}")]
    Setting {
        /// What it is.
        what: &'static str,
        /// Why not, and what to do.
        why: String,
    },
    /// A topic can not be used as it is written.
    #[error("the topic `{topic}` can not be used: {why}")]
    Topic {
        /// The topic, or an empty text if it is only known that it is one that was used.
        topic: String,
        /// Why not, and what to do.
        why: String,
    },
    /// A procedure or pattern is not a URI.
    #[error("the name can not be used: {0}")]
    Name(#[from] UriError),
    /// A value can not be written as, or read from, a message.
    #[error("the content can not be {verb}: {reason}")]
    Content {
        /// `written` or `read`.
        verb: &'static str,
        /// Why not.
        reason: String,
    },
    /// The wire or the router can not do this.
    #[error("{what} can not be had here: {why}")]
    Unsupported {
        /// What was wanted.
        what: &'static str,
        /// Why not, and what to do.
        why: &'static str,
    },
    /// The message is longer than the configured limit, or was the longest when the broker ended the connection
    /// because one was too long.
    #[error(
        "the message has {len} bytes, {limit} at most are allowed: send less, or raise the limit of both sides"
    )]
    TooLarge {
        /// Its bytes.
        len: usize,
        /// The limit; for one that only the broker knows, the most that it can be.
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
    #[error(
        "there was no connection, so nothing was sent: wait for `connected()`, send it queued, or allow more time"
    )]
    NotConnected,
    /// There was no answer in time. What was asked for may have happened or not.
    #[error("there was no answer in time; it may have happened or not")]
    TimedOut,
    /// The connection was lost before the answer came. What was asked for may have happened or not.
    #[error("the connection was lost before the answer came; it may have happened or not")]
    Lost,
    /// It was canceled.
    #[error("it was canceled")]
    Canceled,
    /// The broker, or who answers a call, refused.
    #[error("{0}")]
    Refused(Refusal),
    /// The router took the subscription or registration away.
    #[error("the broker took it away{}{reason}", if .reason.is_empty() { "" } else { ": " })]
    Revoked {
        /// The reason it gave, or an empty text.
        reason: String,
    },
    /// The call, job or connection is over.
    #[error("it is over: nobody waits for this any more")]
    Stale,
    /// The client was closed, or is draining, by its own program.
    #[error("the client was closed: connect anew")]
    Closed,
    /// There is no connection, and there will be none.
    #[error("no connection: {0}")]
    GaveUp(Failure),
}

impl Error {
    /// Whether to try again.
    pub fn retry(&self) -> Retry {
        match self {
            Error::QueueFull { .. } | Error::NotConnected => Retry::Yes,
            Error::TimedOut | Error::Lost => Retry::IfHarmless,
            Error::Refused(refusal) => session::Error::Refused(refusal.clone()).retry(),
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

    /// What the broker said, or who answered a call, if that was it.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Error::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    pub(crate) fn read(reason: &(impl ToString + ?Sized)) -> Error {
        Error::Content { verb: "read", reason: reason.to_string() }
    }
}

impl From<session::Error> for Error {
    fn from(error: session::Error) -> Self {
        use session::Error as Core;
        match error {
            Core::Unsupported { what, why } => Error::Unsupported { what, why },
            Core::Topic(error) => error.into(),
            Core::Endpoint(error) => error.into(),
            Core::Uri(error) => Error::Name(error),
            Core::TooLarge { len, limit } => Error::TooLarge { len, limit },
            Core::QueueFull { waiting } => Error::QueueFull { waiting },
            Core::NotConnected => Error::NotConnected,
            Core::TimedOut => Error::TimedOut,
            Core::Lost => Error::Lost,
            Core::Canceled => Error::Canceled,
            Core::Refused(refusal) => Error::Refused(refusal),
            Core::Revoked { reason } => Error::Revoked { reason },
            Core::Stale => Error::Stale,
            Core::GaveUp(failure) => Error::GaveUp(failure),
            // What a later version of the core may add ends the conversation as well as anything.
            _ => Error::Closed,
        }
    }
}

impl From<TopicError> for Error {
    fn from(error: TopicError) -> Self {
        Error::Topic { topic: String::new(), why: error.to_string() }
    }
}

impl From<EndpointError> for Error {
    fn from(error: EndpointError) -> Self {
        Error::Topic { topic: String::new(), why: error.to_string() }
    }
}

impl From<EncodeError> for Error {
    fn from(error: EncodeError) -> Self {
        Error::Content { verb: "written", reason: error.to_string() }
    }
}

impl From<DecodeError> for Error {
    fn from(error: DecodeError) -> Self {
        Error::read(&error)
    }
}
