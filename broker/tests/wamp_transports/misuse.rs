//! What is wrong with a request to the long-poll transport, and what is not allowed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use petasus_broker::Broker;
use petasus_broker::auth::{RequestHead, Verdict};
use petasus_protocol::wamp::{Message, Serializer};

use crate::hello;
use crate::longpoll::Polled;
use crate::metrics::until;
use crate::raw::{Raw, request};
use crate::running::{Running, config};

async fn answer(raw: &mut Raw, method: &str, path: &str, extra: &str, body: &str) -> (u16, String) {
    raw.send(request(method, path, extra, body)).await;
    let answer = raw.answer().await;
    (answer.status, String::from_utf8(answer.body).unwrap())
}

/// REQ-WAMP-084
#[tokio::test]
async fn what_is_wrong_is_refused_and_says_what_to_do() {
    let broker = Running::start(config("http://127.0.0.1:0")).await;
    let raw = &mut Raw::connect(broker.address).await;
    for (method, path, body, status, words) in [
        ("POST", "/longpoll/open", "", 400, "protocols"),
        ("POST", "/longpoll/open", "[]", 400, "protocols"),
        ("POST", "/longpoll/open", r#"{"protocols": "wamp.2.json"}"#, 400, "protocols"),
        ("POST", "/longpoll/open", r#"{"protocols": []}"#, 400, "wamp.2.json"),
        ("POST", "/longpoll/open", r#"{"protocols": ["wamp.2.flatbuffers"]}"#, 400, "wamp.2.json"),
        ("GET", "/longpoll/open", "", 405, "POST"),
        ("POST", "/longpoll/unknown/receive", "", 404, "open another"),
        ("POST", "/longpoll/unknown/send", "[]", 404, "open another"),
        ("POST", "/longpoll/unknown/close", "", 404, "open another"),
        ("POST", "/longpoll/", "", 404, "open another"),
    ] {
        let (found, text) = answer(raw, method, path, "", body).await;
        assert_eq!(found, status, "{method} {path} {body}: {text}");
        assert!(text.contains(words), "{text}");
    }
    // Below the base, not beside it.
    assert_eq!(answer(raw, "POST", "/longpolled", "", "").await.0, 404);

    let mut polled = Polled::join(broker.address, "wamp.2.json").await;
    assert_eq!(polled.post("sendd", b"").await.status, 404);
    for body in [&b""[..], b"[", b"[1]", b"{}", b"\xff", b"[48, 1, {}, 7]"] {
        let answer = polled.post("send", body).await;
        assert_eq!(answer.status, 400, "{body:?}: {answer:?}");
    }
    // Nothing of that has reached the session: it goes on.
    polled.begin_to_receive().await;
    let mut other = Raw::connect(broker.address).await;
    let path = format!("{}/receive", polled.base);
    // The request that waits may be read a moment later than this one; then it is that one that is refused.
    other.send(request("POST", &path, "", "")).await;
    let statuses = tokio::select! {
        answer = polled.receiving.answer() => answer.status,
        answer = other.answer() => answer.status,
    };
    assert_eq!(statuses, 400, "one request at a time");
    assert_eq!(polled.post("close", b"").await.status, 204);
    broker.stop().await;
}

/// REQ-WAMP-084, REQ-LIM-002
#[tokio::test]
async fn a_body_over_the_limit_is_answered_413() {
    let mut config = config("http://127.0.0.1:0");
    config.limits.message = 1_000;
    let broker = Running::start(config).await;
    let mut polled = Polled::join(broker.address, "wamp.2.json").await;
    assert_eq!(polled.post("send", &[b' '; 1_001]).await.status, 413);
    let raw = &mut Raw::connect(broker.address).await;
    assert_eq!(answer(raw, "POST", "/longpoll/open", "", &" ".repeat(1_001)).await.0, 413);
    broker.stop().await;
}

/// REQ-WAMP-105, REQ-LIM-001
#[tokio::test]
async fn each_session_takes_a_place() {
    let mut config = config("http://127.0.0.1:0");
    config.limits.connections = 3;
    let broker = Running::start(config).await;
    let open = r#"{"protocols": ["wamp.2.json"]}"#;
    let raw = &mut Raw::connect(broker.address).await;
    for _ in 0..3 {
        assert_eq!(answer(raw, "POST", "/longpoll/open", "", open).await.0, 200);
    }
    raw.send(request("POST", "/longpoll/open", "", open)).await;
    let refused = raw.answer().await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")));
    broker.stop().await;
}

/// REQ-WAMP-087, REQ-ORG-001
#[tokio::test]
async fn only_pages_of_an_allowed_origin_may_open_and_use_a_session() {
    let mut config = config("http://127.0.0.1:0");
    config.allow_origin = vec!["example.com".to_owned()];
    let broker = Running::start(config).await;
    let raw = &mut Raw::connect(broker.address).await;
    let open = r#"{"protocols": ["wamp.2.json"]}"#;
    let (good, bad) = ("Origin: https://example.com\r\n", "Origin: https://example.org\r\n");
    for (method, body) in [("POST", open), ("OPTIONS", "")] {
        assert_eq!(answer(raw, method, "/longpoll/open", bad, body).await.0, 401);
        assert_eq!(answer(raw, method, "/longpoll/open", "", body).await.0, 401);
    }
    raw.send(request("OPTIONS", "/longpoll/open", good, "")).await;
    let preflight = raw.answer_head().await;
    assert_eq!(preflight.status, 204);
    assert_eq!(preflight.header("access-control-allow-origin"), Some("https://example.com"));
    assert_eq!(preflight.header("access-control-allow-headers"), Some("Content-Type"));
    let (status, opened) = answer(raw, "POST", "/longpoll/open", good, open).await;
    assert_eq!(status, 200);
    let opened: serde_json::Value = serde_json::from_str(&opened).unwrap();
    let send = format!("/longpoll/{}/send", opened["transport"].as_str().unwrap());
    let body = String::from_utf8(hello("default").encode(Serializer::Json)).unwrap();
    assert_eq!(answer(raw, "POST", &send, bad, &body).await.0, 401);
    assert_eq!(answer(raw, "POST", &send, good, &body).await.0, 204);
    broker.stop().await;
}

/// REQ-WAMP-087, REQ-HOOK-001
#[tokio::test]
async fn the_hook_about_requests_is_asked_when_a_session_is_opened() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counting = asked.clone();
    let hook = move |head: RequestHead| {
        counting.fetch_add(1, Ordering::Relaxed);
        assert_eq!((head.method.as_str(), head.client.uri.path()), ("POST", "/longpoll/open"));
        std::future::ready(Ok(Verdict::Allow))
    };
    let builder = Broker::builder().config(config("http://127.0.0.1:0")).on_request(hook);
    let broker = Running::start_broker(builder.build().unwrap()).await.unwrap();
    let mut polled = Polled::join(broker.address, "wamp.2.json").await;
    assert_eq!(polled.post("close", b"").await.status, 204);
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    broker.stop().await;
}

/// REQ-WAMP-083
#[tokio::test]
async fn others_see_how_a_session_is_connected() {
    let broker = Running::start(config("http://127.0.0.1:0")).await;
    let mut watcher = crate::client::Wamp::join(broker.address, Serializer::Json, "default").await;
    let topic = "wamp.session.on_join".to_owned();
    let request = watcher.request();
    let options = petasus_protocol::wamp::Dict::new();
    watcher.say(petasus_protocol::wamp::message::Subscribe { request, options, topic }).await;
    assert!(matches!(watcher.hear().await, Message::Subscribed(_)));
    let polled = Polled::join(broker.address, "wamp.2.cbor").await;
    let Message::Event(event) = watcher.hear().await else { panic!("no EVENT") };
    let joined = event.payload.arg_values().unwrap().remove(0);
    let transport = joined.as_dict().unwrap().dict("transport").unwrap().unwrap().clone();
    assert_eq!(transport.text("type").unwrap(), Some("longpoll"));
    assert_eq!(transport.text("serializer").unwrap(), Some("cbor"));
    drop(polled);
    until(&broker.broker, "nothing else", |metrics| metrics.value("petasus_connections") == 2).await;
    broker.stop().await;
}
