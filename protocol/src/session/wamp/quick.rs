//! What [`quick`](super::super::quick) is on this wire.

use super::super::core::Core;
use super::super::quick::Begun;
use super::super::{DeliveryMode, SocketId, SubscriptionId};
use super::Wamp;
use super::link::Stage;
use crate::Topic;
use crate::wamp::Serializer;

impl Wamp {
    /// Whether this is the socket of an open WAMP session; something came from it.
    fn heard(&mut self, socket: SocketId, now: u64) -> bool {
        let is_open = self.line.is(socket) && self.link.stage == Stage::Welcome && !self.line.is_closing();
        if is_open {
            self.line.heard(now);
        }
        is_open
    }

    pub(in super::super) fn handle_event(
        &mut self,
        socket: SocketId,
        id: u64,
        now: u64,
        each: &mut dyn FnMut(SubscriptionId),
    ) -> bool {
        let is_open = self.heard(socket, now);
        if is_open {
            self.subscriptions.for_each_hearer(id, each);
        }
        is_open
    }

    pub(in super::super) fn topic_of(&self, socket: SocketId, id: u64) -> Option<&Topic> {
        if self.line.is(socket) { self.subscriptions.topic_of(id) } else { None }
    }

    pub(in super::super) fn handle_published(
        &mut self,
        core: &mut Core,
        socket: SocketId,
        number: u64,
        now: u64,
    ) -> bool {
        let is_open = self.heard(socket, now);
        if is_open {
            self.requests.handle_published(core, &mut self.link, number);
            self.go_on_draining(core, now);
        }
        is_open
    }

    pub(in super::super) fn begin_publish(
        &mut self,
        core: &mut Core,
        delivery: DeliveryMode,
        len: usize,
        now: u64,
    ) -> Option<Begun> {
        if self.link.serializer != Serializer::Json {
            return None;
        }
        self.requests.begin_publish(core, &mut self.link, delivery, len, now)
    }
}
