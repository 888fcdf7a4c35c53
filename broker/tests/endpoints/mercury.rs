//! Echo, POST, and what belongs to which namespace.

use petasus_broker::config::Mode;

use crate::raw::{BINARY, Raw, TEXT, message, request};
use crate::running::{Running, config};
use crate::{MERCURY, ask, post};

/// REQ-BUS-001, REQ-BUS-002, REQ-BUS-006
#[tokio::test]
async fn echo_is_true_as_it_was_in_mercury() {
    let broker = Running::start(config(MERCURY)).await;
    let mut other = Raw::open(broker.address, "/bus/t").await;
    for (query, echo) in [
        ("", false),
        ("?", false),
        ("?echo", false),
        ("?echo=", false),
        ("?echo=0", false),
        ("?ECHO=1", false),
        ("?echo=1&echo=0", false),
        ("?xecho=1", false),
        ("?echo=1", true),
        ("?echo=true", true),
        ("?echo=no", true),
        ("?echo=false", true),
        ("?echo=00", true),
        ("?echo=0.0", true),
        ("?echo=%20", true),
        ("?echo=0&echo=1", true),
        ("?x=y&echo=1", true),
    ] {
        let mut peer = Raw::open(broker.address, &format!("/bus/t{query}")).await;
        peer.send(message(BINARY, query.as_bytes())).await;
        other.expect(BINARY, query).await;
        if echo {
            peer.expect(BINARY, query).await;
        }
        // Nothing else has come: a second copy, or one that was not asked for.
        peer.settle().await;
        peer.leave().await;
    }
    broker.stop().await;
}

/// REQ-BUS-007, REQ-HTTP-001
#[tokio::test]
async fn a_post_to_the_bus_reaches_every_peer() {
    let broker = Running::start(config(MERCURY)).await;
    let mut plain = Raw::open(broker.address, "/bus/t").await;
    let mut echoing = Raw::open(broker.address, "/bus/t?echo=1").await;
    for path in ["/bus/t", "/bus/t?echo=1", "/bus/t?echo=0"] {
        post(broker.address, path, path).await;
        plain.expect(TEXT, path).await;
        echoing.expect(TEXT, path).await;
    }
    broker.stop().await;
}

/// REQ-HTTP-001, REQ-HTTP-009, REQ-PAY-002, REQ-PAY-004
#[tokio::test]
async fn a_body_is_text_unless_it_says_that_it_is_bytes() {
    let broker = Running::start(config(MERCURY)).await;
    let mut subscriber = Raw::open(broker.address, "/sub/t").await;
    for (content_type, body, opcode) in [
        ("", "no type", TEXT),
        ("Content-Type: text/plain\r\n", "é", TEXT),
        ("Content-Type: application/x-www-form-urlencoded\r\n", "a=1&b=%20", TEXT),
        ("Content-Type: multipart/form-data; boundary=x\r\n", "--x--", TEXT),
        ("Content-Type: application/json\r\n", "{}", TEXT),
        ("Content-Type: application/octet-stream\r\n", "bytes", BINARY),
        ("Content-Type: Application/Octet-Stream; x=y\r\n", "bytes", BINARY),
        ("", "", TEXT),
        ("Content-Type: application/octet-stream\r\n", "", BINARY),
    ] {
        let answer = ask(broker.address, request("POST", "/pub/t", content_type, body)).await;
        assert_eq!((answer.status, answer.body.len()), (200, 0), "{content_type}");
        subscriber.expect(opcode, body).await;
    }
    let chunked = "POST /pub/t HTTP/1.1\r\nHost: petasus\r\nTransfer-Encoding: chunked\r\n\r\n\
                   3\r\none\r\n4;x=y\r\n two\r\n0\r\n\r\n";
    assert_eq!(ask(broker.address, chunked).await.status, 200);
    subscriber.expect(TEXT, "one two").await;
    broker.stop().await;
}

/// REQ-HTTP-002, REQ-SUB-007
#[tokio::test]
async fn what_nobody_hears_is_gone() {
    let broker = Running::start(config(MERCURY)).await;
    for (sender, receiver) in [("/pub/t", "/sub/t"), ("/bus/t", "/bus/t")] {
        post(broker.address, sender, "too early").await;
        let mut receiver = Raw::open(broker.address, receiver).await;
        post(broker.address, sender, "in time").await;
        receiver.expect(TEXT, "in time").await;
        receiver.settle().await;
    }
    broker.stop().await;
}

/// REQ-SUB-005, REQ-TOP-003
#[tokio::test]
async fn each_pattern_is_a_namespace_of_its_own() {
    let broker = Running::start(config(MERCURY)).await;
    let mut bus = Raw::open(broker.address, "/bus/t").await;
    let mut subscriber = Raw::open(broker.address, "/sub/t").await;
    let mut puller = Raw::open(broker.address, "/pull/t").await;
    for path in ["/bus/t", "/pub/t", "/push/t"] {
        post(broker.address, path, path).await;
        let mut sender = Raw::open(broker.address, path).await;
        sender.send(message(TEXT, path.as_bytes())).await;
        sender.settle().await;
        sender.leave().await;
    }
    for (receiver, path) in [(&mut bus, "/bus/t"), (&mut subscriber, "/pub/t"), (&mut puller, "/push/t")] {
        receiver.expect(TEXT, path).await;
        receiver.expect(TEXT, path).await;
        receiver.settle().await;
    }
    broker.stop().await;
}

/// REQ-HTTP-013
#[tokio::test]
async fn the_example_page_is_there_in_development_only() {
    for (mode, status) in [(Mode::Development, 200), (Mode::Production, 404)] {
        let mut config = config(MERCURY);
        config.mode = mode;
        let broker = Running::start(config).await;
        assert_eq!(ask(broker.address, request("GET", "/", "", "")).await.status, status);
        broker.stop().await;
    }
}
