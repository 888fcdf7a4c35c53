//! As many connections as are allowed, and heads as long as are allowed.

use petasus_broker::config::{Dialects, Endpoint, ListenAddress};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;

use crate::metrics::{Metrics, until};
use crate::raw::{Raw, handshake, soon};
use crate::running::{Running, config, socket_address};
use crate::tls::Certificate;

/// One over the limit: 503 and the end, on whatever it comes.
async fn is_refused<S: AsyncRead + AsyncWrite + Unpin>(mut raw: Raw<S>) {
    raw.send(handshake("/bus/a", "")).await;
    let answer = raw.answer().await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")), "{answer:?}");
    raw.expect_end().await;
}

/// Tries until there is room: a place is free a moment after its owner has gone.
async fn is_served_again(broker: &Running) -> Raw {
    let trying = async {
        loop {
            let mut raw = Raw::connect(broker.address).await;
            raw.send(handshake("/bus/a", "")).await;
            match raw.answer().await.status {
                101 => return raw,
                status => assert_eq!(status, 503),
            }
        }
    };
    soon("a free place", trying).await
}

/// All listeners share one limit, whatever is spoken there; operators always get in.
///
/// REQ-LIM-001
#[tokio::test]
async fn one_connection_too_many_is_refused_on_every_listener_until_one_goes() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = Certificate::write(folder.path(), "one");
    let path = folder.path().join("socket");
    let mut config = config("http://127.0.0.1:0");
    config.listen.push(certificate.listen().parse().unwrap());
    let endpoint = Endpoint::Unix { path: path.clone() };
    config.listen.push(ListenAddress { endpoint, tls: None, dialects: Dialects::default() });
    config.admin.listen = Some("http://127.0.0.1:0".parse().unwrap());
    config.limits.connections = 4;
    let broker = Running::start(config).await;
    let tls = socket_address(&broker.urls[1]).unwrap();

    let one = Raw::open(broker.address, "/bus/a").await;
    let two = certificate.open(tls, "/bus/a").await;
    let mut three = Raw::over(UnixStream::connect(&path).await.unwrap());
    three.upgrade("/bus/a", "").await;
    // It has not even asked for anything yet.
    let mut four = Raw::connect(broker.address).await;
    assert_eq!(four.post("/bus/b", "").await, 200);

    is_refused(Raw::connect(broker.address).await).await;
    is_refused(Raw::over(UnixStream::connect(&path).await.unwrap())).await;
    is_refused(certificate.try_connect(tls).await.unwrap()).await;
    let mut admin = Raw::connect(broker.admin.unwrap()).await;
    admin.send("GET /readyz HTTP/1.1\r\nHost: petasus\r\n\r\n").await;
    assert_eq!(admin.answer().await.status, 200);
    // Those who are there are served.
    assert_eq!(four.post("/bus/b", "").await, 200);
    assert_eq!(Metrics::of(&broker.broker).value("petasus_refused_total"), 3);

    // Whoever goes, and however, makes room.
    one.reset();
    let one = is_served_again(&broker).await;
    is_refused(Raw::connect(broker.address).await).await;
    drop(two);
    let two = is_served_again(&broker).await;
    is_refused(Raw::connect(broker.address).await).await;
    three.leave().await;
    let three = is_served_again(&broker).await;
    is_refused(Raw::connect(broker.address).await).await;
    drop(four);
    is_served_again(&broker).await.leave().await;
    drop([one, two, three]);
    broker.stop().await;
}

/// A client that is refused may come from somewhere between its request and its end.
///
/// REQ-LIM-001, REQ-LIF-005
#[tokio::test]
async fn refused_connections_take_no_room() {
    let mut config = config("http://127.0.0.1:0");
    config.limits.connections = 1;
    let broker = Running::start(config).await;
    let first = Raw::open(broker.address, "/bus/a").await;
    for _ in 0..100 {
        is_refused(Raw::connect(broker.address).await).await;
    }
    first.leave().await;
    is_served_again(&broker).await;
    broker.stop().await;
}

/// A connection takes one place, not two while it becomes a WebSocket.
///
/// REQ-LIM-001
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_place_is_free_as_soon_as_the_one_before_it_is_taken() {
    let mut config = config("http://127.0.0.1:0");
    config.limits.connections = 2;
    let broker = Running::start(config).await;
    for _ in 0..200 {
        let one = Raw::open(broker.address, "/bus/a").await;
        let two = Raw::open(broker.address, "/bus/a").await;
        one.leave().await;
        two.leave().await;
        until(&broker.broker, "both to be gone", |metrics| metrics.live() == [0; 5]).await;
    }
    broker.stop().await;
}

/// REQ-HTTP-011
#[tokio::test]
async fn a_head_within_the_limit_is_served_and_one_over_it_is_answered_431() {
    let mut config = config("http://127.0.0.1:0");
    config.limits.head = 8_192;
    let broker = Running::start(config).await;
    let bare = handshake("/bus/a", "").len();
    let long = |length: usize| handshake("/bus/a", &format!("X: {}\r\n", "x".repeat(length - bare - 5)));
    let mut raw = Raw::connect(broker.address).await;
    raw.send(long(8_000)).await;
    raw.check_accepted("a head within the limit").await;
    let mut raw = Raw::connect(broker.address).await;
    raw.send(long(9_000)).await;
    assert_eq!(raw.answer().await.status, 431);
    raw.expect_end().await;
    assert_eq!(Metrics::of(&broker.broker).members(), 1);
    broker.stop().await;
}
