//! One ring for raw and for WAMP pullers, and what each of them gets.

use petasus_protocol::wamp::{Dict, Message, Payload, Serializer, Value, message};

use crate::client::{Wamp, text};
use crate::raw::{BINARY, FIN, Raw, TEXT, message as frame};
use crate::{json, post, queue, start};

/// REQ-WAMP-093, REQ-WAMP-097, REQ-RR-009: the turn goes round among all, in the order of joining.
#[tokio::test]
async fn raw_and_wamp_pullers_take_turns_in_one_ring() {
    let running = start(false).await;
    let mut raw = Raw::open(running.address, "/pull/a/b").await;
    let mut one = json(&running).await;
    let registration = one.register("a.b", queue().with("concurrency", 10)).await;
    assert!(registration >= 1 << 52, "the dealer's numbers are others: {registration}");
    let mut two = Wamp::join(running.address, Serializer::Cbor, "default").await;
    two.register("a.b", queue().with("concurrency", 10)).await;
    for round in 0..3_u64 {
        for place in 0..3 {
            assert_eq!(post(&running, "/push/a/b", &format!("{round}.{place}")).await, 200);
        }
        raw.expect(TEXT, format!("{round}.0")).await;
        for (place, puller) in [(1, &mut one), (2, &mut two)] {
            let job = puller.invocation().await;
            assert_eq!(job.request, (1 << 52) + round);
            assert_eq!(job.payload.arg_values().unwrap(), [Value::from(format!("{round}.{place}"))]);
            assert_eq!(job.payload.kwargs, None);
        }
    }
}

/// REQ-WAMP-097: what a WAMP client pushes comes to another exactly as it was, in its own serialisation, and to a
/// raw puller as its only argument, or as JSON with all of them.
#[tokio::test]
async fn jobs_keep_their_form() {
    let running = start(false).await;
    let mut raw = Raw::open(running.address, "/pull/jobs").await;
    let mut puller = Wamp::join(running.address, Serializer::MsgPack, "default").await;
    puller.register("jobs", queue().with("concurrency", 10)).await;
    let mut pusher = json(&running).await;
    let structured =
        || Payload::of_values(Serializer::Json, &[1.into(), "x".into()], &Dict::new().with("k", Value::Null));
    let binary = || Payload::of_values(Serializer::Json, &[Value::Bytes(vec![0, 255].into())], &Dict::new());
    let object = || Payload::of_values(Serializer::Json, &[Dict::new().with("a", 1).into()], &Dict::new());
    for payload in [text("plain"), structured(), binary(), binary(), structured(), object(), object()] {
        let request = pusher.call("jobs", queue(), payload).await;
        assert_eq!(pusher.result(request).await, text("handed"));
    }
    raw.expect(TEXT, "plain").await;
    raw.expect(BINARY, [0, 255]).await;
    raw.expect(TEXT, r#"{"args":[1,"x"],"kwargs":{"k":null}}"#).await;
    raw.expect(TEXT, r#"{"a":1}"#).await;
    let got = puller.invocation().await.payload;
    assert_eq!(got.arg_values().unwrap(), [Value::from(1), Value::from("x")]);
    assert_eq!(got.kwarg_values().unwrap(), Dict::new().with("k", Value::Null));
    let got = puller.invocation().await.payload;
    assert_eq!(got.arg_values().unwrap(), [Value::Bytes(vec![0, 255].into())]);
    assert_eq!(puller.invocation().await.payload.arg_values(), object().arg_values());
    // A raw binary message becomes binary.
    let mut push = Raw::open(running.address, "/push/jobs").await;
    push.send(frame(BINARY, &[7, 255])).await;
    push.settle().await;
    assert_eq!(puller.invocation().await.payload.arg_values().unwrap(), [Value::Bytes(vec![7, 255].into())]);
}

/// REQ-WAMP-097: a WAMP job that a raw puller has not taken goes to a WAMP puller as it was pushed.
#[tokio::test]
async fn a_job_that_comes_back_from_a_raw_puller_has_its_old_form() {
    let running = start(false).await;
    let mut raw = Raw::connect_small(running.address).await;
    raw.upgrade("/pull/jobs", "").await;
    let mut pusher = json(&running).await;
    // More than a socket that is not read takes.
    let long = "x".repeat(200_000);
    let mut sent = 0;
    loop {
        let payload =
            Payload::of_values(Serializer::Json, &[sent.into(), long.as_str().into()], &Dict::new());
        let request = pusher.call("jobs", queue(), payload).await;
        sent += 1;
        if pusher.result(request).await == text("held") {
            break;
        }
    }
    let mut puller = Wamp::join(running.address, Serializer::Json, "default").await;
    puller.register("jobs", queue().with("concurrency", 1000)).await;
    raw.reset();
    let last = Value::from(sent - 1);
    let mut numbers = Vec::new();
    loop {
        let job = puller.invocation().await;
        let args = job.payload.arg_values().unwrap();
        assert_eq!(args[1], Value::from(long.as_str()), "two arguments, as they were pushed");
        numbers.push(args[0].clone());
        if numbers.len() > 1 && numbers.contains(&last) {
            break;
        }
    }
    assert_eq!(numbers[0], last, "the one that waited came at once");
    let sorted = numbers[1..].windows(2).all(|pair| number(&pair[0]) < number(&pair[1]));
    assert!(sorted, "the others in their order: {numbers:?}");
}

fn number(value: &Value) -> i128 {
    match value {
        Value::Integer(number) => *number,
        other => panic!("{other:?}"),
    }
}

/// REQ-WAMP-098: PUBLISH pushes too, and says so if it is asked to.
#[tokio::test]
async fn publish_pushes() {
    let running = start(false).await;
    let mut pusher = json(&running).await;
    let publish = |request, acknowledge| message::Publish {
        request,
        options: queue().with("acknowledge", acknowledge),
        topic: "jobs".into(),
        payload: text("job"),
    };
    let request = pusher.request();
    pusher.say(publish(request, true)).await;
    let error = pusher.error(request).await;
    assert_eq!((error.kind, error.error.as_str()), (16, "wamp.error.unavailable"));
    let mut raw = Raw::open(running.address, "/pull/jobs").await;
    let request = pusher.request();
    pusher.say(publish(request, false)).await;
    raw.expect(TEXT, "job").await;
    let request = pusher.request();
    pusher.say(publish(request, true)).await;
    assert!(matches!(pusher.hear().await, Message::Published(published) if published.request == request));
    assert_eq!(raw.next().await.unwrap().first, FIN | TEXT);
}
