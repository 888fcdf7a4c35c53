//! What a subscription hears.

use petasus::{Client, Subscription, Topic};

use crate::support::{soon, until};
use crate::target::{Feature, Site, cases};

cases! {
    a_topic_comes_with_all_below_it_and_without_its_siblings,
    a_topic_knows_what_it_was_published_to,
    exact_hears_the_topic_alone,
    a_prefix_is_a_beginning_of_the_name,
    a_wildcard_stands_for_one_segment,
    subscriptions_that_overlap_hear_each_message_once_each,
    nothing_comes_after_an_unsubscription,
    a_dropped_subscription_is_gone_at_the_broker,
    slashes_and_dots_name_the_same_topic,
    a_segment_may_hold_a_dot,
    a_subscription_is_a_stream,
}

/// Publishes the name of each topic to it, one after the other.
async fn publish_names(client: &Client, site: &Site, names: &[&str]) {
    for name in names {
        soon("an acknowledgement", client.publish(site.topic(name), *name).into_future()).await.unwrap();
    }
}

/// The next message, which must be this text.
async fn expect(subscription: &mut Subscription, text: &str) {
    let message = soon(text, subscription.next()).await.expect("it is not over");
    assert_eq!(message.text().as_deref(), Some(text));
}

async fn a_topic_comes_with_all_below_it_and_without_its_siblings(site: &Site) {
    let (subscriber, publisher) = (site.client().await, site.client().await);
    let mut news = subscriber.subscribe(site.topic("a")).await.unwrap();
    publish_names(&publisher, site, &["a", "ab", "b", "a/b", "b/a", "a/b/c", "ab/c", "a"]).await;
    for name in ["a", "a/b", "a/b/c", "a"] {
        expect(&mut news, name).await;
    }
}

async fn a_topic_knows_what_it_was_published_to(site: &Site) {
    let client = site.client().await;
    let mut news = client.subscribe(site.topic("a")).await.unwrap();
    publish_names(&client, site, &["a", "a/b"]).await;
    for name in ["a", "a/b"] {
        let message = soon(name, news.next()).await.unwrap();
        // Over Mercury nobody says what below the topic it was.
        if site.target.dialect() == petasus::Dialect::Wamp {
            assert_eq!(message.topic(), Some(&Topic::new(&site.topic(name))));
        } else {
            assert_eq!(message.topic(), None);
        }
    }
}

async fn exact_hears_the_topic_alone(site: &Site) {
    let client = site.client().await;
    let made = client.subscribe(site.topic("a")).exact().await;
    let Some(mut alone) = site.judge(Feature::Filters, made) else { return };
    publish_names(&client, site, &["a/b", "ab", "a", "a/b/c"]).await;
    expect(&mut alone, "a").await;
    publish_names(&client, site, &["a/b", "a"]).await;
    expect(&mut alone, "a").await;
}

async fn a_prefix_is_a_beginning_of_the_name(site: &Site) {
    let client = site.client().await;
    let made = client.subscribe_prefix(site.uri("a")).await;
    let Some(mut all) = site.judge(Feature::Filters, made) else { return };
    publish_names(&client, site, &["b", "a", "ab", "ba", "a/b"]).await;
    for name in ["a", "ab", "a/b"] {
        expect(&mut all, name).await;
    }
}

async fn a_wildcard_stands_for_one_segment(site: &Site) {
    let client = site.client().await;
    let made = client.subscribe_wildcard(site.uri("a..c")).await;
    let Some(mut any) = site.judge(Feature::Filters, made) else { return };
    publish_names(&client, site, &["a/c", "a/b/c", "a/b/d", "a/b/c/d", "a/x/c"]).await;
    for name in ["a/b/c", "a/x/c"] {
        expect(&mut any, name).await;
    }
}

