//! WAMP over rawsocket: handshakes, frames, and lengths.
//!
//! Client 0 speaks rawsocket; client 1, where there is one, an ordinary WebSocket.

use proptest::prelude::*;
use proptest::sample::select;
use serde::{Deserialize, Serialize};

use super::wamp_session::words;
use super::{Card, Check, Family, Params, Violation};
use crate::history::{Conn, History};
use crate::model::{Carrier, Form, Item, Line, Message};
use crate::plan::{Plan, Step};
use crate::raw::wamp::{Serialization, Value, code, rawsocket};

mod judge;

/// Who speaks rawsocket, and who does not.
const RAW: Conn = Conn(0);
const OTHER: Conn = Conn(1);

/// The checks of this family.
pub fn checks() -> Vec<Box<dyn Check>> {
    vec![Box::new(Handshakes), Box::new(Frames), Box::new(Lengths)]
}

/// A client that takes 2^16 bytes or more is never told that this is too little.
const ROOMY: u8 = 7;

const CAPS: &[&str] = &["messages", "transport.rawsocket"];

/// The number of a serialiser.
fn number(serialization: Serialization) -> u8 {
    match serialization {
        Serialization::Json => 1,
        Serialization::MsgPack => 2,
        Serialization::Cbor => 3,
    }
}

/// The serialiser of a number.
fn serializer(number: u8) -> Option<Serialization> {
    Serialization::ALL.into_iter().find(|one| self::number(*one) == number)
}

fn line(greeting: [u8; 4]) -> Line {
    let serialization = serializer(greeting[1] & 0x0f);
    Line { carrier: Carrier::RawSocket(greeting), serialization, ..Line::default() }
}

fn tell(conn: Conn, messages: Vec<Message>, begins: Vec<Value>) -> [Step; 2] {
    [Step::Tell { conn, messages }, Step::Heed { conn, begins }]
}

/// Handshakes of all kinds.
#[derive(Clone, Copy, Debug)]
pub struct Handshakes;

/// The second octet of a handshake, and the two that are reserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Octets(pub u8, pub u8, pub u8);

impl Family for Handshakes {
    type Script = Octets;

    fn card(&self) -> Card {
        Card {
            name: "rawsocket.handshake",
            about: "A handshake is answered in four octets: the serialiser asked for and a length, or why not.",
            requirements: &["REQ-WAMP-080", "REQ-LIVE-001"],
            caps: CAPS,
            any_of: &[],
            weight: 50,
        }
    }

    fn scripts(&self, _: &Params) -> BoxedStrategy<Octets> {
        let serializer = prop_oneof![2 => 1..=3_u8, 1 => 0..16_u8];
        let reserved = || prop_oneof![4 => Just(0_u8), 1 => any::<u8>()];
        (0..16_u8, serializer, reserved(), reserved())
            .prop_map(|(length, serializer, third, fourth)| Octets(length << 4 | serializer, third, fourth))
            .boxed()
    }

    fn classics(&self, _: &Params) -> Vec<Octets> {
        vec![
            Octets(0xf4, 0, 0),
            Octets(0xf1, 0, 1),
            Octets(0xf0, 0, 0),
            Octets(0xf2, 0, 0),
            Octets(0x03, 0, 0),
        ]
    }

    fn plan(&self, script: &Octets, _: &Params) -> Plan {
        let Octets(second, third, fourth) = *script;
        let connect = Step::Connect { conn: RAW, line: line([rawsocket::MAGIC, second, third, fourth]) };
        let join = tell(RAW, vec![words::hello()], vec![Value::Int(code::WELCOME)]);
        // A short length has no room for every WELCOME.
        let has_room = second >> 4 >= ROOMY;
        Plan::new([connect].into_iter().chain(join.into_iter().filter(|_| has_room)).collect())
    }

    fn judge(&self, history: &History) -> Vec<Violation> {
        judge::handshake(history)
    }
}

/// Messages, pings, pongs, and what is none of them.
#[derive(Clone, Copy, Debug)]
pub struct Frames;

/// What is sent inside of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Op {
    /// A request of the list of those that are granted.
    Ask(usize),
    /// A ping of so many bytes.
    Ping(usize),
    /// A pong that nobody asked for.
    Pong(usize),
    /// A frame of a type that there is not.
    Unknown(u8),
    /// A frame longer than the broker said that it takes.
    TooLong,
}

/// How messages are written, and what is sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Script {
    /// In which serialisation.
    pub written: Serialization,
    /// In order.
    pub ops: Vec<Op>,
}

impl Family for Frames {
    type Script = Script;

    fn card(&self) -> Card {
        Card {
            name: "rawsocket.frames",
            about: "Pings are answered by their bytes; a frame that is too long or of an unknown type is the end.",
            requirements: &["REQ-WAMP-081"],
            caps: CAPS,
            any_of: &[],
            weight: 50,
        }
    }

    fn scripts(&self, _: &Params) -> BoxedStrategy<Script> {
        let length = || select(vec![0_usize, 1, 100, 70_000]);
        let right = prop_oneof![
            (0..9_usize).prop_map(Op::Ask),
            length().prop_map(Op::Ping),
            length().prop_map(Op::Pong)
        ];
        let last = prop_oneof![(3..=7_u8).prop_map(Op::Unknown), Just(Op::TooLong)];
        let written = select(Serialization::ALL.to_vec());
        (written, prop::collection::vec(right, 0..5), prop::option::of(last))
            .prop_map(|(written, ops, last)| Script { written, ops: ops.into_iter().chain(last).collect() })
            .boxed()
    }

