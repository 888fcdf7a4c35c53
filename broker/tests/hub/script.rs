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
    /// Time goes on.
    Wait {
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
    prop_oneof![4 => churn(), 4 => pressure(), 2 => deserted()]
}

/// Pullers come and go, and nobody is slow: the rotation.
fn churn() -> impl Strategy<Value = Script> {
    let op = prop_oneof![
        8 => push(1..4),
        3 => (topic(), Just(WIDE)).prop_map(|(topic, capacity)| Op::Join { topic, capacity }),
        4 => who().prop_map(|who| Op::Leave { who }),
    ];
    let start = Just(vec![WIDE; 3]);
    (rules(), prop::bool::weighted(0.8), start, vec(op, 0..50)).prop_map(into_script)
}

/// Outboxes are full most of the time: the backlog, its bounds, and pushers that wait.
fn pressure() -> impl Strategy<Value = Script> {
    let capacity = prop_oneof![1 => Just(0), 4 => Just(1), 3 => Just(2), 2 => Just(4), 1 => Just(WIDE)];
    let op = prop_oneof![
        10 => push(1..12),
        3 => (topic(), capacity.clone()).prop_map(|(topic, capacity)| Op::Join { topic, capacity }),
        3 => who().prop_map(|who| Op::Leave { who }),
        6 => write(),
        2 => who().prop_map(|who| Op::Tell { who }),
        1 => who().prop_map(|who| Op::GiveUp { who }),
        1 => time(),
    ];
    (rules(), prop::bool::weighted(0.1), vec(capacity, 1..4), vec(op, 0..60)).prop_map(into_script)
}

/// Often nobody is there: dropping, holding, and growing old.
fn deserted() -> impl Strategy<Value = Script> {
    let op = prop_oneof![
        6 => push(1..12),
        2 => (topic(), 1usize..4).prop_map(|(topic, capacity)| Op::Join { topic, capacity }),
        4 => who().prop_map(|who| Op::Leave { who }),
        2 => write(),
        1 => who().prop_map(|who| Op::GiveUp { who }),
        4 => time(),
    ];
    (rules(), prop::bool::weighted(0.3), vec(1usize..4, 0..2), vec(op, 0..50)).prop_map(into_script)
}

fn into_script((rules, eager, start, ops): (QueueRules, bool, Vec<usize>, Vec<Op>)) -> Script {
    Script { rules, eager, start, ops }
}

fn rules() -> impl Strategy<Value = QueueRules> {
    let rules = (any::<bool>(), 0usize..6, prop_oneof![0usize..30, Just(WIDE)], 0u64..40);
    rules.prop_map(|(hold, hold_messages, hold_bytes, age)| QueueRules {
        hold,
        hold_messages,
        hold_bytes,
        hold_age: Duration::from_millis(age),
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
    prop_oneof![2 => (1u64..30).prop_map(|ms| Op::Wait { ms }), 1 => Just(Op::Expire)]
}
