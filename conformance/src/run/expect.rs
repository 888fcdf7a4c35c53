//! Expected failures of a broker, each with its reason. One that does not happen any more is out of date, and says so.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Deserialize;

use super::{CheckResult, Finding, Verdict};
use crate::settings::located;
use crate::{Requirements, check};

/// The file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expectations {
    known: Vec<Known>,
    flaky: Vec<Flaky>,
    skip: Vec<Skip>,
}

/// What fails.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    #[serde(deserialize_with = "requirement")]
    req: String,
    /// None: any check.
    #[serde(default, deserialize_with = "some_check")]
    check: Option<String>,
    #[serde(deserialize_with = "filled")]
    #[allow(dead_code, reason = "for readers; that it is there is checked")]
    reason: String,
}

/// What fails now and then. It is out of date from a day on, whatever happens.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Flaky {
    #[serde(deserialize_with = "requirement")]
    req: String,
    #[serde(default, deserialize_with = "some_check")]
    check: Option<String>,
    #[serde(deserialize_with = "filled")]
    #[allow(dead_code, reason = "for readers; that it is there is checked")]
    reason: String,
    /// `2027-03-01`: the last day.
    #[serde(deserialize_with = "day")]
    until: String,
}

/// A check that is not to run.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Skip {
    #[serde(deserialize_with = "one_check")]
    check: String,
    #[serde(deserialize_with = "filled")]
    reason: String,
}

/// A text that is no file of expectations.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ExpectationsError(String);

fn text<'de, D: serde::Deserializer<'de>>(
    from: D,
    problem: impl Fn(&str) -> Option<String>,
) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    problem(&text).map_or(Ok(text), |problem| Err(serde::de::Error::custom(problem)))
}

fn requirement<'de, D: serde::Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let list = Requirements::built_in();
    text(from, |id| {
        list.get(id).is_none().then(|| format!("there is no requirement {id}; SPEC.md lists them"))
    })
}

fn one_check<'de, D: serde::Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    text(from, |name| {
        check::named(name).is_none().then(|| format!("there is no check {name}; `doctor` lists them"))
    })
}

fn some_check<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    one_check(from).map(Some)
}

fn filled<'de, D: serde::Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    text(from, |reason| reason.trim().is_empty().then(|| "the reason is empty: say why".to_owned()))
}

fn day<'de, D: serde::Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    text(from, |day| {
        let is_day = day.len() == 10
            && day.bytes().enumerate().all(|(at, byte)| match at {
                4 | 7 => byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        (!is_day).then(|| format!("`{day}` is no day: write 2027-03-01"))
    })
}

impl Expectations {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read or does not parse, names what does not exist, or leaves a reason out: with the file and the line.
    pub fn read(path: &Path) -> Result<Self, ExpectationsError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| ExpectationsError(format!("{}: {error}", path.display())))?;
        Self::parse(&text, path)
    }

    /// Reads the text of a file of this name.
    ///
    /// # Errors
    /// As [`Expectations::read`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, ExpectationsError> {
        toml::from_str(text).map_err(|error| ExpectationsError(located(path, text, &error)))
    }

    /// Why a check is not to run.
    pub fn skips(&self, check: &str) -> Option<String> {
        let skip = self.skip.iter().find(|skip| skip.check == check)?;
        Some(format!("left out: {}", skip.reason))
    }

    /// Grades a result anew: failures that are expected are known.
    pub fn apply(&self, result: &mut CheckResult) {
        if result.verdict == Verdict::Unsupported || result.reason.is_some() {
            return;
        }
        for finding in &mut result.findings {
            finding.is_expected = self.expects(finding.violation.requirement, result.card.name);
        }
        let worst = result.findings.iter().map(Finding::verdict).max();
        result.verdict = worst.unwrap_or(Verdict::Pass);
    }

    /// Whether this failure is expected.
    pub(super) fn expects(&self, requirement: &str, check: &str) -> bool {
        let is_of = |of: &Option<String>| of.as_deref().is_none_or(|of| of == check);
        self.known.iter().any(|known| known.req == requirement && is_of(&known.check))
            || self.flaky.iter().any(|flaky| flaky.req == requirement && is_of(&flaky.check))
    }

    /// What is out of date after these checks: `(check, conclusive, the requirements that it can judge, those that it
    /// found broken)`. An entry for a check that did not come to an end, or for any check where not all ran, stays.
    pub fn stale<'a>(&self, ran: impl Iterator<Item = Ran<'a>>, is_whole: bool) -> Vec<Stale> {
        let ran: Vec<Ran<'a>> = ran.collect();
        let mut stale = Vec::new();
        for known in &self.known {
            let mut judges = ran.iter().filter(|ran| {
                known
                    .check
                    .as_deref()
                    .map_or(ran.judges.contains(&known.req.as_str()), |check| check == ran.check)
            });
            let is_tried = judges.clone().next().is_some() && judges.clone().all(|ran| ran.is_conclusive);
            let is_gone = !judges.any(|ran| ran.broken.contains(&known.req.as_str()));
            if is_tried && is_gone && (is_whole || known.check.is_some()) {
                let check = known.check.as_deref().unwrap_or("every check");
                let text =
                    format!("{} was expected to fail in {check} and does not: remove the entry", known.req);
                stale.push(Stale { req: known.req.clone(), check: known.check.clone(), text });
            }
        }
        let today = today();
        for flaky in self.flaky.iter().filter(|flaky| flaky.until < today) {
            let text =
                format!("{} was called flaky until {}: mend it, or give a new day", flaky.req, flaky.until);
            stale.push(Stale { req: flaky.req.clone(), check: flaky.check.clone(), text });
        }
        stale
    }

    /// An entry for a failure that was not expected, ready to paste.
    pub fn entry(requirement: &str, check: &str, reason: &str) -> String {
        format!("[[known]]\nreq = \"{requirement}\"\ncheck = \"{check}\"\nreason = {reason:?}\n")
    }
}

