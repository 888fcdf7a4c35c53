//! Payloads on their way: byte by byte between clients of one serialisation, value by value between others.
//!
//! Client 0 publishes and calls, client 1 hears, is called, and answers. Both speak message by message.

use proptest::prelude::*;
use proptest::sample::select;
use serde::{Deserialize, Serialize};

use super::wamp_session::words;
use super::{Card, Check, Family, Params, Violation};
use crate::history::{Conn, History};
use crate::model::{Item, Line, Message};
use crate::plan::{Plan, Step};
use crate::raw::wamp::{Serialization, Value, code};

mod judge;
mod sample;

use sample::Sample;

/// Who says things, and who hears them.
const TELLER: Conn = Conn(0);
const HEARER: Conn = Conn(1);

/// The checks of this family.
pub fn checks() -> Vec<Box<dyn Check>> {
    use Serialization::{Cbor, Json, MsgPack};
    let pairs = [(Json, MsgPack), (Json, Cbor), (MsgPack, Cbor)];
    let mut checks: Vec<Box<dyn Check>> = vec![Box::new(Verbatim)];
    checks.extend(pairs.map(|(one, other)| Box::new(Between { one, other }) as Box<dyn Check>));
    checks
}

/// How a payload goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Way {
    /// As an event.
    Event,
    /// To a callee, and back as its result.
    Result,
    /// To a callee, and back as its error.
    Error,
}

const WAYS: [Way; 3] = [Way::Event, Way::Result, Way::Error];

/// A payload between clients of two serialisations.
#[derive(Clone, Copy, Debug)]
pub struct Between {
    one: Serialization,
    other: Serialization,
}

/// Arguments, and their way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    /// Whether the second of the two serialisations is that of the teller.
    pub back: bool,
    /// Its way.
    pub way: Way,
    /// `args`.
    pub args: Vec<Sample>,
    /// `kwargs`, if there are any.
    pub kwargs: Vec<(usize, Sample)>,
}

impl Family for Between {
    type Script = Exchange;

    fn card(&self) -> Card {
        use Serialization::{Json, MsgPack};
        let (name, caps): (_, &[&str]) = match (self.one, self.other) {
            (Json, MsgPack) => {
                ("wamp_payload.json_msgpack", &["messages", "rpc", "serializer.json", "serializer.msgpack"])
            }
            (Json, _) => {
                ("wamp_payload.json_cbor", &["messages", "rpc", "serializer.json", "serializer.cbor"])
            }
            _ => ("wamp_payload.msgpack_cbor", &["messages", "rpc", "serializer.msgpack", "serializer.cbor"]),
        };
        Card {
            name,
            about: "Values stay exact on their way from one serialisation to another.",
            requirements: &["REQ-WAMP-073", "REQ-WAMP-074", "REQ-LIVE-001"],
            caps,
            any_of: &[],
            weight: 100,
        }
    }

    fn scripts(&self, _: &Params) -> BoxedStrategy<Exchange> {
        let args = prop::collection::vec(sample::samples(), 1..4);
        let kwargs = prop::collection::vec((0..sample::KEYS.len(), sample::samples()), 0..4);
        (any::<bool>(), select(WAYS.to_vec()), args, kwargs)
            .prop_map(|(back, way, args, kwargs)| Exchange { back, way, args, kwargs })
            .boxed()
    }

    fn classics(&self, _: &Params) -> Vec<Exchange> {
        let all = sample::all();
        let kwargs = || {
            vec![
                (3, Sample::Bytes(vec![0, 255])),
                (1, Sample::Null),
                (2, Sample::Float(1)),
                (0, Sample::Int(1)),
            ]
        };
        let exchange = |(back, way)| Exchange { back, way, args: all.clone(), kwargs: kwargs() };
        [(false, Way::Event), (true, Way::Result), (false, Way::Error), (true, Way::Event)]
            .map(exchange)
            .to_vec()
    }

    fn plan(&self, script: &Exchange, _: &Params) -> Plan {
        let (from, to) = if script.back { (self.other, self.one) } else { (self.one, self.other) };
        let args = Value::List(script.args.iter().map(Sample::value).collect());
        let kwargs = sample::map(&script.kwargs);
        let payload: Vec<Value> = [Some(args), kwargs].into_iter().flatten().collect();
        plan((from, to), script.way, &payload, &payload)
    }

    fn judge(&self, history: &History) -> Vec<Violation> {
        judge::judge(history)
    }
}

/// A payload in unusual spellings between two clients of one serialisation.
#[derive(Clone, Copy, Debug)]
pub struct Verbatim;

