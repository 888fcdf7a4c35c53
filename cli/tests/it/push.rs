//! `petasus push` tells what became of each message: nothing is lost silently.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::mpsc,
    thread,
    time::Duration,
};

use rustix::process::Signal;

use crate::{
    binary::{Broker, Process, outcome, petasus},
    signals::silent_subscriber,
};

/// A broker with these variables.
fn broker_with(variables: &[(&str, &str)]) -> Broker {
    let mut command = petasus(["broker", "--listen", "http://127.0.0.1:0", "--admin", "none"]);
    Broker::spawn(command.envs(variables.iter().copied()))
}

/// Runs `push` with this standard input; standard error and exit code. It never prints anything.
fn push(broker: &Broker, args: &[&str], input: &[u8]) -> (String, Option<i32>) {
    let mut client = Process::spawn(broker.command(["push"]).args(args));
    client.write(input);
    let (out, err, status) = client.end();
    assert_eq!(out, b"");
    (err, status.code())
}

#[test]
fn a_message_that_nobody_pulls_is_an_error() {
    let broker = Broker::start(&[]);
    let (err, code) = push(&broker, &["jobs", "one"], b"");
    let start = format!(
        "petasus: the message was not taken: {}/push/jobs refused: wamp.error.unavailable (nobody pulls from this queue: \
         try again later); if nobody pulls, start `petasus pull`",
        broker.url
    );
    assert!(err.starts_with(&start) && err.lines().count() == 1, "{err}");
    assert_eq!(code, Some(4));
    let (err, code) = push(&broker, &["jobs"], b"one\ntwo\n");
    assert!(err.contains("petasus: line 1 was not taken: "), "{err}");
    assert!(err.ends_with("petasus: lines taken before it: 0\n"), "{err}");
    assert_eq!(code, Some(4));
}

#[test]
fn a_held_message_is_taken_and_counted_when_asked() {
    let broker = broker_with(&[("PETASUS_QUEUE_WITHOUT_PULLER", "hold")]);
    broker.quietly(&["push", "jobs", "one"]);
    let (err, code) = push(&broker, &["jobs", "--verbose"], b"two\nthree\n");
    assert!(err.ends_with("\npetasus: taken: 2 (0 handed to a puller, 2 held for one)\n"), "{err}");
    assert_eq!(code, Some(0));
    let pull = broker.connect(&["pull", "jobs", "--count", "4"]);
    let (err, code) = push(&broker, &["jobs", "four", "--verbose"], b"");
    assert!(err.ends_with("\npetasus: taken: 1 (1 handed to a puller, 0 held for one)\n"), "{err}");
    assert_eq!((pull.output().as_str(), code), ("one\ntwo\nthree\nfour\n", Some(0)));
}

#[test]
fn the_first_line_that_is_refused_ends_it_and_those_before_are_counted() {
    let limits = [("PETASUS_QUEUE_WITHOUT_PULLER", "hold"), ("PETASUS_QUEUE_HOLD_MESSAGES", "2")];
    let broker = broker_with(&limits);
    let (err, code) = push(&broker, &["jobs"], b"one\ntwo\nthree\nfour\n");
    assert!(err.starts_with("petasus: line 3 was not taken: "), "{err}");
    assert!(err.contains("refused: wamp.error.unavailable (this queue is full: try again later)"), "{err}");
    assert!(err.ends_with("petasus: lines taken before it: 2\n"), "{err}");
    assert_eq!(code, Some(4));
    let pull = broker.connect(&["pull", "jobs", "--count", "3"]);
    broker.quietly(&["push", "jobs", "five"]);
    assert_eq!(pull.output(), "one\ntwo\nfive\n");
}

#[test]
fn many_lines_arrive_in_order() {
    let broker = Broker::start(&[]);
    let pull = broker.connect(&["pull", "jobs", "--count", "2000"]);
    let lines: String = (0..2000).flat_map(|number| [number.to_string(), "\n".to_owned()]).collect();
    let (err, code) = push(&broker, &["jobs", "--verbose"], lines.as_bytes());
    assert_eq!((err.matches("connected to ").count(), code), (1, Some(0)), "{err}");
    assert_eq!(pull.output(), lines);
}

