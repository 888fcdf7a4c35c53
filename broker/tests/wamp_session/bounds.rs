//! What one session can make the broker keep.

use petasus_protocol::wamp::{Dict, Message, Payload, Serializer, Value, message};

use crate::client::text;
use crate::running::{Running, config};
use crate::{closed, event, json, publish, published, start, subscribe};

/// REQ-WAMP-105: one more is refused, and the session goes on.
#[tokio::test]
async fn subscriptions_and_registrations_are_counted() {
    let mut config = config("http://127.0.0.1:0");
    (config.wamp.subscriptions, config.wamp.registrations) = (2, 2);
    let running = Running::start(config).await;
    let mut client = json(&running).await;
    let first = subscribe(&mut client, "com.example.a", Dict::new()).await;
    subscribe(&mut client, "com.example.b", Dict::new().with("_pattern", "bus")).await;
    let request = client.request();
    let topic = "com.example.c".to_owned();
    client.say(message::Subscribe { request, options: Dict::new(), topic }).await;
    assert_eq!(client.error(request).await.error, "wamp.error.option_not_allowed");
    let request = client.request();
    client.say(message::Unsubscribe { request, subscription: first }).await;
    assert!(matches!(client.hear().await, Message::Unsubscribed(_)));
    subscribe(&mut client, "com.example.c", Dict::new()).await;

    client.register("com.example.a", Dict::new()).await;
    client.register("com.example.b", Dict::new()).await;
    let request = client.request();
    let procedure = "com.example.c".to_owned();
    client.say(message::Register { request, options: Dict::new(), procedure }).await;
    assert_eq!(client.error(request).await.kind, message::Register::CODE);
    // Another session has its own count.
    json(&running).await.register("com.example.c", Dict::new()).await;
}

/// REQ-WAMP-105, REQ-WAMP-034: a thousand testaments are published, in order; one more was refused.
#[tokio::test]
async fn testaments_are_counted() {
    let running = start().await;
    let (mut mortal, mut heir) = (json(&running).await, json(&running).await);
    subscribe(&mut heir, "com.example.a", Dict::new()).await;
    for number in 0..=1000 {
        let args = ["com.example.a".into(), Value::List(vec![number.into()]), Value::Dict(Dict::new())];
        let payload = Payload::of_values(Serializer::Json, &args, &Dict::new());
        let request = mortal.call("wamp.session.add_testament", Dict::new(), payload).await;
        if number < 1000 {
            mortal.result(request).await;
        } else {
            assert_eq!(mortal.error(request).await.error, "wamp.error.invalid_argument");
        }
    }
    mortal.die();
    for number in 0..1000 {
        assert_eq!(event(&mut heir).await.payload.arg_values().unwrap(), [Value::from(number)]);
    }
}

/// REQ-WAMP-106: the longest message is delivered; of one that is longer nothing is.
#[tokio::test]
async fn a_message_over_the_limit_ends_the_connection() {
    let mut config = config("http://127.0.0.1:0");
    config.limits.message = 1000;
    let running = Running::start(config).await;
    let (mut publisher, mut subscriber) = (json(&running).await, json(&running).await);
    subscribe(&mut subscriber, "com.example.a", Dict::new()).await;
    // Without its text, the message has so many bytes.
    let bare = message::Publish {
        request: 1,
        options: Dict::new().with("acknowledge", true),
        topic: "com.example.a".to_owned(),
        payload: text(""),
    };
    let room = 1000 - Message::from(bare).encode(Serializer::Json).len();
    let fits = "x".repeat(room);
    let request = publish(&mut publisher, "com.example.a", Dict::new(), text(&fits)).await;
    published(&mut publisher, request).await;
    publish(&mut publisher, "com.example.a", Dict::new(), text(&format!("{fits}x"))).await;
    closed(&mut publisher, 1009).await;
    assert_eq!(event(&mut subscriber).await.payload, text(&fits));
    let mut next = json(&running).await;
    let request = publish(&mut next, "com.example.a", Dict::new(), text("next")).await;
    published(&mut next, request).await;
    assert_eq!(event(&mut subscriber).await.payload, text("next"));
}
