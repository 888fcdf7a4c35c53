//! What our scanners accept, other libraries read, and the other way round: nothing that one session sends is
//! another's trouble.

mod wamp_samples;

use cbor4ii::core::Value as Cbor;
use cbor4ii::core::dec::{Decode, Read};
use cbor4ii::core::utils::SliceReader;
use petasus_protocol::wamp::{DecodeError, Dict, Limits, Serializer, Value};
use proptest::prelude::*;
use rmpv::Value as MsgPack;
use serde_json::Value as Json;
use wamp_samples::{integers, mutate, mutations, nearly_json, small_integers, values};

fn decode(serializer: Serializer, bytes: &[u8]) -> Result<Value, DecodeError> {
    let value = Value::decode(serializer, bytes, &Limits::default());
    // Skipping over a value finds the same faults as reading it.
    assert_eq!(serializer.check(bytes, &Limits::default()), value.clone().map(drop), "{bytes:02x?}");
    value
}

/// What another library makes of the bytes, or why they are outside of what both know.
enum Other {
    Value(Value),
    Refused,
    /// A documented difference.
    Different,
}

/// Compares the value with what another library read, NaN being itself.
fn assert_agree(bytes: &[u8], ours: &Result<Value, DecodeError>, other: &Other) {
    match (ours, other) {
        (Ok(ours), Other::Value(other)) => {
            assert_eq!(format!("{ours:?}"), format!("{other:?}"), "{bytes:02x?}");
        }
        (Err(_), Other::Refused) | (_, Other::Different) => {}
        (Ok(ours), Other::Refused) => panic!("only we accept {bytes:02x?}: {ours:?}"),
        (Err(error), Other::Value(other)) => panic!("we refuse {bytes:02x?} ({error}): {other:?}"),
    }
}

fn other_json(bytes: &[u8]) -> Other {
    fn convert(json: Json) -> Value {
        match json {
            Json::Null => Value::Null,
            Json::Bool(bool) => Value::Bool(bool),
            Json::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(integer), _) => Value::from(integer),
                (_, Some(integer)) => Value::from(integer),
                _ => Value::Float(number.as_f64().expect("it is a number")),
            },
            Json::String(text) => Value::Text(text),
            Json::Array(list) => Value::List(list.into_iter().map(convert).collect()),
            Json::Object(map) => {
                Value::Dict(map.into_iter().map(|(key, value)| (key, convert(value))).collect())
            }
        }
    }
    match serde_json::from_slice(bytes) {
        Ok(json) => Other::Value(convert(json)),
        // It knows no integers of more than some 300 digits.
        Err(error) if error.to_string().contains("out of range") => Other::Different,
        Err(_) => Other::Refused,
    }
}

/// A value as `serde_json` gives it: keys sorted, integers beyond 64 bits as floats, binary as text.
fn as_json(value: Value) -> Value {
    match value {
        Value::Integer(integer) if u64::try_from(integer).is_err() && i64::try_from(integer).is_err() => {
            Value::Float(integer as f64)
        }
        Value::Bytes(bytes) => Value::Text(format!("\0{}", data_encoding::BASE64.encode(&bytes))),
        Value::List(list) => Value::List(list.into_iter().map(as_json).collect()),
        Value::Dict(dict) => {
            let mut entries: Vec<(String, Value)> =
                dict.into_iter().map(|(key, value)| (key, as_json(value))).collect();
            entries.sort_by(|(one, _), (other, _)| one.cmp(other));
            Value::Dict(Dict::from_entries(entries))
        }
        value => value,
    }
}

