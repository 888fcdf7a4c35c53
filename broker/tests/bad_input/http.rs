//! Rows that are answered before a WebSocket opens.

use crate::raw::{handshake, request};
use crate::row::{Answered, Row, Sent, answer, run};
use crate::running::{Running, config};
use crate::watch::Watch;

const MERCURY: &str = "http://127.0.0.1:0";

/// REQ-HTTP-003, REQ-HTTP-004, REQ-HTTP-005, REQ-HTTP-006, REQ-HTTP-009, REQ-HTTP-010, REQ-HTTP-011, REQ-HTTP-012,
/// REQ-HTTP-014, REQ-HTTP-016, REQ-TOP-002, REQ-TOP-006, REQ-TOP-007, REQ-WS-002, REQ-WS-008, REQ-WS-011, REQ-WS-016
#[tokio::test]
async fn http_rows() {
    let broker = Running::start(config(MERCURY)).await;
    let watch = Watch::mercury(broker.address, "").await;
    run(rows(), broker.address, watch).await;
    broker.stop().await;
}

/// REQ-ORG-002, REQ-ORG-004, REQ-ORG-006, REQ-ORG-011, REQ-ORG-013
#[tokio::test]
async fn origin_rows_are_refused() {
    let mut config = config(MERCURY);
    config.allow_origin = vec!["example.com".to_owned()];
    let broker = Running::start(config).await;
    let watch = Watch::mercury(broker.address, "Origin: http://www.example.com:3000\r\n").await;
    run(origin_rows(), broker.address, watch).await;
    broker.stop().await;
}

/// REQ-HTTP-013
#[tokio::test]
async fn production_serves_no_page() {
    let mut config = config(MERCURY);
    config.mode = petasus_broker::config::Mode::Production;
    let broker = Running::start(config).await;
    let watch = Watch::mercury(broker.address, "").await;
    run(production_rows(), broker.address, watch).await;
    broker.stop().await;
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = paths();
    rows.extend(methods());
    rows.extend(handshakes());
    rows.extend(bodies());
    rows.extend(heads());
    rows
}

pub(crate) fn production_rows() -> Vec<Row> {
    vec![Row::http("HTTP-404-root", request("GET", "/", "", ""), answer(404))]
}

fn paths() -> Vec<Row> {
    let long = format!("/bus/{}", "é".repeat(1025).replace('é', "%C3%A9"));
    let deep = format!("/sub/a{}", "/a".repeat(64));
    vec![
        Row::http("HTTP-404-path", handshake("/nope/x", ""), answer(404)),
        Row::http("HTTP-404-case", handshake("/SUB/x", ""), answer(404)),
        Row::http("HTTP-404-no-topic", handshake("/bus", ""), answer(404)),
        Row::http("HTTP-404-empty-topic", handshake("/bus/", ""), answer(404)),
        Row::http("HTTP-404-post-empty-topic", request("POST", "/pub/", "", "x"), answer(404)),
        Row::http("HTTP-404-double-slash", handshake("//sub/a", ""), answer(404)),
        Row::http("HTTP-404-dot", handshake("/./pub/a", ""), answer(404)),
        Row::http("HTTP-403-reserved", request("POST", "/pub/wamp/session/on_join", "", "x"), answer(403)),
        Row::http("HTTP-403-reserved-open", handshake("/pub/wamp", ""), answer(403)),
        Row::http("HTTP-403-dollar", request("POST", "/pub/%24SYS/x", "", "x"), answer(403)),
        Row::http("HTTP-400-escape", handshake("/bus/%zz", ""), answer(400)),
        Row::http("HTTP-400-escape-end", handshake("/bus/a%4", ""), answer(400)),
        Row::http("HTTP-400-utf8", handshake("/bus/%FF", ""), answer(400)),
        Row::http("HTTP-400-utf8-post", request("POST", "/pub/%C3", "", "x"), answer(400)),
        Row::http("HTTP-400-topic-chars", handshake(&long, ""), answer(400)),
        Row::http("HTTP-400-topic-depth", handshake(&deep, ""), answer(400)),
    ]
}

