//! WAMP as it goes over the wire: serializers, values, envelopes and payloads.
//!
//! A WAMP message is a list: a few short elements that a router reads, then `args` and `kwargs`, which it does not.
//! [`envelope::split`] finds the elements, so that a payload stays a range of the sender's bytes: it is checked
//! once (well-formed, UTF-8, bounded), forwarded as it is, and [`transcode`]d only for a receiver of another
//! serializer.
//!
//! **Invariant:** whatever `split` accepts can be decoded by any sound library and transcoded without an error, so
//! that no session's bytes become another session's trouble.

#[cfg(feature = "wamp-auth")]
pub mod auth;
pub mod batched;
#[cfg(feature = "cbor")]
mod big;
pub mod bridge;
mod build;
#[cfg(feature = "cbor")]
mod cbor;
mod codec;
#[cfg(any(feature = "msgpack", feature = "cbor"))]
mod cursor;
pub mod envelope;
pub(crate) mod error;
pub(crate) mod heard;
mod json;
#[cfg(any(feature = "msgpack", feature = "cbor"))]
mod late;
pub mod message;
#[cfg(feature = "msgpack")]
mod msgpack;
pub(crate) mod options;
pub mod outline;
mod payload;
mod pick;
mod raw_dict;
pub mod rawsocket;
mod serializer;
pub mod transcode;
#[cfg(feature = "serde")]
mod typed;
pub mod uri;
mod value;
#[cfg(feature = "serde")]
mod value_serde;
mod walk;

/// Evaluates `$does` with the module of `$serializer` as `$format`. All have the same items.
macro_rules! in_serializer {
    ($serializer:expr, $format:ident => $does:expr) => {
        match $serializer {
            $crate::wamp::Serializer::Json => {
                use $crate::wamp::json as $format;
                $does
            }
            #[cfg(feature = "msgpack")]
            $crate::wamp::Serializer::MsgPack => {
                use $crate::wamp::msgpack as $format;
                $does
            }
            #[cfg(feature = "cbor")]
            $crate::wamp::Serializer::Cbor => {
                use $crate::wamp::cbor as $format;
                $does
            }
        }
    };
}
use in_serializer;

pub use codec::MAX_ID;
pub use envelope::Parts;
pub use error::{DecodeError, EncodeError, Limits};
pub use message::Message;
pub use payload::Payload;
pub use raw_dict::RawDict;
pub use serializer::Serializer;
pub use value::{Dict, Value, WrongType};
pub use walk::Shape;
