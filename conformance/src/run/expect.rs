//! Expected failures of a broker, each with its reason. One that does not happen any more is out of date, and says so.

use serde::Deserialize;

use super::{CheckResult, Verdict};

/// The file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectations {
    /// What fails.
    #[serde(default)]
    known: Vec<Known>,
}

/// One failure.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    /// The requirement.
    req: String,
    /// The check; none: any.
    check: Option<String>,
    /// Why. For readers.
    reason: String,
}

/// A text that is no file of expectations.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpectationsError {
    /// No TOML, or other keys.
    #[error("the expectations do not parse, mend them where this says: {0}")]
    Toml(String),
    /// An entry gives no reason.
    #[error("{0} is expected to fail, and the entry does not say why: fill in `reason`")]
    NoReason(String),
}

impl Expectations {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// It does not parse, or a reason is missing.
    pub fn parse(text: &str) -> Result<Self, ExpectationsError> {
        let all: Self = toml::from_str(text).map_err(|error| ExpectationsError::Toml(error.to_string()))?;
        match all.known.iter().find(|known| known.reason.trim().is_empty()) {
            Some(known) => Err(ExpectationsError::NoReason(known.req.clone())),
            None => Ok(all),
        }
    }

    /// Grades a result anew: expected failures are known, and those of this check alone that did not happen are stale.
    pub fn apply(&self, result: &mut CheckResult) {
        let name = result.card.name;
        let is_of = |known: &Known| known.check.as_deref().is_none_or(|check| check == name);
        let is_known =
            |requirement: &str| self.known.iter().any(|known| is_of(known) && known.req == requirement);
        if result.verdict == Verdict::Unsupported || result.reason.is_some() {
            return;
        }
        let worst = result.findings.iter().map(|finding| match finding.verdict() {
            Verdict::Fail | Verdict::NonStrict if is_known(finding.violation.requirement) => Verdict::Known,
            verdict => verdict,
        });
        result.verdict = worst.max().unwrap_or(Verdict::Pass);
        let happened = |known: &Known| result.findings.iter().any(|f| f.violation.requirement == known.req);
        let of_this = |known: &&Known| known.check.as_deref() == Some(name);
        if let Some(stale) = self.known.iter().filter(of_this).find(|known| !happened(known)) {
            result.verdict = result.verdict.max(Verdict::Stale);
            result.reason =
                Some(format!("{} was expected to fail and does not: remove the entry", stale.req));
        }
    }

    /// An entry for a failure that was not expected, ready to paste.
    pub fn entry(requirement: &str, check: &str) -> String {
        format!("[[known]]\nreq = \"{requirement}\"\ncheck = \"{check}\"\nreason = \"\"\n")
    }
}
