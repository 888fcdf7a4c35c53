//! Finds the number and the only argument of an EVENT, RESULT or INVOCATION.
//!
//! A message without details and with one text is found by position, because reading it must cost the generator less
//! than sending it costs the router; any other is read by the protocol crate.

use std::borrow::Cow;

use bytes::Bytes;
use petasus_protocol::wamp::message::{CallResult, Event, Invocation};
use petasus_protocol::wamp::{Limits, Message, Payload, Serializer};

/// A message with one argument.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Heard<'a> {
    /// The message type.
    pub(crate) kind: u64,
    /// The request number; of an EVENT its subscription.
    pub(crate) number: u64,
    /// The argument. What JSON escapes is as it came: stamps and their padding have nothing to escape.
    pub(crate) payload: Cow<'a, [u8]>,
}

/// Reads a message; `None` when it is of another type, malformed, or its only argument is no text.
pub(crate) fn hear(serializer: Serializer, bytes: &[u8]) -> Option<Heard<'_>> {
    let plain = match serializer {
        Serializer::Json => plain_json(bytes),
        Serializer::MsgPack => plain_msgpack(bytes),
        Serializer::Cbor => plain_cbor(bytes),
    };
    plain.or_else(|| decode(serializer, bytes))
}

/// How many numbers stand between the type and the details; `None` for types that are not read here.
fn numbers(kind: u64) -> Option<usize> {
    match kind {
        Event::CODE | Invocation::CODE => Some(2),
        CallResult::CODE => Some(1),
        _ => None,
    }
}

fn plain_json(bytes: &[u8]) -> Option<Heard<'_>> {
    let (kind, mut rest) = json_number(bytes.strip_prefix(b"[")?)?;
    let (number, after) = json_number(rest.strip_prefix(b",")?)?;
    rest = after;
    if numbers(kind)? == 2 {
        (_, rest) = json_number(rest.strip_prefix(b",")?)?;
    }
    let payload = rest.strip_prefix(b",{},[\"")?.strip_suffix(b"\"]]")?;
    Some(Heard { kind, number, payload: payload.into() })
}

fn json_number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0_u64;
    let mut digits = 0;
    while let Some(digit @ b'0'..=b'9') = bytes.get(digits) {
        number = number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
        digits += 1;
    }
    (digits > 0).then(|| (number, &bytes[digits..]))
}

fn plain_msgpack(bytes: &[u8]) -> Option<Heard<'_>> {
    const EMPTY_DICT_LIST_OF_ONE: &[u8] = &[0x80, 0x91];
    let number = |bytes| sized(bytes, 0..0x80, 0xcc);
    plain_binary(bytes, 0x90, EMPTY_DICT_LIST_OF_ONE, number, |bytes| sized(bytes, 0xa0..0xc0, 0xd9))
}

fn plain_cbor(bytes: &[u8]) -> Option<Heard<'_>> {
    const EMPTY_DICT_LIST_OF_ONE: &[u8] = &[0xa0, 0x81];
    let number = |bytes| sized(bytes, 0..24, 0x18);
    plain_binary(bytes, 0x80, EMPTY_DICT_LIST_OF_ONE, number, |bytes| sized(bytes, 0x60..0x78, 0x78))
}

/// `list`: the first byte of an empty list; `between`: what stands between the numbers and the text's length.
fn plain_binary<'a>(
    bytes: &'a [u8],
    list: u8,
    between: &[u8],
    number: impl Fn(&'a [u8]) -> Option<(u64, &'a [u8])>,
    length: impl Fn(&'a [u8]) -> Option<(u64, &'a [u8])>,
) -> Option<Heard<'a>> {
    let (&first, rest) = bytes.split_first()?;
    let (kind, rest) = number(rest)?;
    let count = numbers(kind)?;
    // The type, the numbers, the details and the arguments.
    if first != list + 3 + count as u8 {
        return None;
    }
    let (id, mut rest) = number(rest)?;
    if count == 2 {
        (_, rest) = number(rest)?;
    }
    let (length, payload) = length(rest.strip_prefix(between)?)?;
    (payload.len() as u64 == length).then(|| Heard { kind, number: id, payload: payload.into() })
}

