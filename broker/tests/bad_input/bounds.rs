//! Rows about too much, too late and too slow. Each needs a broker with bounds of its own.

use petasus_broker::config::{Config, WithoutPuller};

use crate::raw::{CLOSE, CONTINUATION, FIN, PING, PONG, Raw, TEXT, frame, handshake, message, request};
use crate::row::answer;
use crate::running::{Running, config, seconds};
use crate::watch::Watch;

pub(crate) const ROWS: [&str; 10] = [
    "HTTP-408-body",
    "TCP-head-slow",
    "HTTP-503-no-puller",
    "HTTP-503-queue-full",
    "HTTP-503-connections",
    "WS-3101-idle",
    "WS-3102-queue",
    "WS-3103-unfinished",
    "WS-3100-slow",
    "WS-eof-no-pong",
];

fn mercury() -> Config {
    config("http://127.0.0.1:0")
}

async fn start(config: Config) -> (Running, Watch) {
    let broker = Running::start(config).await;
    let watch = Watch::mercury(broker.address, "").await;
    (broker, watch)
}

/// Row `HTTP-408-body`: REQ-HTTP-010
#[tokio::test]
async fn a_body_that_never_ends_is_given_up() {
    let mut config = mercury();
    config.timeouts.body = seconds(0.2);
    let (broker, mut watch) = start(config).await;
    let mut raw = Raw::connect(broker.address).await;
    raw.send("POST /bus/row HTTP/1.1\r\nHost: petasus\r\nContent-Length: 10\r\n\r\nabc").await;
    answer(408).then_closes().check("HTTP-408-body", &mut raw).await;
    watch.check("HTTP-408-body").await;
    broker.stop().await;
}

/// Row `TCP-head-slow`: REQ-LIM-002
#[tokio::test]
async fn a_head_that_never_ends_is_given_up() {
    let mut config = mercury();
    config.timeouts.head = seconds(0.5);
    let (broker, mut watch) = start(config).await;
    let mut silent = Raw::connect(broker.address).await;
    let mut slow = Raw::connect(broker.address).await;
    slow.send("GET /bus/row HTTP/1.1\r\nHost: pe").await;
    slow.expect_end().await;
    silent.expect_end().await;
    watch.check("TCP-head-slow").await;
    broker.stop().await;
}

/// Row `HTTP-503-no-puller`: REQ-HTTP-007, REQ-RR-008
#[tokio::test]
async fn a_push_without_a_puller_is_refused() {
    let (broker, mut watch) = start(mercury()).await;
    let mut raw = Raw::connect(broker.address).await;
    raw.send(request("POST", "/push/nobody", "", "job")).await;
    answer(503).with("retry-after", "1").check("HTTP-503-no-puller", &mut raw).await;
    let mut late = Raw::open(broker.address, "/pull/nobody").await;
    late.settle().await;
    watch.check("HTTP-503-no-puller").await;
    broker.stop().await;
}

/// Row `HTTP-503-queue-full`: REQ-HTTP-007, REQ-HTTP-008, REQ-RR-013, REQ-RR-014
#[tokio::test]
async fn a_push_to_a_full_queue_is_refused() {
    let mut config = mercury();
    config.queue.without_puller = WithoutPuller::Hold;
    config.queue.hold_messages = 1;
    let (broker, mut watch) = start(config).await;
    let mut raw = Raw::connect(broker.address).await;
    raw.send(request("POST", "/push/nobody", "", "first")).await;
    let held = raw.answer().await;
    assert_eq!((held.status, held.body.len()), (202, 0), "{held:?}");
    raw.send(request("POST", "/push/nobody", "", "second")).await;
    answer(503).with("retry-after", "1").check("HTTP-503-queue-full", &mut raw).await;
    let mut late = Raw::open(broker.address, "/pull/nobody").await;
    late.expect(TEXT, "first").await;
    late.settle().await;
    watch.check("HTTP-503-queue-full").await;
    broker.stop().await;
}

