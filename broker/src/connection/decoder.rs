//! From bytes to messages: RFC 6455 framing of the client's side.
//!
//! Bytes come in as the socket gives them. A frame that lies whole in the buffer is unmasked in place and
//! handed on without a copy; only a message that is still incomplete is kept, never more than arrived.

use std::io::Cursor;

use bytes::Bytes;
use petasus_protocol::Message;
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};

/// The longest client frame header: two bytes, an eight byte length, a mask (RFC 6455 5.2).
const LONGEST_HEADER: usize = 14;

/// The longest control payload (RFC 6455 5.5).
const LONGEST_CONTROL: usize = 125;

/// What a client sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Incoming {
    Message(Message),
    Ping(Bytes),
    Pong,
    /// A close frame with its code, if it has one, and its reason.
    Close(Option<u16>, String),
}

/// Why a connection cannot go on. The text is the reason in the close frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Violation {
    #[error("{0}")]
    Protocol(&'static str),
    #[error("text is not UTF-8")]
    NotUtf8,
    #[error("message is too long")]
    TooLong,
}

impl Violation {
    /// RFC 6455 7.4.1; REQ-WS-003, REQ-WS-007.
    pub(super) const fn close_code(self) -> u16 {
        match self {
            Self::Protocol(_) => 1002,
            Self::NotUtf8 => 1007,
            Self::TooLong => 1009,
        }
    }
}

#[derive(Default)]
pub(super) struct Decoder {
    /// The beginning of a header that is not complete.
    stash: [u8; LONGEST_HEADER],
    stashed: u8,
    frame: Option<Payload>,
    /// The message that is being put together.
    message: Option<Box<Partial>>,
}

/// A frame whose header is read and whose payload is not complete.
struct Payload {
    opcode: OpCode,
    is_final: bool,
    mask: [u8; 4],
    /// How much is still missing.
    missing: usize,
    /// A control frame does not belong to the message; it is put together here.
    control: Vec<u8>,
}

struct Partial {
    binary: bool,
    payload: Vec<u8>,
    /// So many bytes are known to be UTF-8.
    checked: usize,
}

/// What has begun to arrive and is not complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unfinished {
    Nothing,
    /// A message, perhaps with other frames between its fragments.
    Message,
    /// A control frame, or a header that does not say yet what it begins.
    Frame,
}

impl Decoder {
    pub(super) fn unfinished(&self) -> Unfinished {
        if self.message.is_some() {
            Unfinished::Message
        } else if self.frame.is_some() || self.stashed > 0 {
            Unfinished::Frame
        } else {
            Unfinished::Nothing
        }
    }

    /// Takes what was read. `sink` gets what is complete, in order, and says whether to go on.
    pub(super) fn feed(
        &mut self,
        mut input: &mut [u8],
        limit: usize,
        sink: &mut impl FnMut(Incoming) -> bool,
    ) -> Result<(), Violation> {
        while !input.is_empty() {
            let rest;
            if let Some(mut frame) = self.frame.take() {
                let (chunk, after) = input.split_at_mut(frame.missing.min(input.len()));
                rest = after;
                if !self.chunk(&mut frame, chunk, sink)? {
                    return Ok(());
                }
            } else {
                let used = self.header(input, limit)?;
                let after = &mut input[used..];
                let Some(mut frame) = self.frame.take() else { return Ok(()) };
                if frame.missing <= after.len() {
                    let (payload, after) = after.split_at_mut(frame.missing);
                    rest = after;
                    if !self.whole(&mut frame, payload, sink)? {
                        return Ok(());
                    }
                } else {
                    rest = after;
                    self.begin(&frame);
                    self.frame = Some(frame);
                }
            }
            input = rest;
        }
        Ok(())
    }

