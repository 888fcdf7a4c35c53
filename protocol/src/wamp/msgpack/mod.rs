//! `MessagePack`, version 5 of its specification.

mod reader;
mod writer;

pub(crate) use reader::Reader;
pub(crate) use writer::{Writer, list_header};

/// See [`Serializer::as_str`](super::Serializer::as_str).
pub(crate) const NAME: &str = "msgpack";
/// See [`Serializer::subprotocol`](super::Serializer::subprotocol): the plain one and the batched one.
pub(crate) const SUBPROTOCOLS: [&str; 2] = ["wamp.2.msgpack", "wamp.2.msgpack.batched"];
/// See [`Serializer::rawsocket`](super::Serializer::rawsocket).
pub(crate) const RAWSOCKET: u8 = 2;
/// The usual empty dict.
pub(crate) const EMPTY_DICT: &[u8] = b"\x80";

/// The text that checked `MessagePack` holds.
pub(crate) fn plain_text(raw: &[u8]) -> Option<&str> {
    let header = match raw.first()? {
        0xA0..=0xBF => 1,
        0xD9 => 2,
        0xDA => 3,
        0xDB => 5,
        _ => return None,
    };
    std::str::from_utf8(raw.get(header..)?).ok()
}
