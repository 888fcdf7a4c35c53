//! Order: of one sender, among all receivers, and between what is said and what is answered.

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::ledger::{Ledger, Origin};
use super::{Card, Check, Family, Params, Violation, delivery};
use crate::history::{Conn, History};
use crate::model::{Door, Pattern, Role, Topic};
use crate::plan::{Plan, Step};

/// What is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Op {
    /// A sender sends so many messages and waits for nothing.
    Burst(usize, u8),
    /// A sender answers the last message: it sends after it has seen it. On the bus only.
    Answer(usize),
}

/// Who is there, and what they say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Script {
    /// 1 to 4.
    pub senders: u8,
    /// 1 to 4; on the bus, peers that only listen.
    pub receivers: u8,
    /// In order.
    pub ops: Vec<Op>,
}

/// The checks of this family.
pub fn checks() -> Vec<Box<dyn Check>> {
    vec![Box::new(Order::PubSub), Box::new(Order::Bus)]
}

/// A check of order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Order {
    /// Publishers and subscribers of one topic.
    PubSub,
    /// Peers of a bus, who also answer one another.
    Bus,
}

impl Family for Order {
    type Script = Script;

    fn card(&self) -> Card {
        let (name, about, caps): (_, _, &[&str]) = match self {
            Self::PubSub => {
                ("order.pubsub", "Several publish at once; all subscribers see one order.", &["pubsub"])
            }
            Self::Bus => {
                ("order.bus", "Peers talk at once and answer; all see one order, causes first.", &["bus"])
            }
        };
        let requirements = &[
            "REQ-ORD-001",
            "REQ-ORD-002",
            "REQ-ORD-003",
            "REQ-SUB-001",
            "REQ-SUB-003",
            "REQ-BUS-001",
            "REQ-BUS-002",
            "REQ-SUB-006",
            "REQ-PAY-001",
            "REQ-LIVE-001",
        ];
        Card { name, about, requirements, caps, any_of: &[], weight: 60 }
    }

    fn scripts(&self, _: &Params) -> BoxedStrategy<Script> {
        let burst = (0..4_usize, 1..=12_u8).prop_map(|(who, n)| Op::Burst(who, n));
        let op = if *self == Self::Bus {
            prop_oneof![4 => burst, 3 => (0..4_usize).prop_map(Op::Answer)].boxed()
        } else {
            burst.boxed()
        };
        (1..=4_u8, 1..=4_u8, prop::collection::vec(op, 1..12))
            .prop_map(|(senders, receivers, ops)| Script { senders, receivers, ops })
            .boxed()
    }

    fn plan(&self, script: &Script, _: &Params) -> Plan {
        let topic = Topic::new("o");
        let (sender, receiver) =
            if *self == Self::Bus { (Role::Bus, Role::Bus) } else { (Role::Pub, Role::Sub) };
        let senders = u32::from(script.senders.max(1));
        let mut steps: Vec<Step> = (0..u32::from(script.receivers))
            .map(|i| Step::open(Conn(senders + i), Door::new(receiver, topic.clone())))
            .collect();
        steps.extend((0..senders).map(|i| Step::open(Conn(i), Door::new(sender, topic.clone()))));
        let mut sent = vec![0_u32; senders as usize];
        let mut last: Option<(usize, u32)> = None;
        for op in &script.ops {
            match *op {
                Op::Burst(who, n) => {
                    let who = who % sent.len();
                    steps.extend((0..n).map(|_| Step::say(Conn(who as u32))));
                    sent[who] += u32::from(n);
                    last = sent[who].checked_sub(1).map(|number| (who, number));
                }
                Op::Answer(who) => {
                    let who = who % sent.len();
                    let Some((from, number)) = last.filter(|(from, _)| *from != who) else { continue };
                    steps.push(Step::Await { conn: Conn(who as u32), from: Conn(from as u32), number });
                    steps.push(Step::say(Conn(who as u32)));
                    last = Some((who, sent[who]));
                    sent[who] += 1;
                }
            }
        }
        Plan::new(steps)
    }

    fn judge(&self, history: &History) -> Vec<Violation> {
        let mut violations = delivery::judge(history);
        violations.extend(total(history));
        violations.extend(causal(history));
        violations
    }
}

/// What each receiver got, first copies only, as places in the list of messages.
fn logs(ledger: &Ledger) -> Vec<(Conn, Vec<usize>)> {
    let mut logs: Vec<(Conn, Vec<usize>)> = Vec::new();
    for delivery in &ledger.deliveries {
        let Origin::Message(index) = delivery.of else { continue };
        let is_one_of_many =
            ledger.members.get(&delivery.to).is_some_and(|m| m.door.role.pattern() != Pattern::Queue);
        if !is_one_of_many {
            continue;
        }
        match logs.iter_mut().find(|(conn, _)| *conn == delivery.to) {
            Some((_, log)) if log.contains(&index) => {}
            Some((_, log)) => log.push(index),
            None => logs.push((delivery.to, vec![index])),
        }
    }
    logs
}

/// Any two receivers agree on the order of those messages of one topic that both got. Messages of one sender that are
/// out of order are judged as such, and no pair of theirs here.
pub(super) fn total(history: &History) -> Vec<Violation> {
    let ledger = Ledger::of(history);
    let logs = logs(&ledger);
    let topic =
        |index: usize| ledger.members.get(&ledger.messages[index].from).map(|member| &member.door.topic);
    for (i, (one, first)) in logs.iter().enumerate() {
        for (other, second) in &logs[i + 1..] {
            let common: Vec<usize> =
                second.iter().filter_map(|index| first.iter().position(|known| known == index)).collect();
            let inverted = common.windows(2).find(|pair| {
                let (a, b) = (first[pair[0]], first[pair[1]]);
                let differ = ledger.messages[a].from != ledger.messages[b].from;
                pair[0] > pair[1] && differ && topic(a) == topic(b)
            });
            if let Some(pair) = inverted {
                let name = |place: usize| {
                    let message = &ledger.messages[first[place]];
                    format!("{} of {}", message.number, message.from.0)
                };
                let text = format!(
                    "{} received message {} before {}, {} the other way round",
                    other.0,
                    name(pair[0]),
                    name(pair[1]),
                    one.0
                );
                return vec![Violation::safety("REQ-ORD-002", text)];
            }
        }
    }
    Vec::new()
}

/// Nobody receives an answer before what it answers: what its sender had received when it sent it.
fn causal(history: &History) -> Vec<Violation> {
    let ledger = Ledger::of(history);
    for (to, log) in logs(&ledger) {
        for (place, &answer) in log.iter().enumerate() {
            let answer = &ledger.messages[answer];
            let was_seen =
                |cause: usize| ledger.copies(cause, answer.from).any(|delivery| delivery.at < answer.sent);
            if let Some(&cause) = log[place + 1..].iter().find(|&&cause| was_seen(cause)) {
                let cause = &ledger.messages[cause];
                let text = format!(
                    "{} received message {} of {} before message {} of {}, which its sender had seen",
                    to.0, answer.number, answer.from.0, cause.number, cause.from.0
                );
                return vec![Violation::safety("REQ-ORD-003", text)];
            }
        }
    }
    Vec::new()
}
