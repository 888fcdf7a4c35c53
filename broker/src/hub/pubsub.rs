//! Publish and subscribe: every subscriber whose filter matches receives once (REQ-SUB-001 to -003).

use std::collections::HashMap;
use std::time::Duration;

use petasus_protocol::{Topic, TopicFilter};
use slab::Slab;

use super::group::{Group, Seats};
use super::{Outbox, Trie, Via};

/// The seat of one subscriber in one subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubscriptionId(usize);

/// All subscriptions. A filter exists while it has subscribers.
pub struct PubSub<O> {
    trie: Trie,
    filters: Slab<Subscribers<O>>,
    seats: Seats,
    /// By the numbers that clients know: the place among the filters.
    by_number: HashMap<u64, usize>,
    last_number: u64,
}

struct Subscribers<O> {
    filter: TopicFilter,
    number: u64,
    created: Duration,
    outboxes: Group<O>,
}

/// What [`PubSub::subscribe`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subscribed {
    /// The way back.
    pub id: SubscriptionId,
    /// What all subscribers of this filter call it; never given out again.
    pub number: u64,
    /// Nobody had subscribed to this filter before.
    pub created: bool,
}

/// What is known of a filter that has subscribers.
#[derive(Debug, Clone, Copy)]
pub struct Subscription<'a> {
    /// What its subscribers call it.
    pub number: u64,
    /// What they want to hear.
    pub filter: &'a TopicFilter,
    /// When the first of them came.
    pub created: Duration,
}

impl<O: Outbox> Default for PubSub<O> {
    fn default() -> Self {
        Self {
            trie: Trie::default(),
            filters: Slab::new(),
            seats: Seats::new(),
            by_number: HashMap::new(),
            last_number: 0,
        }
    }
}

impl<O: Outbox> PubSub<O> {
    /// Subscribes. From now on the outbox receives every message whose topic the filter matches.
    pub fn subscribe(&mut self, filter: &TopicFilter, outbox: O, now: Duration) -> Subscribed {
        let known = self.trie.get(filter);
        let place = known.unwrap_or_else(|| {
            self.last_number += 1;
            let number = self.last_number;
            let outboxes = Group::new();
            let place =
                self.filters.insert(Subscribers { filter: filter.clone(), number, created: now, outboxes });
            self.trie.insert(filter, place);
            self.by_number.insert(number, place);
            place
        });
        let subscribers = &mut self.filters[place];
        let id = SubscriptionId(self.seats.join(place, &mut subscribers.outboxes, outbox));
        Subscribed { id, number: subscribers.number, created: known.is_none() }
    }

    /// Ends a subscription; whether it was the last one of its filter. One that is not there (any more) is ignored.
    pub fn unsubscribe(&mut self, subscription: SubscriptionId) -> bool {
        let Some(place) = self.seats.group_of(subscription.0) else { return false };
        let subscribers = &mut self.filters[place];
        self.seats.leave(subscription.0, &mut subscribers.outboxes);
        let last = subscribers.outboxes.is_empty();
        if last {
            self.trie.remove(&subscribers.filter);
            let subscribers = self.filters.remove(place);
            self.by_number.remove(&subscribers.number);
        }
        last
    }

    /// Publishes to every subscription whose filter matches, and there to every outbox that is `wanted`.
    pub fn publish(
        &self,
        topic: &Topic,
        parcel: &O::Parcel,
        wanted: impl Fn(&O) -> bool,
        batch: &mut O::Batch,
    ) {
        self.trie.visit(topic, |place| {
            let subscribers = &self.filters[place];
            let exact = matches!(subscribers.filter, TopicFilter::Exact(_));
            let via = Via { subscription: subscribers.number, exact };
            for (_, outbox) in subscribers.outboxes.iter() {
                if wanted(outbox) {
                    outbox.append(parcel, via, batch);
                }
            }
        });
    }

    /// The number of a filter that has subscribers.
    pub fn lookup(&self, filter: &TopicFilter) -> Option<u64> {
        self.trie.get(filter).map(|place| self.filters[place].number)
    }

