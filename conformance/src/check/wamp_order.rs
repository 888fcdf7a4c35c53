//! Order on sessions, which carry many topics and procedures at once: what a publisher says, what a caller asks, and answers
//! before what they allow.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::asking::Asking;
use super::talk::{Ask, Talk};
use super::{Card, Check, Family, Params, Violation};
use crate::history::{Conn, History};
use crate::model::{Answer, Give, Match, Policy, Publish, Request};
use crate::plan::Plan;

/// What is published to and subscribed to.
const TOPICS: [&str; 4] = ["a", "a.b", "c", "c.b"];

/// What is subscribed to besides.
const PATTERNS: [(Match, &str); 3] = [(Match::Prefix, "a"), (Match::Wildcard, ".b"), (Match::Prefix, "")];

/// What is called.
const PROCEDURES: [&str; 2] = ["p", "q"];

/// The checks of this family.
pub fn checks() -> Vec<Box<dyn Check>> {
    vec![
        Box::new(Order::Events { patterns: false }),
        Box::new(Order::Events { patterns: true }),
        Box::new(Order::Answers),
        Box::new(Order::Calls),
    ]
}

/// A check of order. Sessions 0 and 1 publish and call; 2 and 3 subscribe and register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Publications to several topics, and to those who hear one by several subscriptions.
    Events {
        /// Whether there are other subscriptions than exact ones.
        patterns: bool,
    },
    /// Subscriptions and registrations while others publish and call.
    Answers,
    /// Calls one behind the other, with parts of results.
    Calls,
}

/// What is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Op {
    /// Somebody subscribes to a topic of the list, or to a pattern behind it.
    Subscribe(usize, usize),
    /// Somebody registers a procedure, and others may too.
    Register(usize, usize),
    /// Somebody publishes to these, one behind the other.
    Publish(usize, Vec<usize>),
    /// Somebody calls these, one behind the other.
    Call(usize, Vec<usize>),
}

impl Family for Order {
    type Script = Vec<Op>;

    fn card(&self) -> Card {
        let (name, about, requirements, caps): (_, _, &[&str], &[&str]) = match self {
            Self::Events { patterns: false } => (
                "wamp_order.events",
                "What one publishes to several topics comes in that order.",
                &["REQ-WAMP-101", "REQ-ORD-004"],
                &["multiplexed", "pubsub"],
            ),
            Self::Events { patterns: true } => (
                "wamp_order.patterns",
                "It does to those who hear it by several subscriptions.",
                &["REQ-WAMP-101", "REQ-ORD-004"],
                &["multiplexed", "pubsub.patterns"],
            ),
            Self::Answers => (
                "wamp_order.answers",
                "Nothing comes by a subscription or registration before it is granted.",
                &["REQ-WAMP-102"],
                &["multiplexed", "pubsub", "rpc", "rpc.shared"],
            ),
            Self::Calls => (
                "wamp_order.calls",
                "Calls reach their callee, and parts of results their caller, in their order.",
                &["REQ-WAMP-103"],
                &["multiplexed", "rpc", "rpc.progress"],
            ),
        };
        Card { name, about, requirements, caps, any_of: &[], weight: 40 }
    }

    fn scripts(&self, _: &Params) -> BoxedStrategy<Vec<Op>> {
        let topics =
            TOPICS.len() + if matches!(self, Self::Events { patterns: true }) { PATTERNS.len() } else { 0 };
        let speaker = || 0..2_usize;
        let listener = || 2..4_usize;
        let many = |n: usize| prop::collection::vec(0..n, 1..9);
        let subscribe = (listener(), 0..topics).prop_map(|(who, topic)| Op::Subscribe(who, topic));
        let publish = (speaker(), many(TOPICS.len())).prop_map(|(who, topics)| Op::Publish(who, topics));
        let register = (listener(), 0..PROCEDURES.len()).prop_map(|(who, name)| Op::Register(who, name));
        let call = (speaker(), many(PROCEDURES.len())).prop_map(|(who, names)| Op::Call(who, names));
        let op = match self {
            Self::Events { .. } => prop_oneof![subscribe, publish].boxed(),
            Self::Answers => prop_oneof![2 => subscribe, 1 => register, 2 => publish, 1 => call].boxed(),
            Self::Calls => prop_oneof![1 => register, 2 => call].boxed(),
        };
        prop::collection::vec(op, 2..9).boxed()
    }