/// Spellings, by their numbers in the list, and their way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spelled {
    /// In which serialisation.
    pub written: Serialization,
    /// Its way.
    pub way: Way,
    /// `args`.
    pub args: usize,
    /// `kwargs`, if there are any.
    pub kwargs: Option<usize>,
}

impl Family for Verbatim {
    type Script = Spelled;

    fn card(&self) -> Card {
        Card {
            name: "wamp_payload.verbatim",
            about: "Clients of one serialisation get the bytes of `args` and `kwargs` as they were sent.",
            requirements: &["REQ-WAMP-072", "REQ-LIVE-001"],
            caps: &["messages", "rpc"],
            any_of: &[],
            weight: 50,
        }
    }

    fn scripts(&self, _: &Params) -> BoxedStrategy<Spelled> {
        let written = select(Serialization::ALL.to_vec());
        (written, select(WAYS.to_vec()), 0..8_usize, prop::option::of(0..8_usize))
            .prop_map(|(written, way, args, kwargs)| Spelled { written, way, args, kwargs })
            .boxed()
    }

    fn classics(&self, _: &Params) -> Vec<Spelled> {
        let spelled = |(written, way)| Spelled { written, way, args: 0, kwargs: Some(0) };
        Serialization::ALL.into_iter().zip(WAYS).map(spelled).collect()
    }

    fn plan(&self, script: &Spelled, _: &Params) -> Plan {
        let Spelled { written, way, .. } = *script;
        let raw = |bytes: &[u8]| Value::Verbatim(Box::new(Value::Null), written, bytes.to_vec());
        let (args, kwargs) = sample::spellings(written);
        let mut payload = vec![raw(args[script.args % args.len()])];
        payload.extend(script.kwargs.map(|which| raw(kwargs[which % kwargs.len()])));
        plan((written, written), way, &payload, &payload)
    }

    fn judge(&self, history: &History) -> Vec<Violation> {
        judge::judge(history)
    }
}

fn plan((from, to): (Serialization, Serialization), way: Way, there: &[Value], back: &[Value]) -> Plan {
    let mut steps = Vec::new();
    let mut tell = |conn, message, begins: &[Value]| {
        steps.push(Step::Tell { conn, messages: vec![message] });
        steps.push(Step::Heed { conn, begins: begins.to_vec() });
    };
    let begin = |kind| [Value::Int(kind)];
    let options =
        |acknowledge: bool| Item::from(Value::map(acknowledge.then_some(("acknowledge", Value::from(true)))));
    let with = |kind, fixed: Vec<Item>, payload: &[Value]| {
        Message::new(kind, fixed.into_iter().chain(payload.iter().cloned().map(Item::from)))
    };
    tell(TELLER, words::hello(), &begin(code::WELCOME));
    tell(HEARER, words::hello(), &begin(code::WELCOME));
    let one = || Item::from(1_u64);
    if way == Way::Event {
        let subscribe = with(code::SUBSCRIBE, vec![one(), options(false), words::name("t")], &[]);
        tell(HEARER, subscribe, &begin(code::SUBSCRIBED));
        let publish = with(code::PUBLISH, vec![one(), options(true), words::name("t")], there);
        tell(TELLER, publish, &begin(code::PUBLISHED));
        steps.push(Step::Heed { conn: HEARER, begins: begin(code::EVENT).to_vec() });
    } else {
        tell(HEARER, words::register(1, "p"), &begin(code::REGISTERED));
        let call = with(code::CALL, vec![one(), options(false), words::name("p")], there);
        steps.push(Step::Tell { conn: TELLER, messages: vec![call] });
        steps.push(Step::Heed { conn: HEARER, begins: begin(code::INVOCATION).to_vec() });
        let of = Item::Of(code::INVOCATION, 1);
        let (answer, begins) = if way == Way::Result {
            (with(code::YIELD, vec![of, options(false)], back), code::RESULT)
        } else {
            let uri = Item::from(Value::from("com.example.broken"));
            let fixed = vec![words::int(code::INVOCATION), of, options(false), uri];
            (with(code::ERROR, fixed, back), code::ERROR)
        };
        steps.push(Step::Tell { conn: HEARER, messages: vec![answer] });
        steps.push(Step::Heed { conn: TELLER, begins: begin(begins).to_vec() });
    }
    let lines = [(TELLER, from), (HEARER, to)];
    let lines = lines.map(|(conn, written)| Step::Connect { conn, line: Line::of(written) });
    Plan::new(lines.into_iter().chain(steps).collect())
}
