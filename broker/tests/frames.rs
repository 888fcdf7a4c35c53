//! RFC 6455 frames, byte by byte: what is allowed does what it should. What is forbidden is in `bad_input`.

#[path = "support/raw.rs"]
mod raw;
#[path = "support/running.rs"]
mod running;

use raw::{
    BINARY, CLOSE, CONTINUATION, FIN, Frame, PING, PONG, Raw, TEXT, close, frame, frame_head, handshake,
    message, request,
};
use running::{Running, config};

/// Where a message goes in, and where it comes out.
const PATTERNS: [[&str; 2]; 3] = [["/bus/t", "/bus/t"], ["/pub/t", "/sub/t"], ["/push/t", "/pull/t"]];

const ENDPOINTS: [&str; 5] = ["/bus/t", "/pub/t", "/sub/t", "/push/t", "/pull/t"];

/// Bytes of one message.
const LIMIT: usize = 262_144;

async fn mercury() -> Running {
    Running::start(config("http://127.0.0.1:0")).await
}

/// A sender and a receiver on the topic of each pattern.
async fn pairs(broker: &Running) -> Vec<(Raw, Raw)> {
    let mut pairs = Vec::new();
    for [sender, receiver] in PATTERNS {
        let receiver = Raw::open(broker.address, receiver).await;
        pairs.push((Raw::open(broker.address, sender).await, receiver));
    }
    pairs
}

/// REQ-WS-001, REQ-WS-002
#[tokio::test]
async fn a_handshake_is_read_in_any_case_and_from_lists() {
    let broker = mercury().await;
    for (line, other) in [
        ("Upgrade: websocket", "Upgrade: WebSocket"),
        ("Upgrade: websocket", "UPGRADE: h2c, WEBSOCKET"),
        ("Connection: Upgrade", "Connection: keep-alive, Upgrade"),
        ("Connection: Upgrade", "connection: UPGRADE"),
        ("Connection: Upgrade", "Connection: keep-alive\r\nConnection: upgrade"),
        ("Upgrade: websocket", "Upgrade: websocket\r\nSec-WebSocket-Protocol: mqtt, wamp.2.json"),
        ("Upgrade: websocket", "Upgrade: websocket\r\nSec-WebSocket-Extensions: permessage-deflate"),
    ] {
        let mut raw = Raw::connect(broker.address).await;
        raw.send(handshake("/bus/t", "").replace(line, other)).await;
        raw.check_accepted(other).await;
    }
    broker.stop().await;
}

/// REQ-WS-016, REQ-HTTP-001
#[tokio::test]
async fn a_post_with_an_upgrade_is_a_post() {
    let broker = mercury().await;
    let mut subscriber = Raw::open(broker.address, "/sub/t").await;
    let mut raw = Raw::connect(broker.address).await;
    let upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    raw.send(request("POST", "/pub/t", upgrade, "posted")).await;
    let answer = raw.answer().await;
    assert_eq!((answer.status, answer.body.len()), (200, 0), "{answer:?}");
    subscriber.expect(TEXT, "posted").await;
    broker.stop().await;
}

/// REQ-WS-004, REQ-PAY-005, REQ-WS-012
#[tokio::test]
async fn a_ping_between_fragments_is_answered_before_the_message_ends() {
    let broker = mercury().await;
    for (mut sender, mut receiver) in pairs(&broker).await {
        sender
            .send([frame(TEXT, b"one "), frame(PING, b"hello"), frame(CONTINUATION, b"two ")].concat())
            .await;
        assert_eq!(sender.next().await, Some(Frame { first: PONG, payload: b"hello".to_vec() }));
        sender.send([frame(PONG, b""), frame(FIN | CONTINUATION, b"three")].concat()).await;
        receiver.expect(TEXT, "one two three").await;
    }
    broker.stop().await;
}

/// REQ-WS-005, REQ-WS-015
#[tokio::test]
async fn pings_are_answered_on_every_endpoint() {
    let broker = mercury().await;
    for endpoint in ENDPOINTS {
        let mut raw = Raw::open(broker.address, endpoint).await;
        raw.send(frame(PONG, b"nobody asked")).await;
        for payload in [&b""[..], b"p", &[0xff; 125]] {
            raw.send(frame(PING, payload)).await;
            assert_eq!(
                raw.next().await,
                Some(Frame { first: PONG, payload: payload.to_vec() }),
                "{endpoint}"
            );
        }
    }
    broker.stop().await;
}

