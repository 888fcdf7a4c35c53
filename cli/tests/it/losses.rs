//! Connections that are lost, and topics that are forbidden: what was sent is not lost silently.

use std::net::TcpListener;

use rustix::process::Signal;
use tempfile::tempdir;

use crate::binary::{Broker, Process, petasus};
use crate::refusals::answer_once;
use crate::wamp::guarded;

/// A broker at this address.
fn broker_at(listen: &str) -> Broker {
    Broker::spawn(&mut petasus(["broker", "--listen", listen, "--admin", "none"]))
}

#[test]
fn with_reconnect_a_subscriber_stays_and_says_so() {
    for dialect in ["mercury", "wamp"] {
        let broker = Broker::start(&[]);
        let url = broker.url.clone();
        let mut sub = broker.connect(&["sub", "x", "--count", "1", "--reconnect", "--dialect", dialect]);
        broker.process.signal(Signal::TERM);
        sub.wait_for_stderr("trying to connect again");
        assert_eq!(broker.process.end().2.code(), Some(0));
        let broker = broker_at(&url);
        sub.wait_for_stderr("connected again");
        broker.quietly(&["pub", "x", "after"]);
        let (out, err, status) = sub.end();
        assert_eq!((out.as_slice(), err.as_str(), status.code()), (&b"after\n"[..], "", Some(0)));
    }
}

#[test]
fn without_it_the_loss_is_the_end() {
    for dialect in ["mercury", "wamp"] {
        let broker = Broker::start(&[]);
        let sub = broker.connect(&["sub", "x", "--dialect", dialect]);
        broker.process.signal(Signal::KILL);
        let (_, err, status) = sub.end();
        assert!(err.contains("the connection was lost"), "{err}");
        assert_eq!(status.code(), Some(5));
    }
}

#[test]
fn a_line_too_long_is_told_whenever_the_broker_says_so() {
    let mut command = petasus(["broker", "--listen", "http://127.0.0.1:0", "--admin", "none"]);
    let broker = Broker::spawn(command.env("PETASUS_LIMITS_MESSAGE", "10"));
    let mut sub = broker.connect(&["sub", "x"]);
    let mut publisher = broker.connect(&["pub", "x"]);
    publisher.write(b"one\n");
    assert_eq!(sub.line(), "one");
    publisher.write(b"longer than ten\n");
    let (_, err, status) = publisher.end();
    assert!(err.contains("code 1009") && err.contains("limits.message"), "{err}");
    assert_eq!(status.code(), Some(5));
}

#[test]
fn who_may_do_one_thing_needs_no_other_right() {
    let folder = tempdir().unwrap();
    let broker = guarded(folder.path(), "\"publish\", \"subscribe\"");
    let sub = broker.connect(&["sub", "open/x", "--count", "1"]);
    broker.quietly(&["pub", "open/x", "y"]);
    assert_eq!(sub.output(), "y\n");
    for args in [&["sub", "shut"][..], &["pub", "shut", "y"], &["push", "shut", "y"]] {
        let (out, err, code) = broker.run(args);
        assert_eq!((out.as_str(), code), ("", Some(4)), "{err}");
        assert!(err.contains("its operator does not allow this"), "{err}");
    }
}

#[test]
fn a_publisher_without_a_message_waits_to_see_the_broker() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    for command in ["pub", "push"] {
        let mut client = Process::spawn(&mut petasus([command, "x", "--server", &url]));
        client.close_stdin();
        answer_once(&listener, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 5\r\n\r\nfull\n");
        let (_, err, status) = client.end();
        assert!(err.contains("answered 503 (full)"), "{err}");
        assert_eq!(status.code(), Some(4));
    }
}
