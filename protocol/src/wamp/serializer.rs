//! The three serializers and their names.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::walk::Skip;
use super::{DecodeError, EncodeError, Limits, transcode};

/// How the messages of a session are written (WAMP 2.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Serializer {
    /// JSON, in text frames.
    Json,
    /// `MessagePack` version 5, in binary frames.
    MsgPack,
    /// CBOR (RFC 8949), in binary frames.
    Cbor,
}

impl Serializer {
    /// All of them.
    pub const ALL: [Serializer; 3] = [Serializer::Json, Serializer::MsgPack, Serializer::Cbor];

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
        match self {
            Serializer::Json => "json",
            Serializer::MsgPack => "msgpack",
            Serializer::Cbor => "cbor",
        }
    }

    /// Whether messages go as text frames over a WebSocket; else as binary ones.
    pub const fn is_text(self) -> bool {
        matches!(self, Serializer::Json)
    }

    /// The WebSocket subprotocol: `wamp.2.json`, or `wamp.2.json.batched` for the batched form.
    pub const fn subprotocol(self, batched: bool) -> &'static str {
        match (self, batched) {
            (Serializer::Json, false) => "wamp.2.json",
            (Serializer::Json, true) => "wamp.2.json.batched",
            (Serializer::MsgPack, false) => "wamp.2.msgpack",
            (Serializer::MsgPack, true) => "wamp.2.msgpack.batched",
            (Serializer::Cbor, false) => "wamp.2.cbor",
            (Serializer::Cbor, true) => "wamp.2.cbor.batched",
        }
    }

    /// The number in a rawsocket handshake: 1, 2 or 3 (WAMP 14.1).
    pub const fn rawsocket(self) -> u8 {
        match self {
            Serializer::Json => 1,
            Serializer::MsgPack => 2,
            Serializer::Cbor => 3,
        }
    }

    /// Writes any serde value. For a [`Value`](super::Value) or [`Dict`](super::Dict) their own `encode` is faster,
    /// exact for all integers, and cannot fail. Bytes of other types become in JSON what `serde_json` makes of them:
    /// a list of numbers.
    pub fn encode<T: Serialize + ?Sized>(self, value: &T) -> Result<Vec<u8>, EncodeError> {
        let unsupported = |reason: String| EncodeError::Unsupported { serializer: self.as_str(), reason };
        match self {
            Serializer::Json => serde_json::to_vec(value).map_err(|error| unsupported(error.to_string())),
            Serializer::MsgPack => {
                rmp_serde::to_vec_named(value).map_err(|error| unsupported(error.to_string()))
            }
            // There is no library for CBOR that keeps null and the empty list apart, and is alive.
            Serializer::Cbor => {
                let packed = Serializer::MsgPack.encode(value)?;
                transcode::transcode(Serializer::MsgPack, self, &packed)
                    .map_err(|error| unsupported(error.to_string()))
            }
        }
    }

    /// Reads any serde value from bytes that may come from anyone: they are checked against [`Limits::default`]
    /// before the library sees them. CBOR tags are dropped; a `MessagePack` extension has no type in serde and is
    /// refused, [`Value::decode`](super::Value::decode) reads it as binary.
    pub fn decode<T: DeserializeOwned>(self, bytes: &[u8]) -> Result<T, DecodeError> {
        let limits = Limits::default();
        let wrong = |reason: String| DecodeError::Type { reason };
        self.check(bytes, &limits)?;
        match self {
            Serializer::Json => serde_json::from_slice(bytes).map_err(|error| wrong(error.to_string())),
            Serializer::MsgPack => rmp_serde::from_slice(bytes).map_err(|error| wrong(error.to_string())),
            Serializer::Cbor => {
                let packed = transcode::transcode(self, Serializer::MsgPack, bytes)?;
                rmp_serde::from_slice(&packed).map_err(|error| wrong(error.to_string()))
            }
        }
    }

    /// Checks that `bytes` are exactly one well-formed value within `limits`.
    pub fn check(self, bytes: &[u8], limits: &Limits) -> Result<(), DecodeError> {
        transcode::walk(self, bytes, limits, &mut Skip)
    }
}

impl fmt::Display for Serializer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