fn other_msgpack(bytes: &[u8]) -> Other {
    fn convert(value: MsgPack) -> Option<Value> {
        Some(match value {
            MsgPack::Nil => Value::Null,
            MsgPack::Boolean(bool) => Value::Bool(bool),
            MsgPack::Integer(integer) => match (integer.as_u64(), integer.as_i64()) {
                (Some(integer), _) => Value::from(integer),
                (_, integer) => Value::from(integer?),
            },
            MsgPack::F32(float) => Value::Float(float.into()),
            MsgPack::F64(float) => Value::Float(float),
            // It lets texts through that are not UTF-8.
            MsgPack::String(text) => Value::Text(text.into_str()?),
            MsgPack::Binary(bytes) | MsgPack::Ext(_, bytes) => Value::Bytes(bytes.into()),
            MsgPack::Array(list) => Value::List(list.into_iter().map(convert).collect::<Option<_>>()?),
            MsgPack::Map(map) => {
                let entries: Option<Vec<_>> = map
                    .into_iter()
                    .map(|(key, value)| Some((key_text(convert(key)?)?, convert(value)?)))
                    .collect();
                Value::Dict(Dict::from_entries(entries?))
            }
        })
    }
    let mut rest = bytes;
    match rmpv::decode::read_value(&mut rest) {
        Ok(value) if rest.is_empty() => convert(value).map_or(Other::Refused, Other::Value),
        _ => Other::Refused,
    }
}

fn other_cbor(bytes: &[u8]) -> Other {
    fn convert(value: Cbor) -> Result<Value, Other> {
        Ok(match value {
            Cbor::Null => Value::Null,
            Cbor::Bool(bool) => Value::Bool(bool),
            Cbor::Integer(integer) => Value::Integer(integer),
            Cbor::Float(float) => Value::Float(float),
            Cbor::Bytes(bytes) => Value::Bytes(bytes.into()),
            Cbor::Text(text) => Value::Text(text),
            Cbor::Tag(tag @ (2 | 3), bytes) => match *bytes {
                Cbor::Bytes(bytes) if bytes.len() > 15 => return Err(Other::Different),
                Cbor::Bytes(bytes) => {
                    let number = bytes.iter().fold(0_i128, |number, &byte| number << 8 | i128::from(byte));
                    Value::Integer(if tag == 2 { number } else { -1 - number })
                }
                // It does not look at what is tagged.
                _ => return Err(Other::Refused),
            },
            Cbor::Tag(_, value) => convert(*value)?,
            Cbor::Array(list) => Value::List(list.into_iter().map(convert).collect::<Result<_, _>>()?),
            Cbor::Map(map) => {
                let mut entries = Vec::new();
                for (key, value) in map {
                    entries.push((key_text(convert(key)?).ok_or(Other::Refused)?, convert(value)?));
                }
                Value::Dict(Dict::from_entries(entries))
            }
            _ => return Err(Other::Refused),
        })
    }
    let mut reader = SliceReader::new(bytes);
    match Cbor::decode(&mut reader) {
        Ok(value) if reader.fill(1).is_ok_and(|rest| rest.as_ref().is_empty()) => {
            convert(value).map_or_else(|other| other, Other::Value)
        }
        _ => Other::Refused,
    }
}

/// A key as text; lists and dicts are no keys.
fn key_text(key: Value) -> Option<String> {
    match key {
        Value::Text(text) => Some(text),
        Value::List(_) | Value::Dict(_) => None,
        Value::Bytes(bytes) => Some(format!("\0{}", data_encoding::BASE64.encode(&bytes))),
        key => String::from_utf8(key.encode(Serializer::Json)).ok(),
    }
}

fn check_json(bytes: &[u8]) {
    assert_agree(
        bytes,
        &decode(Serializer::Json, bytes).map(as_json),
        &match other_json(bytes) {
            // Its binary is text, so the text is compared in the same form.
            Other::Value(value) => Other::Value(as_json(value)),
            other => other,
        },
    );
}

fn check_msgpack(bytes: &[u8]) {
    let ours = decode(Serializer::MsgPack, bytes);
    // It takes the byte 0xC1, which no value begins with, for nil.
    let reserved = matches!(ours, Err(DecodeError::Malformed { what, .. }) if what.contains("0xC1"));
    assert_agree(bytes, &ours, &if reserved { Other::Different } else { other_msgpack(bytes) });
}

