//! What WAMP promises by count: an event is encoded once for each subscription and serialisation, whoever and how
//! many receive it.
//!
//! Broker and clients share one thread, on which allocations are counted; the clients make none. The sockets are real.
//! Encoding an event once more would allocate its frame once more: a count that does not grow with the subscribers
//! says that it is not.

mod inside;

use bytes::Bytes;
use petasus_protocol::wamp::message::{Hello, Publish, Subscribe};
use petasus_protocol::wamp::{Dict, Limits, Message, Payload, Serializer, Value};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

/// Bytes of the only argument of a publication.
const SIZE: usize = 128;
/// The topic of all publications.
const TOPIC: &str = "load.topic";

/// A broker in this thread, one publisher, and its subscribers.
struct Bench {
    runtime: Runtime,
    publisher: TcpStream,
    /// By serialisation, whose events have a length of their own.
    subscribers: Vec<(TcpStream, Vec<u8>)>,
    /// The number of the last PUBLISH.
    requests: u64,
    /// How many publications are written at once.
    messages: usize,
}

/// A filter: a topic or pattern, and how it matches.
type Filter = (&'static str, &'static str);

impl Bench {
    /// `wires`: how each subscriber reads, and what it subscribes to.
    fn new(wires: &[(Serializer, Filter)], messages: usize) -> Self {
        let (runtime, _broker, address) = inside::broker();
        let (publisher, subscribers) = runtime.block_on(async {
            let mut streams = Vec::new();
            for (serializer, (pattern, kind)) in wires {
                let mut stream = join(&address, *serializer).await;
                let options = Dict::new().with("match", *kind);
                let topic = (*pattern).to_owned();
                send(&mut stream, *serializer, Subscribe { request: 1, options, topic }.into()).await;
                let answer = receive(&mut stream, *serializer).await;
                assert!(matches!(answer, Message::Subscribed(_)), "{answer:?}");
                streams.push((stream, Vec::new()));
            }
            (join(&address, Serializer::Json).await, streams)
        });
        let mut bench = Self { runtime, publisher, subscribers, requests: 0, messages };
        bench.measure_events(wires);
        bench
    }

    /// Publishes once, decodes what each subscriber gets, and makes room for as much as a batch of it.
    fn measure_events(&mut self, wires: &[(Serializer, Filter)]) {
        let publication = self.publications(1);
        self.runtime.block_on(async {
            self.publisher.write_all(&publication).await.expect("the broker reads");
            for ((stream, received), (serializer, _)) in self.subscribers.iter_mut().zip(wires) {
                let (length, event) = receive_sized(stream, *serializer).await;
                let Message::Event(event) = event else { panic!("no EVENT: {event:?}") };
                assert_eq!(event.payload.decode_args::<(String,)>().expect("one text").0.len(), SIZE);
                received.reserve_exact(2 * length * self.messages);
            }
        });
    }

    /// The frames of `messages` publications, masked by zeros.
    fn publications(&mut self, messages: usize) -> Vec<u8> {
        let mut frames = Vec::new();
        for _ in 0..messages {
            self.requests += 1;
            let payload = Payload::of_args(Serializer::Json, &[".".repeat(SIZE)]).expect("a list");
            let request = self.requests;
            let publish = Publish { request, options: Dict::new(), topic: TOPIC.to_owned(), payload };
            frames.extend(frame(Serializer::Json, &Message::from(publish)));
        }
        frames
    }

    /// Allocations for each publication, once pools and buffers have grown to what this load needs.
    fn allocations_per_publish(&mut self) -> f64 {
        const WRITES: usize = 50;
        let batches: Vec<_> = (0..2 * WRITES).map(|_| self.publications(self.messages)).collect();
        let (warm, counted) = batches.split_at(WRITES);
        self.publish(warm);
        let count = allocation_counter::measure(|| self.publish(counted));
        count.count_total as f64 / (WRITES * self.messages) as f64
    }

    /// Writes each batch, and reads all its events.
    fn publish(&mut self, batches: &[Vec<u8>]) {
        let Self { runtime, publisher, subscribers, messages, .. } = self;
        runtime.block_on(async {
            for batch in batches {
                publisher.write_all(batch).await.expect("the broker reads");
                for (stream, received) in subscribers.iter_mut() {
                    received.clear();
                    while events(received) < *messages {
                        let read = stream.read_buf(received).await.expect("the broker delivers");
                        assert!(read > 0, "the broker has closed the connection");
                    }
                }
            }
        });
    }
}

/// How many whole frames there are; the ids of publications vary in length, and so do the frames.
fn events(mut bytes: &[u8]) -> usize {
    let mut events = 0;
    while let [_, 126, high, low, rest @ ..] = bytes {
        let Some(rest) = rest.get(usize::from(u16::from_be_bytes([*high, *low]))..) else { break };
        bytes = rest;
        events += 1;
    }
    events
}

