//! How fast planted faults are found.

use std::collections::BTreeSet;
use std::fmt::Debug;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Seeds per fault.
const SEEDS: u8 = 15;

/// Cases after which a fault counts as missed.
const CAP: usize = 150;

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
    pattern: &'static str,
    /// Every requirement that convicted something.
    convicting: BTreeSet<&'static str>,
}

impl Hunt {
    pub(crate) fn new(pattern: &'static str) -> Self {
        println!("{pattern}: cases to find each planted fault, over {SEEDS} seeds");
        println!("{:<24} {:>6} {:>4} {:>4}  named as", "fault", "median", "p90", "max");
        Self { pattern, convicting: BTreeSet::new() }
    }

    /// Runs random cases until `trial` finds the fault. Panics if it is missed, if it is found under a requirement
    /// that is not `expected`, or if finding it takes more than five cases in the median.
    pub(crate) fn expect<S: Strategy>(
        &mut self,
        fault: impl Debug,
        expected: &[&'static str],
        cases: &S,
        trial: impl Fn(S::Value) -> Result<(), Vec<Breach>>,
    ) {
        let fault = format!("{fault:?}");
        let mut named = BTreeSet::new();
        let mut needed: Vec<usize> = (0..SEEDS)
            .map(|seed| {
                let (count, breaches) = first_breach(seed, cases, &trial);
                assert!(!breaches.is_empty(), "{}: {fault}: not found in {CAP} cases, seed {seed}", self.pattern);
                for breach in breaches {
                    let (requirement, what) = (breach.requirement, breach.what);
                    assert!(
                        expected.contains(&requirement),
                        "{}: {fault}: found as {requirement} ({what}), but it breaks {expected:?}",
                        self.pattern
                    );
                    named.insert(requirement);
                }
                count
            })
            .collect();
        needed.sort_unstable();
        let (median, ninth, most) = (needed[7], needed[13], needed[14]);
        let names = named.iter().copied().collect::<Vec<_>>().join(" ");
        println!("{fault:<24} {median:>6} {ninth:>4} {most:>4}  {names}");
        assert!(median <= 5, "{}: {fault}: the cases are too tame: median {median}", self.pattern);
        self.convicting.extend(named);
    }

    /// A rule that convicts nothing might be no rule at all.
    pub(crate) fn every_rule_convicted(&self, rules: &[&'static str]) {
        let idle: Vec<_> = rules.iter().filter(|rule| !self.convicting.contains(*rule)).collect();
        assert!(idle.is_empty(), "{}: no fault breaks {idle:?}", self.pattern);
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
