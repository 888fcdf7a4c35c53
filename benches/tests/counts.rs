//! What can be promised by count, on any machine: how often a delivery writes, and how often a publish allocates.
//!
//! Broker and clients share one thread, on which allocations are counted; the clients make none. The sockets are real.

mod inside;

use petasus_broker::Broker;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

/// Bytes of a message, and of its frame from the server: 128 needs the two-byte length.
const SIZE: usize = 128;
const SERVER_FRAME: usize = 4 + SIZE;

/// A broker in this thread, one publisher, and its subscribers.
struct Bench {
    runtime: Runtime,
    broker: Broker,
    publisher: TcpStream,
    subscribers: Vec<TcpStream>,
    /// What is published: `messages` frames, to be written at once.
    frames: Vec<u8>,
    messages: usize,
    received: Vec<u8>,
}

impl Bench {
    /// `messages`: how many are published by one write.
    fn new(subscribers: usize, messages: usize) -> Self {
        let (runtime, broker, address) = inside::broker();
        let (publisher, subscribers) = runtime.block_on(async {
            let mut streams = Vec::new();
            for _ in 0..subscribers {
                streams.push(connect(&address, "/sub/x").await);
            }
            (connect(&address, "/pub/x").await, streams)
        });
        // A text frame of 128 bytes, masked by zeros.
        let frame = [[0x81, 0xfe, 0, SIZE as u8, 0, 0, 0, 0].as_slice(), &[b'.'; SIZE]].concat();
        let (frames, received) = (frame.repeat(messages), vec![0; SERVER_FRAME * messages]);
        Self { runtime, broker, publisher, subscribers, frames, messages, received }
    }

    /// Publishes by `writes` writes, and reads everything after each.
    fn publish(&mut self, writes: usize) {
        self.runtime.block_on(async {
            for _ in 0..writes {
                self.publisher.write_all(&self.frames).await.expect("the broker reads");
                for subscriber in &mut self.subscribers {
                    subscriber.read_exact(&mut self.received).await.expect("the broker delivers");
                }
            }
        });
        assert_eq!(self.received[..4], [0x81, 126, 0, SIZE as u8]);
        assert!(self.received[4..SERVER_FRAME].iter().all(|byte| *byte == b'.'));
    }

    /// Allocations for each message, once pools and buffers have grown to what this load needs.
    fn allocations_per_publish(&mut self) -> f64 {
        const WRITES: usize = 50;
        self.publish(WRITES);
        let counted = allocation_counter::measure(|| self.publish(WRITES));
        counted.count_total as f64 / (WRITES * self.messages) as f64
    }

    fn counter(&self, name: &str) -> f64 {
        let metrics = self.broker.metrics();
        let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {name} in {metrics}"))
    }

    /// Writes to sockets for each delivery.
    fn writes_per_delivery(&mut self) -> f64 {
        const WRITES: usize = 50;
        let before = [self.counter("petasus_socket_writes_total"), self.counter("petasus_deliveries_total")];
        self.publish(WRITES);
        let after = [self.counter("petasus_socket_writes_total"), self.counter("petasus_deliveries_total")];
        assert!(after[1] - before[1] >= (WRITES * self.messages * self.subscribers.len()) as f64 - 0.5);
        (after[0] - before[0]) / (after[1] - before[1])
    }
}

async fn connect(address: &str, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("the broker listens");
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.expect("the broker reads");
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await.expect("an answer"));
    }
    assert!(answer.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&answer));
    stream
}

#[test]
fn allocations_per_publish_do_not_grow_with_the_fan_out() {
    for messages in [1, 64] {
        let counts = [1, 10, 100, 1000].map(|subscribers| {
            let count = Bench::new(subscribers, messages).allocations_per_publish();
            println!("{messages} at once to {subscribers}: {count:.2} allocations per publish");
            count
        });
        // A read whose messages go to more than 64 sockets is flushed in several turns: one future in a box, whatever
        // their number. A tenth of an allocation is room for a buffer that grows once more.
        let most = counts[0] + 1.0 / messages as f64 + 0.1;
        assert!(counts.iter().all(|count| *count <= most), "{messages} at once: {counts:?}");
    }
}

#[test]
fn a_delivery_by_itself_is_one_write_and_a_batch_is_one_too() {
    for (messages, most) in [(1, 1.02), (64, 1.02 / 32.0)] {
        let writes = Bench::new(100, messages).writes_per_delivery();
        println!("{messages} at once to 100: {writes:.4} writes per delivery");
        assert!(writes <= most, "{messages} at once: {writes} writes per delivery");
    }
}
