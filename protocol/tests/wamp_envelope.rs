//! Envelopes are split without copying, and everything in them is checked.

mod wamp_samples;

use std::borrow::Cow;

use bytes::Bytes;
use petasus_protocol::wamp::envelope::{self, MAX_DICT_BYTES, MAX_ELEMENTS, Writer};
use petasus_protocol::wamp::{DecodeError, Dict, EncodeError, Limits, Payload, Serializer, Shape, Value};
use proptest::prelude::*;
use wamp_samples::{mutate, mutations, small_integers, texts, values};

use Serializer::{Cbor, Json, MsgPack};

fn split(serializer: Serializer, bytes: &Bytes) -> Result<envelope::Parts<'_>, DecodeError> {
    envelope::split(serializer, bytes, &Limits::default())
}

proptest! {
    #[test]
    fn elements_come_back_as_they_were_written(
        id in 0_u64..=1 << 53,
        uri in texts(),
        args in prop::option::of(prop::collection::vec(values(small_integers().boxed()), 0..4)),
        kwargs in prop::option::of(texts()),
    ) {
        let options = Dict::new().with("match", "prefix").with("x", uri.as_str());
        let kwargs = kwargs.map(|text| Dict::new().with(text, 1_u64));
        for (from, target) in Serializer::ALL.into_iter().flat_map(|from| Serializer::ALL.map(|to| (from, to))) {
            let payload = Payload::new(from, &args, &kwargs).unwrap();
            let mut out = b"before".to_vec();
            let mut writer = Writer::new(target, &mut out, 4 + payload.elements());
            writer.unsigned(48).unsigned(id).dict(&options).text(&uri).payload(&payload);
            writer.finish();
            let bytes = Bytes::from(out).slice(6..);
            let parts = split(target, &bytes).unwrap();
            prop_assert_eq!((parts.len(), parts.unsigned(0), parts.id(1)), (4 + payload.elements(), Some(48), Some(id)));
            prop_assert_eq!(parts.dict(2), Some(options.clone()));
            prop_assert_eq!(parts.text(3).map(Cow::into_owned), Some(uri.clone()));
            let read = parts.payload(4).unwrap();
            prop_assert_eq!(read.arg_values().unwrap(), args.clone().unwrap_or_default());
            prop_assert_eq!(read.kwarg_values().unwrap(), kwargs.clone().unwrap_or_default());
        }
    }

    /// REQ-WAMP-003.
    #[test]
    fn an_envelope_is_accepted_exactly_if_it_is_a_list_and_well_formed(
        list in prop::collection::vec(values(small_integers().boxed()), 1..6),
        how in mutations(),
    ) {
        for serializer in Serializer::ALL {
            let bytes = Bytes::from(mutate(Value::List(list.clone()).encode(serializer), &how));
            let parts = split(serializer, &bytes);
            let value = Value::decode(serializer, &bytes, &Limits::default());
            match (parts, value) {
                (Ok(parts), Ok(Value::List(list))) => {
                    prop_assert_eq!(parts.len(), list.len());
                    for (index, value) in list.into_iter().enumerate() {
                        prop_assert_eq!(format!("{:?}", parts.value(index)), format!("{:?}", Some(value)));
                    }
                }
                (Err(DecodeError::TooManyElements { .. }), _) => {}
                (Err(DecodeError::NotAMessage), value) => {
                    prop_assert!(!matches!(value, Ok(Value::List(list)) if !list.is_empty()));
                }
                (Err(_), value) => prop_assert!(value.is_err()),
                (Ok(_), value) => prop_assert!(false, "{:02x?} is {:?}", bytes, value),
            }
        }
    }

    /// REQ-WAMP-004.
    #[test]
    fn any_bytes_at_all_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let bytes = Bytes::from([&b"\x98"[..], &bytes].concat());
        for serializer in Serializer::ALL {
            if let Ok(parts) = split(serializer, &bytes) {
                for index in 0..parts.len() {
                    let value = parts.value(index);
                    prop_assert!(value.is_some());
                    let _ = (parts.text(index), parts.dict(index), parts.id(index), parts.payload(index));
                }
            }
        }
    }
}

