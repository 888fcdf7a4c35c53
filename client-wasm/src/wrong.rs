//! What went wrong, as numbers; the words are JavaScript's.

use petasus_protocol::TopicError;
use petasus_protocol::session::{Error, Failure, UrlError};

use crate::sink::{number, text};
use crate::told;

/// Why an act came to nothing.
pub(crate) enum Wrong {
    Url(UrlError),
    Session(Error),
}

impl From<UrlError> for Wrong {
    fn from(error: UrlError) -> Wrong {
        Wrong::Url(error)
    }
}

impl From<Error> for Wrong {
    fn from(error: Error) -> Wrong {
        Wrong::Session(error)
    }
}

impl From<TopicError> for Wrong {
    fn from(error: TopicError) -> Wrong {
        Wrong::Session(Error::Topic(error))
    }
}

/// Its code, and what belongs to it.
pub(crate) fn say(wrong: &Wrong) {
    match wrong {
        Wrong::Session(error) => of_error(error),
        Wrong::Url(error) => {
            number(14.0);
            number(match error {
                UrlError::Scheme => 0.0,
                UrlError::Host => 1.0,
                UrlError::Port => 2.0,
                UrlError::User => 3.0,
                UrlError::Fragment => 4.0,
                _ => 5.0,
            });
        }
    }
}

/// Its code, and what belongs to it.
pub(crate) fn of_error(error: &Error) {
    let code = match error {
        Error::GaveUp(_) => 1,
        Error::Unsupported { .. } => 2,
        Error::Topic(_) | Error::Endpoint(_) => 3,
        Error::Uri(_) => 4,
        Error::TooLarge { .. } => 5,
        Error::QueueFull { .. } => 6,
        Error::NotConnected => 7,
        Error::TimedOut => 8,
        Error::Lost => 9,
        Error::Canceled => 10,
        Error::Refused(_) => 11,
        Error::Revoked { .. } => 12,
        Error::Stale => 13,
        // What a later version of the core may add ends the conversation as well as anything.
        _ => 0,
    };
    number(f64::from(code));
    match error {
        Error::GaveUp(failure) => of_failure(failure),
        Error::Unsupported { what, why } => {
            text(what);
            text(why);
        }
        Error::TooLarge { len, limit } => {
            number(*len as f64);
            number(*limit as f64);
        }
        Error::QueueFull { waiting } => number(*waiting as f64),
        Error::Refused(refusal) => {
            text(&refusal.uri);
            text(&refusal.text);
            told::content(&refusal.content);
        }
        Error::Revoked { reason } => text(reason),
        _ => {}
    }
}

/// Its kind, a number, and two texts.
pub(crate) fn of_failure(failure: &Failure) {
    let (kind, code, name, reason) = match failure {
        Failure::Unreachable { reason } => (0, 0, "", reason.as_str()),
        Failure::Tls { reason, .. } => (1, 0, "", reason.as_str()),
        Failure::Status { status, text } => (2, *status, "", text.as_str()),
        Failure::NotWebSocket { reason } => (3, 0, "", reason.as_str()),
        Failure::NoSubprotocol => (4, 0, "", ""),
        Failure::ConnectTimedOut => (5, 0, "", ""),
        Failure::Aborted { uri, text } => (6, 0, uri.as_str(), text.as_str()),
        Failure::Goodbye { uri, text } => (7, 0, uri.as_str(), text.as_str()),
        Failure::Challenge { reason } => (8, 0, "", reason.as_str()),
        Failure::Closed { code, reason } => (9, *code, "", reason.as_str()),
        Failure::Broken { reason } => (10, 0, "", reason.as_str()),
        Failure::Silent => (11, 0, "", ""),
        Failure::Protocol { reason } => (12, 0, "", reason.as_str()),
        _ => (10, 0, "", ""),
    };
    number(f64::from(kind));
    number(f64::from(code));
    text(name);
    text(reason);
}
