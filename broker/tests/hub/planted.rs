//! How fast planted faults are found.

use std::collections::BTreeSet;
use std::fmt::Debug;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Seeds per fault.
const SEEDS: u8 = 15;

/// Cases after which a fault counts as missed.
const CAP: usize = 150;

/// How many cases it may take in the median to find a fault.
const GOOD: usize = 5;

/// So many cases, and no file of old seeds: a failure prints its script, which is what counts.
pub(crate) fn cases(cases: u32) -> Config {
    Config { cases, failure_persistence: None, ..Config::default() }
}

/// A rule that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Breach {
    /// The id of the requirement.
    pub(crate) requirement: &'static str,
    pub(crate) what: String,
}

impl Breach {
    pub(crate) fn new(requirement: &'static str, what: impl Into<String>) -> Self {
        Self { requirement, what: what.into() }
    }
}

/// Collects what the faults of one pattern came to, and prints a line for each.
pub(crate) struct Hunt {
    /// Every requirement that convicted something.
    convicting: BTreeSet<&'static str>,
    /// What is wrong with the judge or its cases.
    problems: Vec<String>,
}

impl Hunt {
    pub(crate) fn new(pattern: &str) -> Self {
        println!("{pattern}: cases to find each planted fault, over {SEEDS} seeds");
        println!("{:<24} {:>6} {:>4} {:>4}  named as", "fault", "median", "p90", "max");
        Self { convicting: BTreeSet::new(), problems: Vec::new() }
    }

    /// Runs random cases until `trial` finds the fault. It must always find it, within [`GOOD`] cases in the median,
    /// and name nothing but what is `expected`.
    pub(crate) fn expect<S: Strategy>(
        &mut self,
        fault: impl Debug,
        expected: &[&'static str],
        cases: &S,
        trial: impl Fn(S::Value) -> Result<(), Vec<Breach>>,
    ) {
        let fault = format!("{fault:?}");
        let mut named = BTreeSet::new();
        let mut counts = Vec::new();
        for seed in 0..SEEDS {
            let (count, breaches) = first_breach(seed, cases, &trial);
            counts.push(count);
            if breaches.is_empty() {
                self.problems.push(format!("{fault}: not found in {CAP} cases, seed {seed}"));
            }
            for Breach { requirement, what } in breaches {
                if !expected.contains(&requirement) {
                    self.problems.push(format!("{fault}: named as {requirement} ({what}), seed {seed}"));
                }
                named.insert(requirement);
            }
        }
        counts.sort_unstable();
        let (median, ninth, most) = (counts[7], counts[13], counts[14]);
        let requirements = named.iter().copied().collect::<Vec<_>>().join(" ");
        println!("{fault:<24} {median:>6} {ninth:>4} {most:>4}  {requirements}");
        if median > GOOD {
            self.problems.push(format!("{fault}: the cases are too tame, {median} in the median"));
        }
        self.convicting.extend(named);
    }

    /// Panics if there is a problem. A rule that convicts nothing is one: it might be no rule at all.
    pub(crate) fn end(mut self, rules: &[&'static str]) {
        for rule in rules.iter().filter(|rule| !self.convicting.contains(*rule)) {
            self.problems.push(format!("{rule}: no fault breaks it"));
        }
        assert!(self.problems.is_empty(), "{}", self.problems.join("\n"));
    }
}

fn first_breach<S: Strategy>(
    seed: u8,
    cases: &S,
    trial: &impl Fn(S::Value) -> Result<(), Vec<Breach>>,
) -> (usize, Vec<Breach>) {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    for count in 1..=CAP {
        let case = cases.new_tree(&mut runner).expect("the strategy makes cases").current();
        if let Err(breaches) = trial(case) {
            return (count, breaches);
        }
    }
    (CAP, Vec::new())
}