    fn classics(&self, _: &Params) -> Vec<Vec<Op>> {
        let publish = |topics: &[usize]| Op::Publish(0, topics.to_vec());
        match self {
            Self::Events { patterns: false } => {
                let all = (0..TOPICS.len()).map(|topic| Op::Subscribe(2, topic));
                vec![all.chain([publish(&[0, 1, 2, 3, 1, 0]), publish(&[3, 3, 2])]).collect()]
            }
            Self::Events { patterns: true } => {
                let both = [Op::Subscribe(2, 0), Op::Subscribe(2, TOPICS.len())];
                vec![both.into_iter().chain([publish(&[0, 0, 0, 0])]).collect()]
            }
            Self::Answers => vec![
                vec![
                    publish(&[0]),
                    Op::Subscribe(2, 0),
                    publish(&[0, 0, 0]),
                    Op::Subscribe(3, 0),
                    publish(&[0]),
                ],
                vec![
                    Op::Register(2, 0),
                    Op::Call(0, vec![0, 0]),
                    Op::Register(3, 0),
                    Op::Call(1, vec![0, 0]),
                ],
            ],
            Self::Calls => {
                vec![vec![Op::Register(2, 0), Op::Register(3, 1), Op::Call(0, vec![0, 0, 1, 0, 1, 0])]]
            }
        }
    }

    fn plan(&self, script: &Vec<Op>, _: &Params) -> Plan {
        let mut lowering = Lowering {
            asking: Asking::new(4),
            waits: *self != Self::Answers,
            granted: vec![],
            calls: vec![],
        };
        // What is subscribed to and registered is there before all else, unless this is about when it is.
        let is_change = |op: &&Op| matches!(op, Op::Subscribe(..) | Op::Register(..));
        let (changes, others): (Vec<&Op>, Vec<&Op>) = script.iter().partition(is_change);
        let ops = if *self == Self::Answers { script.iter().collect() } else { [changes, others].concat() };
        for op in ops {
            lowering.op(op);
        }
        lowering.finished()
    }

    fn judge(&self, history: &History) -> Vec<Violation> {
        let talk = Talk::of(history);
        match self {
            Self::Events { .. } => events(&talk),
            Self::Answers => answers(&talk),
            Self::Calls => calls(&talk),
        }
    }
}

struct Lowering {
    asking: Asking,
    /// Whether a change is waited for.
    waits: bool,
    /// The changes.
    granted: Vec<(usize, u32)>,
    calls: Vec<(usize, u32)>,
}

impl Lowering {
    fn op(&mut self, op: &Op) {
        match op {
            Op::Subscribe(who, topic) => {
                let all: Vec<(Match, &str)> =
                    TOPICS.iter().map(|topic| (Match::Exact, *topic)).chain(PATTERNS).collect();
                let (matching, topic) = all[topic % all.len()];
                self.change(2 + who % 2, Request::Subscribe { topic: topic.to_owned(), matching });
            }
            Op::Register(who, name) => {
                let procedure = PROCEDURES[name % PROCEDURES.len()].to_owned();
                let (matching, policy) = (Match::Exact, Policy::RoundRobin);
                // Without sharing, the second one is refused, which is no matter of order.
                let policy = if self.waits { Policy::Single } else { policy };
                self.change(
                    2 + who % 2,
                    Request::Register { procedure, matching, policy, concurrency: None },
                );
            }
            Op::Publish(who, topics) => {
                for topic in topics {
                    let topic = TOPICS[topic % TOPICS.len()].to_owned();
                    self.asking.ask(who % 2, Request::Publish(Publish { topic, ..Publish::default() }));
                }
            }
            Op::Call(who, names) => {
                for name in names {
                    let procedure = PROCEDURES[name % PROCEDURES.len()].to_owned();
                    let request = Request::Call { procedure, progress: self.waits, timeout_ms: None };
                    self.calls.push((who % 2, self.asking.ask(who % 2, request)));
                }
            }
        }
    }

