//! Slow readers: what one of them does to the others, and what becomes of it.
//!
//! A proxy stops reading for one receiver while messages go to it and to others. The others are the clock: each message
//! is awaited by all of them before the next one is sent. Then the receiver reads again, and has to have everything, or
//! the unbroken begin of it and then the end.

use proptest::prelude::*;
use proptest::sample::select;
use serde::{Deserialize, Serialize};

use super::ledger::{Ledger, Member, Origin};
use super::{Card, Check, Family, Params, Violation};
use crate::fault::Disturbance;
use crate::history::{Conn, History, Wait};
use crate::launch::Wanted;
use crate::model::{Door, Fill, Kind, Role, Topic};
use crate::plan::{Plan, Step};

/// The one that is disturbed, and who sends to it.
const SLOW: Conn = Conn(0);
const SENDER: Conn = Conn(1);

/// Two elsewhere, whom none of this concerns.
const FAR: [Conn; 2] = [Conn(2), Conn(3)];

/// The first of those who hear the same.
const OTHERS: u32 = 10;

/// Bytes of a message: so many that some dozens of them fill what systems keep for a connection.
const SIZE: usize = 16_000;

/// The close code of a broker of ours for a reader that is too slow.
const TOO_SLOW: u16 = 3100;

/// One reader that stops.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Script {
    /// Of the list of patterns.
    pub pattern: usize,
    /// How many others hear the same, from 1.
    pub others: u8,
    /// Whether the slow one joins before them.
    pub is_first: bool,
    /// What happens to it.
    pub how: How,
    /// What is sent meanwhile, in units of some kilobytes.
    pub sent: u8,
    /// After how many of them somebody more joins.
    pub joins: u8,
    /// What is sent after it reads again.
    pub after: u8,
}

/// What happens to the slow one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum How {
    /// It stops reading.
    Freezes,
    /// It is not there any more, and nobody says so.
    Vanishes,
    /// Its connection carries some bytes at a time.
    Crawls(u16),
}

/// The checks of this family.
pub fn checks() -> Vec<Box<dyn Check>> {
    vec![Box::new(Flow { is_narrow: false }), Box::new(Flow { is_narrow: true })]
}

/// A check of slow readers.
#[derive(Clone, Copy, Debug)]
pub struct Flow {
    /// Whether the broker was told to keep little for each connection, so that something has to happen.
    is_narrow: bool,
}

impl Family for Flow {
    type Script = Script;

    fn card(&self) -> Card {
        let (name, about, caps) = if self.is_narrow {
            (
                "flow.overflow",
                "A reader for whom too much waits has the unbroken begin of it, and then the end.",
                &["tcp", "config.outbox", "slow.disconnect"][..],
            )
        } else {
            (
                "flow.frozen",
                "A reader that stops delays nobody else, and misses nothing unseen.",
                &["tcp"][..],
            )
        };
        Card {
            name,
            about,
            requirements: &["REQ-FLOW-001", "REQ-FLOW-002", "REQ-FLOW-004"],
            caps,
            any_of: &["bus", "pubsub"],
            weight: 10,
        }
    }

    fn scripts(&self, _: &Params) -> BoxedStrategy<Script> {
        let how = prop_oneof![
            4 => Just(How::Freezes),
            2 => Just(How::Vanishes),
            1 => select(vec![1, 7, 100]).prop_map(How::Crawls),
        ];
        let sent = if self.is_narrow { 30..=45_u8 } else { 1..=45 };
        (0..2_usize, 1..=3_u8, any::<bool>(), how, sent, 0..20_u8, 0..4_u8)
            .prop_map(|(pattern, others, is_first, how, sent, joins, after)| Script {
                pattern,
                others,
                is_first,
                how,
                sent,
                joins,
                after,
            })
            .boxed()
    }

    fn classics(&self, _: &Params) -> Vec<Script> {
        let script = |pattern, is_first, how| {
            let (others, sent, joins, after) = (1, 45, 44, 1);
            Script { pattern, others, is_first, how, sent, joins, after }
        };
        vec![script(1, true, How::Freezes), script(0, false, How::Freezes)]
    }

