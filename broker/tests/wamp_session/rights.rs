//! What sessions may: rules of the access file, the authorizer, and hooks.

use std::io::Write;

use petasus_broker::Broker;
use petasus_broker::auth::{Action, Denied};
use petasus_broker::config::{Config, Mode};
use petasus_protocol::wamp::{Dict, Message, Payload, Serializer, Value, message};
use tempfile::NamedTempFile;

use crate::client::{Wamp, text};
use crate::raw::{Raw, handshake};
use crate::running::{Running, config};
use crate::{ask, event, hello_details, json, publish, published, subscribe};

/// A broker with this access file, in development.
async fn start_with(access: &str, change: impl FnOnce(&mut Config)) -> (Running, NamedTempFile) {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(access.as_bytes()).unwrap();
    let mut config = config("http://127.0.0.1:0");
    config.auth.access = file.path().to_str().unwrap().to_owned();
    change(&mut config);
    (Running::start(config).await, file)
}

/// A session that proves itself by a ticket.
async fn join_as(running: &Running, authid: &str) -> Wamp {
    let mut client = Wamp::connect(running.address, Serializer::Json).await;
    let methods = Value::List(vec!["ticket".into()]);
    let details = hello_details(&[]).with("authmethods", methods).with("authid", authid);
    client.say(message::Hello { realm: "default".to_owned(), details }).await;
    assert!(matches!(client.hear().await, Message::Challenge(_)));
    let signature = format!("ticket of {authid}");
    client.say(message::Authenticate { signature, extra: Dict::new() }).await;
    match client.hear().await {
        Message::Welcome(welcome) => {
            assert_eq!(welcome.details.text("authid"), Ok(Some(authid)));
            client.session = welcome.session;
        }
        other => panic!("{other:?} instead of WELCOME"),
    }
    client
}

const USERS: &str = r#"
anonymous = "guest"

[[users]]
authid = "joe"
role = "user"
ticket = "ticket of joe"

[[users]]
authid = "ann"
role = "admin"
ticket = "ticket of ann"
"#;

/// REQ-WAMP-067, REQ-WAMP-060, REQ-WAMP-061: what is refused comes of nothing, for sessions and for raw sockets.
#[tokio::test]
async fn what_no_rule_allows_is_refused() {
    let rules = r#"
[[rules]]
uri = "com.example."
match = "prefix"
allow = ["subscribe"]

[[rules]]
role = "user"
pattern = "pubsub"
uri = "com.example.news"
allow = ["publish"]
"#;
    let (running, _file) = start_with(&format!("{USERS}{rules}"), |_| {}).await;
    let (mut guest, mut joe) = (json(&running).await, join_as(&running, "joe").await);
    subscribe(&mut guest, "com.example.news", Dict::new()).await;
    for (topic, options) in [
        ("com.", Dict::new().with("match", "prefix")),
        ("com..news", Dict::new().with("match", "wildcard")),
        ("org.example.news", Dict::new()),
    ] {
        let request = guest.request();
        guest.say(message::Subscribe { request, options, topic: topic.to_owned() }).await;
        assert_eq!(guest.error(request).await.error, "wamp.error.not_authorized", "{topic}");
    }
    let request = publish(&mut guest, "com.example.news", Dict::new(), text("by a guest")).await;
    assert_eq!(guest.error(request).await.error, "wamp.error.not_authorized");
    for (topic, options) in [
        ("com.example.weather", Dict::new()),
        ("com.example.news", Dict::new().with("_pattern", "bus")),
        ("com.example.news", Dict::new().with("_pattern", "queue")),
    ] {
        let request = publish(&mut joe, topic, options, text("not allowed")).await;
        assert_eq!(joe.error(request).await.error, "wamp.error.not_authorized", "{topic}");
    }
    let request = joe.request();
    let procedure = "com.example.news".to_owned();
    joe.say(message::Register { request, options: Dict::new(), procedure }).await;
    assert_eq!(joe.error(request).await.error, "wamp.error.not_authorized");
    let request = joe.call("com.example.news", Dict::new(), text("x")).await;
    assert_eq!(joe.error(request).await.error, "wamp.error.not_authorized");

    let mut raw = Raw::connect(running.address).await;
    raw.send(handshake("/pub/com/example/news", "")).await;
    assert_eq!(raw.answer().await.status, 403);
    let request = publish(&mut joe, "com.example.news", Dict::new(), text("by joe")).await;
    published(&mut joe, request).await;
    assert_eq!(event(&mut guest).await.payload, text("by joe"), "the first that comes");
}

/// REQ-WAMP-068
#[tokio::test]
async fn rules_decide_who_is_disclosed() {
    let rules = r#"
[[rules]]
uri = "com.example.open"
allow = ["subscribe", "publish"]
disclose = "always"

[[rules]]
uri = "com.example.closed"
allow = ["subscribe", "publish"]
disclose = "never"
"#;
    let (running, _file) = start_with(&format!("{USERS}{rules}"), |_| {}).await;
    let (mut guest, mut joe) = (json(&running).await, join_as(&running, "joe").await);
    for (topic, disclosed) in [("com.example.open", true), ("com.example.closed", false)] {
        subscribe(&mut guest, topic, Dict::new()).await;
        for disclose_me in [true, false] {
            let options = Dict::new().with("disclose_me", disclose_me);
            let request = publish(&mut joe, topic, options, Payload::empty()).await;
            published(&mut joe, request).await;
            let event = event(&mut guest).await;
            let told = event.details.text("publisher_authid").unwrap();
            assert_eq!(told, disclosed.then_some("joe"), "{topic} {disclose_me}");
        }
    }
}

