//! What speakers say: right, refused and wrong messages.

use crate::model::{Form, Item, Message};
use crate::raw::wamp::{Serialization, Value, code};

/// The topic that a speaker subscribes to, and others publish to.
pub(in crate::check) const TOPIC: &str = "t";

/// An id of nobody.
const NOBODYS: u64 = 987_654_321;

pub(in crate::check) fn name(name: &str) -> Item {
    Item::Name(name.to_owned())
}

pub(in crate::check) fn int(number: i128) -> Item {
    Item::Value(Value::Int(number))
}

fn options<'a>(entries: impl IntoIterator<Item = (&'a str, Value)>) -> Item {
    Value::map(entries).into()
}

/// HELLO with all roles.
pub(in crate::check) fn hello() -> Message {
    let roles = ["publisher", "subscriber", "caller", "callee"].map(|role| (role, Value::map([])));
    let details = Value::map([("roles", Value::map(roles))]);
    Message::new(code::HELLO, [Item::Realm, details.into()])
}

pub(in crate::check) fn goodbye() -> Message {
    Message::new(code::GOODBYE, [options([]), Value::from("wamp.close.close_realm").into()])
}

pub(in crate::check) fn abort() -> Message {
    Message::new(code::ABORT, [options([]), Value::from("wamp.error.application_error").into()])
}

pub(in crate::check) fn register(number: u64, procedure: &str) -> Message {
    Message::new(code::REGISTER, [number.into(), options([]), name(procedure)])
}

/// A publication that nobody hears: what it is answered behind was read.
pub(in crate::check) fn mark(number: u64) -> Message {
    let options = options([("acknowledge", Value::from(true))]);
    Message::new(code::PUBLISH, [number.into(), options, name("mark")])
}

/// How many requests there are.
pub(super) const REQUESTS: usize = 25;

/// A request of the list: first right ones, then refused ones.
pub(in crate::check) fn request(which: usize, number: u64) -> Message {
    let n = || Item::from(number);
    let yes = || ("acknowledge", Value::from(true));
    let unheard = || ("x_unheard_of", Value::List(vec![Value::Int(1), Value::map([("a", Value::Null)])]));
    let subscribe = |options, topic| Message::new(code::SUBSCRIBE, [n(), options, topic]);
    let publish = |options, topic| Message::new(code::PUBLISH, [n(), options, topic]);
    let register = |options, procedure| Message::new(code::REGISTER, [n(), options, procedure]);
    let call = |options, procedure| Message::new(code::CALL, [n(), options, procedure]);
    let mine = || name(&format!("p{number}"));
    let theirs = |name: &str| Value::from(name).into();
    let (text, seven) = (|text: &str| Value::from(text), || Value::Int(7));
    match which % REQUESTS {
        0 => subscribe(options([]), name(TOPIC)),
        1 => publish(options([yes()]), name(TOPIC)),
        2 => register(options([]), mine()),
        3 => call(options([]), name("nobody")),
        4 => publish(options([]), name(TOPIC)),
        5 => subscribe(options([unheard()]), name("u")),
        6 => publish(options([yes(), unheard()]), name("u")),
        7 => register(options([unheard()]), mine()),
        8 => call(options([unheard()]), name("nobody")),
        9 => publish(options([yes(), ("exclude_me", seven())]), name("u")),
        10 => publish(options([yes(), ("eligible", seven())]), name("u")),
        11 => publish(options([("acknowledge", text("yes"))]), name("u")),
        12 => subscribe(options([("match", seven())]), name("u")),
        13 => subscribe(options([("match", text("regex"))]), name("u")),
        14 => register(options([("match", text("none"))]), mine()),
        15 => register(options([("invoke", text("sometimes"))]), mine()),
        16 => register(options([("invoke", Value::from(true))]), mine()),
        17 => call(options([("receive_progress", text("yes"))]), name("nobody")),
        18 => call(options([("timeout", text("soon"))]), name("nobody")),
        19 => call(options([("timeout", Value::Int(-1))]), name("nobody")),
        20 => publish(options([yes()]), theirs("wamp.session.on_join")),
        21 => publish(options([yes()]), theirs("wamp.no.such.topic")),
        22 => publish(options([yes()]), theirs("$mine.topic")),
        23 => register(options([]), theirs("wamp.session.mine")),
        _ => register(options([]), theirs("$mine.procedure")),
    }
}

/// How many wrong messages there are.
pub(super) const WRONG: usize = 46;

