//! The hub: what a publish costs before the first byte is written.
//!
//! The outboxes here keep a count and the last message, so that each delivery costs what it cannot do without: a
//! look at the receiver and another owner of the payload.
//!
//! `cargo bench -p petasus-benches --bench fanout`

use std::cell::{Cell, RefCell};
use std::hint::black_box;
use std::rc::Rc;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use petasus_broker::hub::{
    Assignment, Bus, Ended, JobEnd, Offered, Outbox, PubSub, Pushed, Queue, QueueRules, Via,
};
use petasus_protocol::{Message, Topic, TopicFilter};

/// An outbox that takes everything.
#[derive(Clone, Default)]
struct Sink(Rc<Taken>);

#[derive(Default)]
struct Taken {
    count: Cell<u64>,
    last: RefCell<Option<Message>>,
}

impl Sink {
    fn take(&self, message: &Message) {
        self.0.count.set(self.0.count.get() + 1);
        self.0.last.replace(Some(message.clone()));
    }

    fn count(&self) -> u64 {
        self.0.count.get()
    }
}

impl Outbox for Sink {
    type Batch = ();
    type Parcel = Message;

    fn append(&self, message: &Message, _: Via, (): &mut ()) {
        self.take(message);
    }

    fn is(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl JobEnd for Sink {
    type Job = Message;
    type Answer = ();

    fn offer(&self, message: &Message, _: Option<Assignment>, (): &mut ()) -> Offered {
        self.take(message);
        Offered::Taken
    }

    fn reclaim(&self) -> Vec<Message> {
        Vec::new()
    }

    fn retract(&self, _: u64) {}

    fn resume(&self) {}

    fn settle(&self, _: u64, _: Ended<'_, ()>, (): &mut ()) {}
}

/// 128 bytes of text.
fn message() -> Message {
    Message::from(".".repeat(128))
}

/// The promise that 100,000 subscriptions cost no more per publish than the 100 of them that match.
fn pubsub(criterion: &mut Criterion) {
    const MATCHING: usize = 100;
    let topic = Topic::new("news/sport/football");
    let mut group = criterion.benchmark_group("publish to 100");
    group.throughput(Throughput::Elements(MATCHING as u64));
    for subscriptions in [MATCHING, 1_000, 100_000] {
        let mut pubsub = PubSub::default();
        let wanted = Sink::default();
        for _ in 0..MATCHING {
            pubsub.subscribe(&TopicFilter::Tree(topic.clone()), wanted.clone(), Duration::ZERO);
        }
        let unwanted = Sink::default();
        for number in MATCHING..subscriptions {
            let other = Topic::new(&format!("news/sport{}/team{number}", number % 100));
            pubsub.subscribe(&TopicFilter::Tree(other), unwanted.clone(), Duration::ZERO);
        }
        let message = message();
        pubsub.publish(&topic, &message, |_| true, &mut ());
        assert_eq!((wanted.count(), unwanted.count()), (MATCHING as u64, 0));
        group.bench_function(BenchmarkId::new("of subscriptions", subscriptions), |bencher| {
            bencher.iter(|| pubsub.publish(black_box(&topic), &message, |_| true, &mut ()));
        });
    }
    group.finish();
}

/// As many outboxes as receivers, so that large fan-outs leave the processor's cache as they do in life.
fn bus(criterion: &mut Criterion) {
    let topic = Topic::new("room");
    let mut group = criterion.benchmark_group("bus");
    for receivers in [1, 10, 100, 1_000] {
        let mut bus = Bus::default();
        let sender = bus.join(&topic, Sink::default(), false);
        let sinks: Vec<_> = (0..receivers).map(|_| Sink::default()).collect();
        for sink in &sinks {
            bus.join(&topic, sink.clone(), false);
        }
        let message = message();
        bus.send(sender, &message, &mut ());
        assert!(sinks.iter().all(|sink| sink.count() == 1));
        group.throughput(Throughput::Elements(receivers as u64));
        group.bench_function(BenchmarkId::new("receivers", receivers), |bencher| {
            bencher.iter(|| bus.send(black_box(sender), &message, &mut ()));
        });
    }
    group.finish();
}

/// A job finds its puller in the same time, however many there are.
fn queue(criterion: &mut Criterion) {
    let topic = Topic::new("jobs");
    let mut group = criterion.benchmark_group("push");
    for pullers in [1, 10, 1_000] {
        let rules = QueueRules {
            hold: false,
            hold_messages: 1,
            hold_bytes: 1,
            hold_age: Duration::ZERO,
            hold_total: usize::MAX,
        };
        let mut queue = Queue::new(rules);
        let sinks: Vec<_> = (0..pullers).map(|_| Sink::default()).collect();
        for sink in &sinks {
            queue.pull(&topic, sink.clone(), Duration::ZERO, &mut ());
        }
        let message = message();
        let mut push = || queue.push(black_box(&topic), &message, Duration::ZERO, None, &mut ());
        for _ in 0..pullers {
            assert_eq!(push(), Pushed::Handed);
        }
        assert!(sinks.iter().all(|sink| sink.count() == 1), "strict rotation");
        group.bench_function(BenchmarkId::new("pullers", pullers), |bencher| bencher.iter(&mut push));
    }
    group.finish();
}

criterion_group!(benches, pubsub, bus, queue);
criterion_main!(benches);
