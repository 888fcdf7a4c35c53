//! Messages that come faster than they are taken.

use petasus::{Client, Overflow, Subscription};

use crate::support::{soon, until};
use crate::target::{Feature, Site, cases};

cases! {
    the_oldest_are_dropped_and_counted,
    the_newest_are_dropped_and_counted,
    who_waits_misses_nothing,
    a_bus_has_the_same_choice,
    what_was_taken_in_time_misses_nothing,
}

const COUNT: usize = 100;

/// A subscription with room for ten messages, after a hundred, all of which have come.
async fn full(site: &Site, overflow: Overflow) -> (Client, Subscription) {
    let client = site.client().await;
    let news = client.subscribe(site.topic("a")).buffer(10).overflow(overflow).await.unwrap();
    let mut witness = client.subscribe(site.topic("a")).await.unwrap();
    for number in 0..COUNT {
        client.publish(site.topic("a"), number.to_string()).queued().await.unwrap();
    }
    for _ in 0..COUNT {
        soon("a message", witness.next()).await.unwrap();
    }
    (client, news)
}

/// The next message: its number, and how many are missing before it.
async fn next(news: &mut Subscription) -> (usize, u64) {
    let message = soon("a message", news.next()).await.unwrap();
    (message.text().unwrap().parse().unwrap(), message.missed())
}

async fn the_oldest_are_dropped_and_counted(site: &Site) {
    let (client, mut news) = full(site, Overflow::DropOldest).await;
    assert_eq!(next(&mut news).await, (90, 90));
    for number in 91..COUNT {
        assert_eq!(next(&mut news).await, (number, 0));
    }
    client.publish(site.topic("a"), "100").await.unwrap();
    assert_eq!(next(&mut news).await, (100, 0));
}

async fn the_newest_are_dropped_and_counted(site: &Site) {
    let (client, mut news) = full(site, Overflow::DropNewest).await;
    for number in 0..10 {
        assert_eq!(next(&mut news).await, (number, 0));
    }
    client.publish(site.topic("a"), "100").await.unwrap();
    assert_eq!(next(&mut news).await, (100, 90));
}

async fn who_waits_misses_nothing(site: &Site) {
    let (reader, publisher) = (site.client().await, site.client().await);
    let made = reader.subscribe(site.topic("a")).buffer(2).overflow(Overflow::Wait).await;
    let mut news = made.unwrap();
    let publishing = async {
        for number in 0..20 * COUNT {
            publisher.publish(site.topic("a"), number.to_string()).queued().await.unwrap();
        }
        publisher.publish(site.topic("a"), "end").await.unwrap();
    };
    let reading = async {
        for number in 0..20 * COUNT {
            assert_eq!(next(&mut news).await, (number, 0));
            tokio::task::yield_now().await;
        }
    };
    soon("all of them", async { tokio::join!(publishing, reading) }).await;
    // And it is awake again.
    let end = soon("the end", news.next()).await.unwrap();
    assert_eq!(end.text().as_deref(), Some("end"));
    drop(news);
    reader.publish(site.topic("b"), "x").await.unwrap();
}

async fn a_bus_has_the_same_choice(site: &Site) {
    let (one, two) = (site.client().await, site.client().await);
    let joined = one.bus(site.topic("room")).buffer(10).overflow(Overflow::DropNewest).await;
    let Some(mut room) = site.judge(Feature::BusAndQueues, joined) else { return };
    let mut witness = one.bus(site.topic("room")).await.unwrap();
    let other = two.bus(site.topic("room")).await.unwrap();
    for number in 0..COUNT {
        other.send(number.to_string()).queued().await.unwrap();
    }
    for _ in 0..COUNT {
        soon("a message", witness.next()).await.unwrap();
    }
    for number in 0..10 {
        let message = soon("a message", room.next()).await.unwrap();
        assert_eq!((message.text().as_deref(), message.missed()), (Some(number.to_string().as_str()), 0));
    }
    other.send("after").queued().await.unwrap();
    let after = soon("a message", room.next()).await.unwrap();
    assert_eq!((after.text().as_deref(), after.missed()), (Some("after"), 90));
}

async fn what_was_taken_in_time_misses_nothing(site: &Site) {
    let client = site.client().await;
    let mut news = client.subscribe(site.topic("a")).buffer(1).await.unwrap();
    for number in 0..20 {
        client.publish(site.topic("a"), number.to_string()).await.unwrap();
        assert_eq!(next(&mut news).await, (number, 0));
    }
    until("nothing to wait", async || client.waiting() == 0).await;
}
