//! Values that a careless codec gets wrong.

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use crate::raw::wamp::{Serialization, Value};

/// A value, small enough for tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Sample {
    /// Nothing.
    Null,
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// One above all of those.
    Large(u64),
    /// A float of the list.
    Float(usize),
    /// A text of the list.
    Text(usize),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Several.
    List(Vec<Sample>),
    /// Several, with names of the list.
    Map(Vec<(usize, Sample)>),
}

/// Names, which are in no order.
pub(super) const KEYS: [&str; 8] = ["b", "a", "Z", "", "é", "a b", "10", "9"];

/// Floats, some of them without a fraction.
const FLOATS: [f64; 9] = [0.5, 1.0, -0.0, 0.1, 1e15, -2.5e-7, 1e100, 5e-324, 9_007_199_254_740_993.0];

const TEXTS: [&str; 8] = ["", "a", "é\u{10ffff}", "\"\\/\u{8}\n\u{1f}", "1", "null", "\u{feff}", "AP8="];

impl Sample {
    pub(super) fn value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Int(number) => Value::Int((*number).into()),
            Self::Large(number) => Value::Int((*number).into()),
            Self::Float(which) => Value::Float(FLOATS[which % FLOATS.len()]),
            Self::Text(which) => Value::from(TEXTS[which % TEXTS.len()]),
            Self::Bytes(bytes) => Value::Bytes(bytes.clone()),
            Self::List(items) => Value::List(items.iter().map(Self::value).collect()),
            Self::Map(entries) => map(entries).unwrap_or(Value::map([])),
        }
    }
}

/// A map without a name that comes twice; none, if it is empty.
pub(super) fn map(entries: &[(usize, Sample)]) -> Option<Value> {
    let mut map: Vec<(String, Value)> = Vec::new();
    for (key, sample) in entries {
        let key = KEYS[key % KEYS.len()];
        if map.iter().all(|(known, _)| known != key) {
            map.push((key.to_owned(), sample.value()));
        }
    }
    (!map.is_empty()).then_some(Value::Map(map))
}

/// One of everything.
pub(super) fn all() -> Vec<Sample> {
    let ints = [0, -1, 127, 128, -128, -129, 1 << 31, 1 << 53, (1 << 53) + 1, i64::MAX, i64::MIN];
    let mut all: Vec<Sample> = ints.map(Sample::Int).to_vec();
    all.extend([Sample::Null, Sample::Bool(true), Sample::Large(u64::MAX), Sample::Bytes(Vec::new())]);
    all.push(Sample::Bytes(vec![0, 1, 254, 255]));
    all.extend((0..FLOATS.len()).map(Sample::Float));
    all.extend((0..TEXTS.len()).map(Sample::Text));
    let inner = Sample::Map(vec![(0, Sample::List(vec![Sample::Null])), (1, Sample::Map(Vec::new()))]);
    all.push(Sample::List(vec![inner, Sample::List(Vec::new())]));
    all
}

/// The generator.
pub(super) fn samples() -> impl Strategy<Value = Sample> {
    let leaf = prop_oneof![
        1 => Just(Sample::Null),
        1 => any::<bool>().prop_map(Sample::Bool),
        2 => any::<i64>().prop_map(Sample::Int),
        1 => (-200..200_i64).prop_map(Sample::Int),
        1 => (1_u64 << 63..).prop_map(Sample::Large),
        2 => (0..FLOATS.len()).prop_map(Sample::Float),
        2 => (0..TEXTS.len()).prop_map(Sample::Text),
        2 => prop::collection::vec(any::<u8>(), 0..5).prop_map(Sample::Bytes),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Sample::List),
            prop::collection::vec((0..KEYS.len(), inner), 0..4).prop_map(Sample::Map),
        ]
    })
}

/// Lists and maps as nobody spells them.
pub(super) fn spellings(written: Serialization) -> (&'static [&'static [u8]], &'static [&'static [u8]]) {
    match written {
        Serialization::Json => (
            &[
                b"[ 1.50 , 1E2,\"\\u0041\" ]",
                b"[-0, 10e-1]",
                b"[\t\"\\/\"\n]",
                b"[1.0,{\"b\":1,\"a\":2}]",
                b"[]",
            ],
            &[b"{ \"b\" : 1, \"a\":[ ] }", b"{\"\\u0061\":1.10}"],
        ),
        Serialization::MsgPack => (
            &[
                b"\xdc\x00\x01\xcd\x00\x05",
                b"\x91\xd9\x01a",
                b"\x92\xca\x3f\x80\x00\x00\xd3\xff\xff\xff\xff\xff\xff\xff\xff",
                b"\xdd\x00\x00\x00\x01\xc0",
                b"\x90",
            ],
            &[b"\xde\x00\x02\xa1b\x01\xd9\x01a\x02", b"\x81\xa1k\xcc\x01"],
        ),
        Serialization::Cbor => (
            &[
                b"\x98\x01\x19\x00\x05",
                b"\x9f\x01\x7f\x61a\x61b\xff\xff",
                b"\x82\xf9\x3c\x00\xfa\x3f\x80\x00\x00",
                b"\x81\x5f\x41\x00\x41\x01\xff",
                b"\x80",
            ],
            &[b"\xbf\x61b\x01\x61a\x02\xff", b"\xa1\x78\x01k\x18\x01"],
        ),
    }
}
