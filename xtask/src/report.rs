//! What a step came to, and the table at the end of a run.

use std::fmt::Write as _;
use std::time::Duration;

use crate::counts::Counts;

/// What a step came to.
pub(crate) struct Outcome {
    /// The tests it ran. A step without tests of its own counts as one.
    pub(crate) counts: Counts,
    /// What went wrong; decides whether the step failed.
    pub(crate) failure: Option<String>,
    /// What did not run, why, and the command that changes it.
    pub(crate) skips: Vec<String>,
}

impl Outcome {
    /// A step that is one check, and holds.
    pub(crate) fn held() -> Self {
        Self::tests(Counts { passed: 1, ..Counts::default() })
    }

    /// A step that failed before, or beside, its tests.
    pub(crate) fn failed(why: impl Into<String>) -> Self {
        let counts = Counts { failed: 1, ..Counts::default() };
        Self { counts, failure: Some(why.into()), skips: Vec::new() }
    }

    /// A step that did not run: the reason, and the command that changes it.
    pub(crate) fn skipped(why: impl Into<String>) -> Self {
        let counts = Counts { skipped: 1, ..Counts::default() };
        Self { counts, failure: None, skips: vec![why.into()] }
    }

    /// A step whose tests were counted; it failed if one of them did.
    pub(crate) fn tests(counts: Counts) -> Self {
        let failure = (counts.failed > 0).then(|| format!("{} tests failed", counts.failed));
        Self { counts, failure, skips: Vec::new() }
    }

    /// The same step, which failed for a reason that may not show in the counts (a program that did not
    /// compile, a crash).
    pub(crate) fn and_failed(mut self, why: impl Into<String>) -> Self {
        self.counts.failed = self.counts.failed.max(1);
        self.failure = Some(why.into());
        self
    }

    /// Two parts of one step.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.counts += other.counts;
        self.failure = match (self.failure, other.failure) {
            (Some(one), Some(two)) => Some(format!("{one}; {two}")),
            (one, two) => one.or(two),
        };
        self.skips.extend(other.skips);
        self
    }

    fn word(&self) -> &'static str {
        if self.failure.is_some() {
            "FAILED"
        } else if self.counts.passed == 0 {
            "skipped"
        } else {
            "passed"
        }
    }
}

/// One line of the table.
pub(crate) struct Row {
    /// The name of the step.
    pub(crate) step: &'static str,
    /// What it came to.
    pub(crate) outcome: Outcome,
    /// How long it took.
    pub(crate) time: Duration,
}

/// The table, the skips, the failures with the command that repeats each, and the closing line.
pub(crate) fn summary(rows: &[Row], full: bool) -> String {
    let mut text = String::new();
    let mut sum = Counts::default();
    let mut time = Duration::ZERO;
    let _ = writeln!(text, "{:<10} {:<8} {:>7} {:>7} {:>8}", "step", "result", "passed", "failed", "seconds");
    for row in rows {
        let Counts { passed, failed, .. } = row.outcome.counts;
        let (word, seconds) = (row.outcome.word(), row.time.as_secs_f64());
        let _ = writeln!(text, "{:<10} {word:<8} {passed:>7} {failed:>7} {seconds:>8.1}", row.step);
        sum += row.outcome.counts;
        time += row.time;
    }
    let (passed, failed, seconds) = (sum.passed, sum.failed, time.as_secs_f64());
    let _ = writeln!(text, "{:<10} {:<8} {passed:>7} {failed:>7} {seconds:>8.1}\n", "total", "");

    for row in rows {
        for skip in &row.outcome.skips {
            let _ = writeln!(text, "SKIPPED {}: {skip}", row.step);
        }
    }
    for row in rows {
        if let Some(why) = &row.outcome.failure {
            let flag = if full { "--full " } else { "" };
            let _ = writeln!(text, "FAILED {}: {why}", row.step);
            let _ = writeln!(text, "       again: cargo xtask test {flag}{}", row.step);
        }
    }
    let _ = writeln!(text, "{} passed, {} failed, {} skipped", sum.passed, sum.failed, sum.skipped);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(step: &'static str, outcome: Outcome) -> Row {
        Row { step, outcome, time: Duration::from_millis(1500) }
    }

    #[test]
    fn the_closing_line_is_the_sum_and_stands_alone() {
        let unit = Outcome::tests(Counts { passed: 40, failed: 0, skipped: 2 });
        let text = summary(&[row("fmt", Outcome::held()), row("unit", unit)], false);
        assert_eq!(text.lines().last(), Some("41 passed, 0 failed, 2 skipped"));
        assert!(text.contains("fmt        passed         1       0      1.5"), "{text}");
    }

    #[test]
    fn a_failure_names_the_command_that_repeats_it() {
        let outcome =
            Outcome::tests(Counts { passed: 3, failed: 0, skipped: 0 }).and_failed("exit status: 101");
        let text = summary(&[row("unit", outcome)], true);
        assert!(text.contains("FAILED unit: exit status: 101"), "{text}");
        assert!(text.contains("again: cargo xtask test --full unit"), "{text}");
        assert_eq!(text.lines().last(), Some("3 passed, 1 failed, 0 skipped"));
    }

    #[test]
    fn the_parts_of_a_step_are_added_and_each_keeps_its_failure() {
        let parts = Outcome::held().and(Outcome::failed("one")).and(Outcome::failed("two"));
        let whole = parts.and(Outcome::skipped("three"));
        assert_eq!(whole.counts, Counts { passed: 1, failed: 2, skipped: 1 });
        assert_eq!(whole.failure.as_deref(), Some("one; two"));
        assert_eq!(whole.skips, ["three"]);
    }

    #[test]
    fn a_skip_is_a_line_of_its_own_with_the_reason() {
        let text = summary(&[row("wasm", Outcome::skipped("no compiler; run: make one"))], false);
        assert!(text.lines().any(|line| line == "SKIPPED wasm: no compiler; run: make one"), "{text}");
        assert_eq!(text.lines().last(), Some("0 passed, 0 failed, 1 skipped"));
    }
}
