//! What a program asks, as the core wants it.

use petasus_protocol::session::{DeliveryMode, Failure, Filter, Invoke};
use petasus_protocol::wamp::uri::Match;
use petasus_protocol::{Topic, TopicLimits};
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::error::{setting_error, topic_error};
use crate::settings::to_millis;
use crate::value::text_of;

/// Reads a topic: segments are separated by `/` or by `.`, but not by both. `petasus.Topic`, a kind of text, is in
/// slash form.
pub(crate) fn to_topic(text: &Bound<'_, PyString>) -> PyResult<Topic> {
    let py = text.py();
    let slashed = !text.is_exact_instance_of::<PyString>();
    let text = text_of(text)?;
    let dots = !slashed && text.contains('.');
    if dots && text.contains('/') {
        let why = "it has slashes and dots: write only one of them between segments, \
                   or give petasus.Topic(\"...\") if a segment is to hold a dot";
        return Err(topic_error(py, &text, why));
    }
    let limits = TopicLimits::default();
    let topic =
        if dots { Topic::parse(&text.replace('.', "/"), &limits) } else { Topic::parse(&text, &limits) };
    topic.map_err(|error| topic_error(py, &text, &error.to_string()))
}

pub(crate) fn to_filter(kind: &str, name: &Bound<'_, PyString>, echo: bool) -> PyResult<Filter> {
    let none = |other| format!("{other:?} is none: take tree, exact, prefix or wildcard");
    Ok(match kind {
        "tree" => Filter::Tree(to_topic(name)?),
        "exact" => Filter::Exact(to_topic(name)?),
        "prefix" => Filter::Prefix(text_of(name)?),
        "wildcard" => Filter::Wildcard(text_of(name)?),
        "bus" => Filter::Bus { topic: to_topic(name)?, echo },
        other => return Err(setting_error(name.py(), "match", &none(other))),
    })
}

pub(crate) fn to_mode(py: Python<'_>, mode: &str, timeout: Option<f64>) -> PyResult<DeliveryMode> {
    match mode {
        "fire" => Ok(DeliveryMode::Fire),
        "queued" => Ok(DeliveryMode::Queued),
        "acknowledged" => Ok(DeliveryMode::Acknowledged { timeout: timeout.map(to_millis) }),
        other => Err(setting_error(py, "the mode", &format!("{other:?} is none"))),
    }
}

pub(crate) fn to_match(py: Python<'_>, name: &str) -> PyResult<Match> {
    Match::parse(name).ok_or_else(|| setting_error(py, "match", "take exact, prefix or wildcard"))
}

pub(crate) fn to_invoke(py: Python<'_>, name: &str) -> PyResult<Invoke> {
    let all = [Invoke::Single, Invoke::First, Invoke::Last, Invoke::RoundRobin, Invoke::Random];
    let found = all.into_iter().find(|invoke| invoke.as_str() == name);
    found.ok_or_else(|| setting_error(py, "invoke", "take single, first, last, roundrobin or random"))
}

/// Why a connection ended, as the driver says it.
pub(crate) fn to_failure(kind: &str, reason: String) -> Failure {
    match kind {
        "unreachable" => Failure::Unreachable { reason },
        "certificate" => Failure::Tls { reason, certificate: true },
        "proxy_log_in" => Failure::Status { status: 407, text: reason },
        "tls" => Failure::Tls { reason, certificate: false },
        _ => Failure::Broken { reason },
    }
}
