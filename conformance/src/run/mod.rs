//! Checks against a target: cases, shrinking, triage, verdicts.
//!
//! A finding is never retried away. What happened that must not is a failure whatever the repetitions say; what did not
//! happen in time is repeated with four times the deadline, and is inconclusive if it never shows again.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::caps::Caps;
use crate::check::{self, Card, Check, Nature, Violation};
use crate::driver::{Driver, Target};
use crate::exec::{self, Counts, ExecError, Graveyard, Outcome, Timing};
use crate::history::History;
use crate::launch::{Broker, Launcher};
use crate::namespace::Namespaces;
use crate::plan::{Plan, Step};
use crate::{Level, Params, Requirements};

mod alive;
mod expect;
mod honesty;
mod pace;
mod shrink;
mod token;
mod verdict;

pub use expect::{Expectations, ExpectationsError, Ran, Stale};
pub use honesty::Honesty;
pub use pace::{Pace, PaceError};
pub use token::{Token, TokenError};
pub use verdict::Verdict;

/// How much is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Cases of a check of weight 100.
    pub cases: u32,
    /// How long one check may take, shrinking not counted.
    pub per_check: Duration,
    /// Runs of scripts that shrinking may take, and how long.
    pub shrink_runs: u32,
    /// See `shrink_runs`.
    pub shrink_time: Duration,
    /// How often a minimal script is repeated.
    pub repeats: u32,
    /// Whether the minimal cases of known defects run first.
    pub classics: bool,
    /// After how many cases that broke something a check ends: what is lost costs a deadline each time.
    pub enough: u32,
}

impl Budget {
    /// About half a minute for all checks on a fast target.
    pub const QUICK: Self = Self {
        cases: 40,
        per_check: Duration::from_secs(6),
        shrink_runs: 400,
        shrink_time: Duration::from_secs(20),
        repeats: 5,
        classics: true,
        enough: 12,
    };

    /// About three minutes.
    pub const DEFAULT: Self = Self { cases: 400, per_check: Duration::from_secs(30), ..Self::QUICK };

    /// As long as it takes.
    pub const SOAK: Self = Self { cases: 8000, per_check: Duration::from_mins(10), ..Self::QUICK };

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "quick" => Some(Self::QUICK),
            "default" => Some(Self::DEFAULT),
            "soak" => Some(Self::SOAK),
            _ => None,
        }
    }
}

/// Everything that a run of checks needs to know.
pub struct Session<'a> {
    /// Speaks to the target.
    pub driver: &'a dyn Driver,
    /// The broker under test.
    pub target: &'a Target,
    /// What it has.
    pub caps: Caps,
    /// The profiles by whose requirements it is judged.
    pub profiles: Vec<String>,
    /// What is declared of it.
    pub params: Params,
    /// Clocks.
    pub timing: Timing,
    /// How long to wait while shrinking, where most scripts pass or fail early.
    pub hurried: Duration,
    /// How much to do.
    pub budget: Budget,
    /// Where generators begin.
    pub seed: u64,
    /// The requirements.
    pub list: &'a Requirements,
    /// Starts brokers for cases that need one of their own.
    pub launcher: Option<&'a dyn Launcher>,
    /// What is expected to fail: it is told as it is found, and nobody spends time on making it smaller.
    pub expected: Option<&'a Expectations>,
    /// Why nothing more is tried of this target, once it was found to be gone.
    pub gone: Arc<OnceLock<String>>,
}

/// A requirement found broken.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What was seen, in the minimal case.
    pub violation: Violation,
    /// How binding the requirement is.
    pub level: Level,
    /// The minimal script.
    pub script: Value,
    /// The case in which it was found first, from 1.
    pub case: u32,
    /// How often the minimal script broke it again, of how many repetitions.
    pub reproduced: (u32, u32),
    /// What happened.
    pub history: History,
    /// Whether the file of expectations has it.
    pub is_expected: bool,
}

/// What became of a check.
#[derive(Clone, Debug)]
pub struct CheckResult {
    /// The check.
    pub card: Card,
    /// How it is graded; expectations may change that later.
    pub verdict: Verdict,
    /// Why it was passed over or is not conclusive.
    pub reason: Option<String>,
    /// How many cases ran.
    pub cases: u32,
    /// What was done in them, shrinking included.
    pub counts: Counts,
    /// How long it took.
    pub elapsed: Duration,
    /// Each requirement at most once.
    pub findings: Vec<Finding>,
}

/// A case that lies in the graveyard.
struct Buried {
    number: u32,
    script: Value,
}

impl CheckResult {
    fn passed_over(card: Card, reason: Option<String>) -> Self {
        Self {
            card,
            verdict: Verdict::Unsupported,
            reason,
            cases: 0,
            counts: Counts::default(),
            elapsed: Duration::ZERO,
            findings: Vec::new(),
        }
    }
}

