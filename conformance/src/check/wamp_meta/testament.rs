//! What sessions leave behind.

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::{going, looks};
use crate::check::asking::{Asking, conn_of};
use crate::check::talk::{Ask, Talk, same};
use crate::check::{Card, Family, Params, Violation};
use crate::history::{Conn, History, Leave};
use crate::model::{Look, Match, Request, Scope, Watched, Whom};
use crate::plan::{Awaited, Plan, Step};

const ID: &str = "REQ-WAMP-034";

const TOPICS: [&str; 2] = ["left", "left.more"];

/// The check: 0 listens, 1 and 2 leave something behind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Testament;

/// What is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Op {
    /// Somebody leaves something behind.
    Leave(usize, usize, Scope),
    /// Somebody takes back what it left.
    TakeBack(usize, Scope),
}

/// What is done, and how each of them goes in the end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Script {
    ops: Vec<Op>,
    ends: Vec<End>,
}

/// How somebody goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum End {
    /// With a word.
    Politely,
    /// Without.
    Abruptly,
    /// Another sends it away.
    SentAway,
    /// It stays.
    Stays,
}

impl Family for Testament {
    type Script = Script;

    fn card(&self) -> Card {
        Card {
            name: "wamp_meta.testament",
            about: "What a session leaves behind is published when it ends, in order, and not before.",
            requirements: &[ID],
            caps: &["meta.testaments", "meta.sessions"],
            any_of: &[],
            weight: 30,
        }
    }

    fn scripts(&self, _: &Params) -> BoxedStrategy<Script> {
        let scope = || prop_oneof![Just(Scope::Destroyed), Just(Scope::Detached)];
        let op = prop_oneof![
            4 => (0..2_usize, 0..TOPICS.len(), scope()).prop_map(|(who, topic, scope)| Op::Leave(who, topic, scope)),
            1 => (0..2_usize, scope()).prop_map(|(who, scope)| Op::TakeBack(who, scope)),
        ];
        let end =
            prop_oneof![Just(End::Politely), Just(End::Abruptly), Just(End::SentAway), Just(End::Stays)];
        (prop::collection::vec(op, 1..7), prop::collection::vec(end, 2))
            .prop_map(|(ops, ends)| Script { ops, ends })
            .boxed()
    }

    fn classics(&self, _: &Params) -> Vec<Script> {
        let (one, two) = (Scope::Destroyed, Scope::Detached);
        let ops =
            vec![Op::Leave(0, 0, one), Op::Leave(0, 1, one), Op::Leave(1, 0, two), Op::Leave(0, 0, one)];
        let back =
            vec![Op::Leave(0, 0, one), Op::TakeBack(0, one), Op::Leave(0, 0, one), Op::Leave(1, 1, two)];
        vec![
            Script { ops: ops.clone(), ends: vec![End::Abruptly, End::Stays] },
            Script { ops: back, ends: vec![End::Politely, End::SentAway] },
            Script { ops, ends: vec![End::SentAway, End::Abruptly] },
        ]
    }

    fn plan(&self, script: &Script, _: &Params) -> Plan {
        let mut asking = Asking::new(3);
        for topic in TOPICS {
            let (topic, matching) = (topic.to_owned(), Match::Exact);
            asking.ask_and_wait(0, Request::Subscribe { topic, matching });
        }
        asking.ask_and_wait(0, Request::Watch(Watched::Left));
        let mut left: [Vec<(u32, Scope)>; 2] = Default::default();
        for op in &script.ops {
            match *op {
                Op::Leave(who, topic, scope) => {
                    let look = Look::Leave(TOPICS[topic % TOPICS.len()].to_owned(), scope);
                    let number = asking.ask_and_wait(1 + who % 2, Request::Look(look));
                    left[who % 2].push((number, scope));
                }
                Op::TakeBack(who, scope) => {
                    asking.ask_and_wait(1 + who % 2, Request::Look(Look::TakeBack(scope)));
                    left[who % 2].retain(|(_, of)| *of != scope);
                }
            }
        }
        for (who, end) in script.ends.iter().take(2).enumerate() {
            let conn = conn_of(1 + who);
            match end {
                End::Stays => continue,
                End::Politely => asking.steps.push(Step::Leave { conn, how: Leave::Handshake }),
                End::Abruptly => asking.steps.push(Step::Leave { conn, how: Leave::Abrupt }),
                End::SentAway => {
                    asking.ask_and_wait(0, Request::Look(Look::Dismiss(Whom::One(conn), None)));
                }
            }
            let awaited = Awaited::Happened(Watched::Left, conn, 1);
            asking.steps.push(Step::AwaitNotice { conn: conn_of(0), awaited });
            for &(number, _) in &left[who] {
                let awaited = Awaited::Event(conn, number);
                asking.steps.push(Step::AwaitNotice { conn: conn_of(0), awaited });
            }
        }
        asking.plan()
    }

