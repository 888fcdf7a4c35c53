//! Ways for a driver that reads and writes the messages of its language itself, such as a page with `JSON.parse`: here
//! only numbers cross, and the session still decides who hears what, and what may be sent.
//!
//! What goes out and these say no to goes by [`Session::publish`], and what comes in by [`Session::handle_outline`], or by
//! [`Session::handle_message`] where the session reads it (feature `readers`).

use bytes::Bytes;

use super::{DeliveryMode, RequestId, Session, SocketId, SubscriptionId, Wire};
use crate::Topic;

/// A PUBLISH that the driver writes itself and sends at once, behind all that [`Session::poll_output`] said before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begun {
    /// The request id to write (WAMP 2.1.2).
    pub number: u64,
    /// What [`Event::Done`](super::Event::Done) will be about, if it is acknowledged.
    pub request: Option<RequestId>,
}

impl Session {
    /// A well-formed EVENT for this subscription id of the router came (over Mercury: any message; the id is without
    /// meaning). `each` hears for which subscriptions it is: for none if nobody wants it any more.
    ///
    /// `false`: it is no message for subscriptions, and has to go by [`Session::handle_message`].
    pub fn handle_event(
        &mut self,
        socket: SocketId,
        id: u64,
        now: u64,
        each: &mut dyn FnMut(SubscriptionId),
    ) -> bool {
        match &mut self.wire {
            Wire::Wamp(wire) => wire.handle_event(socket, id, now, each),
            #[cfg(feature = "mercury")]
            Wire::Mercury(wire) => wire.handle_event(socket, now, each),
        }
    }

    /// The topic of such a message, where it does not say one itself: none if the wire does not know it.
    pub fn topic_of(&self, socket: SocketId, id: u64) -> Option<&Topic> {
        match &self.wire {
            Wire::Wamp(wire) => wire.topic_of(socket, id),
            #[cfg(feature = "mercury")]
            Wire::Mercury(wire) => wire.topic_of(socket),
        }
    }

    /// The router confirmed the PUBLISH with this request id (PUBLISHED). `false`: not now; see
    /// [`Session::handle_message`].
    pub fn handle_published(&mut self, socket: SocketId, number: u64, now: u64) -> bool {
        match &mut self.wire {
            Wire::Wamp(wire) => wire.handle_published(&mut self.core, socket, number, now),
            #[cfg(feature = "mercury")]
            Wire::Mercury(_) => false,
        }
    }

    /// Any other message of a router (WAMP) came: its outline, or nothing if it is no WAMP message. What has a form of its
    /// own is said at [`crate::wamp::outline`].
    ///
    /// Contents that come of it are a [`Payload`](crate::wamp::Payload) whose `args` are the number that begins the outline,
    /// and dicts are empty: the driver has both.
    pub fn handle_outline(&mut self, socket: SocketId, outline: &Bytes, now: u64) {
        match &mut self.wire {
            Wire::Wamp(wire) => wire.handle_outline(&mut self.core, socket, outline, now),
            #[cfg(feature = "mercury")]
            Wire::Mercury(_) => {}
        }
    }

    /// Begins to publish to a topic (WAMP, JSON), if it can go at once: a connection takes it, nothing waits before it,
    /// and it has `len` bytes at most, which are allowed. If not, [`Session::publish`] says why, or lets it wait.
    pub fn begin_publish(&mut self, delivery: DeliveryMode, len: usize, now: u64) -> Option<Begun> {
        if self.core.check_running().is_err() || len > self.core.config.message_bytes {
            return None;
        }
        match &mut self.wire {
            Wire::Wamp(wire) => wire.begin_publish(&mut self.core, delivery, len, now),
            #[cfg(feature = "mercury")]
            Wire::Mercury(_) => None,
        }
    }
}
