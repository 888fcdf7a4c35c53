//! The wires meet at our broker: what is sent by one is heard by the others as it was.

use petasus::{Client, Dialect, Json, Message, Serializer};
use serde::{Deserialize, Serialize};

use crate::support::broker::Running;
use crate::support::soon;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Reading {
    sensor: String,
    value: f64,
    at: Option<u64>,
}

fn reading() -> Reading {
    Reading { sensor: "kühlschrank".to_owned(), value: -4.25, at: Some(1 << 50) }
}

/// A client of each wire, with its name.
async fn clients(running: &Running) -> Vec<(&'static str, Client)> {
    let wamp =
        async |serializer| Client::builder(&running.url).serializer(serializer).connect().await.unwrap();
    let mercury = Client::builder(&running.url).dialect(Dialect::Mercury).connect().await.unwrap();
    vec![
        ("json", wamp(Serializer::Json).await),
        ("msgpack", wamp(Serializer::MsgPack).await),
        ("cbor", wamp(Serializer::Cbor).await),
        ("mercury", mercury),
    ]
}

/// Sends by each wire, and lets those of all wires say whether it is what was sent.
async fn everywhere<C: petasus::IntoContent>(content: impl Fn() -> C, check: impl Fn(&Message) -> bool) {
    let running = Running::start().await;
    let clients = clients(&running).await;
    for (from, sender) in &clients {
        let mut all = Vec::new();
        for (to, client) in &clients {
            all.push((to, client.subscribe("readings").await.unwrap()));
        }
        sender.publish("readings/kitchen", content()).await.unwrap();
        for (to, news) in &mut all {
            let message = soon("a message", news.next()).await.unwrap();
            assert!(check(&message), "from {from} to {to}: {message:?}");
        }
    }
    drop(clients);
    running.stop().await;
}

#[tokio::test]
async fn values_are_the_same_on_all_wires() {
    everywhere(|| Json(reading()), |message| message.json::<Reading>().unwrap() == reading()).await;
    everywhere(|| Json([1, 2]), |message| message.json::<[u8; 2]>().unwrap() == [1, 2]).await;
    everywhere(|| Json("text"), |message| message.json::<String>().unwrap() == "text").await;
    everywhere(|| Json(true), |message| message.json::<bool>().unwrap()).await;
    everywhere(|| Json(3), |message| message.json::<u8>().unwrap() == 3).await;
}

#[tokio::test]
async fn texts_and_bytes_are_the_same_on_all_wires() {
    for text in ["", "text", "ünïcode €, 😀", "{\"a\":1}"] {
        everywhere(|| text, |message| message.text().as_deref() == Some(text) && message.is_text()).await;
    }
    for bytes in [&b""[..], b"\0", b"ascii", b"\xff\xfe"] {
        everywhere(|| bytes, |message| message.bytes() == bytes && message.text().is_none()).await;
    }
}

#[tokio::test]
async fn a_bus_has_peers_of_all_wires() {
    let running = Running::start().await;
    let clients = clients(&running).await;
    let mut rooms = Vec::new();
    for (name, client) in &clients {
        rooms.push((*name, client.bus("room").await.unwrap()));
    }
    for sender in 0..rooms.len() {
        rooms[sender].1.send(Json(reading())).queued().await.unwrap();
        for (number, (name, room)) in rooms.iter_mut().enumerate() {
            if number != sender {
                let message = soon("a message", room.next()).await.unwrap();
                assert_eq!(message.json::<Reading>().unwrap(), reading(), "to {name}");
            }
        }
    }
    drop((rooms, clients));
    running.stop().await;
}

#[tokio::test]
async fn a_queue_has_pullers_of_all_wires() {
    let running = Running::start().await;
    let clients = clients(&running).await;
    let mut pullers = Vec::new();
    for (name, client) in &clients {
        pullers.push((*name, client.pull("jobs").await.unwrap()));
    }
    for (from, pusher) in &clients {
        for (to, jobs) in &mut pullers {
            pusher.push("jobs", Json(reading())).await.unwrap();
            let job = soon("a job", jobs.next()).await.unwrap();
            assert_eq!(job.json::<Reading>().unwrap(), reading(), "from {from} to {to}");
            job.complete().await.unwrap();
            // The turn comes to it again only when it is ready again.
            settle(&clients, to).await;
        }
    }
    drop((pullers, clients));
    running.stop().await;
}

/// What the client of this name sent before is at the broker.
async fn settle(clients: &[(&'static str, Client)], name: &str) {
    let (_, client) = clients.iter().find(|(other, _)| *other == name).unwrap();
    client.publish("settled", "").await.unwrap();
}
