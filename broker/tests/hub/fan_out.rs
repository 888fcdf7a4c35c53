//! Publish and subscribe against a list of subscriptions, and planted faults.

use std::time::Duration;

use petasus_broker::hub::{PubSub, SubscriptionId, Via};
use petasus_protocol::{Message, Topic, TopicFilter};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::filters::{Twist, filters, near, topics, twists};
use crate::outbox::Tray;
use crate::planted::{Breach, Hunt, cases};
use petasus_broker::hub::Outbox as _;

#[derive(Debug, Clone)]
enum Op {
    /// With the filter and the outbox of somebody who is there, if `like` and `with` say so.
    Subscribe {
        filter: TopicFilter,
        like: Option<usize>,
        with: Option<usize>,
    },
    Unsubscribe(usize),
    /// So many messages, without anybody looking between.
    Publish {
        topic: Topic,
        count: usize,
    },
    /// One message near the filter of somebody who is there.
    PublishNear(usize, Twist),
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let rarely = || prop::option::weighted(0.4, 0usize..12);
    let op = prop_oneof![
        5 => (filters(), rarely(), rarely())
            .prop_map(|(filter, like, with)| Op::Subscribe { filter, like, with }),
        2 => (0usize..12).prop_map(Op::Unsubscribe),
        5 => (topics(), 1usize..4).prop_map(|(topic, count)| Op::Publish { topic, count }),
        4 => (0usize..12, twists()).prop_map(|(place, twist)| Op::PublishNear(place, twist)),
    ];
    vec(op, 0..60)
}

/// A pub/sub under test. Subscriptions have numbers that are never used twice.
trait FanOut {
    fn subscribe(&mut self, subscription: usize, filter: &TopicFilter, outbox: &Tray);
    fn unsubscribe(&mut self, subscription: usize);
    fn publish(&mut self, topic: &Topic, message: &Message);
    /// How many filters and subscriptions there are.
    fn sizes(&self) -> (usize, usize);
}

#[derive(Default)]
struct RealPubSub {
    pubsub: PubSub<Tray>,
    ids: Vec<(usize, SubscriptionId)>,
}

impl FanOut for RealPubSub {
    fn subscribe(&mut self, subscription: usize, filter: &TopicFilter, outbox: &Tray) {
        self.ids.push((subscription, self.pubsub.subscribe(filter, outbox.clone(), Duration::ZERO).id));
    }
    fn unsubscribe(&mut self, subscription: usize) {
        let place = self.ids.iter().position(|(number, _)| *number == subscription).expect("it is there");
        self.pubsub.unsubscribe(self.ids.remove(place).1);
    }
    fn publish(&mut self, topic: &Topic, message: &Message) {
        self.pubsub.publish(topic, message, |_| true, &mut ());
    }
    fn sizes(&self) -> (usize, usize) {
        (self.pubsub.filters(), self.pubsub.subscriptions())
    }
}

/// A subscription as the judge knows it.
struct Known {
    number: usize,
    filter: TopicFilter,
    outbox: Tray,
}

/// Judges a run. Every message names its place in the run, so what arrives can be told apart.
fn judge(ops: &[Op], mut pubsub: impl FanOut) -> Result<(), Vec<Breach>> {
    let mut known: Vec<Known> = Vec::new();
    // All outboxes that ever were: one of somebody who has left must stay empty.
    let mut outboxes: Vec<Tray> = Vec::new();
    for (number, op) in ops.iter().enumerate() {
        match op {
            Op::Subscribe { filter, like, with } => {
                let other = |place: &Option<usize>| Some(&known[place.as_ref()?.checked_rem(known.len())?]);
                let filter = other(like).map_or(filter, |other| &other.filter).clone();
                let outbox =
                    other(with).map_or_else(|| Tray::quiet(outboxes.len()), |other| other.outbox.clone());
                if outbox.name() == outboxes.len() {
                    outboxes.push(outbox.clone());
                }
                pubsub.subscribe(number, &filter, &outbox);
                known.push(Known { number, filter, outbox });
            }
            Op::Unsubscribe(place) => {
                if let Some(place) = place.checked_rem(known.len()) {
                    pubsub.unsubscribe(known.remove(place).number);
                }
            }
            Op::Publish { topic, count } => publish(number, topic, *count, &mut pubsub, &known, &outboxes)?,
            Op::PublishNear(place, twist) => {
                if let Some(place) = place.checked_rem(known.len()) {
                    let topic = near(&known[place].filter, *twist);
                    publish(number, &topic, 1, &mut pubsub, &known, &outboxes)?;
                }
            }
        }
        check_sizes(&known, pubsub.sizes()).map_err(|breach| vec![breach])?;
    }
    for subscription in &known {
        pubsub.unsubscribe(subscription.number);
    }
    check_sizes(&[], pubsub.sizes()).map_err(|breach| vec![breach])
}