/// Row `HTTP-503-connections`: REQ-LIM-001
#[tokio::test]
async fn one_connection_too_many_is_refused_until_one_leaves() {
    let mut config = mercury();
    config.limits.connections = 9;
    let (broker, mut watch) = start(config).await;
    let ninth = Raw::open(broker.address, "/bus/other").await;
    let mut tenth = Raw::connect(broker.address).await;
    tenth.send(handshake("/bus/other", "")).await;
    answer(503).then_closes().check("HTTP-503-connections", &mut tenth).await;
    watch.check("HTTP-503-connections").await;

    ninth.leave().await;
    // The place is free a moment after the end was seen, not before.
    loop {
        let mut next = Raw::connect(broker.address).await;
        next.send(handshake("/bus/other", "")).await;
        match next.answer().await.status {
            101 => break,
            status => assert_eq!(status, 503),
        }
    }
    broker.stop().await;
}

/// Row `WS-3101-idle`: REQ-LIM-003
#[tokio::test]
async fn an_idle_connection_is_closed_and_a_busy_one_is_not() {
    let mut config = mercury();
    config.timeouts.ping = seconds(0.0);
    config.timeouts.idle = seconds(1.0);
    let broker = Running::start(config).await;
    let mut busy = Raw::open(broker.address, "/bus/row?echo=1").await;
    let mut idle = Raw::open(broker.address, "/sub/row").await;
    let payload = tokio::select! {
        payload = idle.expect_close() => payload,
        () = talk_for_ever(&mut busy) => unreachable!("it talks for ever"),
    };
    assert_eq!(payload.first_chunk(), Some(&3101_u16.to_be_bytes()));
    broker.stop().await;
}

/// Says something to itself and waits until it hears it, again and again.
async fn talk_for_ever(echoing: &mut Raw) {
    loop {
        echoing.send(message(TEXT, b"still here")).await;
        echoing.expect(TEXT, "still here").await;
    }
}

/// Row `WS-3102-queue`: REQ-RR-014, REQ-WS-017
#[tokio::test]
async fn a_pusher_to_a_full_queue_is_closed_after_a_while() {
    let mut config = mercury();
    config.queue.without_puller = WithoutPuller::Hold;
    config.queue.hold_messages = 1;
    config.queue.push_timeout = seconds(0.2);
    let (broker, mut watch) = start(config).await;
    let mut raw = Raw::open(broker.address, "/push/nobody").await;
    raw.send([message(TEXT, b"first"), message(TEXT, b"second")].concat()).await;
    let payload = raw.expect_close().await;
    assert_eq!(payload.first_chunk(), Some(&3102_u16.to_be_bytes()));
    let mut late = Raw::open(broker.address, "/pull/nobody").await;
    late.expect(TEXT, "first").await;
    watch.check("WS-3102-queue").await;
    broker.stop().await;
}

/// Row `WS-3103-unfinished`: REQ-WS-017, REQ-LIVE-002
#[tokio::test]
async fn a_message_that_never_ends_is_given_up() {
    let mut config = mercury();
    config.timeouts.ping = seconds(0.0);
    config.timeouts.body = seconds(0.5);
    let (broker, mut watch) = start(config).await;
    let mut talking = Raw::open(broker.address, "/bus/other?echo=1").await;
    let mut header = Raw::open(broker.address, "/bus/row").await;
    header.send(&message(TEXT, b"never whole")[..1]).await;
    let mut payload = Raw::open(broker.address, "/sub/row").await;
    payload.send(&message(TEXT, b"never whole")[..9]).await;
    let mut control = Raw::open(broker.address, "/pull/row").await;
    control.send(&frame(PING, b"never whole")[..9]).await;
    let expected = [&3103_u16.to_be_bytes()[..], b"a message took too long to arrive"].concat();
    let all_closed = async {
        for mut raw in [header, payload, control] {
            assert_eq!(raw.expect_close().await, expected);
        }
        // Whole frames between and behind its fragments do not make a message whole.
        let mut fragments = Raw::open(broker.address, "/pub/row").await;
        fragments.send(frame(TEXT, b"never ")).await;
        assert_eq!(close_of_a_trickler(&mut fragments).await, expected);
    };
    tokio::select! {
        () = all_closed => {}
        () = talk_in_fragments_for_ever(&mut talking) => unreachable!("it talks for ever"),
    }
    watch.check("WS-3103-unfinished").await;
    broker.stop().await;
}

