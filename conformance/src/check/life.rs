//! The life of connections: who answers pings stays, who answers none goes, and who is gone leaves nothing behind.

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::ledger::Ledger;
use super::{Card, Check, Family, Params, Violation};
use crate::fault::Disturbance;
use crate::history::{Conn, History, Leave, Wait, What};
use crate::launch::Wanted;
use crate::model::{Door, HttpRequest, Role, Topic};
use crate::plan::{Plan, Step};
use crate::raw::Opcode;

/// Who pushes.
const PUSHER: Conn = Conn(1);

/// The first of the pullers who stay.
const STAYS: u32 = 10;

/// The first of those who go, or are not there any more.
const GOES: u32 = 30;

/// Milliseconds between pings, where the broker is told.
const PING: u64 = 100;

/// The checks of this family.
pub fn checks() -> Vec<Box<dyn Check>> {
    vec![Box::new(Silent), Box::new(Gone)]
}

/// Pullers who answer no ping.
#[derive(Clone, Copy, Debug)]
pub struct Silent;

/// Pullers, and what is pushed when the silent ones are gone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SilentScript {
    /// How many answer pings, from 1.
    pub stay: u8,
    /// How many do not, from 1.
    pub silent: u8,
    /// Whether those come first.
    pub is_first: bool,
    /// What is pushed at the end, from 1.
    pub after: u8,
}

impl Family for Silent {
    type Script = SilentScript;

    fn card(&self) -> Card {
        Card {
            name: "life.silent",
            about: "Who answers pings stays; who does not is dropped, and takes no more turns.",
            requirements: &["REQ-LIF-001", "REQ-LIF-002"],
            caps: &["raw", "pushpull", "keepalive"],
            any_of: &[],
            weight: 5,
        }
    }

    fn scripts(&self, _: &Params) -> BoxedStrategy<SilentScript> {
        (1..=2_u8, 1..=2_u8, any::<bool>(), 1..=4_u8)
            .prop_map(|(stay, silent, is_first, after)| SilentScript { stay, silent, is_first, after })
            .boxed()
    }

    fn classics(&self, _: &Params) -> Vec<SilentScript> {
        vec![SilentScript { stay: 1, silent: 1, is_first: true, after: 3 }]
    }

    fn plan(&self, script: &SilentScript, _: &Params) -> Plan {
        let door = |role| Door::new(role, Topic::new("a"));
        let stay = (STAYS..).take(usize::from(script.stay.max(1))).map(Conn);
        let silent: Vec<Conn> = (GOES..).take(usize::from(script.silent.max(1))).map(Conn).collect();
        let mut first: Vec<Step> = stay.map(|conn| Step::open(conn, door(Role::Pull))).collect();
        let request = HttpRequest::handshake;
        let opens = |conn| Step::Http { conn, door: door(Role::Pull), request: request() };
        let mut second: Vec<Step> = silent.iter().copied().map(opens).collect();
        if script.is_first {
            std::mem::swap(&mut first, &mut second);
        }
        let mut steps = vec![Step::Launch(Wanted { ping_ms: Some(PING), ..Wanted::default() })];
        steps.extend(first);
        steps.extend(second);
        steps.push(Step::open(PUSHER, door(Role::Push)));
        for conn in silent {
            steps.push(Step::AwaitFrames { conn, opcode: Opcode::PING.0, count: 1 });
            steps.push(Step::AwaitEnd { conn });
        }
        steps.extend((0..script.after.max(1)).map(|_| Step::say(PUSHER)));
        Plan::new(steps)
    }

    fn judge(&self, history: &History) -> Vec<Violation> {
        let ledger = Ledger::of(history);
        let mut violations = stayed(&ledger, "REQ-LIF-001");
        let mut wires: Vec<Conn> = history.events.iter().filter_map(|event| event.conn).collect();
        wires.retain(|conn| conn.0 >= GOES && !ledger.members.contains_key(conn) && conn.0 < 1000);
        wires.sort();
        wires.dedup();
        let silent: Vec<Violation> = wires.iter().flat_map(|&wire| dropped(history, wire)).collect();
        let all_are_gone = silent.is_empty() && violations.is_empty();
        violations.extend(silent);
        if all_are_gone {
            violations.extend(lost(&ledger).map(|text| Violation::liveness("REQ-LIF-002", text)));
        }
        violations
    }
}

