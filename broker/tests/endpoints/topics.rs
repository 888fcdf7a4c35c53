//! Which paths are the same topic, and which topics are below which.

use crate::raw::Raw;
use crate::running::{Running, config};
use crate::{MERCURY, hears};

/// The hierarchy table of PROTOCOL.md: a subscriber of the first topic, what is published, and whether it arrives.
const HIERARCHY: [(&str, &str, bool); 32] = [
    ("a", "a", true),
    ("a", "a/b", true),
    ("a", "a/b/c/d/e/f", true),
    ("a", "a//b", true),
    ("a", "a/b/", true),
    ("a", "ab", false),
    ("a", "A", false),
    ("a", "a/", false),
    ("a", "a//", false),
    ("a/b", "a", false),
    ("a/b", "a/c", false),
    ("a/b", "a/bc", false),
    ("a/b", "a/b/c", true),
    ("a/b", "a/b/", false),
    ("a/", "a/", true),
    ("a/", "a", false),
    ("a/", "a/b", false),
    ("a/", "a//b", true),
    ("a//", "a//b", false),
    ("a//", "a///b", true),
    ("/a", "/a", true),
    ("/a", "/a/b", true),
    ("/a", "a", false),
    ("a", "/a", false),
    ("/", "/", true),
    ("/", "//", false),
    ("/", "/a", false),
    ("/", "//a", true),
    ("0", "0/1", true),
    ("*", "a", false),
    ("a/%23", "a/b", false),
    ("a/+", "a/b", false),
];

/// REQ-SUB-001, REQ-SUB-002, REQ-SUB-003, REQ-SUB-009
#[tokio::test]
async fn subscribers_hear_their_topic_and_what_is_below() {
    let broker = Running::start(config(MERCURY)).await;
    for (subscribed, published, expected) in HIERARCHY {
        let mut subscriber = Raw::open(broker.address, &format!("/sub/{subscribed}")).await;
        let own = format!("/pub/{subscribed}");
        let heard = hears(broker.address, &mut subscriber, &format!("/pub/{published}"), &own).await;
        assert_eq!(heard, expected, "a subscriber of {subscribed}, published to {published}");
        subscriber.leave().await;
    }
    broker.stop().await;
}

/// REQ-TOP-001, REQ-TOP-005, REQ-BUS-003, REQ-RR-007
#[tokio::test]
async fn a_path_is_read_once_and_as_it_stands() {
    let broker = Running::start(config(MERCURY)).await;
    for (joined, sent, same) in [
        ("/bus/a", "/bus/%61", true),
        ("/bus/a", "/b%75s/a", true),
        ("/bus/a", "/bus/a?echo=0&x=/y", true),
        ("/bus/a/b", "/bus/a%2Fb", true),
        ("/bus/%C3%A9", "/bus/%c3%a9", true),
        ("/bus/a+b", "/bus/a%2Bb", true),
        ("/bus/a%25", "/bus/%61%25", true),
        ("/bus/a/../b", "/bus/a%2F..%2Fb", true),
        ("/bus/%252F", "/bus/%2F", false),
        ("/bus/a+b", "/bus/a%20b", false),
        ("/bus/a/../b", "/bus/b", false),
        ("/bus/a", "/bus/A", false),
        ("/bus/a", "/bus/a/", false),
        ("/bus/a", "/bus//a", false),
        ("/bus/a/b", "/bus/a//b", false),
        ("/bus/a", "/bus/a/b", false),
        ("/bus/a/b", "/bus/a", false),
        ("/bus/%C3%A9", "/bus/e%CC%81", false),
        ("/bus/*", "/bus/a", false),
        ("/pull/a", "/push/%61", true),
    ] {
        let mut receiver = Raw::open(broker.address, joined).await;
        let own = joined.replace("/pull/", "/push/");
        assert_eq!(hears(broker.address, &mut receiver, sent, &own).await, same, "{joined} and {sent}");
        receiver.leave().await;
    }

    let _parent = Raw::open(broker.address, "/pull/a").await;
    let answer = crate::ask(broker.address, crate::request("POST", "/push/a/b", "", "job")).await;
    assert_eq!(answer.status, 503, "queues have no hierarchy");
    broker.stop().await;
}
