//! The broker dies, or is asked to stop, and is started again: nothing of before comes back, and who is told to go has
//! everything that waited.

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::ledger::{Due, Ledger, Member};
use super::{ANY_PATTERN, Card, Check, Family, Params, Violation};
use crate::fault::Disturbance;
use crate::history::{Conn, History, What};
use crate::launch::Wanted;
use crate::model::{Door, Fill, Kind, Role, Topic};
use crate::plan::{Plan, Step};

/// Who sends before, and after.
const SENDERS: [Conn; 2] = [Conn(1), Conn(2)];

/// The first of those who receive before, and after.
const RECEIVERS: [u32; 2] = [10, 20];

/// Bytes of a message for somebody who does not read: some dozens of them fill what systems keep for a connection.
const SIZE: usize = 16_000;

/// What a broker that stops says: going away (RFC 6455, 7.4.1), or that it restarts.
const GOING: [u16; 2] = [1001, 1012];

/// What a router says.
const SHUTDOWN: &str = "wamp.close.system_shutdown";

/// One end and one begin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Script {
    /// Of the list of patterns.
    pub pattern: usize,
    /// How many receive, from 1.
    pub receivers: u8,
    /// What is sent before.
    pub before: u8,
    /// Whether the first of two or more receivers does not read until the broker is asked to stop.
    pub is_slow: bool,
    /// What is sent after, from 1.
    pub after: u8,
}

/// The checks of this family.
pub fn checks() -> Vec<Box<dyn Check>> {
    vec![Box::new(Crash { is_asked: false }), Box::new(Crash { is_asked: true })]
}

/// A check of ends.
#[derive(Clone, Copy, Debug)]
pub struct Crash {
    /// Whether the broker is asked to stop; if not it is killed.
    is_asked: bool,
}

impl Family for Crash {
    type Script = Script;

    fn card(&self) -> Card {
        let (name, about, requirements) = if self.is_asked {
            (
                "crash.drain",
                "A broker that is asked to stop sends what waits, says why, and ends.",
                &["REQ-CRS-002", "REQ-WAMP-018", "REQ-DRAIN-001", "REQ-CRS-001"][..],
            )
        } else {
            (
                "crash.kill",
                "A broker that was killed and started again works, and nothing of before comes back.",
                &["REQ-CRS-001"][..],
            )
        };
        Card { name, about, requirements, caps: &["tcp", "crash.restart"], any_of: ANY_PATTERN, weight: 10 }
    }

    fn scripts(&self, _: &Params) -> BoxedStrategy<Script> {
        let before = if self.is_asked { 0..=30_u8 } else { 0..=8 };
        let is_slow = prop::bool::weighted(if self.is_asked { 0.5 } else { 0.0 });
        (0..3_usize, 1..=3_u8, before, is_slow, 1..=3_u8)
            .prop_map(|(pattern, receivers, before, is_slow, after)| Script {
                pattern,
                receivers,
                before,
                is_slow,
                after,
            })
            .boxed()
    }

    fn classics(&self, _: &Params) -> Vec<Script> {
        let script = |pattern, is_slow| Script { pattern, receivers: 2, before: 30, is_slow, after: 1 };
        if self.is_asked { vec![script(1, true), script(2, false)] } else { vec![script(1, false)] }
    }

    fn plan(&self, script: &Script, params: &Params) -> Plan {
        let (from, to) = params.patterns.pair(script.pattern);
        // A job that waits for one may be another's.
        let is_slow = script.is_slow && script.receivers > 1 && to != Role::Pull;
        let topic = || Topic::new("a");
        let receivers = |of: usize| (RECEIVERS[of]..).take(usize::from(script.receivers.max(1))).map(Conn);
        let open = |of: usize| {
            let all = receivers(of).map(|conn| Step::open(conn, Door::new(to, topic())));
            all.chain([Step::open(SENDERS[of], Door::new(from, topic()))]).collect::<Vec<_>>()
        };
        let mut steps = vec![Step::Launch(Wanted::default())];
        steps.extend(open(0));
        let slow = Conn(RECEIVERS[0]);
        if is_slow {
            steps.push(Step::Disturb { conn: slow, how: Disturbance::Freeze });
        }
        let bytes = if is_slow { SIZE.min(params.max_message / 2) } else { 8 };
        for number in 0..u32::from(script.before) {
            let fill = Fill::Tagged(bytes);
            steps.push(Step::Send { conn: SENDERS[0], kind: Kind::Text, fill, pieces: 1 });
            if is_slow {
                let others = receivers(0).filter(|conn| *conn != slow);
                steps.extend(others.map(|conn| Step::Await { conn, from: SENDERS[0], number }));
            }
        }
        steps.push(Step::Flush);
        if self.is_asked {
            steps.push(Step::Stop);
            if is_slow {
                steps.push(Step::Disturb { conn: slow, how: Disturbance::Heal });
            }
            steps.extend(receivers(0).chain([SENDERS[0]]).map(|conn| Step::AwaitEnd { conn }));
            steps.push(Step::AwaitStop);
        } else {
            steps.push(Step::Kill);
        }
        steps.push(Step::Restart);
        steps.extend(open(1));
        steps.extend((0..script.after.max(1)).map(|_| Step::say(SENDERS[1])));
        Plan { steps, flush_before_changes: false }
    }

