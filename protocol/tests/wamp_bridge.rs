//! Raw messages and WAMP payloads stand for each other.

mod wamp_samples;

use bytes::Bytes;
use petasus_protocol::Message;
use petasus_protocol::wamp::bridge::{from_raw, to_raw};
use petasus_protocol::wamp::{Dict, Limits, Payload, Serializer, Value};
use proptest::prelude::*;
use wamp_samples::{small_integers, texts, values};

proptest! {
    /// REQ-WAMP-090, REQ-WAMP-091.
    #[test]
    fn raw_messages_come_back_whatever_the_serializers(text in texts(), bytes in any::<Vec<u8>>()) {
        for message in [Message::from(text), Message::binary(bytes)] {
            for (from, to) in Serializer::ALL.into_iter().flat_map(|from| Serializer::ALL.map(|to| (from, to))) {
                let payload = from_raw(&message, from);
                prop_assert_eq!(to_raw(&payload.transcoded(to)), message.clone(), "{} {}", from, to);
            }
        }
    }

    /// REQ-WAMP-091.
    #[test]
    fn a_single_argument_is_a_raw_message_that_reads_back_as_the_same_value(
        value in values(small_integers().boxed()),
    ) {
        for serializer in Serializer::ALL {
            let raw = to_raw(&Payload::of_values(serializer, std::slice::from_ref(&value), &Dict::new()));
            let wanted = match &value {
                Value::Text(text) => Message::from(text.as_str()),
                Value::Bytes(bytes) => Message::binary(bytes.clone()),
                other => {
                    let json = Value::decode(Serializer::Json, raw.payload(), &Limits::default());
                    prop_assert_eq!(&json, &Ok(other.clone()), "{}: {:?}", serializer, raw);
                    Message::assume_text(other.encode(Serializer::Json))
                }
            };
            prop_assert_eq!(raw, wanted, "{}", serializer);
        }
    }
}

