//! Transcoding is exact, wherever the other serializer has a form for a value.

mod wamp_samples;

use petasus_protocol::wamp::transcode::transcode;
use petasus_protocol::wamp::{Dict, Limits, Payload, Serializer, Value};
use proptest::prelude::*;
use wamp_samples::{integers, mutate, mutations, small_integers, values};

use Serializer::{Cbor, Json, MsgPack};

fn to(from: Serializer, to: Serializer, bytes: &[u8]) -> Vec<u8> {
    transcode(from, to, bytes).unwrap_or_else(|error| panic!("{from} {bytes:02x?}: {error}"))
}

/// Appends the value in CBOR, with an indefinite length or in chunks wherever that is possible.
fn indefinite_cbor(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Text(text) => {
            out.push(0x7F);
            for character in text.chars() {
                Value::from(String::from(character)).encode_into(Cbor, out);
            }
        }
        Value::Bytes(bytes) => {
            out.push(0x5F);
            Value::Bytes(bytes.clone()).encode_into(Cbor, out);
        }
        Value::List(list) => {
            out.push(0x9F);
            for value in list {
                indefinite_cbor(value, out);
            }
        }
        Value::Dict(dict) => {
            out.push(0xBF);
            for (key, value) in dict.iter() {
                indefinite_cbor(&Value::from(key), out);
                indefinite_cbor(value, out);
            }
        }
        value => return value.encode_into(Cbor, out),
    }
    out.push(0xFF);
}

proptest! {
    /// REQ-WAMP-073.
    #[test]
    fn what_is_transcoded_is_what_would_have_been_written(value in values(small_integers().boxed())) {
        for from in Serializer::ALL {
            for target in Serializer::ALL {
                // Both ways, so that there and back again is the identity.
                prop_assert_eq!(to(from, target, &value.encode(from)), value.encode(target), "{} {}", from, target);
            }
        }
    }

    /// REQ-WAMP-073.
    #[test]
    fn json_and_cbor_keep_integers_of_any_size(value in values(integers().boxed())) {
        prop_assert_eq!(to(Json, Cbor, &value.encode(Json)), value.encode(Cbor));
        prop_assert_eq!(to(Cbor, Json, &value.encode(Cbor)), value.encode(Json));
    }

    /// REQ-WAMP-073.
    #[test]
    fn digits_survive(digits in "-?[1-9][0-9]{0,200}") {
        let json = format!("[{digits}]").into_bytes();
        prop_assert_eq!(to(Cbor, Json, &to(Json, Cbor, &json)), json);
        let float: f64 = digits.parse().unwrap();
        if digits.len() > 20 {
            prop_assert_eq!(to(Json, MsgPack, digits.as_bytes()), Value::Float(float).encode(MsgPack));
            prop_assert_eq!(to(Cbor, MsgPack, &to(Json, Cbor, digits.as_bytes())), Value::Float(float).encode(MsgPack));
        }
    }

    #[test]
    fn indefinite_cbor_becomes_definite(value in values(integers().boxed())) {
        let mut bytes = Vec::new();
        indefinite_cbor(&value, &mut bytes);
        for target in [Cbor, Json] {
            prop_assert_eq!(to(Cbor, target, &bytes), value.encode(target));
        }
        prop_assert_eq!(to(Cbor, MsgPack, &bytes), to(Cbor, MsgPack, &value.encode(Cbor)));
    }

    /// REQ-WAMP-073.
    #[test]
    fn what_is_accepted_can_be_transcoded(value in values(integers().boxed()), how in mutations()) {
        for from in Serializer::ALL {
            let bytes = mutate(value.encode(from), &how);
            let checked = from.check(&bytes, &Limits::default());
            for target in Serializer::ALL {
                let transcoded = transcode(from, target, &bytes);
                prop_assert_eq!(transcoded.as_ref().map(|_| ()).map_err(Clone::clone), checked.clone());
                if let Ok(transcoded) = transcoded {
                    prop_assert_eq!(target.check(&transcoded, &Limits::default()), Ok(()), "{:02x?}", bytes);
                }
            }
        }
    }

    #[test]
    fn any_bytes_at_all_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        for from in Serializer::ALL {
            for target in Serializer::ALL {
                let transcoded = transcode(from, target, &bytes);
                prop_assert_eq!(transcoded.is_ok(), from.check(&bytes, &Limits::default()).is_ok());
            }
        }
    }
}