/// REQ-PAY-001, REQ-PAY-002, REQ-PAY-003, REQ-PAY-004, REQ-WS-012
#[tokio::test]
async fn text_stays_text_and_binary_binary_at_every_length() {
    let broker = mercury().await;
    for (mut sender, mut receiver) in pairs(&broker).await {
        for length in [0, 1, 125, 126, 127, 65_535, 65_536, LIMIT] {
            let text = "x".repeat(length);
            let bytes: Vec<u8> = (0..length).map(|index| (index % 251) as u8 ^ 0x80).collect();
            sender.send(message(TEXT, text.as_bytes())).await;
            receiver.expect(TEXT, &text).await;
            sender.send(message(BINARY, &bytes)).await;
            receiver.expect(BINARY, &bytes).await;
        }
        for text in
            ["\0", "\u{feff}bom", "\u{10ffff}\u{fffe}", "tab\tline\r\nesc\u{1b}", "{\"type\":\"close\"}"]
        {
            sender.send(message(TEXT, text.as_bytes())).await;
            receiver.expect(TEXT, text).await;
        }
    }
    broker.stop().await;
}

/// REQ-PAY-003, REQ-WS-007
#[tokio::test]
async fn the_limit_is_counted_over_all_fragments() {
    let broker = mercury().await;
    let half = vec![b'x'; LIMIT / 2];
    for (mut sender, mut receiver) in pairs(&broker).await {
        sender.send(frame(BINARY, &half)).await;
        sender.send(frame(CONTINUATION, &half)).await;
        sender.send(frame(FIN | CONTINUATION, b"")).await;
        receiver.expect(BINARY, [&half[..], &half].concat()).await;

        sender.send(frame(BINARY, &half)).await;
        sender.send(frame(CONTINUATION, &half)).await;
        sender.send(frame_head(CONTINUATION, 1)).await;
        let payload = sender.expect_close().await;
        assert_eq!(payload.first_chunk(), Some(&1009_u16.to_be_bytes()));
        receiver.settle().await;
    }
    broker.stop().await;
}

/// REQ-PAY-005, REQ-PAY-001, REQ-PAY-004
#[tokio::test]
async fn a_character_may_be_cut_between_fragments() {
    let broker = mercury().await;
    for (mut sender, mut receiver) in pairs(&broker).await {
        let text = "κόσμε \u{1f42a}";
        let (last, first) = text.as_bytes().split_last().unwrap();
        sender.send(frame(TEXT, b"")).await;
        for byte in first {
            sender.send(frame(CONTINUATION, &[*byte])).await;
        }
        sender.send(frame(FIN | CONTINUATION, &[*last])).await;
        receiver.expect(TEXT, text).await;

        sender
            .send([frame(TEXT, b""), frame(CONTINUATION, b""), frame(FIN | CONTINUATION, b"")].concat())
            .await;
        receiver.expect(TEXT, "").await;
    }
    broker.stop().await;
}

/// REQ-PAY-001: how TCP cuts the bytes does not matter.
#[tokio::test]
async fn frames_may_come_byte_by_byte_or_many_at_once() {
    let broker = mercury().await;
    for (mut sender, mut receiver) in pairs(&broker).await {
        let long = "y".repeat(300);
        for byte in [message(TEXT, b"slow"), message(TEXT, long.as_bytes())].concat() {
            sender.send([byte]).await;
            tokio::task::yield_now().await;
        }
        receiver.expect(TEXT, "slow").await;
        receiver.expect(TEXT, &long).await;

        let numbers: Vec<String> = (0..500).map(|number| number.to_string()).collect();
        let batch: Vec<u8> = numbers.iter().flat_map(|number| message(TEXT, number.as_bytes())).collect();
        sender.send(batch).await;
        for number in &numbers {
            receiver.expect(TEXT, number).await;
        }
    }
    broker.stop().await;
}

/// REQ-WS-006, REQ-WS-009
#[tokio::test]
async fn a_close_is_echoed_with_its_code() {
    let broker = mercury().await;
    for endpoint in ENDPOINTS {
        for code in [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999] {
            let mut raw = Raw::open(broker.address, endpoint).await;
            raw.send(close(code, "bye é".as_bytes())).await;
            let expected = [&code.to_be_bytes()[..], "bye é".as_bytes()].concat();
            assert_eq!(raw.expect_close().await, expected, "{endpoint}");
        }
        let mut raw = Raw::open(broker.address, endpoint).await;
        raw.send(frame(CLOSE, b"")).await;
        assert_eq!(raw.expect_close().await, [0_u8; 0], "{endpoint}");
    }
    broker.stop().await;
}

