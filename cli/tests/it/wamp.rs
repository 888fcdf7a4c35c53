//! The commands over WAMP: calls, queues with answers, log-ins, and what the router refuses.

use std::path::Path;

use rustix::process::Signal;
use tempfile::tempdir;

use crate::binary::{Broker, Process, file, outcome, petasus};

/// A broker whose user `joe` may do everything, and everybody else may do these things with `open` and below.
pub(crate) fn guarded(folder: &Path, allowed: &str) -> Broker {
    let access = format!(
        "anonymous = \"guest\"\n[[users]]\nauthid = \"joe\"\nrole = \"admin\"\nticket = \"t\"\n\
         [[users]]\nauthid = \"amy\"\nrole = \"admin\"\nsecret = \"s\"\n\
         [[rules]]\nrole = \"admin\"\nuri = \"\"\nmatch = \"prefix\"\n\
         allow = [\"publish\", \"subscribe\", \"call\", \"register\"]\n\
         [[rules]]\nrole = \"guest\"\nuri = \"open\"\nmatch = \"prefix\"\nallow = [{allowed}]\n"
    );
    let access = file(folder, "access.toml", &access);
    let config = file(folder, "petasus.toml", &format!("[auth]\naccess = \"{access}\"\n"));
    Broker::start(&["--config", &config])
}

/// What a client prints that must fail and print nothing else, with its exit code.
fn failure(broker: &Broker, args: &[&str]) -> (String, i32) {
    let (out, err, code) = broker.run(args);
    assert_eq!(out, "");
    assert!(err.starts_with("petasus: "), "{err}");
    (err, code.unwrap())
}

#[test]
fn a_call_prints_its_result_as_json_and_a_text_bare() {
    let broker = Broker::start(&[]);
    let mut echo = broker.connect(&["register-echo", "com.example.echo"]);
    for (args, printed) in [
        (&["2"][..], "2\n"),
        (&["-2", "\"a b\"", "[null]"], "[-2,\"a b\",[null]]\n"),
        (&["\"a \\\" b\""], "a \" b\n"),
        (&["\"a \\\" b\"", "--json"], "\"a \\\" b\"\n"),
        (&["--kwargs", "{\"a\": 1}"], "{\"a\":1}\n"),
        (&["1", "--kwargs", "{\"a\": 1}"], "{\"args\":[1],\"kwargs\":{\"a\":1}}\n"),
        (&[], "null\n"),
        (&["1", "--progress"], "1\n"),
    ] {
        let (out, err, code) = broker.run(&[&["call", "com.example.echo"], args].concat());
        assert_eq!((out.as_str(), err.as_str(), code), (printed, "", Some(0)), "{args:?}");
    }
    // With --verbose, which `connect` gives, the callee says what it was asked.
    let asked: Vec<String> = (0..8).map(|_| echo.line()).collect();
    assert_eq!(asked[..3], ["2", "[-2,\"a b\",[null]]", "\"a \\\" b\""]);
    echo.signal(Signal::INT);
    assert_eq!(echo.output(), "");
    let (err, code) = failure(&broker, &["call", "com.example.echo"]);
    assert!(err.contains("wamp.error.no_such_procedure") && err.contains("nobody offers it"), "{err}");
    assert_eq!(code, 4);
}

#[test]
fn what_is_no_json_is_told_before_anything_is_called() {
    for (args, text) in [
        (["call", "a.b", "1", "text"], "argument 2 (`text`) is no JSON value"),
        (["call", "a.b", "--kwargs", "[1]"], "--kwargs is no JSON object"),
        (["call", "a.b", "--timeout", "0"], "write a number of seconds"),
    ] {
        let (_, err, code) = outcome(&petasus(args).output().unwrap());
        assert!(err.contains(text), "{err}");
        assert_eq!(code, Some(2));
    }
}

#[test]
fn a_broker_that_can_not_be_had_is_told_by_all_commands_of_wamp() {
    for args in [
        &["call", "a.b"][..],
        &["register-echo", "a.b"],
        &["bench", "request"],
        &["top", "--once"],
        &["pub", "x", "y", "--dialect", "wamp"],
    ] {
        let output = petasus([args, &["--server", "ws://127.0.0.1:1"]].concat()).output().unwrap();
        let (out, err, code) = outcome(&output);
        assert_eq!((out.as_str(), code), ("", Some(3)), "{err}");
        assert!(err.starts_with("petasus: ws://127.0.0.1:1/ws can not be reached: nothing listens"), "{err}");
    }
}

#[test]
fn a_wrong_path_and_a_wrong_realm_are_told_apart() {
    let broker = Broker::start(&[]);
    let elsewhere = format!("{}/elsewhere", broker.url);
    for args in [&["call", "a.b"][..], &["register-echo", "a.b"], &["bench", "request"], &["top", "--once"]] {
        let (err, code) = failure(&broker, &[args, &["--server", &elsewhere]].concat());
        assert!(err.contains("/elsewhere") && err.contains("check the path in --server"), "{err}");
        assert!([3, 4].contains(&code), "{err}");
        let (err, code) = failure(&broker, &[args, &["--realm", "not a realm"]].concat());
        assert!(err.contains("refused: wamp.error.") && err.contains("realm"), "{err}");
        assert_eq!(code, 4);
    }
}

