//! What a client says when it can not do what it was asked, and its exit code.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
};

use rustix::process::Signal;

use crate::{
    binary::{Broker, outcome, petasus},
    signals::silent_subscriber,
};

/// Standard error and exit code of a client that must fail and print nothing.
fn failure(broker: &Broker, args: &[&str]) -> (String, i32) {
    let (out, err, code) = broker.run(args);
    assert_eq!(out, "");
    assert!(err.starts_with("petasus: "), "{err}");
    (err, code.unwrap())
}

#[test]
fn a_refused_connection_names_the_url_and_what_to_do() {
    // A port that nobody here listens on, and that no other test is given.
    let url = "ws://127.0.0.1:1";
    let (out, err, code) = outcome(&petasus(["sub", "a b", "--server", url]).output().unwrap());
    assert_eq!((out.as_str(), code), ("", Some(3)));
    let start = format!(
        "petasus: {url}/sub/a%20b can not be reached: nothing listens at 127.0.0.1:1 (a broker of your own: \
         `petasus broker`); check --server"
    );
    assert!(err.starts_with(&start), "{err}");
}

#[test]
fn a_missing_origin_is_explained_and_a_right_one_accepted() {
    let broker = Broker::start(&["--allow-origin", "example.com"]);
    let (err, code) = failure(&broker, &["pub", "x", "y"]);
    assert!(err.contains("answered 401 (Origin check failed)") && err.contains("--origin"), "{err}");
    assert_eq!(code, 4);
    broker.quietly(&["pub", "x", "y", "--origin", "https://www.example.com"]);
    broker.quietly(&["pub", "x", "y", "--header", "Origin: https://example.com"]);
}

#[test]
fn a_wrong_path_and_a_wrong_topic_are_told_apart() {
    let broker = Broker::start(&[]);
    let elsewhere = format!("{}/elsewhere", broker.url);
    let (err, code) = failure(&broker, &["pub", "x", "y", "--server", &elsewhere]);
    assert!(err.contains("answered 404") && err.contains("--server"), "{err}");
    assert_eq!(code, 4);
    let long = "x".repeat(2000);
    let (err, code) = failure(&broker, &["pub", &long, "y"]);
    assert!(err.contains("answered 400"), "{err}");
    assert_eq!(code, 4);
    let (err, code) = failure(&broker, &["pub", "", "y"]);
    assert!(err.contains("names no topic"), "{err}");
    assert_eq!(code, 2);
}

#[test]
fn a_full_broker_is_told() {
    let mut command = petasus(["broker", "--listen", "http://127.0.0.1:0", "--admin", "none"]);
    let broker = Broker::spawn(command.env("PETASUS_LIMITS_CONNECTIONS", "1"));
    let _only = silent_subscriber(&broker);
    for args in [&["sub", "x"][..], &["pub", "x", "y"], &["bus", "x", "y"], &["call", "x"]] {
        let (err, code) = failure(&broker, args);
        assert!(err.contains("answered 503") && err.contains("try again"), "{err}");
        assert_eq!(code, 4);
    }
}

#[test]
fn a_message_too_long_is_told() {
    let mut command = petasus(["broker", "--listen", "http://127.0.0.1:0", "--admin", "none"]);
    let broker = Broker::spawn(command.env("PETASUS_LIMITS_MESSAGE", "10"));
    broker.quietly(&["pub", "x", "0123456789"]);
    let (err, code) = failure(&broker, &["pub", "x", "0123456789a"]);
    assert!(err.contains("code 1009") && err.contains("limits.message"), "{err}");
    assert_eq!(code, 5);
}

#[test]
fn a_broker_that_shuts_down_is_told() {
    let broker = Broker::start(&[]);
    let sub = broker.connect(&["sub", "x"]);
    let publisher = broker.connect(&["pub", "x"]);
    broker.process.signal(Signal::TERM);
    for mut client in [sub, publisher] {
        // While its input is still open.
        let line = client.wait_for_stderr("shutting down");
        assert!(line.contains("code 1001"), "{line}");
        assert_eq!(client.end().2.code(), Some(5));
    }
}

/// Answers one connection with this text and returns the request's head.
pub(crate) fn answer_once(listener: &TcpListener, answer: &str) -> String {
    let (stream, _) = listener.accept().unwrap();
    let mut head = String::new();
    let mut reader = BufReader::new(&stream);
    while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).unwrap() > 0 {}
    (&stream).write_all(answer.as_bytes()).unwrap();
    head
}

#[test]
fn headers_are_sent_and_the_words_of_a_refusal_repeated() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/prefix/", listener.local_addr().unwrap());
    let args =
        ["pub", "x", "y", "--server", &url, "--header", "Authorization: Bearer t", "--header", "x-a:b"];
    let client = std::thread::spawn({
        let mut command = petasus(args);
        move || outcome(&command.output().unwrap())
    });
    // One socket is to publish, the other one to see whether the broker is there.
    let forbidden = "HTTP/1.1 403 Forbidden\r\nContent-Length: 8\r\n\r\nnot you\n";
    let heads = [(); 2].map(|()| answer_once(&listener, forbidden).to_lowercase());
    assert!(heads.iter().any(|head| head.starts_with("get /prefix/pub/x http/1.1\r\n")), "{heads:?}");
    for head in &heads {
        assert!(
            head.contains("\r\nauthorization: bearer t\r\n") && head.contains("\r\nx-a: b\r\n"),
            "{head}"
        );
    }
    let (_, err, code) = client.join().unwrap();
    assert!(err.contains("answered 403 (not you)"), "{err}");
    assert_eq!(code, Some(4));
}

#[test]
fn a_server_that_is_no_broker_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let mut command = petasus(["sub", "x", "--server", &url]);
    let client = std::thread::spawn(move || outcome(&command.output().unwrap()));
    answer_once(&listener, "220 mail.example.com ESMTP\r\n");
    let (_, err, code) = client.join().unwrap();
    assert!(err.contains("does not speak WebSocket"), "{err}");
    assert_eq!(code, Some(3));
}

#[test]
fn wrong_arguments_are_told() {
    for (args, text) in [
        (
            ["pub", "x", "y", "--server", "127.0.0.1:3000"],
            "write it as ws://HOST:PORT or wss://HOST:PORT (--server",
        ),
        (["pub", "x", "y", "--header", "Authorization"], "is no header"),
        (["pub", "x", "y", "--origin", "a\nb"], "the origin can not be used"),
        (["pub", "x", "y", "--count", "0"], "--count"),
    ] {
        let (_, err, code) = outcome(&petasus(args).output().unwrap());
        assert!(err.contains(text), "{err}");
        assert_eq!(code, Some(2), "{args:?}");
    }
}
