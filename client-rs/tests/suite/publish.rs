//! The ways to publish, and what arrives.

use std::collections::BTreeMap;

use bytes::Bytes;
use petasus::{Args, Backoff, Error, Kwargs, Subscription};
use serde::{Deserialize, Serialize};

use crate::support::network::{Network, free_authority};
use crate::support::{soon, until};
use crate::target::{Feature, Site, cases};

cases! {
    the_three_ways_arrive,
    who_publishes_hears_it_unless_excluded,
    ten_thousand_messages_keep_their_order,
    texts_stay_texts_and_bytes_stay_bytes,
    values_arrive_as_they_were,
    arguments_arrive_as_they_were,
    what_came_can_be_sent_on,
    a_message_over_the_own_limit_is_refused_at_once,
    a_value_that_can_not_be_written_is_refused_at_once,
    what_is_published_without_a_connection_waits_or_fails,
}

async fn next(subscription: &mut Subscription) -> petasus::Message {
    soon("a message", subscription.next()).await.expect("it is not over")
}

async fn the_three_ways_arrive(site: &Site) {
    let client = site.client().await;
    let topic = site.topic("a");
    let mut news = client.subscribe(&topic).await.unwrap();
    let mut expect = async |text: &str| assert_eq!(next(&mut news).await.text().as_deref(), Some(text));

    client.publish(&topic, "by itself").await.unwrap();
    client.publish(&topic, "acknowledged").acknowledged().timeout(crate::support::PATIENCE).await.unwrap();
    expect("by itself").await;
    expect("acknowledged").await;
    client.publish(&topic, "queued").queued().await.unwrap();
    client.publish(&topic, "try_queued").try_queued().unwrap();
    expect("queued").await;
    expect("try_queued").await;
    client.publish(&topic, "fire").fire().unwrap();
    expect("fire").await;
}

async fn who_publishes_hears_it_unless_excluded(site: &Site) {
    let (client, other) = (site.client().await, site.client().await);
    let topic = site.topic("a");
    let mut own = client.subscribe(&topic).await.unwrap();
    let mut others = other.subscribe(&topic).await.unwrap();
    client.publish(&topic, "for all").await.unwrap();
    let excluded = client.publish(&topic, "for others").exclude_me().await;
    let excluded = site.judge(Feature::ExcludeMe, excluded).is_some();
    client.publish(&topic, "the last").await.unwrap();
    for (subscription, hears) in [(&mut own, false), (&mut others, excluded)] {
        assert_eq!(next(subscription).await.text().as_deref(), Some("for all"));
        if hears {
            assert_eq!(next(subscription).await.text().as_deref(), Some("for others"));
        }
        assert_eq!(next(subscription).await.text().as_deref(), Some("the last"));
    }
}

async fn ten_thousand_messages_keep_their_order(site: &Site) {
    const COUNT: usize = 10_000;
    let (subscriber, publisher) = (site.client().await, site.client().await);
    let topic = site.topic("a");
    let mut numbers = subscriber.subscribe(&topic).await.unwrap();
    let publishing = async {
        for number in 0..COUNT {
            publisher.publish(&topic, number.to_string()).queued().await.unwrap();
        }
    };
    let hearing = async {
        for number in 0..COUNT {
            let message = next(&mut numbers).await;
            assert_eq!((message.text().as_deref(), message.missed()), (Some(number.to_string().as_str()), 0));
        }
    };
    soon("all of them", async { tokio::join!(publishing, hearing) }).await;
}

/// Publishes a content and hears it.
async fn there(site: &Site, content: impl petasus::IntoContent) -> petasus::Message {
    let client = site.client().await;
    let mut news = client.subscribe(site.topic("a")).await.unwrap();
    client.publish(site.topic("a"), content).await.unwrap();
    next(&mut news).await
}

