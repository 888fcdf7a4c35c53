//! Bytes that were made to hurt: whatever comes, the others are served.

use proptest::prelude::*;
use proptest::sample::select;
use serde::{Deserialize, Serialize};

use super::judge::witnesses;
use super::{NEXT, WITNESS, words};
use crate::check::{Card, Family, Params, Violation};
use crate::history::{Conn, History};
use crate::model::{Door, Line, Message, Publish, Request, Role, Topic};
use crate::plan::{Plan, Step};
use crate::raw::wamp::{Serialization, Value, code};

/// The check of hostile bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hostile;

/// What is sent, inside of a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Script {
    /// In which serialisation.
    pub(super) written: Serialization,
    /// What, in order, each on a connection of its own.
    pub(super) attacks: Vec<Attack>,
}

/// See [`Script`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Attack {
    /// Lists in lists, that many, closed again or not.
    Deep(usize, bool),
    /// Maps in maps.
    DeepMaps(usize),
    /// Bytes at random.
    Bytes(Vec<u8>),
    /// A message of the list of requests, with bytes of it replaced: where, and by what.
    Changed(usize, Vec<(usize, u8)>),
    /// A message of the list of requests, cut.
    Cut(usize, usize),
    /// A length of the list that nothing has.
    Huge(usize),
    /// A number of so many digits.
    Digits(usize),
}

/// Lengths that no message has: of lists, texts, maps and bytes. In JSON they are numbers.
const HUGE: [&[&[u8]]; 3] = [
    &[
        b"[32,1e999999,{},\"a\"]",
        b"[1e308,1e308]",
        b"[16,1,{},\"a\",[1e-999999999]]",
        b"[18446744073709551616]",
    ],
    &[
        b"\xdd\xff\xff\xff\xff",
        b"\x94\x10\x01\x80\xdb\xff\xff\xff\xff",
        b"\x94\x10\x01\xdf\xff\xff\xff\xff",
        b"\x95\x10\x01\x80\xa1a\xdd\x7f\xff\xff\xff",
        b"\x95\x10\x01\x80\xa1a\xc6\xff\xff\xff\xff",
        b"\x95\x10\x01\x80\xa1a\xc9\xff\xff\xff\xff\x01",
    ],
    &[
        b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x84\x10\x01\xa0\x7b\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x84\x10\x01\xbb\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"\x85\x10\x01\xa0\x61a\x9a\x7f\xff\xff\xff",
        b"\x85\x10\x01\xa0\x61a\x5b\x80\x00\x00\x00\x00\x00\x00\x00",
        b"\x85\x10\x01\xa0\x61a\x81\xc2\x5b\x00\x00\x00\xff\xff\xff\xff\xff",
    ],
];

impl Attack {
    fn bytes(&self, written: Serialization) -> Vec<u8> {
        let (list, map): (&[u8], &[u8]) = match written {
            Serialization::Json => (b"[", b"{\"a\":"),
            Serialization::MsgPack => (b"\x91", b"\x81\xa1a"),
            Serialization::Cbor => (b"\x81", b"\xa1\x61a"),
        };
        let request = |which: &usize| {
            // Names of no namespace: nobody hears them, whatever becomes of the bytes.
            let uri = Value::from("hostile.topic");
            let rest = [Value::Int(1), Value::map([("acknowledge", Value::from(true))]), uri];
            let kinds = [code::PUBLISH, code::SUBSCRIBE, code::REGISTER, code::CALL];
            let items = [Value::Int(kinds[which % kinds.len()])].into_iter().chain(rest);
            written.encode(&Value::List(items.collect()))
        };
        match self {
            Self::Deep(levels, is_closed) => {
                let mut bytes = list.repeat(*levels);
                match (written, is_closed) {
                    (Serialization::Json, true) => bytes.extend(b"]".repeat(*levels)),
                    (_, true) => bytes.push(1),
                    _ => {}
                }
                bytes
            }
            Self::DeepMaps(levels) => map.repeat(*levels),
            Self::Bytes(bytes) if written.is_text() => {
                String::from_utf8_lossy(bytes).into_owned().into_bytes()
            }
            Self::Bytes(bytes) => bytes.clone(),
            Self::Changed(which, changes) => {
                let mut bytes = request(which);
                for (place, byte) in changes {
                    let place = place % bytes.len();
                    bytes[place] = if written.is_text() { byte & 0x7f } else { *byte };
                }
                bytes
            }
            Self::Cut(which, length) => {
                let mut bytes = request(which);
                bytes.truncate(length % bytes.len());
                bytes
            }
            Self::Huge(which) => {
                let all = HUGE[Serialization::ALL.iter().position(|one| *one == written).unwrap_or(0)];
                all[which % all.len()].to_vec()
            }
            Self::Digits(digits) => {
                let number = Value::Verbatim(Box::new(Value::Null), written, b"9".repeat(*digits));
                written.encode(&Value::List(vec![number]))
            }
        }
    }
}

