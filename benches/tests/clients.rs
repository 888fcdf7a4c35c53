//! The parts that `petasus-load clients` gives its processes, played by our client at a broker in this process.

mod inside;

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;

use serde_json::Value;

/// A broker in a thread of its own, for as long as this process lives; its `HOST:PORT`.
fn broker() -> String {
    let (tell, told) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let (runtime, _broker, address) = inside::broker();
        tell.send(address).expect("the test waits");
        runtime.block_on(std::future::pending::<()>());
    });
    told.recv().expect("it listens")
}

/// A process that plays a part; ended when dropped.
struct Part {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Part {
    /// Starts it, and waits until it is connected.
    fn start(contestant: &str, workload: &str, role: &str, address: &str) -> Self {
        // Nothing holds these back: a longer flood could be more than the outbox of a subscriber that the system lets
        // wait, which would rightly cost it its connection.
        let seconds = if workload == "acknowledged" { "0.02" } else { "0.2" };
        let mut process = Command::new(env!("CARGO_BIN_EXE_petasus-load"))
            .args(["part", "--contestant", contestant, "--workload", workload, "--role", role])
            .args(["--address", address, "--seconds", seconds])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("petasus-load starts");
        let input = process.stdin.take().expect("it is piped");
        let output = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut part = Self { process, input, output };
        assert_eq!(part.line(), "ready\n", "{contestant} as {role}");
        part
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("text");
        line
    }

    fn order(&mut self, order: &str) {
        writeln!(self.input, "{order}").expect("it listens");
    }

    fn tally(&mut self) -> Value {
        let line = self.line();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Already ended is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn number(tally: &Value, name: &str) -> u64 {
    tally[name].as_u64().unwrap_or_else(|| panic!("no {name} in {tally}"))
}

fn assert_clean(tally: &Value) {
    for fault in ["lost", "duplicated", "reordered"] {
        assert_eq!(number(tally, fault), 0, "{tally}");
    }
}

/// A publisher and a subscriber; what they say when the subscriber is told of `more` messages than there were.
fn flow(contestant: &str, workload: &str, role: &str, more: u64) -> (Value, Value) {
    let address = broker();
    let mut subscriber = Part::start(contestant, workload, "subscriber", &address);
    let mut publisher = Part::start(contestant, workload, role, &address);
    subscriber.order("go");
    publisher.order("go");
    let sent = publisher.tally();
    subscriber.order(&format!("finish {}", number(&sent, "messages") + more));
    (sent, subscriber.tally())
}

#[test]
fn what_is_published_at_a_rate_is_all_heard_once_and_in_order() {
    for contestant in ["json", "cbor", "mercury"] {
        let (sent, heard) = flow(contestant, "steady", "publisher", 0);
        assert_eq!(number(&sent, "messages"), 4000, "20,000 a second for 0.2 s");
        assert_clean(&heard);
    }
}

#[test]
fn what_was_never_published_counts_as_lost() {
    let (_, heard) = flow("cbor", "steady", "publisher", 3);
    assert_eq!(number(&heard, "lost"), 3, "{heard}");
}

#[test]
fn acknowledged_messages_have_all_arrived() {
    for contestant in ["json", "cbor", "mercury"] {
        let (sent, mut heard) = flow(contestant, "acknowledged", "acknowledged", 0);
        assert!(number(&sent, "messages") > 0, "{sent}");
        if contestant == "mercury" {
            // Each is a POST of its own, over one of several connections.
            heard["reordered"] = 0.into();
        }
        assert_clean(&heard);
    }
}

#[test]
fn a_process_that_hears_itself_knows_its_latencies() {
    for contestant in ["json", "cbor", "mercury"] {
        let mut both = Part::start(contestant, "latency", "both", &broker());
        both.order("go");
        let tally = both.tally();
        assert_eq!(number(&tally, "messages"), 200, "1,000 a second for 0.2 s");
        assert!(tally["p50"].as_f64().is_some_and(|p50| p50 > 0.0), "{tally}");
        assert_clean(&tally);
    }
}

#[test]
fn every_call_has_its_own_answer() {
    let address = broker();
    for (contestant, workload) in
        [("json", "calls"), ("cbor", "calls"), ("json", "pipelined"), ("cbor", "pipelined")]
    {
        let mut callee = Part::start(contestant, workload, "callee", &address);
        let mut caller = Part::start(contestant, workload, "caller", &address);
        callee.order("go");
        caller.order("go");
        let tally = caller.tally();
        assert!(number(&tally, "messages") > 0, "{tally}");
        assert_clean(&tally);
    }
}

#[test]
fn a_contestant_without_its_broker_is_left_out_and_says_how_to_get_it() {
    let output = Command::new(env!("CARGO_BIN_EXE_petasus-load"))
        .args([
            "clients",
            "--contestants",
            "json",
            "--broker",
            "not/there",
            "--seconds",
            "0.1",
            "--runs",
            "1",
        ])
        .output()
        .expect("petasus-load starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("cargo build --release -p petasus-cli"), "{said}");
    assert!(!String::from_utf8_lossy(&output.stdout).contains("petasus, WAMP json"));
}
