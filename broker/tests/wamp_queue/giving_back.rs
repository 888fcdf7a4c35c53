//! Workers that go before they have answered.

use petasus_protocol::wamp::{Dict, Message, message};

use crate::client::{Wamp, text};
use crate::raw::{Raw, TEXT};
use crate::{done, json, post, queue, start};

async fn worker(running: &crate::running::Running) -> Wamp {
    let mut worker = json(running).await;
    worker.register("jobs", queue().with("concurrency", 3)).await;
    worker
}

/// REQ-WAMP-096: what a worker has not answered goes to the next, before all others and in its order, once.
#[tokio::test]
async fn unanswered_jobs_of_a_worker_that_dies_come_back() {
    let running = start(false).await;
    let mut first = worker(&running).await;
    let mut pusher = json(&running).await;
    let asked = pusher.call("jobs", done(), text("a")).await;
    for job in ["b", "c", "d", "e"] {
        post(&running, "/push/jobs", job).await;
    }
    let jobs = [first.invocation().await, first.invocation().await, first.invocation().await];
    assert_eq!(jobs.each_ref().map(|job| job.payload.clone()), ["a", "b", "c"].map(text));
    first.yield_(jobs[1].request, text("b is done")).await;
    assert_eq!(first.invocation().await.payload, text("d"));
    let mut second = json(&running).await;
    second.register("jobs", queue().with("concurrency", 10)).await;
    assert_eq!(second.invocation().await.payload, text("e"));
    first.die();
    for job in ["a", "c", "d"] {
        let got = second.invocation().await;
        assert_eq!(got.payload, text(job));
        if job == "a" {
            second.yield_(got.request, text("by the second")).await;
        }
    }
    assert_eq!(pusher.result(asked).await, text("by the second"));
    post(&running, "/push/jobs", "f").await;
    assert_eq!(second.invocation().await.payload, text("f"), "nothing came twice");
}

/// REQ-WAMP-096: GOODBYE and UNREGISTER give back as well; a raw puller takes what nobody waits for.
#[tokio::test]
async fn unanswered_jobs_of_a_worker_that_stops_come_back() {
    for goodbye in [true, false] {
        let running = start(true).await;
        let mut first = json(&running).await;
        let registration = first.register("jobs", queue().with("concurrency", 3)).await;
        for job in ["a", "b"] {
            assert_eq!(post(&running, "/push/jobs", job).await, 200);
            assert_eq!(first.invocation().await.payload, text(job));
        }
        if goodbye {
            let (details, reason) = (Dict::new(), "wamp.close.close_realm".to_owned());
            first.say(message::Goodbye { details, reason }).await;
            assert!(matches!(first.hear().await, Message::Goodbye(_)));
        } else {
            let request = first.request();
            first.say(message::Unregister { request, registration }).await;
            assert!(matches!(first.hear().await, Message::Unregistered(_)));
        }
        let mut raw = Raw::open(running.address, "/pull/jobs").await;
        raw.expect(TEXT, "a").await;
        raw.expect(TEXT, "b").await;
    }
}
