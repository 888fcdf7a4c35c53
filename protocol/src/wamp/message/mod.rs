//! The messages of the Basic and the Advanced Profile, each a struct with a field per element.
//!
//! All three families are described in the same way: [`session`], [`pubsub`], [`rpc`].
//!
//! ```
//! use bytes::Bytes;
//! use petasus_protocol::wamp::{Limits, Message, Serializer};
//!
//! let bytes = Bytes::from_static(br#"[16, 7, {}, "com.example.topic", ["hello"]]"#);
//! let Message::Publish(publish) = Message::decode(Serializer::Json, &bytes, &Limits::default())? else {
//!     panic!("16 is PUBLISH");
//! };
//! assert_eq!((publish.request, publish.topic.as_str()), (7, "com.example.topic"));
//! assert_eq!(publish.payload.args.as_deref(), Some(&br#"["hello"]"#[..]));
//! # Ok::<(), petasus_protocol::wamp::DecodeError>(())
//! ```
//!
//! What decoding checks: the number of elements, and the type of each (WAMP, "No Polymorphism"). More elements than
//! a message has are refused; `null` for `args` or `kwargs` is taken as absent, and never written. What it leaves to
//! its user: who may send which message when, URIs, and what options and details hold (unknown keys are to be
//! ignored, so they are kept as they are).

use bytes::Bytes;

pub(crate) use super::codec::Wire;
use super::codec::{Kind, Reader, write_all};
use super::error::words;
use super::{DecodeError, Limits, Serializer, envelope};

pub mod pubsub;
pub mod rpc;
pub mod session;

pub use pubsub::{Event, Publish, Published, Subscribe, Subscribed, Unsubscribe, Unsubscribed, encode_event};
pub use rpc::{
    Call, CallResult, Cancel, Interrupt, Invocation, Register, Registered, Unregister, Unregistered, Yield,
};
pub use session::{Abort, Authenticate, Challenge, Error, Goodbye, Hello, Welcome};

/// Describes a message once: `Name = code "NAME" { field: Type as Kind, ... }`, the kinds being those of
/// [`codec`](super::codec).
macro_rules! message {
    (
        $(#[$doc:meta])*
        $name:ident = $code:literal $label:literal {
            $($(#[$field_doc:meta])* $field:ident: $type:ty as $kind:ident,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
        }

        impl $name {
            /// The message type.
            pub const CODE: u64 = $code;
            /// The name that the specification gives it.
            pub const NAME: &'static str = $label;
        }

        impl $crate::wamp::codec::Wire for $name {
            const FIELDS: &'static [$crate::wamp::codec::Kind] = &[$($kind::KIND,)*];

            fn read(
                reader: &mut $crate::wamp::codec::Reader<'_, '_>,
            ) -> Result<Self, $crate::wamp::DecodeError> {
                Ok($name { $($field: reader.field::<$kind>()?,)* })
            }

            fn elements(&self) -> usize {
                1 $(+ $kind::elements(&self.$field))*
            }

            fn size(&self) -> usize {
                8 $(+ $kind::size(&self.$field))*
            }

            fn write(&self, writer: &mut $crate::wamp::envelope::Writer<'_>) {
                writer.unsigned(Self::CODE);
                $($kind::write(&self.$field, writer);)*
            }
        }
    };
}
use message;

/// A sum of messages, from the list of their structs.
macro_rules! sum {
    ($(#[$doc:meta])* $visibility:vis enum $sum:ident { $($variant:ident($name:ident),)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        $visibility enum $sum {
            $($variant($name),)*
        }

        impl $sum {
            /// Reads one of these messages. An error that is not about size is a protocol violation:
            /// ABORT with [`PROTOCOL_VIOLATION`](super::uri::error::PROTOCOL_VIOLATION).
            $visibility fn decode(
                serializer: Serializer,
                bytes: &Bytes,
                limits: &Limits,
            ) -> Result<$sum, DecodeError> {
                let parts = envelope::split(serializer, bytes, limits)?;
                match parts.unsigned(0).ok_or(DecodeError::NotAMessage)? {
                    $($name::CODE => Reader::read_all(&parts, $name::NAME).map($sum::$variant),)*
                    code => Err(DecodeError::UnknownType { code }),
                }
            }
        }
    };
}

/// The messages that a router sends to a client: type, name, and what the elements are.
pub(crate) const FROM_ROUTER: [(u64, &str, &[Kind]); 14] = [
    (Welcome::CODE, words(Welcome::NAME), Welcome::FIELDS),
    (Abort::CODE, words(Abort::NAME), Abort::FIELDS),
    (Challenge::CODE, words(Challenge::NAME), Challenge::FIELDS),
    (Goodbye::CODE, words(Goodbye::NAME), Goodbye::FIELDS),
    (Error::CODE, words(Error::NAME), Error::FIELDS),
    (Published::CODE, words(Published::NAME), Published::FIELDS),
    (Subscribed::CODE, words(Subscribed::NAME), Subscribed::FIELDS),
    (Unsubscribed::CODE, words(Unsubscribed::NAME), Unsubscribed::FIELDS),
    (Event::CODE, words(Event::NAME), Event::FIELDS),
    (CallResult::CODE, words(CallResult::NAME), CallResult::FIELDS),
    (Registered::CODE, words(Registered::NAME), Registered::FIELDS),
    (Unregistered::CODE, words(Unregistered::NAME), Unregistered::FIELDS),
    (Invocation::CODE, words(Invocation::NAME), Invocation::FIELDS),
    (Interrupt::CODE, words(Interrupt::NAME), Interrupt::FIELDS),
];

/// The sum of all messages, from the list of their structs.
macro_rules! messages {
    ($($variant:ident($name:ident),)*) => {
        sum! {
            /// Any message, whoever may send it.
            #[expect(missing_docs, reason = "each variant is the struct that it holds")]
            pub enum Message {
                $($variant($name),)*
            }
        }

        impl Message {
            /// Writes the message behind what is in `out`.
            pub fn encode_into(&self, serializer: Serializer, out: &mut Vec<u8>) {
                match self {
                    $(Message::$variant(message) => write_all(message, serializer, out),)*
                }
            }

            /// The message type.
            pub const fn code(&self) -> u64 {
                match self {
                    $(Message::$variant(_) => $name::CODE,)*
                }
            }

            /// The name that the specification gives it.
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Message::$variant(_) => $name::NAME,)*
                }
            }
        }

        $(
            impl From<$name> for Message {
                fn from(message: $name) -> Message {
                    Message::$variant(message)
                }
            }
        )*
    };
}

messages! {
    Hello(Hello),
    Welcome(Welcome),
    Abort(Abort),
    Challenge(Challenge),
    Authenticate(Authenticate),
    Goodbye(Goodbye),
    Error(Error),
    Publish(Publish),
    Published(Published),
    Subscribe(Subscribe),
    Subscribed(Subscribed),
    Unsubscribe(Unsubscribe),
    Unsubscribed(Unsubscribed),
    Event(Event),
    Call(Call),
    Cancel(Cancel),
    Result(CallResult),
    Register(Register),
    Registered(Registered),
    Unregister(Unregister),
    Unregistered(Unregistered),
    Invocation(Invocation),
    Interrupt(Interrupt),
    Yield(Yield),
}

impl Message {
    /// The bytes of the message. A payload of another serializer is transcoded.
    pub fn encode(&self, serializer: Serializer) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode_into(serializer, &mut out);
        out
    }
}
