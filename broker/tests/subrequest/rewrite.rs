//! `X-Rewrite`: a 204 that gives the request another path.

use crate::judge::Judge;
use crate::raw::{Raw, TEXT, handshake, message, request};
use crate::running::Running;
use crate::{answer, asking, asking_for};

fn to(path: &str) -> String {
    format!("To: {path}\r\n")
}

/// REQ-HOOK-004
#[tokio::test]
async fn in_mercury_it_replaces_the_path_and_the_query() {
    let judge = Judge::start().await;
    let broker = Running::start(asking(judge.address)).await;
    let mut wanted = Raw::open(broker.address, "/bus/wanted").await;
    let mut real = Raw::open(broker.address, "/bus/real/one").await;
    let mut peer = Raw::connect(broker.address).await;
    peer.upgrade("/bus/wanted?echo=1", &to("/bus/re%61l/one")).await;
    peer.send(message(TEXT, b"sent")).await;
    real.expect(TEXT, "sent").await;
    peer.settle().await; // and nothing came back before: the echo was asked for on another path
    let mut http = Raw::connect(broker.address).await;
    http.send(request("POST", "/bus/wanted", &to("/bus/real/one"), "posted")).await;
    assert_eq!(answer(&mut http).await, (200, String::new()));
    real.expect(TEXT, "posted").await;
    peer.expect(TEXT, "posted").await;

    let mut echo = Raw::connect(broker.address).await;
    echo.upgrade("/bus/wanted", &to("/bus/else?echo=1")).await;
    echo.send(message(TEXT, b"mine")).await;
    echo.expect(TEXT, "mine").await;
    assert_eq!(http.post("/bus/wanted", "as it is").await, 200);
    wanted.expect(TEXT, "as it is").await;
}

/// REQ-HOOK-004
#[tokio::test]
async fn in_mercury_it_may_lead_to_another_endpoint() {
    let judge = Judge::start().await;
    let broker = Running::start(asking(judge.address)).await;
    let mut subscriber = Raw::connect(broker.address).await;
    subscriber.upgrade("/bus/one", &to("/sub/t")).await;
    let mut http = Raw::connect(broker.address).await;
    http.send(request("POST", "/bus/two", &to("/pub/t/u"), "published")).await;
    assert_eq!(http.answer().await.status, 200);
    subscriber.expect(TEXT, "published").await;
}

/// REQ-HOOK-004, REQ-PING-002
#[tokio::test]
async fn in_pinghub_it_replaces_the_channel() {
    let judge = Judge::start().await;
    for (dialects, mount) in [("pinghub", ""), ("mercury,pinghub:/hub", "/hub")] {
        let broker = Running::start(asking_for(judge.address, dialects)).await;
        let (asked, given) = (format!("{mount}/wanted?jwt=x.y"), to(&format!("{mount}/user/r%65al")));
        let mut wanted = Raw::open(broker.address, &asked).await;
        let mut peer = Raw::connect(broker.address).await;
        peer.upgrade(&asked, &given).await;
        let mut real = Raw::open(broker.address, &format!("{mount}/user/real")).await;
        peer.send(message(TEXT, b"sent")).await;
        peer.expect(TEXT, "sent").await;
        let mut http = Raw::connect(broker.address).await;
        http.send(request("POST", &asked, &given, "posted")).await;
        assert_eq!(answer(&mut http).await, (200, "OK\n".to_owned()));
        for text in ["sent", "posted"] {
            real.expect(TEXT, text).await;
        }
        wanted.send(message(TEXT, b"alone")).await;
        wanted.expect(TEXT, "alone").await;
    }
}

/// REQ-HOOK-004, REQ-TOP-002, REQ-HTTP-012
#[tokio::test]
async fn one_that_leads_nowhere_is_answered_clearly_and_joins_nothing() {
    let judge = Judge::start().await;
    let broker = Running::start(asking(judge.address)).await;
    let mut raw = Raw::connect(broker.address).await;
    let long = format!("/bus/{}", "x".repeat(1025));
    for (path, status) in [
        ("/nowhere", 404),
        ("/bus/", 404),
        ("/bus/%zz", 400),
        ("/bus/%C3", 400),
        (&long, 400),
        ("bus/t", 503),
        ("http://petasus/bus/t", 503),
        ("", 503),
        (".", 503),
    ] {
        for sent in [handshake("/bus/t", &to(path)), request("POST", "/bus/t", &to(path), "x")] {
            raw.send(sent).await;
            let (got, body) = answer(&mut raw).await;
            assert_eq!(got, status, "{path:?}: {body}");
            assert!(body.len() > 1 && body.find('\n') == Some(body.len() - 1), "{path:?}: {body:?}");
        }
    }
    assert_eq!(broker.broker.connections(), 0);
}

/// REQ-HOOK-004: with any other answer the header means nothing.
#[tokio::test]
async fn it_counts_only_with_204() {
    let judge = Judge::start().await;
    let broker = Running::start(asking(judge.address)).await;
    let mut raw = Raw::connect(broker.address).await;
    for (said, status) in [("403", 403), ("200", 503), ("302", 503)] {
        raw.send(handshake("/bus/t", &(to("/bus/real") + "Say: " + said + "\r\n"))).await;
        assert_eq!(raw.answer().await.status, status, "{said}");
    }
    // Nor does a header of that name from the client.
    let mut real = Raw::open(broker.address, "/bus/real").await;
    raw.send(request("POST", "/bus/t", "X-Rewrite: /bus/real\r\n", "forged")).await;
    assert_eq!(raw.answer().await.status, 200);
    assert_eq!(raw.post("/bus/real", "next").await, 200);
    real.expect(TEXT, "next").await;
}
