//! Peers that are not there any more, and peers that have nothing to say.

use petasus_broker::config::Config;
use tokio::task::JoinSet;

use crate::metrics::{Metrics, until};
use crate::raw::{FIN, Frame, PING, Raw, TEXT, message, soon};
use crate::running::{Running, config, seconds};

/// More pings than anybody gets who does not answer.
const MANY: usize = 10;

/// Pings so often that nobody has to wait, and so seldom that a busy machine answers in time.
fn pinging(dialects: &str) -> Config {
    let mut config = config(&format!("http://127.0.0.1:0?dialects={dialects}"));
    config.timeouts.ping = seconds(1.0);
    config.pinghub.ping = seconds(1.0);
    config.pinghub.pong = seconds(2.0);
    config
}

/// Reads pings, which are not answered, until the connection ends without a Close frame; how many there were.
async fn pings_until_dropped(mut raw: Raw) -> usize {
    let mut pings = 0;
    while let Some(frame) = raw.frame().await {
        assert_eq!(frame, Frame { first: PING, payload: Vec::new() });
        pings += 1;
        assert!(pings < MANY, "it is not dropped");
    }
    pings
}

/// Answers pings for ever; nothing else comes.
async fn answers(raw: &mut Raw) {
    let frame = raw.next().await;
    unreachable!("nothing comes: {frame:?}");
}

/// REQ-LIF-001, REQ-LIF-002, REQ-PING-011
#[tokio::test]
async fn a_peer_that_answers_no_ping_is_dropped_and_one_that_does_is_not() {
    let broker = Running::start(pinging("mercury,pinghub:/hub")).await;
    let mut dropped = JoinSet::new();
    for path in ["/pull/a", "/sub/a", "/pub/a", "/hub/a"] {
        let silent = Raw::open(broker.address, path).await;
        let mut healthy = Raw::open(broker.address, path).await;
        dropped.spawn(async move {
            tokio::select! {
                pings = pings_until_dropped(silent) => assert!((1..=2).contains(&pings), "{path}: {pings}"),
                () = answers(&mut healthy) => {}
            }
            healthy
        });
    }
    for healthy in dropped.join_all().await {
        healthy.leave().await;
    }
    let metrics = Metrics::of(&broker.broker);
    assert_eq!([metrics.closed("none"), metrics.closed("1000")], [4, 4]);
    broker.stop().await;
}

/// Jobs were handed to it, and nobody reads them. It is not even there to refuse them.
///
/// REQ-LIF-002, REQ-RR-001, REQ-RR-011
#[tokio::test]
async fn what_waits_for_a_puller_that_is_not_there_any_more_goes_to_another() {
    let mut config = pinging("mercury");
    config.limits.message = 16_384;
    config.outbox.bytes = 65_536;
    let broker = Running::start(config).await;
    let mut silent = Raw::connect_small(broker.address).await;
    silent.upgrade("/pull/a", "").await;
    let mut pusher = Raw::open(broker.address, "/push/a").await;
    let mut pushed = 0;
    // Until it is full, and some jobs wait even for room in its outbox.
    while Metrics::of(&broker.broker).value("petasus_queue_held") < 10 {
        pusher.send(message(TEXT, numbered(pushed).as_bytes())).await;
        pusher.settle().await;
        pushed += 1;
    }
    let other = Raw::open(broker.address, "/pull/a").await;
    let numbers = tokio::spawn(read_to(other, pushed));
    tokio::select! {
        () = until(&broker.broker, "the puller to be dropped", |metrics| metrics.closed("none") == 1) => {}
        () = answers(&mut pusher) => {}
    }
    // All that waited was handed on before it was dropped, and before this.
    pusher.send(message(TEXT, numbered(pushed).as_bytes())).await;
    let numbers = numbers.await.unwrap();
    let (waited, back) = numbers.split_at(10);
    assert_eq!(waited, (pushed - 10..pushed).collect::<Vec<_>>());
    let first_back = *back.first().expect("it was not written all it was handed");
    assert_eq!(back, (first_back..pushed - 10).collect::<Vec<_>>());
    drop(silent);
    broker.stop().await;
}

fn numbered(number: usize) -> String {
    format!("{number:0>8000}")
}

/// Reads numbered jobs until this one.
async fn read_to(mut raw: Raw, last: usize) -> Vec<usize> {
    let mut numbers = Vec::new();
    loop {
        let frame = raw.next().await.expect("the connection is open");
        assert_eq!(frame.first, FIN | TEXT);
        match std::str::from_utf8(&frame.payload).unwrap().parse().unwrap() {
            number if number == last => return numbers,
            number => numbers.push(number),
        }
    }
}

/// REQ-LIF-001
#[tokio::test]
async fn a_peer_that_talks_is_there_although_it_answers_no_ping() {
    let broker = Running::start(pinging("mercury")).await;
    let mut talking = Raw::open(broker.address, "/pub/a").await;
    // It outlives two silent ones.
    for _ in 0..2 {
        let mut silent = std::pin::pin!(pings_until_dropped(Raw::open(broker.address, "/pub/a").await));
        loop {
            tokio::select! {
                _ = &mut silent => break,
                frame = talking.frame() => {
                    assert_eq!(frame.expect("it is not dropped").first, PING);
                    talking.send(message(TEXT, b"no pong")).await;
                }
            }
        }
    }
    broker.stop().await;
}

/// REQ-PING-011
#[tokio::test]
async fn a_pinghub_peer_that_talks_but_answers_no_ping_is_dropped() {
    let broker = Running::start(pinging("pinghub")).await;
    let mut talking = Raw::open(broker.address, "/a").await;
    let mut pings = 0;
    while let Some(frame) = talking.frame().await {
        if frame.first == PING {
            pings += 1;
            assert!(pings < MANY, "it is not dropped");
            talking.send(message(TEXT, b"no pong")).await;
        } else {
            assert_eq!(frame.first, FIN | TEXT);
        }
    }
    assert!((1..=2).contains(&pings), "{pings}");
    assert_eq!(Metrics::of(&broker.broker).closed("none"), 1);
    broker.stop().await;
}

/// REQ-LIM-003
#[tokio::test]
async fn messages_in_either_direction_keep_a_connection_and_pings_do_not() {
    let mut config = pinging("mercury");
    config.timeouts.idle = seconds(2.5);
    let broker = Running::start(config).await;
    let mut sending = Raw::open(broker.address, "/pub/busy").await;
    let mut receiving = Raw::open(broker.address, "/sub/busy").await;
    let mut idle = Raw::open(broker.address, "/sub/idle").await;
    let mut beat = tokio::time::interval(std::time::Duration::from_millis(50));
    let talking = async {
        loop {
            beat.tick().await;
            sending.send(message(TEXT, b"x")).await;
            receiving.expect(TEXT, "x").await;
        }
    };
    let close = tokio::select! {
        close = soon("the idle one to be closed", idle.expect_close()) => close,
        () = talking => unreachable!("there is always something to say"),
    };
    assert_eq!(close, [&3101_u16.to_be_bytes()[..], b"idle for too long"].concat());
    // The others are still there. Now nothing is said any more, but for what may be under way.
    sending.settle().await;
    let both = async { tokio::join!(sending.expect_close(), crate::read_to_close(&mut receiving)) };
    let (one, (_, other)) = soon("the others to be closed", both).await;
    assert_eq!([one, other], [close.clone(), close]);
    assert_eq!(Metrics::of(&broker.broker).closed("3101"), 3);
    broker.stop().await;
}
