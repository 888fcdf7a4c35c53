//! The beginning and the end of a client.

use petasus::{Dialect, Error, Status};

use crate::support::network::Network;
use crate::support::{PATIENCE, soon, until};
use crate::target::{Feature, Site, cases};

cases! {
    the_status_tells_the_whole_story,
    a_lost_connection_is_made_again_and_subscriptions_with_it,
    drained_clients_send_what_waits,
    drained_clients_finish_their_jobs,
    a_closed_client_takes_nothing_more,
    a_client_that_was_never_connected_can_be_closed,
    the_last_handle_closes_the_connection,
    a_subscription_is_a_handle_too,
}

/// What a status is called.
fn name(status: &Status) -> &'static str {
    match status {
        Status::Connecting { .. } => "connecting",
        Status::Connected(_) => "connected",
        Status::Waiting { .. } => "waiting",
        Status::Draining => "draining",
        Status::Closed { .. } => "closed",
        _ => "something new",
    }
}

/// Waits for a status; all that came until then. Some may have been too short to be seen.
async fn story(status: &mut petasus::StatusWatch, end: &str) -> Vec<&'static str> {
    let mut seen = vec![name(&status.look())];
    while seen.last() != Some(&end) {
        soon(end, status.changed()).await.unwrap();
        seen.push(name(&status.look()));
    }
    seen.dedup();
    seen
}

async fn the_status_tells_the_whole_story(site: &Site) {
    let client = site.builder().start().unwrap();
    let mut status = client.status();
    assert_eq!(story(&mut status, "connected").await, ["connecting", "connected"]);
    soon("a connection", client.connected()).await.unwrap();
    let welcome = match &client.status().now() {
        Status::Connected(welcome) => welcome.clone(),
        status => panic!("{status:?}"),
    };
    assert_eq!(welcome.session.is_some(), site.target.dialect() == Dialect::Wamp);
    assert_eq!(welcome.realm.is_empty(), site.target.dialect() == Dialect::Mercury);
    soon("the end", client.drain(PATIENCE)).await.unwrap();
    let end = story(&mut status, "closed").await;
    assert_eq!(end.last(), Some(&"closed"));
    assert_eq!(client.status().now(), Status::Closed { failure: None });
    assert_eq!(client.connected().await, Err(Error::Closed));
}

async fn a_lost_connection_is_made_again_and_subscriptions_with_it(site: &Site) {
    let (_, rest) = site.url.split_once("://").unwrap();
    let (real, path) = rest.split_once('/').unwrap_or((rest, ""));
    let network = Network::to(real).await;
    let backoff = petasus::Backoff { base: 20, cap: 200, ..petasus::Backoff::default() };
    let builder = site.builder_at(&format!("{}/{path}", network.url)).backoff(backoff);
    let (client, publisher) = (builder.connect().await.unwrap(), site.client().await);
    let mut status = client.status();
    let mut news = client.subscribe(site.topic("a")).await.unwrap();
    publisher.publish(site.topic("a"), "before").await.unwrap();
    let before = soon("a message", news.next()).await.unwrap();
    assert_eq!((before.text().as_deref(), before.gap(), news.resumed()), (Some("before"), false, 0));

    assert_eq!(story(&mut status, "connected").await, ["connected"]);
    network.drop_all();
    soon("the loss", status.wait_for(|status| name(status) != "connected")).await.unwrap();
    let story = story(&mut status, "connected").await;
    assert!(story.iter().all(|name| ["waiting", "connecting", "connected"].contains(name)), "{story:?}");
    until("the subscription", async || news.resumed() == 1).await;
    publisher.publish(site.topic("a/b"), "after").await.unwrap();
    publisher.publish(site.topic("a"), "later").await.unwrap();
    let after = soon("a message", news.next()).await.unwrap();
    assert_eq!((after.text().as_deref(), after.gap()), (Some("after"), true));
    let later = soon("a message", news.next()).await.unwrap();
    assert_eq!((later.text().as_deref(), later.gap()), (Some("later"), false));
}

async fn drained_clients_send_what_waits(site: &Site) {
    const COUNT: usize = 2000;
    let (client, listener) = (site.client().await, site.client().await);
    let mut news = listener.subscribe(site.topic("a")).await.unwrap();
    for number in 0..COUNT {
        client.publish(site.topic("a"), number.to_string()).try_queued().unwrap();
    }
    let (drained, ()) = soon("all of it", async {
        tokio::join!(client.drain(PATIENCE), async {
            for number in 0..COUNT {
                let message = news.next().await.unwrap();
                assert_eq!(message.text().as_deref(), Some(number.to_string().as_str()));
            }
        })
    })
    .await;
    drained.unwrap();
    assert_eq!(client.publish(site.topic("a"), "late").await, Err(Error::Closed));
}