/// A number or length: in one byte of the range `small`, or in 1, 2, 4 or 8 bytes behind the byte `wide` and the
/// three that follow it.
fn sized(bytes: &[u8], small: std::ops::Range<u8>, wide: u8) -> Option<(u64, &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    if small.contains(&first) {
        return Some((u64::from(first - small.start), rest));
    }
    let (value, rest) = rest.split_at_checked(1 << first.checked_sub(wide).filter(|power| *power < 4)?)?;
    Some((value.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)), rest))
}

fn decode(serializer: Serializer, bytes: &[u8]) -> Option<Heard<'_>> {
    let message = Message::decode(serializer, &Bytes::copy_from_slice(bytes), &Limits::default()).ok()?;
    let kind = message.code();
    let (number, payload) = match message {
        Message::Event(event) => (event.subscription, event.payload),
        Message::Result(result) => (result.request, result.payload),
        Message::Invocation(invocation) => (invocation.request, invocation.payload),
        _ => return None,
    };
    Some(Heard { kind, number, payload: only_text(&payload)?.into_bytes().into() })
}

fn only_text(payload: &Payload) -> Option<String> {
    payload.decode_args::<(String,)>().ok().map(|(text,)| text)
}

#[cfg(test)]
mod tests {
    use petasus_protocol::wamp::Dict;

    use super::super::one_text;
    use super::*;

    fn event(serializer: Serializer, details: Dict, id: u64, text: &str) -> Message {
        let payload = one_text(serializer, text);
        Message::from(Event { subscription: id, publication: 1 << 53, details, payload })
    }

    #[test]
    fn the_payload_is_found_by_position_in_every_serializer() {
        for serializer in Serializer::ALL {
            for size in [0, 23, 24, 31, 32, 128, 255, 256, 70_000] {
                for id in [1, 23, 24, 127, 128, 256, 65_536, 1 << 53] {
                    let text = "x".repeat(size);
                    let bytes = event(serializer, Dict::new(), id, &text).encode(serializer);
                    let plain = match serializer {
                        Serializer::Json => plain_json(&bytes),
                        Serializer::MsgPack => plain_msgpack(&bytes),
                        Serializer::Cbor => plain_cbor(&bytes),
                    };
                    assert_eq!(plain, Some(Heard { kind: 36, number: id, payload: text.as_bytes().into() }));
                }
            }
        }
    }

    #[test]
    fn what_is_not_plain_is_decoded() {
        for serializer in Serializer::ALL {
            let details = Dict::new().with("topic", "a.topic");
            let bytes = event(serializer, details, 7, "text").encode(serializer);
            assert_eq!(hear(serializer, &bytes).unwrap().payload, b"text".as_slice());
            let result =
                CallResult { request: 9, details: Dict::new(), payload: one_text(serializer, "text") };
            let bytes = Message::from(result).encode(serializer);
            assert_eq!(
                hear(serializer, &bytes),
                Some(Heard { kind: 50, number: 9, payload: b"text".into() })
            );
        }
        let spaced = br#"[68, 3, 4, {}, ["text"], {}]"#;
        assert_eq!(hear(Serializer::Json, spaced).map(|heard| (heard.kind, heard.number)), Some((68, 3)));
    }

    #[test]
    fn nothing_is_found_in_what_is_cut_or_of_another_type() {
        for serializer in Serializer::ALL {
            let bytes = event(serializer, Dict::new(), 300, "0123456789").encode(serializer);
            for cut in 0..bytes.len() {
                assert_eq!(hear(serializer, &bytes[..cut]), None, "{serializer:?} cut at {cut}");
            }
        }
        assert_eq!(hear(Serializer::Json, br#"[8,48,1,{},"wamp.error.canceled",["text"]]"#), None);
        assert_eq!(hear(Serializer::Json, b"[36,1,2,{},[7]]"), None);
    }
}
