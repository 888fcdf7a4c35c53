//! A message pattern of an embedding program's own: a random draw among peers is easy to write, so here is one
//! that is easy to check, a pattern where every message goes back to all peers in capitals.

#![allow(dead_code, reason = "each test program uses a part of the support")]

#[path = "support/raw.rs"]
mod raw;
#[path = "support/running.rs"]
mod running;

use std::sync::{Arc, Mutex};

use petasus_broker::{Broker, CustomPattern, Peer, Role};
use petasus_protocol::{Message, Topic};
use raw::{FIN, Raw, TEXT, frame};
use running::{Running, config};

#[derive(Default)]
struct Capitals {
    peers: Mutex<Vec<Peer>>,
    left: Mutex<usize>,
}

impl Capitals {
    fn to_all(&self, topic: &Topic, message: &Message) {
        let capitals = Message::from(message.as_str().unwrap_or_default().to_uppercase());
        let peers = self.peers.lock().unwrap().clone();
        peers.iter().filter(|peer| peer.topic() == topic).for_each(|peer| peer.send(&capitals));
    }
}

impl CustomPattern for Capitals {
    fn join(&self, peer: &Peer) {
        self.peers.lock().unwrap().push(peer.clone());
    }
    fn receive(&self, peer: &Peer, message: &Message) {
        self.to_all(peer.topic(), message);
    }
    fn leave(&self, peer: &Peer) {
        self.peers.lock().unwrap().retain(|known| known != peer);
        *self.left.lock().unwrap() += 1;
    }
    fn post(&self, topic: &Topic, message: &Message) {
        self.to_all(topic, message);
    }
}

/// REQ-HOOK-006
#[tokio::test]
async fn a_pattern_of_its_own_sees_its_peers_come_send_and_go() {
    let capitals = Arc::new(Capitals::default());
    let pattern = capitals.clone();
    let broker = Broker::builder()
        .config(config("http://127.0.0.1:0"))
        .endpoint("/capitals/", move |topic| {
            Some(Role::Custom { pattern: pattern.clone(), topic: Topic::new(topic) })
        })
        .build()
        .unwrap();
    let running = Running::start_broker(broker.clone()).await.unwrap();
    let address = running.address;

    let mut one = Raw::open(address, "/capitals/a").await;
    let mut two = Raw::open(address, "/capitals/a").await;
    let mut other = Raw::open(address, "/capitals/b").await;
    one.send(frame(FIN | TEXT, b"hello")).await;
    one.expect(TEXT, "HELLO").await;
    two.expect(TEXT, "HELLO").await;
    assert_eq!(Raw::connect(address).await.post("/capitals/b", "posted").await, 200);
    other.expect(TEXT, "POSTED").await;
    assert!(broker.metrics().contains("petasus_members{pattern=\"custom\"} 3"));

    one.leave().await;
    two.send(frame(FIN | TEXT, b"still here")).await;
    two.expect(TEXT, "STILL HERE").await;
    running.stop().await;
    assert_eq!(*capitals.left.lock().unwrap(), 3);
    assert!(capitals.peers.lock().unwrap().is_empty());
}
