//! What happens to a subscriber that stops reading, and that it happens to nobody else.

use petasus_broker::config::OverflowPolicy;

use crate::metrics::{Metrics, until};
use crate::raw::{Raw, TEXT, message};
use crate::running::Running;
use crate::{FLOOD, OUTBOX, next_number, numbered, numbers, small, stalled};

/// A sender, two who read and one who does not.
struct Scene {
    broker: Running,
    sender: Raw,
    /// The sender is among its own listeners.
    echo: bool,
    readers: [Raw; 2],
    slow: Option<Raw>,
    /// Messages sent.
    sent: usize,
}

impl Scene {
    async fn set(listen: &str, policy: OverflowPolicy, [sends, joins]: [&str; 2]) -> Scene {
        let broker = Running::start(small(listen, policy)).await;
        let address = broker.address;
        let slow = stalled(address, joins).await;
        let readers = [Raw::open(address, joins).await, Raw::open(address, joins).await];
        let sender = Raw::open(address, sends).await;
        let echo = listen.ends_with("dialects=pinghub");
        Scene { broker, sender, echo, readers, slow: Some(slow), sent: 0 }
    }

    /// Sends a message, and waits until all who read have it.
    async fn send(&mut self) {
        let text = numbered(self.sent);
        self.sender.send(message(TEXT, text.as_bytes())).await;
        for reader in &mut self.readers {
            reader.expect(TEXT, &text).await;
        }
        if self.echo {
            self.sender.expect(TEXT, &text).await;
        }
        self.sent += 1;
    }

    /// Sends until the slow reader makes the metrics say so.
    async fn send_until(&mut self, reached: impl Fn(&Metrics) -> bool) -> Metrics {
        loop {
            self.send().await;
            let metrics = Metrics::of(&self.broker.broker);
            assert!(metrics.value("petasus_outbox_depth_bytes_sum") <= OUTBOX as u64, "REQ-FLOW-003");
            if reached(&metrics) {
                return metrics;
            }
            assert!(self.sent < FLOOD, "all of it was buffered for one reader");
        }
    }
}

fn overflowed(metrics: &Metrics) -> bool {
    metrics.value("petasus_overflows_total") == 1
}

/// The slow reader has no gap, then this Close frame; the others go on.
async fn is_closed(mut scene: Scene, payload: &[u8], code: &str) {
    scene.send_until(overflowed).await;
    scene.send().await;
    let mut slow = scene.slow.take().expect("it is there");
    let mut read = 0;
    let close = loop {
        match next_number(&mut slow).await {
            Ok(number) => assert_eq!(number, read),
            Err(close) => break close,
        }
        read += 1;
    };
    assert_eq!(close, payload);
    drop(slow);
    assert!(read < scene.sent);
    scene.send().await;
    until(&scene.broker.broker, "the reader to be gone", |metrics| {
        metrics.value("petasus_connections") == 3 && metrics.closed(code) == 1
    })
    .await;
    let metrics = Metrics::of(&scene.broker.broker);
    assert_eq!(metrics.value("petasus_overflows_total"), 1);
    assert_eq!(metrics.value("petasus_dropped_total"), 0);
    scene.broker.stop().await;
}

/// REQ-FLOW-001, REQ-FLOW-002, REQ-FLOW-003, REQ-FLOW-004, REQ-FLOW-006
#[tokio::test]
async fn a_subscriber_that_stops_reading_is_closed() {
    let scene = Scene::set("http://127.0.0.1:0", OverflowPolicy::Close, ["/pub/a", "/sub/a"]).await;
    is_closed(scene, &[&3100_u16.to_be_bytes()[..], b"reads too slowly"].concat(), "3100").await;
}

/// REQ-FLOW-001, REQ-FLOW-003, REQ-FLOW-004, REQ-FLOW-006
#[tokio::test]
async fn a_peer_of_the_bus_that_stops_reading_is_closed() {
    let scene = Scene::set("http://127.0.0.1:0", OverflowPolicy::Close, ["/bus/a", "/bus/a"]).await;
    is_closed(scene, &[&3100_u16.to_be_bytes()[..], b"reads too slowly"].concat(), "3100").await;
}

/// REQ-PING-012, REQ-FLOW-001, REQ-FLOW-003
#[tokio::test]
async fn a_peer_of_a_channel_that_stops_reading_is_closed_without_a_word() {
    let listen = "http://127.0.0.1:0?dialects=pinghub";
    let scene = Scene::set(listen, OverflowPolicy::Close, ["/a", "/a"]).await;
    is_closed(scene, b"", "1005").await;
}

/// The slow reader loses as many messages as are counted, none twice, and keeps its connection. Gives what it got,
/// the last of which was sent after it had read everything else.
async fn has_gaps(mut scene: Scene, reason: &str) -> Vec<usize> {
    let counter = format!("petasus_dropped_total{{reason=\"{reason}\"}}");
    let metrics = scene.send_until(|metrics| metrics.value(&counter) >= 20).await;
    let dropped = metrics.value(&counter) as usize;
    assert_eq!(metrics.value("petasus_dropped_total"), dropped as u64);
    let mut slow = scene.slow.take().expect("it is there");
    let mut got = numbers(&mut slow, scene.sent - dropped).await;
    assert!(got.is_sorted_by(|one, next| one < next), "{got:?}");
    slow.settle().await;
    // It has caught up, and misses nothing more.
    let last = scene.sent;
    scene.send().await;
    assert_eq!(numbers(&mut slow, 1).await, [last]);
    let metrics = Metrics::of(&scene.broker.broker);
    assert_eq!(metrics.value(&counter), dropped as u64);
    assert_eq!(metrics.value("petasus_overflows_total"), 0);
    scene.broker.stop().await;
    got.push(last);
    got
}

/// REQ-FLOW-001, REQ-FLOW-002, REQ-FLOW-003, REQ-FLOW-005, REQ-FLOW-006
#[tokio::test]
async fn with_drop_oldest_a_subscriber_that_stops_reading_gets_the_newest() {
    let scene = Scene::set("http://127.0.0.1:0", OverflowPolicy::DropOldest, ["/pub/a", "/sub/a"]).await;
    let got = has_gaps(scene, "drop_oldest").await;
    let gap = got.windows(2).rposition(|pair| pair[0] + 1 != pair[1]).expect("something was dropped");
    // All that an outbox holds lies behind the last gap.
    let kept = got.len() - 2 - gap;
    assert!((OUTBOX / 8_064 - 1..=OUTBOX / 8_064).contains(&kept), "{kept} are behind the gap");
}

/// REQ-FLOW-001, REQ-FLOW-002, REQ-FLOW-003, REQ-FLOW-005, REQ-FLOW-006
#[tokio::test]
async fn with_drop_newest_a_subscriber_that_stops_reading_gets_the_oldest() {
    let scene = Scene::set("http://127.0.0.1:0", OverflowPolicy::DropNewest, ["/pub/a", "/sub/a"]).await;
    let got = has_gaps(scene, "drop_newest").await;
    let last = got[got.len() - 1];
    assert_ne!(got[got.len() - 2], last - 1, "the last one before it read again was dropped");
}
