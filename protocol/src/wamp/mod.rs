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
mod big;
pub mod bridge;
mod build;
mod cbor;
mod codec;
mod cursor;
pub mod envelope;
mod error;
mod json;
mod late;
pub mod message;
mod msgpack;
mod payload;
pub mod rawsocket;
mod serializer;
pub mod transcode;
pub mod uri;
mod value;
mod value_serde;
mod walk;

pub use codec::MAX_ID;
pub use envelope::Parts;
pub use error::{DecodeError, EncodeError, Limits};
pub use message::Message;
pub use payload::Payload;
pub use serializer::Serializer;
pub use value::{Dict, Value, WrongType};
pub use walk::Shape;
