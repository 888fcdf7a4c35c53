//! Subscribing and registering, again and again, while others publish and call all the time.

use petasus_protocol::wamp::{Dict, Message, Serializer, message};
use tokio::task::JoinHandle;

use crate::client::{Wamp, text};
use crate::stream::Stream;
use crate::{pattern, start};

const ROUNDS: usize = 200;

const PUBLISHERS: usize = 8;

/// Subscribes and unsubscribes. Whatever comes in a wrong place fails in `subscribe`, or in `settle`.
fn comes_and_goes(mut client: Wamp, topic: &'static str, policy: &'static str) -> JoinHandle<()> {
    tokio::spawn(async move {
        for _ in 0..ROUNDS {
            let subscription = client.subscribe(topic, pattern(policy)).await;
            assert_eq!(client.event().await.subscription, subscription);
            let request = client.request();
            client.say(message::Unsubscribe { request, subscription }).await;
            loop {
                match client.hear().await {
                    Message::Event(event) => assert_eq!(event.subscription, subscription),
                    Message::Unsubscribed(unsubscribed) => break assert_eq!(unsubscribed.request, request),
                    other => panic!("{other:?}"),
                }
            }
            client.raw().settle().await;
        }
    })
}

/// SUBSCRIBED is the first that is heard of a subscription, and UNSUBSCRIBED the last; also when somebody else keeps
/// the subscription, and so its id, alive.
///
/// REQ-WAMP-102, REQ-WAMP-027
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_event_comes_before_subscribed_or_after_unsubscribed() {
    let running = start().await;
    let stream = Stream::of_events(&running, "rounds.now", PUBLISHERS).await;
    let mut tasks = Vec::new();
    for (topic, policy) in
        [("rounds.now", "exact"), ("rounds.now", "exact"), ("rou", "prefix"), (".now", "wildcard")]
    {
        for serializer in [Serializer::Json, Serializer::Cbor] {
            let client = Wamp::join(running.address, serializer, "default").await;
            tasks.push(comes_and_goes(client, topic, policy));
        }
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert!(stream.stop().await >= ROUNDS);
    running.stop().await;
}

/// GOODBYE is the last that is heard of a session, and the WELCOME of the next one on its connection comes first.
///
/// REQ-WAMP-014, REQ-WAMP-020
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_event_comes_after_goodbye() {
    let running = start().await;
    let stream = Stream::of_events(&running, "rounds.now", PUBLISHERS).await;
    let mut client = Wamp::connect(running.address, Serializer::MsgPack).await;
    for _ in 0..ROUNDS {
        client.hello("default").await;
        client.subscribe("rounds.now", Dict::new()).await;
        client.event().await;
        client.say(message::Goodbye { details: Dict::new(), reason: "wamp.close.normal".to_owned() }).await;
        loop {
            match client.hear().await {
                Message::Event(_) => {}
                Message::Goodbye(goodbye) => break assert_eq!(goodbye.reason, "wamp.close.goodbye_and_out"),
                other => panic!("{other:?}"),
            }
        }
        client.raw().settle().await;
    }
    stream.stop().await;
    running.stop().await;
}

/// REQ-WAMP-102, REQ-WAMP-043: and no call is left without its answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_invocation_comes_before_registered_or_after_unregistered() {
    let running = start().await;
    let stream = Stream::of_calls(&running, "rounds.call", 4).await;
    let mut callee = Wamp::join(running.address, Serializer::Json, "default").await;
    let mut last = 0;
    for _ in 0..ROUNDS {
        let registration = callee.register("rounds.call", Dict::new()).await;
        let invocation = callee.invocation().await;
        let request = callee.request();
        callee.say(message::Unregister { request, registration }).await;
        let mut work = vec![invocation];
        loop {
            match callee.hear().await {
                Message::Invocation(invocation) => work.push(invocation),
                Message::Unregistered(unregistered) => break assert_eq!(unregistered.request, request),
                other => panic!("{other:?}"),
            }
        }
        for invocation in work {
            assert_eq!((invocation.registration, invocation.request), (registration, last + 1));
            last = invocation.request;
            callee.yield_(invocation.request, text("answer")).await;
        }
        callee.raw().settle().await;
    }
    assert_eq!(stream.stop().await as u64, last);
    running.stop().await;
}