fn check_cbor(bytes: &[u8]) {
    assert_agree(bytes, &decode(Serializer::Cbor, bytes), &other_cbor(bytes));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn broken_json_is_judged_as_serde_json_does(text in nearly_json()) {
        check_json(text.as_bytes());
    }

    #[test]
    fn broken_texts_are_judged_as_serde_json_does(text in nearly_json()) {
        check_json(format!("\"{text}\"").as_bytes());
    }

    #[test]
    fn any_bytes_are_judged_as_msgpack_and_cbor_libraries_do(
        bytes in prop::collection::vec(any::<u8>(), 0..24),
    ) {
        check_msgpack(&bytes);
        check_cbor(&bytes);
        check_json(&bytes);
    }
}

proptest! {
    #[test]
    fn mutated_json_is_judged_as_serde_json_does(value in values(integers().boxed()), how in mutations()) {
        let bytes = value.encode(Serializer::Json);
        check_json(&bytes);
        check_json(&mutate(bytes, &how));
    }

    #[test]
    fn mutated_msgpack_is_judged_as_rmpv_does(value in values(small_integers().boxed()), how in mutations()) {
        let bytes = value.encode(Serializer::MsgPack);
        check_msgpack(&bytes);
        check_msgpack(&mutate(bytes, &how));
    }

    #[test]
    fn mutated_cbor_is_judged_as_cbor4ii_does(value in values(small_integers().boxed()), how in mutations()) {
        let bytes = value.encode(Serializer::Cbor);
        check_cbor(&bytes);
        check_cbor(&mutate(bytes, &how));
    }
}