#[test]
fn jobs_are_answered_with_what_they_carry() {
    let broker = Broker::start(&[]);
    let mut echo = broker.connect(&["register-echo", "jobs/mail", "--queue"]);
    broker.quietly(&["push", "jobs/mail", "one", "--dialect", "wamp"]);
    broker.quietly(&["push", "jobs/mail", "two"]);
    assert_eq!((echo.line(), echo.line()), ("\"one\"".to_owned(), "\"two\"".to_owned()));
    echo.signal(Signal::TERM);
    assert_eq!(echo.output(), "");
}

#[test]
fn all_commands_speak_wamp_if_told_so() {
    let broker = Broker::start(&[]);
    let sub = broker.connect(&["sub", "news", "--count", "3", "--json", "--dialect", "wamp"]);
    broker.feed(&["pub", "news/sport", "--dialect", "wamp"], b"one\ntwo\n");
    broker.quietly(&["pub", "news", "three"]);
    let output = sub.output();
    let lines: Vec<serde_json::Value> =
        output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let heard: Vec<_> = lines.iter().map(|line| (line["topic"].as_str(), line["payload"].as_str())).collect();
    // WAMP says which topic below it was.
    let sport = Some("news/sport");
    assert_eq!(heard, [(sport, Some("one")), (sport, Some("two")), (Some("news"), Some("three"))]);

    let pull = broker.connect(&["pull", "jobs", "--count", "2", "--dialect", "wamp"]);
    broker.feed(&["push", "jobs", "--dialect", "wamp"], b"one\ntwo\n");
    assert_eq!(pull.output(), "one\ntwo\n");

    let mut amy = broker.connect(&["bus", "chat", "--dialect", "wamp"]);
    broker.quietly(&["bus", "chat", "hi amy", "--dialect", "wamp"]);
    assert_eq!(amy.line(), "hi amy");
    let echo = ["bus", "chat", "me", "--echo", "--dialect", "wamp"];
    assert_eq!(broker.run(&echo), ("me\n".to_owned(), String::new(), Some(0)));
}

#[test]
fn many_lines_arrive_in_order_over_wamp() {
    let broker = Broker::start(&[]);
    let sub = broker.connect(&["sub", "numbers", "--count", "5000"]);
    let lines: String = (0..5000).flat_map(|number| [number.to_string(), "\n".to_owned()]).collect();
    broker.feed(&["pub", "numbers", "--dialect", "wamp"], lines.as_bytes());
    assert_eq!(sub.output(), lines);
}

#[test]
fn a_dot_is_a_dot_and_what_the_wire_can_not_name_is_told() {
    let broker = Broker::start(&[]);
    let sub = broker.connect(&["sub", "v1.0/x", "--count", "2"]);
    broker.quietly(&["pub", "v1/0/x", "not this"]);
    broker.quietly(&["pub", "v1.0/x", "this"]);
    broker.quietly(&["pub", "v1.0/x", "and this", "--dialect", "wamp"]);
    assert_eq!(sub.output(), "this\nand this\n");
    let (err, code) = failure(&broker, &["bench", "request", "--dialect", "mercury"]);
    assert!(err.contains("Mercury has no calls"), "{err}");
    assert_eq!(code, 2);
}

#[test]
fn users_log_in_by_ticket_or_secret() {
    let folder = tempdir().unwrap();
    let broker = guarded(folder.path(), "\"publish\"");
    let publish = ["pub", "secret/x", "y", "--dialect", "wamp"];
    broker.quietly(&[&publish[..], &["--user", "joe", "--ticket", "t"]].concat());
    broker.quietly(&[&publish[..], &["--user", "amy", "--secret", "s"]].concat());
    let mut command = broker.command([&publish[..], &["--user", "joe"]].concat());
    assert_eq!(Process::spawn(command.env("PETASUS_TICKET", "t")).output(), "");
    let (err, code) = failure(&broker, &[&publish[..], &["--user", "joe", "--ticket", "wrong"]].concat());
    assert!(err.contains("check --user, --ticket and --secret"), "{err}");
    assert_eq!(code, 4);
    // A refused message is not lost silently.
    let (err, code) = failure(&broker, &publish);
    assert!(err.contains("wamp.error.not_authorized") && err.contains("log in by --user"), "{err}");
    assert_eq!(code, 4);
    for (dialect, text) in [("wamp", "PETASUS_SECRET"), ("mercury", "Mercury has none")] {
        let (err, code) = failure(&broker, &["pub", "x", "y", "--user", "joe", "--dialect", dialect]);
        assert!(err.contains("no log-in for --user") && err.contains(text), "{err}");
        assert_eq!(code, 2);
    }
}