impl Session<'_> {
    /// Why a check makes no sense here, if it does not.
    pub fn skips(&self, card: &Card) -> Option<String> {
        if let Some(cap) = self.caps.lacks(card.caps) {
            return Some(format!("needs {cap}"));
        }
        let is_one_there =
            card.any_of.is_empty() || card.any_of.iter().any(|cap| self.caps.lacks(&[cap]).is_none());
        (!is_one_there).then(|| format!("needs one of {}", card.any_of.join(", ")))
    }

    /// Whether a requirement applies, and how binding it is.
    pub fn level(&self, requirement: &str) -> Option<Level> {
        let requirement = self.list.get(requirement)?;
        let profiles: Vec<&str> = self.profiles.iter().map(String::as_str).collect();
        (requirement.is_for(&profiles) && self.caps.lacks(&requirement.caps).is_none())
            .then_some(requirement.level)
    }

    /// Runs a check, unless it is to be left out, and grades it by what is expected.
    pub async fn graded(&self, check: &dyn Check, expectations: &Expectations) -> CheckResult {
        let card = check.card();
        if let Some(reason) = expectations.skips(card.name) {
            return CheckResult::passed_over(card, Some(reason));
        }
        let mut result = self.check(check).await;
        expectations.apply(&mut result);
        result
    }

    /// Runs a check.
    pub async fn check(&self, check: &dyn Check) -> CheckResult {
        let card = check.card();
        let began = Instant::now();
        let mut result = CheckResult::passed_over(card, self.skips(&card));
        if result.reason.is_none() {
            let mut work = Work {
                session: self,
                check,
                namespaces: Namespaces::new(),
                counts: Counts::default(),
                known: BTreeSet::new(),
                findings: Vec::new(),
            };
            let (cases, reason) = work.cases(began).await;
            (result.cases, result.reason) = (cases, reason);
            (result.counts, result.findings) = (work.counts, work.findings);
            result.verdict = verdict::of_check(&result);
        }
        result.elapsed = began.elapsed();
        result
    }

    /// Runs one script, and says what it breaks that applies here.
    ///
    /// # Errors
    /// The script is none of this check, nobody listens, or the dialect cannot express it.
    pub async fn replay(
        &self,
        check: &dyn Check,
        script: &Value,
    ) -> Result<(History, Vec<Violation>), String> {
        let plan = check.plan(script, &self.params).map_err(|error| error.to_string())?;
        let namespace = Namespaces::new().fresh();
        let mut own = self.own_target(&plan).await.map_err(|error| error.to_string())?;
        let run = exec::run(
            self.driver,
            at(self.target, own.as_mut()),
            self.timing,
            check.card().name,
            &self.params,
            namespace,
            &plan,
        );
        let history = run.await.map_err(|error| error.to_string())?.history;
        let violations = self.applying(check.judge(&history));
        Ok((history, violations))
    }

    /// A broker for this plan alone, if it needs one, and its address.
    async fn own_target(&self, plan: &Plan) -> Result<Option<(Box<dyn Broker>, Target)>, ExecError> {
        let Some(Step::Launch(wanted)) = plan.steps.first() else { return Ok(None) };
        let launcher = self.launcher.ok_or_else(|| {
            ExecError::Unrepresentable("this needs a broker that the harness starts".to_owned())
        })?;
        let wrong = |why: String| ExecError::Unreachable(why);
        let broker = launcher.launch(wanted).await.map_err(|error| wrong(error.to_string()))?;
        let mut target = broker.target().map_err(|error| wrong(error.to_string()))?;
        target.origin = check::origin::welcome(wanted);
        target.realm.clone_from(&self.target.realm);
        if target.path.is_empty() {
            target.path.clone_from(&self.target.path);
        }
        Ok(Some((broker, target)))
    }

    fn applying(&self, violations: Vec<Violation>) -> Vec<Violation> {
        violations.into_iter().filter(|violation| self.level(violation.requirement).is_some()).collect()
    }
}

/// A check under way.
struct Work<'a> {
    session: &'a Session<'a>,
    check: &'a dyn Check,
    namespaces: Namespaces,
    counts: Counts,
    /// The requirements found broken.
    known: BTreeSet<&'static str>,
    findings: Vec<Finding>,
}

