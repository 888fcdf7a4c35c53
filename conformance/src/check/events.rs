//! The judge of subscriptions by name, prefix and wildcard: each publication comes once to each subscription that takes it,
//! of everybody whom the publication admits, and to nobody else.

use std::collections::BTreeMap;

use super::Violation;
use super::talk::{Ask, Heard, Talk, same};
use crate::history::{Conn, History};
use crate::model::{Match, Publish, Request};

/// A subscription of a session, and how long it had it.
struct Place<'a> {
    by: Conn,
    matching: Match,
    topic: &'a str,
    id: u64,
    /// From when on.
    begin: usize,
    /// When it was asked to end, and when that was granted.
    end: Option<(usize, usize)>,
}

/// What a history breaks.
pub(super) fn judge(history: &History) -> Vec<Violation> {
    let talk = Talk::of(history);
    let mut violations = talk.basics("REQ-WAMP-020");
    let places = places(&talk, &mut violations);
    ids(&places, &mut violations);
    for heard in &talk.heard {
        violations.extend(stray(&talk, &places, heard));
    }
    for ask in talk.asks.values() {
        if let Request::Publish(publish) = &ask.request {
            violations.extend(missing(&talk, &places, ask, publish));
        }
    }
    violations
}

/// The rule that a match policy stands under.
fn rule(matching: Match) -> &'static str {
    match matching {
        Match::Exact => "REQ-WAMP-020",
        Match::Prefix => "REQ-WAMP-022",
        Match::Wildcard => "REQ-WAMP-023",
    }
}

/// The subscriptions that there were, in time.
fn places<'a>(talk: &'a Talk, violations: &mut Vec<Violation>) -> Vec<Place<'a>> {
    let mut asks: Vec<&Ask> = talk.asks.values().collect();
    asks.sort_by_key(|ask| ask.at);
    let mut places: Vec<Place<'a>> = Vec::new();
    for ask in asks {
        let is_there = talk.gone(ask.id.0).is_none();
        let mut told = |rule, what: String| violations.push(Violation::safety(rule, what));
        match &ask.request {
            Request::Subscribe { topic, matching } => match (ask.granted(), ask.refused()) {
                (Some((at, Some(id))), _) => {
                    let place = Place { by: ask.id.0, matching: *matching, topic, id, begin: at, end: None };
                    let has = places.iter().any(|p| p.end.is_none() && p.is_same(&place) && p.by == place.by);
                    if !has {
                        places.push(place);
                    }
                }
                (_, Some(uri)) => told(rule(*matching), format!("{} was refused with {uri}", ask.text())),
                _ if is_there => violations
                    .push(Violation::liveness(rule(*matching), format!("{} has no answer", ask.text()))),
                _ => {}
            },
            Request::Unsubscribe { of } => {
                let id = talk.asks.get(&(ask.id.0, *of)).and_then(Ask::granted).and_then(|(_, id)| id);
                let place = places
                    .iter_mut()
                    .find(|place| place.by == ask.id.0 && place.end.is_none() && Some(place.id) == id);
                match (place, ask.granted(), ask.refused()) {
                    (Some(place), Some((at, _)), _) => place.end = Some((ask.at, at)),
                    (None, None, Some("wamp.error.no_such_subscription")) => {}
                    (_, None, None) if is_there => violations
                        .push(Violation::liveness("REQ-WAMP-027", format!("{} has no answer", ask.text()))),
                    (_, _, answer) => {
                        told("REQ-WAMP-027", format!("{} was answered {answer:?}", ask.text()));
                    }
                }
            }
            _ => {}
        }
    }
    places
}

impl Place<'_> {
    /// Whether it is the same topic or pattern.
    fn is_same(&self, other: &Place<'_>) -> bool {
        self.matching == other.matching && self.topic == other.topic
    }

    /// Whether both were there at some time.
    fn overlaps(&self, other: &Place<'_>) -> bool {
        let before = |one: &Place<'_>, two: &Place<'_>| one.end.is_some_and(|(_, end)| end < two.begin);
        !before(self, other) && !before(other, self)
    }
}

