//! Message patterns of an embedding program's own, beside bus, pub/sub and queues.

use std::fmt;
use std::sync::Arc;

use petasus_protocol::{Message, Topic};

/// Who receives what. Given to an endpoint by `Role::Custom`.
///
/// Called by the tasks of the connections, with no lock held; it may send to any peer it knows, and must not
/// block. A peer that joined leaves exactly once.
pub trait CustomPattern: Send + Sync + 'static {
    /// A connection has joined; its client does not know yet. Keep a clone of the peer to send to it.
    fn join(&self, peer: &Peer);

    /// A connection has sent a message.
    fn receive(&self, peer: &Peer, message: &Message);

    /// A connection is gone, or about to be. What is sent to it from now on is dropped.
    fn leave(&self, peer: &Peer);

    /// Somebody has posted a message. Unless this is overridden, it goes nowhere.
    fn post(&self, topic: &Topic, message: &Message) {
        let _ = (topic, message);
    }
}

/// A connection, as a [`CustomPattern`] knows it. Cheap to clone; clones are equal.
#[derive(Clone)]
pub struct Peer {
    topic: Topic,
    link: Arc<dyn Link>,
}

/// The way to a peer. Sending never waits.
pub(crate) trait Link: Send + Sync {
    fn send(&self, message: &Message);
}

impl Peer {
    pub(crate) fn new(topic: Topic, link: Arc<dyn Link>) -> Self {
        Self { topic, link }
    }

    /// The topic that its endpoint named.
    pub fn topic(&self) -> &Topic {
        &self.topic
    }

    /// Sends to this connection; never waits. If it reads too slowly, the overflow policy applies.
    pub fn send(&self, message: &Message) {
        self.link.send(message);
    }
}

impl PartialEq for Peer {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.link, &other.link)
    }
}

impl Eq for Peer {}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer").field("topic", &self.topic).finish_non_exhaustive()
    }
}

impl fmt::Debug for dyn CustomPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CustomPattern")
    }
}
