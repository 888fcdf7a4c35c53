//! The events of eight publishers, as subscribers of every kind hear them.

use std::collections::HashMap;
use std::sync::Arc;

use petasus_protocol::wamp::{Dict, Message, Serializer, message};
use tokio::sync::Barrier;
use tokio::task::JoinHandle;

use crate::client::Wamp;
use crate::raw::{Raw, TEXT, message as frame};
use crate::running::Running;
use crate::{numbered, pattern, read, start};

const PUBLISHERS: usize = 8;

/// Events of each publisher.
const EACH: usize = 300;

/// After so many events a publisher waits for the others, so that none is done before another begins.
const ROUND: usize = 25;

const TOPICS: [&str; 3] = ["talk.a", "talk.b", "talk.c"];

/// What one subscriber heard: in order the topic, the publisher and the number.
type Heard = Vec<(usize, usize, usize)>;

/// The topic of event `number` of a publisher: now several of one topic in a row, now another each time.
fn topic(publisher: usize, number: usize) -> usize {
    if number % 50 < 25 {
        (number / 5 + publisher) % TOPICS.len()
    } else {
        (number + publisher) % TOPICS.len()
    }
}

fn publish(client: &mut Wamp, publisher: usize, number: usize, acknowledge: bool) -> message::Publish {
    let options = Dict::new().with("acknowledge", acknowledge);
    let payload = numbered(client.serializer, publisher, number);
    let topic = TOPICS[topic(publisher, number)].to_owned();
    message::Publish { request: client.request(), options, topic, payload }
}

/// Publishes everything, in rounds: a third of the publishers several events to a write, a third with
/// acknowledgement, the others one by one.
async fn publisher(mut client: Wamp, publisher: usize, barrier: Arc<Barrier>) {
    let numbers: Vec<usize> = (0..EACH).collect();
    for round in numbers.chunks(ROUND) {
        barrier.wait().await;
        match publisher % 3 {
            0 => {
                for burst in round.chunks(1 + round[0] / ROUND % 9) {
                    let mut bytes = Vec::new();
                    for &number in burst {
                        let publish = publish(&mut client, publisher, number, false);
                        bytes.extend(client.frame(publish));
                    }
                    client.raw().send(bytes).await;
                }
            }
            kind => {
                for &number in round {
                    let acknowledge = kind == 1;
                    let publish = publish(&mut client, publisher, number, acknowledge);
                    client.say(publish).await;
                    if acknowledge {
                        let answer = client.hear().await;
                        assert!(matches!(answer, Message::Published(_)), "{answer:?}");
                    }
                }
            }
        }
    }
    client.raw().settle().await;
}

/// Hears so many events, then sees that no other follows.
fn subscriber(mut client: Wamp, exact: HashMap<u64, usize>, count: usize) -> JoinHandle<Heard> {
    tokio::spawn(async move {
        let mut heard = Vec::with_capacity(count);
        while heard.len() < count {
            let event = client.event().await;
            let topic = match event.details.text("topic").unwrap() {
                Some(name) => TOPICS.iter().position(|topic| *topic == name).unwrap(),
                None => exact[&event.subscription],
            };
            let (publisher, number) = read(&event.payload);
            heard.push((topic, publisher, number));
        }
        client.raw().settle().await;
        heard
    })
}

/// Joins, and subscribes to all topics: to each by its name, or to all by one pattern.
async fn subscribe(running: &Running, serializer: Serializer, policy: &str) -> JoinHandle<Heard> {
    let mut client = Wamp::join(running.address, serializer, "default").await;
    let mut exact = HashMap::new();
    match policy {
        "exact" => {
            for (place, topic) in TOPICS.iter().enumerate() {
                exact.insert(client.subscribe(topic, Dict::new()).await, place);
            }
        }
        // As a prefix and as a wildcard.
        policy => drop(client.subscribe("talk.", pattern(policy)).await),
    }
    subscriber(client, exact, PUBLISHERS * EACH)
}

async fn publish_all(running: &Running) {
    let barrier = Arc::new(Barrier::new(PUBLISHERS));
    let mut publishers = Vec::new();
    for number in 0..PUBLISHERS {
        let client = Wamp::join(running.address, Serializer::ALL[number % 3], "default").await;
        publishers.push(tokio::spawn(publisher(client, number, barrier.clone())));
    }
    for publisher in publishers {
        publisher.await.unwrap();
    }
}

