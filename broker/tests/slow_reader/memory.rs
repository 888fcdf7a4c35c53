//! What slow readers cost: their outboxes and no more. The broker is a process of its own, so that its memory is.

use crate::child::Child;
use crate::raw::{PING, Raw, TEXT, frame, message};
use crate::stalled;

const MIB: u64 = 1024 * 1024;

/// Readers that do not read, each with an outbox of 1 MiB.
const READERS: u64 = 4;

/// What is sent to each of them.
const SENT: u64 = 48 * MIB;

/// What the readers may cost, and what an allocator may hold back: far less than was sent.
const GROWTH: u64 = (READERS + 12) * MIB;

/// REQ-FLOW-003, REQ-FLOW-005, REQ-FLOW-006
#[tokio::test]
async fn readers_that_do_not_read_cost_no_more_than_their_outboxes() {
    let mut broker = Child::start("outbox = { bytes = 1048576, policy = \"drop_oldest\" }").await;
    let mut slow = Vec::new();
    for _ in 0..READERS {
        slow.push(stalled(broker.address, "/sub/a").await);
    }
    let mut publisher = Raw::open(broker.address, "/pub/a").await;
    let message = message(TEXT, &[b'x'; 8_192]);
    publisher.send(&message).await;
    publisher.settle().await;
    let before = broker.resident();
    for _ in 0..SENT / 8_192 {
        publisher.send(&message).await;
    }
    publisher.settle().await;
    let after = broker.resident();
    let metrics = broker.metrics().await;
    let depth = metrics.value("petasus_outbox_depth_bytes_sum");
    println!("{depth} bytes wait; {before} bytes were resident before, {after} after");
    assert!((READERS * (MIB - 2 * 8_192)..=READERS * MIB).contains(&depth), "{depth}");
    assert!(metrics.value("petasus_dropped_total{reason=\"drop_oldest\"}") > READERS * SENT / 8_192 / 2);
    assert!(after < before + GROWTH, "{before} bytes became {after}");
    drop(slow);
    broker.until("the readers to be gone", |metrics| metrics.members() == 0).await;
    publisher.leave().await;
    assert_eq!(broker.stop(), 0);
}

/// REQ-FLOW-003, REQ-LIVE-002
#[tokio::test]
async fn pings_of_a_client_that_reads_no_pongs_are_not_kept() {
    let mut broker = Child::start("outbox = { bytes = 1048576 }").await;
    let mut slow = stalled(broker.address, "/sub/a").await;
    let pings = frame(PING, &[b'x'; 125]).repeat(512);
    slow.send(&pings).await;
    let before = broker.resident();
    for _ in 0..32 * MIB / pings.len() as u64 {
        slow.send(&pings).await;
    }
    // It is still served.
    slow.send(message(TEXT, b"ignored")).await;
    broker
        .until("all to be read", |metrics| {
            metrics.value("petasus_dropped_total{reason=\"receive_only\"}") == 1
        })
        .await;
    let after = broker.resident();
    println!("{before} bytes were resident before, {after} after");
    assert!(after < before + 12 * MIB, "{before} bytes became {after}");
    drop(slow);
    broker.until("the client to be gone", |metrics| metrics.members() == 0).await;
    assert_eq!(broker.stop(), 0);
}
