//! Realms share nothing.

use petasus_protocol::wamp::{Dict, Serializer, Value};

use crate::client::{Wamp, text};
use crate::{ask, event, publish, published, start, subscribe};

/// REQ-WAMP-016
#[tokio::test]
async fn nothing_goes_from_one_realm_to_another() {
    let running = start().await;
    let mut here = Wamp::join(running.address, Serializer::Json, "com.example.here").await;
    let mut there = Wamp::join(running.address, Serializer::Cbor, "com.example.there").await;
    let bus = || Dict::new().with("_pattern", "bus");
    let queue = || Dict::new().with("_pattern", "queue");
    for options in [Dict::new(), Dict::new().with("match", "prefix"), bus()] {
        subscribe(&mut there, "com.example.x", options).await;
    }
    there.register("com.example.x", Dict::new()).await;
    there.register("com.example.q", queue()).await;

    for options in [Dict::new(), bus()] {
        let request = publish(&mut here, "com.example.x", options, text("here")).await;
        published(&mut here, request).await;
    }
    let call = here.call("com.example.x", Dict::new(), text("here")).await;
    assert_eq!(here.error(call).await.error, "wamp.error.no_such_procedure");
    let push = here.call("com.example.q", queue(), text("here")).await;
    assert_eq!(here.error(push).await.error, "wamp.error.unavailable");
    assert_eq!(ask(&mut here, "wamp.session.list", &[]).await, [Value::List(vec![here.session.into()])]);
    for procedure in ["wamp.registration.lookup", "wamp.subscription.lookup"] {
        assert_eq!(ask(&mut here, procedure, &["com.example.x".into()]).await, [Value::Null]);
    }
    let other = there.session;
    let payload = petasus_protocol::wamp::Payload::of_args(Serializer::Json, &[other]).unwrap();
    let kill = here.call("wamp.session.kill", Dict::new(), payload).await;
    assert_eq!(here.error(kill).await.error, "wamp.error.no_such_session");

    // The first that comes is from its own realm.
    let mut neighbour = Wamp::join(running.address, Serializer::Json, "com.example.there").await;
    let request = publish(&mut neighbour, "com.example.x", Dict::new(), text("there")).await;
    published(&mut neighbour, request).await;
    let heard = event(&mut there).await.payload.arg_values().unwrap();
    assert_eq!(heard, [Value::from("there")]);
}
