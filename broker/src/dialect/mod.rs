//! The dialects: pure translations between a wire and the operations of the hub.
//!
//! A dialect says what a request opens, what an incoming message means and what an outgoing one looks like.
//! It sees no socket, no clock and no other dialect; this file alone knows them all.

mod answer;
mod mercury;
mod pinghub;
pub(crate) mod wamp;

use std::borrow::Cow;
use std::sync::Arc;

use http::Method;
use petasus_protocol::{Message, Topic, TopicFilter, TopicLimits};

pub(crate) use answer::Answer;

use crate::hub::{CustomPattern, Pushed};

/// The wire that a connection speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Dialect {
    /// One socket, one topic, bare payloads; the endpoint is in the URL.
    Mercury,
    /// A path is a channel; everybody hears everything, the sender too.
    Pinghub,
}

/// What a connection does on its topic.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Role {
    /// Joins the bus.
    Bus {
        /// The topic.
        topic: Topic,
        /// Whether the peer hears itself.
        echo: bool,
    },
    /// Publishes to a topic.
    Publish {
        /// The topic.
        topic: Topic,
    },
    /// Subscribes to a filter.
    Subscribe {
        /// The filter.
        filter: TopicFilter,
    },
    /// Pushes jobs to a queue.
    Push {
        /// The topic.
        topic: Topic,
    },
    /// Pulls jobs from a queue.
    Pull {
        /// The topic.
        topic: Topic,
    },
    /// Takes part in a pattern of the embedding program's own.
    Custom {
        /// The pattern.
        pattern: Arc<dyn CustomPattern>,
        /// The topic, which means what the pattern makes of it.
        topic: Topic,
    },
}

/// What a dialect needs to know of a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head<'a> {
    pub(crate) method: &'a Method,
    /// Where the dialect begins: empty for the root, else a path without a trailing slash.
    pub(crate) mount: &'a str,
    /// Path and query, below the mount.
    pub(crate) target: &'a str,
    /// The client asks for a WebSocket.
    pub(crate) upgrade: bool,
}

/// The bounds and settings that the dialects check requests against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) topics: TopicLimits,
    /// Characters of a pinghub path, leading slash included.
    pub(crate) path_chars: usize,
}

/// What a request asks for.
#[derive(Debug)]
pub(crate) enum Route {
    /// A WebSocket with this role.
    Open(Role),
    /// One message, the body, for this role.
    Post(Role),
    /// An answer and nothing else.
    Answer(Answer),
}

/// What an incoming message means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Received {
    /// It goes to the hub.
    Send(Message),
    /// It goes back to its sender alone.
    Reply(Message),
    /// This role sends nothing; the message is ignored.
    Ignore,
    /// The dialect carries text only: close with 1007.
    NotText,
}

/// What is wrong with a handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadHandshake {
    /// `Connection` does not name the upgrade.
    Connection,
    /// `Sec-WebSocket-Version` is not 13.
    Version,
    /// `Sec-WebSocket-Key` is not 16 bytes in base64.
    Key,
}

/// What a POST came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Posted {
    /// Handed to whoever receives on the bus, by a subscription, or in a custom pattern.
    Sent,
    /// Pushed to a queue.
    Pushed(Pushed),
    /// There was nothing to send.
    Nothing,
}

impl Dialect {
    /// All dialects.
    pub(crate) const ALL: [Self; 2] = [Self::Mercury, Self::Pinghub];

    /// What a request asks for.
    pub(crate) fn route(self, head: &Head<'_>, rules: &Rules) -> Route {
        match self {
            Self::Mercury => mercury::route(head, &rules.topics),
            Self::Pinghub => pinghub::route(head, rules),
        }
    }

    /// Makes a message of the body of a POST; `None` if it is empty and the dialect sends no empty ones.
    pub(crate) fn posted(
        self,
        body: bytes::Bytes,
        content_type: Option<&str>,
    ) -> Result<Option<Message>, Answer> {
        match self {
            Self::Mercury => mercury::posted(body, content_type).map(Some),
            Self::Pinghub => pinghub::posted(body),
        }
    }

