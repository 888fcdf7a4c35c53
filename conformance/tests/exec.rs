//! Adapters: one that works tells a good broker from a bad one, and one that does not work never makes a broker fail.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use petasus_conformance::driver::exec::Exec;
use petasus_conformance::driver::{Driver, Target};
use petasus_conformance::exec::Timing;
use petasus_conformance::mutants::{Mutant, Running};
use petasus_conformance::run::{Budget, CheckResult, Pace, Session, Verdict};
use petasus_conformance::{Params, Patterns, Requirements, check, front};

fn adapter() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/adapter.py");
    format!("python3 '{}'", path.display())
}

fn shell(line: &str) -> Exec {
    Exec::start(Command::new("sh").args(["-c", line]))
}

/// Runs one check against a small broker through an adapter.
fn run(driver: &Exec, mutant: Mutant, name: &str) -> CheckResult {
    let list = Requirements::built_in();
    front::run(async {
        let broker = Running::start(mutant).await.unwrap();
        let target = Target::parse(&broker.url()).unwrap();
        let session = Session {
            driver,
            target: &target,
            caps: driver.claims(),
            profiles: driver.profiles(),
            params: Params::default(),
            timing: Timing { deadline: Duration::from_secs(5), quiet: Duration::ZERO },
            hurried: Duration::from_secs(2),
            // What is lost costs a deadline each time: once is enough.
            budget: Budget { cases: 6, shrink_runs: 0, repeats: 1, enough: 1, ..Budget::QUICK },
            seed: 1,
            list: &list,
            expected: None,
            gone: std::sync::Arc::default(),
            launcher: None,
        };
        session.check(&*check::named(name).unwrap()).await
    })
}

/// What a measurement says of an adapter that is of no use.
fn problem(driver: &Exec) -> String {
    let target = Target::parse("ws://127.0.0.1:1").unwrap();
    front::run(Pace::measure(driver, &target, Patterns::default())).unwrap_err().to_string()
}

#[test]
fn an_adapter_in_python_tells_a_good_broker_from_a_bad_one() {
    let driver = shell(&format!("exec {}", adapter()));
    assert_eq!(driver.problem(), None);
    for name in ["bus.exchange", "pubsub.hierarchy", "pushpull.churn", "payload.text"] {
        let result = run(&driver, Mutant::Clean, name);
        assert_eq!(result.verdict, Verdict::Pass, "{name}: {:?} {:?}", result.reason, result.findings);
    }
    let result = run(&driver, Mutant::SkipOnLeave, "pushpull.churn");
    let broken: Vec<_> = result.findings.iter().map(|finding| finding.violation.requirement).collect();
    assert!(broken.contains(&"REQ-RR-005"), "{broken:?}");
    assert_eq!(result.verdict, Verdict::Fail);
}

#[test]
fn an_adapter_that_ends_at_once_is_told_with_its_last_words() {
    let driver = shell("echo no such module >&2; exit 7");
    let told = problem(&driver);
    assert!(told.contains("exit status: 7") && told.contains("no such module"), "{told}");
    let told = problem(&Exec::start(&mut Command::new("/nowhere/adapter")));
    assert!(told.contains("/nowhere/adapter does not start"), "{told}");
}

#[test]
fn an_adapter_that_babbles_is_told_with_what_it_wrote() {
    let told = problem(&shell("echo hello world; cat >/dev/null"));
    assert!(told.contains("the adapter wrote `hello world`"), "{told}");
    let told = problem(&shell(r#"echo '{"seen":"hello","protocol":9,"caps":[]}'; cat >/dev/null"#));
    assert!(told.contains("speaks protocol 1"), "{told}");
}

#[test]
fn an_adapter_that_is_silent_is_not_waited_for() {
    let mut command = Command::new("sh");
    command.args(["-c", "cat >/dev/null"]);
    let told = problem(&Exec::start_within(&mut command, Duration::from_millis(100)));
    assert!(told.contains("did not say hello"), "{told}");
}

#[test]
fn an_adapter_that_dies_midway_leaves_the_check_open() {
    let driver = shell(&format!("sed -u 12q | {}", adapter()));
    let result = run(&driver, Mutant::Clean, "bus.exchange");
    assert_eq!(result.verdict, Verdict::Inconclusive, "{:?}", result.findings);
    assert!(result.findings.is_empty());
    let reason = result.reason.unwrap();
    assert!(reason.contains("the adapter ended"), "{reason}");
}

#[test]
fn an_adapter_that_babbles_midway_leaves_the_check_open() {
    let driver = shell(&format!("sed -u 12q | {}; echo I am lost", adapter()));
    let result = run(&driver, Mutant::Clean, "pubsub.hierarchy");
    assert_eq!(result.verdict, Verdict::Inconclusive, "{:?}", result.findings);
    let reason = result.reason.unwrap();
    assert!(reason.contains("the adapter wrote `I am lost`"), "{reason}");
}
