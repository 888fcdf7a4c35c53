//! Counts tests in the output of the test runners.

use std::collections::BTreeMap;
use std::ops::AddAssign;

/// How many tests passed, failed and were skipped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Tests that ran and held.
    pub(crate) passed: usize,
    /// Tests that ran and did not hold.
    pub(crate) failed: usize,
    /// Tests that did not run.
    pub(crate) skipped: usize,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

/// The sum of cargo's lines `test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out`.
pub(crate) fn cargo(output: &str) -> Counts {
    let mut sum = Counts::default();
    for line in output.lines() {
        let Some(result) = line.trim_start().strip_prefix("test result: ") else { continue };
        let Some((_, figures)) = result.split_once(". ") else { continue };
        for figure in figures.split(';') {
            let mut words = figure.split_whitespace();
            let count = words.next().and_then(|word| word.parse().ok()).unwrap_or(0);
            match words.next() {
                Some("passed") => sum.passed += count,
                Some("failed") => sum.failed += count,
                Some("ignored") => sum.skipped += count,
                _ => {}
            }
        }
    }
    sum
}

/// The names of the tests of cargo that failed, or did not end.
pub(crate) fn failures(output: &str) -> Vec<String> {
    let tests = || output.lines().filter_map(|line| line.strip_prefix("test "));
    let ended = |name: &str| {
        tests().any(|test| test.strip_prefix(name).is_some_and(|rest| rest.starts_with(" ... ")))
    };
    let failed = tests().filter_map(|test| test.strip_suffix(" ... FAILED")).map(str::to_owned);
    let slow =
        tests().filter_map(|test| test.split_once(" has been running for over ").map(|(name, _)| name));
    failed.chain(slow.filter(|name| !ended(name)).map(|name| format!("{name} (did not end)"))).collect()
}

/// What the reason of an ignored test begins with when it is no test at all.
const NO_TEST: &str = "other tests run it";

/// The ignored tests of cargo: each reason, and how many tests give it. Programs that are tests only by
/// their form, so that other tests find them, are left out.
pub(crate) fn ignored(output: &str) -> BTreeMap<String, usize> {
    let mut reasons = BTreeMap::new();
    for line in output.lines().filter(|line| line.starts_with("test ")) {
        let Some((_, reason)) = line.split_once(" ... ignored") else { continue };
        let reason = reason.trim_start_matches(", ").trim();
        if !reason.starts_with(NO_TEST) {
            *reasons.entry(reason.to_owned()).or_default() += 1;
        }
    }
    reasons
}

/// The sum of the closing lines of node's test runner: `# pass 5` (tap) or `ℹ pass 5` (spec).
pub(crate) fn node(output: &str) -> Counts {
    let mut sum = Counts::default();
    for line in output.lines() {
        let Some(line) = line.strip_prefix("# ").or_else(|| line.strip_prefix("ℹ ")) else { continue };
        let Some((what, count)) = line.split_once(' ') else { continue };
        let Ok(count) = count.trim().parse::<usize>() else { continue };
        match what {
            "pass" => sum.passed += count,
            "fail" | "cancelled" => sum.failed += count,
            "skipped" | "todo" => sum.skipped += count,
            _ => {}
        }
    }
    sum
}

/// The closing line of pytest: `2 failed, 7 passed, 1 skipped in 1.20s`.
pub(crate) fn pytest(output: &str) -> Counts {
    let mut counts = Counts::default();
    let closing = output.lines().rev().map(|line| line.trim_matches(['=', ' ']));
    let Some(line) = closing.filter_map(|line| line.rsplit_once(" in ")).map(|(line, _)| line).find(is_sum)
    else {
        return counts;
    };
    for figure in line.split(", ") {
        let Some((count, what)) = figure.split_once(' ') else { continue };
        let count = count.parse().unwrap_or(0);
        match what {
            "passed" | "xfailed" => counts.passed += count,
            "failed" | "error" | "errors" | "xpassed" => counts.failed += count,
            "skipped" => counts.skipped += count,
            _ => {}
        }
    }
    counts
}

