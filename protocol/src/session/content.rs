//! What a message carries, on either wire.

use std::borrow::Cow;

use crate::wamp::{Payload, Serializer, bridge};
use crate::{Kind, Message};

/// What a message carries: a text or bytes, or the arguments of WAMP. Cloning is cheap: the bytes are shared.
///
/// A text or bytes go over WAMP as the only argument, and arguments go over Mercury as [`bridge::to_raw`] writes
/// them, as in the broker itself; so the same content arrives whatever wires the two ends speak.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// A text or bytes.
    Plain(Message),
    /// Arguments, as their sender wrote them.
    Arguments(Payload),
}

impl Content {
    /// No arguments.
    pub const fn empty() -> Content {
        Content::Arguments(Payload::empty())
    }

    /// The content as a text or bytes (see [`bridge::to_raw`] for what several arguments become).
    pub fn to_message(&self) -> Cow<'_, Message> {
        match self {
            Content::Plain(message) => Cow::Borrowed(message),
            Content::Arguments(payload) => Cow::Owned(bridge::to_raw(payload)),
        }
    }

    /// The content as arguments in `serializer`.
    pub fn to_payload(&self, serializer: Serializer) -> Cow<'_, Payload> {
        match self {
            Content::Plain(message) => Cow::Owned(bridge::from_raw(message, serializer)),
            Content::Arguments(payload) => payload.transcoded(serializer),
        }
    }

    /// The bytes it holds, without what a wire adds.
    pub fn len(&self) -> usize {
        match self {
            Content::Plain(message) => message.len(),
            Content::Arguments(payload) => payload.len(),
        }
    }

    /// Whether it holds no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it is a text, or would be one as a raw message.
    pub fn is_text(&self) -> bool {
        self.to_message().kind() == Kind::Text
    }
}

impl From<Message> for Content {
    fn from(message: Message) -> Self {
        Content::Plain(message)
    }
}

impl From<Payload> for Content {
    fn from(payload: Payload) -> Self {
        Content::Arguments(payload)
    }
}

impl From<&str> for Content {
    fn from(text: &str) -> Self {
        Content::Plain(Message::from(text))
    }
}

impl From<String> for Content {
    fn from(text: String) -> Self {
        Content::Plain(Message::from(text))
    }
}
