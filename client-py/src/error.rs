//! The core's errors as the exceptions of `petasus.exceptions`.

use petasus_protocol::session::{Error, Failure, Fault, Retry, UrlError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

use crate::message::Message;

/// So many characters of a topic are shown.
const SHOWN: usize = 100;

/// The exception of an error.
pub(crate) fn exception<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    let retry = match error.retry() {
        Retry::Yes => "yes",
        Retry::IfHarmless => "if_harmless",
        Retry::No => "no",
    };
    let exception = make(py, class_of(error), &error.to_string(), retry, fault_of(error.fault()))?;
    match error {
        Error::Refused(refusal) => {
            exception.setattr("uri", &refusal.uri)?;
            exception.setattr("text", &refusal.text)?;
            exception.setattr("content", Message::of_content(refusal.content.clone()))?;
        }
        Error::GaveUp(failure) => exception.setattr("failure", kind_of(failure))?,
        _ => {}
    }
    Ok(exception)
}

/// The error to be raised.
pub(crate) fn raised(py: Python<'_>, error: &Error) -> PyErr {
    exception(py, error).map_or_else(|error| error, PyErr::from_value)
}

/// The exception of a failed connection, for [`Status::Waiting`](petasus_protocol::session::Status).
pub(crate) fn failed<'py>(py: Python<'py>, failure: &Failure) -> PyResult<Bound<'py, PyAny>> {
    let exception = make(py, "GaveUpError", &failure.to_string(), "no", fault_of(failure.fault()))?;
    exception.setattr("failure", kind_of(failure))?;
    Ok(exception)
}

/// A value can not be `written` or `read`.
pub(crate) fn content_error(py: Python<'_>, verb: &str, reason: &str) -> PyErr {
    program_error(py, "ContentError", &format!("the content can not be {verb}: {reason}"))
}

/// A topic can not be used as it is written.
pub(crate) fn topic_error(py: Python<'_>, topic: &str, why: &str) -> PyErr {
    // The whole of a long one tells nobody more.
    let begin: String = topic.chars().take(SHOWN).collect();
    let rest = if begin.len() < topic.len() { "..." } else { "" };
    program_error(py, "TopicError", &format!("the topic {begin:?}{rest} can not be used: {why}"))
}

/// A URL is none.
pub(crate) fn url_error(py: Python<'_>, url: &str, error: UrlError) -> PyErr {
    program_error(py, "UrlError", &format!("the URL {url:?} can not be used: {error}"))
}

/// An option can not be used.
pub(crate) fn setting_error(py: Python<'_>, what: &str, why: &str) -> PyErr {
    program_error(py, "SettingError", &format!("{what} can not be used: {why}"))
}

fn program_error(py: Python<'_>, class: &str, reason: &str) -> PyErr {
    make(py, class, reason, "no", "program").map_or_else(|error| error, PyErr::from_value)
}

fn make<'py>(
    py: Python<'py>,
    class: &str,
    reason: &str,
    retry: &str,
    fault: &str,
) -> PyResult<Bound<'py, PyAny>> {
    static BASE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let base = BASE.import(py, "petasus.exceptions", "PetasusError")?;
    let class = base.getattr("_named")?.call1((class,))?;
    class.call1((reason, retry, fault))
}

fn class_of(error: &Error) -> &'static str {
    match error {
        Error::Unsupported { .. } => "UnsupportedError",
        Error::Topic(_) | Error::Endpoint(_) => "TopicError",
        Error::Uri(_) => "UriError",
        Error::TooLarge { .. } => "TooLargeError",
        Error::QueueFull { .. } => "QueueFullError",
        Error::NotConnected => "NotConnectedError",
        Error::TimedOut => "TimedOutError",
        Error::Lost => "LostError",
        Error::Canceled => "CanceledError",
        Error::Refused(_) => "RefusedError",
        Error::Revoked { .. } => "RevokedError",
        Error::Stale => "StaleError",
        Error::GaveUp(_) => "GaveUpError",
        _ => "ClosedError",
    }
}

fn fault_of(fault: Fault) -> &'static str {
    match fault {
        Fault::Program => "program",
        Fault::Network => "network",
        Fault::Server => "server",
    }
}

/// The name of a failure, for programs.
fn kind_of(failure: &Failure) -> &'static str {
    match failure {
        Failure::Unreachable { .. } => "unreachable",
        Failure::Tls { .. } => "tls",
        Failure::Status { .. } => "status",
        Failure::NotWebSocket { .. } => "not_websocket",
        Failure::NoSubprotocol => "no_subprotocol",
        Failure::ConnectTimedOut => "connect_timed_out",
        Failure::Aborted { .. } => "aborted",
        Failure::Goodbye { .. } => "goodbye",
        Failure::Challenge { .. } => "challenge",
        Failure::Closed { .. } => "closed",
        Failure::Broken { .. } => "broken",
        Failure::Silent => "silent",
        _ => "protocol",
    }
}