/// REQ-WAMP-072.
#[test]
fn payload_bytes_are_those_of_the_message() {
    let bytes = Bytes::from_static(b" [ 16 , 1 , { } , \"a\\u002eb\" , [ 1 ,2 ] , {\"k\" : [null]} ] \n");
    let parts = split(Json, &bytes).expect("it is well-formed");
    assert_eq!((parts.unsigned(0), parts.dict(2)), (Some(16), Some(Dict::new())));
    assert!(matches!(parts.text(3), Some(Cow::Owned(text)) if text == "a.b"));
    let payload = parts.payload(4).expect("a list and a dict");
    let args = payload.args.expect("it is there");
    assert_eq!((&*args, payload.kwargs.as_deref()), (&b"[ 1 ,2 ]"[..], Some(&b"{\"k\" : [null]}"[..])));
    assert!(bytes.as_ptr_range().contains(&args.as_ptr()), "nothing is copied");

    for (serializer, bytes) in
        [(MsgPack, &b"\x92\x01\xA3a.b"[..]), (Cbor, b"\x82\x01\x63a.b"), (Json, b"[1,\"a.b\"]")]
    {
        let bytes = Bytes::from_static(bytes);
        let parts = split(serializer, &bytes).expect("it is well-formed");
        assert!(matches!(parts.text(1), Some(Cow::Borrowed("a.b"))), "{serializer}");
    }
}

/// REQ-WAMP-002.
#[test]
fn null_is_absent_and_never_written() {
    for json in [&b"[1]"[..], b"[1,null]", b"[1,null,null]"] {
        let bytes = Bytes::from_static(json);
        let payload = split(Json, &bytes).expect("a list").payload(1).expect("absent");
        assert_eq!((payload.is_empty(), payload.elements(), payload.len()), (true, 0, 0));
    }
    for serializer in Serializer::ALL {
        let payload = Payload::of_values(serializer, &[], &Dict::new().with("k", 1_u64));
        let mut out = Vec::new();
        Writer::new(Json, &mut out, 2).payload(&payload);
        assert_eq!(out, b"[[],{\"k\":1}");
    }
    assert_eq!(Payload::of_values(Json, &[], &Dict::new()), Payload::empty());
}

#[test]
fn args_are_a_list_and_kwargs_have_text_keys() {
    for (serializer, bytes, index) in [
        (Json, &b"[1,{}]"[..], 1),
        (Json, b"[1,\"x\"]", 1),
        (Json, b"[1,[],[]]", 2),
        (Json, b"[1,[],0]", 2),
        (MsgPack, b"\x93\x01\x90\x81\x01\x02", 2),
        (MsgPack, b"\x93\x01\x90\x82\xA1a\x02\xC4\x01a\x02", 2),
        (Cbor, b"\x83\x01\x80\xBF\x01\x02\xFF", 2),
    ] {
        let bytes = Bytes::from_static(bytes);
        let refused = split(serializer, &bytes).expect("it is well-formed").payload(1);
        assert_eq!(refused.map_err(|(index, _)| index), Err(index), "{bytes:?}");
    }
    // Further down, any scalar is a key.
    let bytes = Bytes::from_static(b"\x93\x01\x90\x81\xA1k\x81\x01\x02");
    let parts = split(MsgPack, &bytes).expect("it is well-formed");
    assert_eq!((parts.shape(2), parts.shape(3)), (Some(Shape::Dict), None));
    assert!(parts.payload(1).is_ok());

    let wrong = |part| move |error| matches!(error, EncodeError::Shape { part: wrong, .. } if wrong == part);
    assert!(Payload::of_args(Cbor, &5).is_err_and(wrong("args")));
    assert!(Payload::new(MsgPack, &[1], &[1]).is_err_and(wrong("kwargs")));
}

#[test]
fn what_is_no_message_is_refused() {
    for (serializer, bytes) in [
        (Json, &b"{}"[..]),
        (Json, b"5"),
        (Json, b"[]"),
        (Json, b"\"[1]\""),
        (Json, b""),
        (MsgPack, b"\x90"),
        (MsgPack, b"\x80"),
        (Cbor, b"\x80"),
        (Cbor, b"\x9F\xFF"),
        (Cbor, b"\xA0"),
        (Cbor, b"\xC2\x81\x01"),
        (Cbor, b"\xC1\xC3\x81\x01"),
    ] {
        let bytes = Bytes::from_static(bytes);
        assert_eq!(split(serializer, &bytes).err(), Some(DecodeError::NotAMessage), "{serializer} {bytes:?}");
    }
    for (serializer, bytes, at) in
        [(Json, &b"[1]x"[..], 3), (MsgPack, b"\x91\x01\x00", 2), (Cbor, b"\x9F\x01\xFF\xFF", 3)]
    {
        let bytes = Bytes::from_static(bytes);
        assert_eq!(split(serializer, &bytes).err(), Some(DecodeError::Trailing { at }), "{serializer}");
    }
    for (serializer, element) in [(Json, "1,"), (MsgPack, "\u{1}"), (Cbor, "\u{1}")] {
        for (count, refused) in
            [(MAX_ELEMENTS, None), (9, Some(DecodeError::TooManyElements { max: MAX_ELEMENTS }))]
        {
            let mut bytes = Vec::new();
            Writer::new(serializer, &mut bytes, count);
            bytes.extend_from_slice(element.repeat(count).as_bytes());
            if serializer == Json {
                bytes.pop();
                bytes.push(b']');
            }
            assert_eq!(split(serializer, &bytes.into()).err(), refused, "{serializer}");
        }
    }
}

