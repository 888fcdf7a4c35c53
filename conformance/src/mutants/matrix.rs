//! The kill matrix: which mutant dies by which requirement, after how many cases.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::faults;
use super::wamp::{LIST, MORE, SESSIONS};
use super::{ALL, Defect, Entry, Mutant, Running};
use crate::check::{self, Check, Nature};
use crate::driver::mercury::Mercury;
use crate::driver::pinghub::Pinghub;
use crate::driver::wamp::Wamp;
use crate::driver::{Driver, Target};
use crate::exec::Timing;
use crate::launch::Launcher;
use crate::raw::wamp::Serialization;
use crate::run::{Budget, Session};
use crate::{Params, Patterns, Requirements};

static MERCURY: Mercury = Mercury;
static WAMP: Wamp = Wamp::new(Serialization::Json);

/// What became of one mutant.
#[derive(Clone, Debug)]
pub struct Row {
    /// The mutant.
    pub entry: Entry,
    /// The requirements found broken, and the fewest cases of one check that this took.
    pub found: BTreeMap<&'static str, (u32, &'static str)>,
    /// Those of them that are beyond doubt: proved by what happened, or seen again with more time.
    pub sure: BTreeSet<&'static str>,
}

impl Row {
    /// The fewest cases of one check after which it died by its own requirement.
    pub fn cases_to_kill(&self) -> Option<u32> {
        self.entry.killed_by.iter().filter_map(|id| self.found.get(id)).map(|(cases, _)| *cases).min()
    }

    /// The row as a line of text: number, name, cases to kill, what was found.
    pub fn line(&self) -> String {
        let kill = self.cases_to_kill().map_or_else(|| "survives".to_owned(), |cases| cases.to_string());
        let found: Vec<String> =
            self.found.iter().map(|(id, (cases, check))| format!("{id} ({check} {cases})")).collect();
        let Entry { number, mutant, .. } = self.entry;
        format!("{number:3} {:20} {kill:8} {}", format!("{mutant:?}"), found.join(", "))
    }

    /// What was found broken that the mutant does not break.
    pub fn strange(&self) -> Vec<&'static str> {
        let declared: BTreeSet<&str> = self.entry.killed_by.iter().chain(self.entry.also).copied().collect();
        self.sure.iter().copied().filter(|id| !declared.contains(id)).collect()
    }
}

/// How mutants are hunted: no shrinking, and `cases` of each check.
pub fn budget(cases: u32, classics: bool) -> Budget {
    Budget {
        cases,
        per_check: Duration::from_secs(2),
        shrink_runs: 0,
        shrink_time: Duration::ZERO,
        repeats: 1,
        classics,
        enough: 2,
    }
}

/// Runs all checks against a mutant: those that can find it with the whole budget, the others with a quarter of it.
///
/// # Errors
/// The broker finds no port.
pub async fn row(entry: Entry, list: &Requirements, seed: u64, cases: u32) -> std::io::Result<Row> {
    let (hunters, others): (Vec<_>, Vec<_>) =
        check::all().into_iter().partition(|check| can_find(&**check, entry.killed_by));
    let mut row = hunt(entry, &hunters, list, seed, budget(cases, true)).await?;
    let rest = hunt(entry, &others, list, seed, budget(cases.div_ceil(4), true)).await?;
    row.sure.extend(rest.sure);
    for (id, found) in rest.found {
        row.found.entry(id).or_insert(found);
    }
    Ok(row)
}

/// Runs these checks against a mutant.
///
/// # Errors
/// The broker finds no port.
pub async fn hunt(
    entry: Entry,
    checks: &[Box<dyn Check>],
    list: &Requirements,
    seed: u64,
    budget: Budget,
) -> std::io::Result<Row> {
    let broker = Running::start(entry.mutant).await?;
    let target = Target::at(broker.address);
    let session = session(entry.mutant, &target, list, seed, budget);
    let told = session.driver.discover(&target).await.map_err(std::io::Error::other)?.unwrap_or_default();
    let told: Vec<String> = told.iter().map(str::to_owned).collect();
    let caps = session.caps.clone().changed(&[], &told);
    let params = Params { patterns: Patterns::of(&caps), ..session.params };
    let mut session = Session { caps, params, ..session };
    session.launcher = Some(&entry.mutant);
    session.caps = session.caps.changed(&[], &entry.mutant.caps());
    // What no dialect asks for has its mutants too.
    let is_judged = |id: &&str| session.level(id).is_some();
    if !entry.killed_by.is_empty() && !entry.killed_by.iter().any(is_judged) {
        session.profiles.push("petasus".to_owned());
    }
    let mut found: BTreeMap<&'static str, (u32, &'static str)> = BTreeMap::new();
    let mut sure = BTreeSet::new();
    for check in checks {
        let result = session.check(&**check).await;
        for finding in result.findings {
            if finding.violation.nature == Nature::Safety || finding.reproduced.0 > 0 {
                sure.insert(finding.violation.requirement);
            }
            let best = found.entry(finding.violation.requirement).or_insert((u32::MAX, ""));
            *best = (*best).min((finding.case, result.card.name));
        }
    }
    Ok(Row { entry, found, sure })
}