    /// The answer to a POST.
    pub(crate) fn post_answer(self, posted: Posted) -> Answer {
        match self {
            Self::Mercury => mercury::post_answer(posted),
            Self::Pinghub => pinghub::post_answer(),
        }
    }

    /// The answer to a POST whose body ended early or was malformed.
    pub(crate) fn broken_body(self) -> Answer {
        match self {
            Self::Mercury => mercury::broken_body(),
            Self::Pinghub => pinghub::broken_body(),
        }
    }

    /// The answer to a handshake that is none (REQ-WS-002).
    pub(crate) fn bad_handshake(self, error: BadHandshake) -> Answer {
        match self {
            Self::Mercury => mercury::bad_handshake(error),
            Self::Pinghub => pinghub::bad_handshake(),
        }
    }

    /// The answer to a request whose Origin is refused (REQ-ORG-004).
    pub(crate) fn origin_refused(self) -> Answer {
        match self {
            Self::Mercury => mercury::origin_refused(),
            Self::Pinghub => pinghub::origin_refused(),
        }
    }

    /// What a message from a connection in this role means.
    pub(crate) fn receive(self, role: &Role, message: Message) -> Received {
        match self {
            Self::Mercury => mercury::receive(role, message),
            Self::Pinghub => pinghub::receive(&message),
        }
    }

    /// How a message looks on this wire; `None` if this wire cannot carry it.
    pub(crate) fn outgoing(self, message: &Message) -> Option<Cow<'_, Message>> {
        match self {
            Self::Mercury => Some(Cow::Borrowed(message)),
            Self::Pinghub => pinghub::outgoing(message),
        }
    }

    /// What the reply to a close frame repeats of the peer's reason; the code is always repeated.
    pub(crate) fn close_reason(self, reason: &str) -> &str {
        match self {
            Self::Mercury => reason,
            Self::Pinghub => "",
        }
    }

    /// Whether a slow reader is told the close code of the overflow, or gets a close frame without one.
    pub(crate) fn names_overflow(self) -> bool {
        self == Self::Mercury
    }
}

/// The namespace a role belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// Every other peer receives.
    Bus,
    /// Every matching subscriber receives.
    PubSub,
    /// One puller receives.
    Queue,
    /// A pattern of the embedding program's own.
    Custom,
    /// One callee answers.
    Rpc,
}

impl Pattern {
    /// All patterns.
    pub const ALL: [Self; 5] = [Self::Bus, Self::PubSub, Self::Queue, Self::Custom, Self::Rpc];

    /// The name in the metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bus => "bus",
            Self::PubSub => "pubsub",
            Self::Queue => "queue",
            Self::Custom => "custom",
            Self::Rpc => "rpc",
        }
    }
}

impl Role {
    /// The namespace.
    pub fn pattern(&self) -> Pattern {
        match self {
            Self::Bus { .. } => Pattern::Bus,
            Self::Publish { .. } | Self::Subscribe { .. } => Pattern::PubSub,
            Self::Push { .. } | Self::Pull { .. } => Pattern::Queue,
            Self::Custom { .. } => Pattern::Custom,
        }
    }

    /// The topic, or of a subscription the text of the filter in its own syntax.
    pub fn topic(&self) -> String {
        match self {
            Self::Subscribe { filter } => filter.to_string(),
            Self::Bus { topic, .. }
            | Self::Publish { topic }
            | Self::Push { topic }
            | Self::Pull { topic }
            | Self::Custom { topic, .. } => topic.to_string(),
        }
    }

    /// The topic; a subscription has a filter instead.
    pub(crate) fn own_topic(&self) -> Option<&Topic> {
        match self {
            Self::Bus { topic, .. }
            | Self::Publish { topic }
            | Self::Push { topic }
            | Self::Pull { topic }
            | Self::Custom { topic, .. } => Some(topic),
            Self::Subscribe { .. } => None,
        }
    }

    /// Whether this role sends messages.
    pub(crate) fn sends(&self) -> bool {
        !matches!(self, Self::Subscribe { .. } | Self::Pull { .. })
    }
}
