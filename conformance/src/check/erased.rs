//! From families with their own script types to checks with JSON.

use proptest::strategy::{BoxedStrategy, Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::Value;

use super::{Card, Check, Family, Params, ScriptError, Scripts, Shrink, Violation};
use crate::history::History;
use crate::plan::Plan;

impl<F: Family> Check for F {
    fn card(&self) -> Card {
        Family::card(self)
    }

    fn scripts(&self, seed: u64, params: &Params, classics: bool) -> Box<dyn Scripts> {
        let strategy = Family::scripts(self, params);
        let classics = if classics { self.classics(params) } else { Vec::new() };
        let classics = classics.into_iter().map(json).collect::<Vec<_>>().into_iter();
        Box::new(Source { classics, strategy, runner: runner(seed) })
    }

    fn plan(&self, script: &Value, params: &Params) -> Result<Plan, ScriptError> {
        let parsed = serde_json::from_value(script.clone())
            .map_err(|error| ScriptError { check: Family::card(self).name, why: error.to_string() })?;
        Ok(Family::plan(self, &parsed, params))
    }

    fn judge(&self, history: &History) -> Vec<Violation> {
        let mut violations = Family::judge(self, history);
        violations.sort();
        violations.dedup();
        violations
    }
}

fn json(script: impl serde::Serialize) -> Value {
    serde_json::to_value(script).expect("scripts are plain values with text keys")
}

/// The same seed gives the same scripts. Nothing is kept in files: tokens hold scripts.
fn runner(seed: u64) -> TestRunner {
    let config = Config { failure_persistence: None, ..Config::default() };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

struct Source<S: std::fmt::Debug> {
    classics: std::vec::IntoIter<Value>,
    strategy: BoxedStrategy<S>,
    runner: TestRunner,
}

impl<S: std::fmt::Debug + serde::Serialize + 'static> Scripts for Source<S> {
    fn next(&mut self) -> Box<dyn Shrink> {
        if let Some(classic) = self.classics.next() {
            return Box::new(Fixed(classic));
        }
        let tree =
            self.strategy.new_tree(&mut self.runner).expect("no generator filters, so that none gives up");
        Box::new(Tree(tree))
    }
}

struct Tree<T>(T);

impl<T: ValueTree<Value: serde::Serialize>> Shrink for Tree<T> {
    fn script(&self) -> Value {
        json(self.0.current())
    }

    fn simplify(&mut self) -> bool {
        self.0.simplify()
    }

    fn complicate(&mut self) -> bool {
        self.0.complicate()
    }
}

/// Is minimal as it is.
struct Fixed(Value);

impl Shrink for Fixed {
    fn script(&self) -> Value {
        self.0.clone()
    }

    fn simplify(&mut self) -> bool {
        false
    }

    fn complicate(&mut self) -> bool {
        false
    }
}
