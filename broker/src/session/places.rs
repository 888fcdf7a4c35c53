//! Where a session sits in its realm: its subscriptions, its places on the bus, the queues from which it pulls.

use std::collections::HashMap;

use petasus_protocol::wamp::{Message, message};

use crate::clock;
use crate::connection::{Batch, Outbox};
use crate::dialect::wamp::Interest;
use crate::hub::{PeerId, SubscriptionId};
use crate::realm::Realm;

/// By the numbers that the client knows them by.
#[derive(Default)]
pub(super) struct Places {
    subscriptions: HashMap<u64, Place>,
}

/// One subscription of the client.
#[derive(Debug)]
enum Place {
    Topics(SubscriptionId),
    Bus(PeerId),
}

/// What a subscription changed, for the meta events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) subscription: u64,
    /// Nobody had subscribed to this before.
    pub(super) created: bool,
    /// Not the session itself either.
    pub(super) new: bool,
}

/// What the end of a subscription changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Left {
    pub(super) subscription: u64,
    /// Nobody is subscribed to this any more.
    pub(super) deleted: bool,
    /// It was one of pub/sub, whose meta events tell of it; the bus has none.
    pub(super) topics: bool,
}

impl Places {
    /// Subscribes, unless the session has `limit` subscriptions already, and says SUBSCRIBED while the hub is locked, so that it stands before the first EVENT (WAMP:
    /// Ordering Guarantees). A second time changes nothing (WAMP 6.1.2).
    pub(super) fn subscribe(
        &mut self,
        request: u64,
        to: &Interest,
        limit: usize,
        realm: &Realm,
        outbox: &Outbox,
        batch: &mut Batch,
    ) -> Option<Taken> {
        let full = self.subscriptions.len() >= limit;
        let say = |subscription, batch: &mut Batch| {
            outbox.say(&Message::Subscribed(message::Subscribed { request, subscription }), batch);
        };
        match to {
            Interest::Topics(filter) => {
                let mut pubsub = realm.pubsub.lock();
                if let Some(subscription) =
                    pubsub.lookup(filter).filter(|id| self.subscriptions.contains_key(id))
                {
                    say(subscription, batch);
                    return Some(Taken { subscription, created: false, new: false });
                }
                if full {
                    return None;
                }
                let taken = pubsub.subscribe(filter, outbox.clone(), clock::since_epoch());
                say(taken.number, batch);
                self.subscriptions.insert(taken.number, Place::Topics(taken.id));
                Some(Taken { subscription: taken.number, created: taken.created, new: true })
            }
            Interest::Bus(topic) => {
                let mut bus = realm.bus.lock();
                if let Some(subscription) = bus.lookup(topic).filter(|id| self.subscriptions.contains_key(id))
                {
                    say(subscription, batch);
                    return Some(Taken { subscription, created: false, new: false });
                }
                if full {
                    return None;
                }
                let peer = bus.join(topic, outbox.clone(), false);
                // It was joined just now, so the topic is there.
                let subscription = bus.lookup(topic).unwrap_or_default();
                say(subscription, batch);
                self.subscriptions.insert(subscription, Place::Bus(peer));
                Some(Taken { subscription, created: false, new: false })
            }
        }
    }

    /// Ends a subscription; `None` if the session has none of this number.
    pub(super) fn unsubscribe(&mut self, subscription: u64, realm: &Realm) -> Option<Left> {
        Some(match self.subscriptions.remove(&subscription)? {
            Place::Topics(id) => {
                Left { subscription, deleted: realm.pubsub.lock().unsubscribe(id), topics: true }
            }
            Place::Bus(peer) => {
                realm.bus.lock().leave(peer);
                Left { subscription, deleted: false, topics: false }
            }
        })
    }

    /// Ends all subscriptions.
    pub(super) fn leave(mut self, realm: &Realm) -> Vec<Left> {
        let all: Vec<u64> = self.subscriptions.keys().copied().collect();
        all.into_iter().filter_map(|subscription| self.unsubscribe(subscription, realm)).collect()
    }
}
