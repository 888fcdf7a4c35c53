//! Publish and subscribe: who receives what, over a hierarchy of topics, while others come and go.

use proptest::prelude::*;
use proptest::sample::select;
use serde::{Deserialize, Serialize};

use super::{Card, Check, Family, Params, Violation, delivery};
use crate::history::{Conn, History, Leave};
use crate::model::{Door, Role, Topic};
use crate::plan::{Plan, Step};

/// Topics that are easily taken for one another: prefixes without a separator, another case, other letters, empty
/// segments.
const TOPICS: [&str; 11] = ["a", "a/b", "ab", "a/bc", "a/b/c", "A", "a/b/é", "a/", "a//b", "a/b/", "/a"];

/// The same for brokers without a hierarchy: none of them is above another.
const FLAT: [&str; 11] = ["a", "b", "ab", "bc", "c", "A", "é", "e\u{301}", "aa", "B", "a b"];

/// What is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Op {
    /// Somebody subscribes to a topic of the list.
    Sub(usize),
    /// The publisher of a topic publishes so many messages.
    Pub(usize, u8),
    /// One of those who are subscribed leaves.
    Leave(usize),
    /// One of those who are subscribed is gone without a word.
    Vanish(usize),
    /// Somebody who subscribed sends on that connection, which is for nobody.
    Shout(usize),
}

/// First subscriptions, then operations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Script {
    /// Topics subscribed to before all.
    pub subs: Vec<usize>,
    /// What follows.
    pub ops: Vec<Op>,
}

/// The checks of this family.
pub fn checks() -> Vec<Box<dyn Check>> {
    vec![
        Box::new(PubSub { churn: false, hasty: false }),
        Box::new(PubSub { churn: true, hasty: false }),
        Box::new(PubSub { churn: true, hasty: true }),
    ]
}

/// A check of pub/sub.
#[derive(Clone, Copy, Debug)]
pub struct PubSub {
    /// Whether subscribers come and go.
    churn: bool,
    /// Whether they do so while messages are under way.
    hasty: bool,
}

impl Family for PubSub {
    type Script = Script;

    fn card(&self) -> Card {
        let (name, about) = match (self.churn, self.hasty) {
            (false, _) => {
                ("pubsub.hierarchy", "Publications reach the topic and its ancestors, and nobody else.")
            }
            (true, false) => ("pubsub.churn", "Subscribers come and go between publications."),
            (true, true) => ("pubsub.hasty", "Subscribers come and go while publications are under way."),
        };
        Card {
            name,
            about,
            requirements: &[
                "REQ-SUB-001",
                "REQ-SUB-002",
                "REQ-SUB-003",
                "REQ-SUB-004",
                "REQ-SUB-005",
                "REQ-SUB-006",
                "REQ-SUB-007",
                "REQ-SUB-008",
                "REQ-SUB-009",
                "REQ-TOP-001",
                "REQ-ORD-001",
                "REQ-PAY-001",
                "REQ-LIF-003",
                "REQ-LIVE-001",
                "REQ-WS-006",
                "REQ-WS-012",
            ],
            caps: if self.churn { &["pubsub"] } else { &["pubsub", "pubsub.hierarchy"] },
            any_of: &[],
            weight: 100,
        }
    }

    fn scripts(&self, _: &Params) -> BoxedStrategy<Script> {
        // Near topics say more than far ones: half of the choices are among the first four.
        let topic = || prop_oneof![0..4_usize, 0..TOPICS.len()];
        let publish = (topic(), 1..=3_u8).prop_map(|(topic, n)| Op::Pub(topic, n));
        let ops = if self.churn {
            prop_oneof![
                6 => publish,
                2 => topic().prop_map(Op::Sub),
                2 => (0..8_usize).prop_map(Op::Leave),
                1 => (0..8_usize).prop_map(Op::Vanish),
            ]
            .boxed()
        } else {
            prop_oneof![
                8 => publish,
                3 => topic().prop_map(Op::Sub),
                1 => (0..8_usize).prop_map(Op::Shout),
            ]
            .boxed()
        };
        let subs = prop_oneof![
            prop::collection::vec(topic(), 0..=3),
            select(vec![vec![0, 1], vec![0, 0, 1], vec![1, 3], vec![4, 1, 0]]),
        ];
        (subs, prop::collection::vec(ops, 0..14)).prop_map(|(subs, ops)| Script { subs, ops }).boxed()
    }

    fn classics(&self, _: &Params) -> Vec<Script> {
        let script = |subs: &[usize], ops: &[Op]| Script { subs: subs.to_vec(), ops: ops.to_vec() };
        if self.churn {
            return vec![script(
                &[0, 0, 0],
                &[Op::Pub(0, 1), Op::Leave(0), Op::Pub(0, 2), Op::Vanish(0), Op::Pub(1, 1)],
            )];
        }
        vec![
            script(&[1], &[Op::Pub(2, 1), Op::Pub(3, 1), Op::Pub(0, 1)]),
            script(&[0, 1, 7], &[Op::Pub(4, 1), Op::Pub(8, 1), Op::Pub(7, 1), Op::Pub(9, 1)]),
        ]
    }

    fn plan(&self, script: &Script, params: &Params) -> Plan {
        let topics = if params.patterns.hierarchy { TOPICS } else { FLAT };
        let mut lowering = Lowering::new(topics);
        for &topic in &script.subs {
            lowering.op(&Op::Sub(topic));
        }
        for op in &script.ops {
            lowering.op(op);
        }
        Plan { steps: lowering.steps, flush_before_changes: !self.hasty }
    }

    fn judge(&self, history: &History) -> Vec<Violation> {
        delivery::judge(history)
    }
}

struct Lowering {
    topics: [&'static str; 11],
    steps: Vec<Step>,
    next: u32,
    subscribed: Vec<Conn>,
    /// The publisher of each topic.
    publishers: Vec<(usize, Conn)>,
}

impl Lowering {
    fn new(topics: [&'static str; 11]) -> Self {
        Self { topics, steps: Vec::new(), next: 0, subscribed: Vec::new(), publishers: Vec::new() }
    }

    fn op(&mut self, op: &Op) {
        match *op {
            Op::Sub(topic) => {
                let conn = self.open(Role::Sub, topic);
                self.subscribed.push(conn);
            }
            Op::Pub(topic, n) => {
                let topic = topic % self.topics.len();
                let known = self.publishers.iter().find(|(of, _)| *of == topic).map(|(_, conn)| *conn);
                let conn = known.unwrap_or_else(|| self.open(Role::Pub, topic));
                if known.is_none() {
                    self.publishers.push((topic, conn));
                }
                self.steps.extend((0..n).map(|_| Step::say(conn)));
            }
            Op::Leave(who) => self.part(who, Leave::Handshake),
            Op::Vanish(who) => self.part(who, Leave::Abrupt),
            Op::Shout(_) if self.subscribed.is_empty() => {}
            Op::Shout(who) => self.steps.push(Step::say(self.subscribed[who % self.subscribed.len()])),
        }
    }

    fn open(&mut self, role: Role, topic: usize) -> Conn {
        let conn = Conn(self.next);
        self.next += 1;
        let topic = Topic::new(self.topics[topic % self.topics.len()]);
        self.steps.push(Step::open(conn, Door::new(role, topic)));
        conn
    }

    fn part(&mut self, who: usize, how: Leave) {
        if !self.subscribed.is_empty() {
            let conn = self.subscribed.remove(who % self.subscribed.len());
            self.steps.push(Step::Leave { conn, how });
        }
    }
}
