//! WAMP: what the messages of a session ask for, and what the broker announces.

mod audience;
mod features;
mod operation;

use petasus_protocol::wamp::{Dict, Serializer};

pub(crate) use audience::{Audience, Receiver};
pub(crate) use features::announced;
pub use features::wamp_features;
pub(crate) use operation::{Destination, Interest, Naming, Offer, Operation, Publish, Unread, Wish};

/// A WebSocket subprotocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Subprotocol {
    pub(crate) serializer: Serializer,
    /// A WebSocket message holds any number of WAMP messages.
    pub(crate) batched: bool,
}

impl Subprotocol {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Serializer::from_subprotocol(name).map(|(serializer, batched)| Self { serializer, batched })
    }

    pub(crate) fn name(self) -> &'static str {
        self.serializer.subprotocol(self.batched)
    }
}

/// `Details` of EVENT: the topic, for a subscriber who cannot know it, and the publisher, if it is disclosed.
pub(crate) fn event_details(topic: Option<&str>, publisher: Option<Receiver<'_>>) -> Dict {
    let mut details = Dict::new();
    if let Some(topic) = topic {
        details.set("topic", topic);
    }
    if let Some(publisher) = publisher {
        details.set("publisher", publisher.session);
        details.set("publisher_authid", publisher.authid);
        details.set("publisher_authrole", publisher.authrole);
    }
    details
}
