//! Frames (RFC 6455 5.2), in both directions, right ones and on purpose wrong ones.

use bytes::{Buf, BytesMut};

/// The longest payload that is read: 64 MiB. More is an error, not memory.
const LONGEST: u64 = 64 << 20;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Opcode(pub u8);

impl Opcode {
    /// A fragment that is not the first.
    pub const CONTINUATION: Self = Self(0);
    /// Text.
    pub const TEXT: Self = Self(1);
    /// Bytes.
    pub const BINARY: Self = Self(2);
    /// The begin or the reply of the close handshake.
    pub const CLOSE: Self = Self(8);
    /// To be answered.
    pub const PING: Self = Self(9);
    /// The answer.
    pub const PONG: Self = Self(10);
}

/// A frame, whatever its bits say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The last of its message.
    pub fin: bool,
    /// The three reserved bits, 0 to 7.
    pub rsv: u8,
    /// What it is.
    pub opcode: Opcode,
    /// Its payload, without mask.
    pub payload: Vec<u8>,
}

/// Whose frames are decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// A client's, which are masked.
    Client,
    /// A server's, which are not.
    Server,
}

/// What is wrong with a frame that was received.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// RFC 6455 5.1.
    #[error("a frame of a server is masked, or one of a client is not")]
    Mask,
    /// RFC 6455 5.2: nothing was negotiated that gives them a meaning.
    #[error("reserved bits are set")]
    Rsv,
    /// RFC 6455 5.2.
    #[error("the length is not in its shortest form")]
    Length,
    /// RFC 6455 5.2.
    #[error("opcode {0} is reserved")]
    Opcode(u8),
    /// RFC 6455 5.5.
    #[error("a control frame is fragmented or longer than 125 bytes")]
    Control,
    /// More than this crate reads.
    #[error("a frame of {0} bytes is more than is read")]
    TooLong(u64),
}

impl Frame {
    /// A whole frame.
    pub fn new(opcode: Opcode, payload: impl Into<Vec<u8>>) -> Self {
        Self { fin: true, rsv: 0, opcode, payload: payload.into() }
    }

    /// A Close frame. Without a code it is empty.
    pub fn close(code: Option<u16>) -> Self {
        Self::new(Opcode::CLOSE, code.map(|code| code.to_be_bytes().to_vec()).unwrap_or_default())
    }

    /// The code of a Close frame.
    pub fn close_code(&self) -> Option<u16> {
        Some(u16::from_be_bytes([*self.payload.first()?, *self.payload.get(1)?]))
    }

    /// A message as `pieces` frames, at least one.
    pub fn message(opcode: Opcode, payload: &[u8], pieces: u8) -> Vec<Self> {
        let pieces = usize::from(pieces.max(1));
        let size = payload.len().div_ceil(pieces).max(1);
        let mut parts: Vec<&[u8]> = payload.chunks(size).collect();
        // More pieces than bytes: the rest is empty.
        parts.resize(pieces, &[]);
        let last = pieces - 1;
        let frame = |(i, part): (usize, &[u8])| Self {
            fin: i == last,
            rsv: 0,
            opcode: if i == 0 { opcode } else { Opcode::CONTINUATION },
            payload: part.to_vec(),
        };
        parts.into_iter().enumerate().map(frame).collect()
    }

    /// Appends the bytes, with a mask if a client sends them.
    pub fn encode(&self, mask: Option<[u8; 4]>, to: &mut Vec<u8>) {
        to.push(u8::from(self.fin) << 7 | self.rsv << 4 | self.opcode.0);
        let mask_bit = u8::from(mask.is_some()) << 7;
        match self.payload.len() {
            short @ ..=125 => to.push(mask_bit | short as u8),
            medium @ ..=0xffff => {
                to.push(mask_bit | 126);
                to.extend_from_slice(&(medium as u16).to_be_bytes());
            }
            long => {
                to.push(mask_bit | 127);
                to.extend_from_slice(&(long as u64).to_be_bytes());
            }
        }
        let Some(mask) = mask else { return to.extend_from_slice(&self.payload) };
        to.extend_from_slice(&mask);
        to.extend(self.payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    }
}

/// Takes bytes in and gives frames out.
#[derive(Debug)]
pub struct Decoder {
    side: Side,
    buffer: BytesMut,
}

impl Decoder {
    /// One for what `side` sends; `first` are bytes that were read already.
    pub fn new(side: Side, first: &[u8]) -> Self {
        Self { side, buffer: first.into() }
    }

