//! SIGTERM and SIGINT drain, a second one does not wait, SIGHUP reopens the log.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpStream,
};

use rustix::process::Signal;
use tempfile::tempdir;

use crate::binary::Broker;

#[test]
fn sigterm_and_sigint_end_the_broker_with_success() {
    for signal in [Signal::TERM, Signal::INT] {
        let broker = Broker::start(&[]);
        let client = broker.connect(&["sub", "x"]);
        broker.process.signal(signal);
        let (_, err, status) = broker.process.end();
        assert_eq!(status.code(), Some(0), "{err}");
        assert_eq!(client.end().2.code(), Some(5));
    }
}

/// A subscriber that answers nothing, not even a close frame.
pub(crate) fn silent_subscriber(broker: &Broker) -> TcpStream {
    let stream = TcpStream::connect(broker.url.strip_prefix("http://").unwrap()).unwrap();
    let head = "GET /sub/x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
    (&stream).write_all(head.as_bytes()).unwrap();
    let mut status = String::new();
    BufReader::new(&stream).read_line(&mut status).unwrap();
    assert!(status.starts_with("HTTP/1.1 101"), "{status}");
    stream
}

/// REQ-DRAIN-002
#[test]
fn a_second_signal_ends_the_broker_at_once() {
    let folder = tempdir().unwrap();
    let config = crate::binary::file(folder.path(), "a.toml", "drain_timeout = 3600\n");
    for (first, second) in [(Signal::TERM, Signal::TERM), (Signal::INT, Signal::TERM)] {
        let mut broker = Broker::start(&["--config", &config]);
        let _client = silent_subscriber(&broker);
        broker.process.signal(first);
        broker.process.wait_for_stderr("stopping");
        broker.process.signal(second);
        assert_eq!(broker.process.end().2.code(), Some(130));
    }
}

#[test]
fn sighup_opens_the_log_again() {
    let folder = tempdir().unwrap();
    let (log, old) = (folder.path().join("petasus.log"), folder.path().join("petasus.log.1"));
    let mut broker = Broker::start(&["--log", log.to_str().unwrap()]);
    broker.process.wait_for_stderr("started");
    fs::rename(&log, &old).unwrap();
    broker.process.signal(Signal::HUP);
    broker.process.wait_for_stderr("reloaded after SIGHUP");
    broker.process.signal(Signal::TERM);
    let (_, err, status) = broker.process.end();
    assert_eq!(status.code(), Some(0), "{err}");
    let (log, old) = (fs::read_to_string(log).unwrap(), fs::read_to_string(old).unwrap());
    assert!(old.contains("started") && !old.contains("reloaded"), "{old}");
    assert!(log.contains("reloaded") && log.contains("stopping") && !log.contains("started"), "{log}");
    assert!(!log.contains('\u{1b}'), "a file has no colours");
}

#[test]
fn a_second_signal_ends_a_client_that_waits_for_the_broker() {
    let broker = Broker::start(&[]);
    let client = broker.connect(&["sub", "x"]);
    broker.process.signal(Signal::STOP);
    // Two of a kind could become one on the way.
    client.signal(Signal::INT);
    client.signal(Signal::TERM);
    assert_eq!(client.end().2.code(), Some(130));
}
