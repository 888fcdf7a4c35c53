//! The judge of who receives what, for buses and pub/sub: everything that is due, once, as it was sent, in the order
//! of its sender, and nothing else. Of queues it judges what holds for every pattern.

use std::collections::{BTreeMap, BTreeSet};

use super::Violation;
use super::ledger::{Delivery, Due, Ledger, Member, Message, Origin};
use crate::history::{Conn, History, Leave, Wait};
use crate::model::{Kind, Pattern, Role, Tie};

/// What a history breaks.
pub fn judge(history: &History) -> Vec<Violation> {
    let ledger = Ledger::of(history);
    let mut violations = Vec::new();
    for delivery in &ledger.deliveries {
        violations.extend(stray(&ledger, delivery));
    }
    for (index, message) in ledger.messages.iter().enumerate() {
        for member in ledger.members.values() {
            violations.extend(missing_or_double(&ledger, index, message, member));
        }
    }
    violations.extend(fifo(&ledger));
    violations.extend(alive(&ledger));
    violations
}

/// What is wrong with one reception.
fn stray(ledger: &Ledger, delivery: &Delivery) -> Option<Violation> {
    let to = ledger.members.get(&delivery.to)?;
    let what = &delivery.payload;
    let index = match delivery.of {
        Origin::Message(index) => index,
        Origin::Elsewhere => {
            let text =
                format!("{} at {} received a message of another case: {what}", to.conn.0, to.door.topic);
            let rule = if ledger.is_late(delivery) { "REQ-SUB-006" } else { "REQ-SUB-005" };
            return Some(Violation::safety(rule, text));
        }
        Origin::Nowhere => {
            // Where nothing is due, what the broker says of its own is as much too much as a message of others.
            let is_mute = !to.door.role.receives();
            let rule = if is_mute { "REQ-SUB-004" } else { altered(ledger, to, delivery.kind) };
            return Some(Violation::safety(rule, format!("{} received what nobody sent: {what}", to.conn.0)));
        }
    };
    let message = &ledger.messages[index];
    let from = ledger.members.get(&message.from)?;
    if let Some(rule) = misdelivered(ledger, message, from, to) {
        // One that comes behind what was sent after it was held back: the audit's find.
        let rule = if ledger.is_late(delivery) && is_overtaken(ledger, delivery, message) {
            "REQ-SUB-006"
        } else {
            rule
        };
        let text = format!(
            "{} at {:?} {} received message {} of {} at {:?} {}",
            to.conn.0,
            to.door.role,
            to.door.topic,
            message.number,
            message.from.0,
            from.door.role,
            from.door.topic
        );
        return Some(Violation::safety(rule, text));
    }
    changed(message, delivery)
}

/// Whether the receiver had got something before that was sent after this had been read.
fn is_overtaken(ledger: &Ledger, delivery: &Delivery, message: &Message) -> bool {
    let before = ledger.deliveries.iter().filter(|d| d.to == delivery.to && d.at < delivery.at);
    let later = |d: &Delivery| match d.of {
        Origin::Message(index) => message.consumed.is_some_and(|read| read < ledger.messages[index].sent),
        _ => false,
    };
    before.into_iter().any(later)
}

/// The requirement that is broken if `to` receives this message at all.
fn misdelivered(ledger: &Ledger, message: &Message, from: &Member, to: &Member) -> Option<&'static str> {
    let same = from.conn == to.conn;
    match from.door.tie(&to.door, same) {
        Tie::Due => {
            let too_late = ledger.due(message, to) == Due::TooLate;
            (too_late && to.door.role == Role::Sub).then_some("REQ-SUB-007")
        }
        Tie::Own => Some("REQ-BUS-002"),
        Tie::OtherPattern => Some("REQ-TOP-003"),
        Tie::NoReceiver => Some("REQ-SUB-004"),
        Tie::Twin => Some("REQ-TOP-001"),
        Tie::OtherTopic => Some(match to.door.role.pattern() {
            Pattern::PubSub => "REQ-SUB-002",
            Pattern::Bus | Pattern::Session => "REQ-BUS-003",
            Pattern::Queue => "REQ-RR-007",
        }),
    }
}