/// A masked frame with a two-byte length, or a short one.
fn frame(serializer: Serializer, message: &Message) -> Vec<u8> {
    let payload = message.encode(serializer);
    let mut frame = vec![if serializer.is_text() { 0x81 } else { 0x82 }];
    if let Ok(short @ ..=125) = u8::try_from(payload.len()) {
        frame.push(0x80 | short);
    } else {
        frame.push(0x80 | 126);
        frame.extend(u16::try_from(payload.len()).expect("a small message").to_be_bytes());
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

async fn send(stream: &mut TcpStream, serializer: Serializer, message: Message) {
    stream.write_all(&frame(serializer, &message)).await.expect("the broker reads");
}

async fn receive(stream: &mut TcpStream, serializer: Serializer) -> Message {
    receive_sized(stream, serializer).await.1
}

/// One message, and the bytes of its frame.
async fn receive_sized(stream: &mut TcpStream, serializer: Serializer) -> (usize, Message) {
    stream.read_u8().await.expect("a frame");
    let (head, length) = match stream.read_u8().await.expect("a length") {
        126 => (4, usize::from(stream.read_u16().await.expect("a length"))),
        short @ ..126 => (2, usize::from(short)),
        long => panic!("a frame with the length form {long}"),
    };
    let mut payload = vec![0; length];
    stream.read_exact(&mut payload).await.expect("a message");
    let message =
        Message::decode(serializer, &Bytes::from(payload), &Limits::default()).expect("a WAMP message");
    (head + length, message)
}

/// A joined session.
async fn join(address: &str, serializer: Serializer) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("the broker listens");
    let subprotocol = serializer.subprotocol(false);
    let request = format!(
        "GET /ws HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: {subprotocol}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.expect("the broker reads");
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await.expect("an answer"));
    }
    assert!(answer.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&answer));
    let roles = ["publisher", "subscriber"]
        .into_iter()
        .fold(Dict::new(), |roles, role| roles.with(role, Value::Dict(Dict::new())));
    let details = Dict::new().with("roles", Value::Dict(roles));
    send(&mut stream, serializer, Hello { realm: "default".to_owned(), details }.into()).await;
    let welcome = receive(&mut stream, serializer).await;
    assert!(matches!(welcome, Message::Welcome(_)), "{welcome:?}");
    stream
}

const EXACT: Filter = (TOPIC, "exact");
const PREFIX: Filter = ("load.", "prefix");

/// Whether the counts do not grow with the fan-out. A read whose messages go to more than 64 sockets is flushed in
/// several turns: one future in a box, whatever their number. A tenth of an allocation is room for a buffer that
/// grows once more.
fn are_level(counts: &[f64], messages: usize) -> bool {
    counts.iter().all(|count| *count <= counts[0] + 1.0 / messages as f64 + 0.1)
}

/// Allocations per publication to each number of subscribers, which take `wires` in turn.
fn counts(name: &str, wires: &[(Serializer, Filter)], messages: usize) -> Vec<f64> {
    let subscribers = [1, 10, 100, 1000].map(|number: usize| number.max(wires.len()));
    let count = |subscribers: usize| {
        let taken: Vec<_> = wires.iter().cycle().take(subscribers).copied().collect();
        let count = Bench::new(&taken, messages).allocations_per_publish();
        println!("{name}, {messages} at once to {subscribers}: {count:.2} allocations per publish");
        count
    };
    subscribers.into_iter().map(count).collect()
}

#[test]
fn an_event_is_encoded_once_however_many_subscribe() {
    for messages in [1, 64] {
        for serializer in Serializer::ALL {
            let counts = counts(serializer.as_str(), &[(serializer, EXACT)], messages);
            assert!(are_level(&counts, messages), "{serializer:?}, {messages} at once: {counts:?}");
        }
    }
}

#[test]
fn an_event_is_encoded_once_for_each_subscription_and_serialisation() {
    let wires: Vec<_> = [EXACT, PREFIX]
        .into_iter()
        .flat_map(|filter| Serializer::ALL.map(|serializer| (serializer, filter)))
        .collect();
    let [singly, together] = [1, 64].map(|messages| {
        let counts = counts("two filters, all serialisers", &wires, messages);
        assert!(are_level(&counts, messages), "{messages} at once: {counts:?}");
        counts[0]
    });
    // Each session has one of the filters, so that nothing keeps messages of one read from going together.
    assert!(together < singly / 2.0, "{singly} one at a time, {together} of 64 at once");
}

/// Without this, the other two would say nothing: an event that is encoded for one subscription more is counted.
#[test]
fn an_event_that_is_encoded_again_is_counted() {
    const FILTERS: [Filter; 5] = [EXACT, PREFIX, ("load", "prefix"), ("loa", "prefix"), ("lo", "prefix")];
    let count = |filters: &[Filter]| {
        let wires: Vec<_> = filters.iter().map(|filter| (Serializer::Json, *filter)).collect();
        Bench::new(&wires, 1).allocations_per_publish()
    };
    let (once, five_times) = (count(&[EXACT; 5]), count(&FILTERS));
    println!(
        "5 subscribers: {once:.2} allocations per publish, each with a filter of its own: {five_times:.2}"
    );
    assert!(five_times >= once + 4.0, "{once} and {five_times}");
}
