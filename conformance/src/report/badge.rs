//! A badge: the form that shields.io reads from an address.

use serde_json::json;

use super::Report;
use crate::Level;
use crate::run::Verdict;

/// `{"schemaVersion": 1, "label": ..., "message": ..., "color": ...}`.
pub fn badge(report: &Report) -> String {
    let count = |verdict: Verdict| report.checks.iter().filter(|check| check.verdict == verdict).count();
    let failed = count(Verdict::Fail) + report.stale.len();
    let known = count(Verdict::Known);
    let passed = count(Verdict::Pass) + count(Verdict::Info) + count(Verdict::NonStrict);
    let (message, color) = match report.exit_status(Level::Must) {
        0 if known > 0 => (format!("{passed} passed, {known} known"), "yellowgreen"),
        0 => (format!("{passed} passed"), "brightgreen"),
        1 => (format!("{failed} failed"), "red"),
        _ => ("unknown".to_owned(), "lightgrey"),
    };
    let label = format!("{} conformance", report.target.driver);
    json!({"schemaVersion": 1, "label": label, "message": message, "color": color}).to_string()
}