/// Goes on with its message and pings until it is told to go.
async fn close_of_a_trickler(raw: &mut Raw) -> Vec<u8> {
    loop {
        raw.send([frame(CONTINUATION, b"ending "), frame(PING, b"")].concat()).await;
        let answer = raw.next().await.expect("a Close frame before the end");
        if answer.first == CLOSE {
            return answer.payload;
        }
        assert_eq!(answer.first, PONG);
    }
}

/// Says something to itself in two fragments, of which the second comes with the first of the next message.
async fn talk_in_fragments_for_ever(echoing: &mut Raw) {
    echoing.send(frame(TEXT, b"still ")).await;
    loop {
        echoing.send([frame(FIN | CONTINUATION, b"here"), frame(TEXT, b"still ")].concat()).await;
        echoing.expect(TEXT, "still here").await;
    }
}

/// Row `WS-3100-slow`: REQ-FLOW-001, REQ-FLOW-002, REQ-FLOW-003, REQ-FLOW-004, REQ-WS-017
#[tokio::test]
async fn a_reader_that_does_not_read_is_closed() {
    let mut config = mercury();
    config.limits.message = 16_384;
    config.outbox.bytes = 65_536;
    config.pinghub.message = 16_384;
    let (broker, mut watch) = start(config).await;
    let mut slow = Raw::connect_small(broker.address).await;
    slow.upgrade("/sub/slow", "").await;
    let mut publisher = Raw::open(broker.address, "/pub/slow").await;
    for number in 0..FLOOD {
        publisher.send(message(TEXT, numbered(number).as_bytes())).await;
    }
    publisher.settle().await;
    let payload = read_until_closed(&mut slow).await;
    assert_eq!(payload, [&3100_u16.to_be_bytes()[..], b"reads too slowly"].concat());
    watch.check("WS-3100-slow").await;
    broker.stop().await;
}

/// More messages than all buffers between here and the broker hold.
pub(crate) const FLOOD: usize = 1_500;

/// The message with this number, 8000 bytes long.
pub(crate) fn numbered(number: usize) -> String {
    format!("{number:0>8000}")
}

/// Reads what came of a flood: whole messages without a gap, then a Close frame and the end. Gives its payload.
pub(crate) async fn read_until_closed(slow: &mut Raw) -> Vec<u8> {
    for number in 0..FLOOD {
        let frame = slow.next().await.expect("a Close frame before the end");
        if frame.first == CLOSE {
            slow.expect_end().await;
            return frame.payload;
        }
        assert_eq!(frame.first, FIN | TEXT);
        assert!(frame.payload == numbered(number).as_bytes(), "message {number} is missing or broken");
    }
    panic!("all of it was buffered for one reader");
}

/// Row `WS-eof-no-pong`: REQ-LIF-001, REQ-LIF-002
#[tokio::test]
async fn a_peer_that_says_nothing_at_all_is_dropped() {
    let mut config = mercury();
    config.timeouts.ping = seconds(0.5);
    let broker = Running::start(config).await;
    let mut listening = Raw::open(broker.address, "/sub/row").await;
    let mut gone = Raw::open(broker.address, "/pull/row").await;
    let pings = tokio::select! {
        pings = pings_until_the_end(&mut gone) => pings,
        frame = listening.next() => panic!("a peer that answers pings stays: {frame:?}"),
    };
    assert!(pings > 0, "it was asked");

    // Its place among the pullers is free: the next one gets every job.
    let mut puller = Raw::open(broker.address, "/pull/row").await;
    let mut poster = Raw::connect(broker.address).await;
    for job in ["one", "two"] {
        poster.send(request("POST", "/push/row", "", job)).await;
        assert_eq!(poster.answer().await.status, 200);
        puller.expect(TEXT, job).await;
    }
    broker.stop().await;
}

/// Reads and answers nothing.
async fn pings_until_the_end(raw: &mut Raw) -> usize {
    let mut pings = 0;
    while let Some(frame) = raw.frame().await {
        assert_eq!(frame.first, PING, "{frame:?}");
        pings += 1;
    }
    pings
}
