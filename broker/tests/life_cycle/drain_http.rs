//! HTTP connections, and operators, while the broker drains.

use petasus_broker::config::Config;

use crate::metrics::Metrics;
use crate::raw::{Raw, TEXT, message, soon};
use crate::running::{Running, config, seconds};

fn patient() -> Config {
    let mut config = config("http://127.0.0.1:0");
    config.admin.listen = Some("http://127.0.0.1:0".parse().unwrap());
    config.drain_timeout = seconds(600.0);
    config
}

async fn status(raw: &mut Raw, path: &str) -> u16 {
    raw.send(format!("GET {path} HTTP/1.1\r\nHost: petasus\r\n\r\n")).await;
    raw.answer().await.status
}

/// REQ-DRAIN-001
#[tokio::test]
async fn a_request_under_way_is_answered_and_idle_connections_end() {
    let broker = Running::start(patient()).await;
    let mut fresh = Raw::connect(broker.address).await;
    let mut kept = Raw::connect(broker.address).await;
    assert_eq!(kept.post("/pub/a", "before").await, 200);
    let mut posting = Raw::connect(broker.address).await;
    posting.send("POST /pub/a HTTP/1.1\r\nHost: petasus\r\nContent-Length: 4\r\n\r\nha").await;
    // It is being served by now: a later one has been.
    assert_eq!(kept.post("/pub/a", "before").await, 200);

    let stopped = broker.begin_to_stop();
    fresh.expect_end().await;
    kept.expect_end().await;
    posting.send("lf").await;
    let answer = posting.answer().await;
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")), "{answer:?}");
    posting.expect_end().await;
    drop((fresh, kept, posting));
    assert_eq!(soon("the broker to stop", stopped).await.unwrap(), 0);
}

/// A client keeps the broker draining for as long as it has not read what waits for it.
///
/// REQ-ADM-001, REQ-DRAIN-001
#[tokio::test]
async fn operators_look_on_until_the_broker_has_drained() {
    let mut config = patient();
    config.outbox.bytes = 64 * 1024 * 1024;
    let broker = Running::start(config).await;
    let (address, admin) = (broker.address, broker.admin.unwrap());
    let mut slow = Raw::connect_small(address).await;
    slow.upgrade("/sub/a", "").await;
    let mut publisher = Raw::open(address, "/pub/a").await;
    while Metrics::of(&broker.broker).value("petasus_outbox_depth_bytes_sum") < 100_000 {
        publisher.send(message(TEXT, &[b'x'; 8_000])).await;
        publisher.settle().await;
    }
    let mut kept = Raw::connect(admin).await;
    assert_eq!([status(&mut kept, "/readyz").await, status(&mut kept, "/healthz").await], [200, 200]);

    let stopped = broker.begin_to_stop();
    publisher.expect_close().await;
    drop(publisher);
    // On a connection of before, and on one of now.
    for mut raw in [kept, Raw::connect(admin).await] {
        assert_eq!(status(&mut raw, "/readyz").await, 503);
        assert_eq!(status(&mut raw, "/healthz").await, 200);
        assert_eq!(status(&mut raw, "/metrics").await, 200);
    }
    crate::read_to_close(&mut slow).await;
    drop(slow);
    assert_eq!(soon("the broker to stop", stopped).await.unwrap(), 0);
    assert!(tokio::net::TcpStream::connect(admin).await.is_err());
}
