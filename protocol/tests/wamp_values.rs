//! WAMP values: every serializer gives back what it was given.

mod wamp_samples;

use bytes::Bytes;
use petasus_protocol::wamp::{Dict, Limits, Serializer, Value, WrongType};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use wamp_samples::{integers, small_integers, values};

fn decode(serializer: Serializer, bytes: &[u8]) -> Value {
    Value::decode(serializer, bytes, &Limits::default()).expect("it was written by us")
}

proptest! {
    #[test]
    fn values_survive_json(value in values(integers().boxed())) {
        prop_assert_eq!(decode(Serializer::Json, &value.encode(Serializer::Json)), value);
    }

    #[test]
    fn values_survive_cbor(value in values(integers().boxed())) {
        prop_assert_eq!(decode(Serializer::Cbor, &value.encode(Serializer::Cbor)), value);
    }

    #[test]
    fn values_survive_msgpack_but_for_integers_beyond_64_bits(value in values(small_integers().boxed())) {
        prop_assert_eq!(decode(Serializer::MsgPack, &value.encode(Serializer::MsgPack)), value);
    }

    #[test]
    fn the_serde_libraries_read_what_we_write(value in values(small_integers().boxed())) {
        for serializer in Serializer::ALL {
            let bytes = value.encode(serializer);
            prop_assert_eq!(&serializer.decode::<Value>(&bytes).unwrap(), &value, "{}", serializer);
        }
    }

    #[test]
    fn we_read_what_the_serde_libraries_write(value in values(small_integers().boxed())) {
        for serializer in Serializer::ALL {
            let bytes = serializer.encode(&value).unwrap();
            prop_assert_eq!(&decode(serializer, &bytes), &value, "{}", serializer);
        }
    }
}

#[test]
fn types_of_a_program_are_read_and_written() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Job {
        name: String,
        size: u32,
        due: Option<f64>,
        rest: Value,
    }
    let rest = Value::Dict(Dict::new().with("z", 1_u64).with("a", Value::Bytes("\0\u{1}".into())));
    for due in [None, Some(0.5)] {
        let job = Job { name: "paint".to_owned(), size: 3, due, rest: rest.clone() };
        for serializer in Serializer::ALL {
            let bytes = serializer.encode(&job).expect("it is plain");
            assert_eq!(serializer.decode::<Job>(&bytes).as_ref(), Ok(&job), "{serializer}");
        }
    }
}

#[test]
fn null_and_the_empty_list_are_two_things() {
    for serializer in Serializer::ALL {
        let bytes = serializer.encode(&((), None::<u8>, Vec::<u8>::new())).expect("it is plain");
        let value = Value::decode(serializer, &bytes, &Limits::default());
        assert_eq!(
            value,
            Ok(Value::List(vec![Value::Null, Value::Null, Value::List(vec![])])),
            "{serializer}"
        );
        assert_eq!(
            serializer.decode::<((), Option<u8>, Vec<u8>)>(&bytes),
            Ok(((), None, vec![])),
            "{serializer}"
        );
    }
}

#[test]
fn cbor_tags_do_not_hinder_a_program() {
    // [1(1.5), (_ "a", "b")]: a time stamp, and a text in chunks.
    let bytes = b"\x82\xC1\xF9\x3E\x00\x7F\x61a\x61b\xFF";
    assert_eq!(Serializer::Cbor.decode(bytes), Ok((1.5, "ab".to_owned())));
}

/// REQ-WAMP-074.
#[test]
fn only_json_has_binary_in_texts() {
    let (text, binary) = (Value::from("\0AQ=="), Value::from(Bytes::from_static(&[1])));
    for (serializer, bytes, value) in [
        (Serializer::Json, &b"\"\\u0000AQ==\""[..], &binary),
        (Serializer::MsgPack, b"\xA5\0AQ==", &text),
        (Serializer::Cbor, b"\x65\0AQ==", &text),
        (Serializer::Cbor, b"\x41\x01", &binary),
    ] {
        assert_eq!(
            (&decode(serializer, bytes), serializer.decode(bytes).as_ref()),
            (value, Ok(value)),
            "{serializer}"
        );
    }
    // A text that stands for binary cannot be told apart once it is JSON.
    assert_eq!(decode(Serializer::Json, &text.encode(Serializer::Json)), binary);
}