    fn change(&mut self, who: usize, request: Request) {
        let number = self.asking.ask(who, request);
        if self.waits {
            self.asking.wait(who, number);
        }
        self.granted.push((who, number));
    }

    /// All changes are waited for, and all calls answered: the last ones first.
    fn finished(mut self) -> Plan {
        for &(who, number) in &self.granted {
            self.asking.wait(who, number);
        }
        let gives: &[Give] =
            if self.waits { &[Give::Progress, Give::Progress, Give::Result] } else { &[Give::Result] };
        for &(who, number) in self.calls.iter().rev() {
            self.asking.serve(who, number, gives);
        }
        for &(who, number) in &self.calls {
            self.asking.wait(who, number);
        }
        self.asking.plan()
    }
}

/// Whether a listener heard one publisher out of order.
fn events(talk: &Talk) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut last: BTreeMap<(Conn, Conn), &Ask> = BTreeMap::new();
    for heard in &talk.heard {
        let Some(ask) = talk.ask_of(&heard.payload) else { continue };
        let before = last.entry((heard.by, ask.id.0)).or_insert(ask);
        if ask.id.1 >= before.id.1 {
            *before = ask;
            continue;
        }
        let text = format!("{} heard {} after {}", heard.by.0, ask.text(), before.text());
        if topic(ask) != topic(before) {
            violations.push(Violation::safety("REQ-ORD-004", text.clone()));
        }
        violations.push(Violation::safety("REQ-WAMP-101", text));
    }
    violations
}

fn topic(ask: &Ask) -> Option<&str> {
    match &ask.request {
        Request::Publish(publish) => Some(&publish.topic),
        _ => None,
    }
}

/// Whether something came by what was not granted yet.
fn answers(talk: &Talk) -> Vec<Violation> {
    let is_granted = |by: Conn, id: u64, at: usize, registers: bool| {
        talk.asks.values().any(|ask| {
            let fits = matches!(ask.request, Request::Register { .. }) == registers;
            let granted = ask.granted().is_some_and(|(granted, is)| is == Some(id) && granted < at);
            ask.id.0 == by && fits && granted
        })
    };
    let heard = talk.heard.iter().filter(|heard| !is_granted(heard.by, heard.subscription, heard.at, false));
    let heard = heard.map(|heard| {
        format!("{} had an event of subscription {} before that was granted", heard.by.0, heard.subscription)
    });
    let called = talk.invoked.iter().filter(|one| !is_granted(one.callee, one.registration, one.at, true));
    let called = called.map(|one| {
        format!("{} had a call of registration {} before that was granted", one.callee.0, one.registration)
    });
    heard.chain(called).map(|text| Violation::safety("REQ-WAMP-102", text)).collect()
}

/// Whether a callee had the calls of a caller out of order, or a caller parts of its result.
fn calls(talk: &Talk) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut last: BTreeMap<(Conn, Conn, &str), u32> = BTreeMap::new();
    for invoked in &talk.invoked {
        let Some(ask) = talk.ask_of(&invoked.payload) else { continue };
        let Request::Call { procedure, .. } = &ask.request else { continue };
        let before = last.entry((invoked.callee, ask.id.0, procedure)).or_default();
        if ask.id.1 < *before {
            let text = format!("{} had {} after request {before}", invoked.callee.0, ask.text());
            violations.push(Violation::safety("REQ-WAMP-103", text));
        }
        *before = (*before).max(ask.id.1);
    }
    for ask in talk.asks.values() {
        let parts = ask.answers.iter().filter_map(|(_, answer)| match answer {
            Answer::Progress { payload } | Answer::Result { payload } => payload.tag(),
            _ => None,
        });
        let numbers: Vec<u32> = parts.map(|tag| tag.number).collect();
        if !numbers.is_sorted() {
            let text = format!("{} was answered {numbers:?}", ask.text());
            violations.push(Violation::safety("REQ-WAMP-103", text));
        }
    }
    violations
}