    fn plan(&self, script: &Script, params: &Params) -> Plan {
        let (from, to) = broadcast(params, script.pattern);
        let door = |role, topic: &str| Door::new(role, Topic::new(topic));
        let mut steps = Vec::new();
        if self.is_narrow {
            let wanted = Wanted { outbox_bytes: Some(params.max_message), ..Wanted::default() };
            steps.push(Step::Launch(wanted));
        }
        let mut others: Vec<Conn> = (OTHERS..).take(usize::from(script.others.max(1))).map(Conn).collect();
        let slow = Step::open(SLOW, door(to, "a"));
        steps.extend(others.iter().map(|&conn| Step::open(conn, door(to, "a"))));
        steps.insert(if script.is_first { usize::from(self.is_narrow) } else { steps.len() }, slow);
        steps.push(Step::open(SENDER, door(from, "a")));
        steps.extend([Step::open(FAR[0], door(to, "b")), Step::open(FAR[1], door(from, "b"))]);
        let how = match script.how {
            How::Freezes => Disturbance::Freeze,
            How::Vanishes => Disturbance::HalfOpen,
            How::Crawls(bytes) => Disturbance::Chop(bytes),
        };
        steps.push(Step::Disturb { conn: SLOW, how });
        let (mut said, mut far) = (0, 0);
        for unit in 0..script.sent {
            if unit == script.joins {
                let late = Conn(OTHERS + others.len() as u32);
                steps.push(Step::open(late, door(to, "a")));
                others.push(late);
            }
            say(&mut steps, SENDER, &others, &mut said, size(params, script.how));
            if unit % 16 == 15 {
                say(&mut steps, FAR[1], &FAR[..1], &mut far, 8);
            }
        }
        steps.push(Step::Disturb { conn: SLOW, how: Disturbance::Heal });
        for _ in 0..script.after {
            say(&mut steps, SENDER, &others, &mut said, 8);
        }
        Plan { steps, flush_before_changes: false }
    }

    fn judge(&self, history: &History) -> Vec<Violation> {
        let ledger = Ledger::of(history);
        let mut violations = held_up(&ledger);
        // Where all are held up, nothing can be said of the one.
        let slow = ledger.members.get(&SLOW).filter(|_| violations.is_empty());
        violations.extend(slow.and_then(|slow| told(&ledger, slow)));
        violations.extend(ledger.members.get(&SLOW).and_then(wrong_end));
        violations
    }
}

/// Bytes of a message. What crawls needs a write for each few of them.
fn size(params: &Params, how: How) -> usize {
    let most = if matches!(how, How::Crawls(_)) { 400 } else { SIZE };
    most.min(params.max_message / 2)
}

/// Who sends to many, and who they are.
fn broadcast(params: &Params, number: usize) -> (Role, Role) {
    let mut pairs = params.patterns.pairs();
    pairs.retain(|(from, _)| *from != Role::Push);
    // Nothing is checked where there is none.
    pairs.get(number % pairs.len().max(1)).copied().unwrap_or((Role::Pub, Role::Sub))
}

/// A message, awaited by everybody who is not disturbed.
fn say(steps: &mut Vec<Step>, from: Conn, to: &[Conn], number: &mut u32, bytes: usize) {
    steps.push(Step::Send { conn: from, kind: Kind::Text, fill: Fill::Tagged(bytes), pieces: 1 });
    steps.extend(to.iter().map(|&conn| Step::Await { conn, from, number: *number }));
    *number += 1;
}