async fn subscriptions_that_overlap_hear_each_message_once_each(site: &Site) {
    let client = site.client().await;
    let mut all = Vec::new();
    for name in ["a", "a", "a/b", "a/b/c", "a/b"] {
        all.push(client.subscribe(site.topic(name)).await.unwrap());
    }
    let filters = site.judge(Feature::Filters, client.subscribe(site.topic("a/b/c")).exact().await);
    all.extend(filters);
    if site.target.dialect() == petasus::Dialect::Wamp {
        all.push(client.subscribe_prefix(site.uri("a")).await.unwrap());
        all.push(client.subscribe_wildcard(site.uri("a..c")).await.unwrap());
    }
    for text in ["one", "two", "three"] {
        client.publish(site.topic("a/b/c"), text).await.unwrap();
    }
    for subscription in &mut all {
        for text in ["one", "two", "three"] {
            expect(subscription, text).await;
        }
    }
}

async fn nothing_comes_after_an_unsubscription(site: &Site) {
    let client = site.client().await;
    let mut stays = client.subscribe(site.topic("a")).await.unwrap();
    let first = client.subscribe(site.topic("a")).await.unwrap();
    let second = client.subscribe(site.topic("a/b")).await.unwrap();
    soon("the end of the first", first.unsubscribe()).await.unwrap();
    soon("the end of the second", second.unsubscribe()).await.unwrap();
    // The one that is left hears as before, and a new one hears what comes from now on.
    publish_names(&client, site, &["a/b"]).await;
    expect(&mut stays, "a/b").await;
    let mut again = client.subscribe(site.topic("a/b")).await.unwrap();
    publish_names(&client, site, &["a/b/c"]).await;
    expect(&mut again, "a/b/c").await;
    expect(&mut stays, "a/b/c").await;
}

async fn a_dropped_subscription_is_gone_at_the_broker(site: &Site) {
    let Some(running) = &site.running else { return };
    let client = site.client().await;
    // Over Mercury one socket tells the client that the broker is there, as long as no other does.
    let idle = running.metric("petasus_members");
    let mut all = Vec::new();
    for name in ["a", "a/b", "c"] {
        all.push(client.subscribe(site.topic(name)).await.unwrap());
    }
    assert!(running.metric("petasus_members") > idle);
    drop(all);
    until("the broker to forget them", async || running.metric("petasus_members") == idle).await;
}

async fn slashes_and_dots_name_the_same_topic(site: &Site) {
    let client = site.client().await;
    let mut dots = client.subscribe(site.uri("a.b")).await.unwrap();
    let mut slashes = client.subscribe(site.topic("a/b")).await.unwrap();
    client.publish(site.topic("a/b"), "slashes").await.unwrap();
    client.publish(site.uri("a.b"), "dots").await.unwrap();
    for text in ["slashes", "dots"] {
        expect(&mut dots, text).await;
        expect(&mut slashes, text).await;
    }
}

async fn a_segment_may_hold_a_dot(site: &Site) {
    let client = site.client().await;
    let topic = Topic::new(&site.topic("v1.0/x"));
    let mut dotted = client.subscribe(&topic).await.unwrap();
    client.publish(site.topic("v1/0/x"), "another").await.unwrap();
    client.publish(&topic, "it").await.unwrap();
    expect(&mut dotted, "it").await;
    // Said wrong, it is refused before anything happens.
    let error = client.publish(site.topic("v1.0/x"), "which?").await.unwrap_err();
    assert!(matches!(error, petasus::Error::Topic { .. }), "{error}");
}

async fn a_subscription_is_a_stream(site: &Site) {
    use futures_util::StreamExt;

    let client = site.client().await;
    let news = client.subscribe(site.topic("a")).await.unwrap();
    publish_names(&client, site, &["a", "a/b"]).await;
    let texts = news.take(2).map(|message| message.text().unwrap().into_owned());
    let texts: Vec<String> = soon("two messages", texts.collect()).await;
    assert_eq!(texts, ["a", "a/b"]);
}
