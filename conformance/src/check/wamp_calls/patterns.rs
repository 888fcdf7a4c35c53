//! Which of several registrations that take a call gets it.

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::{arrivals, call, calls, end, has_result, wrong};
use crate::check::asking::Asking;
use crate::check::talk::{Ask, Talk};
use crate::check::{Card, Family, Params, Violation};
use crate::history::{Conn, History};
use crate::model::{Answer, Give, Match, Policy, Request};
use crate::plan::Plan;

/// What is called.
const NAMES: [&str; 8] = ["a", "a.b", "ab", "a.b.c", "a.x.c", "b.b.c", "a.b.c.d", "x.x.x"];

const PREFIXES: [&str; 5] = ["a", "a.", "a.b", "a.b.c", "b"];

const WILDCARDS: [&str; 8] = ["a..c", ".b.c", "a.b.", "..c", "a..", ".b.", "..", "a."];

/// How many callees there are; the caller is behind them.
const CALLEES: usize = 3;

const ID: &str = "REQ-WAMP-044";

/// The check.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patterns;

/// What is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Op {
    /// Somebody registers something of the list of its kind.
    Register(usize, Match, usize),
    /// Somebody takes back one of its registrations.
    Unregister(usize, usize),
    /// Something of the list is called.
    Call(usize),
}

impl Family for Patterns {
    type Script = Vec<Op>;

    fn card(&self) -> Card {
        Card {
            name: "wamp_calls.patterns",
            about: "Of several registrations that take a call the closest gets it.",
            requirements: &[ID],
            caps: &["rpc.patterns"],
            any_of: &[],
            weight: 80,
        }
    }

    fn scripts(&self, _: &Params) -> BoxedStrategy<Vec<Op>> {
        let register = prop_oneof![
            1 => (Just(Match::Exact), 0..NAMES.len()),
            2 => (Just(Match::Prefix), 0..PREFIXES.len()),
            3 => (Just(Match::Wildcard), 0..WILDCARDS.len()),
        ];
        let op = prop_oneof![
            4 => (0..CALLEES, register).prop_map(|(who, (how, name))| Op::Register(who, how, name)),
            1 => (0..CALLEES, 0..3_usize).prop_map(|(who, nth)| Op::Unregister(who, nth)),
            4 => prop_oneof![2 => Just(3_usize), 3 => 0..NAMES.len()].prop_map(Op::Call),
        ];
        prop::collection::vec(op, 1..14).boxed()
    }

    fn classics(&self, _: &Params) -> Vec<Vec<Op>> {
        use Match::{Exact, Prefix, Wildcard};
        let at = Op::Register;
        vec![
            vec![
                at(0, Wildcard, 3),
                at(1, Prefix, 0),
                at(0, Prefix, 2),
                at(2, Exact, 3),
                Op::Call(3),
                Op::Call(1),
            ],
            vec![
                at(0, Prefix, 2),
                at(1, Prefix, 0),
                Op::Call(3),
                Op::Unregister(0, 0),
                Op::Call(3),
                Op::Call(7),
            ],
            vec![at(0, Wildcard, 0), at(1, Wildcard, 1), Op::Call(3), at(2, Wildcard, 2), Op::Call(3)],
            vec![
                at(0, Wildcard, 2),
                at(1, Wildcard, 0),
                at(2, Wildcard, 6),
                Op::Call(3),
                Op::Call(4),
                Op::Call(7),
            ],
        ]
    }

    fn plan(&self, script: &Vec<Op>, _: &Params) -> Plan {
        let mut asking = Asking::new(CALLEES + 1);
        let mut mine: [Vec<u32>; CALLEES] = Default::default();
        for op in script {
            match *op {
                Op::Register(who, matching, name) => {
                    let who = who % CALLEES;
                    let names: &[&str] = match matching {
                        Match::Exact => &NAMES,
                        Match::Prefix => &PREFIXES,
                        Match::Wildcard => &WILDCARDS,
                    };
                    let procedure = names[name % names.len()].to_owned();
                    let policy = Policy::Single;
                    let request = Request::Register { procedure, matching, policy, concurrency: None };
                    mine[who].push(asking.ask_and_wait(who, request));
                }
                Op::Unregister(who, nth) => {
                    let mine = &mut mine[who % CALLEES];
                    if !mine.is_empty() {
                        let of = mine.remove(nth % mine.len());
                        asking.ask_and_wait(who % CALLEES, Request::Unregister { of });
                    }
                }
                Op::Call(name) => {
                    let number = asking.ask(CALLEES, call(NAMES[name % NAMES.len()]));
                    asking.serve(CALLEES, number, &[Give::Result]);
                    asking.wait(CALLEES, number);
                }
            }
        }
        asking.plan()
    }

