//! Membership begins before the 101 is seen, and is over before the reply to a Close frame is.

use petasus_broker::Broker;
use petasus_broker::auth::{Action, Denied};

use crate::metrics::{Metrics, until};
use crate::raw::{Raw, TEXT, handshake, message, request};
use crate::running::{Running, config};

/// How often something is tried that must not depend on luck.
const TRIES: usize = 250;

/// Where a client joins, and where a POST reaches it.
const RECEIVING: [[&str; 2]; 4] =
    [["/bus/a", "/bus/a"], ["/sub/a", "/pub/a"], ["/pull/a", "/push/a"], ["/hub/a", "/hub/a"]];

async fn both_dialects() -> Running {
    Running::start(config("http://127.0.0.1:0?dialects=mercury,pinghub:/hub")).await
}

/// REQ-LIF-003, REQ-BUS-005, REQ-SUB-007
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_post_right_behind_the_101_reaches_the_client() {
    let broker = both_dialects().await;
    for [joins, posts] in RECEIVING {
        let mut post = Raw::connect(broker.address).await;
        for n in 0..TRIES {
            let mut raw = Raw::open(broker.address, joins).await;
            let text = n.to_string();
            assert_eq!(post.post(posts, &text).await, 200, "{posts}");
            raw.expect(TEXT, &text).await;
            raw.leave().await;
        }
    }
    broker.stop().await;
}

/// REQ-LIF-003, REQ-BUS-005
#[tokio::test]
async fn a_post_reaches_a_client_that_has_read_one_byte_of_its_101() {
    use tokio::io::AsyncReadExt;

    let broker = both_dialects().await;
    let mut post = Raw::connect(broker.address).await;
    for [joins, posts] in RECEIVING {
        let mut raw = Raw::connect(broker.address).await;
        raw.send(handshake(joins, "")).await;
        assert_eq!(raw.stream().read_u8().await.unwrap(), b'H');
        assert_eq!(post.post(posts, "early").await, 200, "{posts}");
        // The rest of the 101 comes first.
        let head = raw.answer_head().await;
        assert_eq!(head.header("upgrade"), Some("websocket"));
        raw.expect(TEXT, "early").await;
    }
    broker.stop().await;
}

/// A message behind the handshake, in the same packet, is a message like any other.
///
/// REQ-LIF-003, REQ-BUS-001
#[tokio::test]
async fn a_message_in_the_packet_of_the_handshake_is_sent_on() {
    let broker = both_dialects().await;
    for [sends, receives] in [["/bus/a", "/bus/a"], ["/pub/a", "/sub/a"], ["/push/a", "/pull/a"]] {
        let mut receiver = Raw::open(broker.address, receives).await;
        let mut raw = Raw::connect(broker.address).await;
        raw.send([handshake(sends, "").into_bytes(), message(TEXT, b"at once")].concat()).await;
        raw.check_accepted(sends).await;
        receiver.expect(TEXT, "at once").await;
    }
    broker.stop().await;
}

/// REQ-LIF-004, REQ-RR-008
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_assigned_to_a_client_that_has_seen_the_reply_to_its_close_frame() {
    let broker = both_dialects().await;
    let mut post = Raw::connect(broker.address).await;
    for _ in 0..TRIES {
        Raw::open(broker.address, "/pull/a").await.leave().await;
        assert_eq!(post.post("/push/a", "job").await, 503);
    }
    for [joins, _] in RECEIVING {
        Raw::open(broker.address, joins).await.leave().await;
        assert_eq!(Metrics::of(&broker.broker).members(), 0, "{joins}");
    }
    broker.stop().await;
}

/// REQ-LIF-005, REQ-RR-001
#[tokio::test]
async fn a_client_that_is_gone_before_its_101_is_forgotten() {
    let broker = both_dialects().await;
    for [joins, _] in RECEIVING {
        for reset in [true, false] {
            let mut raw = Raw::connect(broker.address).await;
            raw.send(handshake(joins, "")).await;
            if reset {
                raw.reset();
            }
        }
    }
    // What comes later has been looked at later.
    Raw::open(broker.address, "/bus/a").await.leave().await;
    until(&broker.broker, "everything to be freed", |metrics| metrics.live() == [0; 5]).await;
    broker.stop().await;
}

/// REQ-WS-002, REQ-WS-008, REQ-WS-011, REQ-ORG-004, REQ-HOOK-001, REQ-HOOK-002
#[tokio::test]
async fn a_refused_handshake_joins_nothing() {
    let mut config = config("http://127.0.0.1:0?dialects=mercury,pinghub:/hub");
    config.allow_origin = vec!["example.com".to_owned()];
    config.pinghub.origin = "http://example.com".to_owned();
    let denied = |_| async { Err(Denied::new("not today")) };
    let hooked = Broker::builder()
        .config(config)
        .on(Action::Join, denied)
        .on(Action::Subscribe, denied)
        .on(Action::Pull, denied)
        .build()
        .unwrap();
    let broker = Running::start_broker(hooked).await.unwrap();
    let good = "Origin: http://example.com\r\n";
    for [joins, _] in RECEIVING {
        for (what, head) in [
            ("origin", handshake(joins, "Origin: http://example.org\r\n")),
            ("key", handshake(joins, good).replace("Sec-WebSocket-Key", "X-Key")),
            ("version", handshake(joins, good).replace("Version: 13", "Version: 8")),
            ("connection", handshake(joins, good).replace("Connection: Upgrade", "Connection: keep-alive")),
            ("method", handshake(joins, good).replace("GET", "PUT")),
            ("no upgrade", request("GET", joins, good, "")),
            ("hook", handshake(joins, good)),
        ] {
            let mut raw = Raw::connect(broker.address).await;
            raw.send(head).await;
            let status = raw.answer().await.status;
            // A page is all that a GET gets there.
            let fine = status >= 400 || (status == 200 && what == "no upgrade");
            assert!(fine, "{joins}, {what}: {status}");
            let [connections, members, topics, ..] = Metrics::of(&broker.broker).live();
            assert_eq!([connections, members, topics], [0; 3], "{joins}, {what}");
        }
    }
    broker.stop().await;
}
