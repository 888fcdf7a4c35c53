//! Connections that end.

use std::time::Duration;

use petasus::{Backoff, Client, Dialect, Error, Failure, Retry, Status};
use petasus_broker::Broker;

use crate::support::broker::{Running, config};
use crate::support::network::{Network, slow};
use crate::support::{PATIENCE, soon};
use crate::{BOTH, says};

/// Waits until the client has no connection, and says why.
async fn loss(client: &Client) -> Failure {
    let mut status = client.status();
    let lost = |status: &Status| matches!(status, Status::Waiting { .. } | Status::Closed { .. });
    let status = soon("the loss", status.wait_for(lost)).await.unwrap();
    match status {
        Status::Waiting { failure, .. } | Status::Closed { failure: Some(failure) } => failure,
        status => panic!("{status:?}"),
    }
}

/// Short waits, so that a test sees several.
fn impatient(builder: petasus::Builder) -> petasus::Builder {
    builder.backoff(Backoff { base: 500, cap: 1000, ..Backoff::default() })
}

#[tokio::test]
async fn a_message_longer_than_the_broker_takes_is_told() {
    let running = Running::start_with(|config| config.limits.message = 1000).await;
    let long = "x".repeat(2000);
    // Over WAMP the broker closes, and says why; the longest publication was it, and is not sent again by itself.
    let client = impatient(Client::builder(&running.url)).connect().await.unwrap();
    let (error, failure) = tokio::join!(client.publish("a", &long), loss(&client));
    assert!(matches!(error, Err(Error::TooLarge { len, .. }) if len > 2000), "{error:?}");
    assert_eq!(error.unwrap_err().retry(), Retry::No);
    assert!(matches!(failure, Failure::Closed { code: 1009, .. }), "{failure:?}");
    says(&failure, &["1009", "longer than it takes"]);
    // It comes back, and goes on.
    soon("an acknowledgement", client.publish("a", "short").into_future()).await.unwrap();
    // By POST it is an answer: 413.
    let client = Client::builder(&running.url).dialect(Dialect::Mercury).connect().await.unwrap();
    let error = client.publish("a", &long).await.unwrap_err();
    assert!(error.refusal().is_some(), "{error:?}");
    soon("an acknowledgement", client.publish("a", "short").into_future()).await.unwrap();
    drop(client);
    running.stop().await;
}

#[tokio::test]
async fn a_message_longer_than_the_client_takes_is_told() {
    let running = Running::start().await;
    let reader = impatient(Client::builder(&running.url)).receive_bytes(1000).connect().await.unwrap();
    let _news = reader.subscribe("a").await.unwrap();
    let writer = Client::connect(&running.url).await.unwrap();
    let (failure, written) =
        tokio::join!(loss(&reader), async { writer.publish("a", "x".repeat(2000)).await });
    written.unwrap();
    says(&failure, &["1000"]);
    drop((reader, writer));
    running.stop().await;
}

#[tokio::test]
async fn a_broker_that_stops_says_that_it_restarts() {
    for dialect in BOTH {
        let running = Running::start().await;
        let client = impatient(Client::builder(&running.url)).dialect(dialect).connect().await.unwrap();
        let _news = client.subscribe("a").await.unwrap();
        let (failure, ()) = tokio::join!(loss(&client), running.stop());
        let restarts = match &failure {
            Failure::Goodbye { uri, .. } => uri == "wamp.close.system_shutdown",
            Failure::Closed { code, .. } => *code == 1001,
            _ => false,
        };
        assert!(restarts, "{failure:?}");
        assert!(!failure.is_final(true));
    }
}

