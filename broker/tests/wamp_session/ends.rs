//! How sessions end.

use petasus_protocol::wamp::{Dict, Message, Serializer, Value, message};

use crate::client::{Wamp, text};
use crate::{ask, closed, event, json, publish, published, start, subscribe};

/// REQ-WAMP-014: what the session had is over, and the next one on the same connection is another.
#[tokio::test]
async fn another_session_may_follow_on_the_same_connection() {
    let running = start().await;
    let (mut leaving, mut other) = (json(&running).await, json(&running).await);
    subscribe(&mut leaving, "com.example.a", Dict::new()).await;
    leaving.register("com.example.p", Dict::new()).await;
    let first = leaving.session;
    let (details, reason) = (Dict::new(), "wamp.close.close_realm".to_owned());
    leaving.say(message::Goodbye { details, reason }).await;
    match leaving.hear().await {
        Message::Goodbye(goodbye) => assert_eq!(goodbye.reason, "wamp.close.goodbye_and_out"),
        other => panic!("{other:?} instead of GOODBYE"),
    }
    let listed = ask(&mut other, "wamp.session.list", &[]).await;
    assert_eq!(listed, [Value::List(vec![other.session.into()])]);
    let call = other.call("com.example.p", Dict::new(), text("x")).await;
    assert_eq!(other.error(call).await.error, "wamp.error.no_such_procedure");

    leaving.hello("default").await;
    assert_ne!(leaving.session, first);
    let request = publish(&mut other, "com.example.a", Dict::new(), text("not for the second")).await;
    published(&mut other, request).await;
    subscribe(&mut leaving, "com.example.b", Dict::new()).await;
    let request = publish(&mut other, "com.example.b", Dict::new(), text("for the second")).await;
    published(&mut other, request).await;
    assert_eq!(event(&mut leaving).await.payload, text("for the second"));
}

/// REQ-WAMP-018
#[tokio::test]
async fn a_broker_that_stops_says_goodbye() {
    let running = start().await;
    let mut clients = Vec::new();
    for serializer in Serializer::ALL {
        clients.push(Wamp::join(running.address, serializer, "default").await);
    }
    let stopped = running.begin_to_stop();
    for client in &mut clients {
        match client.hear().await {
            Message::Goodbye(goodbye) => assert_eq!(goodbye.reason, "wamp.close.system_shutdown"),
            other => panic!("{other:?} instead of GOODBYE"),
        }
        closed(client, 1001).await;
    }
    drop(clients);
    crate::raw::soon("the broker to stop", stopped).await.unwrap();
}

/// REQ-WAMP-033: all others, in this realm only.
#[tokio::test]
async fn all_others_can_be_sent_away() {
    let running = start().await;
    let (mut one, mut two, mut three) = (json(&running).await, json(&running).await, json(&running).await);
    let mut elsewhere = Wamp::join(running.address, Serializer::Json, "com.example.elsewhere").await;
    let killed = ask(&mut one, "wamp.session.kill_all", &[]).await;
    assert_eq!(killed, [Value::from(2)]);
    for gone in [&mut two, &mut three] {
        match gone.hear().await {
            Message::Goodbye(goodbye) => assert_eq!(goodbye.reason, "wamp.close.normal"),
            other => panic!("{other:?} instead of GOODBYE"),
        }
    }
    assert_eq!(ask(&mut elsewhere, "wamp.session.count", &[]).await, [Value::from(1)]);
    let own = Value::from(one.session);
    assert_eq!(ask(&mut one, "wamp.session.list", &[]).await, [Value::List(vec![own])]);
}
