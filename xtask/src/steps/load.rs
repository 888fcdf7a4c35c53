//! The step `load`: connections come and go beside steady traffic, for minutes, on a release build.

use std::process::Command;
use std::time::Duration;

use crate::broker::{Broker, Build};
use crate::child;
use crate::report::Outcome;
use crate::tools;

/// How much memory may be added over the second half of the run, in bytes: the noise of an allocator. What
/// is lost with each connection would show many times over.
const NOISE: u64 = 4 * 1024 * 1024;

/// Runs the load generator's mode `churn` and judges its figures.
pub(super) fn run() -> Outcome {
    let mut build = tools::cargo();
    build.args(["build", "--release", "-p", "petasus-benches"]);
    if !child::run(&mut build, Duration::from_mins(15)).is_ok_and(|built| built.ok()) {
        return Outcome::failed("petasus-load does not build");
    }
    let broker = match Broker::start("load", Build::Release, &["http://127.0.0.1:0"], &[]) {
        Ok(broker) => broker,
        Err(problem) => return Outcome::failed(problem),
    };
    let url = broker.urls[0].replacen("http://", "ws://", 1);
    let mut churn = Command::new(Build::Release.program("petasus-load"));
    churn.args(["churn", "--json", "--cycles", "400000", "--at-once", "8", "--seconds", "60"]);
    churn.args(["--pub", &format!("{url}/pub/soak"), "--sub", &format!("{url}/sub/soak")]);
    let outcome = match child::run(&mut churn, Duration::from_mins(30)) {
        Ok(finished) if finished.ok() => judge(&finished.text),
        Ok(finished) => Outcome::failed(finished.end()),
        Err(problem) => Outcome::failed(format!("petasus-load does not start: {problem}")),
    };
    match broker.stop() {
        Ok(()) => outcome,
        Err(problem) => outcome.and_failed(problem),
    }
}

/// Nothing lost, doubled, out of order or closed, and memory flat between the half and the end.
fn judge(json: &str) -> Outcome {
    for figure in ["lost", "duplicated", "reordered", "foreign", "closed"] {
        if numbers(json, figure) != [0] {
            return Outcome::failed(format!("{figure}: {:?}, and not 0", numbers(json, figure)));
        }
    }
    match numbers(json, "anonymous")[..] {
        [_, half, end] if end <= half + NOISE => Outcome::held(),
        ref memory => Outcome::failed(format!("memory is not flat: begin, half, end: {memory:?} bytes")),
    }
}

/// The values of all fields `name`, whole numbers, in their order.
fn numbers(json: &str, name: &str) -> Vec<u64> {
    let field = format!("\"{name}\":");
    let value = |rest: &str| {
        let rest = rest.trim_start();
        let end = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
        rest[..end].parse().ok()
    };
    json.split(&field).skip(1).filter_map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(lost: u64, end: u64) -> String {
        format!(
            r#"{{"traffic":{{"published":9,"lost":{lost},"duplicated":0,"reordered":0,"foreign":0,"closed":0}},
            "memory":[{{"resident":1,"anonymous":100}},{{"resident":1,"anonymous":200}},{{"resident":1,"anonymous":{end}}}]}}"#
        )
    }

    #[test]
    fn a_clean_run_holds() {
        assert!(judge(&report(0, 300)).failure.is_none());
    }

    #[test]
    fn a_lost_message_growing_memory_and_a_missing_figure_are_failures() {
        assert!(judge(&report(1, 300)).failure.unwrap().contains("lost: [1]"));
        assert!(judge(&report(0, 201 + NOISE)).failure.unwrap().contains("not flat"));
        assert!(judge("{}").failure.is_some());
    }
}