/// REQ-WAMP-090.
#[test]
fn a_raw_message_is_the_first_argument() {
    let text = from_raw(&Message::from("hé\"llo"), Serializer::Json);
    assert_eq!((text.args.as_deref(), text.kwargs), (Some("[\"hé\\\"llo\"]".as_bytes()), None));
    let binary =
        |serializer| from_raw(&Message::binary(&b"\x01\x02\x03"[..]), serializer).args.expect("it is there");
    assert_eq!(&*binary(Serializer::Json), br#"["\u0000AQID"]"#);
    assert_eq!(&*binary(Serializer::MsgPack), b"\x91\xC4\x03\x01\x02\x03");
    assert_eq!(&*binary(Serializer::Cbor), b"\x81\x43\x01\x02\x03");
}

/// REQ-WAMP-091.
#[test]
fn a_single_argument_is_a_raw_message_and_others_are_wrapped() {
    for serializer in Serializer::ALL {
        let raw = |args: Vec<Value>, kwargs: &Dict| to_raw(&Payload::of_values(serializer, &args, kwargs));
        assert_eq!(raw(vec!["a\n".into()], &Dict::new()), Message::from("a\n"));
        assert_eq!(raw(vec!["".into()], &Dict::new()), Message::from(""));
        assert_eq!(
            raw(vec![Bytes::from_static(b"\xFF").into()], &Dict::new()),
            Message::binary(&b"\xFF"[..])
        );
        // All others are JSON.
        let kwargs = Dict::new().with("k", Bytes::from_static(b"\x01"));
        for (args, kwargs, json) in [
            (vec![], Dict::new(), r#"{"args":[],"kwargs":{}}"#),
            (vec![1_u64.into()], Dict::new(), "1"),
            (vec![(-7_i64).into()], Dict::new(), "-7"),
            (vec![1.5.into()], Dict::new(), "1.5"),
            (vec![false.into()], Dict::new(), "false"),
            (vec![Value::Null], Dict::new(), "null"),
            (vec![vec!["a"].into()], Dict::new(), r#"["a"]"#),
            (vec![Value::List(vec![])], Dict::new(), "[]"),
            (vec![Dict::new().with("a", 1).into()], Dict::new(), r#"{"a":1}"#),
            (vec![kwargs.clone().into()], Dict::new(), r#"{"k":"\u0000AQ=="}"#),
            (vec![Dict::new().into()], Dict::new(), "{}"),
            (
                vec![Dict::new().with("a", 1).into()],
                kwargs.clone(),
                r#"{"args":[{"a":1}],"kwargs":{"k":"\u0000AQ=="}}"#,
            ),
            (vec!["a".into(), "b".into()], Dict::new(), r#"{"args":["a","b"],"kwargs":{}}"#),
            (vec!["a".into()], kwargs.clone(), r#"{"args":["a"],"kwargs":{"k":"\u0000AQ=="}}"#),
            (vec![], kwargs, r#"{"args":[],"kwargs":{"k":"\u0000AQ=="}}"#),
            (
                vec![Value::Null; 20],
                Dict::new(),
                &format!(r#"{{"args":[null{}],"kwargs":{{}}}}"#, ",null".repeat(19)),
            ),
        ] {
            assert_eq!(raw(args, &kwargs).as_str(), Some(json), "{serializer}");
        }
    }
}

/// REQ-WAMP-091: in whatever form.
#[test]
fn empty_kwargs_are_none() {
    for serializer in Serializer::ALL {
        let payload = Payload::new(serializer, &["a"], &Dict::new()).expect("a list and a dict");
        assert!(payload.kwargs.is_some());
        assert_eq!(to_raw(&payload), Message::from("a"), "{serializer}");
    }
    let odd: [(Serializer, &[u8], &[u8]); 5] = [
        (Serializer::Json, b"[1]", b"{ \n}"),
        (Serializer::MsgPack, b"\x91\x01", b"\xDE\0\0"),
        (Serializer::MsgPack, b"\x91\x01", b"\xDF\0\0\0\0"),
        (Serializer::Cbor, b"\x81\x01", b"\xB8\0"),
        (Serializer::Cbor, b"\x81\x01", b"\xBF\xFF"),
    ];
    for (serializer, args, kwargs) in odd {
        let part = |bytes: &'static [u8]| Some(Bytes::from_static(bytes));
        let payload = Payload { serializer, args: part(args), kwargs: part(kwargs) };
        assert_eq!(to_raw(&payload), Message::from("1"), "{serializer} {kwargs:X?}");
    }
}

/// REQ-WAMP-091: JSON as its sender wrote it, and from the others what their odder forms mean.
#[test]
fn a_single_argument_is_exact() {
    let rows: [(Serializer, &[u8], &str); 11] = [
        (Serializer::Json, br#" [ {"b" : 1e2, "a":[ ]}  ] "#, r#"{"b" : 1e2, "a":[ ]}"#),
        (Serializer::Json, b"[ -0.0 ]", "-0.0"),
        (
            Serializer::Json,
            b"[123456789012345678901234567890123456789012]",
            "123456789012345678901234567890123456789012",
        ),
        (Serializer::MsgPack, b"\xDC\0\x01\xDE\0\x01\xA1a\xCD\x01\0", r#"{"a":256}"#),
        (Serializer::MsgPack, b"\x91\xCA\x3F\xC0\0\0", "1.5"),
        (Serializer::MsgPack, b"\x91\xCF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", "18446744073709551615"),
        // A tag, and a dict and a text in pieces.
        (Serializer::Cbor, b"\x9F\xD9\xD9\xF7\xBF\x61a\x7F\x61x\x61y\xFF\xFF\xFF", r#"{"a":"xy"}"#),
        (Serializer::Cbor, b"\x81\xF9\x3E\0", "1.5"),
        (Serializer::Cbor, b"\x81\xF9\x7E\0", "null"),
        (Serializer::Cbor, b"\x81\xF7", "null"),
        (Serializer::Cbor, b"\x81\xC2\x49\x01\0\0\0\0\0\0\0\0", "18446744073709551616"),
    ];
    for (serializer, args, wanted) in rows {
        let payload = Payload { serializer, args: Some(Bytes::from_static(args)), kwargs: None };
        assert_eq!(to_raw(&payload), Message::from(wanted), "{serializer} {args:X?}");
    }
}

#[test]
fn a_long_text_is_not_copied_nor_is_long_json() {
    let json = Bytes::from(format!("[[\"{}\"]]", "x".repeat(1000)));
    let payload = Payload { serializer: Serializer::Json, args: Some(json.clone()), kwargs: None };
    assert_eq!(to_raw(&payload).payload().as_ptr(), json[1..].as_ptr());
    let payload = from_raw(&Message::from("x".repeat(1000)), Serializer::Cbor);
    let args = payload.args.clone().expect("it is there");
    assert_eq!(to_raw(&payload).payload().as_ptr(), args[4..].as_ptr());
}
