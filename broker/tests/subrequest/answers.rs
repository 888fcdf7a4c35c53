//! What the client gets for what the server answers.

use crate::judge::{Judge, blurting};
use crate::raw::{Raw, TEXT, handshake, request};
use crate::running::{Running, seconds};
use crate::{Watch, answer, asking};

const BROKEN: &str = "the authorisation server did not answer as it should\n";

/// REQ-HOOK-004
#[tokio::test]
async fn only_204_allows_and_only_403_refuses_with_403() {
    let judge = Judge::start().await;
    let broker = Running::start(asking(judge.address)).await;
    let mut watch = Watch::open(broker.address).await;
    let connections = broker.broker.connections();
    for (said, expected) in [
        (403, (403, "not allowed\n")),
        (200, (503, BROKEN)),
        (201, (503, BROKEN)),
        (302, (503, BROKEN)),
        (401, (503, BROKEN)),
        (404, (503, BROKEN)),
        (500, (503, BROKEN)),
        (503, (503, BROKEN)),
    ] {
        let say = format!("Say: {said}\r\n");
        for path in ["/bus/t", "/pub/t", "/sub/t", "/push/t", "/pull/t"] {
            let mut raw = Raw::connect(broker.address).await;
            raw.send(handshake(path, &say)).await;
            let refusal = raw.answer().await;
            let body = String::from_utf8(refusal.body.clone()).unwrap();
            assert_eq!((refusal.status, body.as_str()), expected, "{said} {path}");
            for leaked in ["location", "set-cookie", "x-rewrite"] {
                assert_eq!(refusal.header(leaked), None, "{said} {path}");
            }
            if !path.starts_with("/sub") && !path.starts_with("/pull") {
                // On the same connection, which serves on (REQ-HTTP-014).
                raw.send(request("POST", path, &say, "refused")).await;
                assert_eq!(answer(&mut raw).await, (expected.0, expected.1.to_owned()), "{said} {path}");
            }
        }
        watch.check(&said.to_string()).await;
        assert_eq!(broker.broker.connections(), connections, "{said}");
    }
    let mut raw = Raw::connect(broker.address).await;
    assert_eq!(raw.post("/bus/t", "allowed").await, 200);
    let (one, two) = &mut watch.0[0];
    for peer in [one, two] {
        peer.expect(TEXT, "allowed").await;
    }
    raw.upgrade("/bus/t", "").await;
}

/// REQ-HOOK-004
#[tokio::test]
async fn what_is_no_answer_refuses() {
    for said in [
        &b"SSH-2.0-OpenSSH_9.2p1\r\n"[..],
        b"\0\0\0\x01\x05\0\0\0\0",
        b"HTTP/1.1 204\r\nX-Rewrite",
        b"HTTP/1.1 2O4 No Content\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nContent-Length: 1\r\nContent-Length: 2\r\nX-Rewrite : /bus/t\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"",
    ] {
        let judge = blurting(said).await;
        let broker = Running::start(asking(judge)).await;
        let mut raw = Raw::connect(broker.address).await;
        let said = String::from_utf8_lossy(said);
        raw.send(handshake("/bus/t", "")).await;
        assert_eq!(answer(&mut raw).await, (503, BROKEN.to_owned()), "{said:?}");
        raw.send(request("POST", "/bus/t", "", "refused")).await;
        assert_eq!(answer(&mut raw).await, (503, BROKEN.to_owned()), "{said:?}");
        assert_eq!(broker.broker.connections(), 0);
    }
}

/// REQ-HOOK-004: what comes before the answer, or behind it, is not the answer.
#[tokio::test]
async fn an_answer_is_understood_however_it_is_dressed() {
    for said in [
        &b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"[..],
        b"HTTP/1.0 204 Fine\r\nServer: old\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    ] {
        let judge = blurting(said).await;
        let broker = Running::start(asking(judge)).await;
        let mut peer = Raw::open(broker.address, "/bus/t").await;
        assert_eq!(Raw::connect(broker.address).await.post("/bus/t", "allowed").await, 200);
        peer.expect(TEXT, "allowed").await;
    }
}

/// REQ-HOOK-004: the question may be answered late, but not as late as that.
#[tokio::test]
async fn a_server_that_never_answers_refuses() {
    let judge = Judge::start().await;
    let mut config = asking(judge.address);
    config.auth.timeout = seconds(0.1);
    // That is for other hooks.
    config.hooks.timeout = seconds(3600.0);
    let broker = Running::start(config).await;
    let mut raw = Raw::connect(broker.address).await;
    let late = (503, "the authorisation did not answer in time\n".to_owned());
    raw.send(handshake("/bus/t", "Say: nothing\r\n")).await;
    assert_eq!(answer(&mut raw).await, late);
    raw.send(request("POST", "/bus/t", "Say: nothing\r\n", "refused")).await;
    assert_eq!(answer(&mut raw).await, late);
    assert_eq!(broker.broker.connections(), 0);
}
