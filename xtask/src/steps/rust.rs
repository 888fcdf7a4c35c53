//! The steps that are one call of cargo.

use std::time::Duration;

use crate::child::{self, Finished};
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

/// `cargo test`: everything but the long tests, which carry `#[ignore]`.
pub(super) fn unit(full: bool) -> Outcome {
    let mut outcome = tests(&["test", "--workspace", "--no-fail-fast"], Duration::from_mins(15));
    let ignored = outcome.counts.skipped;
    if full {
        outcome.counts.skipped = 0; // the step `soak` runs them
    } else if ignored > 0 {
        outcome.skips.push(format!("{ignored} long tests; run: cargo xtask test soak"));
    }
    outcome
}

/// The long tests alone, on a release build.
pub(super) fn soak() -> Outcome {
    let arguments = ["test", "--workspace", "--release", "--no-fail-fast", "--", "--ignored"];
    tests(&arguments, Duration::from_mins(90))
}

fn check(arguments: &[&str], limit: Duration) -> Outcome {
    match cargo(arguments, limit) {
        Ok(finished) if finished.ok() => Outcome::held(),
        Ok(finished) => Outcome::failed(finished.end()),
        Err(problem) => Outcome::failed(problem),
    }
}

fn tests(arguments: &[&str], limit: Duration) -> Outcome {
    let finished = match cargo(arguments, limit) {
        Ok(finished) => finished,
        Err(problem) => return Outcome::failed(problem),
    };
    let outcome = Outcome::tests(counts::cargo(&finished.text));
    match (finished.ok(), outcome.counts.passed) {
        (true, 0) => outcome.and_failed("no test ran"),
        (true, _) => outcome,
        (false, _) => outcome.and_failed(finished.end()),
    }
}

fn cargo(arguments: &[&str], limit: Duration) -> Result<Finished, String> {
    child::run(tools::cargo().args(arguments), limit)
        .map_err(|problem| format!("cargo does not start: {problem}"))
}