    /// Where to read more bytes to.
    pub fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// The next frame that is whole.
    ///
    /// # Errors
    /// What its sender did wrong; the decoder cannot go on then.
    pub fn frame(&mut self) -> Result<Option<Frame>, FrameError> {
        let [first, second, rest @ ..] = &self.buffer[..] else { return Ok(None) };
        let (first, masked, short) = (*first, second & 0x80 != 0, second & 0x7f);
        let extra = match short {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let Some(long) = rest.get(..extra) else { return Ok(None) };
        let long = long.iter().fold(0_u64, |sum, &byte| sum << 8 | u64::from(byte));
        let length = if extra == 0 { u64::from(short) } else { long };
        let least = [0, 126, 0x1_0000][[0, 2, 8].iter().position(|&e| e == extra).unwrap_or(0)];
        let opcode = Opcode(first & 0x0f);
        let is_control = opcode.0 >= 8;
        match () {
            () if masked != (self.side == Side::Client) => return Err(FrameError::Mask),
            () if first & 0x70 != 0 => return Err(FrameError::Rsv),
            () if !matches!(opcode.0, 0..=2 | 8..=10) => return Err(FrameError::Opcode(opcode.0)),
            () if length < least => return Err(FrameError::Length),
            () if is_control && (length > 125 || first & 0x80 == 0) => return Err(FrameError::Control),
            () if length > LONGEST => return Err(FrameError::TooLong(length)),
            () => {}
        }
        let head = 2 + extra + if masked { 4 } else { 0 };
        let length = length as usize;
        if self.buffer.len() < head + length {
            return Ok(None);
        }
        let mask = masked.then(|| self.buffer[head - 4..head].to_vec());
        self.buffer.advance(head);
        let mut payload = self.buffer.split_to(length).to_vec();
        if let Some(mask) = mask {
            payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
        }
        Ok(Some(Frame { fin: first & 0x80 != 0, rsv: 0, opcode, payload }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(side: Side, bytes: &[u8]) -> Result<Option<Frame>, FrameError> {
        Decoder::new(side, bytes).frame()
    }

    #[test]
    fn frames_of_every_length_form_come_back() {
        for length in [0, 1, 125, 126, 127, 0xffff, 0x1_0000] {
            for (side, mask) in [(Side::Server, None), (Side::Client, Some([1, 2, 3, 4]))] {
                let frame = Frame::new(Opcode::BINARY, vec![7; length]);
                let mut bytes = Vec::new();
                frame.encode(mask, &mut bytes);
                assert_eq!(decode(side, &bytes[..bytes.len() - 1]), Ok(None));
                assert_eq!(decode(side, &bytes), Ok(Some(frame)));
            }
        }
    }

    /// The examples of RFC 6455 5.7.
    #[test]
    fn the_examples_of_the_rfc_are_read() {
        let hello = Frame::new(Opcode::TEXT, "Hello");
        assert_eq!(decode(Side::Server, b"\x81\x05Hello"), Ok(Some(hello.clone())));
        let masked = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
        assert_eq!(decode(Side::Client, &masked), Ok(Some(hello)));
    }

    /// REQ-WS-012
    #[test]
    fn what_a_server_may_not_send_is_told() {
        for (bytes, error) in [
            (&b"\x81\x85abcdefghi"[..], FrameError::Mask),
            (b"\xc1\x00", FrameError::Rsv),
            (b"\x83\x00", FrameError::Opcode(3)),
            (b"\x81\x7e\x00\x05Hello", FrameError::Length),
            (b"\x09\x00", FrameError::Control),
            (b"\x81\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", FrameError::TooLong(0x7fff_ffff_ffff_ffff)),
        ] {
            assert_eq!(decode(Side::Server, bytes), Err(error));
        }
    }

    #[test]
    fn a_message_in_pieces_is_whole_at_its_last() {
        let frames = Frame::message(Opcode::TEXT, b"abcde", 3);
        let shape: Vec<_> = frames.iter().map(|f| (f.fin, f.opcode.0, f.payload.len())).collect();
        assert_eq!(shape, [(false, 1, 2), (false, 0, 2), (true, 0, 1)]);
        assert_eq!(Frame::message(Opcode::TEXT, b"", 2).len(), 2);
        assert_eq!(Frame::message(Opcode::TEXT, b"a", 1), [Frame::new(Opcode::TEXT, "a")]);
    }
}
