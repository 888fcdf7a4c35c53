//! Backlogs, and what one session may have.

use petasus_protocol::wamp::{Message, message};

use crate::client::text;
use crate::{done, json, queue, start, start_with};

/// REQ-RR-008, REQ-RR-013, REQ-WAMP-095: nobody pulls, somebody will, or there is no room.
#[tokio::test]
async fn pushers_hear_what_becomes_of_their_jobs() {
    let running = start(false).await;
    let mut pusher = json(&running).await;
    let request = pusher.call("jobs", queue(), text("a")).await;
    let error = pusher.error(request).await;
    assert_eq!(error.error, "wamp.error.unavailable");
    assert!(error.payload.arg_values().unwrap()[0].as_text().is_some_and(|text| text.contains("puller")));
    let running = start_with(true, |config| config.queue.hold_messages = 2).await;
    let mut pusher = json(&running).await;
    for how in ["held", "held"] {
        let request = pusher.call("jobs", queue(), text("a")).await;
        assert_eq!(pusher.result(request).await, text(how));
    }
    for options in [queue(), done()] {
        let request = pusher.call("jobs", options, text("a")).await;
        assert_eq!(pusher.error(request).await.error, "wamp.error.unavailable");
    }
}

/// REQ-WAMP-093: REGISTERED comes before the first job, also if jobs wait already.
#[tokio::test]
async fn registered_comes_first() {
    let running = start(true).await;
    let mut pusher = json(&running).await;
    let request = pusher.call("jobs", queue(), text("a")).await;
    assert_eq!(pusher.result(request).await, text("held"));
    let mut puller = json(&running).await;
    let registration = puller.register("jobs", queue()).await;
    assert_eq!(puller.invocation().await.registration, registration);
}

/// REQ-WAMP-105: a session pulls once from a queue, and from so many.
#[tokio::test]
async fn pullers_of_a_session_are_counted() {
    let running = start_with(false, |config| config.wamp.registrations = 2).await;
    let mut puller = json(&running).await;
    let first = puller.register("a", queue()).await;
    puller.register("b", queue()).await;
    for (procedure, error) in
        [("a", "wamp.error.procedure_already_exists"), ("c", "wamp.error.option_not_allowed")]
    {
        let request = puller.request();
        puller.say(message::Register { request, options: queue(), procedure: procedure.into() }).await;
        assert_eq!(puller.error(request).await.error, error);
    }
    let request = puller.request();
    puller.say(message::Unregister { request, registration: first }).await;
    assert!(matches!(puller.hear().await, Message::Unregistered(_)));
    puller.register("c", queue()).await;
}

/// REQ-RR-012, REQ-WAMP-094: a puller that does not read gets no more, and the rest once it does.
#[tokio::test]
async fn a_puller_that_reads_again_is_ready_again() {
    let running = start(false).await;
    let mut puller = json(&running).await;
    puller.register("jobs", queue().with("concurrency", 1000)).await;
    let mut pusher = json(&running).await;
    let long = "x".repeat(200_000);
    let mut pushed = 0;
    loop {
        pushed += 1;
        let request = pusher.call("jobs", queue(), text(&format!("{pushed}{long}"))).await;
        if pusher.result(request).await == text("held") {
            break;
        }
    }
    for job in 1..=pushed {
        assert_eq!(puller.invocation().await.payload, text(&format!("{job}{long}")));
    }
}
