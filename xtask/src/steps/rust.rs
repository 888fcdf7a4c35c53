//! The steps that are one call of cargo.

use std::process::Command;
use std::time::Duration;

use crate::child;
use crate::counts;
use crate::report::Outcome;
use crate::tools;

/// `cargo fmt --check`.
pub(super) fn fmt() -> Outcome {
    if child::answer(tools::cargo().args(["fmt", "--version"])).is_none() {
        return Outcome::skipped("rustfmt is missing; run: rustup component add rustfmt");
    }
    check(&["fmt", "--all", "--check"], Duration::from_mins(2))
}

/// `cargo clippy`, where a warning is an error.
pub(super) fn lint() -> Outcome {
    if child::answer(tools::cargo().args(["clippy", "--version"])).is_none() {
        return Outcome::skipped("clippy is missing; run: rustup component add clippy");
    }
    let arguments = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
    check(&arguments, Duration::from_mins(15))
}

/// `cargo test`: everything but the long tests, which carry `#[ignore]`, and those of the client, which are a step of
/// their own.
pub(super) fn unit(full: bool) -> Outcome {
    let arguments = ["test", "--workspace", "--exclude", "petasus", "--no-fail-fast"];
    let mut cargo = tools::cargo();
    // The harness draws a seed otherwise: that is for those who look for something, and for `soak`.
    cargo.args(arguments).env("CONFORMANCE_SEED", "1");
    let (text, mut outcome) = tests(&mut cargo, Duration::from_mins(30));
    outcome.counts.skipped = 0;
    if !full {
        // What a broker does not claim is not tried by the harness: nothing was left out.
        let left_out =
            counts::ignored(&text).into_iter().filter(|(reason, _)| !reason.starts_with("(needs "));
        for (reason, count) in left_out {
            outcome.counts.skipped += count;
            let tests = if count == 1 { "test" } else { "tests" };
            outcome.skips.push(format!("{count} {tests} ({reason}); run: cargo xtask test soak"));
        }
    }
    outcome
}

/// All tests on a release build, the long ones too, and more cases for each property.
pub(super) fn soak() -> Outcome {
    let mut cargo = tools::cargo();
    cargo.env("PROPTEST_CASES", "4096").args(["test", "--workspace", "--release", "--no-fail-fast"]);
    // What is skipped is a program that other tests run.
    cargo.args(["--", "--include-ignored", "--skip", "child::serves"]);
    tests(&mut cargo, Duration::from_mins(90)).1
}

fn check(arguments: &[&str], limit: Duration) -> Outcome {
    match child::run(tools::cargo().args(arguments), limit) {
        Ok(finished) if finished.ok() => Outcome::held(),
        Ok(finished) => Outcome::failed(finished.end()),
        Err(problem) => Outcome::failed(format!("cargo does not start: {problem}")),
    }
}

/// Runs the tests; what was printed, and what it came to.
pub(super) fn tests(cargo: &mut Command, limit: Duration) -> (String, Outcome) {
    let finished = match child::run(cargo, limit) {
        Ok(finished) => finished,
        Err(problem) => return (String::new(), Outcome::failed(format!("cargo does not start: {problem}"))),
    };
    let mut counts = counts::cargo(&finished.text);
    let failures = counts::failures(&finished.text);
    // A test program that crashes, or never ends, does not say its result.
    counts.failed = counts.failed.max(failures.len());
    let outcome = Outcome::tests(counts);
    let outcome = match (finished.ok(), counts.passed) {
        (true, 0) => outcome.and_failed("no test ran"),
        (true, _) => outcome,
        (false, _) => outcome.and_failed([vec![finished.end()], failures].concat().join("; ")),
    };
    (finished.text, outcome)
}
