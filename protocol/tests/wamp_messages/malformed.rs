//! Input that is no message: a typed error that says what is wrong, and never a panic.

use bytes::Bytes;
use petasus_protocol::wamp::{DecodeError, Dict, Limits, Message, Serializer, Value};
use proptest::prelude::*;

use crate::wire::{Binary, Element, LAYOUTS, any_wire};

fn decode(text: &str) -> Result<Message, DecodeError> {
    Message::decode(Serializer::Json, &Bytes::copy_from_slice(text.as_bytes()), &Limits::default())
}

/// An element of the right type for `element`, and others that are wrong.
fn good_and_bad(element: Element) -> (&'static str, &'static [&'static str]) {
    match element {
        Element::Request => (
            "1",
            &[
                "0",
                "-1",
                "9007199254740993",
                "1.0",
                "1e3",
                "\"1\"",
                "null",
                "true",
                "[]",
                "{}",
                "18446744073709551617",
            ],
        ),
        Element::Id => ("1", &["-1", "9007199254740993", "1.0", "\"1\"", "null", "false", "[]", "{}"]),
        Element::RequestType => ("48", &["-1", "0", "1", "8", "49", "70", "256", "\"48\"", "null"]),
        Element::Text => ("\"a.b\"", &["1", "null", "[]", "{}", "true"]),
        Element::Dict => ("{}", &["1", "null", "[]", "\"\"", "false"]),
        Element::Payload => ("[]", &["1", "{}", "\"\"", "true"]),
    }
}

/// The message with these elements, the payload left out.
fn text(code: u64, elements: &[&str]) -> String {
    elements.iter().fold(format!("[{code}"), |text, element| format!("{text},{element}")) + "]"
}

/// REQ-WAMP-003.
#[test]
fn a_wrong_or_missing_element_is_named() {
    for (code, name, layout) in LAYOUTS {
        let good: Vec<_> = layout.iter().map(|element| good_and_bad(*element).0).collect();
        decode(&text(code, &good)).expect("all elements are good");
        for (position, element) in layout.iter().enumerate() {
            // UNSUBSCRIBED and UNREGISTERED may have the number 0.
            let revocable = matches!(code, 35 | 67);
            for bad in good_and_bad(*element).1.iter().filter(|bad| !(revocable && **bad == "0")) {
                let mut elements = good.clone();
                elements[position] = bad;
                let error = decode(&text(code, &elements)).expect_err(&text(code, &elements));
                let DecodeError::Element { message, index, .. } = error else {
                    panic!("{error} for {}", text(code, &elements));
                };
                assert_eq!((message, index), (name, position + 1), "{}", text(code, &elements));
            }
            if *element != Element::Payload {
                let error = decode(&text(code, &good[..position])).expect_err("something is missing");
                assert!(
                    matches!(error, DecodeError::Element { message, index, .. }
                        if message == name && index == position + 1),
                    "{name} without element {}: {error}",
                    position + 1
                );
            }
        }
    }
}

/// REQ-WAMP-003.
#[test]
fn more_elements_than_a_message_has_are_refused() {
    for (code, name, layout) in LAYOUTS {
        let mut elements: Vec<_> = layout.iter().map(|element| good_and_bad(*element).0).collect();
        let optional = matches!(code, 35 | 67) || layout.last() == Some(&Element::Payload);
        if optional {
            elements.push("{}");
            decode(&text(code, &elements)).expect("kwargs or details may be there");
        }
        elements.push("{}");
        let max = elements.len();
        assert_eq!(
            decode(&text(code, &elements)),
            Err(DecodeError::ExtraElements { message: name, max }),
            "{name}"
        );
    }
}

/// REQ-WAMP-003.
#[test]
fn keyword_arguments_have_to_be_a_dict_with_text_keys() {
    for bad in ["[]", "1", "\"\"", "true"] {
        let error = decode(&format!("[48,1,{{}},\"p\",[],{bad}]")).unwrap_err();
        assert_eq!(
            error,
            DecodeError::Element { message: "CALL", index: 5, wanted: "a dict with text keys" },
            "{bad}"
        );
    }
    let keys_are_numbers = Bytes::from_static(b"\x96\x30\x01\x80\xA1p\x90\x81\x01\x02");
    let error = Message::decode(Serializer::MsgPack, &keys_are_numbers, &Limits::default()).unwrap_err();
    assert_eq!(error, DecodeError::Element { message: "CALL", index: 5, wanted: "a dict with text keys" });
}

#[test]
fn a_text_that_json_would_take_for_binary_is_refused_in_all_serializers() {
    for text in ["\0", "\0AAAA", "\0 no base64"] {
        let wire = Value::List(vec![64_u64.into(), 1_u64.into(), Dict::new().into(), text.into()]);
        for serializer in Serializer::ALL {
            let outcome = Message::decode(serializer, &wire.encode(serializer).into(), &Limits::default());
            assert!(
                matches!(outcome, Err(DecodeError::Element { message: "REGISTER", index: 3, .. })),
                "{text:?} in {serializer}: {outcome:?}"
            );
        }
    }
}

/// REQ-WAMP-003.
#[test]
fn what_is_no_message_is_told_so() {
    for (text, wanted) in [
        ("[]", DecodeError::NotAMessage),
        ("{}", DecodeError::NotAMessage),
        ("[\"HELLO\",\"r\",{}]", DecodeError::NotAMessage),
        ("[-1]", DecodeError::NotAMessage),
        ("[1.0,\"r\",{}]", DecodeError::NotAMessage),
        ("[0]", DecodeError::UnknownType { code: 0 }),
        ("[7]", DecodeError::UnknownType { code: 7 }),
        ("[37,1]", DecodeError::UnknownType { code: 37 }),
        ("[256]", DecodeError::UnknownType { code: 256 }),
        ("[1,\"r\",{}] 1", DecodeError::Trailing { at: 11 }),
    ] {
        assert_eq!(decode(text), Err(wanted), "{text}");
    }
}

#[test]
fn every_error_text_says_what_to_do() {
    for text in ["[]", "[0]", "[1]", "[33,1,1,1]", "[17,0,1]"] {
        let error = decode(text).unwrap_err().to_string();
        assert!(error.contains(": send "), "{error}");
    }
}

/// Whatever is accepted can be written in every serializer, and what is written is accepted and written the same.
pub(crate) fn check_stable(serializer: Serializer, bytes: Vec<u8>) {
    let Ok(message) = Message::decode(serializer, &bytes.into(), &Limits::default()) else { return };
    for other in Serializer::ALL {
        let written = message.encode(other);
        let again = Message::decode(other, &written.clone().into(), &Limits::default())
            .unwrap_or_else(|error| panic!("{error} from {serializer} to {other}: {message:?}"));
        assert_eq!(again.encode(other), written, "from {serializer} to {other}");
    }
}

proptest! {
    /// REQ-WAMP-004.
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        for serializer in Serializer::ALL {
            check_stable(serializer, bytes.clone());
        }
    }

    /// REQ-WAMP-004.
    #[test]
    fn mutated_messages_are_read_without_a_panic(
        wire in any_wire(Binary::Yes),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<Option<prop::sample::Index>>(),
    ) {
        for serializer in Serializer::ALL {
            let mut bytes = Value::List(wire.clone()).encode(serializer);
            for (index, byte) in &edits {
                let at = index.index(bytes.len());
                bytes[at] = *byte;
            }
            if let Some(cut) = cut {
                bytes.truncate(cut.index(bytes.len()));
            }
            check_stable(serializer, bytes);
        }
    }

    /// REQ-WAMP-003.
    #[test]
    fn a_message_cut_short_is_refused(wire in any_wire(Binary::Yes), cut in any::<prop::sample::Index>()) {
        for serializer in Serializer::ALL {
            let whole = Value::List(wire.clone()).encode(serializer);
            let cut = Bytes::copy_from_slice(&whole[..cut.index(whole.len())]);
            prop_assert!(Message::decode(serializer, &cut, &Limits::default()).is_err());
        }
    }
}
