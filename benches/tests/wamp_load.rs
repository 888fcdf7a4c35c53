//! The load generator's WAMP sessions against a broker in this process.

mod inside;

use std::process::{Command, Output};
use std::thread;

use serde_json::Value;

const SERIALIZERS: [&str; 3] = ["json", "msgpack", "cbor"];

/// A broker in a thread of its own, for as long as this process lives; its address.
fn broker() -> String {
    let (tell, told) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let (runtime, _broker, address) = inside::broker();
        tell.send(format!("ws://{address}")).expect("the test waits");
        runtime.block_on(std::future::pending::<()>());
    });
    told.recv().expect("it listens")
}

/// Runs `petasus-load`; the measured process is this one.
fn load(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_petasus-load"))
        .args(arguments)
        .args(["--warm", "0", "--seconds", "0.3", "--pid", &std::process::id().to_string(), "--json"])
        .output()
        .expect("petasus-load starts")
}

fn report(arguments: &[&str]) -> Value {
    let output = load(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

fn number(report: &Value, name: &str) -> u64 {
    report[name].as_u64().unwrap_or_else(|| panic!("no {name} in {report}"))
}

#[test]
fn events_of_every_serializer_are_heard_once_and_in_order() {
    let broker = broker();
    let url = format!("{broker}/ws#load.t{{}}");
    for serializer in SERIALIZERS {
        for pacing in [["paced", "--rate", "200"], ["closed", "--window", "8"]] {
            let traffic =
                ["--pub", &url, "--sub", &url, "--publishers", "2", "--subscribers", "6", "--topics", "2"];
            let wamp = ["--serializer", serializer];
            let report = report(&[pacing.as_slice(), &traffic, &wamp].concat());
            // Each topic has three of the six.
            assert_eq!(number(&report, "deliveries"), 3 * number(&report, "published"), "{report}");
            assert!(number(&report, "published") > 0, "{report}");
            for fault in ["lost", "duplicated", "reordered", "foreign", "closed"] {
                assert_eq!(number(&report, fault), 0, "{report}");
            }
        }
    }
}

#[test]
fn a_run_may_cross_the_bridge() {
    let broker = broker();
    let raw = [format!("{broker}/pub/load/x"), format!("{broker}/sub/load/x")];
    let wamp = format!("{broker}/ws#load.x");
    for (publish, subscribe) in [(&raw[0], &wamp), (&wamp, &raw[1])] {
        let report = report(&["paced", "--pub", publish, "--sub", subscribe, "--subscribers", "3"]);
        assert_eq!(number(&report, "deliveries"), 3 * number(&report, "published"), "{report}");
        assert_eq!(number(&report, "foreign") + number(&report, "lost"), 0, "{report}");
    }
}

#[test]
fn calls_are_answered_and_counted() {
    let router = format!("here={}/ws#default", broker());
    for serializer in SERIALIZERS {
        let report = report(&[
            "rpc",
            "--router",
            &router,
            "--rounds",
            "1",
            "--window",
            "4",
            "--serializer",
            serializer,
        ]);
        for part in ["sequential", "pipelined"] {
            assert!(number(&report["here"][0][part], "calls") > 0, "{report}");
        }
    }
}

#[test]
fn a_refusal_is_told_in_the_routers_words() {
    let url = format!("{}/ws#no/topic", broker());
    let output = load(&["paced", "--pub", &url, "--sub", &url]);
    assert!(!output.status.success());
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("wamp.error.invalid_uri"), "{told}");
}
