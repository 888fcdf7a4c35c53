//! What is told about a run: as JSON for programs, as `JUnit` for build servers, as a page for people, and as a badge.
//!
//! The form of the JSON is `spec/report.schema.json`. Everything in it but times, seeds and scripts is the same for the
//! same broker.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Level;
use crate::check::Nature;
use crate::run::{CheckResult, Expectations, Pace, Ran, Session, Token, Verdict};

mod badge;
mod html;
mod junit;

pub use badge::badge;
pub use html::html;
pub use junit::junit;

/// The version of the form.
pub const VERSION: u32 = 1;

/// A run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// [`VERSION`].
    pub report_version: u32,
    /// The version of the specification.
    pub spec: String,
    /// The version of the harness.
    pub harness: String,
    /// What the author says of the broker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub implementation: Option<Implementation>,
    /// The target.
    pub target: TargetReport,
    /// How fast it was.
    pub pace: Option<PaceReport>,
    /// Where generators began.
    pub seed: u64,
    /// Why there are no checks, if there are none.
    pub problem: Option<String>,
    /// The checks, in their order.
    pub checks: Vec<CheckReport>,
    /// The worst verdict of each requirement that some check can judge here.
    pub requirements: BTreeMap<String, Verdict>,
    /// The requirements of the profiles that no check can judge.
    pub uncovered: Vec<String>,
    /// Expectations that are out of date.
    #[serde(default)]
    pub stale: Vec<String>,
}

/// Which broker it is, for those who read reports of many.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Implementation {
    /// Who makes it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub organization: String,
    /// Its name.
    pub project: String,
    /// Which of them.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// Where to read about it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub url: String,
    /// Whom to ask.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contact: Vec<String>,
}

/// The broker.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TargetReport {
    /// Its dialect.
    pub driver: String,
    /// Its address.
    pub url: String,
    /// By what it is judged.
    pub profiles: Vec<String>,
    /// What it has.
    pub caps: Vec<String>,
}

/// Times, in microseconds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct PaceReport {
    /// Half of the connections opened within.
    pub connect_p50_us: u64,
    /// Nearly all.
    pub connect_p99_us: u64,
    /// Half of the barriers came back within.
    pub ping_p50_us: u64,
    /// Nearly all.
    pub ping_p99_us: u64,
    /// How long was waited for what must come.
    pub deadline_us: u64,
}

/// A check.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CheckReport {
    /// Its name.
    pub id: String,
    /// What it tries.
    pub about: String,
    /// What it can find broken.
    pub requirements: Vec<String>,
    /// How it is graded.
    pub verdict: Verdict,
    /// Why it was passed over or is not conclusive.
    pub reason: Option<String>,
    /// Cases that ran.
    pub cases: u32,
    /// Runs of scripts, those of shrinking included.
    pub runs: u64,
    /// Connections opened.
    pub connects: u64,
    /// Messages sent and received.
    pub messages: u64,
    /// How long it took.
    pub ms: u64,
    /// How much of that was spent on deadlines that passed and on quiet windows.
    pub waited_ms: u64,
    /// What was found.
    pub findings: Vec<FindingReport>,
}

/// A requirement found broken.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FindingReport {
    /// Its id.
    pub requirement: String,
    /// `must`, `should` or `may`.
    pub level: String,
    /// `safety` or `liveness`.
    pub nature: String,
    /// How it is graded.
    pub verdict: Verdict,
    /// What was seen.
    pub text: String,
    /// The case in which it was found, from 1.
    pub case: u32,
    /// How often the script broke it again, of how many repetitions.
    pub reproduced: (u32, u32),
    /// The minimal script.
    pub script: serde_json::Value,
    /// What `replay` takes.
    pub token: String,
    /// What happened: JSON lines.
    pub history: Vec<serde_json::Value>,
}

impl Report {
    /// An empty one, for a session or for a target that could not be measured.
    pub fn begin(session: &Session<'_>, url: &str, pace: Option<&Pace>) -> Self {
        Self {
            report_version: VERSION,
            spec: session.list.spec().to_owned(),
            harness: env!("CARGO_PKG_VERSION").to_owned(),
            implementation: None,
            target: TargetReport {
                driver: session.driver.about().name.to_owned(),
                url: url.to_owned(),
                profiles: session.profiles.clone(),
                caps: session.caps.iter().map(str::to_owned).collect(),
            },
            pace: pace.map(|pace| PaceReport {
                connect_p50_us: micros(pace.connect_p50),
                connect_p99_us: micros(pace.connect_p99),
                ping_p50_us: micros(pace.ping_p50),
                ping_p99_us: micros(pace.ping_p99),
                deadline_us: micros(session.timing.deadline),
            }),
            seed: session.seed,
            problem: None,
            checks: Vec::new(),
            requirements: BTreeMap::new(),
            uncovered: Vec::new(),
            stale: Vec::new(),
        }
    }

