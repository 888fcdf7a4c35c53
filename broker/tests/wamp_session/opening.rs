//! From the handshake to WELCOME.

use petasus_broker::config::Mode;
use petasus_protocol::wamp::{Dict, Message, Serializer, Value, message};

use crate::client::Wamp;
use crate::raw::{Raw, handshake};
use crate::running::{Running, config, seconds};
use crate::{aborted, closed, start};

/// REQ-WAMP-011: what the list of features says, in every serialisation, and what the broker adds.
#[tokio::test]
async fn welcome_announces_the_features_of_the_list() {
    let running = start().await;
    let wanted: Vec<_> = petasus_broker::wamp_features().collect();
    for serializer in Serializer::ALL {
        let mut client = Wamp::connect(running.address, serializer).await;
        let welcome = client.hello("default").await;
        assert!((1..=1 << 53).contains(&welcome.session));
        let roles = welcome.details.dict("roles").unwrap().unwrap();
        let mut announced = Vec::new();
        for (role, about) in roles.iter() {
            let features = about.as_dict().unwrap().dict("features").unwrap().unwrap();
            assert!(features.iter().all(|(_, value)| *value == Value::Bool(true)), "{features:?}");
            announced.extend(features.iter().map(|(feature, _)| (role, feature)));
        }
        assert_eq!(announced, wanted);
        assert_eq!(welcome.details.texts("_pattern"), Ok(Some(vec!["bus", "queue"])));
        for key in ["realm", "authid", "authrole", "authmethod", "authprovider"] {
            assert!(welcome.details.text(key).unwrap().is_some_and(|text| !text.is_empty()), "{key}");
        }
    }
}

/// REQ-WAMP-010: the first of the client's subprotocols that is spoken here, on both paths; without one, 400.
#[tokio::test]
async fn a_subprotocol_that_is_spoken_here_is_chosen() {
    let running = start().await;
    for path in ["/ws", "/wamp"] {
        for (offered, chosen) in [
            ("wamp.2.cbor, wamp.2.json", Some("wamp.2.cbor")),
            ("soap, wamp.2.msgpack", Some("wamp.2.msgpack")),
            ("wamp.2.json.batched", Some("wamp.2.json.batched")),
            ("soap", None),
            ("WAMP.2.JSON", None),
        ] {
            let mut raw = Raw::connect(running.address).await;
            raw.send(handshake(path, &format!("Sec-WebSocket-Protocol: {offered}\r\n"))).await;
            let Some(chosen) = chosen else {
                let answer = raw.answer().await;
                assert_eq!(answer.status, 400, "{offered}");
                assert!(String::from_utf8_lossy(&answer.body).contains("wamp.2.json"), "{answer:?}");
                continue;
            };
            let answer = raw.answer_head().await;
            assert_eq!(
                (answer.status, answer.header("sec-websocket-protocol")),
                (101, Some(chosen)),
                "{offered}"
            );
        }
        let mut raw = Raw::connect(running.address).await;
        raw.send(handshake(path, "")).await;
        assert_eq!(raw.answer().await.status, 400, "no subprotocol");
    }
}

/// REQ-WAMP-012: in production a realm has to be listed.
#[tokio::test]
async fn a_realm_that_is_not_there_is_refused() {
    let mut config = config("http://127.0.0.1:0");
    config.mode = Mode::Production;
    config.wamp.realms = vec!["default".to_owned(), "com.example.one".to_owned()];
    let production = Running::start(config).await;
    Wamp::join(production.address, Serializer::Json, "com.example.one").await;
    let development = start().await;
    Wamp::join(development.address, Serializer::Json, "com.example.two").await;
    for (running, realm) in
        [(&production, "com.example.two"), (&production, "no realm"), (&development, "no realm")]
    {
        let mut client = Wamp::connect(running.address, Serializer::Json).await;
        let (realm, details) = (realm.to_owned(), crate::hello_details(&[]));
        client.say(message::Hello { realm, details }).await;
        aborted(&mut client, "wamp.error.no_such_realm", 3000).await;
    }
}

/// REQ-WAMP-013
#[tokio::test]
async fn a_hello_without_a_role_is_a_violation() {
    let running = start().await;
    for details in
        [Dict::new(), Dict::new().with("roles", Value::Dict(Dict::new())), Dict::new().with("roles", 1)]
    {
        let mut client = Wamp::connect(running.address, Serializer::Json).await;
        client.say(message::Hello { realm: "default".to_owned(), details }).await;
        aborted(&mut client, "wamp.error.protocol_violation", 1002).await;
    }
}

/// REQ-WAMP-017, REQ-WAMP-014: also after GOODBYE, with as much time as at first.
#[tokio::test]
async fn a_client_that_does_not_join_is_sent_away() {
    let mut config = config("http://127.0.0.1:0");
    config.timeouts.head = seconds(2.0);
    let running = Running::start(config).await;
    let mut staying = Wamp::join(running.address, Serializer::Json, "default").await;
    // It connects later, so the other's time to join is over too when it is closed.
    let mut silent = Wamp::connect(running.address, Serializer::Json).await;
    closed(&mut silent, 3104).await;
    let first = staying.session;
    let (details, reason) = (Dict::new(), "wamp.close.close_realm".to_owned());
    staying.say(message::Goodbye { details, reason }).await;
    assert!(matches!(staying.hear().await, Message::Goodbye(_)));
    staying.hello("default").await;
    assert_ne!(staying.session, first);
    let (details, reason) = (Dict::new(), "wamp.close.close_realm".to_owned());
    staying.say(message::Goodbye { details, reason }).await;
    assert!(matches!(staying.hear().await, Message::Goodbye(_)));
    closed(&mut staying, 3104).await;
}