    /// The numbers of all filters that match a topic.
    pub fn matching(&self, topic: &Topic) -> Vec<u64> {
        let mut numbers = Vec::new();
        self.trie.visit(topic, |place| numbers.push(self.filters[place].number));
        numbers
    }

    /// Whether several filters match a topic, so that somebody may receive what is published to it more than once.
    pub fn may_overlap(&self, topic: &Topic) -> bool {
        let mut filters = 0;
        self.trie.visit(topic, |_| filters += 1);
        filters > 1
    }

    /// Whether anybody would receive what is published to a topic.
    pub fn has_match(&self, topic: &Topic) -> bool {
        let mut found = false;
        self.trie.visit(topic, |_| found = true);
        found
    }

    /// What is known of the filter with this number.
    pub fn get(&self, number: u64) -> Option<Subscription<'_>> {
        self.by_number.get(&number).map(|&place| self.filters[place].shown())
    }

    /// All filters that have subscribers.
    pub fn all(&self) -> impl Iterator<Item = Subscription<'_>> {
        self.filters.iter().map(|(_, subscribers)| subscribers.shown())
    }

    /// The outboxes that are subscribed to the filter with this number.
    pub fn subscribers(&self, number: u64) -> impl Iterator<Item = &O> {
        let place = self.by_number.get(&number);
        place.into_iter().flat_map(|&place| self.filters[place].outboxes.iter().map(|(_, outbox)| outbox))
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

impl<O> Subscribers<O> {
    fn shown(&self) -> Subscription<'_> {
        Subscription { number: self.number, filter: &self.filter, created: self.created }
    }
}

#[cfg(test)]
mod tests {
    use petasus_protocol::TopicLimits;

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
            pubsub.subscribe(&tree(topic), outbox.clone(), Duration::ZERO);
            outbox
        });
        pubsub.publish(&Topic::new("a/b"), &text("x"), |_| true, &mut ());
        assert_eq!(outboxes.map(|o| o.take().len()), [1, 1, 0, 0, 0, 0]);
    }

    /// REQ-SUB-008
    #[test]
    fn the_last_subscriber_takes_the_filter_along() {
        let mut pubsub = PubSub::default();
        let (one, two) = (Memory::default(), Memory::default());
        let first = pubsub.subscribe(&tree("a/b"), one.clone(), Duration::ZERO).id;
        let second = pubsub.subscribe(&tree("a/b"), two.clone(), Duration::ZERO).id;
        let other = pubsub.subscribe(&tree("a"), two.clone(), Duration::ZERO).id;
        pubsub.unsubscribe(first);
        pubsub.unsubscribe(first);
        pubsub.publish(&Topic::new("a/b"), &text("x"), |_| true, &mut ());
        assert_eq!((one.take().len(), two.take().len()), (0, 2));
        pubsub.unsubscribe(second);
        pubsub.unsubscribe(other);
        assert_eq!((pubsub.filters(), pubsub.subscriptions(), pubsub.trie.nodes()), (0, 0, 1));
    }

    /// REQ-WAMP-101: a tree over WAMP is an exact filter and a prefix, and no topic matches both.
    #[test]
    fn a_topic_overlaps_where_several_filters_match_it() {
        let mut pubsub = PubSub::default();
        let [exact, below] = ["exact", "prefix"].map(|_| Memory::default());
        pubsub.subscribe(&TopicFilter::Exact(Topic::new("a")), exact, Duration::ZERO);
        pubsub.subscribe(
            &TopicFilter::wamp_prefix("a.", &TopicLimits::UNLIMITED).expect("a prefix"),
            below.clone(),
            Duration::ZERO,
        );
        assert!(!pubsub.may_overlap(&Topic::new("a")));
        assert!(!pubsub.may_overlap(&Topic::new("a/b")));
        assert!(!pubsub.may_overlap(&Topic::new("b")));
        pubsub.subscribe(&TopicFilter::Exact(Topic::new("a/b")), below, Duration::ZERO);
        assert!(pubsub.may_overlap(&Topic::new("a/b")));
    }
}
