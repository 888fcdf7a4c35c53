//! Callees that have no time, so that a call goes on to the next.

use proptest::prelude::*;
use proptest::sample::select;
use serde::{Deserialize, Serialize};

use super::{arrivals, call, calls, has_result, wrong};
use crate::check::asking::Asking;
use crate::check::talk::{Ask, Invoked, Talk};
use crate::check::{Card, Family, Params, Violation};
use crate::history::{Conn, History};
use crate::model::{Answer, Give, Match, Policy, Request};
use crate::plan::Plan;

const ID: &str = "REQ-WAMP-052";

const UNAVAILABLE: &str = "wamp.error.unavailable";

const NOBODY: &str = "wamp.error.no_available_callee";

/// The check.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reroute;

/// 1 to 3 callees that share a procedure, which of them announce re-routing, and how many have no time for each call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Script {
    policy: Policy,
    announces: Vec<bool>,
    calls: Vec<u8>,
}

impl Family for Reroute {
    type Script = Script;

    fn card(&self) -> Card {
        Card {
            name: "wamp_calls.reroute",
            about: "A call that its callee has no time for goes on to the next, until all have said so.",
            requirements: &[ID],
            caps: &["rpc.reroute", "rpc.shared"],
            any_of: &[],
            weight: 40,
        }
    }

    fn scripts(&self, _: &Params) -> BoxedStrategy<Script> {
        let policies = select(vec![Policy::First, Policy::Last, Policy::RoundRobin, Policy::Random]);
        let announces = prop::collection::vec(prop_oneof![3 => Just(true), 1 => Just(false)], 1..4);
        (policies, announces, prop::collection::vec(0..4_u8, 1..4))
            .prop_map(|(policy, announces, calls)| Script { policy, announces, calls })
            .boxed()
    }

    fn classics(&self, _: &Params) -> Vec<Script> {
        let script = |policy, announces: &[bool], calls: &[u8]| {
            let (announces, calls) = (announces.to_vec(), calls.to_vec());
            Script { policy, announces, calls }
        };
        vec![
            script(Policy::First, &[true, true, true], &[1, 2, 3]),
            script(Policy::RoundRobin, &[true, true], &[1, 2, 1]),
            script(Policy::Last, &[false, true], &[1, 2]),
        ]
    }

    fn plan(&self, script: &Script, _: &Params) -> Plan {
        let modest: Vec<bool> = [false].into_iter().chain(script.announces.iter().map(|one| !one)).collect();
        let mut asking = Asking::with(&modest);
        for who in 1..modest.len() {
            let (procedure, matching, policy) = ("p".to_owned(), Match::Exact, script.policy);
            asking.ask_and_wait(who, Request::Register { procedure, matching, policy, concurrency: None });
        }
        for &busy in &script.calls {
            let number = asking.ask(0, call("p"));
            (0..busy).for_each(|_| asking.serve(0, number, &[Give::Unavailable]));
            asking.serve(0, number, &[Give::Result]);
            asking.wait(0, number);
        }
        asking.plan()
    }

    fn judge(&self, history: &History) -> Vec<Violation> {
        let talk = Talk::of(history);
        let callees = talk.asks.values().filter(|ask| matches!(ask.request, Request::Register { .. }));
        let callees: Vec<Conn> = callees.filter(|ask| ask.granted().is_some()).map(|ask| ask.id.0).collect();
        calls(&talk).into_iter().filter_map(|(ask, _)| one(&talk, ask, &callees)).collect()
    }
}

fn one(talk: &Talk, ask: &Ask, callees: &[Conn]) -> Option<Violation> {
    let came = arrivals(talk, ask);
    let Some(last) = came.last() else { return Some(wrong(ID, ask, "reached nobody")) };
    let goes_on = |invoked: &Invoked| {
        let said = invoked.gave.iter().any(|gave| gave.2 == Give::Unavailable);
        let member = talk.ledger.members.get(&invoked.callee);
        said && member.is_some_and(|member| !member.door.modest)
    };
    for (place, invoked) in came.iter().enumerate() {
        let who = invoked.callee.0;
        if came[..place].iter().any(|before| before.callee == invoked.callee) {
            return Some(Violation::safety(ID, format!("{} came to {who} again", ask.text())));
        }
        if place + 1 < came.len() && !goes_on(invoked) {
            return Some(Violation::safety(ID, format!("{} went on from {who}", ask.text())));
        }
    }
    let is_left = callees.iter().any(|callee| came.iter().all(|invoked| invoked.callee != *callee));
    let ended = |wanted: &str| matches!(ask.last(), Some((_, Answer::Refused { uri, .. })) if uri == wanted);
    if goes_on(last) {
        let what = if is_left { "did not go on to the next callee" } else { "had no callee with time" };
        return (is_left || !ended(NOBODY)).then(|| wrong(ID, ask, what));
    }
    match last.gave.first() {
        Some(gave) if gave.2 == Give::Unavailable => (!ended(UNAVAILABLE))
            .then(|| wrong(ID, ask, "was refused by a callee that announced no re-routing")),
        Some(_) => (!has_result(ask)).then(|| wrong(ID, ask, "was answered")),
        None => None,
    }
}
