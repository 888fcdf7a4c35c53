//! `run`: all checks, or some.

use std::fs;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use petasus_conformance::report::{self, Report};
use petasus_conformance::run::{Pace, Verdict};
use petasus_conformance::{Requirements, check, front};

/// What to run, and what to tell.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only checks whose name begins with this, such as `pushpull` or `bus.churn`; repeatable.
    checks: Vec<String>,
    #[command(flatten)]
    target: crate::target::TargetArgs,
    /// How much to do: quick (about half a minute), default (about three), soak.
    #[arg(long, env = "CONFORMANCE_BUDGET", default_value = "quick")]
    budget: String,
    /// Where generators begin; the same seed gives the same cases. Drawn at random if not given.
    #[arg(long, env = "CONFORMANCE_SEED")]
    seed: Option<u64>,
    /// A file of expected failures.
    #[arg(long)]
    expect: Option<PathBuf>,
    /// Write a report: json=FILE or junit=FILE; repeatable.
    #[arg(long = "report", value_name = "KIND=FILE")]
    reports: Vec<String>,
}

pub(crate) fn run(args: Args) -> Result<u8, String> {
    let reports: Vec<(Kind, PathBuf)> =
        args.reports.iter().map(|text| parse(text)).collect::<Result<_, _>>()?;
    let url = args.target.url.clone();
    let setup = args.target.setup(Some(args.budget), args.seed, args.expect)?;
    let target = setup.target(&url).map_err(|error| error.to_string())?;
    let chosen: Vec<_> = check::all()
        .into_iter()
        .filter(|check| {
            args.checks.is_empty() || args.checks.iter().any(|begin| check.card().name.starts_with(begin))
        })
        .collect();
    if chosen.is_empty() {
        return Err(format!("no check begins with {}; `doctor` lists them", args.checks.join(" or ")));
    }
    let list = Requirements::built_in();
    println!("seed {}", setup.seed);
    let report = match front::run(Pace::measure(&*setup.driver, &target, setup.patterns())) {
        Err(error) => {
            eprintln!("petasus-conformance: {error}");
            let mut report = Report::begin(&setup.session(&target, &list, None), &url, None);
            report.problem = Some(error.to_string());
            report
        }
        Ok(pace) => {
            let session = setup.session(&target, &list, Some(&pace));
            let mut report = Report::begin(&session, &url, Some(&pace));
            for (number, check) in chosen.iter().enumerate() {
                progress(number, chosen.len(), check.card().name);
                let mut result = front::run(session.check(&**check));
                setup.expectations.apply(&mut result);
                report.add(&session, &result);
                tell(&report);
            }
            sum(&report);
            report
        }
    };
    for (kind, path) in reports {
        let text = match kind {
            Kind::Json => report.json(),
            Kind::Junit => report::junit(&report),
        };
        fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(report.exit_status())
}

#[derive(Clone, Copy)]
enum Kind {
    Json,
    Junit,
}

fn parse(text: &str) -> Result<(Kind, PathBuf), String> {
    match text.split_once('=') {
        Some(("json", path)) => Ok((Kind::Json, path.into())),
        Some(("junit", path)) => Ok((Kind::Junit, path.into())),
        _ => Err(format!("--report {text}: write json=FILE or junit=FILE")),
    }
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
    let judged = report.requirements.len();
    println!(
        "{judged} requirements judged, {} of the profiles not covered by any check",
        report.uncovered.len()
    );
}