#[test]
fn raw_and_lines_keep_their_bytes_and_their_kind() {
    let broker = Broker::start(&[]);
    let pull = broker.connect(&["pull", "jobs", "--json", "--count", "6"]);
    broker.feed(&["push", "jobs", "--raw"], b"two\nlines\n");
    broker.feed(&["push", "jobs", "--raw"], b"\xff\n");
    broker.feed(&["push", "jobs", "--raw"], b"");
    broker.feed(&["push", "jobs", "--count", "3"], "é\n\n\u{fffd}\nleft out\n".as_bytes());
    let output = pull.output();
    let messages: Vec<_> = output
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|line| [&line["kind"], &line["payload"]].map(|text| text.as_str().unwrap().to_owned()))
        .collect();
    let expected = [
        ["text", "two\nlines\n"],
        ["binary", "/wo="],
        ["text", ""],
        ["text", "é"],
        ["text", ""],
        ["text", "\u{fffd}"],
    ];
    assert_eq!(messages, expected);
}

#[test]
fn refusals_have_the_hints_of_the_other_commands() {
    let broker = Broker::start(&["--allow-origin", "example.com"]);
    let (err, code) = push(&broker, &["jobs", "one"], b"");
    assert!(err.contains(" (Origin check failed); ") && err.contains("--origin"), "{err}");
    assert_eq!(code, Some(4));
    let elsewhere = format!("{}/elsewhere", broker.url);
    let (err, code) = push(&broker, &["jobs", "one", "--server", &elsewhere], b"");
    assert!(err.contains("/elsewhere/push/jobs ") && err.contains("the path in --server"), "{err}");
    assert_eq!(code, Some(4));
    let _pull = broker.connect(&["pull", "jobs", "--origin", "https://example.com"]);
    broker.quietly(&["push", "jobs", "one", "--origin", "https://example.com"]);
    broker.quietly(&["push", "jobs", "one", "--header", "Origin: https://www.example.com"]);
}

#[test]
fn a_message_too_long_is_told_however_long_it_is() {
    let broker = broker_with(&[("PETASUS_LIMITS_MESSAGE", "10")]);
    let _pull = broker.connect(&["pull", "jobs"]);
    broker.quietly(&["push", "jobs", "0123456789"]);
    // The broker refuses the last ones before it has read all of them.
    for length in [11, 100_000, 20_000_000] {
        let (err, code) = push(&broker, &["jobs", "--raw"], &vec![b'x'; length]);
        assert!(
            err.contains("refused: wamp.error.payload_size_exceeded (") && err.contains("its limits.message"),
            "{err}"
        );
        assert_eq!(code, Some(4));
    }
}

#[test]
fn a_full_broker_is_told() {
    let broker = broker_with(&[("PETASUS_LIMITS_CONNECTIONS", "1")]);
    let _only = silent_subscriber(&broker);
    let (err, code) = push(&broker, &["jobs", "one"], b"");
    assert!(err.contains("the message was not taken") && err.contains("(too many connections"), "{err}");
    assert_eq!(code, Some(4));
}

#[test]
fn a_server_without_queues_is_told() {
    // Pinghub has a channel at every path, and answers OK.
    let broker = Broker::spawn(&mut petasus([
        "broker",
        "--listen",
        "http://127.0.0.1:0?dialects=pinghub",
        "--admin",
        "none",
    ]));
    let url = broker.url.split('?').next().unwrap();
    let (err, code) = push(&broker, &["jobs", "one", "--server", url], b"");
    assert!(
        err.contains(
            "refused: wamp.error.invalid_argument (OK); correct it; if this is no answer of a queue"
        ),
        "{err}"
    );
    assert_eq!(code, Some(4));
}

#[test]
fn a_broker_that_is_gone_is_told_before_the_first_line() {
    // Nobody listens at port 1.
    let mut command = petasus(["push", "jobs", "--server", "ws://127.0.0.1:1"]);
    let (_, err, code) = outcome(&command.output().unwrap());
    assert!(
        err.starts_with("petasus: http://127.0.0.1:1/push/jobs can not be reached: nothing listens"),
        "{err}"
    );
    assert_eq!(code, Some(3));
}

/// Fails a test that would otherwise hang.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server made by hand.
struct Server {
    listener: TcpListener,
    client: Process,
}

impl Server {
    /// Starts `push` with these arguments against it.
    fn start(args: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/prefix/", listener.local_addr().unwrap());
        let client = Process::spawn(petasus(["push", "--server", &url, "jobs"]).args(args));
        Self { listener, client }
    }

    /// The next connection with a message. The client's WebSocket, by which it sees whether the broker is there, is
    /// refused, which must not matter: who may push may not be allowed anything else.
    fn accept(&self) -> TcpStream {
        loop {
            let mut stream = self.accept_any();
            let mut start = [0; 1];
            assert_eq!(stream.peek(&mut start).unwrap(), 1);
            if start == *b"P" {
                return stream;
            }
            stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno\n").unwrap();
            end(stream);
        }
    }

