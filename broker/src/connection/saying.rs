//! What a WAMP session needs of its outbox: to say things, and to be told things by others.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use petasus_protocol::wamp::{self, Dict, Payload, Serializer, message, uri};

use super::batch::Batch;
use super::outbox::Outbox;
use super::pending::Item;
use super::presence::{Farewell, Revoked};
use super::wire::Wire;
use crate::dialect::wamp::Audience;
use crate::hub::Offered;
use crate::session::Identity;

impl Outbox {
    /// Appends an answer. No policy drops it: a client that does not read its answers is closed. An answer to a
    /// request that is longer than the client takes is replaced by an ERROR that says so.
    pub(crate) fn say(&self, message: &wamp::Message, batch: &mut Batch) {
        if self.say_if_short(message, batch) {
            return;
        }
        batch.counts.too_long += 1;
        if let Some(error) = too_long(message) {
            self.say_if_short(&error, batch);
        }
    }

    /// Appends an answer, unless it is longer than the client takes.
    pub(crate) fn say_if_short(&self, message: &wamp::Message, batch: &mut Batch) -> bool {
        let Some(item) = self.framed(message) else { return false };
        self.append_fixed(&item, batch);
        true
    }

    /// Appends an invocation if there is room for it now.
    pub(crate) fn offer_message(&self, message: &wamp::Message, batch: &mut Batch) -> Offered {
        let Some(item) = self.framed(message) else { return Offered::Never };
        let len = item.wire_len();
        if self.offer_item(item, len, batch) { Offered::Taken } else { Offered::Full }
    }

    fn framed(&self, message: &wamp::Message) -> Option<Item> {
        Some(Item::Run { wire: self.frame(message)?, messages: 1, fixed: true })
    }

    /// The message in its frame; `None` if the client takes none that is so long.
    pub(super) fn frame(&self, message: &wamp::Message) -> Option<Bytes> {
        let Wire::Wamp(serializer, framing) = self.wire() else { return None };
        let mut body = Vec::new();
        message.encode_into(serializer, &mut body);
        let longest = self.0.presence.as_ref().map_or(usize::MAX, |presence| presence.longest);
        if body.len() > longest {
            return None;
        }
        let mut wire = Vec::new();
        framing.put(serializer, &body, &mut wire);
        Some(wire.into())
    }

    /// The session that is open on this connection.
    pub(crate) fn identity(&self) -> Option<Arc<Identity>> {
        self.0.presence.as_ref().and_then(|presence| presence.identity())
    }

    /// Says who the session is, from its WELCOME to its end.
    pub(crate) fn set_identity(&self, identity: Option<Arc<Identity>>) {
        if let Some(presence) = &self.0.presence {
            presence.set_identity(identity);
        }
    }

    /// Whether one event may come here by several subscriptions; asked while pub/sub is locked. A raw socket has one.
    pub(crate) fn may_overlap(&self) -> bool {
        self.0.presence.as_ref().is_some_and(|presence| presence.overlapping.load(Ordering::Relaxed))
    }

    /// Says whether one event may come by several subscriptions of the session; while pub/sub is locked.
    pub(crate) fn set_overlapping(&self, overlapping: bool) {
        if let Some(presence) = &self.0.presence {
            presence.overlapping.store(overlapping, Ordering::Relaxed);
        }
    }

    /// Whether the lists of an audience let this receiver have the event.
    pub(crate) fn is_in(&self, audience: &Audience) -> bool {
        let identity = self.identity();
        audience.admits(identity.as_deref().map(Identity::receiver))
    }

    /// Sends a session away, if it is still there.
    pub(crate) fn dismiss(&self, session: u64, farewell: Farewell) {
        if let Some(presence) = &self.0.presence {
            presence.dismiss(session, farewell);
            self.0.signal(|signals| signals.told = true);
        }
    }

    /// Takes a subscription from a session, if it is still there.
    pub(crate) fn revoke(&self, session: u64, subscription: u64, reason: Option<String>) {
        if let Some(presence) = &self.0.presence {
            presence.revoke(session, Revoked { subscription, reason });
            self.0.signal(|signals| signals.told = true);
        }
    }

    /// What the session has been told by others since it last asked.
    pub(crate) fn take_told(&self) -> (Option<Farewell>, Vec<Revoked>) {
        self.0.presence.as_ref().map(|presence| presence.take()).unwrap_or_default()
    }
}

/// What a client is told in place of an answer that is too long for it.
fn too_long(answer: &wamp::Message) -> Option<wamp::Message> {
    let (kind, request) = match answer {
        wamp::Message::Result(result) => (message::Call::CODE, result.request),
        wamp::Message::Error(error) => (error.kind, error.request),
        _ => return None,
    };
    let text = "the answer is longer than the messages that you take; allow longer ones in your handshake";
    let payload = Payload::of_values(Serializer::Json, &[text.into()], &Dict::new());
    let (details, error) = (Dict::new(), uri::error::PAYLOAD_SIZE_EXCEEDED.to_owned());
    Some(message::Error { kind, request, details, error, payload }.into())
}