/// A message that arrived as something else.
fn changed(message: &Message, delivery: &Delivery) -> Option<Violation> {
    let (sent, got) = (&message.payload, &delivery.payload);
    let rule = match message.kind {
        _ if sent.len == 0 && delivery.kind != message.kind => "REQ-PAY-004",
        Kind::Binary => "REQ-PAY-002",
        Kind::Text => "REQ-PAY-001",
    };
    let is_same = sent.digest == got.digest && sent.len == got.len && delivery.kind == message.kind;
    (!is_same).then(|| {
        let text = format!(
            "{} received {:?} {got} in place of {:?} {sent}",
            delivery.to.0, delivery.kind, message.kind
        );
        Violation::safety(rule, text)
    })
}

/// What was made of a message that cannot be recognised any more, if the receiver misses one. If not, it is somebody
/// else's.
fn altered(ledger: &Ledger, to: &Member, kind: Kind) -> &'static str {
    let is_missed = |(index, message): &(usize, &Message)| {
        let from = ledger.members.get(&message.from);
        let tie = from.map(|from| from.door.tie(&to.door, from.conn == to.conn));
        tie == Some(Tie::Due) && ledger.copies(*index, to.conn).next().is_none()
    };
    let missed: Vec<&Message> =
        ledger.messages.iter().enumerate().filter(is_missed).map(|(_, message)| message).collect();
    match missed.iter().find(|message| message.payload.tag().is_none()).or(missed.first()) {
        Some(message) if message.kind == Kind::Binary && kind == Kind::Text => "REQ-PAY-002",
        Some(message) => payload_rule(message),
        None => "REQ-SUB-005",
    }
}

/// The requirement that is broken if a message does not arrive for what it holds.
pub(super) fn payload_rule(message: &Message) -> &'static str {
    match message.kind {
        _ if message.payload.len == 0 => "REQ-PAY-004",
        _ if message.pieces > 1 => "REQ-PAY-005",
        Kind::Binary => "REQ-PAY-002",
        Kind::Text => "REQ-PAY-001",
    }
}

/// A message that somebody must have once and has not, or twice.
fn missing_or_double(ledger: &Ledger, index: usize, message: &Message, to: &Member) -> Vec<Violation> {
    let Some(from) = ledger.members.get(&message.from) else { return Vec::new() };
    let own = message.from == to.conn;
    let pattern = to.door.role.pattern();
    if matches!(pattern, Pattern::Queue | Pattern::Session) || from.door.tie(&to.door, own) != Tie::Due {
        return Vec::new();
    }
    let copies = ledger.copies(index, to.conn).count();
    let who = format!(
        "{} at {} {} message {} of {} ({})",
        to.conn.0,
        to.door.topic,
        if copies == 0 { "did not receive" } else { "received twice or more" },
        message.number,
        message.from.0,
        from.door.topic
    );
    match copies {
        0 if ledger.due(message, to) == Due::Must => {
            let rules = lost(ledger, index, message, to, own);
            rules.into_iter().map(|rule| Violation::liveness(rule, who.clone())).collect()
        }
        0 | 1 => Vec::new(),
        _ => {
            let rules: &[&str] = match (pattern, own) {
                (_, true) => &["REQ-BUS-002"],
                (Pattern::PubSub, _) => &["REQ-SUB-003"],
                _ => &["REQ-BUS-001"],
            };
            rules.iter().map(|rule| Violation::safety(rule, who.clone())).collect()
        }
    }
}

/// The requirements that a loss breaks.
fn lost(ledger: &Ledger, index: usize, message: &Message, to: &Member, own: bool) -> Vec<&'static str> {
    if message.payload.tag().is_none() {
        return vec![payload_rule(message)];
    }
    let pattern = to.door.role.pattern();
    let mut rules = match (pattern, own) {
        (_, true) => vec!["REQ-BUS-002"],
        (Pattern::PubSub, _) => vec!["REQ-SUB-001"],
        _ => vec!["REQ-BUS-001"],
    };
    let same_place =
        |member: &&Member| member.door.role == to.door.role && member.door.topic == to.door.topic;
    let others = || ledger.members.values().filter(same_place).filter(|member| member.conn != to.conn);
    // Those who gather before anything is said neither come nor go.
    let first = ledger.messages.first().map_or(0, |first| first.sent);
    let after = |at: usize| at > first && to.opened.is_some_and(|opened| opened < at) && at < message.sent;
    let left_before = others().any(|member| member.over.is_some_and(after));
    let joined_before = others().any(|member| member.opened.is_some_and(after));
    match pattern {
        Pattern::PubSub if left_before => rules.push("REQ-SUB-008"),
        Pattern::Bus if left_before || joined_before => rules.push("REQ-BUS-004"),
        _ => {}
    }
    if is_late_joiner(ledger, index, to) {
        rules.push("REQ-LIF-003");
        if pattern == Pattern::Bus {
            rules.push("REQ-BUS-005");
        }
    }
    rules
}