fn methods() -> Vec<Row> {
    let upgrade = || answer(426).with("upgrade", "websocket");
    let both = || answer(405).with("allow", "GET, POST");
    let get = || answer(405).with("allow", "GET");
    let http10 = handshake("/bus/row", "").replace("HTTP/1.1", "HTTP/1.0");
    let h2c = "Upgrade: h2c\r\nConnection: Upgrade\r\n";
    vec![
        Row::http(
            "HTTP-426-get",
            request("GET", "/bus/row", "", ""),
            upgrade().with("connection", "Upgrade"),
        ),
        Row::http("HTTP-426-h2c", request("GET", "/bus/row", h2c, ""), upgrade()),
        Row::http("HTTP-426-http10", http10, answer(426).then_whatever()),
        Row::http("HTTP-405-head", request("HEAD", "/bus/row", "", ""), both().without_body()),
        Row::http("HTTP-405-put", request("PUT", "/pub/row", "", "x"), both()),
        Row::http("HTTP-405-delete", request("DELETE", "/push/row", "", ""), both()),
        Row::http("HTTP-405-options", request("OPTIONS", "/bus/row", "", ""), both()),
        Row::http("HTTP-405-lower-case", request("post", "/pub/row", "", "x"), both()),
        Row::http("HTTP-405-sub-post", request("POST", "/sub/row", "", "x"), get()),
        Row::http("HTTP-405-pull-post", request("POST", "/pull/row", "", "x"), get()),
        Row::http("HTTP-405-sub-put", request("PUT", "/sub/row", "", "x"), get()),
    ]
}