impl Family for Hostile {
    type Script = Script;

    fn card(&self) -> Card {
        Card {
            name: "wamp_session.hostile",
            about: "Garbage, depth without end and lengths that nothing has hurt nobody but their sender.",
            requirements: &["REQ-WAMP-004"],
            caps: &["messages"],
            any_of: &[],
            weight: 75,
        }
    }

    fn scripts(&self, _: &Params) -> BoxedStrategy<Script> {
        let changes = prop::collection::vec((0..40_usize, any::<u8>()), 1..4);
        let attack = prop_oneof![
            2 => (select(vec![50_usize, 99, 100, 101, 1000, 100_000]), any::<bool>())
                .prop_map(|(levels, is_closed)| Attack::Deep(levels, is_closed)),
            1 => select(vec![101_usize, 20_000]).prop_map(Attack::DeepMaps),
            2 => prop::collection::vec(any::<u8>(), 0..40).prop_map(Attack::Bytes),
            4 => (0..4_usize, changes).prop_map(|(which, changes)| Attack::Changed(which, changes)),
            1 => (0..4_usize, 0..40_usize).prop_map(|(which, length)| Attack::Cut(which, length)),
            2 => (0..6_usize).prop_map(Attack::Huge),
            1 => select(vec![20_usize, 400, 50_000]).prop_map(Attack::Digits),
        ];
        (select(Serialization::ALL.to_vec()), prop::collection::vec(attack, 1..4))
            .prop_map(|(written, attacks)| Script { written, attacks })
            .boxed()
    }

    fn classics(&self, _: &Params) -> Vec<Script> {
        let deep = |written| Script { written, attacks: vec![Attack::Deep(100_000, false)] };
        let huge = |written| Script { written, attacks: (0..6).map(Attack::Huge).collect() };
        let all = Serialization::ALL;
        let digits =
            Script { written: all[0], attacks: vec![Attack::Digits(50_000), Attack::Deep(100, true)] };
        all.into_iter().map(deep).chain(all.into_iter().map(huge)).chain([digits]).collect()
    }

    fn plan(&self, script: &Script, _: &Params) -> Plan {
        let session = |conn| Step::open(conn, Door::new(Role::Session, Topic::new("")));
        let mut steps = vec![session(WITNESS)];
        for (number, attack) in (0..).zip(&script.attacks) {
            let conn = Conn(10 + number);
            let bytes = Message::Bytes(None, attack.bytes(script.written));
            let begins = vec![Value::Int(code::PUBLISHED), Value::Int(2)];
            steps.extend([
                Step::Connect { conn, line: Line::of(script.written) },
                Step::Tell { conn, messages: vec![words::hello()] },
                Step::Heed { conn, begins: vec![Value::Int(code::WELCOME)] },
                Step::Tell { conn, messages: vec![bytes, words::mark(2)] },
                Step::Heed { conn, begins },
            ]);
            let publish = Publish { topic: words::TOPIC.to_owned(), acknowledge: true, ..Publish::default() };
            steps.push(Step::ask(WITNESS, Request::Publish(publish)));
            steps.push(Step::AwaitAnswer { conn: WITNESS, number });
        }
        steps.push(session(NEXT));
        Plan::new(steps)
    }

    fn judge(&self, history: &History) -> Vec<Violation> {
        witnesses(history, Some("REQ-WAMP-004"))
    }
}