/// Whether membership began late: everything of its own topic is lost up to some message, and nothing behind that.
fn is_late_joiner(ledger: &Ledger, index: usize, to: &Member) -> bool {
    let is_due = |(_, message): &(usize, &Message)| {
        let from = ledger.members.get(&message.from);
        from.is_some_and(|from| from.door.topic == to.door.topic && from.conn != to.conn)
            && ledger.due(message, to) == Due::Must
    };
    let due: Vec<usize> = ledger.messages.iter().enumerate().filter(is_due).map(|(index, _)| index).collect();
    let has: Vec<bool> = due.iter().map(|&index| ledger.copies(index, to.conn).next().is_some()).collect();
    let lost = has.iter().take_while(|has| !**has).count();
    due.contains(&index) && lost < has.len() && has[lost..].iter().all(|has| *has)
}

/// Each sender's messages arrive in the order in which they were sent.
fn fifo(ledger: &Ledger) -> Vec<Violation> {
    let mut last: BTreeMap<(Conn, Conn), u32> = BTreeMap::new();
    let mut known = BTreeSet::new();
    let mut violations = Vec::new();
    for delivery in &ledger.deliveries {
        let Origin::Message(index) = delivery.of else { continue };
        // A copy of something is judged as such.
        if !known.insert((delivery.to, index)) {
            continue;
        }
        let message = &ledger.messages[index];
        if may_be_returned(ledger, message, delivery.to) {
            continue;
        }
        let highest = last.entry((message.from, delivery.to)).or_insert(message.number);
        if message.number < *highest {
            let text = format!(
                "{} received message {} of {} after message {highest}",
                delivery.to.0, message.number, message.from.0
            );
            violations.push(Violation::safety("REQ-ORD-001", text));
        }
        *highest = (*highest).max(message.number);
    }
    violations
}

/// Whether a message of a queue may have been another puller's before, who left: it goes back to the head of the queue,
/// and may come behind later ones (REQ-RR-011).
fn may_be_returned(ledger: &Ledger, message: &Message, to: Conn) -> bool {
    let Some(from) = ledger.members.get(&message.from) else { return false };
    // When the broker notices that somebody went without a word is not known.
    let left = |member: &Member| match member.leaving {
        Some((_, Leave::Abrupt)) => Some(usize::MAX),
        Some((at, Leave::Handshake)) => Some(at),
        None => member.over,
    };
    from.door.role == Role::Push
        && ledger
            .in_role(Role::Pull)
            .filter(|puller| puller.conn != to && puller.door.topic == from.door.topic)
            .any(|puller| left(puller).is_some_and(|left| left > message.sent))
}

/// Healthy connections stay, answer, and speak their protocol.
pub(super) fn alive(ledger: &Ledger) -> Vec<Violation> {
    let mut violations = Vec::new();
    for member in ledger.members.values() {
        let who = member.conn.0;
        if let Some((_, why)) = &member.broken {
            violations
                .push(Violation::safety("REQ-WS-012", format!("{who} was sent what is forbidden: {why}")));
        }
        if let Some((_, code)) = member.ended.filter(|_| is_healthy(ledger, member)) {
            let text = format!("the broker ended {who} at {} with {code:?}", member.door.topic);
            violations.push(Violation::safety("REQ-LIVE-001", text));
        }
        for (_, wait) in &member.missed {
            let (rule, what) = match wait {
                Wait::Ingress => ("REQ-LIVE-001", "its ping was not answered"),
                Wait::Room => ("REQ-LIVE-001", "the broker does not read"),
                Wait::CloseReply => ("REQ-WS-006", "its Close frame was not answered"),
                Wait::Delivery | Wait::Answer | Wait::End | Wait::Stop => continue,
            };
            violations.push(Violation::liveness(rule, format!("{who} at {}: {what}", member.door.topic)));
        }
    }
    violations
}

/// Whether it sent nothing that a broker may end a connection for.
pub(super) fn is_healthy(ledger: &Ledger, member: &Member) -> bool {
    let is_plain = |message: &Message| message.payload.tag().is_some();
    ledger.messages.iter().filter(|message| message.from == member.conn).all(is_plain)
}
