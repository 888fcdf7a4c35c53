//! Raw messages and WAMP payloads stand for each other.

mod wamp_samples;

use bytes::Bytes;
use petasus_protocol::Message;
use petasus_protocol::wamp::bridge::{from_raw, to_raw};
use petasus_protocol::wamp::{Dict, Payload, Serializer, Value};
use proptest::prelude::*;
use wamp_samples::texts;

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
fn a_single_text_or_binary_is_a_raw_message() {
    for serializer in Serializer::ALL {
        let raw = |args: Vec<Value>, kwargs: &Dict| to_raw(&Payload::of_values(serializer, &args, kwargs));
        assert_eq!(raw(vec!["a\n".into()], &Dict::new()), Message::from("a\n"));
        assert_eq!(raw(vec!["".into()], &Dict::new()), Message::from(""));
        assert_eq!(
            raw(vec![Bytes::from_static(b"\xFF").into()], &Dict::new()),
            Message::binary(&b"\xFF"[..])
        );
        // Anything else is JSON.
        let kwargs = Dict::new().with("k", Bytes::from_static(b"\x01"));
        for (args, kwargs, json) in [
            (vec![], Dict::new(), r#"{"args":[],"kwargs":{}}"#),
            (vec![1_u64.into()], Dict::new(), r#"{"args":[1],"kwargs":{}}"#),
            (vec![Value::Null], Dict::new(), r#"{"args":[null],"kwargs":{}}"#),
            (vec!["a".into(), "b".into()], Dict::new(), r#"{"args":["a","b"],"kwargs":{}}"#),
            (vec![vec!["a"].into()], Dict::new(), r#"{"args":[["a"]],"kwargs":{}}"#),
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

/// REQ-WAMP-091.
#[test]
fn empty_kwargs_are_none() {
    for serializer in Serializer::ALL {
        let payload = Payload::new(serializer, &["a"], &Dict::new()).expect("a list and a dict");
        assert!(payload.kwargs.is_some());
        assert_eq!(to_raw(&payload), Message::from("a"), "{serializer}");
    }
}

#[test]
fn a_long_text_is_not_copied() {
    let payload = from_raw(&Message::from("x".repeat(1000)), Serializer::Cbor);
    let args = payload.args.clone().expect("it is there");
    assert_eq!(to_raw(&payload).payload().as_ptr(), args[4..].as_ptr());
}
