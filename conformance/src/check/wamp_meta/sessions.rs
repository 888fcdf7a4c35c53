//! Sessions that come and go, and somebody who asks who is there and is told.

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::{differs, going, looks, told};
use crate::check::asking::{Asking, conn_of};
use crate::check::talk::{Ask, Talk};
use crate::check::{Card, Family, Params, Violation};
use crate::history::{Conn, History, Leave};
use crate::model::{Look, Notice, Request, Told, Watched};
use crate::plan::{Awaited, Plan, Step};

const ASKS: &str = "REQ-WAMP-031";

const TELLS: &str = "REQ-WAMP-032";

/// How many sessions there are at most.
const MOST: usize = 6;

/// The check. Session 0 asks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sessions;

/// What is done; sessions are named by their number among those that are there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Op {
    /// One comes.
    Join,
    /// One goes: with a word, or without.
    Part(usize, bool),
    /// Which there are, how many, and which again; all, or those of one's role.
    List(bool),
    /// Who one is; gone ones too.
    Get(usize),
}

impl Family for Sessions {
    type Script = Vec<Op>;

    fn card(&self) -> Card {
        Card {
            name: "wamp_meta.sessions",
            about: "Who asks learns who is there, and is told who comes and goes.",
            requirements: &[ASKS, TELLS],
            caps: &["meta.sessions"],
            any_of: &[],
            weight: 40,
        }
    }

    fn scripts(&self, _: &Params) -> BoxedStrategy<Vec<Op>> {
        let op = prop_oneof![
            3 => Just(Op::Join),
            2 => (0..MOST, any::<bool>()).prop_map(|(who, politely)| Op::Part(who, politely)),
            2 => any::<bool>().prop_map(Op::List),
            2 => (0..MOST + 1).prop_map(Op::Get),
        ];
        prop::collection::vec(op, 1..10).boxed()
    }

    fn classics(&self, _: &Params) -> Vec<Vec<Op>> {
        vec![
            vec![
                Op::Join,
                Op::Join,
                Op::List(false),
                Op::Get(1),
                Op::Part(0, true),
                Op::Get(1),
                Op::List(true),
            ],
            vec![Op::Join, Op::Part(0, false), Op::Get(1), Op::Get(MOST), Op::List(false)],
        ]
    }

    fn plan(&self, script: &Vec<Op>, _: &Params) -> Plan {
        let mut asking = Asking::new(1);
        for watched in [Watched::Joined, Watched::Left] {
            asking.ask_and_wait(0, Request::Watch(watched));
        }
        let mut there = Vec::new();
        for op in script {
            match *op {
                Op::Join if asking.len() < MOST => {
                    let who = asking.open(false);
                    asking.steps.push(told_of(Watched::Joined, who));
                    there.push(who);
                }
                Op::Join => {}
                Op::Part(..) if there.is_empty() => {}
                Op::Part(nth, politely) => {
                    let who = there.remove(nth % there.len());
                    let how = if politely { Leave::Handshake } else { Leave::Abrupt };
                    asking.steps.push(Step::Leave { conn: conn_of(who), how });
                    asking.steps.push(told_of(Watched::Left, who));
                }
                Op::List(by_role) => {
                    let like = by_role.then_some(conn_of(0));
                    asking.ask(0, Request::Look(Look::List(like)));
                    asking.ask(0, Request::Look(Look::Count(like)));
                    asking.ask_and_wait(0, Request::Look(Look::List(like)));
                }
                Op::Get(who) => {
                    // One more than there were is nobody.
                    let who = who % (asking.len() + 1);
                    asking.ask_and_wait(0, Request::Look(Look::Session(conn_of(who))));
                }
            }
        }
        asking.plan()
    }

    fn judge(&self, history: &History) -> Vec<Violation> {
        let talk = Talk::of(history);
        let mut violations = notices(&talk);
        let looks = looks(&talk);
        for (place, (ask, look)) in looks.iter().enumerate() {
            match look {
                Look::List(_) => violations.extend(list(&talk, ask)),
                Look::Count(_) => {
                    let lists = [place.wrapping_sub(1), place + 1].map(|place| looks.get(place));
                    violations.extend(count(ask, lists.map(|look| look.and_then(|(ask, _)| told(ask)))));
                }
                Look::Session(who) => violations.extend(session(&talk, ask, *who)),
                _ => {}
            }
        }
        violations
    }
}

fn told_of(what: Watched, who: usize) -> Step {
    Step::AwaitNotice { conn: conn_of(0), awaited: Awaited::Happened(what, conn_of(who), 1) }
}

