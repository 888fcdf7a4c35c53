//! The client's half of RFC 6455 framing: masked frames out, unmasked frames in. Nothing is allocated for a
//! received frame, so that reading costs less than the server spends on sending.

use crate::error::LoadError;

/// The opcodes of RFC 6455 11.8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opcode {
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

/// One received frame, borrowed from the read buffer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) opcode: Opcode,
    pub(crate) payload: &'a [u8],
}

impl Frame<'_> {
    /// The code of a close frame; `None` when it carries none (RFC 6455 5.5.1).
    pub(crate) fn close_code(&self) -> Option<u16> {
        self.payload.first_chunk().map(|code| u16::from_be_bytes(*code))
    }
}

/// Appends one masked, unfragmented frame to `out`.
pub(crate) fn encode(out: &mut Vec<u8>, opcode: Opcode, mask: [u8; 4], payload: &[u8]) {
    const FIN: u8 = 0x80;
    // The mask bit is set beside each form of the length.
    const MASKED: u8 = 0x80;
    out.push(FIN | opcode as u8);
    match payload.len() {
        short @ 0..=125 => out.push(MASKED + short as u8),
        medium @ 126..=0xffff => {
            out.push(MASKED + 126);
            out.extend_from_slice(&(medium as u16).to_be_bytes());
        }
        long => {
            out.push(MASKED + 127);
            out.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&mask);
    let start = out.len();
    out.extend_from_slice(payload);
    for chunk in out[start..].chunks_mut(4) {
        for (byte, key) in chunk.iter_mut().zip(mask) {
            *byte ^= key;
        }
    }
}

/// Takes the first frame off `bytes`: the frame and its whole length, or `None` when it is not complete yet.
pub(crate) fn decode(bytes: &[u8]) -> Result<Option<(Frame<'_>, usize)>, LoadError> {
    let [first, second, ..] = *bytes else { return Ok(None) };
    if first & 0xf0 != 0x80 {
        return Err(LoadError::Wire("a fragment or a reserved bit"));
    }
    if second & 0x80 != 0 {
        return Err(LoadError::Wire("a masked frame"));
    }
    let opcode = match first & 0x0f {
        1 => Opcode::Text,
        2 => Opcode::Binary,
        8 => Opcode::Close,
        9 => Opcode::Ping,
        10 => Opcode::Pong,
        _ => return Err(LoadError::Wire("a reserved opcode")),
    };
    let Some((head, length)) = payload_length(&bytes[2..], second) else { return Ok(None) };
    let start = 2 + head;
    match bytes.get(start..start.saturating_add(length)) {
        Some(payload) => Ok(Some((Frame { opcode, payload }, start + length))),
        None => Ok(None),
    }
}

/// The size of the extended length field and the length it says (RFC 6455 5.2).
fn payload_length(bytes: &[u8], second: u8) -> Option<(usize, usize)> {
    match second & 0x7f {
        126 => bytes.first_chunk().map(|length| (2, usize::from(u16::from_be_bytes(*length)))),
        127 => bytes.first_chunk().map(|length| (8, u64::from_be_bytes(*length) as usize)),
        short => Some((0, usize::from(short))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a server would send: the same frame without a mask.
    fn unmasked(opcode: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x80 | opcode];
        match payload.len() {
            short @ 0..=125 => bytes.push(short as u8),
            medium @ 126..=0xffff => {
                bytes.push(126);
                bytes.extend((medium as u16).to_be_bytes());
            }
            long => {
                bytes.push(127);
                bytes.extend((long as u64).to_be_bytes());
            }
        }
        bytes.extend(payload);
        bytes
    }

    #[test]
    fn frames_of_every_length_form_are_read_back() {
        for length in [0, 1, 125, 126, 127, 0xffff, 0x1_0000] {
            let payload = vec![b'x'; length];
            let bytes = unmasked(1, &payload);
            let (frame, used) = decode(&bytes).unwrap().unwrap();
            assert_eq!(frame, Frame { opcode: Opcode::Text, payload: &payload });
            assert_eq!(used, bytes.len());
        }
    }

    #[test]
    fn a_frame_cut_anywhere_is_incomplete_and_never_wrong() {
        let bytes = unmasked(2, &[7; 200]);
        for cut in 0..bytes.len() {
            assert_eq!(decode(&bytes[..cut]).unwrap(), None, "cut at {cut}");
        }
    }

    #[test]
    fn the_example_of_the_rfc_is_encoded() {
        // RFC 6455 5.7: a single-frame masked text message "Hello".
        let mut out = Vec::new();
        encode(&mut out, Opcode::Text, [0x37, 0xfa, 0x21, 0x3d], b"Hello");
        assert_eq!(out, [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]);
    }

    #[test]
    fn long_frames_are_encoded_with_their_length_forms() {
        let mut out = Vec::new();
        encode(&mut out, Opcode::Binary, [0; 4], &[0; 126]);
        assert_eq!(out[..4], [0x82, 0xfe, 0, 126]);
        out.clear();
        encode(&mut out, Opcode::Binary, [0; 4], &vec![0; 0x1_0000]);
        assert_eq!(out[..10], [0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0]);
    }

    #[test]
    fn what_is_no_plain_server_frame_is_refused() {
        for bytes in [[0x01, 0], [0xc1, 0], [0x81, 0x80], [0x83, 0]] {
            assert!(decode(&bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn the_close_code_is_read() {
        assert_eq!(Frame { opcode: Opcode::Close, payload: &[0x0c, 0x1c, b'x'] }.close_code(), Some(3100));
        assert_eq!(Frame { opcode: Opcode::Close, payload: &[] }.close_code(), None);
    }
}