/// An entry that is out of date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stale {
    /// Of which requirement.
    pub req: String,
    /// Of which check, if it names one.
    pub check: Option<String>,
    /// Why, and what to do.
    pub text: String,
}

/// A check that ran.
pub struct Ran<'a> {
    /// Its name.
    pub check: &'a str,
    /// Whether it came to an end.
    pub is_conclusive: bool,
    /// The requirements that it can find broken.
    pub judges: Vec<&'a str>,
    /// Those that it found broken.
    pub broken: Vec<&'a str>,
}

/// The day in UTC, as `2027-03-01`.
fn today() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    civil(i64::try_from(seconds / 86_400).unwrap_or(0))
}

/// The day that is so many days after 1970-01-01: a year begins in March, so that a leap day is its last.
fn civil(days: i64) -> String {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    format!("{:04}-{month:02}-{day:02}", year + era * 400 + later)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Expectations, String> {
        Expectations::parse(text, Path::new("e.toml")).map_err(|error| error.to_string())
    }

    #[test]
    fn days_are_counted_over_leap_years() {
        for (days, text) in
            [(0, "1970-01-01"), (59, "1970-03-01"), (11_016, "2000-02-29"), (20_778, "2026-11-21")]
        {
            assert_eq!(civil(days), text);
        }
    }

    #[test]
    fn a_wrong_entry_is_told_with_its_file_and_line() {
        let known = "[[known]]\nreq = \"REQ-BUS-001\"\n";
        for (text, told) in [
            (format!("{known}reason = \" \"\n"), "e.toml:3: the reason is empty"),
            (known.to_owned(), "missing field `reason`"),
            (
                "[[known]]\nreq = \"BUS-001\"\nreason = \"x\"\n".to_owned(),
                "e.toml:2: there is no requirement",
            ),
            (format!("{known}check = \"bus\"\nreason = \"x\"\n"), "e.toml:3: there is no check bus"),
            (format!("{known}since = \"x\"\n"), "e.toml:3: unknown field"),
            ("[[flaky]]\nuntil = \"soon\"\n".to_owned(), "e.toml:2: `soon` is no day"),
        ] {
            let problem = parse(&text).unwrap_err();
            assert!(problem.contains(told), "{problem}");
        }
    }

    #[test]
    fn an_entry_is_stale_when_nothing_breaks_it_any_more() {
        let all = parse(
            "[[known]]\nreq = \"REQ-BUS-001\"\nreason = \"a\"\n\
             [[known]]\nreq = \"REQ-BUS-002\"\ncheck = \"bus.hasty\"\nreason = \"a\"\n\
             [[flaky]]\nreq = \"REQ-BUS-003\"\nreason = \"a\"\nuntil = \"2020-01-01\"\n",
        )
        .unwrap();
        let ran = |broken: &'static [&'static str], is_conclusive| {
            ["bus.hasty", "bus.churn"].map(|check| Ran {
                check,
                is_conclusive,
                judges: vec!["REQ-BUS-001", "REQ-BUS-002"],
                broken: broken.to_vec(),
            })
        };
        let stale = |broken, is_conclusive, is_whole| {
            all.stale(ran(broken, is_conclusive).into_iter(), is_whole).len()
        };
        assert_eq!(stale(&[], true, true), 3);
        assert_eq!(stale(&[], true, false), 2);
        assert_eq!(stale(&["REQ-BUS-001"], true, true), 2);
        assert_eq!(stale(&["REQ-BUS-001", "REQ-BUS-002"], true, true), 1);
        assert_eq!(stale(&[], false, true), 1);
    }
}
