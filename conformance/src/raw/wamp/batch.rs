//! Several messages in one (WAMP, Batched WebSocket Transport).

use super::Serialization;

/// What ends each message of a batch in JSON.
const END: u8 = 0x18;

/// Several messages in one of the transport.
#[derive(Clone, Copy, Debug)]
pub struct Batch;

impl Batch {
    /// Messages as one: in JSON each has the byte 0x18 behind it, in the others its length of four bytes before it.
    pub fn join(serialization: Serialization, messages: &[Vec<u8>]) -> Vec<u8> {
        let mut all = Vec::new();
        for message in messages {
            if serialization.is_text() {
                all.extend_from_slice(message);
                all.push(END);
            } else {
                all.extend((message.len() as u32).to_be_bytes());
                all.extend_from_slice(message);
            }
        }
        all
    }

    /// The messages of a batch; none, if it is none.
    pub fn split(serialization: Serialization, mut bytes: &[u8]) -> Option<Vec<&[u8]>> {
        let mut messages = Vec::new();
        while !bytes.is_empty() {
            let (message, rest) = if serialization.is_text() {
                let end = bytes.iter().position(|byte| *byte == END)?;
                (&bytes[..end], &bytes[end + 1..])
            } else {
                let (length, rest) = bytes.split_first_chunk::<4>()?;
                rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?
            };
            messages.push(message);
            bytes = rest;
        }
        Some(messages)
    }
}
