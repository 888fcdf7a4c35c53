//! One example of every message: its struct, and what the specification makes of it.

use bytes::Bytes;
use petasus_protocol::wamp::message::{
    Abort, Authenticate, Call, CallResult, Cancel, Challenge, Error, Event, Goodbye, Hello, Interrupt,
    Invocation, Publish, Published, Register, Registered, Subscribe, Subscribed, Unregister, Unregistered,
    Unsubscribe, Unsubscribed, Welcome, Yield, encode_event,
};
use petasus_protocol::wamp::{Dict, Limits, Message, Payload, Serializer, Value};

use crate::wire::LAYOUTS;

fn dict(key: &str, value: impl Into<Value>) -> Dict {
    Dict::new().with(key, value)
}

fn payload(args: &'static str, kwargs: &'static str) -> Payload {
    let part = |text: &'static str| (!text.is_empty()).then(|| Bytes::from_static(text.as_bytes()));
    Payload { serializer: Serializer::Json, args: part(args), kwargs: part(kwargs) }
}

/// Sessions and errors.
fn session_examples() -> Vec<(Message, &'static str)> {
    vec![
        (
            Hello { realm: "r".into(), details: dict("roles", dict("caller", Dict::new())) }.into(),
            r#"[1,"r",{"roles":{"caller":{}}}]"#,
        ),
        (Welcome { session: 9, details: dict("agent", "x") }.into(), r#"[2,9,{"agent":"x"}]"#),
        (
            Abort { details: Dict::new(), reason: "no".into(), payload: Payload::empty() }.into(),
            r#"[3,{},"no"]"#,
        ),
        (
            Abort { details: Dict::new(), reason: "no".into(), payload: payload("[1]", r#"{"a":2}"#) }.into(),
            r#"[3,{},"no",[1],{"a":2}]"#,
        ),
        (
            Challenge { method: "ticket".into(), extra: Dict::new() }.into(), //
            r#"[4,"ticket",{}]"#,
        ),
        (Authenticate { signature: "s".into(), extra: Dict::new() }.into(), r#"[5,"s",{}]"#),
        (
            Goodbye { details: dict("message", "m"), reason: "out".into() }.into(),
            r#"[6,{"message":"m"},"out"]"#,
        ),
        (
            Error {
                kind: 48,
                request: 7,
                details: Dict::new(),
                error: "e".into(),
                payload: payload("", r#"{"a":2}"#),
            }
            .into(),
            r#"[8,48,7,{},"e",[],{"a":2}]"#,
        ),
    ]
}

fn pubsub_examples() -> Vec<(Message, &'static str)> {
    vec![
        (
            Publish {
                request: 1,
                options: dict("acknowledge", true),
                topic: "t".into(),
                payload: payload("[[1,2]]", ""),
            }
            .into(),
            r#"[16,1,{"acknowledge":true},"t",[[1,2]]]"#,
        ),
        (Published { request: 1, publication: 1 << 53 }.into(), "[17,1,9007199254740992]"),
        (
            Subscribe { request: 2, options: dict("match", "prefix"), topic: "t.".into() }.into(),
            r#"[32,2,{"match":"prefix"},"t."]"#,
        ),
        (Subscribed { request: 2, subscription: 5 }.into(), "[33,2,5]"),
        (Unsubscribe { request: 3, subscription: 5 }.into(), "[34,3,5]"),
        (Unsubscribed { request: 3, details: Dict::new() }.into(), "[35,3]"),
        (
            Unsubscribed { request: 0, details: dict("subscription", 5_u64) }.into(),
            r#"[35,0,{"subscription":5}]"#,
        ),
        (
            Event {
                subscription: 5,
                publication: 6,
                details: dict("topic", "t.x"),
                payload: payload("[null]", r#"{"k":1.0}"#),
            }
            .into(),
            r#"[36,5,6,{"topic":"t.x"},[null],{"k":1.0}]"#,
        ),
    ]
}

fn rpc_examples() -> Vec<(Message, &'static str)> {
    vec![
        (
            Call {
                request: 1,
                options: dict("timeout", 100_u64),
                procedure: "p".into(),
                payload: payload("[1]", ""),
            }
            .into(),
            r#"[48,1,{"timeout":100},"p",[1]]"#,
        ),
        (Cancel { request: 1, options: dict("mode", "kill") }.into(), r#"[49,1,{"mode":"kill"}]"#),
        (
            CallResult { request: 1, details: dict("progress", true), payload: payload("[2]", "") }.into(),
            r#"[50,1,{"progress":true},[2]]"#,
        ),
        (
            Register { request: 2, options: dict("invoke", "roundrobin"), procedure: "p".into() }.into(),
            r#"[64,2,{"invoke":"roundrobin"},"p"]"#,
        ),
        (Registered { request: 2, registration: 8 }.into(), "[65,2,8]"),
        (Unregister { request: 3, registration: 8 }.into(), "[66,3,8]"),
        (Unregistered { request: 3, details: Dict::new() }.into(), "[67,3]"),
        (
            Unregistered { request: 0, details: dict("registration", 8_u64) }.into(),
            r#"[67,0,{"registration":8}]"#,
        ),
        (
            Invocation {
                request: 4,
                registration: 8,
                details: dict("caller", 9_u64),
                payload: payload("[1]", r#"{"a":2}"#),
            }
            .into(),
            r#"[68,4,8,{"caller":9},[1],{"a":2}]"#,
        ),
        (
            Interrupt { request: 4, options: dict("mode", "killnowait") }.into(),
            r#"[69,4,{"mode":"killnowait"}]"#,
        ),
        (
            Yield { request: 4, options: Dict::new(), payload: payload("", "") }.into(), //
            "[70,4,{}]",
        ),
    ]
}

pub(crate) fn examples() -> Vec<(Message, &'static str)> {
    [session_examples(), pubsub_examples(), rpc_examples()].concat()
}

fn decode(text: &str) -> Message {
    Message::decode(Serializer::Json, &Bytes::copy_from_slice(text.as_bytes()), &Limits::default())
        .expect(text)
}

/// REQ-WAMP-001.
#[test]
fn every_message_is_written_and_read_as_the_specification_says() {
    let mut names = Vec::new();
    for (message, text) in examples() {
        assert_eq!(String::from_utf8(message.encode(Serializer::Json)).unwrap(), text);
        assert_eq!(decode(text).encode(Serializer::Json), text.as_bytes());
        names.push((message.code(), message.name()));
        // The one difference that is allowed: kwargs without args come back with an empty list before them.
        if !text.contains("[],") {
            assert_eq!(decode(text), message, "{text}");
        }
    }
    names.dedup();
    assert_eq!(names, LAYOUTS.map(|(code, name, _)| (code, name)), "one example at least of every message");
}

/// REQ-WAMP-002.
#[test]
fn null_arguments_are_absent_and_never_written() {
    for (text, written) in [
        (r#"[16,1,{},"t",null]"#, r#"[16,1,{},"t"]"#),
        (r#"[16,1,{},"t",null,null]"#, r#"[16,1,{},"t"]"#),
        (r#"[16,1,{},"t",[1],null]"#, r#"[16,1,{},"t",[1]]"#),
        (r#"[16,1,{},"t",null,{"a":1}]"#, r#"[16,1,{},"t",[],{"a":1}]"#),
        ("[70,1,{},null,null]", "[70,1,{}]"),
    ] {
        assert_eq!(String::from_utf8(decode(text).encode(Serializer::Json)).unwrap(), written, "{text}");
    }
}

#[test]
fn a_payload_is_a_slice_of_the_message() {
    let bytes = Bytes::from_static(br#"[48, 1, {}, "p", [1, 2.50], {"b": 1, "a": 1}]"#);
    let Ok(Message::Call(call)) = Message::decode(Serializer::Json, &bytes, &Limits::default()) else {
        panic!("48 is CALL");
    };
    let args = call.payload.args.expect("there are args");
    assert_eq!(&args[..], b"[1, 2.50]", "as it was sent");
    assert!(bytes.as_ptr_range().contains(&args.as_ptr()), "not copied");
}

#[test]
fn an_event_of_borrowed_parts_is_the_same_event() {
    for from in Serializer::ALL {
        for to in Serializer::ALL {
            for (args, kwargs) in [
                (vec![], Dict::new()),
                (vec![Value::from("x"), Value::Null], Dict::new()),
                (vec![], dict("k", 1.0)),
                (vec![Value::from(1_u64)], dict("k", Value::Bytes(Bytes::from_static(b"\0\xFF")))),
            ] {
                let payload = Payload::of_values(from, &args, &kwargs);
                let details = dict("topic", "a.b").with("retained", true);
                let mut out = b"before".to_vec();
                encode_event(to, 5, 6, &details, &payload.transcoded(to), &mut out);
                let event: Message = Event { subscription: 5, publication: 6, details, payload }.into();
                assert_eq!(out.strip_prefix(b"before"), Some(&event.encode(to)[..]), "{from} to {to}");
            }
        }
    }
}