async fn texts_stay_texts_and_bytes_stay_bytes(site: &Site) {
    let client = site.client().await;
    let topic = site.topic("a");
    let mut news = client.subscribe(&topic).await.unwrap();
    let long = "é".repeat(50_000);
    for text in
        ["", " ", "text", "ünïcode €, 日本語, 😀", "two\nlines", "{\"json\":1}", "\"quoted\"", "null", &long]
    {
        client.publish(&topic, text).await.unwrap();
        let message = next(&mut news).await;
        assert!(message.is_text(), "{text}");
        assert_eq!((message.text().as_deref(), &message.bytes()[..]), (Some(text), text.as_bytes()));
    }
    let every: Vec<u8> = (0..=255).collect();
    for bytes in [&b""[..], b"\0", b"ascii", "é".as_bytes(), b"\xff\xfe", &every] {
        client.publish(&topic, bytes).await.unwrap();
        let message = next(&mut news).await;
        assert!(!message.is_text(), "{bytes:?}");
        assert_eq!((message.text(), &message.bytes()[..]), (None, bytes));
    }
    client.publish(&topic, String::from("owned")).await.unwrap();
    client.publish(&topic, Bytes::from_static(b"shared")).await.unwrap();
    client.publish(&topic, vec![1_u8, 2]).await.unwrap();
    assert_eq!(next(&mut news).await.text().as_deref(), Some("owned"));
    assert_eq!(next(&mut news).await.bytes(), &b"shared"[..]);
    assert_eq!(next(&mut news).await.bytes(), &[1_u8, 2][..]);
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Order {
    id: u64,
    name: String,
    price: f64,
    tags: Vec<String>,
    note: Option<String>,
    nested: BTreeMap<String, i64>,
}

fn order() -> Order {
    Order {
        id: 1 << 52,
        name: "büro \"stuhl\"".to_owned(),
        price: 99.95,
        tags: vec!["a".to_owned(), String::new()],
        note: None,
        nested: BTreeMap::from([("minus".to_owned(), -7)]),
    }
}

async fn values_arrive_as_they_were(site: &Site) {
    let client = site.client().await;
    let topic = site.topic("a");
    let mut news = client.subscribe(&topic).await.unwrap();
    client.publish_json(&topic, &order()).await.unwrap();
    client.publish_json(&topic, &-1.5_f64).await.unwrap();
    client.publish_json(&topic, &true).await.unwrap();
    client.publish_json(&topic, "a text").await.unwrap();
    client.publish_json(&topic, &[1, 2, 3]).await.unwrap();
    client.publish_json(&topic, &Option::<u8>::None).await.unwrap();
    assert_eq!(next(&mut news).await.json::<Order>().unwrap(), order());
    assert_eq!(next(&mut news).await.json::<f64>().unwrap().to_bits(), (-1.5_f64).to_bits());
    assert!(next(&mut news).await.json::<bool>().unwrap());
    assert_eq!(next(&mut news).await.json::<String>().unwrap(), "a text");
    assert_eq!(next(&mut news).await.json::<Vec<u8>>().unwrap(), [1, 2, 3]);
    assert_eq!(next(&mut news).await.json::<Option<u8>>().unwrap(), None);
    // And as a text, it is JSON.
    client.publish_json(&topic, &order()).await.unwrap();
    let message = next(&mut news).await;
    assert_eq!(serde_json::from_str::<Order>(&message.text().unwrap()).unwrap(), order());
    // What is something else is an error, and says so.
    let error = message.json::<Vec<u8>>().unwrap_err();
    assert!(matches!(error, Error::Content { .. }), "{error}");
}

async fn arguments_arrive_as_they_were(site: &Site) {
    let message = there(site, (Args((1, "two", [3])), Kwargs(order()))).await;
    if site.target.dialect() == petasus::Dialect::Wamp {
        assert_eq!(message.args::<(u8, String, Vec<u8>)>().unwrap(), (1, "two".to_owned(), vec![3]));
        assert_eq!(message.kwargs::<Order>().unwrap(), order());
    } else {
        let whole: serde_json::Value = message.json().unwrap();
        assert_eq!(whole["args"], serde_json::json!([1, "two", [3]]));
        assert_eq!(whole["kwargs"], serde_json::to_value(order()).unwrap());
    }
}

async fn what_came_can_be_sent_on(site: &Site) {
    let client = site.client().await;
    let (mut first, mut second) =
        (client.subscribe(site.topic("a")).await.unwrap(), client.subscribe(site.topic("b")).await.unwrap());
    client.publish_json(site.topic("a"), &order()).await.unwrap();
    client.publish(site.topic("b"), &next(&mut first).await).await.unwrap();
    assert_eq!(next(&mut second).await.json::<Order>().unwrap(), order());
}

async fn a_message_over_the_own_limit_is_refused_at_once(site: &Site) {
    let client = site.builder().message_bytes(1000).connect().await.unwrap();
    let mut news = client.subscribe(site.topic("a")).await.unwrap();
    let long = "x".repeat(1001);
    let topic = site.topic("a");
    let errors = [
        client.publish(&topic, &long).await,
        client.publish(&topic, &long).queued().await,
        client.publish(&topic, &long).try_queued(),
        client.publish(&topic, &long).fire(),
    ];
    for error in errors {
        assert_eq!(error, Err(Error::TooLarge { len: 1001, limit: 1000 }));
    }
    client.publish(&topic, "short").await.unwrap();
    assert_eq!(next(&mut news).await.text().as_deref(), Some("short"));
}

async fn a_value_that_can_not_be_written_is_refused_at_once(site: &Site) {
    let client = site.client().await;
    let odd = BTreeMap::from([((1, 2), 3)]);
    let error = client.publish_json(site.topic("a"), &odd).await.unwrap_err();
    assert!(matches!(error, Error::Content { .. }), "{error}");
    assert!(error.to_string().contains("can not be written"), "{error}");
}

async fn what_is_published_without_a_connection_waits_or_fails(site: &Site) {
    let listener = site.client().await;
    let mut news = listener.subscribe(site.topic("a")).await.unwrap();
    // Nobody listens there until the network is made.
    let authority = free_authority().await;
    let (_, rest) = site.url.split_once("://").unwrap();
    let (real, path) = rest.split_once('/').unwrap_or((rest, ""));
    let backoff = Backoff { base: 20, cap: 200, ..Backoff::default() };
    let client = site.builder_at(&format!("ws://{authority}/{path}")).backoff(backoff).start().unwrap();

    let topic = site.topic("a");
    assert_eq!(client.publish(&topic, "fired").fire(), Err(Error::NotConnected));
    client.publish(&topic, "queued").queued().await.unwrap();
    let one = client.waiting();
    assert!(one > 0);
    let waits = tokio::spawn({
        let (client, topic) = (client.clone(), topic.clone());
        async move { client.publish(&topic, "acknowledged").await }
    });
    until("the other one to wait as well", async || client.waiting() > one).await;
    let _network = Network::at(&authority, real).await;
    let mut heard =
        [next(&mut news).await, next(&mut news).await].map(|message| message.text().unwrap().into_owned());
    // Over Mercury they go by different ways.
    heard.sort();
    assert_eq!(heard, ["acknowledged", "queued"]);
    soon("the acknowledgement", waits).await.unwrap().unwrap();
    until("the queue to be empty", async || client.waiting() == 0).await;
}
