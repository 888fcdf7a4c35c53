//! Each client command, there and back.

use rustix::process::Signal;
use serde_json::Value;

use crate::binary::{Broker, Process};

#[test]
fn a_subscriber_prints_what_is_published_on_its_topic_and_below() {
    let broker = Broker::start(&[]);
    let sub = broker.connect(&["sub", "news", "--count", "2"]);
    broker.quietly(&["pub", "other", "not this"]);
    broker.quietly(&["pub", "news", "first"]);
    broker.quietly(&["pub", "news/sport", "zweite é"]);
    assert_eq!(sub.output(), "first\nzweite é\n");
}

#[test]
fn each_line_of_standard_input_is_a_message_also_an_empty_one() {
    let broker = Broker::start(&[]);
    let sub = broker.connect(&["sub", "lines", "--count", "5"]);
    broker.feed(&["pub", "lines"], b"one\n\n three \nfour");
    broker.feed(&["pub", "lines", "--count", "1"], b"five\nsix\n");
    assert_eq!(sub.output(), "one\n\n three \nfour\nfive\n");
}

#[test]
fn many_lines_arrive_in_order_and_all_of_them() {
    let broker = Broker::start(&[]);
    let sub = broker.connect(&["sub", "numbers", "--count", "20000"]);
    let lines: String = (0..20_000).flat_map(|number| [number.to_string(), "\n".to_owned()]).collect();
    broker.feed(&["pub", "numbers"], lines.as_bytes());
    assert_eq!(sub.output(), lines);
}

#[test]
fn raw_is_the_same_bytes_in_and_out() {
    let broker = Broker::start(&[]);
    let bytes = b"two\nlines \xff\x00 and bytes".as_slice();
    let raw = broker.connect(&["sub", "raw", "--raw", "--count", "2"]);
    let lines = broker.connect(&["sub", "raw", "--count", "2"]);
    broker.feed(&["pub", "raw", "--raw"], bytes);
    broker.feed(&["pub", "raw", "--raw"], b"text\n");
    let (out, err, status) = raw.end();
    assert_eq!((out, err.as_str(), status.code()), ([bytes, b"text\n"].concat(), "", Some(0)));
    // Without --raw, bytes that may be no text are base64.
    assert_eq!(lines.output(), "dHdvCmxpbmVzIP8AIGFuZCBieXRlcw==\ntext\n\n");
}

#[test]
fn json_has_topic_time_kind_and_payload() {
    let broker = Broker::start(&[]);
    let sub = broker.connect(&["sub", "a/b", "--json", "--count", "2"]);
    broker.quietly(&["pub", "a/b", "say \"hi\""]);
    broker.feed(&["pub", "a/b", "--raw"], b"\xff");
    let output = sub.output();
    let lines: Vec<Value> = output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(output.starts_with("{\"topic\":\"a/b\",\"time\":\"2"), "{output}");
    for (line, kind, payload) in [(&lines[0], "text", "say \"hi\""), (&lines[1], "binary", "/w==")] {
        assert_eq!(
            (&line["topic"], &line["kind"], &line["payload"]),
            (&"a/b".into(), &kind.into(), &payload.into())
        );
        let time = line["time"].as_str().unwrap();
        let shape: String = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        assert_eq!(shape, "0000-00-00T00:00:00.000Z");
    }
    assert_eq!(lines.len(), 2);
}

#[test]
fn bus_peers_hear_each_other_and_not_themselves() {
    let broker = Broker::start(&[]);
    let mut amy = broker.connect(&["bus", "chat"]);
    let mut bob = broker.connect(&["bus", "chat"]);
    amy.write(b"hi bob\n");
    assert_eq!(bob.line(), "hi bob");
    bob.write(b"hi amy\n");
    assert_eq!(amy.line(), "hi amy");
    broker.quietly(&["bus", "chat", "from outside"]);
    assert_eq!((amy.line(), bob.line()), ("from outside".to_owned(), "from outside".to_owned()));
    bob.close_stdin();
    assert_eq!((bob.output(), amy.output()), (String::new(), String::new()));
}

#[test]
fn a_bus_peer_with_echo_hears_itself_even_if_it_leaves_at_once() {
    let broker = Broker::start(&[]);
    let (out, err, code) = broker.run(&["bus", "chat", "--echo", "me"]);
    assert_eq!((out.as_str(), err.as_str(), code), ("me\n", "", Some(0)));
}

#[test]
fn a_bus_peer_with_a_count_stays_for_it_after_its_input() {
    let broker = Broker::start(&[]);
    let mut other = broker.connect(&["bus", "chat"]);
    let mut bus = broker.connect(&["bus", "chat", "question", "--count", "2"]);
    bus.close_stdin();
    assert_eq!(other.line(), "question");
    other.write(b"one\ntwo\nthree\n");
    assert_eq!(bus.output(), "one\ntwo\n");
}

#[test]
fn pushed_messages_go_to_one_puller_each_in_turn() {
    let broker = Broker::start(&[]);
    let first = broker.connect(&["pull", "jobs", "--count", "2"]);
    let second = broker.connect(&["pull", "jobs", "--count", "1"]);
    broker.feed(&["push", "jobs"], b"1\n2\n3\n");
    assert_eq!((first.output(), second.output()), ("1\n3\n".to_owned(), "2\n".to_owned()));
}

#[test]
fn topics_may_hold_any_character() {
    let broker = Broker::start(&[]);
    let topic = "a b/ü?#%41/";
    let sub = broker.connect(&["sub", topic, "--json", "--count", "1"]);
    broker.quietly(&["pub", topic, "x"]);
    let line: Value = serde_json::from_str(&sub.output()).unwrap();
    assert_eq!(line["topic"], topic);
}

#[test]
fn ctrl_c_ends_a_client_without_a_word() {
    let broker = Broker::start(&[]);
    for args in [["sub", "x"], ["pull", "x"], ["bus", "x"], ["pub", "x"], ["push", "x"]] {
        let client = broker.connect(&args);
        client.signal(Signal::INT);
        assert_eq!(client.output(), "", "{args:?}");
    }
}

#[test]
fn a_closed_standard_output_ends_a_client_without_a_word() {
    let broker = Broker::start(&[]);
    let mut sub = broker.connect(&["sub", "x"]);
    sub.close_stdout();
    broker.quietly(&["pub", "x", "to nobody"]);
    assert_eq!(sub.output(), "");
}

#[test]
fn the_server_flag_wins_over_the_environment() {
    let broker = Broker::start(&[]);
    let mut command = broker.command(["pub", "x", "y", "--server", &broker.url]);
    command.env("PETASUS_URL", "ws://127.0.0.1:1");
    assert_eq!(Process::spawn(&mut command).output(), "");
}