/// REQ-WAMP-004.
#[test]
fn the_bounds_of_a_message_hold() {
    let limits = Limits { max_depth: 3, max_bytes: 20 };
    let depth =
        |json: &'static str| envelope::split(Json, &Bytes::from_static(json.as_bytes()), &limits).map(drop);
    assert_eq!(depth("[1,[[]]]"), Ok(()));
    assert_eq!(depth("[1,[[[]]]]"), Err(DecodeError::TooDeep { max_depth: 3 }));
    assert_eq!(depth("[1,2,3,4,5,6,7,10000]"), Err(DecodeError::TooLarge { max_bytes: 20 }));
    // A dict that would need much memory as values is not read as one.
    let dict = |len: usize| Bytes::from(format!("[1,{{\"k\":\"{}\"}}]", "x".repeat(len - 8)));
    assert!(split(Json, &dict(MAX_DICT_BYTES)).expect("it is well-formed").dict(1).is_some());
    assert!(split(Json, &dict(MAX_DICT_BYTES + 1)).expect("it is well-formed").dict(1).is_none());
}

#[test]
fn numbers_are_ids_only_in_range() {
    let ids = |serializer, bytes: &'static [u8]| {
        let bytes = Bytes::from_static(bytes);
        let parts = split(serializer, &bytes).expect("it is well-formed");
        (0..parts.len()).map(|index| parts.id(index)).collect::<Vec<_>>()
    };
    assert_eq!(
        ids(Json, b"[0,9007199254740992,9007199254740993,-1,1.0,1e3,\"1\",99999999999999999999]"),
        [Some(0), Some(1 << 53), None, None, None, None, None, None]
    );
    assert_eq!(
        ids(MsgPack, b"\x94\x07\xCC\x80\xFF\xCB\x3F\xF0\0\0\0\0\0\0"),
        [Some(7), Some(128), None, None]
    );
    assert_eq!(ids(Cbor, b"\x83\xC2\x41\x05\x20\xC1\x06"), [Some(5), None, Some(6)]);
}

#[test]
fn programs_read_payloads_as_their_types() {
    let payload =
        Payload::new(MsgPack, &("a", 2.5), &Some(Dict::new().with("on", true))).expect("a list and a dict");
    assert_eq!(payload.decode_args(), Ok(("a".to_owned(), 2.5)));
    assert_eq!(payload.decode_kwargs(), Ok(Dict::new().with("on", true)));
    assert!(matches!(payload.decode_args::<(u8, u8)>(), Err(DecodeError::Type { .. })));
    assert_eq!(Payload::empty().decode_args(), Ok(Vec::<u8>::new()));
    assert_eq!(Payload::empty().decode_kwargs(), Ok(Dict::new()));
}

#[test]
fn serializers_are_found_by_their_names() {
    for (serializer, name, number) in [(Json, "json", 1), (MsgPack, "msgpack", 2), (Cbor, "cbor", 3)] {
        assert_eq!((serializer.as_str(), serializer.to_string()), (name, name.to_owned()));
        assert_eq!((serializer.rawsocket(), Serializer::from_rawsocket(number)), (number, Some(serializer)));
        for (batched, name) in [(false, format!("wamp.2.{name}")), (true, format!("wamp.2.{name}.batched"))] {
            assert_eq!(serializer.subprotocol(batched), name);
            assert_eq!(Serializer::from_subprotocol(&name), Some((serializer, batched)));
        }
    }
    assert_eq!(Serializer::from_subprotocol("wamp.2.ubjson"), None);
    assert_eq!((Serializer::from_rawsocket(0), Serializer::from_rawsocket(4)), (None, None));
    assert_eq!(Serializer::ALL.map(Serializer::is_text), [true, false, false]);
}
