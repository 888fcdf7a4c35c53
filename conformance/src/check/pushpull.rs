//! Queues: each message to one puller, in strict rotation, whoever comes and goes.

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Card, Check, Family, Params, Violation, delivery, ring};
use crate::history::{Conn, History, Leave};
use crate::model::{Door, Role, Topic};
use crate::plan::{Plan, Step};

/// A queue, and what would be below it if queues had a hierarchy.
const TOPICS: [&str; 2] = ["q", "q/r"];

/// What is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Op {
    /// A puller joins a queue of the list.
    Join(usize),
    /// So many messages are pushed to the first queue.
    Push(u8),
    /// So many by a pusher of one's own: its number, 0 to 2.
    PushBy(usize, u8),
    /// One message to the other queue.
    Aside,
    /// One of the pullers leaves.
    Leave(usize),
    /// One of the pullers is gone without a word.
    Vanish(usize),
    /// Everything pushed is read before what follows.
    Flush,
}

/// First pullers, then operations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Script {
    /// How many join the first queue before all.
    pub pullers: u8,
    /// What follows.
    pub ops: Vec<Op>,
}

/// The checks of this family.
pub fn checks() -> Vec<Box<dyn Check>> {
    vec![
        Box::new(PushPull::Steady),
        Box::new(PushPull::Churn),
        Box::new(PushPull::Crowd),
        Box::new(PushPull::Nobody),
        Box::new(PushPull::Hasty),
    ]
}

/// A check of queues.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PushPull {
    /// Pullers join and stay: F0 to F2.
    Steady,
    /// Pullers come and go between messages: F3 to F5.
    Churn,
    /// Several pushers: F6.
    Crowd,
    /// Nobody pulls.
    Nobody,
    /// Pullers come and go while messages are under way: F0.
    Hasty,
}

impl Family for PushPull {
    type Script = Script;

    fn card(&self) -> Card {
        let (name, about, weight) = match self {
            Self::Steady => ("pushpull.steady", "Pullers that stay take strict turns.", 100),
            Self::Churn => {
                ("pushpull.churn", "Pullers come and go; nobody is skipped, nothing is lost.", 200)
            }
            Self::Crowd => ("pushpull.crowd", "Several pushers share one cursor.", 100),
            Self::Nobody => ("pushpull.nobody", "A pusher to whom nobody listens goes on.", 50),
            Self::Hasty => ("pushpull.hasty", "Pullers come and go while messages are under way.", 100),
        };
        Card {
            name,
            about,
            requirements: &[
                "REQ-RR-001",
                "REQ-RR-002",
                "REQ-RR-003",
                "REQ-RR-004",
                "REQ-RR-005",
                "REQ-RR-006",
                "REQ-RR-007",
                "REQ-RR-008",
                "REQ-RR-009",
                "REQ-RR-010",
                "REQ-SUB-005",
                "REQ-SUB-006",
                "REQ-ORD-001",
                "REQ-PAY-001",
                "REQ-LIVE-001",
                "REQ-LIF-004",
                "REQ-WS-006",
                "REQ-WS-012",
            ],
            caps: &["pushpull"],
            any_of: &[],
            weight,
        }
    }

    fn scripts(&self, _: &Params) -> BoxedStrategy<Script> {
        let push = || (1..=5_u8).prop_map(Op::Push);
        let leave = || (0..6_usize).prop_map(Op::Leave);
        let join = || prop_oneof![7 => Just(Op::Join(0)), 1 => Just(Op::Join(1))];
        let (pullers, op, length) = match self {
            Self::Steady => {
                (1..=5_u8, prop_oneof![6 => push(), 2 => join(), 1 => Just(Op::Aside)].boxed(), 1..8_usize)
            }
            // Three pullers at the start and many leaves find what naive choices miss for hundreds of cases.
            Self::Churn => (
                3..=5,
                prop_oneof![5 => push(), 2 => join(), 4 => leave(), 1 => Just(Op::Aside)].boxed(),
                2..16,
            ),
            Self::Crowd => {
                let by = (0..3_usize, 1..=3_u8).prop_map(|(who, n)| Op::PushBy(who, n));
                (1..=4, prop_oneof![6 => by, 3 => Just(Op::Flush), 1 => join()].boxed(), 1..14)
            }
            Self::Nobody => (
                0..=1,
                prop_oneof![4 => push(), 2 => join(), 3 => leave(), 1 => Just(Op::Flush)].boxed(),
                1..8,
            ),
            Self::Hasty => {
                let vanish = (0..6_usize).prop_map(Op::Vanish);
                (
                    2..=4,
                    prop_oneof![6 => push(), 2 => join(), 3 => leave(), 1 => vanish, 2 => Just(Op::Flush)]
                        .boxed(),
                    2..14,
                )
            }
        };
        (pullers, prop::collection::vec(op, length))
            .prop_map(|(pullers, ops)| Script { pullers, ops })
            .boxed()
    }