/// Publishes, and looks into every outbox.
fn publish(
    number: usize,
    topic: &Topic,
    count: usize,
    pubsub: &mut impl FanOut,
    known: &[Known],
    outboxes: &[Tray],
) -> Result<(), Vec<Breach>> {
    let texts: Vec<String> = (0..count).map(|nth| format!("{number}.{nth}")).collect();
    for text in &texts {
        pubsub.publish(topic, &Message::from(text.as_str()));
    }
    for outbox in outboxes {
        let of = |subscription: &&Known| subscription.outbox.is(outbox);
        let copies = known.iter().filter(of).filter(|known| known.filter.matches(topic)).count();
        check(&texts, copies, outbox).map_err(|breach| vec![breach])?;
    }
    Ok(())
}

/// Each message must have come `copies` times, and in order.
fn check(texts: &[String], copies: usize, outbox: &Tray) -> Result<(), Breach> {
    let expected: Vec<String> = texts.iter().flat_map(|text| vec![text.clone(); copies]).collect();
    let got: Vec<String> =
        outbox.take().iter().map(|message| message.as_str().unwrap_or_default().to_owned()).collect();
    if got == expected {
        return Ok(());
    }
    let times = |text: &String| got.iter().filter(|other| *other == text).count();
    let requirement = if got.iter().any(|text| !texts.contains(text)) {
        "REQ-SUB-007"
    } else if texts.iter().any(|text| times(text) < copies) {
        "REQ-SUB-001"
    } else if copies == 0 {
        "REQ-SUB-002"
    } else if texts.iter().any(|text| times(text) > copies) {
        "REQ-SUB-003"
    } else {
        "REQ-ORD-001"
    };
    Err(Breach::new(requirement, format!("{got:?} instead of {expected:?}")))
}

fn check_sizes(known: &[Known], (filters, subscriptions): (usize, usize)) -> Result<(), Breach> {
    // Filters of different kinds that mean the same may be counted as one.
    let mut different: Vec<&TopicFilter> = Vec::new();
    for subscription in known {
        if !different.contains(&&subscription.filter) {
            different.push(&subscription.filter);
        }
    }
    if subscriptions != known.len() || filters > different.len() || (filters == 0) != known.is_empty() {
        let what = format!("{filters} filters of {subscriptions} subscriptions instead of {}", known.len());
        return Err(Breach::new("REQ-LIF-005", what));
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(600))]

    /// REQ-SUB-001, REQ-SUB-002, REQ-SUB-003, REQ-SUB-007, REQ-SUB-008, REQ-ORD-001, REQ-LIF-005
    #[test]
    fn every_matching_subscription_receives_once_and_in_order(ops in ops()) {
        prop_assert_eq!(judge(&ops, RealPubSub::default()), Ok(()));
    }

}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn the_judge_has_nothing_against_a_list(ops in ops()) {
        prop_assert_eq!(judge(&ops, List::new(Fault::None)), Ok(()));
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// One message for an outbox with several subscriptions.
    OncePerOutbox,
    TwiceForTheFirst,
    MissesEveryFifth,
    MissesTheLastOfMany,
    StrangersToo,
    TheWrongOneLeaves,
    NobodyLeaves,
    AllLikeItLeave,
    SwapsTwo,
    ReplaysTheLast,
    KeepsCounting,
}

/// A list of subscriptions, with a switch for each fault.
struct List {
    subscriptions: Vec<(usize, TopicFilter, Tray)>,
    fault: Fault,
    published: usize,
    /// A message that waits for the next one to overtake it.
    late: Option<(Topic, Message)>,
    last: Option<(Topic, Message)>,
    /// Subscriptions that ended.
    ended: usize,
}

impl List {
    fn new(fault: Fault) -> Self {
        Self { subscriptions: Vec::new(), fault, published: 0, late: None, last: None, ended: 0 }
    }

