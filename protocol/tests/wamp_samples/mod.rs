//! Values and bytes to test WAMP codecs with.
#![allow(dead_code, reason = "every test file uses a part of it")]

use bytes::Bytes;
use petasus_protocol::wamp::{Dict, Value};
use proptest::prelude::*;

/// Limits at whose edge a length or a number needs another form.
const EDGES: [i128; 16] =
    [0, 23, 24, 31, 32, 127, 128, 255, 256, 65_535, 65_536, 1 << 31, 1 << 32, 1 << 53, 1 << 63, 1 << 64];

/// Integers, most of them next to an edge.
pub(crate) fn integers() -> impl Strategy<Value = i128> {
    let edge = (prop::sample::select(EDGES.to_vec()), -2_i128..=2, any::<bool>())
        .prop_map(|(edge, more, negative)| if negative { -edge - more } else { edge + more });
    prop_oneof![3 => edge, 1 => any::<i64>().prop_map(i128::from), 1 => any::<i128>()]
}

/// Integers that `MessagePack` holds exactly.
pub(crate) fn small_integers() -> impl Strategy<Value = i128> {
    integers().prop_map(|integer| integer.clamp(i64::MIN.into(), u64::MAX.into()))
}

/// Finite floats.
pub(crate) fn floats() -> impl Strategy<Value = f64> {
    prop_oneof![
        prop::sample::select(vec![
            0.0,
            -0.0,
            1.0,
            -1.5,
            1e16,
            1e-7,
            1e300,
            f64::MAX,
            f64::MIN_POSITIVE,
            5e-324
        ]),
        prop::num::f64::NORMAL,
    ]
}

/// Texts in which what needs an escape is frequent, and some whose length needs a longer header.
pub(crate) fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "",
            "\"",
            "\\",
            "\u{1}",
            "\u{1F}",
            "\n",
            "\t",
            "\u{7F}",
            "é",
            "𝄞",
            "\u{2028}",
            "/",
            "plain text"
        ])
        .prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
    ];
    prop_oneof![
        24 => prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat()),
        1 => (prop::sample::select(vec![23_usize, 31, 255]), 0..3_usize).prop_map(|(edge, more)| "x".repeat(edge + more)),
    ]
    .prop_filter("a text that stands for binary in JSON", |text| !text.starts_with('\0'))
}

/// Any values, with integers of `integers`.
pub(crate) fn values(integers: BoxedStrategy<i128>) -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        integers.prop_map(Value::Integer),
        floats().prop_map(Value::Float),
        texts().prop_map(Value::Text),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(|bytes| Value::Bytes(Bytes::from(bytes))),
    ];
    leaf.prop_recursive(5, 60, 18, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..20).prop_map(Value::List),
            prop::collection::vec((texts(), inner), 0..28)
                .prop_map(|entries| Value::Dict(Dict::from_entries(entries))),
        ]
    })
    .boxed()
}

/// A few changes to bytes, such as a broken or malicious sender makes.
pub(crate) fn mutations() -> impl Strategy<Value = Vec<(usize, u8, u8)>> {
    prop::collection::vec((any::<usize>(), any::<u8>(), any::<u8>()), 1..4)
}

/// Applies `mutations`.
pub(crate) fn mutate(mut bytes: Vec<u8>, mutations: &[(usize, u8, u8)]) -> Vec<u8> {
    for &(place, kind, byte) in mutations {
        let place = place % (bytes.len() + 1);
        match kind % 5 {
            0 => bytes.insert(place, byte),
            1 => bytes.truncate(place),
            2 if place < bytes.len() => drop(bytes.remove(place)),
            3 if place < bytes.len() => bytes[place] ^= 1 << (byte % 8),
            _ if place < bytes.len() => bytes[place] = byte,
            _ => bytes.push(byte),
        }
    }
    bytes
}

/// Text that is nearly JSON: its pieces in any order.
pub(crate) fn nearly_json() -> impl Strategy<Value = String> {
    let pieces = vec![
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "\"",
        "\"a\"",
        "\"b\":",
        "\\",
        "\\u",
        "\\u0041",
        "\\ud834",
        "\\udd1e",
        "\\udc00",
        "d800",
        "\\n",
        "\\x",
        "\u{1}",
        "0",
        "-",
        "-0",
        "1",
        "12",
        ".5",
        "e",
        "E+",
        "1e400",
        "e9",
        "true",
        "false",
        "null",
        "nul",
        " ",
        "\n",
        "\u{A0}",
        "é",
        "𝄞",
        "18446744073709551616",
        "-9223372036854775809",
    ];
    prop::collection::vec(prop::sample::select(pieces), 0..12).prop_map(|pieces| pieces.concat())
}