/// REQ-WAMP-073.
#[test]
fn integers_beyond_64_bits_are_floats_in_msgpack() {
    for (integer, float) in
        [(1_i128 << 64, 18_446_744_073_709_551_616.0), (-(1 << 63) - 1, -9_223_372_036_854_775_808.0)]
    {
        let bytes = Value::Integer(integer).encode(Serializer::MsgPack);
        assert_eq!(decode(Serializer::MsgPack, &bytes), Value::Float(float));
    }
}

#[test]
fn numbers_are_written_in_the_fewest_bytes() {
    // RFC 8949 4.2.1, and the same of MessagePack.
    for (integer, msgpack, cbor) in [
        (0, &b"\x00"[..], &b"\x00"[..]),
        (24, b"\x18", b"\x18\x18"),
        (128, b"\xCC\x80", b"\x18\x80"),
        (-1, b"\xFF", b"\x20"),
        (-32, b"\xE0", b"\x38\x1F"),
        (-33, b"\xD0\xDF", b"\x38\x20"),
        (-129, b"\xD1\xFF\x7F", b"\x38\x80"),
        (1 << 32, b"\xCF\0\0\0\x01\0\0\0\0", b"\x1B\0\0\0\x01\0\0\0\0"),
    ] {
        let value = Value::Integer(integer);
        assert_eq!(
            (&*value.encode(Serializer::MsgPack), &*value.encode(Serializer::Cbor)),
            (msgpack, cbor),
            "{integer}"
        );
    }
}

#[test]
fn lengths_are_written_in_the_fewest_bytes() {
    let list = |len: usize| Value::List(vec![Value::Null; len]);
    let dict = |len: usize| Value::Dict((0..len).map(|key| (key.to_string(), Value::Null)).collect());
    let text = |len: usize| Value::from("x".repeat(len));
    let binary = |len: usize| Value::from(Bytes::from(vec![0; len]));
    for (value, msgpack, cbor) in [
        (list(15), &b"\x9F"[..], &b"\x8F"[..]),
        (list(16), b"\xDC\0\x10", b"\x90"),
        (list(65_535), b"\xDC\xFF\xFF", b"\x99\xFF\xFF"),
        (list(65_536), b"\xDD\0\x01\0\0", b"\x9A\0\x01\0\0"),
        (dict(15), b"\x8F", b"\xAF"),
        (dict(16), b"\xDE\0\x10", b"\xB0"),
        (dict(65_536), b"\xDF\0\x01\0\0", b"\xBA\0\x01\0\0"),
        (text(23), b"\xB7", b"\x77"),
        (text(24), b"\xB8", b"\x78\x18"),
        (text(31), b"\xBF", b"\x78\x1F"),
        (text(32), b"\xD9\x20", b"\x78\x20"),
        (text(256), b"\xDA\x01\0", b"\x79\x01\0"),
        (text(65_536), b"\xDB\0\x01\0\0", b"\x7A\0\x01\0\0"),
        (binary(0), b"\xC4\0", b"\x40"),
        (binary(256), b"\xC5\x01\0", b"\x59\x01\0"),
        (binary(65_536), b"\xC6\0\x01\0\0", b"\x5A\0\x01\0\0"),
    ] {
        for (serializer, header) in [(Serializer::MsgPack, msgpack), (Serializer::Cbor, cbor)] {
            assert!(value.encode(serializer).starts_with(header), "{serializer} {header:02x?}");
        }
    }
}

