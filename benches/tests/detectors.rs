//! The load generator against servers whose faults are known: it has to find those, and no others.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;

use serde_json::Value;

/// What a relay does to the messages of its publisher, given each and its number.
type Fault = fn(number: usize, frame: Vec<u8>, out: &mut Vec<Vec<u8>>);

const SUBSCRIBERS: usize = 3;

/// Runs `petasus-load` with JSON output; its report.
fn load(arguments: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_petasus-load"))
        .args(arguments)
        .args(["--warm", "0", "--seconds", "0.3", "--json"])
        .output()
        .expect("petasus-load starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

/// A server for one publisher and [`SUBSCRIBERS`], which relays with a fault; the report of a run against it.
fn load_with(fault: Fault) -> Value {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    let relay = thread::spawn(move || relay(&listener, fault));
    let (publish, subscribe) =
        (format!("ws://127.0.0.1:{port}/pub/x"), format!("ws://127.0.0.1:{port}/sub/x"));
    let subscribers = SUBSCRIBERS.to_string();
    let traffic = ["--pub", &publish, "--sub", &subscribe, "--subscribers", &subscribers];
    let report = load(&[["paced", "--rate", "200"].as_slice(), traffic.as_slice()].concat());
    relay.join().expect("the relay lives until its publisher leaves");
    report
}

fn relay(listener: &TcpListener, fault: Fault) {
    // petasus-load connects its publishers last.
    let mut subscribers: Vec<_> = (0..SUBSCRIBERS).map(|_| accept(listener)).collect();
    let mut publisher = accept(listener);
    let mut number = 0;
    while let Some(payload) = read_message(&mut publisher) {
        let mut out = Vec::new();
        fault(number, payload, &mut out);
        number += 1;
        for payload in out {
            let head = [[0x81, 126].as_slice(), &(payload.len() as u16).to_be_bytes()].concat();
            for subscriber in &mut subscribers {
                subscriber.write_all(&[head.as_slice(), &payload].concat()).expect("subscribers stay");
            }
        }
    }
}

fn accept(listener: &TcpListener) -> TcpStream {
    let (mut stream, _) = listener.accept().expect("a client");
    let mut line = String::new();
    let mut reader = BufReader::new(&stream);
    while reader.read_line(&mut line).expect("a request") > 2 {
        line.clear();
    }
    let answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                  Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    stream.write_all(answer.as_bytes()).expect("a client that waits");
    stream
}

/// One masked message of 126 to 65,535 bytes; `None` at the end of the connection.
fn read_message(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut head = [0; 8];
    stream.read_exact(&mut head).ok()?;
    let mut payload = vec![0; u16::from_be_bytes([head[2], head[3]]).into()];
    stream.read_exact(&mut payload).ok()?;
    for (byte, key) in payload.iter_mut().zip(head[4..].iter().cycle()) {
        *byte ^= key;
    }
    Some(payload)
}

/// Lost, duplicated, reordered and foreign, divided by the number of subscribers.
fn faults(report: &Value) -> [u64; 4] {
    ["lost", "duplicated", "reordered", "foreign"].map(|name| {
        let count = report[name].as_u64().expect("a count");
        assert_eq!(count % SUBSCRIBERS as u64, 0, "{name} of {report}");
        count / SUBSCRIBERS as u64
    })
}

#[test]
fn a_faithful_relay_has_no_faults() {
    let report = load_with(|_, payload, out| out.push(payload));
    assert_eq!(faults(&report), [0, 0, 0, 0]);
    assert_eq!(report["published"], 60);
    assert_eq!(report["deliveries"], 180);
}

#[test]
fn a_planted_loss_is_found() {
    let report = load_with(|number, payload, out| {
        if number != 17 {
            out.push(payload);
        }
    });
    assert_eq!(faults(&report), [1, 0, 0, 0]);
}

#[test]
fn a_planted_duplicate_is_found() {
    let report = load_with(|number, payload, out| {
        if number == 17 {
            out.push(payload.clone());
        }
        out.push(payload);
    });
    assert_eq!(faults(&report), [0, 1, 0, 0]);
}

#[test]
fn a_planted_swap_is_found() {
    // Message 17 is kept back until 18 has gone out; the relay tells them apart by the stamp's sequence number.
    static KEPT: std::sync::Mutex<Option<Vec<u8>>> = std::sync::Mutex::new(None);
    let report = load_with(|number, payload, out| {
        if number == 17 {
            *KEPT.lock().unwrap() = Some(payload);
            return;
        }
        out.push(payload);
        out.extend(KEPT.lock().unwrap().take());
    });
    assert_eq!(faults(&report), [0, 0, 1, 0]);
}

#[test]
fn a_damaged_message_is_lost_and_foreign() {
    let report = load_with(|number, mut payload, out| {
        if number == 17 {
            payload[10] = b'?';
        }
        out.push(payload);
    });
    assert_eq!(faults(&report), [1, 0, 0, 1]);
}

/// The tuned peer, ended when the test is.
struct Peer(Child);

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the peer; its address.
fn peer() -> (Peer, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_peer-tungstenite"))
        .stdout(Stdio::piped())
        .spawn()
        .expect("the peer starts");
    let mut line = String::new();
    let stdout = child.stdout.take().expect("it is piped");
    BufReader::new(stdout).read_line(&mut line).expect("its first line");
    let (_, address) = line.trim().split_once("http://").expect("it says where it listens");
    (Peer(child), address.to_owned())
}

#[test]
fn the_peer_loses_nothing_in_a_closed_loop_over_several_topics() {
    let (_peer, address) = peer();
    let (publish, subscribe) = (format!("ws://{address}/pub/t{{}}"), format!("ws://{address}/sub/t{{}}"));
    let report = load(&[
        "closed",
        "--window",
        "8",
        "--pub",
        &publish,
        "--sub",
        &subscribe,
        "--publishers",
        "4",
        "--subscribers",
        "6",
        "--topics",
        "2",
    ]);
    assert_eq!(["lost", "duplicated", "reordered", "foreign", "closed"].map(|name| &report[name]), [0; 5]);
    let (published, deliveries) = (&report["published"], &report["deliveries"]);
    // Each topic has three of the six subscribers.
    assert!(published.as_u64().unwrap() > 0);
    assert_eq!(deliveries.as_u64().unwrap(), published.as_u64().unwrap() * 3);
    assert!(report["server_us_per_delivery"].as_f64().unwrap() > 0.0);
}

#[test]
fn churn_beside_traffic_is_counted_and_harms_nobody() {
    let (_peer, address) = peer();
    let (publish, subscribe) = (format!("ws://{address}/pub/x"), format!("ws://{address}/sub/x"));
    let report = load(&[
        "churn",
        "--cycles",
        "50",
        "--at-once",
        "4",
        "--pub",
        &publish,
        "--sub",
        &subscribe,
        "--subscribers",
        "5",
    ]);
    assert_eq!(report["cycles"], 50);
    let traffic = &report["traffic"];
    assert_eq!(["lost", "duplicated", "reordered", "foreign", "closed"].map(|name| &traffic[name]), [0; 5]);
}
