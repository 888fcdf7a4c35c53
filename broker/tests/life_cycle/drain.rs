//! A broker that stops tells everybody to go, once they have what waits for them.

use petasus_broker::config::{Config, Dialects, Endpoint, ListenAddress};
use tokio::net::{TcpStream, UnixStream};

use crate::metrics::Metrics;
use crate::raw::{FIN, Raw, TEXT, message, soon};
use crate::read_to_close;
use crate::running::{Running, config, seconds, socket_address};
use crate::tls::Certificate;

/// What everybody is told.
fn going_away() -> Vec<u8> {
    [&1001_u16.to_be_bytes()[..], b"the broker is shutting down"].concat()
}

/// With more time than any test waits: if it drains, it does so because nobody is left.
fn patient(listen: &str) -> Config {
    let mut config = config(listen);
    config.drain_timeout = seconds(600.0);
    config
}

/// REQ-DRAIN-001, REQ-CRS-002, REQ-WS-007
#[tokio::test]
async fn everybody_is_told_to_go_on_every_endpoint_and_every_kind_of_stream() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = Certificate::write(folder.path(), "one");
    let path = folder.path().join("socket");
    let mut config = patient("http://127.0.0.1:0?dialects=mercury,pinghub:/hub");
    config.listen.push(certificate.listen().parse().unwrap());
    let endpoint = Endpoint::Unix { path: path.clone() };
    config.listen.push(ListenAddress { endpoint, tls: None, dialects: Dialects::default() });
    let broker = Running::start(config).await;
    let address = broker.address;

    let mut clients = Vec::new();
    for path in ["/bus/a", "/pub/a", "/sub/a", "/push/a", "/pull/a", "/hub/a"] {
        clients.push(Raw::open(address, path).await);
    }
    let mut tls = certificate.open(socket_address(&broker.urls[1]).unwrap(), "/sub/a").await;
    let mut unix = Raw::over(UnixStream::connect(&path).await.unwrap());
    unix.upgrade("/sub/a", "").await;

    let stopped = broker.begin_to_stop();
    for mut client in clients {
        assert_eq!(client.expect_close().await, going_away());
    }
    assert_eq!(unix.expect_close().await, going_away());
    assert_eq!(tls.expect_close().await, going_away());
    drop((tls, unix));
    assert_eq!(soon("the broker to stop", stopped).await.unwrap(), 0);
    assert!(TcpStream::connect(address).await.is_err());
    assert!(!path.exists());
}

/// A subscriber, and a puller, that have not read what they were sent when the broker is told to stop.
///
/// REQ-DRAIN-001, REQ-CRS-002, REQ-RR-001
#[tokio::test]
async fn what_waits_for_a_client_is_sent_before_it_is_told_to_go() {
    for [joins, sends] in [["/sub/a", "/pub/a"], ["/bus/a", "/bus/a"], ["/pull/a", "/push/a"]] {
        let mut config = patient("http://127.0.0.1:0");
        config.outbox.bytes = 64 * 1024 * 1024;
        let broker = Running::start(config).await;
        let address = broker.address;
        let mut slow = Raw::connect_small(address).await;
        slow.upgrade(joins, "").await;
        let mut other = Raw::open(address, "/sub/other").await;
        let mut sender = Raw::open(address, sends).await;
        let mut sent = 0;
        while Metrics::of(&broker.broker).value("petasus_outbox_depth_bytes_sum") < 100_000 {
            sender.send(message(TEXT, format!("{sent:0>8000}").as_bytes())).await;
            sender.settle().await;
            sent += 1;
        }
        let stopped = broker.begin_to_stop();
        // They do not wait for each other.
        assert_eq!(other.expect_close().await, going_away());
        assert_eq!(sender.expect_close().await, going_away());
        let (read, close) = read_to_close(&mut slow).await;
        assert_eq!((read, close), (sent, going_away()), "{joins}");
        drop((slow, sender, other));
        assert_eq!(soon("the broker to stop", stopped).await.unwrap(), 0);
    }
}

/// REQ-DRAIN-001
#[tokio::test]
async fn whoever_does_not_read_is_cut_off_when_the_time_is_over() {
    let mut config = config("http://127.0.0.1:0");
    config.drain_timeout = seconds(0.5);
    config.outbox.bytes = 64 * 1024 * 1024;
    let broker = Running::start(config).await;
    let mut slow = Raw::connect_small(broker.address).await;
    slow.upgrade("/sub/a", "").await;
    let mut publisher = Raw::open(broker.address, "/pub/a").await;
    while Metrics::of(&broker.broker).value("petasus_outbox_depth_bytes_sum") < 1_000_000 {
        publisher.send(message(TEXT, &[b'x'; 8_000])).await;
        publisher.settle().await;
    }
    publisher.leave().await;
    assert_eq!(soon("the broker to stop", broker.begin_to_stop()).await.unwrap(), 1);
}

/// What is sent while the broker drains reaches nobody and disturbs nobody.
///
/// REQ-DRAIN-001, REQ-WS-014
#[tokio::test]
async fn a_client_that_goes_on_talking_is_told_to_go_all_the_same() {
    let broker = Running::start(patient("http://127.0.0.1:0")).await;
    let mut talking = Raw::open(broker.address, "/bus/a").await;
    let mut hearing = Raw::open(broker.address, "/bus/a").await;
    let stopped = broker.begin_to_stop();
    assert_eq!(hearing.expect_close().await, going_away());
    for _ in 0..100 {
        talking.send(message(TEXT, b"still here")).await;
    }
    assert_eq!(talking.expect_close().await, going_away());
    drop((talking, hearing));
    assert_eq!(soon("the broker to stop", stopped).await.unwrap(), 0);
}

/// A drained broker has taken leave of everybody: what they are members of is empty.
///
/// REQ-LIF-005, REQ-DRAIN-001
#[tokio::test]
async fn nothing_is_left_of_those_who_were_told_to_go() {
    let broker = Running::start(patient("http://127.0.0.1:0")).await;
    let mut clients = Vec::new();
    for path in ["/bus/a", "/sub/a/b", "/pull/a"] {
        clients.push(Raw::open(broker.address, path).await);
    }
    let mut post = Raw::connect(broker.address).await;
    assert_eq!(post.post("/bus/a", "hello").await, 200);
    clients[0].expect(TEXT, "hello").await;
    let metrics = broker.broker.clone();
    let stopped = broker.begin_to_stop();
    for mut client in clients {
        let close = client.next().await.expect("a Close frame before the end");
        assert_eq!((close.first & !FIN, close.payload), (8, going_away()));
    }
    assert_eq!(soon("the broker to stop", stopped).await.unwrap(), 0);
    assert_eq!(Metrics::of(&metrics).live(), [0; 5]);
}
