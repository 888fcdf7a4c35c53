//! The bus: every other peer hears.

use petasus::Bus;

use crate::support::soon;
use crate::target::{Feature, Site, cases};

cases! {
    every_other_peer_hears,
    with_echo_the_sender_hears_too,
    a_client_may_join_in_both_ways,
    a_bus_is_no_topic,
    an_acknowledged_message_was_given_to_all,
    who_left_hears_nothing,
}

async fn expect(bus: &mut Bus, text: &str) {
    let message = soon(text, bus.next()).await.expect("it is not over");
    assert_eq!(message.text().as_deref(), Some(text));
}

async fn every_other_peer_hears(site: &Site) {
    let (one, two, three) = (site.client().await, site.client().await, site.client().await);
    let joined = one.bus(site.topic("room")).await;
    let Some(mut one) = site.judge(Feature::BusAndQueues, joined) else { return };
    let mut two = two.bus(site.topic("room")).await.unwrap();
    let mut three = three.bus(site.topic("room")).await.unwrap();
    one.send("from one").queued().await.unwrap();
    expect(&mut two, "from one").await;
    expect(&mut three, "from one").await;
    two.send("from two").queued().await.unwrap();
    expect(&mut one, "from two").await;
    expect(&mut three, "from two").await;
    three.send(&b"\xff"[..]).fire().unwrap();
    for bus in [&mut one, &mut two] {
        let message = soon("bytes", bus.next()).await.unwrap();
        assert_eq!((message.text(), &message.bytes()[..]), (None, &b"\xff"[..]));
    }
}

async fn with_echo_the_sender_hears_too(site: &Site) {
    let (one, two) = (site.client().await, site.client().await);
    let joined = one.bus(site.topic("room")).echo().await;
    let Some(mut one) = site.judge(Feature::BusAndQueues, joined) else { return };
    let mut two = two.bus(site.topic("room")).await.unwrap();
    one.send("first").queued().await.unwrap();
    expect(&mut one, "first").await;
    expect(&mut two, "first").await;
    two.send("second").queued().await.unwrap();
    expect(&mut one, "second").await;
    one.send("third").queued().await.unwrap();
    expect(&mut two, "third").await;
    expect(&mut one, "third").await;
}

async fn a_client_may_join_in_both_ways(site: &Site) {
    let (client, other) = (site.client().await, site.client().await);
    let joined = client.bus(site.topic("room")).await;
    let Some(mut plain) = site.judge(Feature::BusAndQueues, joined) else { return };
    let mut echo = client.bus(site.topic("room")).echo().await.unwrap();
    let mut other = other.bus(site.topic("room")).await.unwrap();
    other.send("by another").queued().await.unwrap();
    expect(&mut echo, "by another").await;
    expect(&mut plain, "by another").await;
    echo.send("by echo").queued().await.unwrap();
    expect(&mut echo, "by echo").await;
    expect(&mut other, "by echo").await;
}

async fn a_bus_is_no_topic(site: &Site) {
    let client = site.client().await;
    let joined = client.bus(site.topic("room")).echo().await;
    let Some(mut room) = site.judge(Feature::BusAndQueues, joined) else { return };
    let mut news = client.subscribe(site.topic("room")).await.unwrap();
    client.publish(site.topic("room"), "published").await.unwrap();
    room.send("said").queued().await.unwrap();
    expect(&mut room, "said").await;
    let heard = soon("a message", news.next()).await.unwrap();
    assert_eq!(heard.text().as_deref(), Some("published"));
}

async fn an_acknowledged_message_was_given_to_all(site: &Site) {
    let (one, two) = (site.client().await, site.client().await);
    let joined = one.bus(site.topic("room")).await;
    let Some(one) = site.judge(Feature::BusAndQueues, joined) else { return };
    let mut two = two.bus(site.topic("room")).await.unwrap();
    // By itself it is only queued, which every wire can.
    one.send("maybe").await.unwrap();
    expect(&mut two, "maybe").await;
    let sent = one.send("sure").acknowledged().await;
    if site.judge(Feature::BusAcknowledged, sent).is_some() {
        expect(&mut two, "sure").await;
    }
}

async fn who_left_hears_nothing(site: &Site) {
    let (one, two, three) = (site.client().await, site.client().await, site.client().await);
    let joined = one.bus(site.topic("room")).await;
    let Some(room) = site.judge(Feature::BusAndQueues, joined) else { return };
    let mut witness = two.bus(site.topic("room")).await.unwrap();
    let other = three.bus(site.topic("room")).await.unwrap();
    soon("the end", room.leave()).await.unwrap();
    other.send("to those who stayed").queued().await.unwrap();
    expect(&mut witness, "to those who stayed").await;
    let mut again = one.bus(site.topic("room")).await.unwrap();
    other.send("to all").queued().await.unwrap();
    expect(&mut again, "to all").await;
    expect(&mut witness, "to all").await;
}
