//! Pushers to a queue that is full, because its pullers do not read.

use petasus_broker::config::{Config, OverflowPolicy};
use tokio::task::JoinHandle;

use crate::metrics::{Metrics, until};
use crate::raw::{Raw, TEXT, message, request};
use crate::running::{Running, seconds};
use crate::{FLOOD, next_number, numbered, numbers, small, stalled};

/// Jobs that may wait in a queue.
const HELD: u64 = 10;

fn tiny_queue() -> Config {
    let mut config = small("http://127.0.0.1:0", OverflowPolicy::Close);
    config.queue.hold_messages = HELD as usize;
    config
}

/// Pushes all jobs, as fast as the broker takes them.
fn push_all(mut pusher: Raw) -> JoinHandle<Raw> {
    tokio::spawn(async move {
        for number in 0..FLOOD {
            pusher.send(message(TEXT, numbered(number).as_bytes())).await;
        }
        pusher
    })
}

/// Jobs that the broker has read, but neither handed out nor put into the queue.
fn waiting(metrics: &Metrics) -> u64 {
    let read = metrics.value("petasus_messages_total{pattern=\"queue\"}");
    let taken = metrics.value("petasus_deliveries_total") + metrics.value("petasus_queue_held");
    // The numbers are not of one instant.
    read.saturating_sub(taken)
}

async fn until_it_waits(broker: &Running) {
    until(&broker.broker, "the pusher to wait", |metrics| {
        metrics.value("petasus_queue_held") == HELD && waiting(metrics) > 0
    })
    .await;
}

/// REQ-RR-001, REQ-RR-012, REQ-RR-014, REQ-FLOW-001, REQ-LIVE-001
#[tokio::test]
async fn a_pusher_is_not_read_while_all_pullers_are_full_and_then_it_is() {
    let broker = Running::start(tiny_queue()).await;
    let mut slow = stalled(broker.address, "/pull/a").await;
    let mut post = Raw::connect(broker.address).await;
    let pushing = push_all(Raw::open(broker.address, "/push/a").await);
    until_it_waits(&broker).await;

    // A POST does not wait, and others notice nothing.
    post.send(request("POST", "/push/a", "", "too much")).await;
    let answer = post.answer().await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")));
    let mut other = Raw::open(broker.address, "/pull/b").await;
    assert_eq!(post.post("/push/b", "another queue").await, 200);
    other.expect(TEXT, "another queue").await;

    // No more than one read waits beside the queue.
    let metrics = Metrics::of(&broker.broker);
    assert!((1..=65_536 / 8_000 + 1).contains(&waiting(&metrics)), "{} wait", waiting(&metrics));
    assert_eq!(metrics.value("petasus_queue_held"), HELD);

    assert!(numbers(&mut slow, FLOOD).await == (0..FLOOD).collect::<Vec<_>>());
    let mut pusher = pushing.await.unwrap();
    pusher.settle().await;
    slow.settle().await;
    assert_eq!(Metrics::of(&broker.broker).value("petasus_dropped_total"), 0);
    broker.stop().await;
}

/// REQ-RR-014, REQ-WS-017
#[tokio::test]
async fn a_pusher_that_waits_too_long_is_closed_and_what_was_taken_is_delivered() {
    let mut config = tiny_queue();
    config.queue.push_timeout = seconds(0.2);
    let broker = Running::start(config).await;
    let mut slow = stalled(broker.address, "/pull/a").await;
    let pusher = Raw::open(broker.address, "/push/a").await;
    let mut pusher = push_all(pusher).await.unwrap();
    assert_eq!(
        pusher.expect_close().await,
        [&3102_u16.to_be_bytes()[..], b"the queue was full for too long"].concat()
    );
    assert_eq!(Metrics::of(&broker.broker).closed("3102"), 1);

    assert_eq!(Metrics::of(&broker.broker).value("petasus_queue_held"), HELD);
    let taken = Metrics::of(&broker.broker).value("petasus_deliveries_total") + HELD;
    let taken = taken as usize;
    assert!(numbers(&mut slow, taken).await == (0..taken).collect::<Vec<_>>());
    // Nothing else was taken.
    assert_eq!(Raw::connect(broker.address).await.post("/push/a", &numbered(FLOOD)).await, 200);
    assert_eq!(next_number(&mut slow).await, Ok(FLOOD));
    broker.stop().await;
}

/// REQ-LIF-005, REQ-RR-014
#[tokio::test]
async fn a_pusher_that_goes_while_it_waits_is_forgotten() {
    let mut config = tiny_queue();
    config.queue.push_timeout = seconds(0.2);
    let broker = Running::start(config).await;
    let slow = stalled(broker.address, "/pull/a").await;
    let pushing = push_all(Raw::open(broker.address, "/push/a").await);
    until_it_waits(&broker).await;
    // Its socket goes with its task. The broker, which does not read it, finds that out when its time is over.
    pushing.abort();
    assert!(pushing.await.is_err());
    let connections = |metrics: &Metrics| metrics.value("petasus_connections");
    until(&broker.broker, "the pusher to be gone", |metrics| connections(metrics) == 1).await;
    slow.reset();
    until(&broker.broker, "everything to be freed", |metrics| metrics.live() == [0; 5]).await;
    broker.stop().await;
}
