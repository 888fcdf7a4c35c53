//! Sessions that are sent away by another.

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::{differs, looks};
use crate::check::asking::{Asking, conn_of};
use crate::check::talk::Talk;
use crate::check::{Card, Family, Params, Violation};
use crate::history::{Conn, History};
use crate::model::{Look, Request, Watched, Whom};
use crate::plan::{Awaited, Plan, Step};

const ID: &str = "REQ-WAMP-033";

/// What is told who is sent away, if nothing is given.
const USUAL: &str = "wamp.close.normal";

/// Session 0 sends others away.
const SESSIONS: usize = 4;

/// The check.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kill;

/// Who is sent away: by id or by name; 0 is the one who asks. And whether a reason is given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Op {
    who: usize,
    by_name: bool,
    reason: bool,
}

impl Family for Kill {
    type Script = Vec<Op>;

    fn card(&self) -> Card {
        Card {
            name: "wamp_meta.kill",
            about: "Those who are meant are sent away with the reason given, and nobody else.",
            requirements: &[ID],
            caps: &["meta.sessions"],
            any_of: &[],
            weight: 30,
        }
    }

    fn scripts(&self, _: &Params) -> BoxedStrategy<Vec<Op>> {
        let op = (0..SESSIONS, any::<bool>(), any::<bool>()).prop_map(|(who, by_name, reason)| Op {
            who,
            by_name,
            reason,
        });
        prop::collection::vec(op, 1..5).boxed()
    }

    fn classics(&self, _: &Params) -> Vec<Vec<Op>> {
        let op = |who, by_name, reason| Op { who, by_name, reason };
        vec![vec![
            op(1, false, true),
            op(1, false, false),
            op(2, true, false),
            op(0, false, true),
            op(3, false, false),
        ]]
    }

    fn plan(&self, script: &Vec<Op>, _: &Params) -> Plan {
        let mut asking = Asking::new(SESSIONS);
        asking.ask_and_wait(0, Request::Watch(Watched::Left));
        let mut gone = [false; SESSIONS];
        for op in script {
            let who = op.who % SESSIONS;
            // Everybody's name is its own, unless the broker has it otherwise: then more than one may go.
            let by_name = op.by_name && who != 0 && !gone[who];
            let whom = if by_name { Whom::Named(conn_of(who)) } else { Whom::One(conn_of(who)) };
            let reason = op.reason.then(|| "com.example.enough".to_owned());
            asking.ask_and_wait(0, Request::Look(Look::Dismiss(whom, reason)));
            if who != 0 && !gone[who] {
                gone[who] = true;
                let awaited = Awaited::Happened(Watched::Left, conn_of(who), 1);
                asking.steps.push(Step::AwaitNotice { conn: conn_of(0), awaited });
                asking.steps.push(Step::AwaitNotice { conn: conn_of(who), awaited: Awaited::End });
            }
        }
        asking.plan()
    }

    fn judge(&self, history: &History) -> Vec<Violation> {
        let talk = Talk::of(history);
        let mut violations = Vec::new();
        let mut gone: Vec<(Conn, &str)> = Vec::new();
        for (ask, look) in looks(&talk) {
            let Look::Dismiss(whom, reason) = look else { continue };
            let reason = reason.as_deref().unwrap_or(USUAL);
            let meant: Vec<Conn> = match whom {
                Whom::One(conn) => vec![*conn],
                Whom::Named(conn) => alike(&talk, *conn),
                _ => Vec::new(),
            };
            let left: Vec<Conn> = meant
                .into_iter()
                .filter(|conn| *conn != ask.id.0 && gone.iter().all(|(other, _)| other != conn))
                .collect();
            let is_one = matches!(whom, Whom::One(_));
            match ask.refused() {
                Some("wamp.error.no_such_session") if left.is_empty() && is_one => {}
                None if ask.last().is_some() && (!left.is_empty() || !is_one) => {}
                _ => {
                    let wanted = if left.is_empty() { "no_such_session" } else { "that they go" };
                    let text = differs(ask, wanted);
                    let is_silent = ask.last().is_none();
                    let told = if is_silent { Violation::liveness } else { Violation::safety };
                    violations.push(told(ID, text));
                }
            }
            gone.extend(left.into_iter().map(|conn| (conn, reason)));
        }
        violations.extend(ends(&talk, &gone));
        violations
    }
}

/// Those who have the name of somebody.
fn alike(talk: &Talk, conn: Conn) -> Vec<Conn> {
    let Some(name) = talk.identities.get(&conn).and_then(|known| known.name.as_ref()) else {
        return vec![conn];
    };
    let same = talk.identities.iter().filter(|(_, known)| known.name.as_ref() == Some(name));
    same.map(|(conn, _)| *conn).collect()
}

/// Who was sent away, by what reason, and who should have been.
fn ends(talk: &Talk, gone: &[(Conn, &str)]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for conn in talk.sessions.keys() {
        let meant = gone.iter().find(|(one, _)| one == conn).map(|(_, reason)| *reason);
        let reason = talk.dismissed.iter().find(|(one, _)| one == conn).map(|(_, reason)| reason.as_str());
        let has_ended = talk.ledger.members.get(conn).is_some_and(|member| member.ended.is_some());
        let who = conn.0;
        violations.extend(match (meant, reason) {
            (None, None) if has_ended => {
                Some(Violation::safety(ID, format!("{who} ended, and nobody sent it away")))
            }
            (None, Some(reason)) => {
                Some(Violation::safety(ID, format!("{who} was sent away with {reason}, and not meant")))
            }
            (Some(meant), Some(reason)) if meant != reason => {
                Some(Violation::safety(ID, format!("{who} was sent away with {reason}, not {meant}")))
            }
            (Some(_), None) if has_ended => {
                Some(Violation::safety(ID, format!("{who} ended without GOODBYE")))
            }
            (Some(_), None) => Some(Violation::liveness(ID, format!("{who} was not sent away"))),
            _ => None,
        });
    }
    violations
}
