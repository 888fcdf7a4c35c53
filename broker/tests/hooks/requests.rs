//! The hook about requests: before an upgrade or a POST it lets pass, refuses, or rewrites.

use http::StatusCode;
use petasus_broker::auth::{Action, Denied, Operation, Refusal, RequestHead, Verdict};
use petasus_broker::{Broker, BuildError, Builder};
use tokio::sync::mpsc;

use crate::raw::{Raw, TEXT, handshake, message, request};
use crate::running::{Running, config};
use crate::{builder, members, post, start, status_and_body};

/// Rewrites by the header `To`, where there is one.
fn rewriting(builder: Builder) -> Builder {
    builder.on_request(async |head: RequestHead| {
        let to = head.client.headers.get("to").map(|to| to.to_str().unwrap().to_owned());
        Ok(to.map_or(Verdict::Allow, Verdict::Rewrite))
    })
}

fn to(path: &str) -> String {
    format!("To: {path}\r\n")
}

async fn post_to(raw: &mut Raw, path: &str, target: &str, body: &str) -> (u16, String) {
    raw.send(request("POST", path, &to(target), body)).await;
    status_and_body(raw).await
}

/// REQ-HOOK-001
#[tokio::test]
async fn the_hook_sees_the_request_as_it_came() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let hook = move |head| {
        tell.send(head).unwrap();
        std::future::ready(Ok(Verdict::Allow))
    };
    let running = start(builder().on_request(hook)).await;
    let mut raw = Raw::connect(running.address).await;
    raw.send(request("POST", "/pub/a%2Fb?x=1", "Cookie: a=b\r\n", "")).await;
    assert_eq!(raw.answer().await.status, 200);
    let head: RequestHead = told.recv().await.unwrap();
    assert_eq!((head.method.as_str(), head.client.uri.to_string().as_str()), ("POST", "/pub/a%2Fb?x=1"));
    assert_eq!(head.client.headers["cookie"], "a=b");
    raw.upgrade("/bus/t", "").await;
    let head = told.recv().await.unwrap();
    assert_eq!((head.method.as_str(), head.client.headers["upgrade"].as_bytes()), ("GET", &b"websocket"[..]));
    assert!(head.client.remote.is_some_and(|remote| remote.ip().is_loopback()));
}

/// REQ-HOOK-001
#[tokio::test]
async fn a_request_is_refused_with_the_status_and_the_line_of_the_hook() {
    let hook = async |head: RequestHead| {
        let status =
            head.client.headers.get("status").map(|status| StatusCode::from_bytes(status.as_bytes()));
        status.map_or(Ok(Verdict::Allow), |status| Err(Refusal::new(status.unwrap(), "pay first")))
    };
    let running = start(builder().on_request(hook)).await;
    let mut peer = Raw::open(running.address, "/bus/t").await;
    let mut http = Raw::connect(running.address).await;
    // Statuses that say something else than no are not for refusing: a 101 would be believed.
    for (said, status) in [("402", 402), ("403", 403), ("599", 599), ("101", 403), ("200", 403), ("302", 403)]
    {
        let extra = format!("Status: {said}\r\n");
        http.send(handshake("/bus/t", &extra)).await;
        assert_eq!(status_and_body(&mut http).await, (status, "pay first\n".to_owned()));
        http.send(request("POST", "/bus/t", &extra, "refused")).await;
        assert_eq!(status_and_body(&mut http).await, (status, "pay first\n".to_owned()));
        assert_eq!((members(&running.broker), running.broker.connections()), ([1, 0, 0], 1));
    }
    assert_eq!(post(&mut http, "/bus/t", "allowed").await.0, 200);
    peer.expect(TEXT, "allowed").await;
}

