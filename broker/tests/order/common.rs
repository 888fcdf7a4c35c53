//! One order for all receivers of a topic.

use petasus_broker::config::{Dialects, Endpoint, ListenAddress};
use tokio::net::UnixStream;

use crate::raw::Raw;
use crate::running::{Running, config, socket_address};
use crate::talk::{
    ALL, By, EACH, SENDERS, keeps_each_senders_order, listen, listen_and_ping, listener, one_order, talk,
    text,
};
use crate::tls::Certificate;

async fn mercury() -> Running {
    Running::start(config("http://127.0.0.1:0")).await
}

async fn sockets(broker: &Running, path: &str, count: usize) -> Vec<Raw> {
    let mut raws = Vec::new();
    for _ in 0..count {
        raws.push(Raw::open(broker.address, path).await);
    }
    raws
}

/// Two senders on sockets, and two that post.
async fn mixed(broker: &Running, path: &'static str) -> Vec<By> {
    let mut senders: Vec<By> = sockets(broker, path, 2).await.into_iter().map(By::Socket).collect();
    senders.extend(posters(broker, path, 2).await);
    senders
}

async fn posters(broker: &Running, path: &'static str, count: usize) -> Vec<By> {
    let mut posters = Vec::new();
    for _ in 0..count {
        posters.push(By::Post(Raw::connect(broker.address).await, path));
    }
    posters
}

/// REQ-ORD-001, REQ-ORD-002, REQ-SUB-003
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_subscribers_see_one_order() {
    let broker = mercury().await;
    let mut listeners = Vec::new();
    for path in ["/sub/a/b", "/sub/a"] {
        for raw in sockets(&broker, path, 4).await {
            listeners.push(listener(raw, ALL));
        }
    }
    talk(sockets(&broker, "/pub/a/b", SENDERS).await.into_iter().map(By::Socket).collect()).await;
    one_order(listeners).await;
    broker.stop().await;
}

/// REQ-ORD-001, REQ-ORD-002, REQ-HTTP-001
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_subscribers_see_one_order_of_what_is_published_and_posted() {
    let broker = mercury().await;
    let listeners: Vec<_> =
        sockets(&broker, "/sub/a", 8).await.into_iter().map(|raw| listener(raw, ALL)).collect();
    talk(mixed(&broker, "/pub/a").await).await;
    one_order(listeners).await;
    broker.stop().await;
}

/// REQ-ORD-002, REQ-WS-005
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscribers_that_ping_all_the_time_see_the_same_order() {
    let broker = mercury().await;
    let mut listeners = Vec::new();
    for mut raw in sockets(&broker, "/sub/a", 8).await {
        listeners.push(tokio::spawn(async move { listen_and_ping(&mut raw, ALL).await }));
    }
    talk(posters(&broker, "/pub/a", SENDERS).await).await;
    one_order(listeners).await;
    broker.stop().await;
}

/// The senders are peers too: with echo they hear everything, without it everything but themselves.
///
/// REQ-ORD-001, REQ-ORD-002, REQ-BUS-001, REQ-BUS-002
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_peers_of_the_bus_see_one_order() {
    let broker = mercury().await;
    let listeners: Vec<_> =
        sockets(&broker, "/bus/a", 8).await.into_iter().map(|raw| listener(raw, ALL)).collect();
    let mut senders = Vec::new();
    for sender in 0..SENDERS {
        let path = if echoes(sender) { "/bus/a?echo=1" } else { "/bus/a" };
        senders.push(By::Socket(Raw::open(broker.address, path).await));
    }
    let mut senders = talk(senders).await;
    let order = one_order(listeners).await;
    for (sender, raw) in senders.iter_mut().enumerate() {
        if echoes(sender) {
            assert!(listen(raw, ALL).await == order, "sender {sender}");
        } else {
            let own: Vec<String> = (0..EACH).map(|n| text(sender, n)).collect();
            let others: Vec<String> = order.iter().filter(|text| !own.contains(text)).cloned().collect();
            assert!(listen(raw, ALL - EACH).await == others, "sender {sender}");
        }
    }
    broker.stop().await;
}

fn echoes(sender: usize) -> bool {
    sender < 2
}

/// REQ-ORD-001, REQ-ORD-002, REQ-BUS-007, REQ-PING-002, REQ-PING-015
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bus_and_pinghub_peers_see_one_order_of_what_is_sent_and_posted() {
    let broker = Running::start(config("http://127.0.0.1:0?dialects=mercury,pinghub:/hub")).await;
    let mut listeners = Vec::new();
    for path in ["/bus/a/b", "/hub/a/b"] {
        for raw in sockets(&broker, path, 4).await {
            listeners.push(listener(raw, ALL));
        }
    }
    let mut senders = Vec::new();
    for path in ["/bus/a/b", "/hub/a/b"] {
        senders.push(By::Socket(Raw::open(broker.address, path).await));
        senders.push(By::Post(Raw::connect(broker.address).await, path));
    }
    talk(senders).await;
    one_order(listeners).await;
    broker.stop().await;
}

/// REQ-ORD-001, REQ-RR-010
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_puller_sees_the_jobs_of_each_pusher_in_order() {
    let broker = mercury().await;
    let puller = listener(Raw::open(broker.address, "/pull/a").await, ALL);
    talk(mixed(&broker, "/push/a").await).await;
    keeps_each_senders_order(&puller.await.unwrap());
    broker.stop().await;
}

/// Streams that any task may write to, and streams that only their own task writes to.
///
/// REQ-ORD-002
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscribers_over_tcp_tls_and_unix_sockets_see_one_order() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = Certificate::write(folder.path(), "one");
    let path = folder.path().join("socket");
    let mut config = config("http://127.0.0.1:0");
    config.listen.push(certificate.listen().parse().unwrap());
    config.listen.push(ListenAddress {
        endpoint: Endpoint::Unix { path: path.clone() },
        tls: None,
        dialects: Dialects::default(),
    });
    let broker = Running::start(config).await;
    let tls = socket_address(&broker.urls[1]).unwrap();
    let mut listeners = Vec::new();
    for raw in sockets(&broker, "/sub/a", 2).await {
        listeners.push(listener(raw, ALL));
    }
    for _ in 0..3 {
        listeners.push(listener(certificate.open(tls, "/sub/a").await, ALL));
        let mut unix = Raw::over(UnixStream::connect(&path).await.unwrap());
        unix.upgrade("/sub/a", "").await;
        listeners.push(listener(unix, ALL));
    }
    talk(mixed(&broker, "/pub/a").await).await;
    one_order(listeners).await;
    broker.stop().await;
}
