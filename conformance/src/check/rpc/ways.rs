//! Calls with parts of results, calls that are taken back, and calls that take too long.

use proptest::prelude::*;
use proptest::sample::select;
use serde::{Deserialize, Serialize};

use super::{Lowering, judge};
use crate::check::{Card, Check, Family, Params, Violation};
use crate::history::History;
use crate::model::{CancelMode, Give, Policy, Request};
use crate::plan::{Plan, Step};

pub(super) fn checks() -> Vec<Box<dyn Check>> {
    vec![Box::new(Ways::Progress), Box::new(Ways::Cancel), Box::new(Ways::Timeout)]
}

/// What is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ways {
    /// Parts of results.
    Progress,
    /// Calls that are taken back.
    Cancel,
    /// Calls that take too long.
    Timeout,
}

/// A call, one after the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Op {
    /// Parts, then the result or an error; the caller wants parts, or not.
    Parts {
        /// Whether it wants them.
        wanted: bool,
        /// How many there are, if it does.
        parts: u8,
        /// Whether the result follows, or an error.
        succeeds: bool,
    },
    /// Taken back while it is under way; the callee answers nevertheless.
    Cancel {
        /// How.
        mode: CancelMode,
        /// Whether the callee has a result.
        succeeds: bool,
    },
    /// Taken back when it is over.
    CancelLate(CancelMode),
    /// It may take this long, in milliseconds, and takes longer.
    Slow(u64),
    /// It may take long, and does not.
    Quick,
}

/// Two callers and a callee: who calls, and what.
type Script = Vec<(usize, Op)>;

impl Family for Ways {
    type Script = Script;

    fn card(&self) -> Card {
        let (name, about, caps): (_, _, &[&str]) = match self {
            Self::Progress => {
                ("rpc.progress", "Parts of a result come in order, to who wants them.", &["rpc.progress"])
            }
            Self::Cancel => ("rpc.cancel", "A call can be taken back in three ways.", &["rpc.cancel"]),
            Self::Timeout => ("rpc.timeout", "A call that takes too long is over.", &["rpc.timeout"]),
        };
        let weight = if *self == Self::Timeout { 30 } else { 60 };
        Card { name, about, requirements: judge::REQUIREMENTS, caps, any_of: &[], weight }
    }

    fn scripts(&self, _: &Params) -> BoxedStrategy<Script> {
        let mode = || select(vec![CancelMode::Skip, CancelMode::Kill, CancelMode::KillNoWait]);
        let op = match self {
            Self::Progress => (any::<bool>(), 0..5_u8, any::<bool>())
                .prop_map(|(wanted, parts, succeeds)| Op::Parts { wanted, parts, succeeds })
                .boxed(),
            Self::Cancel => prop_oneof![
                5 => (mode(), any::<bool>()).prop_map(|(mode, succeeds)| Op::Cancel { mode, succeeds }),
                1 => mode().prop_map(Op::CancelLate),
            ]
            .boxed(),
            Self::Timeout => prop_oneof![(20..60_u64).prop_map(Op::Slow), Just(Op::Quick)].boxed(),
        };
        prop::collection::vec((0..2_usize, op), 1..5).boxed()
    }

    fn classics(&self, _: &Params) -> Vec<Script> {
        match self {
            Self::Progress => vec![vec![(0, Op::Parts { wanted: true, parts: 3, succeeds: true })]],
            Self::Cancel => {
                let cancel = |mode| Op::Cancel { mode, succeeds: true };
                vec![vec![
                    (0, cancel(CancelMode::Skip)),
                    (1, cancel(CancelMode::KillNoWait)),
                    (0, cancel(CancelMode::Kill)),
                ]]
            }
            Self::Timeout => vec![vec![(0, Op::Slow(30)), (1, Op::Quick)]],
        }
    }

    fn plan(&self, script: &Script, _: &Params) -> Plan {
        let mut lowering = Lowering::new(3);
        lowering.register(2, 0, Policy::Single, None);
        for (who, op) in script {
            lowering.way(who % 2, op);
        }
        Plan::new(lowering.finished())
    }

    fn judge(&self, history: &History) -> Vec<Violation> {
        judge::judge(history)
    }
}

/// Long enough for every answer that is given at once, in milliseconds.
const LONG: u64 = 60_000;

impl Lowering {
    fn way(&mut self, who: usize, op: &Op) {
        let last = |succeeds: bool| if succeeds { Give::Result } else { Give::Error };
        let (progress, timeout) = match op {
            Op::Parts { wanted, .. } => (*wanted, None),
            Op::Slow(ms) => (false, Some(*ms)),
            Op::Quick => (false, Some(LONG)),
            Op::Cancel { .. } | Op::CancelLate(_) => (false, None),
        };
        let Some(call) = self.call(who, 0, progress, timeout) else { return };
        let answer = Step::AwaitAnswer { conn: call.0, number: call.1 };
        match *op {
            Op::Parts { wanted, parts, succeeds } => {
                let parts = if wanted { parts } else { 0 };
                let mut gives = vec![Give::Progress; parts.into()];
                gives.push(last(succeeds));
                self.serve(call, &gives);
            }
            Op::Cancel { mode, succeeds } => {
                self.serve(call, &[]);
                self.ask(who, Request::Cancel { of: call.1, mode });
                match mode {
                    CancelMode::Kill => {
                        self.steps.push(Step::AwaitInterrupt { caller: call.0, number: call.1 });
                    }
                    _ => self.steps.push(answer.clone()),
                }
                self.serve(call, &[last(succeeds)]);
            }
            Op::CancelLate(mode) => {
                self.serve(call, &[Give::Result]);
                self.steps.push(answer.clone());
                self.ask(who, Request::Cancel { of: call.1, mode });
            }
            Op::Slow(_) => {
                self.serve(call, &[]);
                self.steps.push(answer.clone());
                self.serve(call, &[Give::Result]);
            }
            Op::Quick => self.serve(call, &[Give::Result]),
        }
        self.steps.push(answer);
    }
}
