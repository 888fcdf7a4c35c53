//! The header of a frame from the broker (RFC 6455 5.2): final, unmasked, no extension.

use tungstenite::protocol::frame::coding::OpCode;

/// The longest one: two bytes, and an eight byte length.
const LONGEST: usize = 10;

/// A header, made where it is needed: that costs less than keeping it.
pub(super) struct Header {
    bytes: [u8; LONGEST],
    len: u8,
}

impl Header {
    pub(super) fn new(opcode: OpCode, payload: usize) -> Self {
        let mut bytes = [0; LONGEST];
        bytes[0] = 0x80 | u8::from(opcode);
        let len = match payload {
            0..=125 => {
                bytes[1] = payload as u8;
                2
            }
            126..=0xFFFF => {
                bytes[1] = 126;
                bytes[2..4].copy_from_slice(&(payload as u16).to_be_bytes());
                4
            }
            _ => {
                bytes[1] = 127;
                bytes[2..10].copy_from_slice(&(payload as u64).to_be_bytes());
                10
            }
        };
        Self { bytes, len }
    }

    pub(super) fn len(&self) -> usize {
        usize::from(self.len)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tungstenite::protocol::frame::FrameHeader;
    use tungstenite::protocol::frame::coding::Data;

    /// Against the library's own encoder.
    #[test]
    fn headers_are_those_of_the_library() {
        for payload in [0, 1, 125, 126, 127, 255, 256, 65_535, 65_536, 1 << 32] {
            let opcode = OpCode::Data(Data::Text);
            let model = FrameHeader { opcode, mask: None, ..FrameHeader::default() };
            let mut expected = Vec::new();
            model.format(payload as u64, &mut expected).expect("a Vec takes any write");
            assert_eq!(Header::new(opcode, payload).bytes(), expected, "{payload}");
        }
    }
}
