//! The protocol core of Petasus: what the broker, the clients and the conformance harness agree on.
//!
//! * [`topic`]: a [`Topic`] is a list of segments with a slash form (`a/b`, mercury and mqtt) and a dot form
//!   (`a.b`, wamp), and the two convert into each other without loss.
//! * [`filter`]: a [`TopicFilter`] says which topics a subscription wants.
//! * [`origin`]: an [`OriginPolicy`] says which web pages may connect.
//! * [`message`]: a [`Message`] is payload bytes and their [`Kind`].
//! * [`mercury`]: an [`Endpoint`] is what a Mercury URL names.
//! * [`wamp`]: the messages of WAMP in JSON, `MessagePack` and CBOR.
//! * `websocket` (feature `websocket`): WebSocket frames, the handshake and POST of a client, as bytes.
//!
//! What a page's client can do without are features that are on by default: `msgpack`, `cbor`, `serde`, `mercury` (the
//! session's other wire) and `float-tables`.
//!
//! **Invariant:** nothing in here does input or output, reads a clock, draws random numbers or starts a thread.
//! The crate has no `unsafe` code and builds for `wasm32-unknown-unknown`.
//!
//! ```
//! use petasus_protocol::{Endpoint, Role, TopicFilter, TopicLimits};
//!
//! let limits = TopicLimits::default();
//! let sub = Endpoint::parse("/sub/news", &limits)?;
//! let publish = Endpoint::parse("/pub/news/sport", &limits)?;
//! assert_eq!(sub.role, Role::Sub);
//! assert!(TopicFilter::Tree(sub.topic).matches(&publish.topic));
//! # Ok::<(), petasus_protocol::EndpointError>(())
//! ```
#![forbid(unsafe_code)]

pub mod filter;
pub mod mercury;
pub mod message;
pub mod origin;
pub mod session;
pub mod topic;
pub mod wamp;
mod wamp_uri;
#[cfg(feature = "websocket")]
pub mod websocket;

pub use filter::{End, FilterError, MqttFilter, Step, TopicFilter, WampPrefix, WampWildcard};
pub use mercury::{Endpoint, EndpointError, PathError, Role, decode_path, encode_path};
pub use message::{Kind, Message, MessageError};
pub use origin::{OriginError, OriginMatch, OriginPattern, OriginPolicy};
pub use topic::{Topic, TopicError, TopicLimits};