/// REQ-WAMP-073.
#[test]
fn payloads_that_others_mangle_survive() {
    // Nested lists, a lone null, numbers next to 2^53 and 2^64, order of keys, keys that come twice, floats.
    for json in [
        "[[1,2]]",
        "[[]]",
        "[null]",
        "[{}]",
        "[9007199254740993,18446744073709551615,-9223372036854775808]",
        r#"{"b":1,"a":2,"c":{"z":1,"y":2}}"#,
        r#"{"a":1,"a":2}"#,
        "[1.0,-0.0,1e+16,0.1,5e-324]",
        r#"["","\"\\\n\u0000 no base64"]"#,
        r#"["\u0000AQID"]"#,
    ] {
        for through in [MsgPack, Cbor] {
            let there = to(Json, through, json.as_bytes());
            assert_eq!(String::from_utf8_lossy(&to(through, Json, &there)), json, "{through}");
        }
    }
    assert_eq!(to(Json, MsgPack, b"[[1,2]]"), b"\x91\x92\x01\x02");
    assert_eq!(to(Json, Cbor, b" [ [ 1 , 2 ] ] "), b"\x81\x82\x01\x02");
    assert_eq!(to(Json, MsgPack, br#"["\u0000AQID"]"#), b"\x91\xC4\x03\x01\x02\x03");
    assert_eq!(to(Json, Cbor, br#""\u0000""#), b"\x40");
}

/// REQ-WAMP-073.
#[test]
fn what_has_no_form_becomes_the_nearest() {
    for (from, bytes, target, wanted) in [
        // NaN and infinities.
        (MsgPack, &b"\xCA\x7F\xC0\0\0"[..], Json, &b"null"[..]),
        (Cbor, b"\xF9\xFC\x00", Json, b"null"),
        // Keys that are not text.
        (
            MsgPack,
            b"\x85\x01\xC0\xFF\xC0\xC3\xC0\xC0\xC0\xCA\x3F\x80\0\0\xC0",
            Json,
            br#"{"1":null,"-1":null,"true":null,"null":null,"1.0":null}"#,
        ),
        (Cbor, b"\xA1\x41\x01\x02", Json, br#"{"\u0000AQ==":2}"#),
        (Cbor, b"\xA1\x01\x02", MsgPack, b"\x81\x01\x02"),
        // A key stays text, whatever it looks like.
        (Json, br#"{"\u0000AQ==":2}"#, MsgPack, b"\x81\xA5\0AQ==\x02"),
        // Not the canonical form of base64: it is text.
        (Json, br#""\u0000AQ""#, Cbor, b"\x63\0AQ"),
        (Json, br#""\u0000AR==""#, Cbor, b"\x65\0AR=="),
        // Tags and undefined.
        (Cbor, b"\x82\xC1\x01\xF7", Json, b"[1,null]"),
        (Cbor, b"\xC0\x61t", MsgPack, b"\xA1t"),
        // Extensions: 1, 4 and 3 bytes.
        (MsgPack, b"\x93\xD4\x01a\xD6\xFFabcd\xC7\x03\x05abc", Cbor, b"\x83\x41a\x44abcd\x43abc"),
        // Integers beyond 64 bits.
        (Json, b"18446744073709551616", MsgPack, b"\xCB\x43\xF0\0\0\0\0\0\0"),
        (Cbor, b"\x3B\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", MsgPack, b"\xCB\xC3\xF0\0\0\0\0\0\0"),
        (Cbor, b"\x3B\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", Json, b"-18446744073709551616"),
        (Json, b"-18446744073709551617", Cbor, b"\xC3\x49\x01\0\0\0\0\0\0\0\0"),
        (Json, b"-0", Cbor, b"\xFB\x80\0\0\0\0\0\0\0"),
        // 32 and 16 bit floats are 64 bit floats.
        (MsgPack, b"\xCA\x3D\xCC\xCC\xCD", Json, b"0.10000000149011612"),
        (Cbor, b"\xF9\x3C\x00", MsgPack, b"\xCB\x3F\xF0\0\0\0\0\0\0"),
    ] {
        assert_eq!(
            to(from, target, bytes).escape_ascii().to_string(),
            wanted.escape_ascii().to_string(),
            "{from} {bytes:02x?} to {target}"
        );
    }
}

#[test]
fn long_lists_in_long_lists_get_the_right_headers() {
    // Every length at which a header grows, as the list around a list: from JSON no length is known in time.
    let mut value = Value::List(vec![Value::from(1_u64); 65_536]);
    for len in [15_usize, 16, 23, 24, 255, 256, 65_535, 65_536] {
        let mut list = vec![Value::Null; len - 1];
        list.insert(len / 2, value);
        value = Value::List(list);
        let entries = (0..len).map(|key| (key.to_string(), Value::from(true)));
        let dict: Dict = entries.chain([("in".to_owned(), value)]).collect();
        value = Value::Dict(dict);
    }
    for target in [MsgPack, Cbor] {
        assert!(to(Json, target, &value.encode(Json)) == value.encode(target), "{target}");
    }
}

/// REQ-WAMP-072.
#[test]
fn a_payload_is_transcoded_once_and_only_if_needed() {
    let payload =
        Payload::new(Json, &(1, "a"), &Value::Dict(Dict::new().with("k", 2_u64))).expect("a list and a dict");
    assert!(matches!(payload.transcoded(Json), std::borrow::Cow::Borrowed(same) if *same == payload));
    let cbor = payload.transcoded(Cbor);
    assert_eq!(
        (cbor.args.as_deref(), cbor.kwargs.as_deref()),
        (Some(&b"\x82\x01\x61a"[..]), Some(&b"\xA1\x61k\x02"[..]))
    );
    assert_eq!(*cbor.transcoded(Json), payload);
    assert_eq!(*Payload::empty().transcoded(MsgPack), Payload { serializer: MsgPack, ..Payload::empty() });
}