/// Whether a line is figures and words.
fn is_sum(line: &&str) -> bool {
    line.split(", ").all(|figure| {
        figure
            .split_once(' ')
            .is_some_and(|(count, what)| count.parse::<usize>().is_ok() && !what.contains(' '))
    })
}

/// The tests of Perl, as `prove -v` shows them: `ok 1 - what`, `not ok 2 - what`, `ok 3 # skip why`. The parts of a
/// test are indented and do not count.
pub(crate) fn tap(output: &str) -> Counts {
    let mut sum = Counts::default();
    for line in output.lines() {
        let (failed, rest) = match line.strip_prefix("not ") {
            Some(rest) => (true, rest),
            None => (false, line),
        };
        let Some(rest) = rest.strip_prefix("ok ") else { continue };
        // Below each file prove says a plain `ok` of its own.
        if !rest.starts_with(|first: char| first.is_ascii_digit()) {
            continue;
        }
        let directive = rest.rsplit_once(" # ").map(|(_, directive)| directive.to_ascii_lowercase());
        if directive.is_some_and(|word| word.starts_with("skip") || word.starts_with("todo")) {
            sum.skipped += 1;
        } else if failed {
            sum.failed += 1;
        } else {
            sum.passed += 1;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_results_of_cargo_are_added() {
        let output = "\
running 3 tests
test a ... ok
test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s
     Running tests/b.rs (target/debug/deps/b-1)
test result: FAILED. 7 passed; 3 failed; 0 ignored; 0 measured; 4 filtered out; finished in 0.10s
";
        assert_eq!(cargo(output), Counts { passed: 9, failed: 3, skipped: 1 });
        assert_eq!(cargo("error: could not compile"), Counts::default());
    }

    #[test]
    fn tests_that_failed_and_tests_that_hang_are_named() {
        let output = "\
test a::b ... FAILED
test c has been running for over 60 seconds
test d has been running for over 60 seconds
test c ... ok
test result: FAILED. 1 passed; 1 failed;
";
        assert_eq!(failures(output), ["a::b", "d (did not end)"]);
    }

    #[test]
    fn ignored_tests_are_grouped_by_their_reason() {
        let output = "\
test a ... ignored, takes an hour
test b ... ignored, takes an hour
test c ... ignored
test d ... ok
test child::serves ... ignored, other tests run it as a process of its own
";
        let found: Vec<(String, usize)> = ignored(output).into_iter().collect();
        assert_eq!(found, [(String::new(), 1), ("takes an hour".to_owned(), 2)]);
    }

    #[test]
    fn both_reporters_of_node_are_understood() {
        let tap = "# tests 9\n# suites 0\n# pass 5\n# fail 1\n# cancelled 1\n# skipped 2\n# todo 0\n";
        assert_eq!(node(tap), Counts { passed: 5, failed: 2, skipped: 2 });
        let spec = tap.replace('#', "ℹ");
        assert_eq!(node(&spec), Counts { passed: 5, failed: 2, skipped: 2 });
        assert_eq!(node("# duration_ms 12.5\n"), Counts::default());
    }

    #[test]
    fn the_closing_line_of_pytest_is_understood() {
        let output = "3 passed in the log, 1.00s\n==== 2 failed, 7 passed, 1 skipped, 4 deselected, 1 error in 61.20s (0:01:01) ====\n";
        assert_eq!(pytest(output), Counts { passed: 7, failed: 3, skipped: 1 });
        assert_eq!(pytest("no tests ran in 0.01s"), Counts::default());
    }

    #[test]
    fn tests_of_perl_are_counted_and_their_parts_are_not() {
        let output = "\
t/a.t ..
# Subtest: one
    ok 1
    not ok 2 - part
    1..2
not ok 1 - one
ok 2 - two
ok 3 # skip no such system
not ok 4 - later # TODO some day
1..4
ok
";
        assert_eq!(tap(output), Counts { passed: 1, failed: 1, skipped: 2 });
    }
}
