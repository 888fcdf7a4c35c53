//! Sessions of the program that embeds the broker.

use std::time::Duration;

use petasus_broker::Broker;
use petasus_broker::config::{Config, Mode};
use petasus_broker::local::{LocalError, LocalOptions, LocalSession, WampError};
use petasus_protocol::wamp::{Dict, Message, Payload, Serializer, message, uri};
use tokio::sync::mpsc;

use crate::client::{Wamp, text};
use crate::metrics::{Metrics, until};
use crate::raw::soon;
use crate::running::{Running, config, seconds};

const LONG: Duration = Duration::from_mins(1);

async fn session(broker: &Broker) -> LocalSession {
    broker.session("default", LocalOptions::default()).await.unwrap()
}

fn first(payload: &Payload) -> String {
    payload.decode_args::<(String,)>().unwrap().0
}

/// REQ-WAMP-107
#[tokio::test]
async fn the_program_and_its_clients_publish_and_call_in_both_directions() {
    let broker = Running::start(config("http://127.0.0.1:0")).await;
    let local = session(&broker.broker).await;
    let mut web = Wamp::join(broker.address, Serializer::Json, "default").await;

    let _registration = local
        .register("com.example.shout", Dict::new(), |invocation| async move {
            let (word,): (String,) = invocation.payload.decode_args()?;
            Ok(Payload::of_args(Serializer::Json, &[word.to_uppercase()])?)
        })
        .await
        .unwrap();
    let call = web.call("com.example.shout", Dict::new(), text("hey")).await;
    assert_eq!(first(&web.result(call).await), "HEY");
    // Arguments that are not what it takes.
    let call = web.call("com.example.shout", Dict::new(), Payload::empty()).await;
    assert_eq!(web.error(call).await.error, uri::error::INVALID_ARGUMENT);

    web.register("com.example.echo", Dict::new()).await;
    let calling = local.call("com.example.echo", Dict::new(), text("echo"), LONG);
    let answering = async {
        let invocation = web.invocation().await;
        web.yield_(invocation.request, invocation.payload).await;
    };
    let (answer, ()) = tokio::join!(calling, answering);
    assert_eq!(first(&answer.unwrap()), "echo");

    let mut events = local.subscribe("com.example.a", Dict::new()).await.unwrap();
    let (request, topic) = (web.request(), "com.example.a".to_owned());
    web.say(message::Publish { request, options: Dict::new(), topic, payload: text("from outside") }).await;
    assert_eq!(first(&events.next().await.unwrap().payload), "from outside");
    let request = web.request();
    web.say(message::Subscribe { request, options: Dict::new(), topic: "com.example.b".to_owned() }).await;
    assert!(matches!(web.hear().await, Message::Subscribed(_)));
    let publication = local.publish("com.example.b", Dict::new(), text("from inside")).await.unwrap();
    match web.hear().await {
        Message::Event(event) => {
            assert_eq!((event.publication, first(&event.payload).as_str()), (publication, "from inside"));
        }
        other => panic!("{other:?} instead of EVENT"),
    }
    broker.stop().await;
}