#[tokio::test]
async fn what_was_not_answered_when_the_connection_broke_is_lost() {
    let running = Running::start().await;
    let network = Network::to(running.authority()).await;
    let callee = Client::connect(&running.url).await.unwrap();
    let mut calls = callee.register("slow").await.unwrap();
    let client = Client::connect(&network.url).await.unwrap();
    let waits = tokio::spawn({
        let client = client.clone();
        async move { client.call("slow").await }
    });
    let call = soon("the call", calls.next()).await.unwrap();
    network.drop_all();
    assert_eq!(soon("the error", waits).await.unwrap().unwrap_err(), Error::Lost);
    soon("the word that nobody waits", call.interrupted()).await;
    says(&Error::Lost, &["may have happened or not"]);
    drop((client, callee, calls, call));
    running.stop().await;
}

#[tokio::test]
async fn what_waits_for_a_connection_in_vain_was_not_sent() {
    let client =
        Client::builder("ws://127.0.0.1:1").request_timeout(Duration::from_millis(100)).start().unwrap();
    let error = soon("the end of the wait", client.call("a").into_future()).await.unwrap_err();
    assert_eq!((&error, error.retry()), (&Error::NotConnected, Retry::Yes));
    says(&error, &["so nothing was sent"]);
    let error = soon("the end of the wait", client.publish("a", "x").into_future()).await.unwrap_err();
    assert_eq!(error, Error::NotConnected);
}

#[tokio::test]
async fn what_was_sent_and_is_not_answered_in_time_may_have_happened() {
    let running = Running::start().await;
    let network = Network::to(running.authority()).await;
    let client = Client::connect(&network.url).await.unwrap();
    network.die();
    let publish = client.publish("a", "x").timeout(Duration::from_millis(100));
    let error = soon("the end of the wait", publish.into_future()).await.unwrap_err();
    assert_eq!((&error, error.retry()), (&Error::TimedOut, Retry::IfHarmless));
    says(&error, &["may have happened or not"]);
    drop(client);
    running.stop().await;
}

#[tokio::test]
async fn a_full_queue_is_told() {
    let client = Client::builder("ws://127.0.0.1:1").queue_bytes(1000).start().unwrap();
    let text = "x".repeat(400);
    client.publish("a", &text).try_queued().unwrap();
    client.publish("a", &text).try_queued().unwrap();
    let error = client.publish("a", &text).try_queued().unwrap_err();
    assert!(matches!(error, Error::QueueFull { waiting } if waiting > 800), "{error:?}");
    says(&error, &["wait to be sent", "send more slowly"]);
    assert_eq!(error.retry(), Retry::Yes);
    let patience = Duration::from_millis(50);
    let late = soon("the end of the wait", client.publish("a", &text).timeout(patience).queued()).await;
    assert!(matches!(late, Err(Error::QueueFull { .. })), "{late:?}");
}

#[tokio::test]
async fn a_dead_network_is_noticed_by_the_heartbeat() {
    let running = Running::start().await;
    for dialect in BOTH {
        let network = Network::to(running.authority()).await;
        let builder = impatient(Client::builder(&network.url)).dialect(dialect);
        let builder = builder.heartbeat(Duration::from_millis(200), Duration::from_millis(200));
        let client = builder.connect_timeout(Duration::from_secs(1)).connect().await.unwrap();
        let mut news = client.subscribe("a").await.unwrap();
        network.die();
        let waits = tokio::spawn({
            let client = client.clone();
            async move { client.publish("a", "into the dark").timeout(PATIENCE).await }
        });
        let failure = loss(&client).await;
        assert_eq!(failure, Failure::Silent);
        says(&failure, &["the network is dead"]);
        network.revive();
        soon("a connection", client.connected()).await.unwrap();
        crate::support::until("the subscription", async || news.resumed() > 0).await;
        if dialect == Dialect::Wamp {
            assert_eq!(soon("the loss", waits).await.unwrap(), Err(Error::Lost));
        } else {
            // A POST has no sign of life but its answer.
            waits.abort();
        }
        client.publish("a", "light").await.unwrap();
        let light = soon("a message", news.next()).await.unwrap();
        assert_eq!((light.text().as_deref(), light.gap()), (Some("light"), true));
    }
    running.stop().await;
}

