//! Frames of rawsocket (WAMP, Raw Socket Transport).

/// What its handshakes begin with.
pub const MAGIC: u8 = 0x7f;
/// A frame that is a message.
pub const MESSAGE: u8 = 0;
/// A frame to be answered by its payload.
pub const PING: u8 = 1;
/// The answer.
pub const PONG: u8 = 2;

/// Appends a frame: its type, its length in three bytes, its payload.
pub fn put(kind: u8, payload: &[u8], to: &mut Vec<u8>) {
    to.push(kind);
    to.extend_from_slice(&(payload.len() as u32).to_be_bytes()[1..]);
    to.extend_from_slice(payload);
}

/// Takes the next frame that is whole: its first byte and its payload.
pub fn take(bytes: &mut Vec<u8>) -> Option<(u8, Vec<u8>)> {
    let head = bytes.first_chunk::<4>()?;
    let length = u32::from_be_bytes([0, head[1], head[2], head[3]]) as usize;
    let kind = head[0];
    if bytes.len() < 4 + length {
        return None;
    }
    let rest = bytes.split_off(4 + length);
    let payload = bytes.split_off(4);
    *bytes = rest;
    Some((kind, payload))
}

/// The longest message that a handshake's length stands for, in bytes: 2^9 to 2^24.
pub fn longest(octet: u8) -> usize {
    1 << (9 + u32::from(octet >> 4))
}