/// REQ-WAMP-003.
#[test]
fn json_grammar_is_checked_to_the_letter() {
    // RFC 8259. Every line is refused, and would be accepted by some lax parser.
    for bad in [
        "",
        " ",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{\"a\":1,}",
        "{\"a\" 1}",
        "{a:1}",
        "{1:1}",
        "{\"a\"}",
        "[",
        "{",
        "\"",
        "\"a",
        "01",
        "-01",
        "00",
        "-",
        "+1",
        "1.",
        ".5",
        "1e",
        "1e+",
        "0x1",
        "1_0",
        "1e999",
        "-1e400",
        "NaN",
        "Infinity",
        "nul",
        "truE",
        "'a'",
        "\"\t\"",
        "\"\n\"",
        "\"\\\"",
        "\"\\a\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\\U1234\"",
        "//",
        "[1]//",
        "[1]]",
        "1 2",
        "\u{FEFF}1",
        "\u{A0}1",
        "[1\u{B}]",
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"\\ud800x\"",
        "\"\\ud800\\n\"",
        "\"\\ud800\\ud800\"",
        "\"\\ud800\\udbff\"",
        "\"\\ud800\\u0041\"",
    ] {
        assert!(decode(Serializer::Json, bad.as_bytes()).is_err(), "{bad}");
    }
    let good = " { \"\\u0000\\ud834\\udd1e\\/\\b\\f\\n\\r\\t\\\"\\\\\" : [ ] , \"\":-0.5E-1 } \r\n\t";
    let dict = Dict::new().with("\0𝄞/\u{8}\u{C}\n\r\t\"\\", Vec::<Value>::new()).with("", -0.05);
    assert_eq!(decode(Serializer::Json, good.as_bytes()), Ok(Value::Dict(dict)));
}

#[test]
fn control_characters_are_found_at_every_place_of_a_word() {
    // The scanner looks at eight bytes at once.
    for place in 0..20 {
        for bad in [0x00, 0x01, 0x1F] {
            let mut text = "\"aaaaaaaaaaaaaaaaaaaa\"".to_owned().into_bytes();
            assert!(decode(Serializer::Json, &text).is_ok());
            text[1 + place] = bad;
            assert!(decode(Serializer::Json, &text).is_err(), "{bad:#x} at {place}");
            text[1 + place] = 0x7F;
            assert!(decode(Serializer::Json, &text).is_ok(), "DEL may stand in a text");
        }
    }
}

/// REQ-WAMP-003.
#[test]
fn texts_are_utf8_in_every_serializer() {
    for bad in [&b"\xFF"[..], b"\xC3", b"\xED\xA0\x80", b"\xC0\x80", b"\xF4\x90\x80\x80"] {
        let with = |head: &[u8], tail: &[u8]| [head, bad, tail].concat();
        let msgpack = with(&[0xA0 | bad.len() as u8], b"");
        let cbor = with(&[0x60 | bad.len() as u8], b"");
        let chunks = with(&[0x7F, 0x60 | bad.len() as u8], b"\xFF");
        for (serializer, bytes) in [
            (Serializer::Json, with(b"\"", b"\"")),
            (Serializer::MsgPack, msgpack),
            (Serializer::Cbor, cbor),
            (Serializer::Cbor, chunks),
        ] {
            let refused = decode(serializer, &bytes);
            assert!(
                matches!(refused, Err(DecodeError::NotUtf8 { .. })),
                "{serializer} {bytes:02x?}: {refused:?}"
            );
        }
    }
    // A character cut in two by chunks (RFC 8949 3.2.3).
    assert!(decode(Serializer::Cbor, b"\x7F\x61\xC3\x61\xA9\xFF").is_err());
}

/// REQ-WAMP-003.
#[test]
fn msgpack_must_be_well_formed() {
    for bad in [
        &b"\xC1"[..],
        b"\x91\xC1",
        b"\x81\x90\x01",
        b"\x81\x80\x01",
        b"\x81\xDC\0\0\x01",
        b"\x81\xDF\0\0\0\0\x01",
        b"\x92\x01",
        b"\x81\x01",
        b"\xD4\x01",
        b"",
    ] {
        assert!(decode(Serializer::MsgPack, bad).is_err(), "{bad:02x?}");
    }
}

/// REQ-WAMP-003.
#[test]
fn cbor_must_be_well_formed() {
    // RFC 8949, appendix F and section 3: reserved bits, breaks out of place, chunks of another type.
    for bad in [
        &b"\x1C"[..],
        b"\x1D",
        b"\x1E",
        b"\x1F",
        b"\x3F",
        b"\x5D",
        b"\xDF",
        b"\xDF\x01",
        b"\xFC",
        b"\xFE",
        b"\xFF",
        b"\x81\xFF",
        b"\xA1\x01\xFF",
        b"\xBF\x01\xFF",
        b"\x5F\x61a\xFF",
        b"\x7F\x41a\xFF",
        b"\x5F\x5F\x41a\xFF\xFF",
        b"\x5F\x5F\xFF",
        b"\x7F\x7F\xFF",
        b"\x5F\x41",
        b"\x9F\x01",
        b"\xBF",
        b"\xF8\x18",
        b"\xF8\xFF",
        b"\xE0",
        b"\xF3",
        b"\xC1",
        b"\xC2\x01",
        b"\xC2\xC1\x40",
        b"\x01\x01",
        b"\xA1\x80\x01",
        b"\xA1\xC1\xA0\x01",
    ] {
        assert!(decode(Serializer::Cbor, bad).is_err(), "{bad:02x?}");
    }
    for (good, json) in [
        (&b"\x9F\x01\x9F\xFF\x82\x02\x03\xFF"[..], "[1,[],[2,3]]"),
        (b"\xBF\x61a\x01\x61b\x9F\x02\x03\xFF\xFF", r#"{"a":1,"b":[2,3]}"#),
        (b"\x7F\x65strea\x64ming\xFF", r#""streaming""#),
        (b"\x5F\xFF", r#""\u0000""#),
        (b"\xD9\xD9\xF7\xC0\x61t", r#""t""#),
        (b"\xF7", "null"),
        (b"\xC2\x49\x01\0\0\0\0\0\0\0\0", "18446744073709551616"),
        (b"\xC3\x5F\x43\x00\x01\x00\x47\0\0\0\0\0\0\0\xFF", "-18446744073709551617"),
        (b"\xC2\x42\x00\x07", "7"),
        (b"\xA1\x20\xC2\x40", r#"{"-1":0}"#),
    ] {
        let value = decode(Serializer::Cbor, good).unwrap_or_else(|error| panic!("{good:02x?}: {error}"));
        assert_eq!(String::from_utf8_lossy(&value.encode(Serializer::Json)), json);
    }
}

/// REQ-WAMP-004.
#[test]
fn depth_bombs_are_refused() {
    const MANY: usize = 100_000;
    let limits = Limits::default();
    for (serializer, level) in [
        (Serializer::Json, &b"["[..]),
        (Serializer::Json, b"{\"\":"),
        (Serializer::MsgPack, b"\x91"),
        (Serializer::MsgPack, b"\x81\xA0"),
        (Serializer::MsgPack, b"\xDD\0\0\0\x01"),
        (Serializer::Cbor, b"\x81"),
        (Serializer::Cbor, b"\x9F"),
        (Serializer::Cbor, b"\xA1\x00"),
        (Serializer::Cbor, b"\xC1"),
        (Serializer::Cbor, b"\xD8\x20"),
    ] {
        let bomb = level.repeat(MANY);
        let wide = Limits { max_depth: usize::MAX, ..limits };
        for (limits, max_depth) in [(limits, 100), (wide, 256), (Limits { max_depth: 3, ..limits }, 3)] {
            let refused = Value::decode(serializer, &bomb, &limits);
            assert_eq!(refused, Err(DecodeError::TooDeep { max_depth }), "{serializer} {level:02x?}");
        }
    }
    let nested = |levels: usize| [b"[".repeat(levels), b"]".repeat(levels)].concat();
    assert!(decode(Serializer::Json, &nested(100)).is_ok());
    assert_eq!(decode(Serializer::Json, &nested(101)), Err(DecodeError::TooDeep { max_depth: 100 }));
    assert!(Serializer::Json.decode::<Json>(&nested(100)).is_ok(), "the libraries read what we allow");
    assert!(Serializer::MsgPack.decode::<Value>(&[b"\x91".repeat(99), b"\x90".to_vec()].concat()).is_ok());
    assert!(Serializer::Cbor.decode::<Value>(&[b"\x81".repeat(99), b"\x80".to_vec()].concat()).is_ok());
}

/// REQ-WAMP-004.
#[test]
fn huge_lengths_are_refused_at_once() {
    // Each claims far more than there is; were it believed, these tests would need petabytes.
    for (serializer, bytes) in [
        (Serializer::MsgPack, &b"\xDB\xFF\xFF\xFF\xFF"[..]),
        (Serializer::MsgPack, b"\xC6\xFF\xFF\xFF\xFFx"),
        (Serializer::MsgPack, b"\xC9\xFF\xFF\xFF\xFF\x01"),
        (Serializer::MsgPack, b"\xDD\xFF\xFF\xFF\xFF\x01"),
        (Serializer::MsgPack, b"\xDF\xFF\xFF\xFF\xFF\x01\x01"),
        (Serializer::Cbor, b"\x5B\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"),
        (Serializer::Cbor, b"\x7B\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFFa"),
        (Serializer::Cbor, b"\x9B\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"),
        (Serializer::Cbor, b"\xBB\x80\0\0\0\0\0\0\0\x01\x01"),
        (Serializer::Cbor, b"\x5F\x5B\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"),
    ] {
        let refused = decode(serializer, bytes);
        assert!(matches!(refused, Err(DecodeError::Truncated { .. })), "{bytes:02x?}: {refused:?}");
    }
    let limits = Limits { max_bytes: 4, ..Limits::default() };
    assert_eq!(
        Value::decode(Serializer::Json, b"12345", &limits),
        Err(DecodeError::TooLarge { max_bytes: 4 })
    );
    assert!(Value::decode(Serializer::Json, b"1234", &limits).is_ok());
}

/// REQ-WAMP-004.
#[test]
fn integers_have_a_most_of_digits() {
    let digits = |count: usize| "9".repeat(count).into_bytes();
    assert!(decode(Serializer::Json, &digits(2048)).is_ok());
    assert_eq!(decode(Serializer::Json, &digits(2049)), Err(DecodeError::TooManyDigits { at: 0 }));
    let cbor = |count: usize| [&b"\xC2\x59"[..], &(count as u16).to_be_bytes(), &vec![0xFF; count]].concat();
    assert!(decode(Serializer::Cbor, &cbor(850)).is_ok());
    assert_eq!(decode(Serializer::Cbor, &cbor(851)), Err(DecodeError::TooManyDigits { at: 1 }));
}