/// REQ-WS-006, REQ-WS-014
#[tokio::test]
async fn nothing_behind_a_close_is_acted_on() {
    let broker = mercury().await;
    for (mut sender, mut receiver) in pairs(&broker).await {
        let late = [message(TEXT, b"before"), close(1000, b""), message(TEXT, b"after"), frame(PING, b"")];
        sender.send(late.concat()).await;
        receiver.expect(TEXT, "before").await;
        sender.expect_close().await;
        receiver.settle().await;
    }
    broker.stop().await;
}

/// REQ-SUB-004, REQ-TOP-003
#[tokio::test]
async fn receivers_cannot_send_and_senders_hear_nothing() {
    let broker = mercury().await;
    let mut all = Vec::new();
    for endpoint in ENDPOINTS {
        all.push(Raw::open(broker.address, endpoint).await);
    }
    let [bus, publisher, subscriber, pusher, puller] = &mut all[..] else { unreachable!("five endpoints") };
    for raw in [&mut *subscriber, &mut *puller] {
        raw.send(message(TEXT, b"into the void")).await;
        raw.settle().await;
    }
    bus.send(message(TEXT, b"alone")).await;
    publisher.send(message(TEXT, b"published")).await;
    pusher.send(message(TEXT, b"pushed")).await;
    subscriber.expect(TEXT, "published").await;
    puller.expect(TEXT, "pushed").await;
    for raw in &mut all {
        raw.settle().await;
    }
    broker.stop().await;
}

/// REQ-BUS-005, REQ-LIF-003, REQ-LIF-004, REQ-RR-001
#[tokio::test]
async fn membership_spans_exactly_from_the_101_to_the_close_reply() {
    let broker = mercury().await;
    let mut poster = Raw::connect(broker.address).await;
    for number in 0..100 {
        let text = number.to_string();
        let mut peer = Raw::open(broker.address, "/bus/t").await;
        poster.send(request("POST", "/bus/t", "", &text)).await;
        assert_eq!(poster.answer().await.status, 200);
        peer.expect(TEXT, &text).await;
        peer.leave().await;

        let mut puller = Raw::open(broker.address, "/pull/t").await;
        poster.send(request("POST", "/push/t", "", &text)).await;
        assert_eq!(poster.answer().await.status, 200);
        puller.expect(TEXT, &text).await;
        puller.leave().await;
        poster.send(request("POST", "/push/t", "", "nobody is there")).await;
        assert_eq!(poster.answer().await.status, 503);
    }
    broker.stop().await;
}

/// REQ-TOP-006, REQ-TOP-001
#[tokio::test]
async fn a_topic_of_exactly_the_limits_is_served() {
    let broker = mercury().await;
    let deep = format!("/bus/a{}", "/a".repeat(63));
    for (raw_path, same) in [
        (format!("/bus/{}", "x".repeat(1024)), format!("/bus/%78{}", "x".repeat(1023))),
        (format!("/bus/{}", "%C3%A9".repeat(1024)), format!("/bus/{}", "%c3%a9".repeat(1024))),
        (deep.clone(), deep.replacen("a/a", "a%2Fa", 1)),
    ] {
        let mut one = Raw::open(broker.address, &raw_path).await;
        let mut other = Raw::open(broker.address, &same).await;
        one.send(message(TEXT, b"hello")).await;
        other.expect(TEXT, "hello").await;
    }
    broker.stop().await;
}

/// REQ-PING-002, REQ-PING-003, REQ-PING-004, REQ-PING-005, REQ-PING-010
#[tokio::test]
async fn pinghub_frames_go_to_everybody_as_text() {
    let broker = Running::start(config("http://127.0.0.1:0?dialects=pinghub")).await;
    let mut one = Raw::open(broker.address, "/t").await;
    let mut two = Raw::open(broker.address, "/t").await;
    let longest = "x".repeat(65_536);
    for (opcode, text) in [(TEXT, "text"), (BINARY, "é as bytes"), (TEXT, &*longest)] {
        one.send(message(opcode, text.as_bytes())).await;
        one.expect(TEXT, text).await;
        two.expect(TEXT, text).await;
    }
    let empties =
        [message(TEXT, b""), message(BINARY, b""), frame(BINARY, b""), frame(FIN | CONTINUATION, b"")];
    one.send(empties.concat()).await;
    for _ in 0..3 {
        one.expect(TEXT, "").await;
    }
    one.send([frame(TEXT, b"frag"), frame(FIN | CONTINUATION, b"ments")].concat()).await;
    one.expect(TEXT, "fragments").await;
    two.expect(TEXT, "fragments").await;

    two.send(close(4001, b"a reason")).await;
    assert_eq!(two.expect_close().await, 4001_u16.to_be_bytes(), "the code without the reason");
    broker.stop().await;
}