/// REQ-HOOK-001, REQ-HOOK-002
#[tokio::test]
async fn in_mercury_a_rewritten_request_is_for_the_new_path_and_query() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let hook = move |operation| {
        tell.send(operation).unwrap();
        std::future::ready(Ok::<_, Denied>(()))
    };
    let running = start(rewriting(builder()).on(Action::Join, hook)).await;
    let mut wanted = Raw::open(running.address, "/bus/wanted").await;
    let mut real = Raw::open(running.address, "/bus/real").await;
    let mut peer = Raw::connect(running.address).await;
    peer.upgrade("/bus/wanted?echo=0", &to("/bus/re%61l?echo=1")).await;
    for _ in 0..2 {
        told.recv().await.unwrap();
    }
    let operation: Operation = told.recv().await.unwrap();
    assert_eq!(
        (operation.topic.as_str(), &operation.client.uri),
        ("real", &"/bus/wanted?echo=0".parse().unwrap())
    );
    peer.send(message(TEXT, b"sent")).await;
    peer.expect(TEXT, "sent").await;
    real.expect(TEXT, "sent").await;

    let mut http = Raw::connect(running.address).await;
    assert_eq!(post_to(&mut http, "/bus/wanted", "/bus/real", "posted").await, (200, String::new()));
    real.expect(TEXT, "posted").await;
    // To another namespace, where there is nobody.
    assert_eq!(post_to(&mut http, "/bus/wanted", "/push/real", "job").await.0, 503);
    assert_eq!(post(&mut http, "/bus/wanted", "as it is").await.0, 200);
    wanted.expect(TEXT, "as it is").await;
}

/// REQ-HOOK-001, REQ-PING-002
#[tokio::test]
async fn in_pinghub_a_rewritten_request_is_for_the_new_channel() {
    for (dialects, mount) in [("pinghub", ""), ("mercury,pinghub:/hub", "/hub")] {
        let config = config(&format!("http://127.0.0.1:0?dialects={dialects}"));
        let running = start(rewriting(Broker::builder().config(config))).await;
        let (wanted_path, real_path) = (format!("{mount}/wanted"), format!("{mount}/r%65al?x"));
        let mut wanted = Raw::open(running.address, &wanted_path).await;
        let mut peer = Raw::connect(running.address).await;
        peer.upgrade(&wanted_path, &to(&real_path)).await;
        let mut real = Raw::open(running.address, &format!("{mount}/real")).await;
        peer.send(message(TEXT, b"sent")).await;
        let mut http = Raw::connect(running.address).await;
        peer.expect(TEXT, "sent").await;
        assert_eq!(post_to(&mut http, &wanted_path, &real_path, "posted").await, (200, "OK\n".to_owned()));
        for text in ["sent", "posted"] {
            real.expect(TEXT, text).await;
        }
        wanted.send(message(TEXT, b"alone")).await;
        wanted.expect(TEXT, "alone").await;
    }
}

/// REQ-HOOK-001, REQ-TOP-002, REQ-HTTP-012
#[tokio::test]
async fn a_path_that_leads_nowhere_is_answered_as_if_the_client_had_asked_for_it() {
    let config = config("http://127.0.0.1:0?dialects=mercury,pinghub:/hub");
    let running = start(rewriting(Broker::builder().config(config))).await;
    let mut raw = Raw::connect(running.address).await;
    let (long, deep) = (format!("/bus/{}", "x".repeat(1025)), format!("/bus/{}", "x/".repeat(64)));
    for (target, status) in [
        ("/nowhere", 404),
        ("/bus/", 404),
        ("/bus/%zz", 400),
        ("/bus/%FF", 400),
        (&long, 400),
        (&deep, 400),
        ("/hub/%FF", 400),
        // These are no paths at all: a fault of the hook.
        ("bus/t", 503),
        ("", 503),
        ("http://petasus/bus/t", 503),
        ("?echo=1", 503),
        ("*", 503),
    ] {
        for sent in [handshake("/bus/t", &to(target)), request("POST", "/bus/t", &to(target), "x")] {
            raw.send(sent).await;
            let (got, body) = status_and_body(&mut raw).await;
            assert_eq!(got, status, "{target:?}: {body}");
            assert!(body.len() > 1 && body.find('\n') == Some(body.len() - 1), "{target:?}: {body:?}");
        }
    }
    assert_eq!((members(&running.broker), running.broker.connections()), ([0, 0, 0], 0));
    // A POST to where nothing can be sent, and an upgrade there.
    assert_eq!(post_to(&mut raw, "/bus/t", "/sub/t", "x").await.0, 405);
    raw.upgrade("/bus/t", &to("/sub/t")).await;
    assert_eq!(members(&running.broker), [0, 1, 0]);
}

