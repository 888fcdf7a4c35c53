//! WELCOME is the first that a session hears.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use petasus_protocol::wamp::{Dict, Message, Serializer, Value, message};

use crate::client::Wamp;
use crate::start;
use crate::stream::Stream;

/// What a client says all at once is answered in order, and its HELLO first.
///
/// REQ-WAMP-011, REQ-WAMP-102
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_follows_hello_at_once_is_answered_after_welcome() {
    let running = start().await;
    let stream = Stream::of_events(&running, "open.now", 4).await;
    for round in 0..100 {
        let mut client = Wamp::connect(running.address, Serializer::ALL[round % 3]).await;
        let roles = Dict::new().with("subscriber", Value::Dict(Dict::new()));
        let details = Dict::new().with("roles", Value::Dict(roles));
        let (topic, options) = ("open.now".to_owned(), Dict::new());
        let bytes = [
            client.frame(message::Hello { realm: "default".to_owned(), details }),
            client.frame(message::Subscribe { request: 1, options, topic }),
            client.frame(message::Goodbye { details: Dict::new(), reason: "wamp.close.normal".to_owned() }),
        ];
        client.raw().send(bytes.concat()).await;
        assert!(matches!(client.hear().await, Message::Welcome(_)));
        assert!(matches!(client.hear().await, Message::Subscribed(_)));
        loop {
            match client.hear().await {
                Message::Event(_) => {}
                Message::Goodbye(_) => break,
                other => panic!("{other:?}"),
            }
        }
        client.raw().settle().await;
    }
    stream.stop().await;
    running.stop().await;
}

/// Whoever is sent away at once has had its WELCOME before.
///
/// REQ-WAMP-011, REQ-WAMP-033
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_is_sent_away_at_once_is_welcome_before() {
    let running = start().await;
    let mut killer = Wamp::join(running.address, Serializer::Json, "default").await;
    let stop = Arc::new(AtomicBool::new(false));
    let killing = tokio::spawn({
        let stop = stop.clone();
        async move {
            let mut killed = 0;
            while !stop.load(Ordering::Relaxed) {
                killed += killer.ask("wamp.session.kill_all", &[]).await[0].as_id().unwrap();
            }
            killed
        }
    });
    let mut tasks = Vec::new();
    for serializer in Serializer::ALL {
        let address = running.address;
        tasks.push(tokio::spawn(async move {
            for _ in 0..50 {
                // `join` takes nothing but WELCOME.
                let mut client = Wamp::join(address, serializer, "default").await;
                client.goodbye("wamp.close.normal").await;
                client.closed(1000).await;
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    assert!(killing.await.unwrap() >= 150);
    running.stop().await;
}
