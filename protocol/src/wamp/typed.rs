//! Types of programs, by serde, as payloads and as values of a serializer.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

#[cfg(feature = "cbor")]
use super::transcode::transcode;
use super::walk::{Shape, Walk, check_only};
use super::{DecodeError, EncodeError, Limits, Payload, Serializer, in_serializer};

impl Serializer {
    /// Writes any serde value. For a [`Value`](super::Value) or [`Dict`](super::Dict) their own `encode` is faster,
    /// exact for all integers, and cannot fail. Bytes of other types become in JSON what `serde_json` makes of them:
    /// a list of numbers.
    pub fn encode<T: Serialize + ?Sized>(self, value: &T) -> Result<Vec<u8>, EncodeError> {
        let unsupported = |reason: String| EncodeError::Unsupported { serializer: self.as_str(), reason };
        match self {
            Serializer::Json => serde_json::to_vec(value).map_err(|error| unsupported(error.to_string())),
            #[cfg(feature = "msgpack")]
            Serializer::MsgPack => {
                rmp_serde::to_vec_named(value).map_err(|error| unsupported(error.to_string()))
            }
            // There is no library for CBOR that keeps null and the empty list apart, and is alive.
            #[cfg(feature = "cbor")]
            Serializer::Cbor => {
                let packed = Serializer::MsgPack.encode(value)?;
                transcode(Serializer::MsgPack, self, &packed).map_err(|error| unsupported(error.to_string()))
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
            #[cfg(feature = "msgpack")]
            Serializer::MsgPack => rmp_serde::from_slice(bytes).map_err(|error| wrong(error.to_string())),
            #[cfg(feature = "cbor")]
            Serializer::Cbor => {
                let packed = transcode(self, Serializer::MsgPack, bytes)?;
                rmp_serde::from_slice(&packed).map_err(|error| wrong(error.to_string()))
            }
        }
    }
}

impl Payload {
    /// Any serde values: `args` has to become a list, `kwargs` a dict with text keys. What becomes null (`None`)
    /// is absent.
    pub fn new<A, K>(serializer: Serializer, args: &A, kwargs: &K) -> Result<Payload, EncodeError>
    where
        A: Serialize + ?Sized,
        K: Serialize + ?Sized,
    {
        let args = Bytes::from(serializer.encode(args)?);
        let kwargs = Bytes::from(serializer.encode(kwargs)?);
        let args = match shape(serializer, &args) {
            Some(Shape::Null) => None,
            Some(Shape::List) => Some(args),
            _ => return Err(EncodeError::Shape { part: "args", wanted: "a list" }),
        };
        let kwargs = match shape(serializer, &kwargs) {
            Some(Shape::Null) => None,
            Some(Shape::Dict) => Some(kwargs),
            _ => return Err(EncodeError::Shape { part: "kwargs", wanted: "a dict with text keys" }),
        };
        Ok(Payload { serializer, args, kwargs })
    }

    /// Any serde values as the only positional arguments: see [`Payload::new`].
    pub fn of_args<A: Serialize + ?Sized>(serializer: Serializer, args: &A) -> Result<Payload, EncodeError> {
        Payload::new(serializer, args, &None::<bool>)
    }

    /// The positional arguments as a serde type, such as a tuple; absent ones as the empty list.
    pub fn decode_args<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        match &self.args {
            Some(args) => self.serializer.decode(args),
            None => Serializer::Json.decode(b"[]"),
        }
    }

    /// The keyword arguments as a serde type, such as a struct; absent ones as the empty dict.
    pub fn decode_kwargs<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        match &self.kwargs {
            Some(kwargs) => self.serializer.decode(kwargs),
            None => Serializer::Json.decode(b"{}"),
        }
    }
}

/// The type of the value that `bytes` are, if they are one.
fn shape(serializer: Serializer, bytes: &[u8]) -> Option<Shape> {
    in_serializer!(serializer, format => {
        format::Reader::new(bytes, Limits::MAX_DEPTH).ok()?.walk(&mut check_only()).ok()
    })
}