/// REQ-ORG-004, REQ-ORG-012: a rewritten request is held to the origins of the place where it goes.
#[tokio::test]
async fn no_rewriting_leads_around_the_origins() {
    let mut config = config("http://127.0.0.1:0?dialects=mercury,pinghub:/hub");
    config.allow_origin = vec!["good.example".to_owned()];
    let running = start(rewriting(Broker::builder().config(config))).await;
    let mut raw = Raw::connect(running.address).await;
    let evil = "Origin: http://evil.example\r\n";
    for extra in ["", evil] {
        raw.send(handshake("/hub/t", &(to("/bus/t") + extra))).await;
        assert_eq!(status_and_body(&mut raw).await.0, 401);
        raw.send(request("POST", "/hub/t", &(to("/bus/t") + extra), "x")).await;
        assert_eq!(status_and_body(&mut raw).await.0, 401);
    }
    raw.send(request("POST", "/hub/t", &(to("/bus/t") + "Origin: http://good.example\r\n"), "x")).await;
    assert_eq!(raw.answer().await.status, 200);
    assert_eq!(post_to(&mut raw, "/hub/t", "/hub/u", "x").await.0, 200);
}

/// Counts how often its hook is asked.
async fn counted(dialects: &str) -> (Running, mpsc::UnboundedReceiver<()>) {
    let (tell, told) = mpsc::unbounded_channel();
    let hook = move |_| {
        tell.send(()).unwrap();
        std::future::ready(Ok(Verdict::Allow))
    };
    let mut config = config(&format!("http://127.0.0.1:0?dialects={dialects}"));
    config.allow_origin = vec!["good.example".to_owned()];
    config.pinghub.origin = "http://good.example".into();
    (start(Broker::builder().config(config).on_request(hook)).await, told)
}

/// REQ-HOOK-001, REQ-ORG-004: the origin is checked first, and what is wrong anyway is nobody's question.
#[tokio::test]
async fn nobody_is_asked_about_what_is_refused_or_answered_anyway() {
    let good = "Origin: http://good.example\r\n";
    let evil = "Origin: http://evil.example\r\n";
    let (running, mut told) = counted("mercury,pinghub:/hub").await;
    let mut raw = Raw::connect(running.address).await;
    let keyless = handshake("/bus/t", good).replace("Sec-WebSocket-Key", "X-Key");
    let old = handshake("/bus/t", good).replace("Version: 13", "Version: 8");
    let unconnected = handshake("/bus/t", good).replace("Connection: Upgrade\r\n", "");
    for (sent, status) in [
        (handshake("/bus/t", evil), 401),
        (handshake("/bus/t", ""), 401),
        (request("POST", "/pub/t", evil, "x"), 401),
        (handshake("/hub/t", evil), 403),
        (handshake("/nowhere", good), 404),
        (request("GET", "/bus/t", good, ""), 426),
        (request("POST", "/sub/t", good, "x"), 405),
        (request("DELETE", "/bus/t", good, ""), 405),
        (request("GET", "/hub/t", good, ""), 200),
        (request("GET", "/", "", ""), 200),
        (keyless, 400),
        (old, 426),
        (unconnected, 400),
    ] {
        raw.send(&sent).await;
        assert_eq!(raw.answer().await.status, status, "{sent}");
    }
    assert!(told.is_empty());
    raw.send(request("POST", "/hub/t", evil, "x")).await;
    assert_eq!(raw.answer().await.status, 200, "pinghub checks no origin of a POST");
    told.recv().await.unwrap();
    raw.upgrade("/bus/t", good).await;
    told.recv().await.unwrap();
    assert!(told.is_empty());
}

/// REQ-HOOK-001: refused before its body is read, so nobody needs to send it.
#[tokio::test]
async fn a_refused_post_need_not_send_its_body() {
    let running = start(builder().on_request(async |_| Err(Refusal::new(StatusCode::FORBIDDEN, "no")))).await;
    let mut raw = Raw::connect(running.address).await;
    raw.send(
        "POST /bus/t HTTP/1.1\r\nHost: petasus\r\nContent-Length: 100000\r\nExpect: 100-continue\r\n\r\n",
    )
    .await;
    assert_eq!(raw.answer().await.status, 403, "and no 100 Continue before");
}

/// REQ-HOOK-001, REQ-HOOK-004
#[test]
fn there_is_one_who_answers_for_requests() {
    let mut config = config("http://127.0.0.1:0");
    config.auth.request = Some("http://127.0.0.1:1/".parse().unwrap());
    let built = rewriting(Broker::builder().config(config)).build();
    assert!(matches!(built.err(), Some(BuildError::TwoRequestHooks)));
}