    fn classics(&self, _: &Params) -> Vec<Script> {
        let script = |pullers, ops: &[Op]| Script { pullers, ops: ops.to_vec() };
        match self {
            // Perl's cursor is out of range, or skips.
            Self::Churn => vec![
                script(2, &[Op::Push(1), Op::Leave(0), Op::Push(1)]),
                script(3, &[Op::Push(1), Op::Leave(1), Op::Push(2)]),
                script(3, &[Op::Push(4), Op::Leave(0), Op::Push(3)]),
                script(2, &[Op::Push(1), Op::Join(0), Op::Push(4)]),
            ],
            Self::Nobody => vec![script(0, &[Op::Push(2), Op::Flush, Op::Join(0), Op::Push(2)])],
            Self::Crowd => vec![script(
                2,
                &[
                    Op::PushBy(0, 1),
                    Op::Flush,
                    Op::PushBy(1, 1),
                    Op::Flush,
                    Op::PushBy(0, 1),
                    Op::Flush,
                    Op::PushBy(1, 1),
                ],
            )],
            Self::Steady => vec![script(3, &[Op::Push(5), Op::Push(5)])],
            Self::Hasty => vec![
                script(3, &[Op::Push(5), Op::Push(5)]),
                // What follows when somebody went without a word, and the broker has long seen it.
                script(3, &[Op::Push(2), Op::Flush, Op::Vanish(0), Op::Push(3), Op::Flush, Op::Push(5)]),
            ],
        }
    }

    fn plan(&self, script: &Script, _: &Params) -> Plan {
        let mut lowering = Lowering::default();
        for _ in 0..script.pullers {
            lowering.op(&Op::Join(0));
        }
        for op in &script.ops {
            lowering.op(op);
        }
        Plan { steps: lowering.steps, flush_before_changes: *self != Self::Hasty }
    }

    fn judge(&self, history: &History) -> Vec<Violation> {
        let mut violations = delivery::judge(history);
        violations.extend(ring::judge(history));
        violations
    }
}

#[derive(Default)]
struct Lowering {
    steps: Vec<Step>,
    next: u32,
    pullers: Vec<Conn>,
    /// The pushers of the first queue, and that of the other.
    pushers: [Option<Conn>; 4],
}

impl Lowering {
    fn op(&mut self, op: &Op) {
        match *op {
            Op::Join(topic) => {
                let conn = self.open(Role::Pull, topic);
                self.pullers.push(conn);
            }
            Op::Push(n) => self.push(0, n),
            Op::PushBy(who, n) => self.push(who % 3, n),
            Op::Aside => self.push(3, 1),
            Op::Flush => self.steps.push(Step::Flush),
            Op::Leave(_) | Op::Vanish(_) if self.pullers.is_empty() => {}
            Op::Leave(who) => self.part(who, Leave::Handshake),
            Op::Vanish(who) => self.part(who, Leave::Abrupt),
        }
    }

    fn push(&mut self, pusher: usize, n: u8) {
        let conn = match self.pushers[pusher] {
            Some(conn) => conn,
            None => self.open(Role::Push, usize::from(pusher == 3)),
        };
        self.pushers[pusher] = Some(conn);
        self.steps.extend((0..n).map(|_| Step::say(conn)));
    }

    fn open(&mut self, role: Role, topic: usize) -> Conn {
        let conn = Conn(self.next);
        self.next += 1;
        let topic = Topic::new(TOPICS[topic % TOPICS.len()]);
        self.steps.push(Step::open(conn, Door::new(role, topic)));
        conn
    }

    fn part(&mut self, who: usize, how: Leave) {
        let conn = self.pullers.remove(who % self.pullers.len());
        self.steps.push(Step::Leave { conn, how });
    }
}
