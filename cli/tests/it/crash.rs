//! A broker that is killed, or told to stop, and started again at the same address.

use std::net::SocketAddr;
use std::path::Path;

use rustix::process::Signal;
use tempfile::tempdir;
use tokio::net::UnixStream;

use crate::binary::{Broker, outcome, petasus};
use crate::raw::{Raw, TEXT, frame, message};

/// A command that starts a broker which holds jobs, with Pinghub below `/hub`.
fn broker_at(listen: &str) -> std::process::Command {
    let listen = format!("{listen}?dialects=mercury,pinghub:/hub");
    let mut command = petasus(["broker", "--listen", &listen, "--admin", "none"]);
    command.env("PETASUS_QUEUE_WITHOUT_PULLER", "hold");
    command
}

fn address(broker: &Broker) -> SocketAddr {
    broker.url.strip_prefix("http://").unwrap().parse().unwrap()
}

/// Ends a broker as a crash does: it has no chance to say goodbye or to clean up.
fn crash(broker: Broker) {
    broker.process.signal(Signal::KILL);
    assert_eq!(broker.process.end().2.code(), None, "it did not exit by itself");
}

/// One receiver of each kind.
async fn receivers(address: SocketAddr) -> [Raw; 3] {
    [
        Raw::open(address, "/sub/x").await,
        Raw::open(address, "/bus/x").await,
        Raw::open(address, "/hub/y").await,
    ]
}

/// Sends to all receivers.
async fn send_to_all(address: SocketAddr, text: &str) {
    let mut sender = Raw::connect(address).await;
    for path in ["/pub/x", "/bus/x", "/hub/y"] {
        assert_eq!(sender.post(path, text).await, 200);
    }
}

/// REQ-CRS-001
#[tokio::test]
async fn a_killed_broker_starts_again_at_once_and_remembers_nothing() {
    let mut broker = Broker::spawn(&mut broker_at("http://127.0.0.1:0"));
    let (url, address) = (broker.url.clone(), address(&broker));
    // They stay connected, so that the system still knows of the port when the broker is gone.
    let mut old = Vec::new();
    for round in 0..3 {
        // One of its own, for the puller of the last round may not be seen to be gone yet.
        let (push, pull) = (format!("/push/{round}"), format!("/pull/{round}"));
        let [mut sub, mut bus, hub] = receivers(address).await;
        send_to_all(address, "before").await;
        sub.expect(TEXT, "before").await;
        bus.expect(TEXT, "before").await;
        // A job that waits for a puller, a message that is not read, and one that is half sent.
        let mut client = Raw::connect(address).await;
        assert_eq!(client.post(&push, "before").await, 202);
        client.upgrade("/pub/x", "").await;
        let half = message(TEXT, b"before");
        client.send(&half[..half.len() - 1]).await;

        crash(broker);
        sub.expect_end().await;
        bus.expect_end().await;
        old.push((sub, bus, hub, client));
        broker = Broker::spawn(&mut broker_at(&url));
        assert_eq!(broker.url, url);

        let after = format!("after crash {round}");
        let mut fresh = receivers(address).await;
        let mut pull = Raw::open(address, &pull).await;
        // Whatever would be replayed is there by now.
        pull.settle().await;
        for receiver in &mut fresh {
            receiver.settle().await;
        }
        send_to_all(address, &after).await;
        assert_eq!(Raw::connect(address).await.post(&push, &after).await, 200);
        pull.expect(TEXT, &after).await;
        for receiver in &mut fresh {
            receiver.expect(TEXT, &after).await;
        }
    }
}

/// REQ-CRS-001, REQ-LST-002: the file of a killed broker's socket is in nobody's way.
#[tokio::test]
async fn a_killed_broker_finds_its_unix_socket_again() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("petasus.sock");
    let listen = format!("http+unix://{}", path.display());
    let open = async |path: &Path| {
        let mut raw = Raw::over(UnixStream::connect(path).await.unwrap());
        raw.upgrade("/bus/x", "").await;
        raw
    };
    let broker = Broker::spawn(&mut broker_at(&listen));
    let mut client = open(&path).await;
    crash(broker);
    client.expect_end().await;
    assert!(path.exists(), "a killed process removes nothing");

    let broker = Broker::spawn(&mut broker_at(&listen));
    let (mut one, mut other) = (open(&path).await, open(&path).await);
    one.settle().await;
    one.send(message(TEXT, b"again")).await;
    other.expect(TEXT, "again").await;
    broker.process.signal(Signal::TERM);
    for mut peer in [one, other] {
        let goodbye = peer.next().await.unwrap();
        peer.send(frame(goodbye.first, &goodbye.payload)).await;
    }
    assert_eq!(broker.process.end().2.code(), Some(0));
    assert!(!path.exists(), "one that is told to stop cleans up");
}

/// Messages that fill every buffer of the system between the broker and a reader, and wait in the outbox besides.
const FLOOD: usize = 800;

fn numbered(number: usize) -> String {
    format!("{number:0>8000}")
}

/// REQ-CRS-002
#[tokio::test]
async fn a_broker_told_to_stop_first_sends_what_waits() {
    // Pinghub's channel is the bus topic of that name.
    for (from, to) in [("/pub/x", "/sub/x"), ("/bus/x", "/bus/x"), ("/bus/x", "/hub/x")] {
        let mut command = broker_at("http://127.0.0.1:0");
        command.env("PETASUS_OUTBOX_BYTES", "67108864").env("PETASUS_DRAIN_TIMEOUT", "3600");
        let mut broker = Broker::spawn(&mut command);
        let address = address(&broker);
        let mut reader = Raw::connect_small(address).await;
        reader.upgrade(to, "").await;
        reader.settle().await;
        let mut sender = Raw::open(address, from).await;
        for number in 0..FLOOD {
            sender.send(message(TEXT, numbered(number).as_bytes())).await;
        }
        sender.leave().await;

        broker.process.signal(Signal::TERM);
        broker.process.wait_for_stderr("stopping");
        for number in 0..FLOOD {
            reader.expect(TEXT, numbered(number)).await;
        }
        let goodbye = reader.next().await.expect("a Close frame behind the last message");
        assert_eq!(goodbye.first, crate::raw::CLOSE);
        assert_eq!(goodbye.payload[..2], 1001_u16.to_be_bytes());
        reader.send(frame(goodbye.first, &goodbye.payload)).await;
        reader.expect_end().await;
        drop(reader);
        let (_, err, status) = broker.process.end();
        assert_eq!(status.code(), Some(0), "{err}");
    }
}

/// REQ-LST-001, REQ-LST-002: what cannot be listened on ends the start with a message and a status.
#[test]
fn a_second_broker_at_the_same_address_is_refused() {
    let folder = tempdir().unwrap();
    let socket = format!("http+unix://{}", folder.path().join("petasus.sock").display());
    for listen in ["http://127.0.0.1:0", &socket] {
        let first = Broker::spawn(&mut broker_at(listen));
        let (out, err, code) = outcome(&broker_at(&first.url).output().unwrap());
        let (_, address) = first.url.split_once("://").unwrap();
        let expected = format!("{address} is in use: stop the other program, or choose another address");
        assert!(err.contains(&expected), "{err}");
        assert_eq!((out.as_str(), code), ("", Some(1)));
    }
}
