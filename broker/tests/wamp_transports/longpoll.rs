//! The life of a long-poll session.

use std::net::SocketAddr;

use petasus_protocol::wamp::{Dict, Limits, Message, Serializer, batched, message, uri};

use crate::client::{Wamp, text};
use crate::hello;
use crate::metrics::until;
use crate::raw::{Answer, Raw, request, soon};
use crate::running::{Running, config, seconds};

/// A session that is polled, over one HTTP connection for sending and one for receiving.
pub(crate) struct Polled {
    pub(crate) base: String,
    pub(crate) sending: Raw,
    pub(crate) receiving: Raw,
    serializer: Serializer,
}

impl Polled {
    /// Opens a transport; no session yet.
    pub(crate) async fn open(address: SocketAddr, protocol: &str) -> Polled {
        let (mut sending, receiving) = (Raw::connect(address).await, Raw::connect(address).await);
        let body = format!(r#"{{"protocols": ["x.unknown", "{protocol}", "wamp.2.json"]}}"#);
        sending
            .send(request("POST", "/longpoll/open?x=382913", "Content-Type: application/json\r\n", &body))
            .await;
        let answer = sending.answer().await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
        let opened: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(opened["protocol"], protocol);
        let base = format!("/longpoll/{}", opened["transport"].as_str().unwrap());
        let serializer = Serializer::from_subprotocol(protocol).unwrap().0;
        Polled { base, sending, receiving, serializer }
    }

    /// As `open`, with a session in the realm `default`.
    pub(crate) async fn join(address: SocketAddr, protocol: &str) -> Polled {
        let mut polled = Polled::open(address, protocol).await;
        polled.say(&hello("default")).await;
        let welcome = polled.hear().await;
        assert!(matches!(welcome, Message::Welcome(_)), "{welcome:?}");
        polled
    }

    /// Posts a body to one of the endpoints, on the connection for sending.
    pub(crate) async fn post(&mut self, verb: &str, body: &[u8]) -> Answer {
        let (base, len) = (&self.base, body.len());
        let head = format!("POST {base}/{verb} HTTP/1.1\r\nHost: petasus\r\nContent-Length: {len}\r\n\r\n");
        let wire = [head.as_bytes(), body].concat();
        self.sending.send(wire).await;
        self.sending.answer().await
    }

    pub(crate) async fn say(&mut self, message: &Message) {
        let answer = self.post("send", &message.encode(self.serializer)).await;
        assert_eq!((answer.status, answer.body.len()), (204, 0), "{answer:?}");
    }

    pub(crate) async fn begin_to_receive(&mut self) {
        self.receiving.send(request("POST", &format!("{}/receive", self.base), "", "")).await;
    }

    pub(crate) async fn receive(&mut self) -> Answer {
        self.begin_to_receive().await;
        self.receiving.answer().await
    }

    /// The next message, which must come.
    pub(crate) async fn hear(&mut self) -> Message {
        loop {
            let answer = self.receive().await;
            match answer.status {
                204 => {}
                200 => {
                    return Message::decode(self.serializer, &answer.body.into(), &Limits::default())
                        .expect("WAMP");
                }
                _ => panic!("{answer:?}"),
            }
        }
    }
}

fn subscribe(topic: &str) -> Message {
    message::Subscribe { request: 1, options: Dict::new(), topic: topic.to_owned() }.into()
}

fn publish(web: &mut Wamp, words: &str) -> message::Publish {
    let (request, options) = (web.request(), Dict::new().with("acknowledge", true));
    message::Publish { request, options, topic: "com.example.a".to_owned(), payload: text(words) }
}

/// REQ-WAMP-083
#[tokio::test]
async fn a_session_opens_talks_and_closes() {
    for protocol in ["wamp.2.json", "wamp.2.msgpack", "wamp.2.cbor"] {
        let broker = Running::start(config("http://127.0.0.1:0")).await;
        let mut polled = Polled::join(broker.address, protocol).await;
        polled.say(&subscribe("com.example.a")).await;
        assert!(matches!(polled.hear().await, Message::Subscribed(_)));

        // A request that waits gets the event, and one that comes later the next.
        polled.begin_to_receive().await;
        let mut web = Wamp::join(broker.address, Serializer::Json, "default").await;
        for words in ["one", "two"] {
            let publish = publish(&mut web, words);
            web.say(publish).await;
            assert!(matches!(web.hear().await, Message::Published(_)));
        }
        let first = polled.receiving.answer().await;
        let Message::Event(first) =
            Message::decode(polled.serializer, &first.body.into(), &Limits::default()).unwrap()
        else {
            panic!("no EVENT")
        };
        let Message::Event(second) = polled.hear().await else { panic!("no EVENT") };
        assert_eq!(first.payload.decode_args::<(String,)>().unwrap().0, "one");
        assert_eq!(second.payload.decode_args::<(String,)>().unwrap().0, "two");

        // Who waits when the session is closed is told nothing more.
        polled.begin_to_receive().await;
        assert_eq!(polled.post("close", b"").await.status, 204);
        assert_eq!(polled.receiving.answer().await.status, 204);
        assert_eq!(polled.receive().await.status, 404);
        assert_eq!(polled.post("send", b"[]").await.status, 404);
        until(&broker.broker, "the session to be gone", |metrics| metrics.value("petasus_connections") == 1)
            .await;
        broker.stop().await;
    }
}

/// REQ-WAMP-083, REQ-WAMP-085
#[tokio::test]
async fn all_that_waits_comes_as_one_batch_and_a_batch_is_sent_in_order() {
    for protocol in ["wamp.2.json.batched", "wamp.2.msgpack.batched", "wamp.2.cbor.batched"] {
        let broker = Running::start(config("http://127.0.0.1:0")).await;
        let mut polled = Polled::open(broker.address, protocol).await;
        let serializer = polled.serializer;
        let options = Dict::new().with("acknowledge", true).with("exclude_me", false);
        let publish = |request| {
            let topic = "com.example.a".to_owned();
            message::Publish { request, options: options.clone(), topic, payload: text("x") }.into()
        };
        let mut batch = Vec::new();
        for message in [hello("default"), subscribe("com.example.a"), publish(2), publish(3)] {
            batched::append(serializer, &message.encode(serializer), &mut batch);
        }
        assert_eq!(polled.post("send", &batch).await.status, 204);
        let mut names = Vec::new();
        while names.len() < 6 {
            let answer = polled.receive().await;
            assert_eq!(answer.status, 200);
            for message in batched::split(serializer, answer.body.into()) {
                names
                    .push(Message::decode(serializer, &message.unwrap(), &Limits::default()).unwrap().name());
            }
        }
        assert_eq!(names[..2], ["WELCOME", "SUBSCRIBED"]);
        names[2..].sort_unstable();
        assert_eq!(names[2..], ["EVENT", "EVENT", "PUBLISHED", "PUBLISHED"]);
        broker.stop().await;
    }
}

/// REQ-WAMP-089
#[tokio::test]
async fn a_poll_without_a_message_comes_back_empty_and_a_session_without_polls_ends() {
    let mut config = config("http://127.0.0.1:0");
    config.timeouts.ping = seconds(0.5);
    let broker = Running::start(config).await;
    let mut polled = Polled::join(broker.address, "wamp.2.json").await;
    for _ in 0..3 {
        // Each as long as half the time in which a session without polls ends.
        let answer = polled.receive().await;
        assert_eq!((answer.status, answer.body.len()), (204, 0));
    }
    until(&broker.broker, "the session to be dropped", |metrics| metrics.live()[0] == 0).await;
    assert_eq!(polled.receive().await.status, 404);
    broker.stop().await;
}

/// REQ-WAMP-083, REQ-DRAIN-001
#[tokio::test]
async fn the_last_words_of_the_broker_can_be_fetched() {
    let mut config = config("http://127.0.0.1:0");
    config.drain_timeout = seconds(600.0);
    let broker = Running::start(config).await;
    let mut refused = Polled::open(broker.address, "wamp.2.json").await;
    refused.say(&subscribe("com.example.a")).await;
    match refused.hear().await {
        Message::Abort(abort) => assert_eq!(abort.reason, uri::error::PROTOCOL_VIOLATION),
        other => panic!("{other:?} instead of ABORT"),
    }
    assert_eq!(refused.receive().await.status, 404);
    drop(refused);

    let mut polled = Polled::join(broker.address, "wamp.2.json").await;
    let mut silent = Polled::join(broker.address, "wamp.2.json").await;
    polled.begin_to_receive().await;
    until(&broker.broker, "the poll to be there", |metrics| metrics.value("petasus_sockets") == 4).await;
    // On this connection the broker has answered, so it has read what came before on the other one.
    assert_eq!(silent.post("send", &hello("default").encode(Serializer::Json)[..3]).await.status, 400);
    let stopped = broker.begin_to_stop();
    let answer = polled.receiving.answer().await;
    let body = String::from_utf8(answer.body).unwrap();
    assert!(answer.status == 200 && body.contains(uri::close::SYSTEM_SHUTDOWN), "{body}");
    drop((polled, silent));
    assert_eq!(soon("the broker to stop", stopped).await.unwrap(), 0);
}

/// A client that fetches nothing holds a bounded part of what is for it, and then is sent away for it.
///
/// REQ-WAMP-105, REQ-LIM-002
#[tokio::test]
async fn who_does_not_fetch_is_bounded_like_any_slow_reader() {
    let mut config = config("http://127.0.0.1:0");
    config.limits.message = 65_536;
    config.pinghub.message = 65_536;
    config.outbox.bytes = 65_536;
    let broker = Running::start(config).await;
    let mut polled = Polled::join(broker.address, "wamp.2.json").await;
    polled.say(&subscribe("com.example.a")).await;
    assert!(matches!(polled.hear().await, Message::Subscribed(_)));
    let mut web = Wamp::join(broker.address, Serializer::Json, "default").await;
    let long = "x".repeat(30_000);
    let mut sent = 0;
    while crate::metrics::Metrics::of(&broker.broker).value("petasus_overflows_total") == 0 {
        let publish = publish(&mut web, &long);
        web.say(publish).await;
        assert!(matches!(web.hear().await, Message::Published(_)));
        sent += 1;
        assert!(sent < 100, "3 MB wait for a client that fetches nothing");
    }
    broker.stop().await;
}
