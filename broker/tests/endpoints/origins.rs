//! Which origins come in. What the refusals look like is in `bad_input`.

use petasus_broker::config::{Config, OriginMatch};

use crate::raw::{handshake, request};
use crate::running::{Running, config};
use crate::{MERCURY, ask};

/// The patterns of the table in PROTOCOL.md.
const PATTERNS: [&str; 5] =
    ["example.com", "*.example.com", "*://www.example.com", "http://www.example.com:*", "*"];

/// The table: an origin, and a digit per pattern, 1 where it passes.
const STRICT: [(&str, &str); 13] = [
    ("", "00000"),
    ("0", "00000"),
    ("null", "00001"),
    ("http://example.com", "10001"),
    ("http://www.example.com", "11111"),
    ("http://www.example.com:3000", "11111"),
    ("https://www.example.com:8443", "11101"),
    ("http://WWW.EXAMPLE.COM:3000", "11111"),
    ("http://a.b.example.com", "11001"),
    ("http://notexample.com", "00001"),
    ("http://example.com.evil.org", "00001"),
    ("http://evil.org/example.com", "00001"),
    ("ftp://www.example.com", "11101"),
];

/// The same by the rule of the original.
const AS_MERCURY: [(&str, &str); 8] = [
    ("", "00000"),
    ("null", "00001"),
    ("http://example.com", "10001"),
    ("http://www.example.com", "11101"),
    ("http://www.example.com:3000", "11111"),
    ("http://WWW.EXAMPLE.COM:3000", "00001"),
    ("http://notexample.com", "10001"),
    ("http://www.example.com.evil.org:3000", "11101"),
];

fn patterns(patterns: &[&str], origin_match: OriginMatch) -> Config {
    let allow_origin = patterns.iter().map(ToString::to_string).collect();
    Config { allow_origin, origin_match, ..config(MERCURY) }
}

/// A digit per pattern for each origin, from one broker per pattern.
async fn check_table(table: &[(&str, &str)], origin_match: OriginMatch) {
    for (column, pattern) in PATTERNS.iter().enumerate() {
        let broker = Running::start(patterns(&[pattern], origin_match)).await;
        for (origin, row) in table {
            let header = format!("Origin: {origin}\r\n");
            let (opened, posted) = if row.as_bytes()[column] == b'1' { (101, 200) } else { (401, 401) };
            let mut raw = crate::Raw::connect(broker.address).await;
            raw.send(handshake("/sub/t", &header)).await;
            assert_eq!(raw.answer_head().await.status, opened, "{pattern} and {origin:?}");
            let post = ask(broker.address, request("POST", "/pub/t", &header, "x")).await;
            assert_eq!(post.status, posted, "{pattern} and {origin:?}");
        }
        broker.stop().await;
    }
}

/// REQ-ORG-003, REQ-ORG-004, REQ-ORG-005, REQ-ORG-006, REQ-ORG-007, REQ-ORG-011
#[tokio::test]
async fn patterns_match_whole_labels() {
    check_table(&STRICT, OriginMatch::Strict).await;
}

/// REQ-ORG-010
#[tokio::test]
async fn the_old_rule_finds_a_pattern_anywhere() {
    check_table(&AS_MERCURY, OriginMatch::Mercury).await;
}

/// REQ-ORG-001, REQ-ORG-002, REQ-ORG-005
#[tokio::test]
async fn no_pattern_is_no_check_and_several_are_alternatives() {
    let either = ["one.example", "two.example"];
    for (allowed, origin, status) in [
        (&[][..], "", 200),
        (&[], "Origin: http://anywhere.example\r\n", 200),
        (&either, "Origin: http://one.example\r\n", 200),
        (&either, "Origin: http://two.example\r\n", 200),
        (&either, "Origin: http://three.example\r\n", 401),
        (&either, "", 401),
    ] {
        let broker = Running::start(patterns(allowed, OriginMatch::Strict)).await;
        let answer = ask(broker.address, request("POST", "/bus/t", origin, "x")).await;
        assert_eq!(answer.status, status, "{allowed:?} and {origin:?}");
        broker.stop().await;
    }
}

/// Whether the page of this origin may read the answer, which must have this status.
async fn is_shared(broker: &Running, origin: &str, asked: &str, status: u16) -> bool {
    let line = format!("\r\nOrigin: {origin}\r\n");
    let answer = ask(broker.address, asked.replacen("\r\n", &line, 1)).await;
    assert_eq!(answer.status, status, "{origin}: {asked}");
    let shared = answer.header("access-control-allow-origin");
    assert!(shared.is_none_or(|named| named == origin), "{answer:?}");
    assert_eq!(answer.header("vary"), shared.map(|_| "Origin"), "{origin}: {asked}");
    shared.is_some()
}

