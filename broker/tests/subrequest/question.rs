//! What the server is asked.

use http::HeaderMap;

use crate::judge::Judge;
use crate::raw::{Raw, handshake, request};
use crate::running::Running;
use crate::{asking, asking_for};

/// All values of a header, as text where they are text.
fn values(headers: &HeaderMap, name: &str) -> Vec<String> {
    let values = headers.get_all(name).into_iter();
    values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
}

/// REQ-HOOK-004
#[tokio::test]
async fn it_carries_the_headers_of_the_request() {
    let mut judge = Judge::start().await;
    let broker = Running::start(asking(judge.address)).await;
    let extra = "Cookie: a=b\r\nAuthorization: Bearer sesame\r\nX-Custom: one\r\nX-Custom: two\r\n\
         Origin: http://example.com\r\nUser-Agent: raw\r\nX-Bytes: caf\u{e9}\r\n\
         Sec-WebSocket-Protocol: token.abc\r\n";
    let mut raw = Raw::connect(broker.address).await;
    raw.upgrade("/bus/re%61l?jwt=x.y&z=%20", extra).await;
    let question = judge.question().await;
    assert_eq!((question.method.as_str(), question.uri.to_string().as_str()), ("GET", "/check?by=petasus"));
    let headers = &question.headers;
    for (name, expected) in [
        ("x-original-uri", &["/bus/re%61l?jwt=x.y&z=%20"][..]),
        ("x-original-method", &["GET"]),
        ("host", &[&judge.address.to_string()]),
        ("cookie", &["a=b"]),
        ("authorization", &["Bearer sesame"]),
        ("x-custom", &["one", "two"]),
        ("origin", &["http://example.com"]),
        ("user-agent", &["raw"]),
        ("x-bytes", &["caf\u{e9}"]),
        ("sec-websocket-protocol", &["token.abc"]),
        ("connection", &[]),
        ("upgrade", &[]),
        ("content-length", &[]),
    ] {
        assert_eq!(values(headers, name), expected, "{name}");
    }
}

/// REQ-HOOK-004: what belongs to the client's connection, or to its body, is no part of the question.
#[tokio::test]
async fn it_has_no_body_and_no_word_of_one() {
    let mut judge = Judge::start().await;
    let broker = Running::start(asking(judge.address)).await;
    let mut raw = Raw::connect(broker.address).await;
    let extra = "Content-Type: text/plain\r\nConnection: keep-alive, Upgrade\r\nKeep-Alive: timeout=5\r\n\
         Proxy-Connection: keep-alive\r\nTE: trailers\r\nTrailer: X-Sum\r\nExpect: 100-continue\r\n";
    raw.send(request("POST", "/pub/t?x=y", extra, "a body")).await;
    assert_eq!(raw.answer_head().await.status, 100);
    assert_eq!(raw.answer().await.status, 200);
    let chunked =
        format!("POST /pub/t HTTP/1.1\r\nHost: petasus\r\nTransfer-Encoding: chunked\r\n{extra}\r\n");
    raw.send(chunked + "6\r\na body\r\n0\r\n\r\n").await;
    assert_eq!(raw.answer_head().await.status, 100);
    assert_eq!(raw.answer().await.status, 200);
    for uri in ["/pub/t?x=y", "/pub/t"] {
        let question = judge.question().await;
        let headers = &question.headers;
        assert_eq!(question.method, "GET");
        assert_eq!(values(headers, "x-original-uri"), [uri]);
        assert_eq!(values(headers, "x-original-method"), ["POST"]);
        assert_eq!(values(headers, "content-type"), ["text/plain"]);
        for name in [
            "connection",
            "content-length",
            "transfer-encoding",
            "te",
            "trailer",
            "expect",
            "keep-alive",
            "proxy-connection",
        ] {
            assert_eq!(values(headers, name), [""; 0], "{name}");
        }
    }
}