impl Work<'_> {
    /// How many cases ran, and why not more, if something stopped them.
    async fn cases(&mut self, began: Instant) -> (u32, Option<String>) {
        let Session { budget, params, seed, timing, .. } = *self.session;
        let card = self.check.card();
        let wanted = (budget.cases * card.weight / 100).max(1);
        let mut scripts = self.check.scripts(seed, &params, budget.classics);
        let mut graveyard: Graveyard<Buried> = Graveyard::new();
        let mut shrinking = Duration::ZERO;
        let (mut number, mut broken) = (0, 0);
        if let Some(why) = self.session.gone.get() {
            return (0, Some(why.clone()));
        }
        while number < wanted
            && broken < budget.enough
            && began.elapsed().saturating_sub(shrinking) < budget.per_check
        {
            let mut tree = scripts.next();
            number += 1;
            let outcome = match self.run(&tree.script(), timing).await {
                Ok(outcome) => outcome,
                Err(ExecError::Unrepresentable(_)) => continue,
                Err(error) => return (number, Some(error.to_string())),
            };
            if let Some(why) = self.session.froze(&outcome.history).await {
                return (number, Some(format!("{why}; the last script was {}", tree.script())));
            }
            let violations = self.session.applying(self.check.judge(&outcome.history));
            broken += u32::from(!violations.is_empty());
            let violations = self.news(violations);
            let script = tree.script();
            if !violations.is_empty() {
                let paused = Instant::now();
                let minimal = match violations.iter().find(|violation| !self.expects(violation)) {
                    Some(first) => self.minimal(&mut *tree, first, timing).await,
                    None => None,
                };
                self.tell(number, violations, &script, &outcome.history, minimal, timing).await;
                shrinking += paused.elapsed();
            }
            for late in graveyard.bury(Buried { number, script }, outcome.late) {
                self.tell_late(late).await;
            }
        }
        // What is under way has twice a usual round trip to show, or what brokers that are late were seen to need.
        for late in graveyard.audit(Duration::from_millis(40).min(timing.deadline)).await {
            self.tell_late(late).await;
        }
        (number, None)
    }

    fn expects(&self, violation: &Violation) -> bool {
        let name = self.check.card().name;
        self.session.expected.is_some_and(|expected| expected.expects(violation.requirement, name))
    }

    /// What was not known to be broken.
    fn news(&self, mut violations: Vec<Violation>) -> Vec<Violation> {
        let mut seen = BTreeSet::new();
        violations.retain(|violation| {
            !self.known.contains(violation.requirement) && seen.insert(violation.requirement)
        });
        violations
    }

    async fn run(&mut self, script: &Value, timing: Timing) -> Result<Outcome, ExecError> {
        let Session { driver, target, params, .. } = self.session;
        let plan = self.check.plan(script, params).expect("a generator makes scripts of its check");
        let namespace = self.namespaces.fresh();
        let mut own = self.session.own_target(&plan).await?;
        let at = at(target, own.as_mut());
        let outcome =
            exec::run(*driver, at, timing, self.check.card().name, params, namespace, &plan).await?;
        self.counts.add(&outcome.counts);
        Ok(outcome)
    }

    /// Keeps what was found. Those that show in the minimal case of the first are shown by it.
    async fn tell(
        &mut self,
        case: u32,
        violations: Vec<Violation>,
        script: &Value,
        history: &History,
        minimal: Option<(Value, History)>,
        timing: Timing,
    ) {
        for violation in violations {
            let Some(level) = self.session.level(violation.requirement) else { continue };
            self.known.insert(violation.requirement);
            let same = |other: &Violation| other.requirement == violation.requirement;
            let shown = minimal.as_ref().and_then(|(script, history)| {
                Some((self.check.judge(history).into_iter().find(same)?, script, history))
            });
            let (violation, script, history) = shown.unwrap_or((violation.clone(), script, history));
            let reproduced = self.repeat(script, &violation, timing).await;
            let (script, history) = (script.clone(), history.clone());
            let is_expected = false;
            self.findings.push(Finding { violation, level, script, case, reproduced, history, is_expected });
        }
    }

    /// The audit found a message that arrived after its case: again, while listening for four times as long.
    async fn tell_late(&mut self, (case, history, lateness): (Buried, History, Duration)) {
        let violations = self.news(self.session.applying(self.check.judge(&history)));
        if violations.is_empty() {
            return;
        }
        let quiet = (lateness * 4).clamp(Duration::from_millis(50), Duration::from_millis(500));
        let timing = Timing { quiet, ..self.session.timing };
        self.tell(case.number, violations, &case.script, &history, None, timing).await;
    }
}

/// A plan's own broker, or the one under test.
#[allow(clippy::needless_pass_by_value, reason = "`Option::as_mut` gives it away")]
fn at<'a>(target: &'a Target, own: Option<&'a mut (Box<dyn Broker>, Target)>) -> exec::At<'a> {
    match own {
        Some((broker, target)) => exec::At { target, own: Some(&mut **broker) },
        None => exec::At { target, own: None },
    }
}

/// The deadline under which a violation is confirmed.
fn patient(timing: Timing, nature: Nature) -> Timing {
    match nature {
        Nature::Safety => timing,
        Nature::Liveness => Timing { deadline: timing.deadline * 4, ..timing },
    }
}