/// REQ-WAMP-073.
#[test]
fn floats_stay_floats() {
    for (float, json) in [(1.0, "1.0"), (-0.0, "-0.0"), (f64::NAN, "null"), (f64::INFINITY, "null")] {
        assert_eq!(Value::Float(float).encode(Serializer::Json), json.as_bytes());
    }
    assert_eq!(decode(Serializer::Json, b"1.0"), Value::Float(1.0));
    assert_eq!(decode(Serializer::Json, b"1E2"), Value::Float(100.0));
    // Of the three ways to write 1.5 in CBOR, all are read.
    for bytes in [&b"\xF9\x3E\x00"[..], b"\xFA\x3F\xC0\0\0", b"\xFB\x3F\xF8\0\0\0\0\0\0"] {
        assert_eq!(decode(Serializer::Cbor, bytes), Value::Float(1.5));
    }
    assert_eq!(decode(Serializer::Cbor, b"\xF9\xFC\x00"), Value::Float(f64::NEG_INFINITY));
    assert_eq!(decode(Serializer::Cbor, b"\xF9\x00\x01"), Value::Float(5.960_464_477_539_063e-8));
}

#[test]
fn a_dict_keeps_its_order_and_its_last_values() {
    let mut dict = Dict::new().with("b", 1_u64).with("a", 2_u64).with("c", 3_u64);
    dict.set("a", "new");
    assert_eq!(dict.encode(Serializer::Json), br#"{"b":1,"a":"new","c":3}"#);
    assert_eq!(dict.remove("b"), Some(Value::Integer(1)));
    assert_eq!((dict.remove("b"), dict.len(), dict.is_empty()), (None, 2, false));
    // Twice the same key: few keys and many go different ways.
    for more in [0, 100] {
        let mut json = String::from(r#"{"x":1,"y":2"#);
        for key in 0..more {
            json += r#",""#;
            json += &key.to_string();
            json += r#"":null"#;
        }
        json += r#","x":3}"#;
        let dict = Dict::decode(Serializer::Json, json.as_bytes(), &Limits::default()).expect("a dict");
        assert_eq!(dict.iter().next(), Some(("x", &Value::Integer(3))));
        assert_eq!(dict.len(), 2 + more);
    }
}

#[test]
fn getters_tell_absent_from_wrong() {
    let json =
        br#"{"bool":true,"text":"t","id":7,"ids":[1,2],"texts":["a"],"dict":{"k":1},"list":[1],"null":null,
        "float":1.0,"big":9007199254740993,"negative":-1,"mixed":[1,"a"]}"#;
    let dict = Dict::decode(Serializer::Json, json, &Limits::default()).expect("a dict");
    assert_eq!((dict.bool("bool"), dict.text("text")), (Ok(Some(true)), Ok(Some("t"))));
    assert_eq!((dict.id("id"), dict.ids("ids")), (Ok(Some(7)), Ok(Some(vec![1, 2]))));
    assert_eq!(dict.texts("texts"), Ok(Some(vec!["a"])));
    assert_eq!(dict.dict("dict").map(|dict| dict.map(Dict::len)), Ok(Some(1)));
    assert_eq!(dict.list("list").map(|list| list.map(<[Value]>::len)), Ok(Some(1)));
    for key in ["null", "absent"] {
        assert_eq!((dict.bool(key), dict.id(key), dict.has(key)), (Ok(None), Ok(None), false));
    }
    for key in ["float", "big", "negative", "text"] {
        assert!(dict.id(key).is_err(), "{key} is no id");
    }
    assert_eq!(dict.texts("mixed"), Err(WrongType { key: "mixed".to_owned(), wanted: "a list of texts" }));
    assert_eq!(Value::Integer(1 << 53).as_id(), Some(1 << 53));
}

#[test]
fn of_a_key_that_comes_again_the_last_value_stays_in_the_first_place() {
    // Few keys and many are sorted out in different ways.
    for keys in [3_u64, 40] {
        let entries = (0..3 * keys).map(|number| (format!("k{}", number % keys), Value::from(number)));
        let dict = Dict::from_entries(entries.collect());
        let expected: Dict = (0..keys).map(|key| (format!("k{key}"), 2 * keys + key)).collect();
        assert_eq!(dict.iter().collect::<Vec<_>>(), expected.iter().collect::<Vec<_>>());
    }
}