/// What is answered before anybody looked at the origin.
fn refused_before() -> [(String, u16); 6] {
    let no_host = request("POST", "/bus/t", "", "x").replace("Host: petasus\r\n", "");
    [
        (request("POST", "/nowhere", "", "x"), 404),
        (request("POST", "/bus/%zz", "", "x"), 400),
        (request("PUT", "/bus/t", "", "x"), 405),
        (request("GET", "/bus/t", "", ""), 426),
        (request("GET", "/", "", ""), 200),
        (no_host, 400),
    ]
}

/// REQ-HTTP-015
#[tokio::test]
async fn an_allowed_page_may_read_the_answer_to_its_post() {
    let (good, bad) = ("https://example.com", "https://example.net");
    let broker = Running::start(patterns(&["example.com"], OriginMatch::Strict)).await;
    let too_long = request("POST", "/bus/t", "", &"x".repeat(262_145));
    for (asked, status) in [
        (request("POST", "/bus/t", "", "x"), 200),
        (request("POST", "/push/nobody", "", "x"), 503),
        (too_long, 413),
    ] {
        assert!(is_shared(&broker, good, &asked, status).await, "{status}");
        assert!(!is_shared(&broker, bad, &asked, 401).await, "{status}");
    }
    let no_key = handshake("/bus/t", "").replace("Sec-WebSocket-Key", "X-Key");
    assert!(is_shared(&broker, good, &no_key, 400).await);
    for (asked, status) in refused_before() {
        for origin in [good, bad] {
            assert!(!is_shared(&broker, origin, &asked, status).await, "{origin}: {asked}");
        }
    }
    broker.stop().await;
}

/// REQ-HTTP-015
#[tokio::test]
async fn without_a_pattern_every_page_may_read_every_answer() {
    let broker = Running::start(config(MERCURY)).await;
    for (asked, status) in refused_before() {
        assert!(is_shared(&broker, "https://example.net", &asked, status).await, "{asked}");
    }
    broker.stop().await;
}

/// A POST is not asked where it comes from, so every page may read its answer.
///
/// REQ-HTTP-015, REQ-ORG-012
#[tokio::test]
async fn the_origin_of_pinghub_is_kept_likewise() {
    let mut config = config("http://127.0.0.1:0?dialects=pinghub");
    config.pinghub.origin = "https://example.com".to_owned();
    let broker = Running::start(config).await;
    let bad = "https://example.net";
    assert!(!is_shared(&broker, bad, &handshake("/t", ""), 403).await);
    assert!(!is_shared(&broker, bad, &request("PUT", "/t", "", "x"), 405).await);
    assert!(!is_shared(&broker, bad, &request("GET", "//t", "", ""), 301).await);
    assert!(is_shared(&broker, bad, &request("POST", "/t", "", "x"), 200).await);
    broker.stop().await;
}

/// A page asks before it posts what no form could: bytes, for one.
///
/// REQ-HTTP-017
#[tokio::test]
async fn a_page_of_an_allowed_origin_may_post_bytes() {
    let (good, bad) = ("https://example.com", "https://example.net");
    let broker = Running::start(patterns(&["example.com"], OriginMatch::Strict)).await;
    let preflight = |path: &str| {
        let asks = "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: content-type\r\n";
        request("OPTIONS", path, asks, "")
    };
    for path in ["/bus/t", "/pub/t", "/push/t"] {
        assert!(is_shared(&broker, good, &preflight(path), 204).await, "{path}");
        assert!(!is_shared(&broker, bad, &preflight(path), 401).await, "{path}");
        let named = format!("\r\nOrigin: {good}\r\n");
        let answer = ask(broker.address, preflight(path).replacen("\r\n", &named, 1)).await;
        assert_eq!(answer.header("access-control-allow-methods"), Some("POST"));
        assert_eq!(answer.header("access-control-allow-headers"), Some("Content-Type"));
    }
    for (asked, status) in [
        // What could not be posted either, and what is no preflight.
        (preflight("/sub/t"), 405),
        (preflight("/ws"), 405),
        (preflight("/nowhere"), 404),
        (request("OPTIONS", "/pub/t", "", ""), 405),
        (request("OPTIONS", "/pub/t", "Access-Control-Request-Method: PUT\r\n", ""), 405),
    ] {
        assert!(!is_shared(&broker, good, &asked, status).await, "{asked}");
    }
    broker.stop().await;
}
