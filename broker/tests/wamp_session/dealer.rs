//! What callees announce, and what the dealer does only with those.

use petasus_protocol::wamp::{Dict, Message, Payload, Serializer, Value, message};

use crate::client::{Wamp, text};
use crate::running::Running;
use crate::{ask, hello_details, json, start, subscribe};

/// A session that announces these features as a callee.
async fn callee(running: &Running, features: &[&str]) -> Wamp {
    let mut client = Wamp::connect(running.address, Serializer::Json).await;
    let details = hello_details(features);
    client.say(message::Hello { realm: "default".to_owned(), details }).await;
    match client.hear().await {
        Message::Welcome(welcome) => client.session = welcome.session,
        other => panic!("{other:?} instead of WELCOME"),
    }
    client
}

/// ERROR of a callee.
async fn fail(callee: &mut Wamp, request: u64, error: &str) {
    let (kind, details, error) = (message::Invocation::CODE, Dict::new(), error.to_owned());
    callee.say(message::Error { kind, request, details, error, payload: Payload::empty() }).await;
}

/// REQ-WAMP-052: only callees that announced it send calls on.
#[tokio::test]
async fn an_unavailable_callee_sends_the_call_to_the_next() {
    let running = start().await;
    let mut one = callee(&running, &["call_reroute"]).await;
    let mut two = callee(&running, &["call_reroute"]).await;
    let shared = || Dict::new().with("invoke", "roundrobin");
    one.register("com.example.p", shared()).await;
    two.register("com.example.p", shared()).await;
    let mut caller = json(&running).await;
    let call = caller.call("com.example.p", Dict::new(), text("x")).await;
    let first = one.invocation().await;
    fail(&mut one, first.request, "wamp.error.unavailable").await;
    let second = two.invocation().await;
    assert_eq!(second.payload, text("x"));
    two.yield_(second.request, text("by the second")).await;
    assert_eq!(caller.result(call).await, text("by the second"));

    let call = caller.call("com.example.p", Dict::new(), text("y")).await;
    let first = one.invocation().await;
    fail(&mut one, first.request, "wamp.error.unavailable").await;
    let second = two.invocation().await;
    fail(&mut two, second.request, "wamp.error.unavailable").await;
    assert_eq!(caller.error(call).await.error, "wamp.error.no_available_callee");

    let mut plain = json(&running).await;
    plain.register("com.example.q", shared()).await;
    one.register("com.example.q", shared()).await;
    let call = caller.call("com.example.q", Dict::new(), text("z")).await;
    let asked = plain.invocation().await;
    fail(&mut plain, asked.request, "wamp.error.unavailable").await;
    assert_eq!(caller.error(call).await.error, "wamp.error.unavailable", "it is an error like any other");
}

/// REQ-WAMP-050: with `forward_timeout` the callee is told, and without it is not.
#[tokio::test]
async fn a_timeout_is_forwarded_to_a_callee_that_wants_it() {
    let running = start().await;
    let mut watchful = callee(&running, &["call_timeout", "call_canceling"]).await;
    watchful.register("com.example.mine", Dict::new().with("forward_timeout", true)).await;
    watchful.register("com.example.yours", Dict::new()).await;
    let mut caller = json(&running).await;
    let timeout = || Dict::new().with("timeout", 50);
    let yours = caller.call("com.example.yours", timeout(), text("x")).await;
    let told = watchful.invocation().await;
    assert_eq!(told.details.id("timeout"), Ok(None));
    let mine = caller.call("com.example.mine", timeout(), text("x")).await;
    let mut about_mine = None;
    loop {
        match watchful.hear().await {
            Message::Invocation(invocation) => about_mine = Some(invocation),
            Message::Interrupt(interrupt) => {
                assert_eq!(interrupt.request, told.request);
                assert_eq!(interrupt.options.text("reason"), Ok(Some("wamp.error.timeout")));
            }
            other => panic!("{other:?}"),
        }
        if about_mine.is_some() {
            break;
        }
    }
    let about_mine = about_mine.expect("it was found");
    assert_eq!(about_mine.details.id("timeout"), Ok(Some(50)));
    assert_eq!(caller.error(yours).await.error, "wamp.error.timeout");
    // When this one's time is over, the other one's is too, and nobody has said so.
    let later = caller.call("com.example.yours", timeout(), text("x")).await;
    assert_eq!(caller.error(later).await.error, "wamp.error.timeout");
    watchful.yield_(about_mine.request, text("late, and welcome")).await;
    assert_eq!(caller.result(mine).await, text("late, and welcome"));
}

/// REQ-WAMP-048, REQ-WAMP-049: who did not announce pieces gets none, and who cannot be interrupted is not.
#[tokio::test]
async fn a_plain_callee_gets_neither_pieces_nor_interrupts() {
    let running = start().await;
    let (mut plain, mut caller) = (json(&running).await, json(&running).await);
    plain.register("com.example.p", Dict::new()).await;
    let call = caller.call("com.example.p", Dict::new().with("progress", true), text("a piece")).await;
    assert_eq!(caller.error(call).await.error, "wamp.error.feature_not_supported");
    let call = caller.call("com.example.p", Dict::new(), text("x")).await;
    let asked = plain.invocation().await;
    caller.say(message::Cancel { request: call, options: Dict::new().with("mode", "kill") }).await;
    assert_eq!(caller.error(call).await.error, "wamp.error.canceled");
    plain.yield_(asked.request, text("nobody waits")).await;
    // The next message is no INTERRUPT, and the next answer not that of the call before.
    let call = caller.call("com.example.p", Dict::new(), text("y")).await;
    let asked = plain.invocation().await;
    plain.yield_(asked.request, text("next")).await;
    assert_eq!(caller.result(call).await, text("next"));
}

/// REQ-WAMP-030, REQ-WAMP-055: who did not announce that it understands is not told, and has lost them all the same.
#[tokio::test]
async fn revocation_is_told_to_those_who_understand() {
    let running = start().await;
    let (mut admin, mut plain) = (json(&running).await, json(&running).await);
    let mut knowing = callee(&running, &["registration_revocation"]).await;
    for (client, told) in [(&mut plain, false), (&mut knowing, true)] {
        let session = client.session;
        let subscription = subscribe(client, "com.example.a", Dict::new()).await;
        let registration = client.register("com.example.p", Dict::new()).await;
        let args = [Value::from(subscription), session.into()];
        ask(&mut admin, "wamp.subscription.remove_subscriber", &args).await;
        if told {
            let Message::Unsubscribed(gone) = client.hear().await else { panic!("no UNSUBSCRIBED") };
            assert_eq!((gone.request, gone.details.id("subscription")), (0, Ok(Some(subscription))));
        }
        let args = [Value::from(registration), session.into()];
        ask(&mut admin, "wamp.registration.remove_callee", &args).await;
        if told {
            let Message::Unregistered(gone) = client.hear().await else { panic!("no UNREGISTERED") };
            assert_eq!((gone.request, gone.details.id("registration")), (0, Ok(Some(registration))));
        }
        let call = admin.call("com.example.p", Dict::new(), text("x")).await;
        assert_eq!(admin.error(call).await.error, "wamp.error.no_such_procedure");
        let request = client.request();
        client.say(message::Unsubscribe { request, subscription }).await;
        assert_eq!(client.error(request).await.error, "wamp.error.no_such_subscription");
    }
}
