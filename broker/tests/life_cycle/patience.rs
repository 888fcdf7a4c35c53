//! Clients that take their time: with a head, a TLS handshake or a body.

use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt, Join, Sink};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use crate::metrics::{Metrics, until};
use crate::raw::{Raw, TEXT, handshake, message};
use crate::running::{Running, config, seconds, socket_address};
use crate::tls::Certificate;

/// Writes a byte now and then, until the other side takes no more, and goes on waiting then.
async fn trickle(mut stream: impl AsyncWrite + Unpin) {
    while stream.write_all(b"x").await.is_ok() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    std::future::pending::<()>().await;
}

/// What is read is answered by `Raw`; what is written is not.
fn split(raw: Raw) -> (Raw<Join<OwnedReadHalf, Sink>>, OwnedWriteHalf) {
    let (read, write) = raw.into_stream().into_split();
    (Raw::over(tokio::io::join(read, tokio::io::sink())), write)
}

/// REQ-LIM-002, REQ-LIVE-001
#[tokio::test]
async fn a_head_that_comes_too_slowly_ends_its_connection_and_no_other() {
    let mut config = config("http://127.0.0.1:0");
    config.timeouts.head = seconds(0.5);
    let broker = Running::start(config).await;
    let mut subscriber = Raw::open(broker.address, "/sub/a").await;
    let mut silent = Raw::connect(broker.address).await;
    let mut half = Raw::connect(broker.address).await;
    half.send("GET /sub/a HTTP/1.1\r\nHost: petasus\r\nX: ").await;
    let mut slow = Raw::connect(broker.address).await;
    slow.send("GET /sub/a HTTP/1.1\r\nHost: petasus\r\nX: ").await;
    // The second request of a kept connection is no different from the first.
    let mut kept = Raw::connect(broker.address).await;
    assert_eq!(kept.post("/pub/a", "first").await, 200);
    kept.send("POST /pub/a").await;

    silent.expect_end().await;
    half.expect_end().await;
    kept.expect_end().await;
    let (mut answers, head) = split(slow);
    tokio::select! {
        () = answers.expect_end() => {}
        () = trickle(head) => {}
    }
    // The head of this one is long through.
    subscriber.expect(TEXT, "first").await;
    assert_eq!(Raw::connect(broker.address).await.post("/pub/a", "second").await, 200);
    subscriber.expect(TEXT, "second").await;
    broker.stop().await;
}

/// REQ-LIM-002, REQ-LIVE-001
#[tokio::test]
async fn a_tls_handshake_that_comes_too_slowly_ends_its_connection_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = Certificate::write(folder.path(), "one");
    let mut config = config("http://127.0.0.1:0");
    config.listen.push(certificate.listen().parse().unwrap());
    config.timeouts.tls = seconds(0.5);
    config.timeouts.head = seconds(20.0);
    let broker = Running::start(config).await;
    let address = socket_address(&broker.urls[1]).unwrap();
    let mut subscriber = certificate.open(address, "/sub/a").await;
    let mut silent = Raw::connect(address).await;
    let mut half = Raw::connect(address).await;
    // The beginning of a ClientHello (RFC 8446 5.1).
    half.send([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]).await;
    silent.expect_end().await;
    half.expect_end().await;
    assert_eq!(Raw::connect(broker.address).await.post("/pub/a", "on it goes").await, 200);
    subscriber.expect(TEXT, "on it goes").await;
    broker.stop().await;
}

/// REQ-HTTP-010, REQ-LIM-002
#[tokio::test]
async fn a_body_that_comes_too_slowly_is_answered_408_and_not_delivered() {
    let mut config = config("http://127.0.0.1:0");
    config.timeouts.body = seconds(0.5);
    let broker = Running::start(config).await;
    let mut subscriber = Raw::open(broker.address, "/sub/a").await;
    for head in ["Content-Length: 100000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n10000\r\n"] {
        let mut slow = Raw::connect(broker.address).await;
        slow.send(format!("POST /pub/a HTTP/1.1\r\nHost: petasus\r\n{head}")).await;
        let (mut answers, body) = split(slow);
        tokio::select! {
            answer = answers.answer() => assert_eq!(answer.status, 408, "{answer:?}"),
            () = trickle(body) => {}
        }
        answers.expect_end().await;
    }
    assert_eq!(Raw::connect(broker.address).await.post("/pub/a", "whole").await, 200);
    subscriber.expect(TEXT, "whole").await;
    broker.stop().await;
}

/// As many as it takes to be a nuisance, on one listener with those who want to be served.
///
/// REQ-LIM-002, REQ-LIVE-002
#[tokio::test]
async fn two_hundred_slow_clients_keep_nobody_from_being_served() {
    let mut config = config("http://127.0.0.1:0");
    config.timeouts.head = seconds(2.0);
    let broker = Running::start(config).await;
    let mut slow = Vec::new();
    for n in 0..200 {
        let mut raw = Raw::connect(broker.address).await;
        raw.send(&handshake("/sub/a", "").as_bytes()[..n % 100]).await;
        slow.push(raw);
    }
    let mut peers = [Raw::open(broker.address, "/bus/a").await, Raw::open(broker.address, "/bus/a").await];
    for n in 0..100 {
        let text = n.to_string();
        peers[0].send(message(TEXT, text.as_bytes())).await;
        peers[1].expect(TEXT, &text).await;
    }
    for mut raw in slow {
        raw.expect_end().await;
    }
    until(&broker.broker, "their sockets to be freed", |metrics| metrics.value("petasus_sockets") == 0).await;
    assert_eq!(Metrics::of(&broker.broker).members(), 2);
    broker.stop().await;
}
