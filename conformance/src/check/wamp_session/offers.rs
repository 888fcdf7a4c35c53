//! What a client offers, and what is chosen.

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::SPEAKER;
use super::speech::{Answer, Speech};
use super::words;
use crate::check::{Card, Family, Params, Violation};
use crate::history::History;
use crate::model::Line;
use crate::plan::{Plan, Step};
use crate::raw::wamp::{Serialization, Value, code};

/// What may be offered: what the broker has, and what nobody has.
const OFFERS: [&str; 7] =
    ["wamp.2.json", "wamp.2.msgpack", "wamp.2.cbor", "chat", "wamp.9.json", "wamp.2.jsonx", "wamp.2"];

/// The check of subprotocols.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offers;

/// Offers, by their numbers in the list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Script(pub(super) Vec<usize>);

impl Script {
    fn offers(&self) -> Vec<&'static str> {
        self.0.iter().map(|which| OFFERS[which % OFFERS.len()]).collect()
    }
}

/// The first that is known.
fn chosen<'a>(offers: impl IntoIterator<Item = &'a str>) -> Option<Serialization> {
    let known = |name: &str| Serialization::ALL.into_iter().find(|known| known.subprotocol() == name);
    offers.into_iter().find_map(known)
}

impl Family for Offers {
    type Script = Script;

    fn card(&self) -> Card {
        Card {
            name: "wamp_session.offers",
            about: "Of the subprotocols that a client offers the first that is known is chosen and spoken.",
            requirements: &["REQ-WAMP-010", "REQ-LIVE-001"],
            caps: &["messages", "serializer.json", "serializer.msgpack", "serializer.cbor"],
            any_of: &[],
            weight: 50,
        }
    }

    fn scripts(&self, _: &Params) -> BoxedStrategy<Script> {
        prop::collection::vec(0..OFFERS.len(), 0..5).prop_map(Script).boxed()
    }

    fn classics(&self, _: &Params) -> Vec<Script> {
        [&[2, 0][..], &[3, 1, 0], &[3], &[], &[4, 5, 6]].map(|offers| Script(offers.to_vec())).to_vec()
    }

    fn plan(&self, script: &Script, _: &Params) -> Plan {
        let offers = script.offers();
        let serialization = chosen(offers.iter().copied()).or(Some(Serialization::Json));
        let offers = Some(offers.into_iter().map(str::to_owned).collect());
        let line = Line { serialization, offers, ..Line::default() };
        Plan::new(vec![
            Step::Connect { conn: SPEAKER, line },
            Step::Tell { conn: SPEAKER, messages: vec![words::hello()] },
            Step::Heed { conn: SPEAKER, begins: vec![Value::Int(code::WELCOME)] },
        ])
    }

    fn judge(&self, history: &History) -> Vec<Violation> {
        let Some(speech) = Speech::of(history, SPEAKER) else { return Vec::new() };
        let offers = speech.line.offers.clone().unwrap_or_default();
        let told = |text: String| vec![Violation::safety("REQ-WAMP-010", format!("to {offers:?}: {text}"))];
        let Some(Answer { status, fields, body }) = speech.answer else {
            return vec![Violation::liveness("REQ-LIVE-001", "the handshake was not answered")];
        };
        let taken = fields.iter().find(|(name, _)| name == "sec-websocket-protocol");
        let taken = taken.map(|(_, name)| name.as_str());
        match chosen(offers.iter().map(String::as_str)) {
            None if status != 400 => told(format!("answered {status}, {taken:?}")),
            None if !body.head.contains("wamp.2.") => told(format!("{body} names no subprotocol")),
            None => Vec::new(),
            Some(first) if status != 101 || taken != Some(first.subprotocol()) => {
                told(format!("answered {status}, {taken:?}"))
            }
            Some(_) if speech.turns.iter().any(|turn| turn.kind() == Some(code::WELCOME)) => Vec::new(),
            Some(_) => vec![Violation::liveness("REQ-WAMP-010", format!("to {offers:?}: no session opened"))],
        }
    }
}
