//! Procedures that several callees share, and callees that take only so many calls at once.

use proptest::prelude::*;
use proptest::sample::select;
use serde::{Deserialize, Serialize};

use super::{Lowering, judge, turns};
use crate::check::{Card, Check, Family, Params, Violation};
use crate::history::History;
use crate::model::{Give, Policy, Request};
use crate::plan::{Plan, Step};

pub(super) fn checks() -> Vec<Box<dyn Check>> {
    vec![Box::new(Shared), Box::new(Crowded)]
}

/// Several callees of one procedure.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shared;

/// What is done; there are three callees and a caller.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Op {
    /// Registers, if it has not.
    Join(usize),
    /// Unregisters, if it has.
    Leave(usize),
    /// So many calls, one after the other.
    Calls(u8),
    /// The caller tries to register under another policy.
    Other,
}

/// The policy, and what is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct SharedScript {
    policy: Policy,
    ops: Vec<Op>,
}

/// How many callees there are.
const CALLEES: usize = 3;

impl Family for Shared {
    type Script = SharedScript;

    fn card(&self) -> Card {
        Card {
            name: "rpc.shared",
            about: "Calls of a shared procedure go to its callees by the policy.",
            requirements: judge::REQUIREMENTS,
            caps: &["rpc.shared"],
            any_of: &[],
            weight: 80,
        }
    }

    fn scripts(&self, _: &Params) -> BoxedStrategy<SharedScript> {
        let policies = [Policy::First, Policy::Last, Policy::RoundRobin, Policy::RoundRobin, Policy::Random];
        let op = prop_oneof![
            2 => (0..CALLEES).prop_map(Op::Join),
            1 => (0..CALLEES).prop_map(Op::Leave),
            3 => (1..5_u8).prop_map(Op::Calls),
            1 => Just(Op::Other),
        ];
        (select(policies.to_vec()), prop::collection::vec(op, 1..8))
            .prop_map(|(policy, ops)| SharedScript { policy, ops })
            .boxed()
    }

    fn classics(&self, _: &Params) -> Vec<SharedScript> {
        let ops = vec![Op::Calls(4), Op::Leave(1), Op::Calls(3), Op::Join(1), Op::Calls(4), Op::Other];
        [Policy::First, Policy::Last, Policy::RoundRobin, Policy::Random]
            .map(|policy| SharedScript { policy, ops: ops.clone() })
            .into()
    }

    fn plan(&self, script: &SharedScript, _: &Params) -> Plan {
        let mut lowering = Lowering::new(CALLEES + 1);
        // Whether somebody is registered, and by which request.
        let mut members: [Option<u32>; CALLEES] = [None; CALLEES];
        let begin = [Op::Join(0), Op::Join(1), Op::Join(2)];
        for op in begin.iter().chain(&script.ops) {
            match *op {
                Op::Join(who) if members[who % CALLEES].is_none() => {
                    members[who % CALLEES] = Some(lowering.asked[who % CALLEES]);
                    lowering.register(who % CALLEES, 0, script.policy, None);
                }
                Op::Leave(who) => {
                    if let Some(of) = members[who % CALLEES].take() {
                        lowering.ask_and_wait(who % CALLEES, Request::Unregister { of });
                    }
                }
                Op::Calls(n) => (0..n).for_each(|_| lowering.op(&super::Op::Call(CALLEES, 0, true))),
                // With nobody there it would be the first.
                Op::Other if members.iter().all(Option::is_none) => {}
                Op::Other => {
                    let other = if script.policy == Policy::Last { Policy::First } else { Policy::Last };
                    lowering.register(CALLEES, 0, other, None);
                }
                Op::Join(_) => {}
            }
        }
        Plan::new(lowering.finished())
    }

    fn judge(&self, history: &History) -> Vec<Violation> {
        let mut violations = judge::judge(history);
        violations.extend(turns::judge(history));
        violations
    }
}

/// Callees that take only so many calls at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crowded;

/// How many each of the callees takes at once, and how many calls there are at a time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct CrowdedScript {
    concurrency: Vec<u32>,
    bursts: Vec<u8>,
}

impl Family for Crowded {
    type Script = CrowdedScript;

    fn card(&self) -> Card {
        Card {
            name: "rpc.concurrency",
            about: "No callee has more calls at once than it takes, and those that wait keep their order.",
            requirements: judge::REQUIREMENTS,
            caps: &["rpc.concurrency"],
            any_of: &[],
            weight: 60,
        }
    }

    fn scripts(&self, _: &Params) -> BoxedStrategy<CrowdedScript> {
        let concurrency = prop::collection::vec(1..3_u32, 1..3);
        (concurrency, prop::collection::vec(1..7_u8, 1..4))
            .prop_map(|(concurrency, bursts)| CrowdedScript { concurrency, bursts })
            .boxed()
    }

    fn classics(&self, _: &Params) -> Vec<CrowdedScript> {
        vec![CrowdedScript { concurrency: vec![1, 2], bursts: vec![5, 2] }]
    }

    fn plan(&self, script: &CrowdedScript, _: &Params) -> Plan {
        let callees = script.concurrency.len();
        let mut lowering = Lowering::new(callees + 1);
        for (who, &concurrency) in script.concurrency.iter().enumerate() {
            lowering.register(who, 0, Policy::RoundRobin, Some(concurrency));
        }
        for &burst in &script.bursts {
            let calls: Vec<_> = (0..burst).filter_map(|_| lowering.call(callees, 0, false, None)).collect();
            // All that can be given out is, before anything is answered.
            lowering.steps.push(Step::Flush);
            for &call in &calls {
                lowering.serve(call, &[Give::Result]);
            }
        }
        Plan::new(lowering.finished())
    }

    fn judge(&self, history: &History) -> Vec<Violation> {
        let mut violations = judge::judge(history);
        violations.extend(turns::crowds(history));
        violations
    }
}
