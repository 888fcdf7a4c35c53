//! The bus: every other peer receives, the sender too if it asked for it.

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Card, Check, Family, Params, Violation, delivery, order};
use crate::history::{Conn, History, Leave};
use crate::model::{Door, Role, Topic};
use crate::plan::{Plan, Step};

/// A bus, what would be below it if buses had a hierarchy, and what only looks alike.
const TOPICS: [&str; 4] = ["a", "a/b", "ab", "A"];

/// What is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Op {
    /// A peer joins a topic of the list, with echo or without.
    Join(usize, bool),
    /// One of the peers says so many messages.
    Say(usize, u8),
    /// One of the peers leaves.
    Leave(usize),
    /// One of the peers is gone without a word.
    Vanish(usize),
}

/// First peers, then operations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Script {
    /// How many join the first topic before all, the last of them with echo if `echo`.
    pub peers: u8,
    /// See `peers`.
    pub echo: bool,
    /// What follows.
    pub ops: Vec<Op>,
}

/// The checks of this family.
pub fn checks() -> Vec<Box<dyn Check>> {
    vec![Box::new(Bus::Exchange), Box::new(Bus::Churn), Box::new(Bus::Hasty)]
}

/// A check of the bus.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bus {
    /// Peers join and stay.
    Exchange,
    /// Peers come and go between messages.
    Churn,
    /// Peers come and go while messages are under way.
    Hasty,
}

impl Family for Bus {
    type Script = Script;

    fn card(&self) -> Card {
        let (name, about) = match self {
            Self::Exchange => {
                ("bus.exchange", "Every other peer receives each message once; the sender with echo.")
            }
            Self::Churn => ("bus.churn", "Peers come and go between messages."),
            Self::Hasty => ("bus.hasty", "Peers come and go while messages are under way."),
        };
        Card {
            name,
            about,
            requirements: &[
                "REQ-BUS-001",
                "REQ-BUS-002",
                "REQ-BUS-003",
                "REQ-BUS-004",
                "REQ-BUS-005",
                "REQ-SUB-005",
                "REQ-SUB-006",
                "REQ-TOP-001",
                "REQ-ORD-001",
                "REQ-ORD-002",
                "REQ-PAY-001",
                "REQ-LIF-003",
                "REQ-LIVE-001",
                "REQ-WS-006",
                "REQ-WS-012",
            ],
            caps: &["bus"],
            any_of: &[],
            weight: 100,
        }
    }

    fn scripts(&self, _: &Params) -> BoxedStrategy<Script> {
        let join = (prop_oneof![3 => Just(0_usize), 1 => 0..TOPICS.len()], any::<bool>());
        let join = join.prop_map(|(topic, echo)| Op::Join(topic, echo));
        let say = (0..8_usize, 1..=3_u8).prop_map(|(who, n)| Op::Say(who, n));
        let op = if *self == Self::Exchange {
            prop_oneof![6 => say, 2 => join].boxed()
        } else {
            prop_oneof![
                5 => say,
                2 => join,
                2 => (0..8_usize).prop_map(Op::Leave),
                1 => (0..8_usize).prop_map(Op::Vanish),
            ]
            .boxed()
        };
        (0..=5_u8, any::<bool>(), prop::collection::vec(op, 0..12))
            .prop_map(|(peers, echo, ops)| Script { peers, echo, ops })
            .boxed()
    }

    fn classics(&self, _: &Params) -> Vec<Script> {
        let ops = match self {
            Self::Exchange => vec![Op::Join(1, false), Op::Say(0, 2), Op::Say(3, 1), Op::Say(4, 1)],
            _ => vec![Op::Say(0, 1), Op::Leave(1), Op::Say(0, 2), Op::Join(0, true), Op::Say(3, 2)],
        };
        vec![Script { peers: 4, echo: true, ops }]
    }

    fn plan(&self, script: &Script, params: &Params) -> Plan {
        let mut lowering = Lowering { has_echo: params.patterns.echo, ..Lowering::default() };
        for peer in 0..script.peers {
            lowering.op(&Op::Join(0, script.echo && peer + 1 == script.peers));
        }
        for op in &script.ops {
            lowering.op(op);
        }
        Plan { steps: lowering.steps, flush_before_changes: *self != Self::Hasty }
    }

    fn judge(&self, history: &History) -> Vec<Violation> {
        let mut violations = delivery::judge(history);
        violations.extend(order::total(history));
        violations
    }
}

#[derive(Default)]
struct Lowering {
    steps: Vec<Step>,
    next: u32,
    peers: Vec<Conn>,
    has_echo: bool,
}

impl Lowering {
    fn op(&mut self, op: &Op) {
        match *op {
            Op::Join(topic, echo) => {
                let conn = Conn(self.next);
                self.next += 1;
                let topic = Topic::new(TOPICS[topic % TOPICS.len()]);
                self.steps.push(Step::open(
                    conn,
                    Door { echo: echo && self.has_echo, ..Door::new(Role::Bus, topic) },
                ));
                self.peers.push(conn);
            }
            Op::Say(..) | Op::Leave(_) | Op::Vanish(_) if self.peers.is_empty() => {}
            Op::Say(who, n) => {
                let conn = self.peers[who % self.peers.len()];
                self.steps.extend((0..n).map(|_| Step::say(conn)));
            }
            Op::Leave(who) => self.part(who, Leave::Handshake),
            Op::Vanish(who) => self.part(who, Leave::Abrupt),
        }
    }

    fn part(&mut self, who: usize, how: Leave) {
        let conn = self.peers.remove(who % self.peers.len());
        self.steps.push(Step::Leave { conn, how });
    }
}
