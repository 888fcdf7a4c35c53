//! Programs that run tests, and the brokers that some of them run beside.

use std::process::Command;
use std::time::Duration;

use crate::broker::Broker;
use crate::child;
use crate::counts::Counts;
use crate::report::Outcome;

/// Runs tests and counts them: one at least has to run.
pub(super) fn counted(command: &mut Command, limit: Duration, count: fn(&str) -> Counts) -> Outcome {
    let program = command.get_program().display().to_string();
    match child::run(command, limit) {
        Ok(finished) => {
            let outcome = Outcome::tests(count(&finished.text));
            match (finished.ok(), outcome.counts.passed) {
                (true, 0) => outcome.and_failed(format!("{program}: no test ran")),
                (true, _) => outcome,
                (false, _) => outcome.and_failed(format!("{program}: {}", finished.end())),
            }
        }
        Err(problem) => Outcome::failed(format!("{program} does not start: {problem}")),
    }
}

/// A broker that is not ours: its name, the variable that tells the tests where it is, and whether it started, or
/// what is missing for it.
pub(super) type Other = (&'static str, &'static str, Result<Result<Broker, String>, String>);

/// Acts with what could be started: the variables and their `ws://` URLs. What could not is skipped, and all have to
/// survive.
pub(super) fn beside<const N: usize>(
    others: [Other; N],
    act: impl FnOnce(&[(&'static str, String)]) -> Outcome,
) -> Outcome {
    let mut outcome = Outcome::held();
    let mut running = Vec::new();
    for (name, variable, started) in others {
        match started {
            Ok(Ok(broker)) => running.push((name, variable, broker)),
            Ok(Err(problem)) => outcome = outcome.and_failed(format!("{name}: {problem}")),
            Err(missing) => outcome = outcome.and(Outcome::skipped(missing)),
        }
    }
    let url = |broker: &Broker| broker.urls[0].replacen("http://", "ws://", 1);
    let urls: Vec<_> = running.iter().map(|(_, variable, broker)| (*variable, url(broker))).collect();
    let outcome = outcome.and(act(&urls));
    running.into_iter().fold(outcome, |outcome, (name, _, broker)| match broker.stop() {
        Ok(()) => outcome,
        Err(problem) => outcome.and_failed(format!("{name}: {problem}")),
    })
}
