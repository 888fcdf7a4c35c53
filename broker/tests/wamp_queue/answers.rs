//! Concurrency, and pushes that wait until their jobs are done.

use petasus_protocol::wamp::{Dict, message};

use crate::client::text;
use crate::raw::{Raw, TEXT};
use crate::{done, json, post, queue, start};

/// REQ-WAMP-094: one job at a time, unless more are asked for; an answer makes ready again, whatever it is.
#[tokio::test]
async fn a_puller_has_as_many_jobs_as_it_takes() {
    let running = start(false).await;
    let mut puller = json(&running).await;
    let registration = puller.register("jobs", queue()).await;
    for (job, status) in [("a", 200), ("b", 202), ("c", 202)] {
        assert_eq!(post(&running, "/push/jobs", job).await, status);
    }
    let first = puller.invocation().await;
    assert_eq!((first.registration, first.payload), (registration, text("a")));
    // Progress completes nothing.
    let options = Dict::new().with("progress", true);
    puller.say(message::Yield { request: first.request, options, payload: text("half") }).await;
    let mut raw = Raw::open(running.address, "/pull/jobs").await;
    raw.expect(TEXT, "b").await;
    raw.expect(TEXT, "c").await;
    assert_eq!(post(&running, "/push/jobs", "d").await, 200);
    raw.expect(TEXT, "d").await;
    puller.yield_(first.request, text("done")).await;
    puller.raw().settle().await;
    assert_eq!(post(&running, "/push/jobs", "e").await, 200);
    let second = puller.invocation().await;
    assert_eq!(second.payload, text("e"));
    let (kind, request, details) = (message::Invocation::CODE, second.request, Dict::new());
    puller
        .say(message::Error { kind, request, details, error: "my.error".into(), payload: text("no") })
        .await;
    puller.raw().settle().await;
    // The one that is always ready has had its turn.
    assert_eq!(post(&running, "/push/jobs", "f").await, 200);
    assert_eq!(post(&running, "/push/jobs", "g").await, 200);
    raw.expect(TEXT, "f").await;
    assert_eq!(puller.invocation().await.payload, text("g"));
}

/// REQ-WAMP-099, REQ-WAMP-111: RESULT is what the worker yields, ERROR is what it says, and raw pullers are passed over.
#[tokio::test]
async fn who_waits_until_it_is_done_hears_the_worker() {
    let running = start(false).await;
    let mut raw = Raw::open(running.address, "/pull/jobs").await;
    let mut pusher = json(&running).await;
    let request = pusher.call("jobs", done(), text("nobody")).await;
    assert_eq!(pusher.error(request).await.error, "wamp.error.unavailable", "raw pullers do not answer");
    let mut worker = json(&running).await;
    worker.register("jobs", queue()).await;
    let one = pusher.call("jobs", done(), text("one")).await;
    let two = pusher.call("jobs", done(), text("two")).await;
    let job = worker.invocation().await;
    assert_eq!(job.payload, text("one"));
    // What waits for the worker keeps nothing from the raw one, whose turn it still is.
    assert_eq!(post(&running, "/push/jobs", "raw").await, 200);
    raw.expect(TEXT, "raw").await;
    worker.yield_(job.request, text("answer")).await;
    assert_eq!(pusher.result(one).await, text("answer"));
    let job = worker.invocation().await;
    assert_eq!(job.payload, text("two"));
    let (kind, request, details) = (message::Invocation::CODE, job.request, Dict::new());
    worker
        .say(message::Error { kind, request, details, error: "my.error".into(), payload: text("why") })
        .await;
    let error = pusher.error(two).await;
    assert_eq!((error.kind, error.error.as_str(), error.payload), (48, "my.error", text("why")));
}

/// REQ-WAMP-100: a push that is taken back is not done if it still waits, and goes on if a worker has it.
#[tokio::test]
async fn a_push_can_be_canceled() {
    let running = start(false).await;
    let mut worker = json(&running).await;
    worker.register("jobs", queue()).await;
    let mut pusher = json(&running).await;
    let mut requests = Vec::new();
    for job in ["runs", "waits", "stays"] {
        requests.push(pusher.call("jobs", done(), text(job)).await);
    }
    let job = worker.invocation().await;
    for &request in &requests[..2] {
        pusher.say(message::Cancel { request, options: Dict::new() }).await;
        assert_eq!(pusher.error(request).await.error, "wamp.error.canceled");
    }
    worker.yield_(job.request, text("too late")).await;
    let job = worker.invocation().await;
    assert_eq!(job.payload, text("stays"), "the second was taken out");
    worker.yield_(job.request, text("answer")).await;
    assert_eq!(pusher.result(requests[2]).await, text("answer"), "and nothing came of the first");
}

/// REQ-WAMP-099: the job of a pusher that has gone is done all the same.
#[tokio::test]
async fn a_pusher_may_leave() {
    let running = start(true).await;
    let mut pusher = json(&running).await;
    pusher.call("jobs", done(), text("one")).await;
    pusher.call("jobs", done(), text("two")).await;
    pusher.raw().settle().await;
    pusher.die();
    let mut worker = json(&running).await;
    worker.register("jobs", queue()).await;
    for name in ["one", "two"] {
        let job = worker.invocation().await;
        assert_eq!(job.payload, text(name));
        worker.yield_(job.request, text("done")).await;
    }
    worker.raw().settle().await;
}

/// REQ-WAMP-096: an answer that comes too late is no fault; one to a job that was never given is.
#[tokio::test]
async fn late_answers_are_ignored() {
    let running = start(false).await;
    let mut worker = json(&running).await;
    let registration = worker.register("jobs", queue()).await;
    let mut pusher = json(&running).await;
    let push = pusher.call("jobs", done(), text("job")).await;
    let job = worker.invocation().await;
    let request = worker.request();
    worker.say(message::Unregister { request, registration }).await;
    assert_eq!(pusher.error(push).await.error, "wamp.error.unavailable", "nobody is left");
    assert!(matches!(worker.hear().await, petasus_protocol::wamp::Message::Unregistered(_)));
    worker.yield_(job.request, text("late")).await;
    worker.raw().settle().await;
    worker.yield_(job.request + 1, text("never given")).await;
    let petasus_protocol::wamp::Message::Abort(abort) = worker.hear().await else { panic!("no ABORT") };
    assert_eq!(abort.reason, "wamp.error.protocol_violation");
}