/// When somebody is gone for sure: it was told so, or it is over as it wished.
fn gone(talk: &Talk, conn: Conn) -> Option<usize> {
    let id = talk.sessions.get(&conn)?;
    let notice =
        talk.noticed.iter().find(|(_, _, notice)| notice.what == Watched::Left && notice.session == *id);
    let told = notice.map(|(_, at, _)| *at);
    let over = going(talk, conn).and_then(|(_, over)| over);
    told.into_iter().chain(over).min()
}

fn list(talk: &Talk, ask: &Ask) -> Option<Violation> {
    let Some((at, Told::Ids(ids))) = told(ask) else { return Some(other(ask, "a list of ids")) };
    for (conn, id) in &talk.sessions {
        let member = talk.ledger.members.get(conn)?;
        let is_there = member.opened.is_some_and(|opened| opened < ask.at)
            && going(talk, *conn).is_none_or(|(begin, _)| begin > at);
        let is_gone = gone(talk, *conn).is_some_and(|gone| gone < ask.at);
        if is_there && !ids.contains(id) || is_gone && ids.contains(id) {
            let what = if is_there { "with" } else { "without" };
            return Some(other(ask, &format!("a list {what} session {id} of {}", conn.0)));
        }
    }
    None
}

/// Between two equal lists the count is their length.
fn count(ask: &Ask, lists: [Option<(usize, &Told)>; 2]) -> Option<Violation> {
    let Some((_, Told::Number(count))) = told(ask) else { return Some(other(ask, "a number")) };
    let [Some((_, Told::Ids(before))), Some((_, Told::Ids(after)))] = lists else { return None };
    let sorted = |ids: &[u64]| {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids
    };
    let (before, after) = (sorted(before), sorted(after));
    (before == after && before.len() as u64 != *count).then(|| other(ask, &format!("{}", before.len())))
}

fn session(talk: &Talk, ask: &Ask, who: Conn) -> Option<Violation> {
    // Who comes later is nobody yet.
    let is_come = talk.ledger.members.get(&who).is_some_and(|member| member.opening < ask.at);
    let known = talk.identities.get(&who).filter(|_| is_come);
    let is_gone = known.is_none() || gone(talk, who).is_some_and(|gone| gone < ask.at);
    let is_going = going(talk, who).is_some_and(|(begin, _)| begin < ask.at);
    match (told(ask), known) {
        _ if is_gone => {
            (ask.refused() != Some("wamp.error.no_such_session")).then(|| other(ask, "no_such_session"))
        }
        _ if is_going => None,
        (Some((_, Told::Session(is))), Some(known)) if is == known => None,
        (_, known) => Some(other(ask, &format!("{known:?}"))),
    }
}

fn other(ask: &Ask, wanted: &str) -> Violation {
    let text = differs(ask, wanted);
    if ask.last().is_none() { Violation::liveness(ASKS, text) } else { Violation::safety(ASKS, text) }
}

/// Who came and went is told, once.
fn notices(talk: &Talk) -> Vec<Violation> {
    let mut violations = Vec::new();
    let watcher = Conn(0);
    for (conn, id) in talk.sessions.iter().filter(|(conn, _)| **conn != watcher) {
        let of = |what: Watched| -> Vec<&Notice> {
            let its = talk.noticed.iter().map(|(_, _, notice)| notice);
            its.filter(|notice| notice.what == what && notice.session == *id).collect()
        };
        // Those that the executor opens itself may be late.
        let is_of_script = conn.0 < 1000;
        let (joined, left) = (of(Watched::Joined), of(Watched::Left));
        let has_gone = going(talk, *conn).is_some();
        let mut told = |what: &str, is_safety: bool| {
            let text = format!("session {id} of {} {what}", conn.0);
            violations.push(if is_safety {
                Violation::safety(TELLS, text)
            } else {
                Violation::liveness(TELLS, text)
            });
        };
        if joined.len() > 1 || left.len() > 1 {
            told("came or went twice", true);
        }
        if !left.is_empty() && !has_gone {
            told("is there, and is told to be gone", true);
        }
        let known = talk.identities.get(conn).map(|known| Told::Session(known.clone()));
        if joined.iter().any(|notice| notice.told != known) {
            told(&format!("is told to be {:?}, not {known:?}", joined[0].told), true);
        }
        if is_of_script && joined.is_empty() {
            told("came, and that is not told", false);
        }
        if is_of_script && has_gone && left.is_empty() {
            told("went, and that is not told", false);
        }
    }
    violations
}