/// What is wrong with the end of somebody who answers no ping.
fn dropped(history: &History, wire: Conn) -> Vec<Violation> {
    let mut violations = Vec::new();
    let (mut pings, mut has_close) = (0, false);
    for event in history.events.iter().filter(|event| event.conn == Some(wire)) {
        match &event.what {
            What::Frame { opcode, .. } if *opcode == Opcode::PING.0 => pings += 1,
            What::Frame { opcode, .. } => has_close |= *opcode == Opcode::CLOSE.0,
            What::Missed { wait: Wait::End } if pings > 0 => {
                let text = format!("{} answers no ping, and is not dropped", wire.0);
                violations.push(Violation::liveness("REQ-LIF-002", text));
            }
            _ => {}
        }
    }
    if pings == 0 {
        violations.push(Violation::liveness("REQ-LIF-001", format!("{} was not pinged", wire.0)));
    } else if has_close {
        let text = format!("{} answered no ping, and was sent a Close frame", wire.0);
        violations.push(Violation::safety("REQ-LIF-002", text));
    }
    violations
}

/// Pullers who go without a word.
#[derive(Clone, Copy, Debug)]
pub struct Gone;

/// Pullers, and how some of them go.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GoneScript {
    /// How many stay, from 1.
    pub stay: u8,
    /// Who goes: whether by a reset, and after how many messages of the pusher.
    pub go: Vec<(bool, u8)>,
}

impl Family for Gone {
    type Script = GoneScript;

    fn card(&self) -> Card {
        Card {
            name: "life.gone",
            about: "Who is cut off takes no more turns.",
            requirements: &["REQ-LIF-005"],
            caps: &["tcp", "pushpull"],
            any_of: &[],
            weight: 10,
        }
    }

    fn scripts(&self, _: &Params) -> BoxedStrategy<GoneScript> {
        (1..=2_u8, prop::collection::vec((any::<bool>(), 0..4_u8), 1..4))
            .prop_map(|(stay, go)| GoneScript { stay, go })
            .boxed()
    }

    fn classics(&self, _: &Params) -> Vec<GoneScript> {
        vec![GoneScript { stay: 1, go: vec![(true, 1), (false, 0)] }]
    }

    fn plan(&self, script: &GoneScript, _: &Params) -> Plan {
        let door = |role| Door::new(role, Topic::new("a"));
        let stay = (STAYS..).take(usize::from(script.stay.max(1))).map(Conn);
        let goes = || (GOES..).map(Conn).zip(&script.go);
        let mut steps: Vec<Step> = stay.map(|conn| Step::open(conn, door(Role::Pull))).collect();
        steps.extend(goes().map(|(conn, _)| Step::open(conn, door(Role::Pull))));
        steps.push(Step::open(PUSHER, door(Role::Push)));
        for (conn, &(is_reset, says)) in goes() {
            steps.extend((0..says).map(|_| Step::say(PUSHER)));
            steps.push(if is_reset {
                Step::Disturb { conn, how: Disturbance::Reset }
            } else {
                Step::Leave { conn, how: Leave::Abrupt }
            });
        }
        // One turn more than there ever were pullers: nobody who is gone is among those who have them.
        let turns = u32::from(script.stay.max(1)) + script.go.len() as u32 + 1;
        steps.push(Step::AwaitTurns { conn: PUSHER, turns });
        Plan::new(steps)
    }

    fn judge(&self, history: &History) -> Vec<Violation> {
        let ledger = Ledger::of(history);
        let mut violations = stayed(&ledger, "REQ-LIF-005");
        let pusher = ledger.members.get(&PUSHER);
        if pusher.is_some_and(|pusher| pusher.missed.iter().any(|(_, wait)| *wait == Wait::Delivery)) {
            let text = "somebody who was cut off still has turns: what is pushed is lost again and again";
            violations.push(Violation::liveness("REQ-LIF-005", text));
        }
        violations
    }
}

/// Whoever was ended though it answers.
fn stayed(ledger: &Ledger, rule: &'static str) -> Vec<Violation> {
    let there = ledger.members.values().filter(|member| member.conn.0 < GOES);
    let ended = there.filter_map(|member| Some((member, member.ended?)));
    ended
        .map(|(member, (_, code))| {
            let text = format!("{}, who is there and answers, was ended with {code:?}", member.conn.0);
            Violation::safety(rule, text)
        })
        .collect()
}

/// A message that reached nobody.
fn lost(ledger: &Ledger) -> Option<String> {
    ledger.settled?;
    let has_come = |index: usize| {
        let of = super::ledger::Origin::Message(index);
        ledger.deliveries.iter().any(|delivery| delivery.of == of)
    };
    let (_, lost) = ledger.messages.iter().enumerate().find(|(index, _)| !has_come(*index))?;
    let text = "was pushed when all who do not answer were dropped, and reached nobody";
    Some(format!("message {} {text}", lost.number))
}