    fn judge(&self, history: &History) -> Vec<Violation> {
        let talk = Talk::of(history);
        let mut violations = Vec::new();
        for (ask, calling) in calls(&talk) {
            let places = places(&talk, ask.at);
            violations.extend(one(&talk, ask, best(&places, &calling.procedure), &calling.procedure));
        }
        violations
    }
}

/// A registration.
struct Place<'a> {
    by: Conn,
    id: u64,
    matching: Match,
    pattern: &'a str,
}

/// The registrations at a time; nothing changes while a call is under way.
fn places(talk: &Talk, at: usize) -> Vec<Place<'_>> {
    let taken_back = |by: Conn, number: u32| {
        talk.asks.values().any(|ask| {
            let is_it = ask.request == Request::Unregister { of: number };
            ask.id.0 == by && is_it && ask.granted().is_some_and(|(granted, _)| granted < at)
        })
    };
    let place = |ask: &'_ Ask| match (&ask.request, ask.granted()) {
        (Request::Register { .. }, Some((granted, Some(id)))) if granted < at => {
            (!taken_back(ask.id.0, ask.id.1)).then_some(id)
        }
        _ => None,
    };
    let found = talk.asks.values().filter_map(|ask| match &ask.request {
        Request::Register { procedure, matching, .. } => {
            Some(Place { by: ask.id.0, id: place(ask)?, matching: *matching, pattern: procedure })
        }
        _ => None,
    });
    found.collect()
}

/// Who is to be called (WAMP, Pattern-based Registrations).
fn best<'a>(places: &'a [Place<'a>], name: &str) -> Option<&'a Place<'a>> {
    let rank = |place: &&Place<'_>| match place.matching {
        Match::Exact => (2, Vec::new()),
        Match::Prefix => (1, vec![place.pattern.len()]),
        Match::Wildcard => (0, runs(place.pattern)),
    };
    places.iter().filter(|place| place.matching.takes(place.pattern, name)).max_by_key(rank)
}

/// How many components stand before the first gap, between it and the next, and so on.
fn runs(pattern: &str) -> Vec<usize> {
    let components: Vec<&str> = pattern.split('.').collect();
    components.split(|component| component.is_empty()).map(<[&str]>::len).collect()
}

fn one(talk: &Talk, ask: &Ask, wanted: Option<&Place<'_>>, name: &str) -> Option<Violation> {
    let arrived = arrivals(talk, ask);
    let Some(wanted) = wanted else {
        let is_refused = matches!(ask.last(), Some((_, Answer::Refused { uri, .. })) if uri == "wamp.error.no_such_procedure");
        return (!is_refused || !arrived.is_empty()).then(|| wrong(ID, ask, "is for nobody"));
    };
    let meant = format!("is for {:?} {:?} of {}", wanted.matching, wanted.pattern, wanted.by.0);
    let Some(invoked) = arrived.first() else {
        return Some(wrong(ID, ask, &format!("{meant}, and reached nobody")));
    };
    let told = |what: String| Some(Violation::safety(ID, format!("{} {meant}{what}", ask.text())));
    if (invoked.callee, invoked.registration) != (wanted.by, wanted.id) || arrived.len() > 1 {
        return told(format!(", and reached registration {} of {}", invoked.registration, invoked.callee.0));
    }
    if wanted.matching != Match::Exact && invoked.procedure.as_deref() != Some(name) {
        return told(format!(", and was named {:?}", invoked.procedure));
    }
    if !invoked.gave.is_empty() && !has_result(ask) {
        return Some(wrong(ID, ask, &format!("was answered, and {}", end(ask))));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// REQ-WAMP-044: after the example of the specification.
    #[test]
    fn the_closest_registration_is_called() {
        let all = [
            (Match::Exact, "a1.b2.c3.d4.e55"),
            (Match::Prefix, "a1.b2.c3"),
            (Match::Prefix, "a1.b2.c3.d4"),
            (Match::Wildcard, "a1.b2..d4.e5"),
            (Match::Wildcard, "a1.b2.c44..e5"),
            (Match::Wildcard, "a1.b2..d4.e5..g7"),
            (Match::Wildcard, "a1.b2..d4..f6.g7"),
        ];
        let place = |(id, (matching, pattern))| Place { by: Conn(0), id, matching, pattern };
        let places: Vec<Place<'_>> = (1..).zip(all).map(place).collect();
        for (name, number) in [
            ("a1.b2.c3.d4.e55", Some(1)),
            ("a1.b2.c3.d98.e74", Some(2)),
            ("a1.b2.c3.d4.e325", Some(3)),
            ("a1.b2.c55.d4.e5", Some(4)),
            ("a1.b2.c44.d4.e5", Some(5)),
            ("a1.b2.c88.d4.e5.f6.g7", Some(6)),
            ("a2.b2.c2.d2.e2", None),
        ] {
            assert_eq!(best(&places, name).map(|place| place.id), number, "{name}");
        }
    }
}
