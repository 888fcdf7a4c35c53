//! Readers that stop reading: nobody else notices, no memory grows, and what happens to them is their policy.

#[path = "../support/child.rs"]
mod child;
#[path = "../support/metrics.rs"]
mod metrics;
#[path = "../support/raw.rs"]
mod raw;
#[path = "../support/running.rs"]
mod running;
#[path = "../support/tls.rs"]
mod tls;

mod memory;
mod policies;
mod pullers;
mod pushers;
mod resumed;

use std::net::SocketAddr;

use petasus_broker::config::{Config, OverflowPolicy};
use raw::{FIN, Raw, TEXT};
use running::config;
use tokio::io::{AsyncRead, AsyncWrite};

/// Bytes of an outbox: some messages.
const OUTBOX: usize = 65_536;

/// More messages than all buffers between a broker and a reader hold, the system's included.
const FLOOD: usize = 1_500;

/// The message with this number, 8000 bytes long.
fn numbered(number: usize) -> String {
    format!("{number:0>8000}")
}

/// A broker with small outboxes.
fn small(listen: &str, policy: OverflowPolicy) -> Config {
    let mut config = config(listen);
    config.limits.message = 16_384;
    config.pinghub.message = 16_384;
    config.outbox.bytes = OUTBOX;
    config.outbox.policy = policy;
    config
}

/// A WebSocket whose client will not read much unless it wants to.
async fn stalled(address: SocketAddr, path: &str) -> Raw {
    let mut raw = Raw::connect_small(address).await;
    raw.upgrade(path, "").await;
    raw
}

/// The number of the next message, or the payload of the Close frame that comes instead.
async fn next_number<S>(raw: &mut Raw<S>) -> Result<usize, Vec<u8>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let frame = raw.next().await.expect("a message or a Close frame");
    if frame.first == raw::CLOSE {
        raw.expect_end().await;
        return Err(frame.payload);
    }
    assert_eq!(frame.first, FIN | TEXT);
    let text = String::from_utf8(frame.payload).unwrap();
    let number = text.trim_start_matches('0').parse().unwrap_or(0);
    assert!(text == numbered(number), "message {number} is broken");
    Ok(number)
}

/// Reads so many numbers.
async fn numbers<S>(raw: &mut Raw<S>, count: usize) -> Vec<usize>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut numbers = Vec::with_capacity(count);
    while numbers.len() < count {
        numbers.push(next_number(raw).await.expect("the connection stays open"));
    }
    numbers
}