    /// Adds a check.
    pub fn add(&mut self, session: &Session<'_>, result: &CheckResult) {
        let check = CheckReport::of(session, result);
        if check.verdict != Verdict::Unsupported {
            let judged = check.requirements.iter().filter(|id| session.level(id).is_some());
            for id in judged {
                self.requirements.entry(id.clone()).or_insert(Verdict::Pass);
            }
            for finding in &check.findings {
                let worst = self.requirements.entry(finding.requirement.clone()).or_insert(Verdict::Pass);
                *worst = (*worst).max(finding.verdict);
            }
        }
        self.checks.push(check);
        let applies = session.list.iter().map(|requirement| requirement.id.as_str());
        self.uncovered = applies
            .filter(|id| session.level(id).is_some() && !self.requirements.contains_key(*id))
            .map(str::to_owned)
            .collect();
    }

    /// Looks for expectations that are out of date, after the last check. `is_whole`: all checks ran.
    pub fn finish(&mut self, expectations: &Expectations, is_whole: bool) {
        self.stale = expectations.stale(self.ran(), is_whole).into_iter().map(|stale| stale.text).collect();
    }

    /// The checks that were tried, as expectations need to know them.
    pub fn ran(&self) -> impl Iterator<Item = Ran<'_>> {
        self.checks.iter().filter(|check| check.verdict != Verdict::Unsupported).map(|check| Ran {
            check: &check.id,
            is_conclusive: check.reason.is_none(),
            judges: check.requirements.iter().map(String::as_str).collect(),
            broken: check.findings.iter().map(|finding| finding.requirement.as_str()).collect(),
        })
    }

    /// The exit status of a program that ran this and fails by this level.
    pub fn exit_status(&self, level: Level) -> u8 {
        if self.problem.is_some() && self.checks.is_empty() {
            return 3;
        }
        let stale = self.stale.iter().map(|_| Verdict::Stale);
        Verdict::exit_status(self.checks.iter().map(|check| check.verdict).chain(stale), level)
    }

    /// As JSON.
    ///
    /// # Panics
    /// Never: a report is plain values with text keys.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a report is plain values with text keys")
    }
}

impl CheckReport {
    fn of(session: &Session<'_>, result: &CheckResult) -> Self {
        let counts = &result.counts;
        Self {
            id: result.card.name.to_owned(),
            about: result.card.about.to_owned(),
            requirements: result.card.requirements.iter().map(|&id| id.to_owned()).collect(),
            verdict: result.verdict,
            reason: result.reason.clone(),
            cases: result.cases,
            runs: counts.runs,
            connects: counts.connects,
            messages: counts.sent + counts.received,
            ms: micros(result.elapsed) / 1000,
            waited_ms: micros(counts.waited) / 1000,
            findings: result
                .findings
                .iter()
                .map(|finding| FindingReport::of(session, result, finding))
                .collect(),
        }
    }
}

impl FindingReport {
    fn of(session: &Session<'_>, result: &CheckResult, finding: &crate::run::Finding) -> Self {
        let token = Token {
            spec: session.list.spec().to_owned(),
            check: result.card.name.to_owned(),
            params: session.params,
            script: finding.script.clone(),
        };
        let level = match finding.level {
            Level::Must => "must",
            Level::Should => "should",
            Level::May => "may",
        };
        let nature = match finding.violation.nature {
            Nature::Safety => "safety",
            Nature::Liveness => "liveness",
        };
        let event = |event| serde_json::to_value(event).expect("an event is plain values");
        Self {
            requirement: finding.violation.requirement.to_owned(),
            level: level.to_owned(),
            nature: nature.to_owned(),
            verdict: finding.verdict(),
            text: finding.violation.text.clone(),
            case: finding.case,
            reproduced: finding.reproduced,
            script: finding.script.clone(),
            token: token.to_string(),
            history: finding.history.events.iter().map(event).collect(),
        }
    }
}

fn micros(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
