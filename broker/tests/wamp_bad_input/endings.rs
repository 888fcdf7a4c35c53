//! Sessions that end while they have something, and what comes after them on their connections.

use petasus_broker::config::Mode;
use petasus_protocol::wamp::{Dict, Message, Payload, Serializer, Value, message};

use crate::client::{Wamp, text};
use crate::raw::{TEXT, message as frame};
use crate::running::{Running, config};
use crate::witness::Witness;
use crate::{json, panics, start};

/// Subscribes, registers, pulls and calls.
async fn settle_in(client: &mut Wamp) {
    client.subscribe("ends.topic", Dict::new()).await;
    client.subscribe("ends.", Dict::new().with("match", "prefix")).await;
    client.subscribe("ends.topic", Dict::new().with("_pattern", "bus")).await;
    client.register("ends.procedure", Dict::new()).await;
    client.register("ends.jobs", Dict::new().with("_pattern", "queue")).await;
    client.call("ends.procedure", Dict::new(), text("never answered")).await;
    assert_eq!(client.invocation().await.request, 1);
}

fn goodbye() -> message::Goodbye {
    message::Goodbye { details: Dict::new(), reason: "wamp.close.normal".to_owned() }
}

/// REQ-WAMP-014, REQ-WAMP-015: a session takes with it all that it had; the next one on its connection begins anew,
/// and until then a request is a violation.
#[tokio::test]
async fn goodbye_and_another_hello() {
    let running = start().await;
    let mut witness = Witness::new(&running).await;
    for serializer in Serializer::ALL {
        let mut client = Wamp::connect(running.address, serializer).await;
        let mut sessions = Vec::new();
        for _ in 0..3 {
            sessions.push(client.hello("default").await.session);
            settle_in(&mut client).await;
            client.say(goodbye()).await;
            // The call that was never answered is cancelled, or not told of any more.
            let last = loop {
                match client.hear().await {
                    Message::Error(error) => assert_eq!(error.error, "wamp.error.canceled"),
                    other => break other,
                }
            };
            let Message::Goodbye(last) = last else { panic!("{last:?} instead of GOODBYE") };
            assert_eq!(last.reason, "wamp.close.goodbye_and_out");
            witness.publish("ends.topic").await;
            client.raw().settle().await;
            assert_eq!(witness.ask("wamp.session.count").await, Some(3));
        }
        sessions.dedup();
        assert_eq!(sessions.len(), 3);
        client.say(goodbye()).await;
        client.closed(1000).await;
    }
    let mut client = json(&running).await;
    client.say(goodbye()).await;
    client.goodbye("wamp.close.goodbye_and_out").await;
    client.call("row.callee", Dict::new(), Payload::empty()).await;
    client.aborted("wamp.error.protocol_violation", 1002).await;
    witness.leave().await;
    running.stop().await;
}

/// REQ-WAMP-033: the reason and the message are those that were given; what the session had is gone.
#[tokio::test]
async fn a_session_that_is_killed_leaves_nothing() {
    let running = start().await;
    let mut witness = Witness::new(&running).await;
    let mut killer = json(&running).await;
    for (procedure, kwargs, reason) in [
        ("wamp.session.kill", Dict::new(), "wamp.close.normal"),
        ("wamp.session.kill", Dict::new().with("reason", "ends.reason").with("message", "go"), "ends.reason"),
        ("wamp.session.kill", Dict::new().with("reason", Option::<&str>::None), "wamp.close.normal"),
    ] {
        let mut client = json(&running).await;
        settle_in(&mut client).await;
        let payload = Payload::of_values(Serializer::Json, &[client.session.into()], &kwargs);
        let request = killer.call(procedure, Dict::new(), payload).await;
        killer.result(request).await;
        let Message::Goodbye(goodbye) = client.hear().await else { panic!("no GOODBYE") };
        assert_eq!(goodbye.reason, reason);
        assert_eq!(goodbye.details.text("message"), kwargs.text("message"));
        client.closed(1000).await;
    }
    drop(killer);
    witness.check("killed").await;
    witness.leave().await;
    running.stop().await;
}

/// REQ-WAMP-057, REQ-WAMP-040: a request id in use ends the caller alone; its callee goes on.
#[tokio::test]
async fn a_request_id_in_use_ends_the_caller() {
    let running = start().await;
    let mut witness = Witness::new(&running).await;
    let (mut callee, mut caller) = (json(&running).await, json(&running).await);
    callee.register("ends.slow", Dict::new()).await;
    let call = r#"[48,7,{},"ends.slow"]"#;
    caller.raw().send([frame(TEXT, call.as_bytes()), frame(TEXT, call.as_bytes())].concat()).await;
    caller.aborted("wamp.error.protocol_violation", 1002).await;
    let invocation = callee.invocation().await;
    // Nobody waits for this answer any more, and it is no fault.
    callee.yield_(invocation.request, text("late")).await;
    callee.raw().settle().await;
    // But the second one is.
    callee.yield_(invocation.request + 1, text("later")).await;
    callee.aborted("wamp.error.protocol_violation", 1002).await;
    witness.check("in use").await;
    witness.leave().await;
    running.stop().await;
}

/// REQ-WAMP-012: and development has a realm of every name.
#[tokio::test]
async fn production_has_the_realms_that_are_listed() {
    panics::watch();
    let mut config = config("http://127.0.0.1:0");
    config.mode = Mode::Production;
    config.wamp.realms = vec!["default".to_owned(), "ends.realm".to_owned()];
    let running = Running::start(config).await;
    let witness = Witness::new(&running).await;
    Wamp::join(running.address, Serializer::Cbor, "ends.realm").await;
    let details =
        Dict::new().with("roles", Value::Dict(Dict::new().with("caller", Value::Dict(Dict::new()))));
    for realm in ["ends", "ends.realm.x", "Default"] {
        let mut client = Wamp::connect(running.address, Serializer::Json).await;
        client.say(message::Hello { realm: realm.to_owned(), details: details.clone() }).await;
        client.aborted("wamp.error.no_such_realm", 3000).await;
    }
    witness.leave().await;
    running.stop().await;
}