    fn judge(&self, history: &History) -> Vec<Violation> {
        let ledger = Ledger::of(history);
        let place = |is_it: fn(&What) -> bool| history.events.iter().position(|event| is_it(&event.what));
        let Some(end) = place(|what| matches!(what, What::Killed | What::Stopping)) else {
            return Vec::new();
        };
        let mut violations = begun(history, &ledger, end);
        if self.is_asked {
            let before = ledger.members.values().filter(|member| member.opened.is_some_and(|at| at < end));
            violations.extend(before.flat_map(|member| ended(history, member, end)));
            violations.extend(waited(&ledger));
            violations.extend(exit(history));
        }
        violations
    }
}

/// What is wrong with the second life of a broker.
fn begun(history: &History, ledger: &Ledger, end: usize) -> Vec<Violation> {
    let mut violations = Vec::new();
    for event in &history.events {
        if let What::Dead { why } = &event.what {
            violations.push(Violation::liveness("REQ-CRS-001", format!("it does not start again: {why}")));
        }
    }
    let after: Vec<&Member> = ledger.members.values().filter(|member| member.opening > end).collect();
    for member in &after {
        if member.opened.is_none() {
            let text = format!("{} could not come in after the restart", member.conn.0);
            violations.push(Violation::liveness("REQ-CRS-001", text));
        }
    }
    let is_after = |conn: Conn| after.iter().any(|member| member.conn == conn);
    let mut has_come = false;
    for delivery in ledger.deliveries.iter().filter(|delivery| is_after(delivery.to)) {
        let tag = delivery.payload.tag();
        let from = tag.as_ref().map(|tag| tag.conn);
        has_come |= from.is_some_and(is_after);
        if from == Some(SENDERS[0]) && tag.is_some_and(|tag| tag.namespace == history.namespace) {
            let text = format!("{} received, after the restart, what was sent before it", delivery.to.0);
            violations.push(Violation::safety("REQ-CRS-001", text));
        }
    }
    if !has_come && ledger.settled.is_some() && violations.is_empty() {
        violations.push(Violation::liveness("REQ-CRS-001", "nothing arrives after the restart"));
    }
    violations
}

/// How somebody was told to go.
fn ended(history: &History, member: &Member, end: usize) -> Vec<Violation> {
    let who = member.conn.0;
    let reasons = history.events.iter().rev().filter(|event| event.conn == Some(member.conn));
    let mut reasons = reasons.filter_map(|event| match &event.what {
        What::Dismissed { reason, .. } => Some(reason.as_str()),
        _ => None,
    });
    let reason = reasons.next();
    match member.ended {
        Some((at, _)) if at < end => Vec::new(),
        Some((_, code)) => {
            let mut violations = Vec::new();
            let text = format!("{who} was ended with {code:?} and {reason:?} by a broker that was to stop");
            if !code.is_some_and(|code| GOING.contains(&code)) {
                violations.push(Violation::safety("REQ-CRS-002", text.clone()));
            }
            if code != Some(GOING[0]) || reason != Some(SHUTDOWN) {
                violations.push(Violation::safety("REQ-WAMP-018", text));
            }
            violations
        }
        None => {
            let text = format!("the broker was to stop, and {who} was not told to go");
            ["REQ-CRS-002", "REQ-WAMP-018"].map(|id| Violation::liveness(id, text.clone())).into()
        }
    }
}

/// What waited for the one who did not read and was never sent, though the others have it.
fn waited(ledger: &Ledger) -> Option<Violation> {
    let slow = Conn(RECEIVERS[0]);
    let member = ledger.members.get(&slow)?;
    let others: Vec<&Member> = ledger
        .members
        .values()
        .filter(|other| other.conn != slow && other.door == member.door && other.conn.0 < RECEIVERS[1])
        .collect();
    let has = |conn: Conn, index: usize| ledger.copies(index, conn).next().is_some();
    if member.door.role == Role::Pull {
        return None;
    }
    let (_, lost) = ledger.messages.iter().enumerate().find(|(index, message)| {
        let is_due = message.from == SENDERS[0]
            && message.consumed.is_some()
            && ledger.presence(message, member) == Due::Must;
        is_due && !has(slow, *index) && others.iter().any(|other| has(other.conn, *index))
    })?;
    let text =
        format!("message {} waited for {} when the broker was to stop, and never came", lost.number, slow.0);
    Some(Violation::safety("REQ-CRS-002", text))
}

/// How the program ended.
fn exit(history: &History) -> Option<Violation> {
    let stopping = history.events.iter().position(|event| event.what == What::Stopping)?;
    history.events[stopping..].iter().find_map(|event| match event.what {
        What::Stopped { status: Some(0) } => None,
        What::Stopped { status } => {
            Some(Violation::safety("REQ-DRAIN-001", format!("it ended with status {status:?}")))
        }
        What::Missed { wait: crate::history::Wait::Stop } => {
            Some(Violation::liveness("REQ-DRAIN-001", "everybody has gone, and it does not end"))
        }
        _ => None,
    })
}