/// A message of the list that ends the session: no message, out of order, in another form.
pub(super) fn wrong(which: usize, number: u64, written: Serialization) -> Message {
    let n = || Item::from(number);
    let no = || options([]);
    let list = |items: Vec<Item>| Message::List(items);
    let plain = |value: Value| Message::Bytes(None, written.encode(&value));
    let subscribe = |id: Value| list(vec![int(code::SUBSCRIBE), id.into(), no(), name("u")]);
    let publish = |rest: Vec<Value>| {
        let rest = rest.into_iter().map(Item::from);
        Message::new(code::PUBLISH, [n(), no(), name("u")].into_iter().chain(rest))
    };
    let null = || Value::Null;
    match which % WRONG {
        0 => list(vec![int(9999), n(), no()]),
        1 => list(vec![int(-1), n(), no()]),
        2 => list(vec![Value::from("32").into(), n(), no(), name("u")]),
        3 => list(Vec::new()),
        4 => plain(Value::map([])),
        5 => plain(Value::from("hello")),
        6 => plain(null()),
        7 => Message::new(code::CALL, [n(), no()]),
        8 => Message::new(code::SUBSCRIBE, [n(), no(), name("u"), Value::List(Vec::new()).into()]),
        9 => subscribe(Value::Int(0)),
        10 => subscribe(Value::Int(-1)),
        11 => subscribe(Value::Int((1 << 53) + 1)),
        12 => subscribe(Value::from("1")),
        13 => subscribe(null()),
        14 => subscribe(Value::Float(1.5)),
        15 => Message::new(code::SUBSCRIBE, [n(), Value::List(Vec::new()).into(), name("u")]),
        16 => Message::new(code::SUBSCRIBE, [n(), null().into(), name("u")]),
        17 => Message::new(code::SUBSCRIBE, [n(), no(), int(5)]),
        18 => publish(vec![Value::map([])]),
        19 => publish(vec![Value::from("args")]),
        20 => publish(vec![Value::List(Vec::new()), Value::List(Vec::new())]),
        21 => publish(vec![Value::List(Vec::new()), Value::map([]), Value::Int(1)]),
        22 => Message::Bytes(None, Vec::new()),
        which @ 23..=27 => Message::Bytes(None, garbled(which - 23, written)),
        28 => hello(),
        29 => Message::new(code::WELCOME, [NOBODYS.into(), no()]),
        30 => Message::new(code::CHALLENGE, [Value::from("ticket").into(), no()]),
        31 => Message::new(code::PUBLISHED, [n(), NOBODYS.into()]),
        32 => Message::new(code::SUBSCRIBED, [n(), NOBODYS.into()]),
        33 => Message::new(code::UNSUBSCRIBED, [n()]),
        34 => Message::new(code::EVENT, [NOBODYS.into(), NOBODYS.into(), no()]),
        35 => Message::new(code::RESULT, [n(), no()]),
        36 => Message::new(code::REGISTERED, [n(), NOBODYS.into()]),
        37 => Message::new(code::UNREGISTERED, [n()]),
        38 => Message::new(code::INVOCATION, [n(), NOBODYS.into(), no()]),
        39 => Message::new(code::INTERRUPT, [n(), no()]),
        40 => Message::new(code::YIELD, [NOBODYS.into(), no()]),
        41 => error(code::INVOCATION),
        42 => error(code::CALL),
        which => {
            let form = if written.is_text() { Form::Binary } else { Form::Text };
            let bytes: [&[u8]; 3] = [b"[32,1,{},\"a.b\"]", b"hello", b""];
            Message::Bytes(Some(form), bytes[which - 43].to_vec())
        }
    }
}

fn error(of: i128) -> Message {
    let uri = Value::from("com.example.broken");
    Message::new(code::ERROR, [int(of), NOBODYS.into(), options([]), uri.into()])
}

/// Not well-formed, in five ways.
fn garbled(which: usize, written: Serialization) -> Vec<u8> {
    let right =
        Value::List(vec![Value::Int(code::SUBSCRIBE), Value::Int(1), Value::map([]), Value::from("a.b")]);
    let right = written.encode(&right);
    let own: [&[u8]; 3] = match written {
        Serialization::Json => [b"[32,1,{},'a.b']", b"[32,1,{},\"a.b\",]", b"[032,1,{},\"a.b\"]"],
        Serialization::MsgPack => {
            [b"\xc1", b"\x94\x20\x01\x80\xa3a\xffb", b"\x94\x20\x01\x81\x90\xc0\xa3a.b"]
        }
        Serialization::Cbor => [b"\xff", b"\x84\x18\x20\x01\xa0\x63a\xffb", b"\x9f\x18\x20\x01\xa0"],
    };
    match which {
        0 => right[..right.len() - 1].to_vec(),
        1 => [&right[..], b"\x01"].concat(),
        which => own[which - 2].to_vec(),
    }
}
