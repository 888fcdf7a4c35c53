//! Options and names of requests.

use petasus_protocol::wamp::{Dict, Message, Payload, Value, message};

use crate::running::{Running, config};
use crate::{json, start};

/// REQ-WAMP-008: what is known must be right; the session goes on.
#[tokio::test]
async fn an_option_of_a_wrong_type_or_value_is_refused() {
    let running = start().await;
    let mut client = json(&running).await;
    let acknowledged = || Dict::new().with("acknowledge", true);
    let name = || "com.example.x".to_owned();
    let mut requests: Vec<(u64, Box<dyn Fn(u64) -> Message>)> = Vec::new();
    for options in [
        Dict::new().with("match", 7),
        Dict::new().with("match", "fuzzy"),
        Dict::new().with("_pattern", "telepathy"),
        Dict::new().with("_pattern", "queue"),
        Dict::new().with("_pattern", "bus").with("match", "prefix"),
    ] {
        let build =
            move |request| message::Subscribe { request, options: options.clone(), topic: name() }.into();
        requests.push((32, Box::new(build)));
    }
    for options in [
        acknowledged().with("exclude_me", "yes"),
        acknowledged().with("eligible", Value::List(vec!["one".into()])),
        acknowledged().with("exclude_authid", 1),
        acknowledged().with("disclose_me", 1),
    ] {
        let build = move |request| {
            let payload = Payload::empty();
            message::Publish { request, options: options.clone(), topic: name(), payload }.into()
        };
        requests.push((16, Box::new(build)));
    }
    for options in [
        Dict::new().with("invoke", "sometimes"),
        Dict::new().with("concurrency", "many"),
        Dict::new().with("forward_timeout", 1),
        Dict::new().with("_pattern", "bus"),
    ] {
        let build =
            move |request| message::Register { request, options: options.clone(), procedure: name() }.into();
        requests.push((64, Box::new(build)));
    }
    for options in [
        Dict::new().with("timeout", "soon"),
        Dict::new().with("timeout", -1),
        Dict::new().with("receive_progress", 1),
        Dict::new().with("_pattern", "queue").with("_ack", "perhaps"),
    ] {
        let build = move |request| {
            let payload = Payload::empty();
            message::Call { request, options: options.clone(), procedure: name(), payload }.into()
        };
        requests.push((48, Box::new(build)));
    }
    for (kind, build) in requests {
        let request = client.request();
        client.say(build(request)).await;
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