    /// Reads a frame header; `self.frame` is set if it is complete. Returns how many bytes it took.
    fn header(&mut self, input: &[u8], limit: usize) -> Result<usize, Violation> {
        let stashed = usize::from(self.stashed);
        if stashed == 0 {
            let mut cursor = Cursor::new(input);
            if let Some(header) = parse(&mut cursor)? {
                self.frame = Some(self.checked(header, limit)?);
                return Ok(cursor.position() as usize);
            }
        }
        let taken = (LONGEST_HEADER - stashed).min(input.len());
        self.stash[stashed..stashed + taken].copy_from_slice(&input[..taken]);
        let mut cursor = Cursor::new(&self.stash[..stashed + taken]);
        if let Some(header) = parse(&mut cursor)? {
            let used = cursor.position() as usize - stashed;
            self.stashed = 0;
            self.frame = Some(self.checked(header, limit)?);
            return Ok(used);
        }
        self.stashed = (stashed + taken) as u8;
        Ok(taken)
    }

    /// Checks what a header says against RFC 6455 5.2 to 5.5 and the limit.
    fn checked(&self, (header, len): (FrameHeader, u64), limit: usize) -> Result<Payload, Violation> {
        if header.rsv1 || header.rsv2 || header.rsv3 {
            return Err(Violation::Protocol("reserved bits are set, but no extension was agreed on"));
        }
        let Some(mask) = header.mask else {
            return Err(Violation::Protocol("frame is not masked"));
        };
        match header.opcode {
            OpCode::Control(Control::Reserved(_)) | OpCode::Data(Data::Reserved(_)) => {
                return Err(Violation::Protocol("reserved opcode"));
            }
            OpCode::Control(_) if !header.is_final => {
                return Err(Violation::Protocol("control frame is fragmented"));
            }
            OpCode::Control(_) if len > LONGEST_CONTROL as u64 => {
                return Err(Violation::Protocol("control frame is longer than 125 bytes"));
            }
            OpCode::Data(Data::Continue) if self.message.is_none() => {
                return Err(Violation::Protocol("continuation without a message"));
            }
            OpCode::Data(Data::Text | Data::Binary) if self.message.is_some() => {
                return Err(Violation::Protocol("new message before the last one ended"));
            }
            _ => {}
        }
        let before = match header.opcode {
            OpCode::Data(_) => self.message.as_ref().map_or(0, |message| message.payload.len()),
            OpCode::Control(_) => 0,
        };
        if len >> 63 != 0 {
            return Err(Violation::Protocol("length with its highest bit set"));
        }
        let missing = usize::try_from(len).map_err(|_| Violation::TooLong)?;
        if matches!(header.opcode, OpCode::Data(_)) && missing > limit.saturating_sub(before) {
            return Err(Violation::TooLong);
        }
        let (opcode, is_final) = (header.opcode, header.is_final);
        Ok(Payload { opcode, is_final, mask, missing, control: Vec::new() })
    }

    /// A frame whose payload lies whole in the buffer.
    fn whole(
        &mut self,
        frame: &mut Payload,
        payload: &mut [u8],
        sink: &mut impl FnMut(Incoming) -> bool,
    ) -> Result<bool, Violation> {
        let alone = frame.is_final && self.message.is_none();
        match frame.opcode {
            OpCode::Data(opcode) if alone => {
                unmask(payload, frame.mask);
                let message = if opcode == Data::Text {
                    Message::text(Bytes::copy_from_slice(payload)).map_err(|_| Violation::NotUtf8)?
                } else {
                    Message::binary(Bytes::copy_from_slice(payload))
                };
                Ok(sink(Incoming::Message(message)))
            }
            _ => {
                self.begin(frame);
                self.chunk(frame, payload, sink)
            }
        }
    }

    /// Makes room for the message that a data frame begins.
    fn begin(&mut self, frame: &Payload) {
        if let OpCode::Data(Data::Text | Data::Binary) = frame.opcode {
            let binary = frame.opcode == OpCode::Data(Data::Binary);
            self.message = Some(Box::new(Partial { binary, payload: Vec::new(), checked: 0 }));
        }
    }

