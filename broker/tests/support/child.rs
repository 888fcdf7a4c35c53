//! A broker in a process of its own, so that its memory is its own, and a crash ends nothing else.
//!
//! The process is this test program again, told to run the one ignored test [`serves`].
#![allow(dead_code, reason = "each test takes the part that it needs")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::{self, Command, Stdio};
use std::sync::mpsc;

use petasus_broker::Broker;
use petasus_broker::config::{Config, Seconds};
use tokio::runtime;
use tokio::sync::oneshot;

use crate::metrics::Metrics;
use crate::raw::Raw;

/// Where the child finds its configuration, in TOML.
const CONFIG: &str = "CHILD_BROKER_CONFIG";

/// What a child prints before each of its addresses, and before the number of connections that it cut off.
const LISTENS: &str = "child listens on ";
const CUT_OFF: &str = "child cut off ";

/// A broker that serves until it is stopped or dropped.
pub(crate) struct Child {
    process: process::Child,
    lines: mpsc::Receiver<String>,
    pub(crate) address: SocketAddr,
    admin: Raw,
}

impl Child {
    /// Starts one with two worker threads, on a free port; Pinghub is below `/hub`. `toml` has the rest of its configuration.
    pub(crate) async fn start(toml: &str) -> Child {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child::serves", "--ignored", "--nocapture"])
            .env(CONFIG, toml)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (send, lines) = mpsc::channel();
        std::thread::spawn(move || output.lines().map_while(Result::ok).all(|line| send.send(line).is_ok()));
        let address = || word_after(&lines, LISTENS).parse().unwrap();
        let (address, admin): (SocketAddr, SocketAddr) = (address(), address());
        Child { process, address, admin: Raw::connect(admin).await, lines }
    }

    /// What its `/metrics` say.
    pub(crate) async fn metrics(&mut self) -> Metrics {
        self.admin.send("GET /metrics HTTP/1.1\r\nHost: petasus\r\n\r\n").await;
        let answer = self.admin.answer().await;
        assert_eq!(answer.status, 200);
        Metrics(String::from_utf8(answer.body).unwrap())
    }

    /// Waits until the metrics are as they should be.
    pub(crate) async fn until(&mut self, what: &str, reached: impl Fn(&Metrics) -> bool) {
        crate::raw::soon(what, async { while !reached(&self.metrics().await) {} }).await;
    }

    /// Bytes of resident memory.
    pub(crate) fn resident(&self) -> u64 {
        let statm = std::fs::read_to_string(format!("/proc/{}/statm", self.process.id())).unwrap();
        let pages: u64 = statm.split(' ').nth(1).unwrap().parse().unwrap();
        pages * 4096
    }

    /// Stops it as an operator does; the number of connections that it cut off. A crash fails the test.
    pub(crate) fn stop(mut self) -> usize {
        drop(self.process.stdin.take());
        let cut_off = word_after(&self.lines, CUT_OFF).parse().unwrap();
        let status = self.process.wait().unwrap();
        assert!(status.success(), "the broker ended with {status}");
        cut_off
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It is gone already unless the test failed.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The word behind this beginning of a line, which must come.
fn word_after(lines: &mpsc::Receiver<String>, beginning: &str) -> String {
    // The harness of the child prints lines of its own, and begins one before ours.
    let rest = lines.iter().find_map(|line| line.split_once(beginning).map(|(_, rest)| rest.to_owned()));
    rest.unwrap_or_else(|| panic!("the child ended before it said `{beginning}`"))
}

/// Not a test: the child.
#[test]
#[ignore = "other tests run it as a process of its own"]
fn serves() {
    let Ok(config) = std::env::var(CONFIG) else { return };
    let mut config: Config = toml::from_str(&config).unwrap();
    config.listen = vec!["http://127.0.0.1:0?dialects=mercury,pinghub:/hub".parse().unwrap()];
    config.admin.listen = Some("http://127.0.0.1:0".parse().unwrap());
    // The tests keep HTTP connections for long.
    config.timeouts.head = Seconds::new(600);
    // A task that panics would go unnoticed.
    std::panic::set_hook(Box::new(|panic| {
        let _ = writeln!(std::io::stderr(), "the broker panicked: {panic}");
        process::abort();
    }));
    let runtime = runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (stop, stopped) = oneshot::channel();
    // Whoever started us is done, or gone, when our standard input ends.
    std::thread::spawn(move || {
        let _ = std::io::stdin().read(&mut [0]);
        stop.send(())
    });
    let cut_off = runtime.block_on(async {
        let server = Broker::builder().config(config).build().unwrap().bind().await.unwrap();
        for url in [&server.addresses()[0], server.admin_address().unwrap()] {
            say(&format!("{LISTENS}{}", crate::running::socket_address(url).unwrap()));
        }
        server.run(async { drop(stopped.await) }).await
    });
    say(&format!("{CUT_OFF}{cut_off}"));
}

fn say(line: &str) {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{line}").and_then(|()| output.flush()).unwrap();
}
