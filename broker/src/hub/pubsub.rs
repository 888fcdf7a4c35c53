//! Publish and subscribe: every subscriber whose filter matches receives once (REQ-SUB-001 to -003).

use petasus_protocol::{Topic, TopicFilter};
use slab::Slab;

use super::group::{Group, Seats};
use super::{Outbox, Trie};

/// The number of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubscriptionId(usize);

/// All subscriptions. A filter exists while it has subscribers.
pub struct PubSub<O> {
    trie: Trie,
    filters: Slab<Subscribers<O>>,
    seats: Seats,
}

struct Subscribers<O> {
    filter: TopicFilter,
    outboxes: Group<O>,
}

impl<O: Outbox> Default for PubSub<O> {
    fn default() -> Self {
        Self { trie: Trie::default(), filters: Slab::new(), seats: Seats::new() }
    }
}

impl<O: Outbox> PubSub<O> {
    /// Subscribes. From now on the outbox receives every message whose topic the filter matches.
    pub fn subscribe(&mut self, filter: &TopicFilter, outbox: O) -> SubscriptionId {
        let number = self.trie.get(filter).unwrap_or_else(|| {
            let number = self.filters.insert(Subscribers { filter: filter.clone(), outboxes: Group::new() });
            self.trie.insert(filter, number);
            number
        });
        SubscriptionId(self.seats.join(number, &mut self.filters[number].outboxes, outbox))
    }

    /// Ends a subscription. One that is not there (any more) is ignored.
    pub fn unsubscribe(&mut self, subscription: SubscriptionId) {
        let Some(number) = self.seats.group_of(subscription.0) else { return };
        let subscribers = &mut self.filters[number];
        self.seats.leave(subscription.0, &mut subscribers.outboxes);
        if subscribers.outboxes.is_empty() {
            self.trie.remove(&subscribers.filter);
            self.filters.remove(number);
        }
    }

    /// Publishes to every subscription whose filter matches.
    pub fn publish(&self, topic: &Topic, parcel: &O::Parcel, batch: &mut O::Batch) {
        self.trie.visit(topic, |number| {
            for (_, outbox) in self.filters[number].outboxes.iter() {
                outbox.append(parcel, batch);
            }
        });
    }

    /// How many different filters have subscribers.
    pub fn filters(&self) -> usize {
        self.filters.len()
    }

    /// How many subscriptions there are.
    pub fn subscriptions(&self) -> usize {
        self.seats.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::testing::{Memory, text};

    fn tree(topic: &str) -> TopicFilter {
        TopicFilter::Tree(Topic::new(topic))
    }

    /// REQ-SUB-001, REQ-SUB-002, REQ-SUB-003
    #[test]
    fn a_topic_and_its_ancestors_receive_once_and_nobody_else() {
        let mut pubsub = PubSub::default();
        let outboxes = ["a", "a/b", "a/b/c", "a/c", "ab", "A"].map(|topic| {
            let outbox = Memory::default();
            pubsub.subscribe(&tree(topic), outbox.clone());
            outbox
        });
        pubsub.publish(&Topic::new("a/b"), &text("x"), &mut ());
        assert_eq!(outboxes.map(|o| o.take().len()), [1, 1, 0, 0, 0, 0]);
    }

    /// REQ-SUB-008
    #[test]
    fn the_last_subscriber_takes_the_filter_along() {
        let mut pubsub = PubSub::default();
        let (one, two) = (Memory::default(), Memory::default());
        let first = pubsub.subscribe(&tree("a/b"), one.clone());
        let second = pubsub.subscribe(&tree("a/b"), two.clone());
        let other = pubsub.subscribe(&tree("a"), two.clone());
        pubsub.unsubscribe(first);
        pubsub.unsubscribe(first);
        pubsub.publish(&Topic::new("a/b"), &text("x"), &mut ());
        assert_eq!((one.take().len(), two.take().len()), (0, 2));
        pubsub.unsubscribe(second);
        pubsub.unsubscribe(other);
        assert_eq!((pubsub.filters(), pubsub.subscriptions(), pubsub.trie.nodes()), (0, 0, 1));
    }
}
