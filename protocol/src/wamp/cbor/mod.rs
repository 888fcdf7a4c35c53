//! CBOR (RFC 8949).

mod reader;
mod writer;

pub(crate) use reader::Reader;
pub(crate) use writer::{Writer, list_header};

/// See [`Serializer::as_str`](super::Serializer::as_str).
pub(crate) const NAME: &str = "cbor";
/// See [`Serializer::subprotocol`](super::Serializer::subprotocol): the plain one and the batched one.
pub(crate) const SUBPROTOCOLS: [&str; 2] = ["wamp.2.cbor", "wamp.2.cbor.batched"];
/// See [`Serializer::rawsocket`](super::Serializer::rawsocket).
pub(crate) const RAWSOCKET: u8 = 3;
/// The usual empty dict.
pub(crate) const EMPTY_DICT: &[u8] = b"\xA0";

// The major types (RFC 8949 3.1).
const UNSIGNED: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const LIST: u8 = 4;
const DICT: u8 = 5;
const TAG: u8 = 6;

// The tags of integers beyond 64 bits (RFC 8949 3.4.3).
const BIG: u64 = 2;
const NEGATIVE_BIG: u64 = 3;

/// The text that checked CBOR holds, unless it is tagged or in chunks.
pub(crate) fn plain_text(raw: &[u8]) -> Option<&str> {
    let header = match raw.first()? {
        0x60..=0x77 => 1,
        0x78 => 2,
        0x79 => 3,
        0x7A => 5,
        0x7B => 9,
        _ => return None,
    };
    std::str::from_utf8(raw.get(header..)?).ok()
}
