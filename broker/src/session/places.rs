//! Where a session sits in its realm: its subscriptions, its places on the bus, the queues from which it pulls.

use std::collections::HashMap;

use petasus_protocol::TopicFilter;
use petasus_protocol::wamp::{Message, message};

use crate::clock;
use crate::connection::{Batch, Outbox};
use crate::dialect::wamp::Interest;
use crate::hub::{PeerId, SubscriptionId};
use crate::realm::Realm;

/// The places of one session.
#[derive(Default)]
pub(super) struct Places {
    /// By the numbers that the client knows them by.
    subscriptions: HashMap<u64, Place>,
    /// How many are of pub/sub.
    topics: usize,
    /// How many of those take more topics than one.
    patterns: usize,
}

/// One subscription of the client.
#[derive(Debug)]
enum Place {
    /// Of pub/sub; whether it takes one topic only.
    Topics {
        id: SubscriptionId,
        exact: bool,
    },
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
    /// Subscribes, unless the session has `limit` subscriptions already, and says SUBSCRIBED while the hub is locked,
    /// so that it stands before the first EVENT (WAMP: Ordering Guarantees). A second time changes nothing (WAMP
    /// 6.1.2).
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
                let exact = matches!(filter, TopicFilter::Exact(_));
                self.subscriptions.insert(taken.number, Place::Topics { id: taken.id, exact });
                self.topics += 1;
                self.patterns += usize::from(!exact);
                outbox.set_overlapping(self.may_overlap());
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
    pub(super) fn unsubscribe(&mut self, subscription: u64, realm: &Realm, outbox: &Outbox) -> Option<Left> {
        Some(match self.subscriptions.remove(&subscription)? {
            Place::Topics { id, exact } => {
                let mut pubsub = realm.pubsub.lock();
                self.topics -= 1;
                self.patterns -= usize::from(!exact);
                outbox.set_overlapping(self.may_overlap());
                Left { subscription, deleted: pubsub.unsubscribe(id), topics: true }
            }
            Place::Bus(peer) => {
                realm.bus.lock().leave(peer);
                Left { subscription, deleted: false, topics: false }
            }
        })
    }

    /// Ends all subscriptions.
    pub(super) fn leave(mut self, realm: &Realm, outbox: &Outbox) -> Vec<Left> {
        let all: Vec<u64> = self.subscriptions.keys().copied().collect();
        all.into_iter().filter_map(|subscription| self.unsubscribe(subscription, realm, outbox)).collect()
    }

    /// Whether one event may come by several subscriptions: for that, one of them is a pattern.
    fn may_overlap(&self) -> bool {
        self.patterns > 0 && self.topics > 1
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use petasus_protocol::wamp::Serializer;
    use petasus_protocol::{Topic, TopicLimits};

    use super::*;
    use crate::config::OverflowPolicy;
    use crate::connection::{Framing, Wire};
    use crate::hub::{DealerRules, QueueRules};

    fn realm() -> Realm {
        let hold_age = Duration::ZERO;
        let queue = QueueRules { hold: false, hold_messages: 0, hold_bytes: 0, hold_age, hold_total: 0 };
        Realm::new("test", queue, DealerRules::default())
    }

    /// REQ-WAMP-101: what is published is sent singly to those only for whom it matters.
    #[test]
    fn subscriptions_overlap_while_there_are_two_and_one_is_a_pattern() {
        let (realm, mut places, mut batch) = (realm(), Places::default(), Batch::new());
        let wire = Wire::Wamp(Serializer::Json, Framing::Message);
        let outbox = Outbox::for_session(wire, usize::MAX, OverflowPolicy::Close, 1 << 20);
        let exact = |topic: &str| Interest::Topics(TopicFilter::Exact(Topic::new(topic)));
        let prefix = Interest::Topics(TopicFilter::wamp_prefix("a.", &TopicLimits::default()).unwrap());
        let mut subscribe = |places: &mut Places, to: &Interest| {
            let taken = places.subscribe(1, to, 10, &realm, &outbox, &mut batch).unwrap();
            (taken.subscription, outbox.may_overlap())
        };
        let (_, overlaps) = subscribe(&mut places, &exact("a/b"));
        assert!(!overlaps, "one exact subscription");
        let (second, overlaps) = subscribe(&mut places, &exact("a/c"));
        assert!(!overlaps, "two exact ones never hear the same topic");
        let (pattern, overlaps) = subscribe(&mut places, &prefix);
        assert!(overlaps, "a pattern beside them");
        subscribe(&mut places, &prefix);
        places.unsubscribe(pattern, &realm, &outbox);
        assert!(!outbox.may_overlap(), "the pattern is gone: the second time had changed nothing");
        places.unsubscribe(second, &realm, &outbox);
        let (_, overlaps) = subscribe(&mut places, &prefix);
        assert!(overlaps, "an exact one and a pattern");
        places.leave(&realm, &outbox);
        assert!(!outbox.may_overlap(), "nothing is left");
        let mut places = Places::default();
        subscribe(&mut places, &prefix);
        let (_, overlaps) = subscribe(&mut places, &Interest::Bus(Topic::new("a/b")));
        assert!(!overlaps, "the bus is something else");
    }
}
