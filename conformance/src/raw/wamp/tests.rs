use super::{Serialization, Value, ValueError};

fn all_kinds() -> Value {
    let ints = [0, 1, 23, 24, 127, 128, 255, 256, 65_535, 65_536, 1 << 32, 1 << 53, (1 << 64) - 1];
    let negative = [-1, -24, -25, -32, -33, -128, -129, -32_769, -(1_i128 << 31) - 1, -(1_i128 << 63)];
    let numbers = ints.into_iter().chain(negative).map(Value::Int).collect();
    let texts = [0, 1, 23, 24, 31, 32, 255, 256, 70_000].map(|length| Value::Text("é".repeat(length))).into();
    let bytes = [0, 1, 255, 256, 70_000].map(|length| Value::Bytes(vec![0xfe; length])).into();
    let long = Value::List(vec![Value::Null; 300]);
    let many = Value::Map((0..20).map(|i| (format!("key {i:02}"), Value::Int(i))).collect());
    let floats = Value::List(vec![Value::Float(0.5), Value::Float(-1.25e300)]);
    let lists = [numbers, texts, bytes].map(Value::List);
    Value::List(
        lists.into_iter().chain([long, many, floats, Value::from(true), Value::from(false)]).collect(),
    )
}

/// REQ-WAMP-001
#[test]
fn every_kind_of_value_comes_back() {
    for serialization in Serialization::ALL {
        let bytes = serialization.encode(&all_kinds());
        assert_eq!(serialization.decode(&bytes).unwrap(), all_kinds(), "{serialization:?}");
        assert!(serialization.decode(&bytes[..bytes.len() - 1]).is_err());
        assert!(serialization.decode(&[&bytes[..], &bytes].concat()).is_err());
    }
}

#[test]
fn the_bytes_are_those_of_the_specifications() {
    let value = Value::List(vec![Value::Int(1), Value::from("a"), Value::map([("b", Value::Int(-500))])]);
    for (serialization, bytes) in [
        (Serialization::Json, &br#"[1,"a",{"b":-500}]"#[..]),
        (Serialization::MsgPack, b"\x93\x01\xa1a\x81\xa1b\xd1\xfe\x0c"),
        (Serialization::Cbor, b"\x83\x01\x61a\xa1\x61b\x39\x01\xf3"),
    ] {
        assert_eq!(serialization.encode(&value), bytes, "{serialization:?}");
        assert_eq!(serialization.decode(bytes), Ok(value.clone()), "{serialization:?}");
    }
}

#[test]
fn other_forms_are_read() {
    let read = |bytes: &[u8]| Serialization::Cbor.decode(bytes).unwrap();
    assert_eq!(read(b"\x9f\x01\x02\xff"), Value::List(vec![Value::Int(1), Value::Int(2)]));
    assert_eq!(read(b"\x7f\x61a\x61b\xff"), Value::from("ab"));
    assert_eq!(read(b"\xbf\x61a\xf7\xff"), Value::map([("a", Value::Null)]));
    assert_eq!(read(b"\xf9\x3e\x00"), Value::Float(1.5));
    assert_eq!(read(b"\xc0\x61a"), Value::from("a"));
    let packed = |bytes: &[u8]| Serialization::MsgPack.decode(bytes).unwrap();
    assert_eq!(packed(b"\xd9\x01a"), Value::from("a"));
    assert_eq!(packed(b"\xd3\xff\xff\xff\xff\xff\xff\xff\xff"), Value::Int(-1));
    assert_eq!(packed(b"\xca\x3f\xc0\x00\x00"), Value::Float(1.5));
    let bytes = Serialization::Json.decode(br#""\u0000/w==""#);
    assert_eq!(bytes, Ok(Value::Bytes(vec![0xff])));
}

/// REQ-WAMP-004
#[test]
fn hostile_bytes_are_errors() {
    for serialization in [Serialization::MsgPack, Serialization::Cbor] {
        let deep = if serialization == Serialization::Cbor { 0x81 } else { 0x91 };
        assert_eq!(serialization.decode(&vec![deep; 100_000]), Err(ValueError::Deep));
    }
    let huge = |serialization: Serialization, bytes: &[u8]| serialization.decode(bytes).unwrap_err();
    assert_eq!(huge(Serialization::MsgPack, b"\xdd\xff\xff\xff\xff"), ValueError::Cut);
    assert_eq!(huge(Serialization::Cbor, b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff"), ValueError::Cut);
    assert_eq!(huge(Serialization::Cbor, b"\x5b\xff\xff\xff\xff\xff\xff\xff\xff"), ValueError::Cut);
}