/// A message may take longer than the heartbeat has patience: each piece of it is a sign of life.
#[tokio::test]
async fn a_long_message_on_a_slow_network_arrives() {
    let running = Running::start().await;
    for dialect in BOTH {
        let url = slow(running.authority(), Duration::from_millis(20)).await;
        let builder = Client::builder(&url).dialect(dialect);
        let reader = builder.heartbeat(Duration::from_millis(150), Duration::from_millis(150)).connect();
        let reader = reader.await.unwrap();
        let mut news = reader.subscribe("a").await.unwrap();
        let writer = Client::connect(&running.url).await.unwrap();
        let long = "x".repeat(50_000);
        writer.publish("a", long.as_str()).await.unwrap();
        let message = soon("the message", news.next()).await.unwrap();
        assert_eq!((message.text().as_deref(), message.gap()), (Some(long.as_str()), false));
        assert_eq!(news.resumed(), 0);
    }
    running.stop().await;
}

/// A client ends with the runtime that it was made in: nobody waits for it for ever in another one.
#[tokio::test]
async fn a_client_whose_runtime_is_gone_is_closed() {
    let running = Running::start().await;
    let url = running.url.clone();
    let (client, mut news) = tokio::task::spawn_blocking(move || {
        let other =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        other.block_on(async {
            let client = Client::connect(&url).await.unwrap();
            let news = client.subscribe("a").await.unwrap();
            (client, news)
        })
    })
    .await
    .unwrap();
    assert!(soon("the end of the stream", news.next()).await.is_none());
    assert_eq!(soon("a refusal", async { client.publish("a", "x").await }).await, Err(Error::Closed));
    assert_eq!(soon("the close", client.close()).await, Ok(()));
    assert_eq!(client.status().now(), Status::Closed { failure: None });
    running.stop().await;
}

/// A full buffer holds up the network, and so the confirmation, unless who leaves gives it up first.
#[tokio::test]
async fn who_leaves_a_stalled_subscription_is_confirmed() {
    let running = Running::start().await;
    let builder = Client::builder(&running.url).request_timeout(Duration::from_hours(1));
    let (reader, writer) = (builder.connect().await.unwrap(), Client::connect(&running.url).await.unwrap());
    let news = reader.subscribe("a").buffer(1).overflow(petasus::Overflow::Wait).await.unwrap();
    let mut others = reader.subscribe("b").await.unwrap();
    writer.publish("b", "before").await.unwrap();
    soon("what came before", others.next()).await.unwrap();
    for _ in 0..500 {
        writer.publish("a", "x").await.unwrap();
    }
    assert_eq!(soon("the confirmation", news.unsubscribe()).await, Ok(()));
    writer.publish("b", "after").await.unwrap();
    soon("what comes after", others.next()).await.unwrap();
    running.stop().await;
}

#[tokio::test]
async fn a_silent_network_that_lives_is_no_loss() {
    let running = Running::start().await;
    let builder = Client::builder(&running.url).heartbeat(Duration::from_millis(20), Duration::from_secs(20));
    let client = builder.connect().await.unwrap();
    let mut status = client.status();
    status.look();
    // Many times the silence: there is a sign of life each time.
    let change = tokio::time::timeout(Duration::from_millis(500), status.changed()).await;
    assert!(change.is_err(), "{:?}", status.now());
    drop(client);
    running.stop().await;
}

#[tokio::test]
async fn a_broker_that_is_dropped_with_its_sockets_is_no_mystery() {
    let running =
        Running::start_broker(Broker::builder().config(config("http://127.0.0.1:0")).build().unwrap(), None);
    let running = running.await;
    let network = Network::to(running.authority()).await;
    let client = impatient(Client::builder(&network.url)).connect().await.unwrap();
    let (failure, ()) = tokio::join!(loss(&client), async { network.drop_all() });
    let told = matches!(failure, Failure::Closed { code: 1006, .. } | Failure::Broken { .. });
    assert!(told, "{failure:?}");
    drop(client);
    running.stop().await;
}