/// The checks that can find one of these requirements broken.
pub fn hunters(ids: &[&str]) -> Vec<Box<dyn Check>> {
    check::all().into_iter().filter(|check| can_find(&**check, ids)).collect()
}

fn can_find(check: &dyn Check, ids: &[&str]) -> bool {
    check.card().requirements.iter().any(|id| ids.contains(id))
}

/// The entry of the broker without defects.
pub fn clean() -> Entry {
    super::list::entry(0, Mutant::Clean, "no defect", &[], &[])
}

/// The entry of the WAMP router without defects.
pub fn clean_router() -> Entry {
    super::list::entry(0, Mutant::Wamp(Defect::Clean), "no defect", &[], &[])
}

/// All mutants, by number.
pub fn entries() -> Vec<Entry> {
    let mut entries = [&ALL[..], LIST, MORE, SESSIONS, faults::LIST, super::list_loss::LIST].concat();
    entries.sort_by_key(|entry| entry.number);
    entries
}

/// A session against a mutant, which is fast and in this process.
pub fn session<'a>(
    mutant: Mutant,
    target: &'a Target,
    list: &'a Requirements,
    seed: u64,
    budget: Budget,
) -> Session<'a> {
    let driver: &'static dyn Driver = match mutant {
        Mutant::Wamp(_) => &WAMP,
        _ if mutant.is_pinghub() => &Pinghub::PROMPT,
        _ => &MERCURY,
    };
    let (strict, fair) = (["pushpull.strict".to_owned()], ["pushpull.fair".to_owned()]);
    let claims = driver.claims();
    let caps = if mutant.is_loose() { claims.changed(&strict, &fair) } else { claims };
    Session {
        driver,
        target,
        profiles: driver.profiles(),
        params: Params {
            max_message: driver.max_message(),
            patterns: Patterns::of(&caps),
            ..Params::default()
        },
        caps,
        timing: Timing { deadline: Duration::from_millis(400), quiet: Duration::ZERO },
        hurried: Duration::from_millis(60),
        budget,
        seed,
        list,
        expected: None,
        gone: std::sync::Arc::default(),
        launcher: None,
    }
}

/// How many generated cases it takes to kill a mutant, over several seeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CasesToKill {
    /// In ascending order; a seed that missed is not among them.
    pub counts: Vec<u32>,
    /// How many seeds missed it.
    pub missed: u64,
}

impl CasesToKill {
    /// The middle one; `None` if half of the seeds missed.
    pub fn median(&self) -> Option<u32> {
        self.counts.get(usize::midpoint(self.counts.len(), self.missed as usize)).copied()
    }
}

impl std::fmt::Display for CasesToKill {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let most = self.counts.last().copied().unwrap_or(0);
        match self.median() {
            Some(median) => write!(f, "median {median}, most {most}, {} missed", self.missed),
            None => write!(f, "no median, most {most}, {} missed", self.missed),
        }
    }
}

/// Counts, without the classics, with at most `cases` of each check that can find the mutant.
///
/// # Errors
/// The broker finds no port.
pub async fn cases_to_kill(
    entry: Entry,
    list: &Requirements,
    seeds: u64,
    cases: u32,
) -> std::io::Result<CasesToKill> {
    let (mut counts, mut missed) = (Vec::new(), 0);
    for seed in 100..100 + seeds {
        let mut best: Option<u32> = None;
        for check in hunters(entry.killed_by) {
            // Another check has to be quicker to count.
            let left = best.map_or(cases, |best| (best - 1) * 100 / check.card().weight.max(1));
            if left == 0 {
                continue;
            }
            let row = hunt(entry, std::slice::from_ref(&check), list, seed, budget(left, false)).await?;
            best = row.cases_to_kill().into_iter().chain(best).min();
        }
        match best {
            Some(count) => counts.push(count),
            None => missed += 1,
        }
    }
    counts.sort_unstable();
    Ok(CasesToKill { counts, missed })
}
