//! Random scripts for a dealer: sessions come and go, register, call, answer, cancel, and lose patience.
//!
//! As with the queue, operations carry places among what is there, so every part of a script is a script.

use petasus_broker::hub::MatchPolicy;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// What is called.
pub(crate) const URIS: [&str; 5] = ["a.b", "a.b.c", "a.c.c", "x.b.c", "y"];

/// What is registered.
pub(crate) const PATTERNS: [(MatchPolicy, &str); 9] = [
    (MatchPolicy::Exact, "a.b"),
    (MatchPolicy::Exact, "a.b.c"),
    (MatchPolicy::Prefix, "a"),
    (MatchPolicy::Prefix, "a.b"),
    (MatchPolicy::Wildcard, "a..c"),
    (MatchPolicy::Wildcard, ".b.c"),
    (MatchPolicy::Wildcard, "x.."),
    (MatchPolicy::Wildcard, "..c"),
    (MatchPolicy::Prefix, ""),
];

/// One step. What it names is counted among those that there are, and goes round.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    /// `features`: a bit for each. `room`: how many invocations fit into the outbox.
    Join {
        features: u8,
        room: usize,
    },
    Leave {
        who: usize,
    },
    Register {
        who: usize,
        pattern: usize,
        invoke: usize,
        concurrency: u64,
        forward: bool,
    },
    Unregister {
        who: usize,
        which: usize,
    },
    Revoke {
        which: usize,
        callee: Option<usize>,
    },
    Call {
        who: usize,
        uri: usize,
        receive: bool,
        progress: bool,
        timeout: Option<u64>,
        disclose: bool,
        random: u64,
    },
    /// The next pieces of a call: of one that takes such, of one that does not, or of one that has ended.
    Piece {
        which: usize,
        count: usize,
        last: bool,
    },
    Cancel {
        which: usize,
        mode: usize,
    },
    Yield {
        which: usize,
        progress: bool,
    },
    Fail {
        which: usize,
        unavailable: bool,
    },
    /// An answer to any invocation, also one that never was.
    Stray {
        who: usize,
        invocation: u64,
    },
    /// Time goes on, and the dealer may hear of it.
    Wait {
        ms: u64,
        expire: bool,
    },
    Room {
        who: usize,
        more: usize,
    },
}

#[derive(Debug, Clone)]
pub(crate) struct Script {
    /// The callees that there are from the start: features, room, concurrency.
    pub(crate) start: Vec<(u8, usize, u64)>,
    /// The policy with which they have registered the first pattern.
    pub(crate) invoke: usize,
    pub(crate) ops: Vec<Op>,
}

/// More than any script needs.
const WIDE: usize = 1000;

/// All kinds of scripts, mixed.
pub(crate) fn scripts() -> BoxedStrategy<Script> {
    prop_oneof![2 => shared(), 2 => busy(), 2 => narrow(), 2 => timed(), 3 => wild()].boxed()
}

/// Shared registrations with room for all: the policies.
pub(crate) fn shared() -> BoxedStrategy<Script> {
    let op = prop_oneof![
        16 => call(0..1, 0.1, 0.5),
        1 => join(WIDE),
        3 => register(0..1, Just(0)),
        1 => leave(),
        3 => unregister(),
        4 => answer(0.2, 0.4),
        1 => cancel(),
        1 => piece(),
    ];
    script(vec((features(), Just(WIDE), Just(0)), 2..5), op)
}

/// Callees with a limit: the queue.
pub(crate) fn busy() -> BoxedStrategy<Script> {
    let op = prop_oneof![
        24 => call(0..1, 0.05, 0.05),
        1 => join(WIDE),
        3 => register(0..1, 1u64..3),
        1 => leave(),
        2 => unregister(),
        1 => who().prop_map(|which| Op::Revoke { which, callee: None }),
        10 => answer(0.5, 0.5),
        6 => cancel(),
    ];
    script(vec((features(), Just(WIDE), 1u64..3), 1..4), op)
}

/// Callees with little room.
pub(crate) fn narrow() -> BoxedStrategy<Script> {
    let op = prop_oneof![
        12 => call(0..1, 0.3, 0.2),
        1 => (0usize..3).prop_flat_map(join),
        2 => register(0..1, 0u64..3),
        1 => leave(),
        1 => unregister(),
        9 => answer(0.3, 0.5),
        2 => cancel(),
        6 => piece(),
        2 => time(),
        6 => (who(), 1usize..3).prop_map(|(who, more)| Op::Room { who, more }),
    ];
    let callee = (features(), prop_oneof![3 => 0usize..3, 1 => Just(WIDE)], 0u64..3);
    script(vec(callee, 1..4), op)
}