/// REQ-HOOK-004: no client asks in the name of another path. Programs behind CGI read `_` as `-`.
#[tokio::test]
async fn what_the_broker_says_about_the_request_cannot_be_forged() {
    let mut judge = Judge::start().await;
    let broker = Running::start(asking(judge.address)).await;
    let forged = "X-Original-URI: /bus/public\r\nx-original-uri: /bus/public\r\nX_Original_URI: /bus/public\r\n\
         X-ORIGINAL_URI: /bus/public\r\nX-Original-Method: HEAD\r\nX_Original_Method: HEAD\r\nX-Original-Else: kept\r\n";
    // As bytes: of a path that is not ASCII, and not escaped either.
    for path in ["/bus/secret?x", "/bus/s\u{e9}cret", "/bus/secret?\u{2603}", "/bus/s%C3%A9cret"] {
        let mut raw = Raw::connect(broker.address).await;
        raw.upgrade(path, forged).await;
        raw.leave().await;
        let mut raw = Raw::connect(broker.address).await;
        raw.send(request("POST", path, forged, "x")).await;
        assert_eq!(raw.answer().await.status, 200);
        for method in ["GET", "POST"] {
            let question = judge.question().await;
            assert_eq!(values(&question.headers, "x-original-uri"), [path]);
            assert_eq!(values(&question.headers, "x-original-method"), [method]);
            assert_eq!(values(&question.headers, "x-original-else"), ["kept"]);
            let names: Vec<_> = question.headers.keys().filter(|name| name.as_str().contains('_')).collect();
            assert!(names.is_empty(), "{names:?}");
        }
    }
}

/// REQ-HOOK-004; RFC 9112 3.2.2: what is asked about is what is opened, whatever host the target names.
#[tokio::test]
async fn a_target_with_a_host_is_asked_about_by_its_path() {
    let mut judge = Judge::start().await;
    let broker = Running::start(asking(judge.address)).await;
    let mut peer = Raw::open(broker.address, "/bus/t").await;
    judge.question().await;
    let mut raw = Raw::connect(broker.address).await;
    raw.send(request("POST", "http://elsewhere.example/bus/t?x", "", "hi")).await;
    assert_eq!(raw.answer().await.status, 200);
    peer.expect(crate::raw::TEXT, "hi").await;
    assert_eq!(values(&judge.question().await.headers, "x-original-uri"), ["/bus/t?x"]);
}

/// REQ-HOOK-004, REQ-ORG-004
#[tokio::test]
async fn it_is_asked_after_the_origin_and_only_about_what_is_right_otherwise() {
    let mut judge = Judge::start().await;
    let mut config = asking_for(judge.address, "mercury,pinghub:/hub");
    config.allow_origin = vec!["good.example".to_owned()];
    config.pinghub.origin = "http://good.example".into();
    let broker = Running::start(config).await;
    let mut raw = Raw::connect(broker.address).await;
    let (good, evil) = ("Origin: http://good.example\r\n", "Origin: http://evil.example\r\n");
    for (sent, status) in [
        (handshake("/bus/t", evil), 401),
        (handshake("/bus/t", ""), 401),
        (request("POST", "/pub/t", evil, "x"), 401),
        (handshake("/hub/t", evil), 403),
        (handshake("/nowhere", good), 404),
        (handshake("/bus/%zz", good), 400),
        (request("POST", "/pull/t", good, "x"), 405),
        (request("GET", "/bus/t", good, ""), 426),
        (request("GET", "/hub/t", good, ""), 200),
        (handshake("/bus/t", good).replace("Key:", "Quay:"), 400),
    ] {
        raw.send(&sent).await;
        assert_eq!(raw.answer().await.status, status, "{sent}");
    }
    assert!(judge.rests());
    raw.send(request("POST", "/hub/t", "", "x")).await;
    assert_eq!(raw.answer().await.status, 200);
    raw.upgrade("/bus/t", good).await;
    for uri in ["/hub/t", "/bus/t"] {
        assert_eq!(values(&judge.question().await.headers, "x-original-uri"), [uri]);
    }
    assert!(judge.rests());
}