    fn classics(&self, _: &Params) -> Vec<Script> {
        let ops = [
            vec![Op::Ask(0), Op::Ping(5), Op::Pong(2), Op::Ask(1), Op::Ping(0), Op::Unknown(3)],
            vec![Op::TooLong],
            vec![Op::Ping(1), Op::Unknown(7)],
        ];
        Serialization::ALL.into_iter().zip(ops).map(|(written, ops)| Script { written, ops }).collect()
    }

    fn plan(&self, script: &Script, _: &Params) -> Plan {
        let greeting = [rawsocket::MAGIC, 0xf0 | number(script.written), 0, 0];
        let mut steps = vec![Step::Connect { conn: RAW, line: line(greeting) }];
        steps.extend(tell(RAW, vec![words::hello()], vec![Value::Int(code::WELCOME)]));
        let mut last = 0;
        for op in &script.ops {
            last += 1;
            let message = match op {
                Op::Ask(which) => words::request(which % 9, last),
                Op::Ping(length) => Message::Bytes(Some(Form::Ping), vec![b'p'; *length]),
                Op::Pong(length) => Message::Bytes(Some(Form::Pong), vec![b'q'; *length]),
                Op::Unknown(kind) => Message::Bytes(Some(Form::Octets), vec![*kind, 0, 0, 1, b'x']),
                Op::TooLong => Message::Bytes(Some(Form::Octets), vec![0, 0xff, 0xff, 0xff, b'x']),
            };
            if let Op::Ping(length) = op {
                steps.extend(tell(RAW, vec![message], vec![Value::Bytes(vec![b'p'; *length])]));
                continue;
            }
            last += 1;
            let begins = vec![Value::Int(code::PUBLISHED), last.into()];
            steps.extend(tell(RAW, vec![message, words::mark(last)], begins));
            if matches!(op, Op::Unknown(_) | Op::TooLong) {
                break;
            }
        }
        Plan::new(steps)
    }

    fn judge(&self, history: &History) -> Vec<Violation> {
        judge::frames(history)
    }
}

/// Events of all lengths, to a client that takes short ones.
#[derive(Clone, Copy, Debug)]
pub struct Lengths;

/// The length that the client says, and those of the texts that are published.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Published {
    /// How the rawsocket client writes.
    pub written: Serialization,
    /// 0: 512 bytes; each more doubles it.
    pub longest: u8,
    /// In order.
    pub lengths: Vec<usize>,
}

impl Family for Lengths {
    type Script = Published;

    fn card(&self) -> Card {
        Card {
            name: "rawsocket.lengths",
            about: "A client gets no message that is longer than it said, and all others.",
            requirements: &["REQ-WAMP-088"],
            caps: CAPS,
            any_of: &[],
            weight: 25,
        }
    }

    fn scripts(&self, _: &Params) -> BoxedStrategy<Published> {
        let length = prop_oneof![0..600_usize, select(vec![1, 300, 1000, 2000, 3000, 5000, 9000])];
        (select(Serialization::ALL.to_vec()), 3..5_u8, prop::collection::vec(length, 1..6))
            .prop_map(|(written, longest, lengths)| Published { written, longest, lengths })
            .boxed()
    }

    fn classics(&self, _: &Params) -> Vec<Published> {
        let lengths = vec![10, 5000, 20, 4100, 30];
        vec![Published { written: Serialization::Json, longest: 3, lengths }]
    }

    fn plan(&self, script: &Published, _: &Params) -> Plan {
        // WELCOME has to fit too: nobody takes less than 4,096 bytes.
        let octet = script.longest.max(3) << 4 | number(script.written);
        let mut steps = vec![
            Step::Connect { conn: RAW, line: line([rawsocket::MAGIC, octet, 0, 0]) },
            Step::Connect { conn: OTHER, line: Line::default() },
        ];
        for conn in [RAW, OTHER] {
            steps.extend(tell(conn, vec![words::hello()], vec![Value::Int(code::WELCOME)]));
        }
        let options = |acknowledge: bool| {
            Item::from(Value::map(acknowledge.then_some(("acknowledge", Value::from(true)))))
        };
        let subscribe = Message::new(code::SUBSCRIBE, [1_u64.into(), options(false), words::name("t")]);
        steps.extend(tell(RAW, vec![subscribe], vec![Value::Int(code::SUBSCRIBED)]));
        for (number, length) in (1_u64..).zip(&script.lengths) {
            let args = Value::List(vec![number.into(), Value::Text("x".repeat(*length))]);
            let fixed = [number.into(), options(true), words::name("t"), args.into()];
            let begins = vec![Value::Int(code::PUBLISHED), number.into()];
            steps.extend(tell(OTHER, vec![Message::new(code::PUBLISH, fixed)], begins));
        }
        steps.extend(tell(RAW, vec![words::mark(2)], vec![Value::Int(code::PUBLISHED), Value::Int(2)]));
        Plan::new(steps)
    }

    fn judge(&self, history: &History) -> Vec<Violation> {
        judge::lengths(history)
    }
}
