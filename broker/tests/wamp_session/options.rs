//! Options and names of requests.

use petasus_protocol::wamp::{Dict, Message, Payload, Value, message};

use crate::running::{Running, config};
use crate::{event, json, publish, published, start, subscribe};

/// A request of the type `kind` for `com.example.x`.
fn request_of(kind: u64, request: u64, options: Dict) -> Message {
    let (name, payload) = ("com.example.x".to_owned(), Payload::empty());
    match kind {
        message::Subscribe::CODE => message::Subscribe { request, options, topic: name }.into(),
        message::Publish::CODE => message::Publish { request, options, topic: name, payload }.into(),
        message::Register::CODE => message::Register { request, options, procedure: name }.into(),
        message::Call::CODE => message::Call { request, options, procedure: name, payload }.into(),
        other => panic!("{other} is not tried here"),
    }
}

/// REQ-WAMP-008: what is known must be right; the session goes on.
#[tokio::test]
async fn an_option_of_a_wrong_type_or_value_is_refused() {
    let running = start().await;
    let mut client = json(&running).await;
    let one = |key: &str, value: Value| Dict::new().with(key, value);
    let pattern = |name: &str| Dict::new().with("_pattern", name);
    let acknowledged = || Dict::new().with("acknowledge", true);
    let (subscribe, publish) = (message::Subscribe::CODE, message::Publish::CODE);
    let (register, call) = (message::Register::CODE, message::Call::CODE);
    for (kind, options) in [
        (subscribe, one("match", 7.into())),
        (subscribe, one("match", "fuzzy".into())),
        (subscribe, pattern("telepathy")),
        (subscribe, pattern("queue")),
        (subscribe, pattern("bus").with("match", "prefix")),
        (publish, acknowledged().with("exclude_me", "yes")),
        (publish, acknowledged().with("eligible", Value::List(vec!["one".into()]))),
        (publish, acknowledged().with("exclude_authid", 1)),
        (publish, acknowledged().with("disclose_me", 1)),
        (register, one("invoke", "sometimes".into())),
        (register, one("concurrency", "many".into())),
        (register, one("forward_timeout", 1.into())),
        (register, pattern("bus")),
        (call, one("timeout", "soon".into())),
        (call, one("timeout", Value::Integer(-1))),
        (call, one("receive_progress", 1.into())),
        (call, pattern("queue").with("_ack", "perhaps")),
    ] {
        let request = client.request();
        client.say(request_of(kind, request, options)).await;
        let error = client.error(request).await;
        assert_eq!((error.kind, error.error.as_str()), (kind, "wamp.error.invalid_argument"), "{error:?}");
    }
    client.register("com.example.x", Dict::new().with("_unknown", 1)).await;
}

/// REQ-WAMP-005: with `wamp.strict` names are a-z, 0-9 and _.
#[tokio::test]
async fn the_strict_rule_is_a_setting() {
    let mut config = config("http://127.0.0.1:0");
    config.wamp.strict = true;
    let running = Running::start(config).await;
    let mut client = json(&running).await;
    for name in ["Com.example", "com.ex-ample", "com.exämple", "com..example"] {
        let request = client.request();
        client.say(message::Register { request, options: Dict::new(), procedure: name.to_owned() }).await;
        assert_eq!(client.error(request).await.error, "wamp.error.invalid_uri", "{name}");
    }
    client.register("com.example_1", Dict::new()).await;
}

/// REQ-WAMP-006: `$` and `wamp` as the first component, for topics, procedures and jobs.
#[tokio::test]
async fn names_of_the_broker_are_closed() {
    let running = start().await;
    let mut client = json(&running).await;
    let queue = || Dict::new().with("_pattern", "queue");
    for name in ["wamp.example", "wamp", "$example", "$.a"] {
        for options in [Dict::new(), queue()] {
            let request = client.request();
            let procedure = name.to_owned();
            client.say(message::Register { request, options, procedure }).await;
            assert_eq!(client.error(request).await.error, "wamp.error.invalid_uri", "{name}");
        }
        for options in [Dict::new(), queue()] {
            let request = crate::publish(&mut client, name, options, Payload::empty()).await;
            assert_eq!(client.error(request).await.error, "wamp.error.invalid_uri", "{name}");
        }
        let request = client.call(name, queue(), Payload::empty()).await;
        assert_eq!(client.error(request).await.error, "wamp.error.invalid_uri", "{name}");
    }
    client.register("wampum.example", Dict::new()).await;
}

/// REQ-WAMP-023, REQ-WAMP-026: a wildcard without an empty component matches one topic, and is still a subscription of its own.
#[tokio::test]
async fn a_wildcard_without_a_wildcard_is_no_exact_subscription() {
    let running = Running::start(config("http://127.0.0.1:0")).await;
    let (mut listener, mut publisher) = (json(&running).await, json(&running).await);
    let exact = subscribe(&mut listener, "com.news", Dict::new()).await;
    let wildcard = subscribe(&mut listener, "com.news", Dict::new().with("match", "wildcard")).await;
    let again = subscribe(&mut listener, "com.news", Dict::new().with("match", "wildcard")).await;
    assert!(exact != wildcard && wildcard == again, "{exact} {wildcard} {again}");
    let request = publish(&mut publisher, "com.news", Dict::new(), Payload::empty()).await;
    published(&mut publisher, request).await;
    let mut heard = Vec::new();
    for _ in 0..2 {
        let event = event(&mut listener).await;
        heard.push((event.subscription, event.details.text("topic").unwrap().map(str::to_owned)));
    }
    heard.sort();
    let mut wanted = [(exact, None), (wildcard, Some("com.news".to_owned()))];
    wanted.sort();
    assert_eq!(heard, wanted);
    running.stop().await;
}
