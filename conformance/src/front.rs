//! The harness under `cargo test`: each check is a trial, which is passed over with a reason where it makes no sense.

use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use crate::check;
use crate::driver::Target;
use crate::launch::Launched;
use crate::report::Report;
use crate::run::{Expectations, Pace, Verdict};
use crate::settings::{Settings, Setup};
use crate::{Requirements, report};

/// All that trials share.
struct Stage {
    setup: Setup,
    target: Target,
    url: String,
    pace: Pace,
    list: Requirements,
    report: Mutex<Report>,
}

/// Runs the checks as tests, against the broker that the environment names, or else against our own, which is launched.
/// The exit status is 0 or 1 as with every test; 3 if the broker cannot be reached, and 4 if every trial is passed over.
pub fn main(arguments: &Arguments) -> ExitCode {
    if arguments.list {
        let trials = check::all().into_iter().map(|check| Trial::test(check.card().name, || Ok(())));
        return libtest_mimic::run(arguments, trials.collect()).exit_code();
    }
    let (launched, stage) = match prepare() {
        Ok(prepared) => prepared,
        Err(problem) => {
            eprintln!("conformance: {problem}");
            return ExitCode::from(3);
        }
    };
    println!("target: {}, seed {}", stage.url, stage.setup.seed);
    let stage = Arc::new(stage);
    let trials = (0..check::all().len()).map(|index| trial(index, &stage)).collect();
    let conclusion = libtest_mimic::run(arguments, trials);
    drop(launched);
    let report = stage.report.lock().unwrap_or_else(PoisonError::into_inner);
    keep(&report);
    let is_some_tried = report.checks.iter().any(|check| check.verdict != Verdict::Unsupported);
    match conclusion.num_passed + conclusion.num_failed {
        0 if !is_some_tried && conclusion.num_filtered_out == 0 => ExitCode::from(4),
        _ => conclusion.exit_code(),
    }
}

fn prepare() -> Result<(Option<Launched>, Stage), String> {
    let setup = Settings::from_env().and_then(Settings::parse).map_err(|error| error.to_string())?;
    let launched = match setup.url() {
        Some(_) => None,
        None => Some(Launched::petasus().map_err(|error| error.to_string())?),
    };
    let url = setup.url().or(launched.as_ref().map(|launched| launched.url.as_str())).unwrap_or_default();
    let (target, url) = (setup.target(url).map_err(|error| error.to_string())?, url.to_owned());
    let pace =
        run(Pace::measure(&*setup.driver, &target, setup.patterns())).map_err(|error| error.to_string())?;
    let list = Requirements::built_in();
    let report = Mutex::new(Report::begin(&setup.session(&target, &list, Some(&pace)), &url, Some(&pace)));
    Ok((launched, Stage { setup, target, url, pace, list, report }))
}

/// One check. It finds its own by number: checks do not move between threads.
fn trial(index: usize, stage: &Arc<Stage>) -> Trial {
    let check = check::all().swap_remove(index);
    let name = check.card().name;
    let stage = Arc::clone(stage);
    Trial::ignorable_test(name, move || {
        let session = stage.setup.session(&stage.target, &stage.list, Some(&stage.pace));
        let mut result = run(session.check(&*check));
        stage.setup.expectations.apply(&mut result);
        let mut report = stage.report.lock().unwrap_or_else(PoisonError::into_inner);
        report.add(&session, &result);
        let told = report.checks.last().map(told).unwrap_or_default();
        match result.verdict {
            Verdict::Unsupported => Ok(Completion::ignored_with(result.reason.unwrap_or_default())),
            Verdict::Fail | Verdict::Stale | Verdict::Inconclusive => Err(Failed::from(told)),
            _ => Ok(Completion::Completed),
        }
    })
}

/// What a person needs to know of a check that is not clean.
pub fn told(check: &report::CheckReport) -> String {
    let mut lines = vec![format!("{}: {}", check.id, check.verdict.as_str())];
    lines.extend(check.reason.clone());
    for finding in &check.findings {
        let (done, of) = finding.reproduced;
        lines.push(format!(
            "{} ({}, {}): {}",
            finding.requirement,
            finding.level,
            finding.verdict.as_str(),
            finding.text
        ));
        lines.push(format!("  script: {}", finding.script));
        lines.push(format!("  case {}, reproduced {done} of {of}", finding.case));
        lines.push(format!("  replay: petasus-conformance replay {} --url ...", finding.token));
        lines.push("  if that is expected, give a reason in the file of expectations:".to_owned());
        let entry = Expectations::entry(&finding.requirement, &check.id);
        lines.extend(entry.lines().map(|line| format!("    {line}")));
    }
    lines.join("\n")
}

/// Keeps the report beside the tests, if that is possible.
fn keep(report: &Report) {
    let Some(folder) =
        std::env::current_exe().ok().and_then(|this| Some(this.parent()?.parent()?.join("conformance")))
    else {
        return;
    };
    let written = std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::write(folder.join("report.json"), report.json()))
        .and_then(|()| std::fs::write(folder.join("junit.xml"), report::junit(report)));
    match written {
        Ok(()) => println!("report: {}", folder.join("report.json").display()),
        Err(error) => eprintln!("conformance: no report in {}: {error}", folder.display()),
    }
}

/// Runs something to its end on this thread.
///
/// # Panics
/// The system gives out no run time, for want of files or memory.
pub fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("the system gives out a run time")
        .block_on(work)
}