/// REQ-WAMP-070: without rules nobody may in production; with them, whom they allow.
#[tokio::test]
async fn sending_others_away_needs_a_rule_in_production() {
    let production = |config: &mut Config| config.mode = Mode::Production;
    let (running, _file) = start_with(USERS, production).await;
    let (mut ann, mut joe) = (join_as(&running, "ann").await, join_as(&running, "joe").await);
    let subscription = subscribe(&mut joe, "com.example.a", Dict::new()).await;
    let registration = joe.register("com.example.p", Dict::new()).await;
    for (procedure, args) in [
        ("wamp.session.kill", vec![joe.session.into()]),
        ("wamp.session.kill_all", vec![]),
        ("wamp.subscription.remove_subscriber", vec![subscription.into(), joe.session.into()]),
        ("wamp.registration.remove_callee", vec![registration.into(), joe.session.into()]),
    ] {
        let payload = Payload::of_values(Serializer::Json, &args, &Dict::new());
        let request = ann.call(procedure, Dict::new(), payload).await;
        assert_eq!(ann.error(request).await.error, "wamp.error.not_authorized", "{procedure}");
    }
    assert_eq!(ask(&mut ann, "wamp.session.count", &[]).await, [Value::from(2)]);

    let rules = r#"
[[rules]]
role = "admin"
uri = "wamp.session."
match = "prefix"
allow = ["call"]
"#;
    let (running, _file) = start_with(&format!("{USERS}{rules}"), production).await;
    let (mut ann, mut joe) = (join_as(&running, "ann").await, join_as(&running, "joe").await);
    let payload = Payload::of_args(Serializer::Json, &[ann.session]).unwrap();
    let request = joe.call("wamp.session.kill", Dict::new(), payload).await;
    assert_eq!(joe.error(request).await.error, "wamp.error.not_authorized");
    let killed = joe.session;
    ask(&mut ann, "wamp.session.kill", &[killed.into()]).await;
    assert!(matches!(joe.hear().await, Message::Goodbye(_)));
}

/// REQ-WAMP-071: nothing before it is there, then what it allows.
#[tokio::test]
async fn the_authorizer_has_the_last_word() {
    let rules = r#"
[[rules]]
role = "admin"
uri = "com.example.authorize"
allow = ["register"]

[[rules]]
uri = "com.example."
match = "prefix"
allow = ["subscribe", "publish", "call", "register"]
"#;
    let access = format!("authorizer = \"com.example.authorize\"\n{USERS}{rules}");
    let (running, _file) = start_with(&access, |_| {}).await;
    let (mut ann, mut joe) = (join_as(&running, "ann").await, join_as(&running, "joe").await);
    let request = publish(&mut joe, "com.example.a", Dict::new(), text("early")).await;
    assert_eq!(joe.error(request).await.error, "wamp.error.not_authorized");
    let request = joe.request();
    let procedure = "com.example.authorize".to_owned();
    joe.say(message::Register { request, options: Dict::new(), procedure }).await;
    assert_eq!(joe.error(request).await.error, "wamp.error.not_authorized", "only the admin answers for it");
    ann.register("com.example.authorize", Dict::new()).await;
    for (answer, allowed) in [
        (Value::Bool(true), true),
        (Value::Bool(false), false),
        (Value::Dict(Dict::new().with("allow", true)), true),
        (Value::from("yes"), false),
    ] {
        let request = publish(&mut joe, "com.example.a", Dict::new(), text("now")).await;
        let asked = ann.invocation().await;
        let args = asked.payload.arg_values().unwrap();
        assert_eq!(args[0].as_dict().unwrap().text("authid"), Ok(Some("joe")));
        assert_eq!(args[1..3], ["com.example.a".into(), "publish".into()]);
        ann.yield_(asked.request, Payload::of_values(Serializer::Json, &[answer], &Dict::new())).await;
        if allowed {
            published(&mut joe, request).await;
        } else {
            assert_eq!(joe.error(request).await.error, "wamp.error.not_authorized");
        }
    }
}

/// REQ-WAMP-069: what a hook denies is refused; what came before and after goes on, in order.
#[tokio::test]
async fn hooks_are_asked_about_sessions_too() {
    let asked = |operation: petasus_broker::auth::Operation| async move {
        tokio::task::yield_now().await;
        let words = operation.message.as_ref().and_then(|message| message.as_str().map(str::to_owned));
        if words.as_deref() == Some("bad") { Err(Denied::new("no bad words")) } else { Ok(()) }
    };
    let config = config("http://127.0.0.1:0");
    let broker = Broker::builder().config(config).on(Action::Publish, asked).build().unwrap();
    let running = Running::start_broker(broker).await.unwrap();
    let (mut publisher, mut subscriber) = (json(&running).await, json(&running).await);
    subscribe(&mut subscriber, "com.example.a", Dict::new()).await;
    let mut requests = Vec::new();
    for words in ["one", "bad", "two"] {
        requests.push(publish(&mut publisher, "com.example.a", Dict::new(), text(words)).await);
    }
    published(&mut publisher, requests[0]).await;
    let error = publisher.error(requests[1]).await;
    assert_eq!((error.error.as_str(), error.payload), ("wamp.error.not_authorized", text("no bad words")));
    published(&mut publisher, requests[2]).await;
    for words in ["one", "two"] {
        assert_eq!(event(&mut subscriber).await.payload, text(words));
    }
}

/// The access file that PROTOCOL.md shows is one.
#[test]
fn the_example_of_the_document_is_an_access_file() {
    let document = include_str!("../../../PROTOCOL.md");
    let section = document.split("### Who may what").nth(1).expect("the section is there");
    let example =
        section.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(example.as_bytes()).unwrap();
    petasus_broker::auth::check_access(file.path()).unwrap();
}
