//! Rows of the Pinghub dialect.

use crate::bounds::{FLOOD, numbered, read_until_closed};
use crate::raw::{BINARY, FIN, PING, Raw, TEXT, close, frame, frame_head, handshake, message, request};
use crate::row::{Row, answer, run};
use crate::running::{Running, config, seconds};
use crate::watch::Watch;

pub(crate) const BOUNDS: [&str; 2] = ["PING-1005-slow", "PING-eof-no-pong"];

const PINGHUB: &str = "http://127.0.0.1:0?dialects=pinghub";
const NOT_UTF8: &[u8] = b"a\xc0\xafb";

/// REQ-PING-004, REQ-PING-005, REQ-PING-006, REQ-PING-007, REQ-PING-008, REQ-PING-009, REQ-ORG-012, REQ-HTTP-016,
/// REQ-WS-003, REQ-WS-009, REQ-WS-016
#[tokio::test]
async fn pinghub_rows() {
    let mut config = config(PINGHUB);
    config.pinghub.origin = "https://example.com".to_owned();
    let broker = Running::start(config).await;
    let watch = Watch::pinghub(broker.address).await;
    run(rows(), broker.address, watch).await;
    broker.stop().await;
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = paths();
    rows.extend(methods_and_handshakes());
    rows.extend(bodies());
    rows.extend(frames());
    rows
}

fn paths() -> Vec<Row> {
    let moved = |location| answer(301).with("location", location).any_body();
    let not_utf8 = "Error: bad request. Path must be valid Unicode (UTF-8).\n";
    let too_long = "Error: bad request. Path length must be 1-256 Unicode characters (UTF-8).\n";
    let long = format!("/{}", "%C3%A9".repeat(256));
    vec![
        Row::http("PING-301-slashes", handshake("/a//row", ""), moved("/a/row")),
        Row::http("PING-301-dots", request("GET", "/a/./b/../row", "", ""), moved("/a/row")),
        Row::http("PING-301-encoded", request("GET", "/a%2F%2Frow", "", ""), moved("/a/row")),
        Row::http("PING-301-post", request("POST", "//row", "", "x"), moved("/row")),
        Row::http("PING-400-utf8", handshake("/%FF", ""), answer(400).body(not_utf8)),
        Row::http("PING-400-long", request("POST", &long, "", "x"), answer(400).body(too_long)),
        Row::http("PING-400-escape", request("GET", "/%zz", "", ""), answer(400)),
    ]
}

fn methods_and_handshakes() -> Vec<Row> {
    let without = |line: &str, other: &str| handshake("/row", "").replace(line, other);
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let bad = || answer(400).body("Bad Request\n").with("sec-websocket-version", "13");
    let version = without("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 8");
    let post = without("GET ", "POST ").replace("\r\n\r\n", "\r\nContent-Length: 0\r\n\r\n");
    let wrong = || answer(405).body("");
    vec![
        Row::http("PING-405-put", request("PUT", "/row", "", "x"), wrong()),
        Row::http("PING-405-head", request("HEAD", "/row", "", ""), answer(405).without_body()),
        Row::http("PING-405-lower-case", request("post", "/row", "", "x"), wrong()),
        Row::http("PING-405-upgrade", post, answer(405).body("Method Not Allowed\n")),
        Row::http("PING-400-no-key", without(key, ""), bad()),
        Row::http("PING-400-version", version, bad()),
        Row::http("PING-400-no-host", without("Host: petasus\r\n", ""), answer(400)),
        Row::http(
            "PING-403-origin",
            handshake("/row", "Origin: https://example.net\r\n"),
            answer(403).body("Forbidden\n"),
        ),
    ]
}

fn bodies() -> Vec<Row> {
    let mut not_utf8 =
        request("POST", "/row", "Content-Type: application/octet-stream\r\n", "four").into_bytes();
    not_utf8.truncate(not_utf8.len() - 4);
    not_utf8.extend(NOT_UTF8);
    let chunk =
        "POST /row HTTP/1.1\r\nHost: petasus\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n";
    let unread = "Error: bad request. Unable to read POST body.\n";
    vec![
        Row::http(
            "PING-413-body",
            request("POST", "/row", "", &"x".repeat(65_537)),
            answer(413).then_whatever(),
        ),
        Row::http("PING-400-body-utf8", not_utf8, answer(400)),
        Row::http("PING-400-chunk", chunk, answer(400).body(unread).then_closes()),
    ]
}

fn frames() -> Vec<Row> {
    let interleaved = [frame(TEXT, b"one"), message(TEXT, b"two")].concat();
    vec![
        Row::frames("PING-1002-mask", "/row", b"\x81\x04bare".to_vec(), 1002),
        Row::frames("PING-1002-interleaved", "/row", interleaved, 1002),
        Row::frames("PING-1002-close-999", "/row", close(999, b""), 1002),
        Row::frames("PING-1007-text", "/row", message(TEXT, NOT_UTF8), 1007),
        Row::frames("PING-1007-binary", "/row", message(BINARY, NOT_UTF8), 1007),
        Row::frames("PING-1009-frame", "/row", frame_head(FIN | TEXT, 65_537), 1009),
    ]
}

/// Row `PING-1005-slow`: REQ-PING-012, REQ-FLOW-001, REQ-FLOW-002
#[tokio::test]
async fn a_reader_that_does_not_read_is_closed_without_a_code() {
    let mut config = config(PINGHUB);
    config.pinghub.message = 16_384;
    config.limits.message = 16_384;
    config.outbox.bytes = 65_536;
    let broker = Running::start(config).await;
    let mut watch = Watch::pinghub(broker.address).await;
    let mut slow = Raw::connect_small(broker.address).await;
    slow.upgrade("/slow", "").await;
    let mut poster = Raw::connect(broker.address).await;
    for number in 0..FLOOD {
        poster.send(request("POST", "/slow", "", &numbered(number))).await;
        assert_eq!(poster.answer().await.body, b"OK\n");
    }
    assert_eq!(read_until_closed(&mut slow).await, [0_u8; 0], "the Close frame is empty");
    watch.check("PING-1005-slow").await;
    broker.stop().await;
}

/// Row `PING-eof-no-pong`: REQ-PING-011
#[tokio::test]
async fn a_peer_that_talks_but_does_not_pong_is_dropped() {
    let mut config = config(PINGHUB);
    config.pinghub.ping = seconds(0.5);
    config.pinghub.pong = seconds(1.0);
    let broker = Running::start(config).await;
    let mut deaf = Raw::open(broker.address, "/row").await;
    // Its own message comes back and makes it send the next one, all the time until it is dropped.
    deaf.send(message(TEXT, b"alive")).await;
    let mut pings = 0;
    while let Some(frame) = deaf.frame().await {
        if frame.first == PING {
            pings += 1;
        } else {
            assert_eq!(frame.first, FIN | TEXT, "{frame:?}");
            deaf.send(message(TEXT, b"alive")).await;
        }
    }
    assert!(pings > 0);
    Watch::pinghub(broker.address).await.check("PING-eof-no-pong").await;
    broker.stop().await;
}
