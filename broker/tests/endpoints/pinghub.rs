//! The Pinghub dialect: channels, POST, the page, and how it meets Mercury.

use crate::raw::{BINARY, Raw, TEXT, handshake, message, request};
use crate::running::{Running, config};
use crate::{ask, post};

const PINGHUB: &str = "http://127.0.0.1:0?dialects=pinghub";

/// REQ-PING-001, REQ-PING-003
#[tokio::test]
async fn every_path_is_a_channel_and_a_post_is_ok() {
    let broker = Running::start(config(PINGHUB)).await;
    for path in ["/", "/metrics", "/bus/t", "/healthz", "/a/b/"] {
        let ok = || ask(broker.address, request("POST", path, "", "nobody hears this"));
        let answer = ok().await;
        assert_eq!((answer.status, &answer.body[..]), (200, &b"OK\n"[..]), "{path}: {answer:?}");
        assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));

        let mut subscriber = Raw::open(broker.address, path).await;
        assert_eq!(ask(broker.address, request("POST", path, "", "")).await.body, b"OK\n");
        assert_eq!(ok().await.body, b"OK\n");
        subscriber.expect(TEXT, "nobody hears this").await;
        subscriber.settle().await;
    }
    broker.stop().await;
}

/// REQ-PING-014, REQ-PING-006, REQ-PING-007, REQ-TOP-001
#[tokio::test]
async fn a_channel_is_its_decoded_path() {
    let broker = Running::start(config(PINGHUB)).await;
    let longest = format!("/{}", "%C3%A9".repeat(255));
    for (joined, sent, same) in [
        ("/a", "/%61?jwt=x", true),
        ("/a/b", "/a%2Fb", true),
        ("/a+b", "/a%2Bb", true),
        (&*longest, &*longest, true),
        ("/a", "/A", false),
        ("/a", "/a/", false),
        ("/a/", "/a", false),
        ("/a", "/a/b", false),
        ("/a/b", "/a", false),
        ("/%252F", "/%2F%252F", false),
    ] {
        let mut subscriber = Raw::open(broker.address, joined).await;
        let answer = ask(broker.address, request("POST", sent, "", "message")).await;
        assert!([200, 301].contains(&answer.status), "{sent}: {answer:?}");
        if same {
            subscriber.expect(TEXT, "message").await;
        }
        subscriber.settle().await;
    }
    broker.stop().await;
}

/// REQ-PING-015, REQ-PING-004
#[tokio::test]
async fn a_channel_is_a_topic_of_the_bus() {
    let broker = Running::start(config("http://127.0.0.1:0?dialects=mercury,pinghub:/ping")).await;
    let mut peer = Raw::open(broker.address, "/bus/a/b").await;
    let mut channel = Raw::open(broker.address, "/ping/a/b").await;
    peer.send(message(TEXT, b"from the peer")).await;
    channel.expect(TEXT, "from the peer").await;
    channel.send(message(BINARY, b"from the channel")).await;
    peer.expect(TEXT, "from the channel").await;
    channel.expect(TEXT, "from the channel").await;
    post(broker.address, "/ping/a/b", "posted").await;
    peer.expect(TEXT, "posted").await;
    channel.expect(TEXT, "posted").await;

    // Bytes that are no text pass the channel by; the other peers get them.
    let mut other = Raw::open(broker.address, "/bus/a/b").await;
    peer.send([message(BINARY, b"\xff\xfe"), message(TEXT, b"text again")].concat()).await;
    other.expect(BINARY, b"\xff\xfe").await;
    other.expect(TEXT, "text again").await;
    channel.expect(TEXT, "text again").await;

    let moved = ask(broker.address, request("GET", "/ping/a//b", "", "")).await;
    assert_eq!((moved.status, moved.header("location")), (301, Some("/ping/a/b")));
    broker.stop().await;
}

/// REQ-PING-013
#[tokio::test]
async fn a_get_shows_a_client_for_the_path() {
    let broker = Running::start(config(PINGHUB)).await;
    let page = ask(broker.address, request("GET", "/%3Cscript%3E&%22x", "", "")).await;
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let html = String::from_utf8(page.body).unwrap();
    assert!(html.contains("<h3>Websocket client for /&lt;script&gt;&amp;&quot;x</h3>"), "{html}");
    assert!(!html.contains("<script>&"), "the path is escaped everywhere");
    assert!(!html.contains("://"), "nothing comes from another host");
    broker.stop().await;
}

/// REQ-ORG-012, REQ-ORG-002
#[tokio::test]
async fn one_origin_may_open_a_socket_and_everybody_may_post() {
    let mut config = config(PINGHUB);
    config.pinghub.origin = "https://example.com".to_owned();
    let broker = Running::start(config).await;
    for (origin, status) in [
        ("", 101),
        ("Origin: https://example.com\r\n", 101),
        ("Origin: http://example.com\r\n", 403),
        ("Origin: https://www.example.com\r\n", 403),
        ("Origin: https://example.com:8443\r\n", 403),
        ("Origin: null\r\n", 403),
        ("Origin: \r\n", 403),
    ] {
        let mut raw = Raw::connect(broker.address).await;
        raw.send(handshake("/t", origin)).await;
        assert_eq!(raw.answer_head().await.status, status, "{origin}");
        assert_eq!(ask(broker.address, request("POST", "/t", origin, "x")).await.status, 200, "{origin}");
        assert_eq!(ask(broker.address, request("GET", "/t", origin, "")).await.status, 200, "{origin}");
    }
    broker.stop().await;
}
