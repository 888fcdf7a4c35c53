//! Words and signs of the page.

use serde_json::Value;

use crate::Level;
use crate::report::Report;
pub(super) use crate::report::junit::escaped;
use crate::run::Verdict;

/// What a broker is called: by its author if there is one.
pub(super) fn name(report: &Report) -> String {
    let given = report.implementation.as_ref().filter(|given| !given.project.is_empty());
    match given {
        Some(given) => format!("{} {}", given.project, given.version).trim().to_owned(),
        None => report.target.url.clone(),
    }
}

/// A sign for each verdict, which differs without its colour too.
pub(super) fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "✓",
        Verdict::Fail => "✗",
        Verdict::Stale => "↻",
        Verdict::NonStrict => "~",
        Verdict::Known => "×",
        Verdict::Info => "i",
        Verdict::Inconclusive => "?",
        Verdict::Unsupported => "–",
    }
}

pub(super) fn level(level: Level) -> &'static str {
    match level {
        Level::Must => "must",
        Level::Should => "should",
        Level::May => "may",
    }
}

/// The time in milliseconds, the connection, and all that the event holds.
pub(super) fn event(event: &Value) -> String {
    let at = event["at_us"].as_u64().unwrap_or(0) as f64 / 1000.0;
    let who = event["conn"].as_u64().map(|conn| conn.to_string()).unwrap_or_default();
    let what = event["event"].as_str().unwrap_or_default();
    let mut rest = event.clone();
    if let Some(fields) = rest.as_object_mut() {
        fields.retain(|name, _| !["at_us", "conn", "event"].contains(&name.as_str()));
    }
    let rest = if rest.as_object().is_some_and(serde_json::Map::is_empty) {
        String::new()
    } else {
        rest.to_string()
    };
    format!("{at:9.3}  {who:>4}  {what:10} {rest}")
}
