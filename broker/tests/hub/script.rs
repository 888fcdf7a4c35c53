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
        concurrency: Option<usize>,
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
    /// One job whose pusher waits until it is done.
    Ask {
        topic: usize,
        size: usize,
    },
    /// A puller answers one of the jobs that it has.
    Answer {
        who: usize,
        job: usize,
    },
    /// A pusher does not wait any more until its job is done.
    Cancel {
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
    pub(crate) start: Vec<(usize, Option<usize>)>,
    pub(crate) ops: Vec<Op>,
}

/// More jobs than any script has.
const WIDE: usize = 1000;

/// All kinds of scripts, mixed.
pub(crate) fn scripts() -> impl Strategy<Value = Script> {
    prop_oneof![4 => churn(), 3 => pressure(), 5 => deserted()]
}

/// The same with pullers that answer, and pushers that wait for that.
pub(crate) fn working_scripts() -> impl Strategy<Value = Script> {
    prop_oneof![4 => work(), 2 => slow_work()]
}

/// Pullers come and go, and nobody is slow: the rotation.
fn churn() -> impl Strategy<Value = Script> {
    let op = prop_oneof![
        8 => push(1..4),
        3 => (topic(), Just(WIDE)).prop_map(silent),
        4 => who().prop_map(|who| Op::Leave { who }),
    ];
    let start = Just(vec![(WIDE, None); 3]);
    (rules(0.5), prop::bool::weighted(0.6), start, vec(op, 0..80)).prop_map(into_script)
}

/// Outboxes are full most of the time: the backlog, its bounds, and pushers that wait.
fn pressure() -> impl Strategy<Value = Script> {
    let capacity = prop_oneof![1 => Just(0), 4 => Just(1), 3 => Just(2), 1 => Just(4)];
    let op = prop_oneof![
        14 => push(1..12),
        2 => (topic(), capacity.clone()).prop_map(silent),
        2 => who().prop_map(|who| Op::Leave { who }),
        5 => write(),
        2 => who().prop_map(|who| Op::Tell { who }),
        1 => who().prop_map(|who| Op::GiveUp { who }),
        1 => Just(Op::AllLeave),
        3 => time(),
    ];
    (
        rules(0.5),
        prop::bool::weighted(0.1),
        vec(capacity.prop_map(|capacity| (capacity, None)), 1..4),
        vec(op, 0..90),
    )
        .prop_map(into_script)
}

/// Often nobody is there, or somebody who takes nothing: dropping, holding, and growing old.
fn deserted() -> impl Strategy<Value = Script> {
    let op = prop_oneof![
        8 => push(1..12),
        2 => (topic(), 0usize..3).prop_map(silent),
        2 => who().prop_map(|who| Op::Leave { who }),
        2 => Just(Op::AllLeave),
        1 => write(),
        1 => who().prop_map(|who| Op::GiveUp { who }),
        8 => time(),
    ];
    (
        rules(0.9),
        prop::bool::weighted(0.1),
        vec((0usize..2).prop_map(|capacity| (capacity, None)), 0..2),
        vec(op, 0..90),
    )
        .prop_map(into_script)
}

/// Sockets take all, and most pullers answer: concurrency, jobs that come back, and turns.
fn work() -> impl Strategy<Value = Script> {
    let op = prop_oneof![
        6 => push(1..4),
        8 => (topic(), 1usize..4).prop_map(|(topic, size)| Op::Ask { topic, size }),
        3 => joining(Just(WIDE)),
        4 => who().prop_map(|who| Op::Leave { who }),
        10 => (who(), who()).prop_map(|(who, job)| Op::Answer { who, job }),
        2 => who().prop_map(|who| Op::Cancel { who }),
        1 => time(),
    ];
    let start = vec((Just(WIDE), concurrency()), 2..5);
    (roomy(), Just(true), start, vec(op, 0..100)).prop_map(into_script)
}

/// As `pressure`, with pullers that answer.
fn slow_work() -> impl Strategy<Value = Script> {
    let op = prop_oneof![
        5 => push(1..12),
        5 => (topic(), 1usize..12).prop_map(|(topic, size)| Op::Ask { topic, size }),
        2 => joining(0usize..3),
        2 => who().prop_map(|who| Op::Leave { who }),
        4 => write(),
        4 => (who(), who()).prop_map(|(who, job)| Op::Answer { who, job }),
        2 => who().prop_map(|who| Op::Cancel { who }),
        1 => Just(Op::AllLeave),
        3 => time(),
    ];
    (rules(0.5), prop::bool::weighted(0.2), vec((0usize..3, concurrency()), 1..4), vec(op, 0..90))
        .prop_map(into_script)
}

fn roomy() -> impl Strategy<Value = QueueRules> {
    rules(0.5).prop_map(|rules| QueueRules { hold_messages: WIDE, hold_bytes: WIDE, ..rules })
}

fn concurrency() -> impl Strategy<Value = Option<usize>> {
    prop_oneof![2 => Just(None), 3 => Just(Some(1)), 2 => Just(Some(2)), 2 => Just(Some(WIDE))]
}

fn joining(capacity: impl Strategy<Value = usize>) -> impl Strategy<Value = Op> {
    (topic(), capacity, concurrency()).prop_map(|(topic, capacity, concurrency)| Op::Join {
        topic,
        capacity,
        concurrency,
    })
}

fn silent((topic, capacity): (usize, usize)) -> Op {
    Op::Join { topic, capacity, concurrency: None }
}

type Start = Vec<(usize, Option<usize>)>;

fn into_script((rules, eager, start, ops): (QueueRules, bool, Start, Vec<Op>)) -> Script {
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
