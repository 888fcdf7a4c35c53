//! Hooks that do not answer: too late, or because they panic. They refuse, and harm nobody else.

use std::future::pending;

use petasus_broker::Broker;
use petasus_broker::auth::{Denied, Operation, Refusal, RequestHead, Verdict};
use tokio::sync::mpsc;

use crate::raw::{Raw, TEXT, handshake, message, soon};
use crate::running::{Running, config, seconds};
use crate::{JOINING, SENDING, builder, closing, members, on_all, post, start, status_and_body};

/// Topics on which the hooks of these tests answer.
const GOOD: &str = "good";

/// Three pairs that are not concerned; they must go on as if nothing happened.
struct Others(Vec<(Raw, Raw)>);

impl Others {
    async fn open(running: &Running) -> Others {
        let mut pairs = Vec::new();
        for (from, to, _) in SENDING {
            let good = |path: &str| path.replace("/t", "/good");
            let receiver = Raw::open(running.address, &good(to)).await;
            pairs.push((Raw::open(running.address, &good(from)).await, receiver));
        }
        Others(pairs)
    }

    async fn go_on(&mut self) {
        for (sender, receiver) in &mut self.0 {
            sender.send(message(TEXT, b"still here")).await;
            receiver.expect(TEXT, "still here").await;
        }
    }
}

/// The members that `Others` are.
const OTHERS: [usize; 3] = [2, 1, 1];

/// Plays all ways to ask a hook about an operation, which must answer nothing on any topic but `good`.
async fn is_refused(running: Running, reason: &str) {
    let mut others = Others::open(&running).await;
    assert_eq!(members(&running.broker), OTHERS);
    let mut http = Raw::connect(running.address).await;
    for (path, _) in JOINING {
        http.send(handshake(path, "")).await;
        assert_eq!(status_and_body(&mut http).await, (503, format!("{reason}\n")), "{path}");
        others.go_on().await;
    }
    for (from, _, _) in SENDING {
        assert_eq!(post(&mut http, from, "x").await, (503, format!("{reason}\n")), "{from}");
        others.go_on().await;
        if from == "/bus/t" {
            continue; // joining was refused above
        }
        let mut sender = Raw::open(running.address, from).await;
        sender.send([message(TEXT, b"x"), message(TEXT, b"y")].concat()).await;
        assert_eq!(sender.expect_close().await, closing(3003, reason), "{from}");
        others.go_on().await;
    }
    assert_eq!(members(&running.broker), OTHERS);
    soon("the connections to be forgotten", async {
        while running.broker.connections() > others.0.len() * 2 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    running.stop().await;
}

/// REQ-HOOK-003, REQ-LIVE-002
#[tokio::test]
async fn an_operation_whose_hook_is_late_is_refused() {
    let mut config = config("http://127.0.0.1:0");
    config.hooks.timeout = seconds(0.1);
    let hook = async |operation: Operation| if operation.topic == GOOD { Ok(()) } else { pending().await };
    let running = start(on_all(Broker::builder().config(config), hook)).await;
    is_refused(running, "the authorisation did not answer in time").await;
}

/// REQ-HOOK-003: no answer, no harm; REQ-LIVE-002
#[tokio::test]
async fn an_operation_whose_hook_panics_is_refused() {
    let hook =
        async |operation: Operation| if operation.topic == GOOD { Ok(()) } else { panic!("on purpose") };
    let running = start(on_all(builder(), hook)).await;
    is_refused(running, "the authorisation failed").await;
}

/// REQ-LIVE-002: it may panic before there is anything to await.
#[tokio::test]
async fn an_operation_whose_hook_panics_when_it_is_called_is_refused() {
    let hook = |operation: Operation| {
        assert_eq!(operation.topic, GOOD, "on purpose");
        std::future::ready(Ok::<_, Denied>(()))
    };
    let running = start(on_all(builder(), hook)).await;
    is_refused(running, "the authorisation failed").await;
}

/// Asks about an upgrade and a POST, which must be refused, and then about two that must not.
async fn requests_are_refused(running: Running, reason: &str) {
    let mut others = Others::open(&running).await;
    let mut http = Raw::connect(running.address).await;
    http.send(handshake("/bus/t", "")).await;
    assert_eq!(status_and_body(&mut http).await, (503, format!("{reason}\n")));
    others.go_on().await;
    assert_eq!(post(&mut http, "/pub/t", "x").await, (503, format!("{reason}\n")));
    others.go_on().await;
    assert_eq!(members(&running.broker), OTHERS);
    assert_eq!(post(&mut http, "/pub/good", "x").await, (200, String::new()));
    others.0[1].1.expect(TEXT, "x").await;
    http.upgrade("/bus/good", "").await;
    running.stop().await;
}

fn is_good(head: &RequestHead) -> bool {
    head.client.uri.path().ends_with(GOOD)
}

/// REQ-HOOK-003
#[tokio::test]
async fn a_request_whose_hook_is_late_is_refused() {
    let mut config = config("http://127.0.0.1:0");
    config.hooks.timeout = seconds(0.1);
    let hook = async |head| if is_good(&head) { Ok(Verdict::Allow) } else { pending().await };
    let running = start(Broker::builder().config(config).on_request(hook)).await;
    requests_are_refused(running, "the authorisation did not answer in time").await;
}

/// REQ-HOOK-003, REQ-LIVE-002
#[tokio::test]
async fn a_request_whose_hook_panics_is_refused() {
    let hook = async |head| if is_good(&head) { Ok(Verdict::Allow) } else { panic!("on purpose") };
    requests_are_refused(start(builder().on_request(hook)).await, "the authorisation failed").await;
    let hook = |head| {
        assert!(is_good(&head), "on purpose");
        std::future::ready(Ok::<_, Refusal>(Verdict::Allow))
    };
    requests_are_refused(start(builder().on_request(hook)).await, "the authorisation failed").await;
}

/// Tells when it is dropped.
struct Told(mpsc::UnboundedSender<&'static str>);

impl Drop for Told {
    fn drop(&mut self) {
        let _ = self.0.send("dropped");
    }
}

/// REQ-HOOK-003: nothing of a question is left when it is answered in its place, or nobody waits for the answer.
#[tokio::test]
async fn a_question_that_nobody_waits_for_is_given_up() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let hook = move |_| {
        let tell = Told(tell.clone());
        async move {
            tell.0.send("asked").unwrap();
            pending().await
        }
    };
    let running = start(builder().on_request(hook)).await;
    for _ in 0..2 {
        let mut raw = Raw::connect(running.address).await;
        raw.send(handshake("/bus/t", "")).await;
        assert_eq!(soon("the question", told.recv()).await, Some("asked"));
        drop(raw);
        assert_eq!(soon("the end of the question", told.recv()).await, Some("dropped"));
    }
    assert_eq!(members(&running.broker), [0, 0, 0]);
}
