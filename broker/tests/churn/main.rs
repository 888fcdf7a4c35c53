//! Clients that come and go all the time, in every way there is, while others post and one stays.
//!
//! The broker is a process of its own: it must not crash, must lose nothing for the one who stays, and must keep
//! nothing of those who went.

#[path = "../support/child.rs"]
mod child;
#[path = "../support/metrics.rs"]
mod metrics;
#[path = "../support/raw.rs"]
mod raw;
#[path = "../support/running.rs"]
mod running;

mod crowd;
mod queue;
mod stay;

use std::net::SocketAddr;

use child::Child;
use crowd::{Crowd, churn};
use stay::{Heard, Staying};

/// How much the resident memory may grow over the second half: less than one page for each connection that
/// came and went, so that not one of them can have kept its buffers.
const GROWTH: u64 = 2 * 1024 * 1024;

/// Churns in two halves, and compares the memory at the quiet point behind each.
async fn memory_stays_flat(cycles: usize) {
    let mut broker = Child::start("").await;
    let crowd = Crowd { joins: "/bus/churn", posts: "/bus/churn" };
    let staying = Staying::join(broker.address, "/bus/churn").await;

    let first = churn(broker.address, crowd, cycles / 2).await;
    let before = quiet(&mut broker, 1).await;
    let second = churn(broker.address, crowd, cycles / 2).await;
    let after = quiet(&mut broker, 1).await;

    staying.heard_all_of(&[first, second], broker.address, "/bus/churn").await;
    nothing_is_left(&mut broker).await;
    println!("resident: {before} bytes after {} cycles, {after} after {cycles}", cycles / 2);
    assert!(after < before + GROWTH, "{before} bytes became {after}");
    assert_eq!(broker.stop(), 0);
}

/// Waits until only those who stay are there, then measures the memory.
async fn quiet(broker: &mut Child, staying: u64) -> u64 {
    broker.until("the crowd to be gone", |metrics| metrics.live() == [staying, staying, 1, 0, 0]).await;
    broker.resident()
}

async fn nothing_is_left(broker: &mut Child) {
    broker.until("everything to be freed", |metrics| metrics.live() == [0; 5]).await;
}

/// REQ-LIF-005, REQ-BUS-004, REQ-LIVE-002
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_come_and_go_and_nothing_is_left_of_them() {
    memory_stays_flat(10_000).await;
}

/// REQ-LIF-005, REQ-BUS-004
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes"]
async fn a_hundred_thousand_come_and_go_and_nothing_is_left_of_them() {
    memory_stays_flat(100_000).await;
}

/// Those who come and go speak another dialect than the one who stays.
///
/// REQ-LIF-005, REQ-PING-001, REQ-PING-015
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_survives_those_who_come_and_go() {
    let mut broker = Child::start("").await;
    let crowd = Crowd { joins: "/hub/churn", posts: "/hub/churn" };
    stays_while_others_churn(&mut broker, "/bus/churn", crowd).await;
    assert_eq!(broker.stop(), 0);
}

/// REQ-LIF-005, REQ-SUB-008
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscriber_loses_nothing_while_others_come_and_go() {
    let mut broker = Child::start("").await;
    for joins in ["/sub/churn", "/sub/churn/deep", "/pub/churn"] {
        stays_while_others_churn(&mut broker, "/sub/churn", Crowd { joins, posts: "/pub/churn/deep" }).await;
    }
    assert_eq!(broker.stop(), 0);
}

async fn stays_while_others_churn(broker: &mut Child, path: &str, crowd: Crowd) {
    let address: SocketAddr = broker.address;
    let staying = Staying::join(address, path).await;
    let posted = churn(address, crowd, 1_000).await;
    let heard: Heard = staying.heard_all_of(&[posted], address, crowd.posts).await;
    println!("{} {}: {} messages", crowd.joins, crowd.posts, heard.messages);
    nothing_is_left(broker).await;
}