/// REQ-WAMP-108
#[tokio::test]
async fn what_goes_wrong_has_its_error() {
    let broker = Running::start(config("http://127.0.0.1:0")).await;
    let local = session(&broker.broker).await;
    let call = |procedure| local.call(procedure, Dict::new(), Payload::empty(), LONG);
    let failed = |result: Result<Payload, LocalError>| match result {
        Err(LocalError::Failed(error)) => error.uri,
        other => panic!("{other:?}"),
    };
    assert_eq!(failed(call("com.example.none").await), uri::error::NO_SUCH_PROCEDURE);
    assert_eq!(failed(call("com.example..none").await), uri::error::INVALID_URI);
    let _fails = local
        .register("com.example.fails", Dict::new(), |_| async {
            Err(WampError::new("com.example.error.no", "no"))
        })
        .await
        .unwrap();
    let error = call("com.example.fails").await.unwrap_err();
    assert_eq!(error.to_string(), "com.example.error.no: no");
    let _panics =
        local.register("com.example.panics", Dict::new(), |_| async { panic!("on purpose") }).await.unwrap();
    assert_eq!(failed(call("com.example.panics").await), "wamp.error.runtime_error");
    let twice = local.register("com.example.fails", Dict::new(), |_| async { Ok(Payload::empty()) }).await;
    assert!(
        matches!(twice, Err(LocalError::Failed(error)) if error.uri == uri::error::PROCEDURE_ALREADY_EXISTS)
    );
    let long = local.publish("com.example.a", Dict::new(), text(&"x".repeat(300_000))).await;
    assert!(matches!(long, Err(LocalError::TooLong { max: 262_144, .. })), "{long:?}");
    // The session has survived all that.
    local.publish("com.example.a", Dict::new(), text("here")).await.unwrap();

    let production = Config { mode: Mode::Production, ..config("http://127.0.0.1:0") };
    let production = Running::start(production).await;
    let refused = production.broker.session("com.example.elsewhere", LocalOptions::default()).await;
    assert!(matches!(refused, Err(LocalError::Refused(error)) if error.uri == uri::error::NO_SUCH_REALM));
    until(&production.broker, "nothing to be left", |metrics| metrics.live() == [0; 5]).await;
    production.stop().await;
    broker.stop().await;
}

/// REQ-WAMP-108
#[tokio::test]
async fn a_call_without_an_answer_is_given_up_and_cancelled() {
    let broker = Running::start(config("http://127.0.0.1:0")).await;
    let local = session(&broker.broker).await;
    let mut web = Wamp::join(broker.address, Serializer::Json, "default").await;
    web.register("com.example.slow", Dict::new()).await;
    let calling = local.call("com.example.slow", Dict::new(), Payload::empty(), Duration::from_millis(200));
    assert!(matches!(calling.await, Err(LocalError::TimedOut(_))));
    let invocation = web.invocation().await;
    web.yield_(invocation.request, text("too late")).await;
    // The answer that nobody waits for is nobody else's.
    let call = web.call("wamp.session.count", Dict::new(), Payload::empty()).await;
    assert_eq!(web.result(call).await.decode_args::<(u64,)>().unwrap().0, 2);
    local.publish("com.example.a", Dict::new(), text("here")).await.unwrap();
    broker.stop().await;
}

/// REQ-WAMP-109
#[tokio::test]
async fn a_subscriber_that_is_too_slow_misses_events_and_holds_up_nobody() {
    let broker = Running::start(config("http://127.0.0.1:0")).await;
    let slow = broker.broker.session("default", LocalOptions::default().events(3)).await.unwrap();
    let mut waiting = slow.subscribe("com.example.a", Dict::new()).await.unwrap();
    let publisher = session(&broker.broker).await;
    for number in 0..10 {
        publisher.publish("com.example.a", Dict::new(), text(&number.to_string())).await.unwrap();
    }
    // It answers in order: now all events have come.
    slow.publish("com.example.b", Dict::new(), Payload::empty()).await.unwrap();
    for number in 0..3 {
        assert_eq!(first(&waiting.next().await.unwrap().payload), number.to_string());
    }
    assert_eq!(waiting.missed(), 7);
    publisher.publish("com.example.a", Dict::new(), text("on time")).await.unwrap();
    assert_eq!(first(&waiting.next().await.unwrap().payload), "on time");
    broker.stop().await;
}