    fn deliver(&self, topic: &Topic, message: &Message) {
        let mut reached: Vec<&Tray> = Vec::new();
        for (_, filter, outbox) in &self.subscriptions {
            let before = reached.iter().filter(|other| other.is(outbox)).count();
            let stranger = self.fault == Fault::StrangersToo && self.published.is_multiple_of(7);
            if !filter.matches(topic) && !stranger {
                continue;
            }
            if self.fault == Fault::OncePerOutbox && before > 0 {
                continue;
            }
            if self.fault == Fault::TwiceForTheFirst && reached.is_empty() {
                outbox.append(message, Via::NONE, &mut ());
            }
            if !(self.fault == Fault::MissesTheLastOfMany && reached.len() == 2) {
                outbox.append(message, Via::NONE, &mut ());
            }
            reached.push(outbox);
        }
    }
}

impl FanOut for List {
    fn subscribe(&mut self, subscription: usize, filter: &TopicFilter, outbox: &Tray) {
        self.subscriptions.push((subscription, filter.clone(), outbox.clone()));
        if let (Fault::ReplaysTheLast, Some((topic, message))) = (self.fault, &self.last)
            && filter.matches(topic)
        {
            outbox.append(message, Via::NONE, &mut ());
        }
    }

    fn unsubscribe(&mut self, subscription: usize) {
        self.ended += 1;
        let place = self.subscriptions.iter().position(|(number, ..)| *number == subscription);
        let last = self.subscriptions.len().saturating_sub(1);
        match (self.fault, place) {
            (Fault::TheWrongOneLeaves, _) => drop(self.subscriptions.remove(last)),
            (Fault::AllLikeItLeave, Some(place)) => {
                let filter = self.subscriptions[place].1.clone();
                self.subscriptions.retain(|(_, other, _)| *other != filter);
            }
            (Fault::NobodyLeaves, _) | (_, None) => {}
            (_, Some(place)) => drop(self.subscriptions.remove(place)),
        }
    }

    fn publish(&mut self, topic: &Topic, message: &Message) {
        self.published += 1;
        self.last = Some((topic.clone(), message.clone()));
        match self.fault {
            Fault::MissesEveryFifth if self.published.is_multiple_of(5) => {}
            Fault::SwapsTwo if self.published % 4 == 1 => self.late = Some((topic.clone(), message.clone())),
            _ => self.deliver(topic, message),
        }
        if self.published % 4 != 1
            && let Some((topic, message)) = self.late.take()
        {
            self.deliver(&topic, &message);
        }
    }

    fn sizes(&self) -> (usize, usize) {
        let mut filters: Vec<&TopicFilter> = Vec::new();
        for (_, filter, _) in &self.subscriptions {
            if !filters.contains(&filter) {
                filters.push(filter);
            }
        }
        let kept = if self.fault == Fault::KeepsCounting { self.ended } else { 0 };
        (filters.len() + kept, self.subscriptions.len())
    }
}

/// Each fault and what it breaks.
const FAULTS: [(Fault, &[&str]); 11] = [
    (Fault::OncePerOutbox, &["REQ-SUB-001"]),
    (Fault::TwiceForTheFirst, &["REQ-SUB-003"]),
    (Fault::MissesEveryFifth, &["REQ-SUB-001"]),
    (Fault::MissesTheLastOfMany, &["REQ-SUB-001"]),
    (Fault::StrangersToo, &["REQ-SUB-002"]),
    (Fault::TheWrongOneLeaves, &["REQ-SUB-001", "REQ-SUB-002", "REQ-SUB-003", "REQ-LIF-005"]),
    (Fault::NobodyLeaves, &["REQ-LIF-005"]),
    (Fault::AllLikeItLeave, &["REQ-LIF-005"]),
    // A message that waits for the next publish may miss its turn, or come as an old one.
    (Fault::SwapsTwo, &["REQ-ORD-001", "REQ-SUB-001", "REQ-SUB-007"]),
    (Fault::ReplaysTheLast, &["REQ-SUB-007"]),
    (Fault::KeepsCounting, &["REQ-LIF-005"]),
];

#[test]
fn each_planted_fault_is_found() {
    let mut hunt = Hunt::new("pub/sub");
    for (fault, breaks) in FAULTS {
        hunt.expect(fault, breaks, &ops(), |ops| judge(&ops, List::new(fault)));
    }
    let rules = ["REQ-SUB-001", "REQ-SUB-002", "REQ-SUB-003", "REQ-SUB-007", "REQ-ORD-001", "REQ-LIF-005"];
    hunt.end(&rules);
}
