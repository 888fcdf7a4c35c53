//! What `/metrics` says, and that it says nothing that a client has chosen.

use std::collections::{HashMap, HashSet};

use petasus_broker::Broker;

use crate::admin::{get, with_admin};
use crate::metrics::until;
use crate::raw::{BINARY, CLOSE, Raw, TEXT, close, message, request};
use crate::running::Running;

/// A word that clients put wherever they can.
const WORD: &str = "zebra";

/// Each kind of label with all of its values; `le` has numbers.
const LABELS: [(&str, &[&str]); 3] = [
    ("pattern", &["bus", "pubsub", "queue", "custom", "rpc"]),
    (
        "reason",
        &[
            "drop_oldest",
            "drop_newest",
            "no_puller",
            "hold_age",
            "receive_only",
            "not_text",
            "too_long",
            "sender_closed",
            "no_receiver",
        ],
    ),
    ("code", &["1000", "1007", "3xxx", "4xxx", "none"]),
];

/// Checks the form of the text (the Prometheus text format, as `OpenMetrics` writes it); the label pairs in it.
fn labels(text: &str) -> HashSet<(&str, &str)> {
    let body = text.strip_suffix("# EOF\n").expect("the last line says that it is the last");
    let (mut families, mut series, mut labels) = (HashMap::new(), HashSet::new(), HashSet::new());
    for line in body.lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            let [keyword, name, rest] = comment.splitn(3, ' ').collect::<Vec<_>>()[..] else {
                panic!("{line}");
            };
            assert!(["HELP", "TYPE", "UNIT"].contains(&keyword), "{line}");
            if keyword == "TYPE" {
                assert_eq!(families.insert(name, rest), None, "{name} is there twice");
            }
            continue;
        }
        let (key, value) = line.rsplit_once(' ').unwrap();
        assert!(value.parse::<f64>().is_ok(), "{line}");
        assert!(series.insert(key), "{key} is there twice");
        let (name, pairs) = key.split_once('{').map_or((key, ""), |(name, pairs)| (name, pairs));
        let of_family =
            |suffix: &&str| name.strip_suffix(*suffix).is_some_and(|family| families.contains_key(family));
        assert!(["_total", "_bucket", "_sum", "_count", ""].iter().any(of_family), "{line}");
        for pair in pairs.trim_end_matches('}').split(',').filter(|pair| !pair.is_empty()) {
            let (label, value) = pair.split_once('=').unwrap();
            labels.insert((label, value.trim_matches('"')));
        }
    }
    labels
}

/// Uses a broker in every way there is, with the word in every place; the connections that stay.
async fn use_everything(broker: &Broker, running: &Running) -> Vec<Raw> {
    let origin = format!("Origin: http://{WORD}.example\r\nUser-Agent: {WORD}\r\n");
    let mut stay = Vec::new();
    for path in ["bus", "sub", "pub", "push", "pull", "hub"] {
        let mut raw = Raw::connect(running.address).await;
        raw.upgrade(&format!("/{path}/{WORD}/{WORD}?{WORD}={WORD}"), &origin).await;
        raw.send(message(TEXT, WORD.as_bytes())).await;
        if path == "hub" {
            raw.expect(TEXT, WORD).await;
        }
        raw.settle().await;
        stay.push(raw);
    }
    for path in ["bus", "pub", "push", "hub", WORD] {
        let mut raw = Raw::connect(running.address).await;
        raw.send(request("POST", &format!("/{path}/{WORD}"), &origin, WORD)).await;
        raw.answer().await;
        raw.send(request(WORD, &format!("/{path}/{WORD}"), &origin, WORD)).await;
        raw.answer().await;
    }
    for code in [1000, 3456, 4321] {
        let mut raw = Raw::open(running.address, &format!("/sub/{WORD}")).await;
        raw.send(close(code, WORD.as_bytes())).await;
        raw.expect_close().await;
    }
    let mut raw = Raw::open(running.address, &format!("/hub/{WORD}")).await;
    raw.send(message(TEXT, b"\xff")).await;
    // The broker waits for a while for the answer to its Close frame, and for our end.
    assert_eq!(raw.next().await.unwrap().first, CLOSE);
    raw.send(close(1007, b"")).await;
    raw.expect_end().await;
    drop(raw);
    // Text is all that Pinghub's clients take.
    let mut raw = Raw::open(running.address, &format!("/bus/{WORD}")).await;
    raw.send(message(BINARY, b"\xff")).await;
    raw.settle().await;
    raw.reset();
    until(broker, "all of them to be counted", |metrics| {
        metrics.value("petasus_closed_total") == 5 && metrics.value("petasus_connections") == 6
    })
    .await;
    stay
}

/// REQ-ADM-002
#[tokio::test]
async fn no_label_holds_what_a_client_chose() {
    let running = Running::start(with_admin()).await;
    let _stay = use_everything(&running.broker, &running).await;
    let answer = get(running.admin.unwrap(), "/metrics").await;
    let kind = answer.header("content-type").unwrap();
    assert!(kind.starts_with("application/openmetrics-text; version=1.0.0"), "{kind}");
    let text = String::from_utf8(answer.body).unwrap();
    assert!(!text.to_lowercase().contains(WORD), "{text}");

    let found = labels(&text);
    for &(label, value) in &found {
        let known = LABELS.iter().any(|(name, values)| *name == label && values.contains(&value));
        assert!(known || (label == "le" && value.parse::<f64>().is_ok()), "{label}={value}");
    }
    for code in ["1000", "1007", "3xxx", "4xxx", "none"] {
        assert!(found.contains(&("code", code)), "{code} has happened: {text}");
    }
}
