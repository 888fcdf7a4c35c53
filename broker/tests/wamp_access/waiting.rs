//! Messages that wait behind a question.

use petasus_protocol::wamp::{Dict, Message, message};

use crate::Site;
use crate::authorizer::{access, answer, backend, question};
use crate::client::{Wamp, text};
use crate::metrics::until;
use crate::raw::{BINARY, message as frame};

/// A subscriber, which the authorizer allows.
async fn subscriber(site: &Site, backend: &mut Wamp, topics: &[&str]) -> Wamp {
    let mut client = site.join("").await;
    for topic in topics {
        let (request, options) = (client.request(), Dict::new());
        client.say(message::Subscribe { request, options, topic: (*topic).to_owned() }).await;
        let (.., invocation) = question(backend).await;
        answer(backend, invocation, true).await;
        assert!(matches!(client.hear().await, Message::Subscribed(_)));
    }
    client
}

fn publish(client: &mut Wamp, topic: &str, payload: &str) -> Vec<u8> {
    let (request, options) = (client.request(), Dict::new());
    let publish = message::Publish { request, options, topic: topic.to_owned(), payload: text(payload) };
    client.frame(publish)
}

/// REQ-WAMP-071, REQ-WAMP-101: one question at a time and in order; what is denied is left out, and nothing overtakes.
#[tokio::test]
async fn what_waits_behind_a_question_keeps_its_order() {
    let site = Site::start(&access()).await;
    let mut backend = backend(&site).await;
    let mut hearer = subscriber(&site, &mut backend, &["auth.a", "auth.b"]).await;
    let mut client = site.join("").await;
    let mut bytes = Vec::new();
    for number in 0..20 {
        bytes.extend(publish(&mut client, ["auth.a", "auth.b"][number % 2], &number.to_string()));
    }
    let request = client.request();
    let topic = "auth.c".to_owned();
    bytes.extend(client.frame(message::Subscribe { request, options: Dict::new(), topic }));
    // What needs no question waits as well.
    let unsubscribe = client.request();
    bytes.extend(client.frame(message::Unsubscribe { request: unsubscribe, subscription: 4711 }));
    client.raw().send(bytes).await;
    for number in 0..20 {
        let (session, uri, _, invocation) = question(&mut backend).await;
        assert_eq!((session, uri.as_str()), (client.session, ["auth.a", "auth.b"][number % 2]));
        // No other question is there before this one is answered.
        backend.raw().settle().await;
        answer(&mut backend, invocation, number % 3 != 1).await;
    }
    let (.., invocation) = question(&mut backend).await;
    answer(&mut backend, invocation, true).await;
    assert!(matches!(client.hear().await, Message::Subscribed(subscribed) if subscribed.request == request));
    assert_eq!(client.error(unsubscribe).await.error, "wamp.error.no_such_subscription");
    for number in (0..20).filter(|number| number % 3 != 1) {
        assert_eq!(hearer.event().await.payload, text(&number.to_string()));
    }
    hearer.raw().settle().await;
    site.running.stop().await;
}

/// REQ-WAMP-071, REQ-LIVE-002: the question of one session keeps no other waiting.
#[tokio::test]
async fn others_do_not_wait() {
    let site = Site::start(&access()).await;
    let mut backend = backend(&site).await;
    let mut hearer = subscriber(&site, &mut backend, &["auth.a"]).await;
    let (mut first, mut second) = (site.join("").await, site.join("").await);
    let frame = publish(&mut first, "auth.a", "first");
    first.raw().send(frame).await;
    let (session, .., slow) = question(&mut backend).await;
    assert_eq!(session, first.session);
    let frame = publish(&mut second, "auth.a", "second");
    second.raw().send(frame).await;
    let (session, .., quick) = question(&mut backend).await;
    assert_eq!(session, second.session);
    answer(&mut backend, quick, true).await;
    assert_eq!(hearer.event().await.payload, text("second"));
    answer(&mut backend, slow, true).await;
    assert_eq!(hearer.event().await.payload, text("first"));
    site.running.stop().await;
}

/// REQ-WAMP-071, REQ-LIVE-001: whoever goes, or is sent away, takes with it what waits.
#[tokio::test]
async fn who_goes_while_the_question_is_open_has_done_nothing() {
    let site = Site::start(&access()).await;
    let mut backend = backend(&site).await;
    let mut hearer = subscriber(&site, &mut backend, &["auth.a"]).await;
    let mut killed = site.join("").await;
    let bytes = [publish(&mut killed, "auth.a", "killed"), publish(&mut killed, "auth.a", "killed")].concat();
    killed.raw().send(bytes).await;
    let (.., of_killed) = question(&mut backend).await;
    let mut killer = site.join("").await;
    let payload =
        petasus_protocol::wamp::Payload::of_values(killer.serializer, &[killed.session.into()], &Dict::new());
    let request = killer.call("wamp.session.kill", Dict::new(), payload).await;
    let (.., invocation) = question(&mut backend).await;
    answer(&mut backend, invocation, true).await;
    killer.result(request).await;
    killed.goodbye("wamp.close.normal").await;
    killed.closed(1000).await;
    answer(&mut backend, of_killed, true).await;

    let mut mortal = site.join("").await;
    let frame = publish(&mut mortal, "auth.a", "dead");
    mortal.raw().send(frame).await;
    let (.., of_mortal) = question(&mut backend).await;
    mortal.die();
    answer(&mut backend, of_mortal, true).await;

    let frame = publish(&mut killer, "auth.a", "last");
    killer.raw().send(frame).await;
    let (.., invocation) = question(&mut backend).await;
    answer(&mut backend, invocation, true).await;
    // What the dead one wanted may have been allowed before its death was seen.
    let mut event = hearer.event().await.payload;
    if event == text("dead") {
        event = hearer.event().await.payload;
    }
    assert_eq!(event, text("last"));
    backend.die();
    killer.die();
    hearer.die();
    // The broker's own session is left.
    until(&site.running.broker, "all to be gone", |metrics| {
        (metrics.value("petasus_sessions"), metrics.members()) == (1, 0)
    })
    .await;
    site.running.stop().await;
}

/// REQ-WAMP-071, REQ-WAMP-019: what was sent before a violation is carried out before it.
#[tokio::test]
async fn a_violation_waits_its_turn() {
    let site = Site::start(&access()).await;
    let mut backend = backend(&site).await;
    let mut hearer = subscriber(&site, &mut backend, &["auth.a"]).await;
    let broken: [(u8, &[u8]); 3] =
        [(crate::raw::TEXT, b"[99]"), (BINARY, b"[48,9,{},\"auth.x\"]"), (crate::raw::TEXT, b"x")];
    for (opcode, broken) in broken {
        let mut client = site.join("").await;
        let bytes = [
            publish(&mut client, "auth.a", "one"),
            publish(&mut client, "auth.a", "two"),
            frame(opcode, broken),
        ];
        client.raw().send(bytes.concat()).await;
        for payload in ["one", "two"] {
            let (.., invocation) = question(&mut backend).await;
            client.raw().send(crate::raw::frame(crate::raw::PING, b"")).await;
            answer(&mut backend, invocation, true).await;
            assert_eq!(hearer.event().await.payload, text(payload));
        }
        client.aborted_after_pongs("wamp.error.protocol_violation", 1002).await;
    }
    site.running.stop().await;
}
