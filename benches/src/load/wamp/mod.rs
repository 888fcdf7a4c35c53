//! WAMP over WebSocket, as far as a load needs it: sessions join and subscribe by the protocol crate, and what is
//! sent and received a hundred thousand times a second is filled in and found by position.

mod scan;
mod seat;
mod template;

pub(crate) use scan::hear;
pub(crate) use seat::{Next, Seat};
pub(crate) use template::Template;

use clap::ValueEnum;
use petasus_protocol::wamp::{Payload, Serializer};

use crate::wire::Opcode;

/// What one client is in a WAMP realm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wamp {
    pub(crate) serializer: Serializer,
    pub(crate) realm: String,
    pub(crate) part: Part,
}

/// What a session does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// Every message that is queued becomes the only argument of a PUBLISH to this topic.
    Publisher(String),
    /// Subscribes to this topic before it counts as opened; what it hears are the only arguments of EVENTs.
    Subscriber(String),
    /// Joins; messages are whole WAMP messages both ways.
    Plain,
}

/// A serializer on the command line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Encoding {
    #[default]
    Json,
    Msgpack,
    Cbor,
}

impl From<Encoding> for Serializer {
    fn from(encoding: Encoding) -> Self {
        match encoding {
            Encoding::Json => Self::Json,
            Encoding::Msgpack => Self::MsgPack,
            Encoding::Cbor => Self::Cbor,
        }
    }
}

/// The opcode of messages in `serializer`.
pub(crate) fn opcode(serializer: Serializer) -> Opcode {
    if serializer.is_text() { Opcode::Text } else { Opcode::Binary }
}

/// A payload of one text.
pub(crate) fn one_text(serializer: Serializer, text: &str) -> Payload {
    Payload::of_args(serializer, &[text]).expect("a list of one text has a form in every serializer")
}