/// REQ-WAMP-110
#[tokio::test]
async fn what_is_dropped_is_left() {
    let broker = Running::start(config("http://127.0.0.1:0")).await;
    let local = session(&broker.broker).await;
    let count = |what: &'static str| {
        let metrics = Metrics::of(&broker.broker);
        metrics.value(&format!("petasus_members{{pattern=\"{what}\"}}"))
    };
    let one = local.subscribe("com.example.a", Dict::new()).await.unwrap();
    let mut two = local.subscribe("com.example.a", Dict::new()).await.unwrap();
    assert_eq!(count("pubsub"), 1, "a session subscribes once");
    drop(one);
    let other = session(&broker.broker).await;
    other.publish("com.example.a", Dict::new(), text("still here")).await.unwrap();
    assert_eq!(first(&two.next().await.unwrap().payload), "still here");
    drop(two);
    let registration =
        local.register("com.example.p", Dict::new(), |_| async { Ok(Payload::empty()) }).await.unwrap();
    other.call("com.example.p", Dict::new(), Payload::empty(), LONG).await.unwrap();
    drop(registration);
    // It is answered in order.
    local.publish("com.example.b", Dict::new(), Payload::empty()).await.unwrap();
    assert!(other.call("com.example.p", Dict::new(), Payload::empty(), LONG).await.is_err());
    assert_eq!(count("pubsub"), 0);

    local.leave().await;
    drop(other);
    until(&broker.broker, "both to be gone", |metrics| metrics.live()[0] == 0).await;
    broker.stop().await;
}

/// REQ-WAMP-110, REQ-DRAIN-001
#[tokio::test]
async fn a_broker_that_drains_sends_its_own_sessions_away_and_waits_for_no_program() {
    let mut config = config("http://127.0.0.1:0");
    config.drain_timeout = seconds(600.0);
    let broker = Running::start(config).await;
    let local = session(&broker.broker).await;
    let mut events = local.subscribe("com.example.a", Dict::new()).await.unwrap();
    let handle = broker.broker.clone();
    assert_eq!(soon("the broker to stop", broker.begin_to_stop()).await.unwrap(), 0);
    assert_eq!(events.next().await, None);
    assert!(matches!(
        local.publish("com.example.a", Dict::new(), Payload::empty()).await,
        Err(LocalError::Over)
    ));
    let late = handle.session("default", LocalOptions::default()).await;
    assert!(matches!(late, Err(LocalError::NoRoom(_))), "{late:?}");
}

/// REQ-WAMP-107
#[tokio::test]
async fn others_see_who_the_program_says_it_is() {
    let broker = Running::start(config("http://127.0.0.1:0")).await;
    let options = LocalOptions::default().identity("clock", "ticker");
    let local = broker.broker.session("default", options).await.unwrap();
    let payload = Payload::of_args(Serializer::Json, &[local.id()]).unwrap();
    let details = local.call("wamp.session.get", Dict::new(), payload, LONG).await.unwrap();
    let details = details.arg_values().unwrap().remove(0);
    let details = details.as_dict().unwrap();
    assert_eq!([details.text("authid"), details.text("authrole")], [Ok(Some("clock")), Ok(Some("ticker"))]);
    assert_eq!(details.dict("transport").unwrap().unwrap().text("type"), Ok(Some("internal")));
    broker.stop().await;
}

/// REQ-WAMP-107: a procedure may itself call, and many are called at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_calls_run_at_once() {
    let broker = Broker::builder().build().unwrap();
    let local = session(&broker).await;
    let (tell, mut told) = mpsc::channel(100);
    let _registration = local
        .register("com.example.p", Dict::new(), move |invocation| {
            let tell = tell.clone();
            async move {
                tell.send(()).await.unwrap();
                Ok(invocation.payload)
            }
        })
        .await
        .unwrap();
    let other = session(&broker).await;
    let calls = (0..1_000_u32).map(|number| {
        let payload = Payload::of_args(Serializer::Cbor, &[number]).unwrap();
        let calling = other.call("com.example.p", Dict::new(), payload, LONG);
        async move { calling.await.unwrap().decode_args::<(u32,)>().unwrap().0 == number }
    });
    let counting = async {
        for _ in 0..1_000 {
            told.recv().await.unwrap();
        }
    };
    let (answers, ()) = tokio::join!(futures_util::future::join_all(calls), counting);
    assert!(answers.into_iter().all(|right| right));
    assert_eq!(broker.drain().await, 0);
}