/// Each publisher's events are there in its order, whatever their topics.
fn keeps_each_publishers_order(heard: &Heard) {
    for publisher in 0..PUBLISHERS {
        let own: Vec<_> = heard.iter().filter(|(_, by, _)| *by == publisher).copied().collect();
        let sent: Vec<_> = (0..EACH).map(|number| (topic(publisher, number), publisher, number)).collect();
        let differs = own.iter().zip(&sent).find(|(own, sent)| own != sent);
        assert!(own == sent, "{publisher}: {} of {EACH}, first {differs:?}", own.len());
    }
}

fn of_topic(heard: &Heard, topic: usize) -> Heard {
    heard.iter().filter(|(of, ..)| *of == topic).copied().collect()
}

/// REQ-WAMP-101, REQ-WAMP-104, REQ-WAMP-020, REQ-WAMP-022, REQ-WAMP-023
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_subscriber_hears_each_publisher_in_order_across_topics() {
    let running = start().await;
    let mut subscribers = Vec::new();
    for policy in ["exact", "prefix", "wildcard"] {
        for serializer in Serializer::ALL {
            subscribers.push(subscribe(&running, serializer, policy).await);
        }
    }
    publish_all(&running).await;
    let mut first: Option<Heard> = None;
    for subscriber in subscribers {
        let heard = subscriber.await.unwrap();
        keeps_each_publishers_order(&heard);
        let first = first.get_or_insert_with(|| heard.clone());
        for (topic, name) in TOPICS.iter().enumerate() {
            assert!(of_topic(first, topic) == of_topic(&heard, topic), "two orders of {name}");
        }
    }
    running.stop().await;
}

/// REQ-WAMP-101: also for a session that hears every event by several subscriptions: all of one event come before
/// any of the next one of its publisher.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscriptions_that_overlap_change_no_order() {
    let running = start().await;
    let mut client = Wamp::join(running.address, Serializer::Json, "default").await;
    let mut exact = HashMap::new();
    for (place, topic) in TOPICS.iter().enumerate() {
        exact.insert(client.subscribe(topic, Dict::new()).await, place);
    }
    client.subscribe("talk.", pattern("prefix")).await;
    client.subscribe("talk.", pattern("wildcard")).await;
    let subscriber = subscriber(client, exact, 3 * PUBLISHERS * EACH);
    publish_all(&running).await;
    let heard = subscriber.await.unwrap();
    for publisher in 0..PUBLISHERS {
        let own: Vec<_> =
            heard.iter().filter(|(_, by, _)| *by == publisher).map(|(.., number)| *number).collect();
        let sent: Vec<_> = (0..EACH).flat_map(|number| [number; 3]).collect();
        let differs = own.iter().zip(&sent).position(|(own, sent)| own != sent);
        assert!(own == sent, "{publisher}: {differs:?}: {:?}", &own[differs.unwrap_or(0)..][..9]);
    }
    running.stop().await;
}

/// REQ-WAMP-101, REQ-WAMP-090: nor what a raw socket sends by one write. A session whose subscriptions do not overlap
/// knows each event by the same id.
#[tokio::test]
async fn a_raw_burst_keeps_its_order_where_subscriptions_overlap() {
    const BURST: usize = 20;
    let running = start().await;
    let mut overlapping = Wamp::join(running.address, Serializer::Json, "default").await;
    overlapping.subscribe("talk.a", Dict::new()).await;
    overlapping.subscribe("talk.", pattern("prefix")).await;
    let mut plain = Wamp::join(running.address, Serializer::Cbor, "default").await;
    plain.subscribe("talk.a", Dict::new()).await;
    let mut publisher = Raw::open(running.address, "/pub/talk/a").await;
    let burst: Vec<u8> = (0..BURST).flat_map(|number| frame(TEXT, number.to_string().as_bytes())).collect();
    publisher.send(burst).await;
    let mut twice = Vec::new();
    for _ in 0..2 * BURST {
        twice.push(event(&mut overlapping).await);
    }
    let mut sent = Vec::new();
    for number in 0..BURST {
        let (text, id) = event(&mut plain).await;
        assert_eq!(text, number.to_string());
        sent.extend([(text.clone(), id), (text, id)]);
    }
    assert_eq!(twice, sent);
    running.stop().await;
}

/// The text of the next event, and its publication id.
async fn event(client: &mut Wamp) -> (String, u64) {
    let event = client.event().await;
    (event.payload.decode_args::<(String,)>().unwrap().0, event.publication)
}
