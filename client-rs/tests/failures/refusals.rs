//! What a broker does not allow.

use petasus::protocol::wamp::uri::error;
use petasus::{Auth, Client, Dialect, Error, Failure, Fault, Retry};
use petasus_broker::Broker;
use petasus_broker::auth::{Action, Denied};
use petasus_broker::config::Mode;

use crate::support::broker::{Running, config};
use crate::support::soon;
use crate::{BOTH, failure, says};

#[tokio::test]
async fn an_origin_that_is_not_allowed_says_to_set_one() {
    let running = Running::start_with(|config| config.allow_origin = vec!["example.com".to_owned()]).await;
    for dialect in BOTH {
        let builder = || Client::builder(&running.url).dialect(dialect);
        for builder in [builder(), builder().origin("https://example.com.evil.net")] {
            let failure = failure(builder).await;
            assert!(matches!(failure, Failure::Status { status: 401, .. }), "{failure:?}");
            says(&failure, &["401", "Origin check failed", "origin from its list (set one)"]);
            assert_eq!(failure.fault(), Fault::Program);
        }
        let client = builder().origin("https://www.example.com").connect().await.unwrap();
        client.publish("a", "x").await.unwrap();
        client.publish("a", "x").queued().await.unwrap();
    }
    running.stop().await;
}

#[tokio::test]
async fn a_realm_that_is_not_there_is_named() {
    let running = Running::start_with(|config| config.mode = Mode::Production).await;
    let failure = failure(Client::builder(&running.url).realm("elsewhere")).await;
    assert!(matches!(&failure, Failure::Aborted { uri, .. } if uri == error::NO_SUCH_REALM), "{failure:?}");
    says(&failure, &["check the name of the realm"]);
    Client::builder(&running.url).connect().await.unwrap();
    running.stop().await;
}

/// A user that may do everything below `open`, and nothing else.
const ACCESS: &str = r#"
anonymous = "guest"
[[users]]
authid = "ann"
role = "admin"
ticket = "ann"
[[rules]]
role = "guest"
uri = "open"
match = "prefix"
allow = ["subscribe", "publish", "call", "register"]
"#;

#[tokio::test]
async fn what_the_rules_do_not_allow_is_refused_and_the_rest_goes_on() {
    let running = Running::start_guarded(ACCESS).await;
    let client = Client::connect(&running.url).await.unwrap();
    let errors = [
        client.publish("shut/a", "x").await.unwrap_err(),
        client.subscribe("shut/a").await.unwrap_err(),
        client.subscribe("shut/a").exact().await.unwrap_err(),
        client.bus("shut/a").await.unwrap_err(),
        client.push("shut/a", "x").await.unwrap_err(),
        client.pull("shut/a").await.unwrap_err(),
        client.call("shut.a").await.unwrap_err(),
        client.register("shut.a").await.unwrap_err(),
    ];
    for (number, error) in errors.into_iter().enumerate() {
        let refusal = error.refusal().unwrap_or_else(|| panic!("{number}: {error:?}"));
        assert_eq!(refusal.uri, error::NOT_AUTHORIZED, "{number}");
        says(&error, &["role `guest` may not", "shut.a"]);
        assert_eq!((error.retry(), error.fault()), (Retry::No, Fault::Server));
    }
    let mut news = client.subscribe("open/a").await.unwrap();
    client.publish("open/a", "x").await.unwrap();
    soon("a message", news.next()).await.unwrap();
    // And with another role.
    let ann = Client::builder(&running.url).auth(Auth::ticket("ann", "ann")).connect().await.unwrap();
    let error = ann.publish("open/a", "x").await.unwrap_err();
    says(&error, &["role `admin` may not"]);
    drop((client, ann, news));
    running.stop().await;
}

#[tokio::test]
async fn what_the_rules_do_not_allow_is_refused_over_mercury_too() {
    let running = Running::start_guarded(ACCESS).await;
    let builder = Client::builder(&running.url).dialect(Dialect::Mercury);
    let client = builder.start().unwrap();
    let error = soon("the refusal", client.publish("shut/a", "x").into_future()).await.unwrap_err();
    says(&error, &["guest"]);
    assert_eq!(error.retry(), Retry::No);
    let error = soon("the refusal", client.subscribe("shut/a").into_future()).await.unwrap_err();
    says(&error, &["403"]);
    drop(client);
    running.stop().await;
}

#[tokio::test]
async fn a_message_that_a_hook_denies_is_told_as_the_wire_tells_it() {
    let denied = |_| async { Err(Denied::new("not on sundays")) };
    let broker = Broker::builder().config(config("http://127.0.0.1:0"));
    let broker = broker.on(Action::Publish, denied).on(Action::Send, denied);
    let running = Running::start_broker(broker.build().unwrap(), None).await;
    // Over WAMP it is refused, and that is no reason to go.
    let client = Client::connect(&running.url).await.unwrap();
    for _ in 0..2 {
        let error = client.publish("a", "x").await.unwrap_err();
        assert!(error.refusal().is_some(), "{error:?}");
        says(&error, &["not on sundays"]);
    }
    // Over Mercury too, if it goes by POST.
    let client = Client::builder(&running.url).dialect(Dialect::Mercury).connect().await.unwrap();
    let error = client.publish("a", "x").await.unwrap_err();
    assert!(error.refusal().is_some(), "{error:?}");
    says(&error, &["not on sundays"]);
    // By a socket it is the end of that socket: 3003.
    let mut room = client.bus("room").await.unwrap();
    room.send("x").queued().await.unwrap();
    assert!(soon("the end of the bus", room.next()).await.is_none());
    let error = room.error().expect("the program did not leave");
    says(&error, &["3003", "not on sundays", "its operator does not allow this"]);
    // Nobody waits for what was queued, but the end tells it.
    client.publish("a", "x").queued().await.unwrap();
    let error = soon("the end", client.drain(crate::support::PATIENCE)).await.unwrap_err();
    assert!(matches!(error, Error::GaveUp(Failure::Closed { code: 3003, .. })), "{error:?}");
    says(&error, &["3003", "not on sundays"]);
    running.stop().await;
}