    /// The next connection, which must come before long and be spoken on; nothing is measured by that.
    fn accept_any(&self) -> TcpStream {
        let (tell, told) = mpsc::channel();
        let listener = self.listener.try_clone().unwrap();
        thread::spawn(move || tell.send(listener.accept()));
        let stream = told.recv_timeout(PATIENCE).expect("the client connects").unwrap().0;
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Accepts a connection and speaks first, as a mail server does.
    fn greet(&self) -> TcpStream {
        let mut stream = self.accept_any();
        stream.write_all(b"220 mail.example.com ESMTP\r\n").unwrap();
        stream
    }
}

/// Ends a connection and waits until the client has seen that.
fn end(mut stream: TcpStream) {
    stream.shutdown(Shutdown::Write).unwrap();
    stream.read_to_end(&mut Vec::new()).unwrap();
}

/// Reads a request with its body.
fn read_request(stream: &TcpStream) -> (String, Vec<u8>) {
    let (mut head, mut reader) = (String::new(), BufReader::new(stream));
    while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).unwrap() > 0 {}
    let head = head.to_lowercase();
    let length = head.split_once("\r\ncontent-length: ").unwrap().1.split_once('\r').unwrap().0;
    let mut body = vec![0; length.parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    (head, body)
}

const TAKEN: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

#[test]
fn headers_go_with_each_message() {
    let mut server = Server::start(&["--header", "Authorization: Bearer t", "--header", "Content-Length: 7"]);
    server.client.write(b"\xff\nabc\n");
    for (kind, bytes) in [("application/octet-stream", &b"\xff"[..]), ("text/plain; charset=utf-8", b"abc")] {
        let mut stream = server.accept();
        let (head, body) = read_request(&stream);
        assert!(head.starts_with("post /prefix/push/jobs http/1.1\r\nhost: 127.0.0.1:"), "{head}");
        assert!(head.contains("\r\nauthorization: bearer t\r\n"), "{head}");
        assert!(head.contains(&format!("\r\ncontent-type: {kind}\r\n")), "{head}");
        assert_eq!(body, bytes);
        stream.write_all(TAKEN).unwrap();
    }
    assert_eq!(server.client.output(), "");
}

#[test]
fn a_connection_that_ended_between_two_messages_is_replaced() {
    let mut server = Server::start(&[]);
    server.client.write(b"one\n");
    let mut stream = server.accept();
    read_request(&stream);
    stream.write_all(TAKEN).unwrap();
    end(stream);
    server.client.write(b"two\n");
    let mut stream = server.accept();
    assert_eq!(read_request(&stream).1, b"two");
    stream.write_all(TAKEN).unwrap();
    assert_eq!(server.client.output(), "");
}

#[test]
fn a_message_without_an_answer_is_not_sent_again_but_told() {
    let mut server = Server::start(&[]);
    server.client.write(b"one\ntwo\n");
    let mut stream = server.accept();
    read_request(&stream);
    stream.write_all(TAKEN).unwrap();
    let stream = server.accept();
    assert_eq!(read_request(&stream).1, b"two");
    drop(stream);
    let (_, err, status) = server.client.end();
    assert!(
        err.starts_with("petasus: line 2 may have been taken or not: ") && err.contains("no answer"),
        "{err}"
    );
    assert!(err.ends_with("petasus: lines taken before it: 1\n"), "{err}");
    assert_eq!(status.code(), Some(5));
}

#[test]
fn a_server_that_speaks_no_http_is_told() {
    let server = Server::start(&["one"]);
    let _first = server.greet();
    let _second = server.greet();
    let (_, err, status) = server.client.end();
    assert!(err.contains("the message was not taken") && err.contains("does not speak WebSocket"), "{err}");
    assert_eq!(status.code(), Some(3));
}

#[test]
fn an_interrupt_waits_for_the_answer_under_way() {
    let refused = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 5\r\n\r\nnope\n";
    for (answer, code) in [(TAKEN, 0), (refused, 4)] {
        let mut server = Server::start(&[]);
        server.client.write(b"one\n");
        let mut stream = server.accept();
        read_request(&stream);
        server.client.signal(Signal::INT);
        stream.write_all(answer).unwrap();
        let (_, err, status) = server.client.end();
        assert_eq!((err.is_empty(), status.code()), (code == 0, Some(code)), "{err}");
    }
}

#[test]
fn a_second_interrupt_does_not() {
    let mut server = Server::start(&[]);
    server.client.write(b"one\n");
    let stream = server.accept();
    read_request(&stream);
    server.client.signal(Signal::INT);
    server.client.signal(Signal::TERM);
    assert_eq!(server.client.end().2.code(), Some(130));
}
