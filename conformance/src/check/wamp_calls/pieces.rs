//! Calls that come in pieces.

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::{arrivals, calls, has_result, wrong};
use crate::check::asking::Asking;
use crate::check::talk::{Ask, Invoked, Talk, same};
use crate::check::{Card, Family, Params, Violation};
use crate::history::{Conn, History};
use crate::model::{Answer, Calling, Give, Match, Piece, Policy, Request};
use crate::plan::{Plan, Step};

const ID: &str = "REQ-WAMP-048";

/// The check.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pieces;

/// Who takes calls in pieces, of 1 to 3 callees that share a procedure; and how many pieces each call has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Script {
    fit: Vec<bool>,
    calls: Vec<u8>,
}

impl Family for Pieces {
    type Script = Script;

    fn card(&self) -> Card {
        Card {
            name: "wamp_calls.pieces",
            about: "All pieces of a call reach one callee that takes such, in order.",
            requirements: &[ID],
            caps: &["rpc.pieces", "rpc.shared"],
            any_of: &[],
            weight: 40,
        }
    }

    fn scripts(&self, _: &Params) -> BoxedStrategy<Script> {
        let fit = prop::collection::vec(prop_oneof![2 => Just(true), 1 => Just(false)], 1..4);
        (fit, prop::collection::vec(1..5_u8, 1..4)).prop_map(|(fit, calls)| Script { fit, calls }).boxed()
    }

    fn classics(&self, _: &Params) -> Vec<Script> {
        let script = |fit: &[bool], calls: &[u8]| Script { fit: fit.to_vec(), calls: calls.to_vec() };
        vec![script(&[true], &[3, 1]), script(&[false], &[2]), script(&[false, true, true], &[2, 3, 2])]
    }

    fn plan(&self, script: &Script, _: &Params) -> Plan {
        let modest: Vec<bool> = [false].into_iter().chain(script.fit.iter().map(|fit| !fit)).collect();
        let is_one_fit = script.fit.contains(&true);
        let mut asking = Asking::with(&modest);
        for who in 1..modest.len() {
            let (matching, policy) = (Match::Exact, Policy::RoundRobin);
            let procedure = "p".to_owned();
            asking.ask_and_wait(who, Request::Register { procedure, matching, policy, concurrency: None });
        }
        for &pieces in &script.calls {
            let first = asking.next(0);
            let mut say = |of, more| {
                let (procedure, piece) = ("p".to_owned(), Some(Piece { of, more }));
                asking.ask(0, Request::CallWith(Calling { procedure, disclose: false, piece }))
            };
            if !is_one_fit {
                // It is refused at once: nothing may follow.
                say(None, true);
                asking.wait(0, first);
                continue;
            }
            let pieces = pieces.max(1);
            let last = (0..pieces).map(|n| say((n > 0).then_some(first), n + 1 < pieces)).last();
            asking.steps.push(Step::Flush);
            asking.serve(0, last.unwrap_or(first), &[Give::Result]);
            asking.wait(0, first);
        }
        asking.plan()
    }

    fn judge(&self, history: &History) -> Vec<Violation> {
        let talk = Talk::of(history);
        let is_modest = |conn: Conn| talk.ledger.members.get(&conn).is_none_or(|member| member.door.modest);
        let is_one_fit = talk.asks.values().any(|ask| {
            matches!(ask.request, Request::Register { .. }) && ask.granted().is_some() && !is_modest(ask.id.0)
        });
        let mut violations = Vec::new();
        for (first, calling) in calls(&talk) {
            if calling.piece.is_none_or(|piece| piece.of.is_some()) {
                continue;
            }
            let pieces = pieces(&talk, first);
            let unfit =
                arrivals(&talk, first).into_iter().find(|invoked| invoked.more && is_modest(invoked.callee));
            violations.extend(match unfit {
                Some(invoked) => {
                    let text = format!("{} reached {}, who takes no pieces", first.text(), invoked.callee.0);
                    Some(Violation::safety(ID, text))
                }
                None if is_one_fit => taken(&talk, first, &pieces),
                None => refused(first),
            });
        }
        violations
    }
}

/// The pieces of a call, in order.
fn pieces<'a>(talk: &'a Talk, first: &'a Ask) -> Vec<(&'a Ask, bool)> {
    let calls = calls(talk).into_iter().filter(|(ask, _)| ask.id.0 == first.id.0);
    let pieces = calls.filter_map(|(ask, calling)| {
        let piece = calling.piece?;
        (ask.id == first.id || piece.of == Some(first.id.1)).then_some((ask, piece.more))
    });
    pieces.collect()
}

fn refused(first: &Ask) -> Option<Violation> {
    let is_right = matches!(first.last(), Some((_, Answer::Refused { uri, .. }))
        if uri == "wamp.error.feature_not_supported");
    (!is_right).then(|| wrong(ID, first, "has no callee that takes pieces"))
}

/// Whether all pieces reached one callee, each once, in order, under one number.
fn taken(talk: &Talk, first: &Ask, pieces: &[(&Ask, bool)]) -> Option<Violation> {
    let is_its = |invoked: &&Invoked| {
        let of = talk.ask_of(&invoked.payload);
        of.is_some_and(|of| pieces.iter().any(|(piece, _)| piece.id == of.id))
    };
    let came: Vec<&Invoked> = talk.invoked.iter().filter(is_its).collect();
    let told = |what: &str| Some(Violation::safety(ID, format!("the pieces of {} {what}", first.text())));
    if came.iter().any(|one| (one.callee, one.invocation) != (came[0].callee, came[0].invocation)) {
        return told("reached a callee as several calls");
    }
    let in_order = came
        .iter()
        .zip(pieces)
        .all(|(came, (piece, more))| same(&came.payload, &piece.payload) && came.more == *more);
    if !in_order || came.len() > pieces.len() {
        return told("came in another order, or changed");
    }
    (came.len() < pieces.len() || !has_result(first))
        .then(|| wrong(ID, first, &format!("has {} pieces, of which {} arrived", pieces.len(), came.len())))
}
