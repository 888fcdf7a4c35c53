//! The three serializers and their names.

use std::fmt;

use super::walk::check_only;
use super::{DecodeError, Limits, in_serializer, transcode};

/// How the messages of a session are written (WAMP 2.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Serializer {
    /// JSON, in text frames.
    Json,
    /// `MessagePack` version 5, in binary frames (feature `msgpack`).
    #[cfg(feature = "msgpack")]
    MsgPack,
    /// CBOR (RFC 8949), in binary frames (feature `cbor`).
    #[cfg(feature = "cbor")]
    Cbor,
}

impl Serializer {
    /// All of them.
    pub const ALL: [Serializer; Self::COUNT] = [
        Serializer::Json,
        #[cfg(feature = "msgpack")]
        Serializer::MsgPack,
        #[cfg(feature = "cbor")]
        Serializer::Cbor,
    ];

    const COUNT: usize = 1 + cfg!(feature = "msgpack") as usize + cfg!(feature = "cbor") as usize;

    /// The serializer of a WebSocket subprotocol, and whether its batched form is meant (WAMP 13.4, 14.3).
    pub fn from_subprotocol(name: &str) -> Option<(Serializer, bool)> {
        Self::ALL.into_iter().find_map(|serializer| {
            [false, true]
                .into_iter()
                .find(|&batched| serializer.subprotocol(batched) == name)
                .map(|batched| (serializer, batched))
        })
    }

    /// The serializer of a rawsocket handshake (WAMP 14.1), 0 to 15.
    pub fn from_rawsocket(number: u8) -> Option<Serializer> {
        Self::ALL.into_iter().find(|serializer| serializer.rawsocket() == number)
    }

    /// The name: `json`, `msgpack` or `cbor`.
    pub const fn as_str(self) -> &'static str {
        in_serializer!(self, format => format::NAME)
    }

    /// Whether messages go as text frames over a WebSocket; else as binary ones.
    pub const fn is_text(self) -> bool {
        matches!(self, Serializer::Json)
    }

    /// The WebSocket subprotocol: `wamp.2.json`, or `wamp.2.json.batched` for the batched form.
    pub const fn subprotocol(self, batched: bool) -> &'static str {
        in_serializer!(self, format => format::SUBPROTOCOLS[batched as usize])
    }

    /// The number in a rawsocket handshake: 1, 2 or 3 (WAMP 14.1).
    pub const fn rawsocket(self) -> u8 {
        in_serializer!(self, format => format::RAWSOCKET)
    }

    /// Checks that `bytes` are exactly one well-formed value within `limits`.
    pub fn check(self, bytes: &[u8], limits: &Limits) -> Result<(), DecodeError> {
        transcode::walk(self, bytes, limits, &mut check_only()).map(|_| ())
    }
}

impl fmt::Display for Serializer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
