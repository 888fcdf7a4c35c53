//! The batched form: several messages in one WebSocket frame (subprotocols `wamp.2.*.batched`).
//!
//! JSON messages are each followed by the byte 0x18, which no JSON holds; binary ones each follow their length in
//! 32 bits, big-endian. Autobahn does it like this.

use bytes::{Buf, Bytes};

use super::{DecodeError, Serializer};

/// The byte behind each JSON message.
const SEPARATOR: u8 = 0x18;

/// Appends one message to a frame.
///
/// # Panics
///
/// If the message has 4 GiB or more: no length is that long.
pub fn append(serializer: Serializer, message: &[u8], frame: &mut Vec<u8>) {
    if serializer.is_text() {
        frame.extend_from_slice(message);
        frame.push(SEPARATOR);
    } else {
        let len = u32::try_from(message.len()).expect("a message is shorter than 4 GiB");
        frame.extend_from_slice(&len.to_be_bytes());
        frame.extend_from_slice(message);
    }
}

/// The messages of a frame, shared with it; after an error there are no more. An empty frame has none.
pub fn split(serializer: Serializer, frame: Bytes) -> Split {
    Split { serializer, at: 0, rest: frame }
}

/// The messages of a frame.
#[derive(Clone, Debug)]
pub struct Split {
    serializer: Serializer,
    at: usize,
    rest: Bytes,
}

impl Iterator for Split {
    type Item = Result<Bytes, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let before = self.rest.len();
        let message = if self.serializer.is_text() { self.text() } else { self.binary() };
        if message.is_none() {
            self.rest.clear();
        }
        let at = self.at;
        self.at += before - self.rest.len();
        Some(message.ok_or(DecodeError::Truncated { at }))
    }
}

impl Split {
    fn text(&mut self) -> Option<Bytes> {
        let len = self.rest.iter().position(|&byte| byte == SEPARATOR)?;
        let message = self.rest.split_to(len);
        self.rest.advance(1);
        Some(message)
    }

    fn binary(&mut self) -> Option<Bytes> {
        let len = self.rest.try_get_u32().ok()?;
        let len = usize::try_from(len).ok().filter(|&len| len <= self.rest.len())?;
        Some(self.rest.split_to(len))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_split_as_they_were_joined() {
        for serializer in Serializer::ALL {
            let messages = [&b"[1]"[..], b"", b"[22]"];
            let mut frame = Vec::new();
            for message in messages {
                append(serializer, message, &mut frame);
            }
            let split: Result<Vec<Bytes>, _> = split(serializer, frame.into()).collect();
            assert_eq!(split.expect("it was joined"), messages);
        }
        assert_eq!(split(Serializer::Json, Bytes::new()).count(), 0);
    }

    #[test]
    fn the_form_is_that_of_autobahn() {
        let mut frame = Vec::new();
        append(Serializer::Json, b"[6,{}]", &mut frame);
        assert_eq!(frame, b"[6,{}]\x18");
        frame.clear();
        append(Serializer::Cbor, b"\x81\x06", &mut frame);
        assert_eq!(frame, b"\0\0\0\x02\x81\x06");
    }

    #[test]
    fn what_is_cut_off_is_refused_once() {
        let cut = |serializer, frame: &'static [u8]| {
            split(serializer, Bytes::from_static(frame)).collect::<Vec<_>>()
        };
        let whole = Ok(Bytes::from_static(b"[]"));
        assert_eq!(cut(Serializer::Json, b"[]\x18[]"), [whole, Err(DecodeError::Truncated { at: 3 })]);
        assert_eq!(
            cut(Serializer::MsgPack, b"\0\0\0\x01\x90\0\0"),
            [Ok(Bytes::from_static(b"\x90")), Err(DecodeError::Truncated { at: 5 })]
        );
        assert_eq!(cut(Serializer::Cbor, b"\xFF\xFF\xFF\xFF\x80"), [Err(DecodeError::Truncated { at: 0 })]);
    }
}