/// Whoever is held up or ended for the sake of the slow one.
fn held_up(ledger: &Ledger) -> Vec<Violation> {
    let mut violations = Vec::new();
    for member in ledger.members.values().filter(|member| member.conn != SLOW) {
        let who = format!(
            "while 0 did not read, {} at {:?} {}",
            member.conn.0, member.door.role, member.door.topic
        );
        if member.missed.iter().any(|(_, wait)| matches!(wait, Wait::Ingress | Wait::Room)) {
            violations.push(Violation::liveness("REQ-FLOW-001", format!("{who} was not read")));
        }
        if let Some(number) = delayed(ledger, member) {
            let text = format!("{who} did not receive message {number} in time");
            violations.push(Violation::liveness("REQ-FLOW-001", text));
        }
        if member.ended.is_some() || member.broken.is_some() {
            violations.push(Violation::safety("REQ-FLOW-001", format!("{who} was ended")));
        }
        if member.opened.is_none() {
            violations.push(Violation::liveness("REQ-FLOW-001", format!("{who} could not join")));
        }
    }
    violations
}

/// The number of a message that somebody waited for in vain, and that came later, before all that was sent behind it; or
/// nothing came any more. What is lost alone is the matter of other checks.
fn delayed(ledger: &Ledger, member: &Member) -> Option<u32> {
    let (missed, _) = member.missed.iter().find(|(_, wait)| *wait == Wait::Delivery)?;
    let from = if member.conn == FAR[0] { FAR[1] } else { SENDER };
    let awaited =
        ledger.messages.iter().rev().find(|message| message.from == from && message.sent < *missed)?;
    let came = |is_it: &dyn Fn(u32) -> bool| {
        ledger.deliveries.iter().filter(|delivery| delivery.to == member.conn).find_map(|delivery| {
            let Origin::Message(index) = delivery.of else { return None };
            let message = &ledger.messages[index];
            (message.from == from && is_it(message.number)).then_some(delivery.at)
        })
    };
    let own = came(&|number| number == awaited.number);
    let next = came(&|number| number > awaited.number);
    let is_late = match (own, next) {
        (Some(own), Some(next)) => own < next,
        (Some(_) | None, None) => true,
        (None, Some(_)) => false,
    };
    is_late.then_some(awaited.number)
}

/// The first message that is due to the slow one and has not come, though a later one has, or though nobody ended it. One that
/// others lack as well is no matter of slowness.
fn gap(ledger: &Ledger, slow: &Member) -> Option<(u32, Option<u32>)> {
    let opened = slow.opened?;
    let due = || {
        let all = ledger.messages.iter().enumerate();
        all.filter(|(_, message)| message.from == SENDER && message.sent > opened)
    };
    let has = |conn: Conn, index: usize| ledger.copies(index, conn).next().is_some();
    let is_lost = |index: usize| {
        let sent = ledger.messages[index].sent;
        let others =
            ledger.members.values().filter(|member| member.conn.0 >= OTHERS && member.door == slow.door);
        let mut there = others.filter(|other| other.opened.is_some_and(|opened| opened < sent));
        there.any(|other| !has(other.conn, index))
    };
    let (first, missing) = due().find(|(index, _)| !has(SLOW, *index) && !is_lost(*index))?;
    let later = due().find(|(index, _)| *index > first && has(SLOW, *index));
    (later.is_some() || slow.over.is_none()).then_some((missing.number, later.map(|(_, later)| later.number)))
}

/// A gap that nobody was told of.
fn told(ledger: &Ledger, slow: &Member) -> Option<Violation> {
    let (missing, later) = gap(ledger, slow)?;
    if let Some(later) = later {
        let text =
            format!("0, which had not read for a while, received message {later} of 1 without {missing}");
        return Some(Violation::safety("REQ-FLOW-002", text));
    }
    let text = format!("0 reads again, and neither has message {missing} of 1 nor was ended");
    Some(Violation::liveness("REQ-FLOW-002", text))
}

/// It was ended in another way than with the code for slow readers.
fn wrong_end(slow: &Member) -> Option<Violation> {
    let (_, code) = slow.ended?;
    let text = format!("0, which read too slowly, was ended with {code:?}");
    (code != Some(TOO_SLOW)).then(|| Violation::safety("REQ-FLOW-004", text))
}
