//! Streams that the broker did not accept itself: pipes in memory, on a clock that stands still while anybody is busy.

#[path = "support/raw.rs"]
mod raw;

use std::time::Duration;

use petasus_broker::Broker;
use petasus_broker::config::{Config, Dialects};
use raw::{CLOSE, Raw, TEXT, message, request};
use tokio::io::DuplexStream;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// A pipe to the broker, and the task that serves it.
fn pipe(broker: &Broker) -> (Raw<DuplexStream>, JoinHandle<()>) {
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let broker = broker.clone();
    let served = async move { broker.serve(theirs, None, Dialects::default()).await };
    (Raw::over(ours), tokio::spawn(served))
}

fn broker(config: Config) -> Broker {
    Broker::builder().config(config).build().unwrap()
}

/// REQ-BUS-001, REQ-HTTP-001
#[tokio::test(start_paused = true)]
async fn a_pipe_in_memory_is_served_as_a_socket_is_and_in_no_time() {
    let (broker, began) = (broker(Config::default()), Instant::now());
    let (mut one, one_served) = pipe(&broker);
    let (mut other, _) = pipe(&broker);
    one.upgrade("/bus/pipes", "").await;
    other.upgrade("/bus/pipes", "").await;
    one_served.await.unwrap();
    assert_eq!(broker.connections(), 2);
    one.send(message(TEXT, b"through memory")).await;
    other.expect(TEXT, "through memory").await;
    let (mut poster, _) = pipe(&broker);
    assert_eq!(poster.post("/bus/pipes", "posted").await, 200);
    other.expect(TEXT, "posted").await;
    assert_eq!(began.elapsed(), Duration::ZERO);
}

/// REQ-LIM-001: a pipe takes a place as a socket does.
#[tokio::test(start_paused = true)]
async fn pipes_count_against_the_limit_of_connections() {
    let mut config = Config::default();
    config.limits.connections = 1;
    let broker = broker(config);
    let (mut first, _) = pipe(&broker);
    first.upgrade("/bus/pipes", "").await;
    let (mut second, _) = pipe(&broker);
    second.send(request("POST", "/bus/pipes", "", "")).await;
    assert_eq!(second.answer().await.status, 503);
}

/// REQ-DRAIN-001: an idle request connection does not hold the drain up until it is cut off.
#[tokio::test(start_paused = true)]
async fn a_drain_lets_pipes_go_at_once() {
    let (broker, began) = (broker(Config::default()), Instant::now());
    let (mut peer, _) = pipe(&broker);
    peer.upgrade("/bus/pipes", "").await;
    let (mut idle, idle_served) = pipe(&broker);
    assert_eq!(idle.post("/bus/pipes", "posted").await, 200);
    peer.expect(TEXT, "posted").await;
    let (goodbye, cut_off) = tokio::join!(
        async {
            let goodbye = peer.frame().await.map(|frame| frame.first);
            drop(peer);
            goodbye
        },
        broker.drain()
    );
    assert_eq!((goodbye, cut_off), (Some(CLOSE), 0));
    idle_served.await.unwrap();
    assert_eq!(began.elapsed(), Duration::ZERO);
}
