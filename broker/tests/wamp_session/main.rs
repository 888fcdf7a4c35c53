//! WAMP sessions over `WebSocket`s: how they open and end, what is a violation, realms, rights and bounds,
//! and what raw sockets get of them.

#[path = "../wamp/client.rs"]
mod client;
#[path = "../support/raw.rs"]
mod raw;
#[path = "../support/running.rs"]
mod running;

mod bounds;
mod bridge;
mod dealer;
mod ends;
mod opening;
mod options;
mod realms;
mod rights;
mod violations;

use petasus_protocol::wamp::{Dict, Message, Payload, Serializer, Value, message};

use client::Wamp;
use running::{Running, config};

/// A broker with the development defaults.
async fn start() -> Running {
    Running::start(config("http://127.0.0.1:0")).await
}

async fn json(running: &Running) -> Wamp {
    Wamp::join(running.address, Serializer::Json, "default").await
}

/// The details of a HELLO that announces these features as a callee, and every role.
fn hello_details(features: &[&str]) -> Dict {
    let features = features.iter().fold(Dict::new(), |all, feature| all.with(*feature, true));
    let callee = Dict::new().with("features", Value::Dict(features));
    let bare = || Value::Dict(Dict::new());
    let roles = Dict::new().with("publisher", bare()).with("subscriber", bare()).with("caller", bare());
    Dict::new().with("roles", Value::Dict(roles.with("callee", Value::Dict(callee))))
}

/// SUBSCRIBE, which must be answered by SUBSCRIBED; the subscription.
async fn subscribe(client: &mut Wamp, topic: &str, options: Dict) -> u64 {
    let request = client.request();
    client.say(message::Subscribe { request, options, topic: topic.to_owned() }).await;
    match client.hear().await {
        Message::Subscribed(subscribed) if subscribed.request == request => subscribed.subscription,
        other => panic!("{other:?} instead of SUBSCRIBED"),
    }
}

/// PUBLISH with `acknowledge`; the request.
async fn publish(client: &mut Wamp, topic: &str, options: Dict, payload: Payload) -> u64 {
    let (request, options) = (client.request(), options.with("acknowledge", true));
    client.say(message::Publish { request, options, topic: topic.to_owned(), payload }).await;
    request
}

/// The next message, which must be the PUBLISHED of a request.
async fn published(client: &mut Wamp, request: u64) {
    match client.hear().await {
        Message::Published(published) if published.request == request => {}
        other => panic!("{other:?} instead of PUBLISHED {request}"),
    }
}

/// The next message, which must be EVENT.
async fn event(client: &mut Wamp) -> message::Event {
    match client.hear().await {
        Message::Event(event) => event,
        other => panic!("{other:?} instead of EVENT"),
    }
}

/// The next message, which must be ABORT with this reason; then the connection ends with this code.
async fn aborted(client: &mut Wamp, reason: &str, code: u16) {
    match client.hear().await {
        Message::Abort(abort) => assert_eq!(abort.reason, reason, "{abort:?}"),
        other => panic!("{other:?} instead of ABORT"),
    }
    closed(client, code).await;
}

/// The connection ends with this code.
async fn closed(client: &mut Wamp, code: u16) {
    let close = client.raw().expect_close().await;
    assert_eq!(close[..2], code.to_be_bytes(), "{:?}", String::from_utf8_lossy(&close[2..]));
}

/// A call of one of the broker's procedures, which must have a result.
async fn ask(client: &mut Wamp, procedure: &str, args: &[Value]) -> Vec<Value> {
    let payload = Payload::of_values(Serializer::Json, args, &Dict::new());
    let request = client.call(procedure, Dict::new(), payload).await;
    client.result(request).await.arg_values().unwrap()
}
