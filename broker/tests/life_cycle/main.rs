//! How connections begin and end: membership, patience, limits, keep-alive and drain.

#[path = "../support/metrics.rs"]
mod metrics;
#[path = "../support/raw.rs"]
mod raw;
#[path = "../support/running.rs"]
mod running;
#[path = "../support/tls.rs"]
mod tls;

mod drain;
mod drain_http;
mod keepalive;
mod limits;
mod membership;
mod patience;

use raw::Raw;

/// Reads whole frames until one is a Close frame, after which the connection must end; gives how many messages
/// came before, and its payload.
async fn read_to_close(raw: &mut Raw) -> (usize, Vec<u8>) {
    for read in 0.. {
        let frame = raw.next().await.expect("a Close frame before the end");
        if frame.first == raw::CLOSE {
            raw.expect_end().await;
            return (read, frame.payload);
        }
    }
    unreachable!("a connection ends");
}
