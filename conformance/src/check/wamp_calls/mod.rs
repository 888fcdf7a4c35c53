//! Calls by pattern, callers who are told, calls in pieces, and calls that go on to the next callee: what the Advanced Profile
//! of WAMP adds.

use super::talk::{Ask, Invoked, Talk};
use super::{Check, Violation};
use crate::model::{Answer, Calling, Request};

mod patterns;
mod pieces;
mod reroute;
mod told;

/// The checks of this family.
pub fn checks() -> Vec<Box<dyn Check>> {
    vec![
        Box::new(patterns::Patterns),
        Box::new(told::Told),
        Box::new(pieces::Pieces),
        Box::new(reroute::Reroute),
    ]
}

/// A call without anything special.
fn call(procedure: &str) -> Request {
    Request::CallWith(Calling { procedure: procedure.to_owned(), ..Calling::default() })
}

/// The calls, in the order in which they were made.
fn calls(talk: &Talk) -> Vec<(&Ask, &Calling)> {
    let mut calls: Vec<(&Ask, &Calling)> = talk
        .asks
        .values()
        .filter_map(|ask| match &ask.request {
            Request::CallWith(calling) => Some((ask, calling)),
            _ => None,
        })
        .collect();
    calls.sort_by_key(|(ask, _)| ask.at);
    calls
}

/// Where a call arrived, in order.
fn arrivals<'a>(talk: &'a Talk, ask: &Ask) -> Vec<&'a Invoked> {
    let is_its = |invoked: &&Invoked| talk.ask_of(&invoked.payload).is_some_and(|of| of.id == ask.id);
    talk.invoked.iter().filter(is_its).collect()
}

/// How a call ended, in words.
fn end(ask: &Ask) -> String {
    match ask.last() {
        Some((_, Answer::Refused { uri, .. })) => format!("failed with {uri}"),
        Some((_, Answer::Result { .. })) => "has a result".to_owned(),
        Some(_) => "has a strange answer".to_owned(),
        None => "has no answer".to_owned(),
    }
}

/// What is wrong with a call: without an answer it is a matter of time.
fn wrong(rule: &'static str, ask: &Ask, what: &str) -> Violation {
    let text = format!("{} {what}, and {}", ask.text(), end(ask));
    if ask.last().is_none() { Violation::liveness(rule, text) } else { Violation::safety(rule, text) }
}

/// Whether it has a result.
fn has_result(ask: &Ask) -> bool {
    matches!(ask.last(), Some((_, Answer::Result { .. })))
}