/// Callers that do not wait for ever.
pub(crate) fn timed() -> BoxedStrategy<Script> {
    let op = prop_oneof![
        8 => call(0..1, 0.2, 0.9),
        1 => register(0..1, 0u64..3),
        8 => answer(0.8, 0.5),
        1 => cancel(),
        1 => piece(),
        8 => time(),
    ];
    script(vec((features(), Just(WIDE), 0u64..3), 1..4), op)
}

/// All patterns and all that can go wrong.
pub(crate) fn wild() -> BoxedStrategy<Script> {
    let op = prop_oneof![
        8 => call(0..URIS.len(), 0.3, 0.3),
        1 => prop_oneof![Just(1), Just(WIDE)].prop_flat_map(join),
        8 => register(0..PATTERNS.len(), 0u64..3),
        1 => leave(),
        2 => unregister(),
        1 => (who(), option::of(who())).prop_map(|(which, callee)| Op::Revoke { which, callee }),
        6 => answer(0.3, 0.5),
        2 => cancel(),
        4 => piece(),
        3 => time(),
        1 => (who(), 0u64..6).prop_map(|(who, invocation)| Op::Stray { who, invocation }),
        1 => (who(), 1usize..3).prop_map(|(who, more)| Op::Room { who, more }),
    ];
    script(vec((features(), Just(WIDE), 0u64..3), 1..4), op)
}

fn script(
    start: impl Strategy<Value = Vec<(u8, usize, u64)>> + 'static,
    op: impl Strategy<Value = Op> + 'static,
) -> BoxedStrategy<Script> {
    let invoke = prop_oneof![1 => 0usize..4, 2 => Just(4)];
    let ops = vec(op, 0..90);
    (start, invoke, ops).prop_map(|(start, invoke, ops)| Script { start, invoke, ops }).boxed()
}

fn leave() -> impl Strategy<Value = Op> {
    who().prop_map(|who| Op::Leave { who })
}

fn unregister() -> impl Strategy<Value = Op> {
    (who(), prop_oneof![2 => Just(0), 1 => who()]).prop_map(|(who, which)| Op::Unregister { who, which })
}

fn who() -> impl Strategy<Value = usize> {
    0usize..12
}

fn features() -> impl Strategy<Value = u8> {
    prop_oneof![4 => Just(0b1_1111u8), 1 => Just(0b11_1111u8), 2 => 0u8..64]
}

fn join(room: usize) -> impl Strategy<Value = Op> {
    features().prop_map(move |features| Op::Join { features, room })
}

fn register(
    patterns: std::ops::Range<usize>,
    concurrency: impl Strategy<Value = u64>,
) -> impl Strategy<Value = Op> {
    let invoke = prop_oneof![1 => 0usize..4, 3 => Just(4)];
    (who(), patterns, invoke, concurrency, any::<bool>()).prop_map(
        |(who, pattern, invoke, concurrency, forward)| Op::Register {
            who,
            pattern,
            invoke,
            concurrency,
            forward,
        },
    )
}

/// `progress`: how often more pieces follow; `timeout`: how often there is one.
fn call(uris: std::ops::Range<usize>, progress: f64, timeout: f64) -> impl Strategy<Value = Op> {
    let progress = prop::bool::weighted(progress);
    let timeout = option::weighted(timeout, 0u64..40);
    let options = (any::<bool>(), progress, timeout, any::<bool>());
    (who(), uris, options, 0u64..100).prop_map(
        |(who, uri, (receive, progress, timeout, disclose), random)| Op::Call {
            who,
            uri,
            receive,
            progress,
            timeout,
            disclose,
            random,
        },
    )
}

fn piece() -> impl Strategy<Value = Op> {
    let count = prop_oneof![6 => Just(1), 1 => 5usize..8];
    let last = prop::bool::weighted(0.3);
    (who(), count, last).prop_map(|(which, count, last)| Op::Piece { which, count, last })
}

fn cancel() -> impl Strategy<Value = Op> {
    (who(), 0usize..3).prop_map(|(which, mode)| Op::Cancel { which, mode })
}

fn answer(progress: f64, unavailable: f64) -> impl Strategy<Value = Op> {
    let (progress, unavailable) = (prop::bool::weighted(progress), prop::bool::weighted(unavailable));
    prop_oneof![
        5 => (who(), progress).prop_map(|(which, progress)| Op::Yield { which, progress }),
        3 => (who(), unavailable).prop_map(|(which, unavailable)| Op::Fail { which, unavailable }),
    ]
}

fn time() -> impl Strategy<Value = Op> {
    (0u64..30, prop::bool::weighted(0.8)).prop_map(|(ms, expire)| Op::Wait { ms, expire })
}