fn handshakes() -> Vec<Row> {
    let version = "Sec-WebSocket-Version: 13\r\n";
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let without = |line: &str, other: &str| handshake("/bus/row", "").replace(line, other);
    let wants_13 = || answer(426).with("sec-websocket-version", "13");
    vec![
        Row::http("HTTP-426-version", without(version, "Sec-WebSocket-Version: 8\r\n"), wants_13()),
        Row::http("HTTP-426-no-version", without(version, ""), wants_13()),
        Row::http("HTTP-400-no-key", without(key, ""), answer(400)),
        Row::http(
            "HTTP-400-short-key",
            without(key, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j\r\n"),
            answer(400),
        ),
        Row::http(
            "HTTP-400-bad-key",
            without(key, "Sec-WebSocket-Key: ?GhlIHNhbXBsZSBub25jZQ==\r\n"),
            answer(400),
        ),
        Row::http(
            "HTTP-400-connection",
            without("Connection: Upgrade\r\n", "Connection: keep-alive\r\n"),
            answer(400),
        ),
    ]
}

pub(crate) fn origin_rows() -> Vec<Row> {
    let refused = || answer(401).body("Origin check failed\n");
    let bad = "Origin: http://example.net\r\n";
    let two = "Origin: http://example.net\r\nOrigin: http://example.com\r\n";
    let from = |origin: &str| handshake("/bus/row", &format!("Origin: {origin}\r\n"));
    vec![
        Row::http("HTTP-401-bus", handshake("/bus/row", bad), refused()),
        Row::http("HTTP-401-pub", handshake("/pub/row", bad), refused()),
        Row::http("HTTP-401-sub", handshake("/sub/row", bad), refused()),
        Row::http("HTTP-401-push", handshake("/push/row", bad), refused()),
        Row::http("HTTP-401-pull", handshake("/pull/row", bad), refused()),
        Row::http("HTTP-401-none", handshake("/sub/row", ""), refused()),
        Row::http("HTTP-401-empty", from(""), refused()),
        Row::http("HTTP-401-suffix", from("http://example.com.evil.org"), refused()),
        Row::http("HTTP-401-prefix", from("http://notexample.com"), refused()),
        Row::http("HTTP-401-two", handshake("/bus/row", two), refused()),
        Row::http("HTTP-401-post", request("POST", "/pub/row", bad, "x"), refused()),
        Row::http("HTTP-401-post-none", request("POST", "/bus/row", "", "x"), refused()),
    ]
}

/// The limit is the default, 262144 bytes.
fn bodies() -> Vec<Row> {
    let announced = "POST /pub/row HTTP/1.1\r\nHost: petasus\r\nContent-Length: 262145\r\n\r\n";
    let chunked = |body: &str| {
        format!("POST /bus/row HTTP/1.1\r\nHost: petasus\r\nTransfer-Encoding: chunked\r\n\r\n{body}")
    };
    let chunks = format!("40000\r\n{}\r\n1\r\nx\r\n0\r\n\r\n", "x".repeat(0x40000));
    let mut not_utf8 = request("POST", "/bus/row", "Content-Type: text/plain\r\n", "four").into_bytes();
    not_utf8.truncate(not_utf8.len() - 4);
    not_utf8.extend(b"a\xffbc");
    let short = "POST /bus/row HTTP/1.1\r\nHost: petasus\r\nContent-Length: 10\r\n\r\nabc";
    vec![
        Row::http("HTTP-413-length", announced, answer(413).with("connection", "close").then_whatever()),
        Row::http(
            "HTTP-413-chunked",
            chunked(&chunks),
            answer(413).with("connection", "close").then_whatever(),
        ),
        Row::http("HTTP-400-body-utf8", not_utf8, answer(400)),
        Row::http("HTTP-400-chunk", chunked("zz\r\nabc\r\n0\r\n\r\n"), answer(400).then_closes()),
        Row {
            id: "HTTP-400-short",
            sent: Sent::BytesAndEnd(short.into()),
            answered: Answered::Http(answer(400).then_closes()),
        },
    ]
}

fn heads() -> Vec<Row> {
    let line = format!("X-Long: {}\r\n", "x".repeat(16_384));
    let fields = "X-Field: x\r\n".repeat(200);
    let lengths =
        "POST /bus/row HTTP/1.1\r\nHost: petasus\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab";
    // 2^64 - 1, and one more.
    let length = |length: &str| {
        format!("POST /bus/row HTTP/1.1\r\nHost: petasus\r\nContent-Length: {length}\r\n\r\nab")
    };
    let hosts = |hosts: &str, request: String| request.replace("Host: petasus\r\n", hosts);
    let two = "Host: petasus\r\nHost: petasus.example\r\n";
    let old = hosts(two, request("POST", "/bus/row", "", "x")).replace("HTTP/1.1", "HTTP/1.0");
    let text = "more than one Host header: send one\n";
    let client_hello = b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00\r\n\r\n";
    vec![
        Row::http("HTTP-431-bytes", request("GET", "/bus/row", &line, ""), answer(431).by_the_parser()),
        Row::http("HTTP-431-fields", request("GET", "/bus/row", &fields, ""), answer(431).by_the_parser()),
        Row::http("HTTP-400-head", "one two three four\r\n\r\n", answer(400).by_the_parser()),
        Row::http("HTTP-400-tls", client_hello, answer(400).by_the_parser()),
        Row::http("HTTP-400-lengths", lengths, answer(400).by_the_parser()),
        Row::http("HTTP-431-length", length("18446744073709551615"), answer(431).by_the_parser()),
        Row::http("HTTP-400-length", length("18446744073709551616"), answer(400).by_the_parser()),
        Row::http("HTTP-400-no-host", hosts("", handshake("/bus/row", "")), answer(400)),
        Row::http("HTTP-400-no-host-post", hosts("", request("POST", "/bus/row", "", "x")), answer(400)),
        Row::http("HTTP-400-no-host-path", hosts("", request("GET", "/nope", "", "")), answer(400)),
        Row::http("HTTP-400-two-hosts", hosts(two, handshake("/bus/row", "")), answer(400).body(text)),
        Row::http("HTTP-400-two-hosts-http10", old, answer(400).body(text).then_whatever()),
    ]
}