    fn judge(&self, history: &History) -> Vec<Violation> {
        let talk = Talk::of(history);
        let mut violations = Vec::new();
        let mut left: Vec<(&Ask, &str, Scope, bool)> = Vec::new();
        for (ask, look) in looks(&talk) {
            match look {
                Look::Leave(topic, scope) => left.push((ask, topic, *scope, true)),
                Look::TakeBack(scope) => {
                    let its = left.iter_mut().filter(|(of, _, is, _)| of.id.0 == ask.id.0 && is == scope);
                    its.for_each(|(.., stands)| *stands = false);
                }
                _ => {}
            }
            if !matches!(look, Look::Dismiss(..)) && super::told(ask).is_none() {
                violations.push(Violation::safety(ID, super::differs(ask, "that it is so")));
            }
        }
        for (ask, topic, _, stands) in &left {
            violations.extend(one(&talk, ask, topic, *stands));
        }
        violations.extend(order(&talk, &left));
        violations
    }
}

/// One that was left behind comes once, when its session is gone, unless it was taken back.
fn one(talk: &Talk, ask: &Ask, topic: &str, stands: bool) -> Option<Violation> {
    let came: Vec<_> = talk
        .heard
        .iter()
        .filter(|heard| talk.ask_of(&heard.payload).is_some_and(|of| of.id == ask.id))
        .collect();
    let told = |what: &str| Some(Violation::safety(ID, format!("{} {what}", ask.text())));
    let goes = end(talk, ask.id.0);
    match came.first() {
        Some(_) if !stands => told("was published, and had been taken back"),
        Some(_) if goes.is_none() => told("was published, and its session is there"),
        Some(heard) if goes.is_some_and(|goes| heard.at < goes) => {
            told("was published before its session went")
        }
        Some(_) if came.len() > 1 => told("was published twice"),
        Some(heard) if !same(&heard.payload, &ask.payload) => {
            told(&format!("was published as {}", heard.payload))
        }
        None if stands && goes.is_some() => {
            Some(Violation::liveness(ID, format!("{} ({topic}) was not published", ask.text())))
        }
        _ => None,
    }
}

/// When somebody begins to go, by itself or by another.
fn end(talk: &Talk, conn: Conn) -> Option<usize> {
    let sent = looks(talk)
        .into_iter()
        .find(|(_, look)| matches!(look, Look::Dismiss(Whom::One(who), _) if *who == conn));
    sent.map(|(ask, _)| ask.at).or_else(|| going(talk, conn).map(|(at, _)| at))
}

/// What one session left behind for one time comes in order.
fn order(talk: &Talk, left: &[(&Ask, &str, Scope, bool)]) -> Option<Violation> {
    let place = |ask: &Ask| {
        talk.heard.iter().position(|heard| talk.ask_of(&heard.payload).is_some_and(|of| of.id == ask.id))
    };
    for (index, (after, _, scope, _)) in left.iter().enumerate() {
        let before = left[..index].iter().filter(|(ask, _, of, _)| ask.id.0 == after.id.0 && of == scope);
        for (before, ..) in before {
            if let (Some(one), Some(two)) = (place(before), place(after))
                && one > two
            {
                return Some(Violation::safety(
                    ID,
                    format!("{} came behind {}", before.text(), after.text()),
                ));
            }
        }
    }
    None
}
