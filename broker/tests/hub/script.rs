//! Random scripts: what happens to a queue, in an order that finds faults.
//!
//! Operations carry places among those who are there, so every part of a script is a script, and shrinking never
//! leads to one that means nothing. Most begin with three pullers and leave often: the faults of a rotation are in
//! what leaving does to it.

use std::time::Duration;

use petasus_broker::hub::QueueRules;
use proptest::collection::vec;
use proptest::prelude::*;

/// One step. A `who` counts those who are there, and goes round.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    Join {
        topic: usize,
        capacity: usize,
    },
    Leave {
        who: usize,
    },
    AllLeave,
    /// One job, from a POST or (`patient`) from a pusher that waits if there is no room.
    Push {
        topic: usize,
        size: usize,
        patient: bool,
    },
    /// A puller's socket takes some of its jobs. The queue may hear later that there is room (`Tell`).
    Write {
        who: usize,
        count: usize,
        tell: bool,
    },
    Tell {
        who: usize,
    },
    GiveUp {
        who: usize,
    },
    /// Time goes on: so many halves of the age at which held jobs go, and some milliseconds.
    Wait {
        halves: u32,
        ms: u64,
    },
    Expire,
}

/// A script and the rules of its queue.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    pub(crate) rules: QueueRules,
    /// Whether sockets take everything at once.
    pub(crate) eager: bool,
    /// The capacities of the pullers that are there from the start, on the first topic.
    pub(crate) start: Vec<usize>,
    pub(crate) ops: Vec<Op>,
}

/// More jobs than any script has.
const WIDE: usize = 1000;

/// All kinds of scripts, mixed.
pub(crate) fn scripts() -> impl Strategy<Value = Script> {
    prop_oneof![4 => churn(), 3 => pressure(), 5 => deserted()]
}

/// Pullers come and go, and nobody is slow: the rotation.
fn churn() -> impl Strategy<Value = Script> {
    let op = prop_oneof![
        8 => push(1..4),
        3 => (topic(), Just(WIDE)).prop_map(|(topic, capacity)| Op::Join { topic, capacity }),
        4 => who().prop_map(|who| Op::Leave { who }),
    ];
    let start = Just(vec![WIDE; 3]);
    (rules(0.5), prop::bool::weighted(0.6), start, vec(op, 0..80)).prop_map(into_script)
}

/// Outboxes are full most of the time: the backlog, its bounds, and pushers that wait.
fn pressure() -> impl Strategy<Value = Script> {
    let capacity = prop_oneof![1 => Just(0), 4 => Just(1), 3 => Just(2), 1 => Just(4)];
    let op = prop_oneof![
        14 => push(1..12),
        2 => (topic(), capacity.clone()).prop_map(|(topic, capacity)| Op::Join { topic, capacity }),
        2 => who().prop_map(|who| Op::Leave { who }),
        5 => write(),
        2 => who().prop_map(|who| Op::Tell { who }),
        1 => who().prop_map(|who| Op::GiveUp { who }),
        1 => Just(Op::AllLeave),
        3 => time(),
    ];
    (rules(0.5), prop::bool::weighted(0.1), vec(capacity, 1..4), vec(op, 0..90)).prop_map(into_script)
}

/// Often nobody is there, or somebody who takes nothing: dropping, holding, and growing old.
fn deserted() -> impl Strategy<Value = Script> {
    let op = prop_oneof![
        8 => push(1..12),
        2 => (topic(), 0usize..3).prop_map(|(topic, capacity)| Op::Join { topic, capacity }),
        2 => who().prop_map(|who| Op::Leave { who }),
        2 => Just(Op::AllLeave),
        1 => write(),
        1 => who().prop_map(|who| Op::GiveUp { who }),
        8 => time(),
    ];
    (rules(0.9), prop::bool::weighted(0.1), vec(0usize..2, 0..2), vec(op, 0..90)).prop_map(into_script)
}

fn into_script((rules, eager, start, ops): (QueueRules, bool, Vec<usize>, Vec<Op>)) -> Script {
    Script { rules, eager, start, ops }
}

fn rules(hold: f64) -> impl Strategy<Value = QueueRules> {
    let bytes = prop_oneof![3 => 0usize..24, 1 => Just(WIDE)];
    let rules = (prop::bool::weighted(hold), 0usize..8, bytes, 0u64..20);
    rules.prop_map(|(hold, hold_messages, hold_bytes, age)| QueueRules {
        hold,
        hold_messages,
        hold_bytes,
        hold_age: Duration::from_millis(age),
        hold_total: usize::MAX,
    })
}

fn topic() -> impl Strategy<Value = usize> {
    prop_oneof![5 => Just(0), 1 => Just(1)]
}

fn who() -> impl Strategy<Value = usize> {
    0usize..12
}

fn push(size: std::ops::Range<usize>) -> impl Strategy<Value = Op> {
    (topic(), size, any::<bool>()).prop_map(|(topic, size, patient)| Op::Push { topic, size, patient })
}

fn write() -> impl Strategy<Value = Op> {
    let told = prop::bool::weighted(0.7);
    (who(), 1usize..4, told).prop_map(|(who, count, tell)| Op::Write { who, count, tell })
}

fn time() -> impl Strategy<Value = Op> {
    let halves = prop_oneof![2 => 0u32..4, 3 => Just(2)];
    prop_oneof![
        (halves, prop::bool::weighted(0.3))
            .prop_map(|(halves, more)| Op::Wait { halves, ms: u64::from(more) }),
        Just(Op::Expire)
    ]
}
