//! Another codec's opinion: the crate `wampproto` reads what we write as what was meant, and we read what it writes.
//!
//! Left out because `wampproto` cannot do it: binary in JSON, details of HELLO and WELCOME that it does not know,
//! and the revocation form of UNSUBSCRIBED and UNREGISTERED.

use petasus_protocol::wamp::{Dict, Limits, Message, Serializer, Value};
use proptest::prelude::*;
use wampproto::messages::types::{ByteArray, Value as Theirs};
use wampproto::serializers::cbor::CBORSerializer;
use wampproto::serializers::json::JSONSerializer;
use wampproto::serializers::msgpack::MsgPackSerializer;
use wampproto::serializers::serializer::Serializer as TheirSerializer;

use crate::wire::{Binary, any_wire};

fn their_serializer(serializer: Serializer) -> Box<dyn TheirSerializer> {
    match serializer {
        Serializer::Json => Box::new(JSONSerializer {}),
        Serializer::MsgPack => Box::new(MsgPackSerializer {}),
        Serializer::Cbor => Box::new(CBORSerializer {}),
    }
}

fn theirs(value: &Value) -> Theirs {
    match value {
        Value::Null => Theirs::Null,
        Value::Bool(value) => Theirs::Bool(*value),
        Value::Integer(integer) => Theirs::Int(i64::try_from(*integer).expect("the test makes no others")),
        Value::Float(float) => Theirs::Float(*float),
        Value::Text(text) => Theirs::Str(text.clone()),
        Value::Bytes(bytes) => Theirs::Bytes(ByteArray(bytes.to_vec())),
        Value::List(list) => Theirs::List(list.iter().map(theirs).collect()),
        Value::Dict(dict) => {
            Theirs::Dict(dict.iter().map(|(key, value)| (key.to_owned(), theirs(value))).collect())
        }
    }
}

/// The same message as far as `wampproto` can express it: with the details of HELLO and WELCOME that it knows, all of
/// which it writes.
fn as_they_can(mut wire: Vec<Value>) -> Vec<Value> {
    let details =
        |role: &str| Dict::new().with("roles", Dict::new().with(role, Dict::new())).with("authid", "joe");
    let extra = Dict::new().with("nonce", "x");
    match wire[0].as_id() {
        Some(1) => {
            let methods = vec!["ticket", "wampcra"];
            wire[2] = details("caller").with("authmethods", methods).with("authextra", extra).into();
        }
        Some(2) => {
            let details = details("dealer").with("authrole", "admin").with("authmethod", "ticket");
            wire[2] = details.with("authextra", extra).into();
        }
        _ => {}
    }
    wire
}

/// Reads a message with `wampproto` and gives the list that it makes of it.
fn read_by_them(serializer: Serializer, bytes: Vec<u8>) -> Vec<Theirs> {
    let message = their_serializer(serializer).deserialize(bytes);
    message.unwrap_or_else(|error| panic!("{serializer}: {}", error.message)).marshal()
}

fn check(serializer: Serializer, wire: Vec<Value>) {
    let wire = as_they_can(wire);
    let expected: Vec<Theirs> = wire.iter().map(theirs).collect();
    let list = Value::List(wire);
    let limits = Limits::default();

    // What we write is what they read.
    let ours = Message::decode(serializer, &list.encode(serializer).into(), &limits).unwrap();
    let bytes = ours.encode(serializer);
    assert_eq!(read_by_them(serializer, bytes.clone()), expected, "{serializer}");

    // What they write is what we read. Their dicts have no order, so it is compared through theirs again.
    let Ok(message) = their_serializer(serializer).deserialize(bytes) else { panic!("it was read above") };
    let Ok(written) = their_serializer(serializer).serialize(&*message) else { panic!("it is plain") };
    for target in Serializer::ALL {
        let back = Message::decode(serializer, &written.clone().into(), &limits).unwrap();
        assert_eq!(back.code(), ours.code());
        assert_eq!(read_by_them(target, back.encode(target)), expected, "{serializer} to {target}");
    }
}

proptest! {
    /// REQ-WAMP-001.
    #[test]
    fn wampproto_agrees_on_every_message(wire in any_wire(Binary::No)) {
        for serializer in Serializer::ALL {
            check(serializer, wire.clone());
        }
    }

    /// REQ-WAMP-074.
    #[test]
    fn wampproto_agrees_on_binary(bytes in prop::collection::vec(any::<u8>(), 0..300), request in 1..1000_u64) {
        let args = Value::List(vec![Value::Bytes(bytes.into()), Value::Null]);
        let wire = vec![Value::from(16_u64), request.into(), Dict::new().into(), "t".into(), args];
        let expected: Vec<Theirs> = wire.iter().map(theirs).collect();
        for (from, to) in [
            (Serializer::MsgPack, Serializer::Cbor),
            (Serializer::Cbor, Serializer::MsgPack),
            (Serializer::Json, Serializer::MsgPack),
            (Serializer::Json, Serializer::Cbor),
        ] {
            let bytes = Value::List(wire.clone()).encode(from);
            let message = Message::decode(from, &bytes.into(), &Limits::default()).unwrap();
            prop_assert_eq!(read_by_them(to, message.encode(to)), expected.clone(), "{} to {}", from, to);
        }
    }
}
