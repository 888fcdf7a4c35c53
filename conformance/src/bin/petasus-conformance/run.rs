//! `run`: all checks, or some.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use petasus_conformance::check::{self, Check};
use petasus_conformance::report::Report;
use petasus_conformance::run::Verdict;
use petasus_conformance::settings::{Settings, Setup};
use petasus_conformance::{Level, Requirements, front};

use crate::output::Output;
use crate::place::Place;

/// What to run, and what to tell.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only checks whose name begins with this, such as `pushpull` or `bus.churn`; repeatable.
    checks: Vec<String>,
    #[command(flatten)]
    target: crate::target::TargetArgs,
    /// How much to do: quick (about half a minute), default (about three), soak.
    #[arg(long)]
    budget: Option<String>,
    /// Fail by a SHOULD too.
    #[arg(long)]
    strict: bool,
    /// Where generators begin; the same seed gives the same cases. Drawn at random if not given.
    #[arg(long)]
    seed: Option<u64>,
    /// A file of expected failures.
    #[arg(long)]
    expect: Option<PathBuf>,
    /// Write a report: json=FILE, junit=FILE, html=FILE or badge=FILE; repeatable.
    #[arg(long = "report", value_name = "KIND=FILE")]
    reports: Vec<String>,
}

pub(crate) fn run(args: Args) -> Result<u8, String> {
    let outputs = args.reports.iter().map(|text| text.parse()).collect::<Result<Vec<Output>, _>>()?;
    let own = Settings {
        budget: args.budget,
        seed: args.seed,
        level: args.strict.then_some(Level::Should),
        expectations: args.expect,
        ..Settings::default()
    };
    let mut setup = args.target.setup(own)?;
    let place = Place::of(&mut setup)?;
    let begins = |check: &dyn Check| args.checks.iter().any(|begin| check.card().name.starts_with(begin));
    let mut chosen = check::all();
    chosen.retain(|check| args.checks.is_empty() || begins(&**check));
    if chosen.is_empty() {
        return Err(format!("no check begins with {}; `doctor` lists them", args.checks.join(" or ")));
    }
    println!("seed {}", setup.seed);
    let report = report(&setup, &place, &chosen, args.checks.is_empty());
    outputs.iter().try_for_each(|output| output.write(&report))?;
    Ok(report.exit_status(setup.level()))
}

/// Runs the checks, and tells each when it is done.
fn report(setup: &Setup, place: &Place, chosen: &[Box<dyn Check>], is_whole: bool) -> Report {
    let list = Requirements::built_in();
    let pace = match place.pace(setup) {
        Ok(pace) => pace,
        Err(error) => {
            eprintln!("petasus-conformance: {error}");
            let mut report = Report::begin(&setup.session(&place.target, &list, None), &place.url, None);
            report.implementation = setup.implementation().cloned();
            report.problem = Some(error.to_string());
            return report;
        }
    };
    let session = setup.session(&place.target, &list, Some(&pace));
    let mut report = Report::begin(&session, &place.url, Some(&pace));
    report.implementation = setup.implementation().cloned();
    for (number, check) in chosen.iter().enumerate() {
        progress(number, chosen.len(), check.card().name);
        let result = place.run(session.graded(&**check, &setup.expectations));
        report.add(&session, &result);
        tell(&report);
    }
    report.finish(&setup.expectations, is_whole);
    sum(&report);
    report
}

/// What is under way, on terminals only; the next line takes its place.
fn progress(number: usize, of: usize, name: &str) {
    let mut out = std::io::stdout();
    if out.is_terminal() {
        let _ = write!(out, "\r\x1b[K[{}/{of}] {name}", number + 1);
        let _ = out.flush();
    }
}

fn tell(report: &Report) {
    let Some(check) = report.checks.last() else { return };
    let begin = if std::io::stdout().is_terminal() { "\r\x1b[K" } else { "" };
    let note = match (&check.reason, check.verdict) {
        (Some(reason), Verdict::Unsupported) => reason.clone(),
        _ => format!("{} cases, {} ms", check.cases, check.ms),
    };
    println!("{begin}{:12} {:18} {note}", check.verdict.as_str(), check.id);
    if !check.findings.is_empty() || check.verdict > Verdict::Known {
        println!("{}\n", front::told(check));
    }
}

fn sum(report: &Report) {
    let count = |verdict: Verdict| report.checks.iter().filter(|check| check.verdict == verdict).count();
    let (cases, ms, waited) = report.checks.iter().fold((0, 0, 0), |(cases, ms, waited), check| {
        (cases + u64::from(check.cases), ms + check.ms, waited + check.waited_ms)
    });
    let per_second = if ms == 0 { 0.0 } else { cases as f64 * 1000.0 / ms as f64 };
    let share = if ms == 0 { 0.0 } else { waited as f64 * 100.0 / ms as f64 };
    println!(
        "{} passed, {} failed, {} non-strict, {} known, {} inconclusive, {} unsupported; {cases} cases in {:.1} s \
         ({per_second:.0} a second, {share:.1} % of the time waiting)",
        count(Verdict::Pass) + count(Verdict::Info),
        count(Verdict::Fail) + count(Verdict::Stale),
        count(Verdict::NonStrict),
        count(Verdict::Known),
        count(Verdict::Inconclusive),
        count(Verdict::Unsupported),
        ms as f64 / 1000.0,
    );
    report.stale.iter().for_each(|stale| println!("out of date: {stale}"));
    let judged = report.requirements.len();
    println!(
        "{judged} requirements judged, {} of the profiles not covered by any check",
        report.uncovered.len()
    );
}