/// Each topic or pattern has one id, and no other has it.
fn ids(places: &[Place<'_>], violations: &mut Vec<Violation>) {
    for (i, one) in places.iter().enumerate() {
        for other in &places[..i] {
            if one.overlaps(other) && one.is_same(other) != (one.id == other.id) {
                let text = format!(
                    "{:?} {:?} of {} and {:?} {:?} of {} have the ids {} and {}",
                    one.matching,
                    one.topic,
                    one.by.0,
                    other.matching,
                    other.topic,
                    other.by.0,
                    one.id,
                    other.id
                );
                violations.push(Violation::safety("REQ-WAMP-026", text));
            }
        }
    }
}

/// Whether a publication admits somebody.
fn admits(publish: &Publish, publisher: Conn, to: Conn) -> bool {
    (to != publisher || publish.to_itself)
        && publish.eligible.as_ref().is_none_or(|only| only.contains(&to))
        && !publish.exclude.contains(&to)
}

/// The rule that decides about somebody whom a publication may not admit.
fn admission(publish: &Publish, publisher: Conn, to: Conn) -> &'static str {
    let has_lists = publish.eligible.is_some() || !publish.exclude.is_empty();
    if has_lists && (to != publisher || publish.to_itself) { "REQ-WAMP-024" } else { "REQ-WAMP-021" }
}

/// What is wrong with one event.
fn stray(talk: &Talk, places: &[Place<'_>], heard: &Heard) -> Vec<Violation> {
    let who = format!("{} heard on subscription {}", heard.by.0, heard.subscription);
    let safety = |rule, what: String| vec![Violation::safety(rule, format!("{who} {what}"))];
    let of = talk.ask_of(&heard.payload);
    let Some((ask, Request::Publish(publish))) = of.map(|ask| (ask, &ask.request)) else {
        return safety("REQ-WAMP-020", format!("what nobody published: {}", heard.payload));
    };
    let what = ask.text();
    if !same(&heard.payload, &ask.payload) {
        return safety("REQ-WAMP-001", format!("{what} with other arguments: {}", heard.payload));
    }
    let place = |p: &&Place<'_>| p.by == heard.by && p.id == heard.subscription && p.begin < heard.at;
    let Some(place) = places.iter().rev().find(place) else {
        return safety("REQ-WAMP-020", format!("{what} without such a subscription"));
    };
    if place.end.is_some_and(|(_, end)| end < heard.at) {
        return safety("REQ-WAMP-027", format!("{what} after UNSUBSCRIBED"));
    }
    if !place.matching.takes(place.topic, &publish.topic) {
        return safety(rule(place.matching), format!("({:?} {:?}) {what}", place.matching, place.topic));
    }
    if ask.at < place.begin && ask.granted().is_none_or(|(at, _)| at < place.begin) {
        return safety("REQ-WAMP-020", format!("{what}, which is older"));
    }
    if !admits(publish, ask.id.0, heard.by) {
        return safety(admission(publish, ask.id.0, heard.by), format!("{what}, which is not for it"));
    }
    let mut violations = Vec::new();
    if place.matching != Match::Exact && heard.topic.as_ref() != Some(&publish.topic) {
        violations.extend(safety(rule(place.matching), format!("{what} as topic {:?}", heard.topic)));
    }
    let publisher = talk.sessions.get(&ask.id.0).copied().filter(|_| publish.disclose);
    if heard.publisher != publisher {
        violations.extend(safety("REQ-WAMP-025", format!("{what} as published by {:?}", heard.publisher)));
    }
    violations
}

/// What somebody should have heard, once.
fn missing(talk: &Talk, places: &[Place<'_>], ask: &Ask, publish: &Publish) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut ids: BTreeMap<u64, Conn> = BTreeMap::new();
    if talk.gone(ask.id.0).is_some() {
        return violations;
    }
    for place in places {
        let is_its = |heard: &&Heard| {
            heard.by == place.by
                && heard.subscription == place.id
                && heard.at > place.begin
                && talk.ask_of(&heard.payload).is_some_and(|of| of.id == ask.id)
        };
        let events: Vec<&Heard> = talk.heard.iter().filter(is_its).collect();
        ids.extend(events.iter().map(|heard| (heard.publication, heard.by)));
        let is_member = place.begin < ask.at && place.end.is_none_or(|(end, _)| ask.at < end);
        let is_due = is_member
            && place.matching.takes(place.topic, &publish.topic)
            && admits(publish, ask.id.0, place.by)
            && talk.gone(place.by).is_none();
        let what = format!("{} at {:?} {:?} of {}", ask.text(), place.matching, place.topic, place.by.0);
        match events.len() {
            0 if is_due => {
                let has_lists = publish.eligible.is_some() || !publish.exclude.is_empty();
                let rule = match has_lists {
                    true => "REQ-WAMP-024",
                    false if place.by == ask.id.0 => "REQ-WAMP-021",
                    false => rule(place.matching),
                };
                violations.push(Violation::liveness(rule, format!("{what} is missing")));
            }
            0 | 1 => {}
            n => violations.push(Violation::safety("REQ-WAMP-020", format!("{what} came {n} times"))),
        }
    }
    if ids.len() > 1 {
        let text = format!("{} has several publication ids: {ids:?}", ask.text());
        violations.push(Violation::safety("REQ-WAMP-020", text));
    }
    violations
}