    /// Some more of a payload; whether to go on.
    fn chunk(
        &mut self,
        frame: &mut Payload,
        chunk: &mut [u8],
        sink: &mut impl FnMut(Incoming) -> bool,
    ) -> Result<bool, Violation> {
        unmask(chunk, frame.mask);
        frame.mask.rotate_left(chunk.len() % 4);
        frame.missing -= chunk.len();
        let complete = frame.missing == 0;
        if let OpCode::Control(kind) = frame.opcode {
            frame.control.extend_from_slice(chunk);
            if complete {
                return control(kind, std::mem::take(&mut frame.control)).map(sink);
            }
        } else if let Some(message) = &mut self.message {
            message.payload.extend_from_slice(chunk);
            let ends = complete && frame.is_final;
            if !message.binary {
                message.check_utf8(ends)?;
            }
            if ends && let Some(message) = self.message.take() {
                return Ok(sink(Incoming::Message(message.finish())));
            }
        }
        if !complete {
            let (opcode, is_final, mask, missing) = (frame.opcode, frame.is_final, frame.mask, frame.missing);
            let control = std::mem::take(&mut frame.control);
            self.frame = Some(Payload { opcode, is_final, mask, missing, control });
        }
        Ok(true)
    }
}

impl Partial {
    /// Fails as soon as what has arrived cannot become UTF-8 any more (RFC 6455 8.1).
    fn check_utf8(&mut self, ends: bool) -> Result<(), Violation> {
        match std::str::from_utf8(&self.payload[self.checked..]) {
            Ok(_) => self.checked = self.payload.len(),
            Err(error) if error.error_len().is_none() && !ends => self.checked += error.valid_up_to(),
            Err(_) => return Err(Violation::NotUtf8),
        }
        Ok(())
    }

    fn finish(self) -> Message {
        if self.binary { Message::binary(self.payload) } else { Message::assume_text(self.payload) }
    }
}

fn parse(cursor: &mut Cursor<&[u8]>) -> Result<Option<(FrameHeader, u64)>, Violation> {
    FrameHeader::parse(cursor).map_err(|_| Violation::Protocol("reserved opcode"))
}

fn control(kind: Control, payload: Vec<u8>) -> Result<Incoming, Violation> {
    Ok(match kind {
        Control::Ping => Incoming::Ping(payload.into()),
        Control::Pong => Incoming::Pong,
        Control::Close => close(&payload)?,
        Control::Reserved(_) => return Err(Violation::Protocol("reserved opcode")),
    })
}

/// RFC 6455 5.5.1 and 7.4.
fn close(payload: &[u8]) -> Result<Incoming, Violation> {
    let Some((code, reason)) = payload.split_first_chunk::<2>() else {
        return if payload.is_empty() {
            Ok(Incoming::Close(None, String::new()))
        } else {
            Err(Violation::Protocol("close frame of one byte"))
        };
    };
    let code = u16::from_be_bytes(*code);
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(Violation::Protocol("close code that nobody may send"));
    }
    let reason = std::str::from_utf8(reason).map_err(|_| Violation::NotUtf8)?;
    Ok(Incoming::Close(Some(code), reason.to_owned()))
}