async fn drained_clients_finish_their_jobs(site: &Site) {
    let (client, other) = (site.client().await, site.client().await);
    if site.target.dialect() == Dialect::Mercury {
        return;
    }
    // A job of its own, and a call of another's.
    let mut calls = client.register(site.uri("work")).await.unwrap();
    let waits = tokio::spawn({
        let (other, procedure) = (other.clone(), site.uri("work"));
        async move { other.call(procedure).await }
    });
    let call = soon("the call", calls.next()).await.unwrap();
    let mut slow = other.register(site.uri("slow")).await.unwrap();
    let asks = tokio::spawn({
        let (client, procedure) = (client.clone(), site.uri("slow"));
        async move { client.call(procedure).await }
    });
    let asked = soon("the other call", slow.next()).await.unwrap();

    let mut status = client.status();
    let drains = tokio::spawn({
        let client = client.clone();
        async move { client.drain(PATIENCE).await }
    });
    soon("it to drain", status.wait_for(|status| *status == Status::Draining)).await.unwrap();
    assert_eq!(client.call(site.uri("slow")).await.unwrap_err(), Error::Closed);
    call.reply("answered").await.unwrap();
    assert_eq!(soon("the answer", waits).await.unwrap().unwrap().text().as_deref(), Some("answered"));
    assert!(!drains.is_finished());
    asked.reply("heard").await.unwrap();
    assert_eq!(soon("the other answer", asks).await.unwrap().unwrap().text().as_deref(), Some("heard"));
    soon("the end", drains).await.unwrap().unwrap();
    assert!(soon("the end of the calls", calls.next()).await.is_none());
}

async fn a_closed_client_takes_nothing_more(site: &Site) {
    let client = site.client().await;
    let mut news = client.subscribe(site.topic("a")).await.unwrap();
    soon("the end", client.close()).await.unwrap();
    soon("the end again", client.close()).await.unwrap();
    soon("the end of draining", client.drain(PATIENCE)).await.unwrap();
    let topic = site.topic("a");
    assert!(soon("the end of the subscription", news.next()).await.is_none());
    assert_eq!(news.error(), Some(Error::Closed));
    let errors = [
        client.publish(&topic, "x").await.unwrap_err(),
        client.publish(&topic, "x").queued().await.unwrap_err(),
        client.publish(&topic, "x").try_queued().unwrap_err(),
        client.publish(&topic, "x").fire().unwrap_err(),
        client.subscribe(&topic).await.unwrap_err(),
        client.bus(&topic).await.unwrap_err(),
        client.push(&topic, "x").await.unwrap_err(),
        client.push(&topic, "x").done().await.unwrap_err(),
        client.pull(&topic).await.unwrap_err(),
        client.call(site.uri("a")).await.unwrap_err(),
        client.call(site.uri("a")).progressive().next().await.unwrap().unwrap_err(),
        client.register(site.uri("a")).await.unwrap_err(),
        client.connected().await.unwrap_err(),
    ];
    for (number, error) in errors.into_iter().enumerate() {
        assert_eq!(error, Error::Closed, "{number}");
    }
    soon("the end of what is over", news.unsubscribe()).await.unwrap();
}

async fn a_client_that_was_never_connected_can_be_closed(site: &Site) {
    let authority = crate::support::network::free_authority().await;
    let client = site.builder_at(&format!("ws://{authority}")).start().unwrap();
    let waits = tokio::spawn({
        let (client, topic) = (client.clone(), site.topic("a"));
        async move { client.publish(topic, "x").await }
    });
    until("it to wait", async || client.waiting() > 0).await;
    soon("the end", client.close()).await.unwrap();
    assert_eq!(soon("the error", waits).await.unwrap(), Err(Error::Closed));
}

async fn the_last_handle_closes_the_connection(site: &Site) {
    let Some(running) = &site.running else { return };
    let client = site.client().await;
    let again = client.clone();
    let news = client.subscribe(site.topic("a")).await.unwrap();
    drop(news);
    drop(client);
    // The other one is as good as the first.
    again.publish(site.topic("a"), "x").await.unwrap();
    assert!(running.broker.connections() > 0);
    let status = again.status();
    drop(again);
    until("the connection to be closed", async || running.broker.connections() == 0).await;
    until("the end", async || matches!(&status.now(), Status::Closed { failure: None })).await;
}

async fn a_subscription_is_a_handle_too(site: &Site) {
    let client = site.client().await;
    let mut news = client.subscribe(site.topic("a")).await.unwrap();
    let status = client.status();
    drop(client);
    let other = site.client().await;
    other.publish(site.topic("a"), "still there").await.unwrap();
    assert_eq!(soon("a message", news.next()).await.unwrap().text().as_deref(), Some("still there"));
    drop(news);
    until("the end", async || matches!(&status.now(), Status::Closed { failure: None })).await;
    let room = site.judge(Feature::BusAndQueues, other.bus(site.topic("a")).await);
    let status = other.status();
    drop(other);
    if room.is_some() {
        tokio::task::yield_now().await;
        assert!(matches!(&status.now(), Status::Connected(_)));
    }
    drop(room);
    until("the end", async || matches!(&status.now(), Status::Closed { failure: None })).await;
}