/// RFC 6455 5.3. Eight bytes at a time, which the compiler makes wider.
fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let [a, b, c, d] = mask;
    let wide = [a, b, c, d, a, b, c, d];
    let mut blocks = payload.chunks_exact_mut(8);
    for block in &mut blocks {
        for (byte, mask) in block.iter_mut().zip(wide) {
            *byte ^= mask;
        }
    }
    for (byte, mask) in blocks.into_remainder().iter_mut().zip(wide) {
        *byte ^= mask;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMIT: usize = 100_000;

    fn frame(first: u8, payload: &[u8], mask: [u8; 4]) -> Vec<u8> {
        let mut wire = vec![first];
        match payload.len() {
            len @ 0..=125 => wire.push(0x80 | len as u8),
            len @ 126..=65_535 => {
                wire.push(0x80 | 126);
                wire.extend_from_slice(&(len as u16).to_be_bytes());
            }
            len => {
                wire.push(0x80 | 127);
                wire.extend_from_slice(&(len as u64).to_be_bytes());
            }
        }
        wire.extend_from_slice(&mask);
        wire.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        wire
    }

    /// Feeds the wire in pieces of at most `step` bytes.
    fn decode(wire: &[u8], step: usize) -> (Vec<Incoming>, Option<Violation>) {
        let mut decoder = Decoder::default();
        let mut got = Vec::new();
        for piece in wire.chunks(step) {
            let sink = &mut |incoming| {
                got.push(incoming);
                true
            };
            if let Err(violation) = decoder.feed(&mut piece.to_vec(), LIMIT, sink) {
                return (got, Some(violation));
            }
        }
        (got, None)
    }

    fn fragment() -> impl Strategy<Value = (String, Vec<usize>, bool, [u8; 4])> {
        (".{0,40}", prop::collection::vec(0..150usize, 0..4), any::<bool>(), any::<[u8; 4]>())
    }

    proptest! {
        /// REQ-WS-004, REQ-PAY-001, REQ-PAY-005: however a message is cut into frames, with pings between
        /// them, and however the bytes arrive, the message is the same.
        #[test]
        fn cuts_make_no_difference(messages in prop::collection::vec(fragment(), 1..6), step in 1..300usize) {
            let (mut wire, mut expected) = (Vec::new(), Vec::new());
            for (text, cuts, binary, mask) in messages {
                let bytes = text.as_bytes();
                let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
                cuts.sort_unstable();
                cuts.push(bytes.len());
                let (mut from, last) = (0, cuts.len() - 1);
                for (i, &to) in cuts.iter().enumerate() {
                    let opcode = if i > 0 { 0 } else if binary { 2 } else { 1 };
                    let fin = if i == last { 0x80 } else { 0 };
                    wire.extend(frame(fin | opcode, &bytes[from..to], mask));
                    if i < last {
                        wire.extend(frame(0x89, b"p", mask));
                        expected.push(Incoming::Ping(Bytes::from_static(b"p")));
                    }
                    from = to;
                }
                expected.push(Incoming::Message(if binary {
                    Message::binary(bytes.to_vec())
                } else {
                    Message::from(text)
                }));
            }
            prop_assert_eq!(decode(&wire, step), (expected, None));
        }

        /// REQ-LIVE-001: no input panics, and the way it is cut does not change the verdict.
        #[test]
        fn any_bytes_get_the_same_verdict_whole_and_in_pieces(wire: Vec<u8>, step in 1..20usize) {
            prop_assert_eq!(decode(&wire, step), decode(&wire, usize::MAX));
        }
    }

    /// REQ-WS-003, REQ-WS-007
    #[test]
    fn violations_have_their_close_codes() {
        let mask = [1, 2, 3, 4];
        let two = |a: Vec<u8>, b: Vec<u8>| [a, b].concat();
        let cases: Vec<(&str, Vec<u8>, u16)> = vec![
            ("not masked", vec![0x81, 1, b'x'], 1002),
            ("rsv1", frame(0xC1, b"x", mask), 1002),
            ("reserved data opcode", frame(0x83, b"x", mask), 1002),
            ("reserved control opcode", frame(0x8B, b"x", mask), 1002),
            ("fragmented ping", frame(0x09, b"x", mask), 1002),
            ("long ping", frame(0x89, &[0; 126], mask), 1002),
            ("stray continuation", frame(0x80, b"x", mask), 1002),
            ("message in a message", two(frame(0x01, b"x", mask), frame(0x81, b"x", mask)), 1002),
            ("close of one byte", frame(0x88, b"x", mask), 1002),
            ("close code 1005", frame(0x88, &1005u16.to_be_bytes(), mask), 1002),
            ("close reason", frame(0x88, &[3, 232, 0xFF], mask), 1007),
            ("text", frame(0x81, &[0xFF], mask), 1007),
            ("text that ends early", frame(0x81, &[0xC3], mask), 1007),
            ("too long", frame(0x82, &vec![0; LIMIT + 1], mask), 1009),
            ("fragments too long", two(frame(0x02, &vec![0; LIMIT], mask), frame(0x80, b"x", mask)), 1009),
        ];
        for (name, wire, code) in cases {
            assert_eq!(decode(&wire, usize::MAX).1.map(Violation::close_code), Some(code), "{name}");
        }
        assert_eq!(decode(&frame(0x82, &vec![0; LIMIT], mask), usize::MAX).1, None);
    }

    /// REQ-WS-007: the verdict does not wait for the end of the frame.
    #[test]
    fn broken_text_is_found_before_its_frame_ends() {
        let wire = frame(0x81, b"\xCE\xBA\xE1\xF4\x90\x80\x80 and so on", [0; 4]);
        assert_eq!(decode(&wire[..12], 3).1, Some(Violation::NotUtf8));
    }
}
