//! Too much, and too little.

use petasus_protocol::wamp::{Dict, Message, Payload, Serializer, Value, message};

use crate::client::{Wamp, text};
use crate::metrics::{Metrics, until};
use crate::raw::{BINARY, CLOSE, FIN, Raw, TEXT, frame_head, handshake, message as frame, soon};
use crate::running::{Running, config};
use crate::witness::{SESSIONS, Witness};
use crate::{json, panics, start};

/// Calls that wait for one procedure, at most.
const WAITING: u64 = 10_000;

/// REQ-WAMP-105, REQ-WAMP-046: one call more than may wait is refused; the callers who leave take theirs with them.
#[tokio::test]
async fn calls_that_wait_are_counted() {
    let running = start().await;
    let mut witness = Witness::new(&running).await;
    let (mut callee, mut caller) = (json(&running).await, json(&running).await);
    callee.register("bound.slow", Dict::new().with("concurrency", 1)).await;
    let mut bytes = Vec::new();
    // One is on its way, and one is too many.
    for _ in 0..WAITING + 2 {
        let (request, procedure) = (caller.request(), "bound.slow".to_owned());
        let payload = Payload::empty();
        bytes.extend(caller.frame(message::Call { request, options: Dict::new(), procedure, payload }));
    }
    caller.raw().send(bytes).await;
    assert_eq!(caller.error(WAITING + 2).await.error, "wamp.error.unavailable");
    witness.check("calls wait").await;
    let first = callee.invocation().await;
    callee.yield_(first.request, text("one")).await;
    assert_eq!(caller.result(1).await, text("one"));
    callee.invocation().await;
    caller.die();
    callee.raw().settle().await;
    drop(callee);
    witness.leave().await;
    running.stop().await;
}

/// REQ-WAMP-105, REQ-FLOW-002, REQ-WS-017: whoever asks and does not listen is closed; its answers are no trouble for
/// others.
#[tokio::test]
async fn a_flood_whose_answers_are_not_read_is_ended() {
    panics::watch();
    let mut config = config("http://127.0.0.1:0");
    config.limits.message = 16_384;
    config.outbox.bytes = 16_384;
    let running = Running::start(config).await;
    let mut witness = Witness::new(&running).await;
    let mut flood = Raw::connect_small(running.address).await;
    flood.send(handshake("/ws", "Sec-WebSocket-Protocol: wamp.2.json\r\n")).await;
    assert_eq!(flood.answer_head().await.status, 101);
    flood.send(frame(TEXT, br#"[1,"default",{"roles":{"caller":{}}}]"#)).await;
    let call = frame(TEXT, br#"[48,1,{},"row.nobody"]"#);
    let mut rounds = 0;
    while Metrics::of(&running.broker).value("petasus_overflows_total") == 0 {
        flood.send(call.repeat(500)).await;
        witness.check("flood").await;
        rounds += 1;
        assert!(rounds < 10_000, "all answers were kept for one that does not read");
    }
    let close = loop {
        let frame = flood.next().await.expect("a Close frame before the end");
        if frame.first == CLOSE {
            break frame.payload;
        }
    };
    assert_eq!(close[..2], 3100_u16.to_be_bytes());
    drop(flood);
    witness.leave().await;
    running.stop().await;
}

/// REQ-LIVE-001, REQ-LIVE-002: at every place of an opening, in several ways.
#[tokio::test]
async fn who_goes_in_the_middle_of_an_opening_leaves_nothing() {
    let running = start().await;
    let mut witness = Witness::new(&running).await;
    let hello = frame(TEXT, br#"[1,"default",{"roles":{"subscriber":{},"callee":{}}}]"#);
    let then = [
        frame(TEXT, br#"[32,1,{},"row.a"]"#),
        frame(TEXT, br#"[64,2,{},"row.b"]"#),
        frame(TEXT, br#"[48,3,{},"row.b"]"#),
    ]
    .concat();
    let upgrade = handshake("/ws", "Sec-WebSocket-Protocol: wamp.2.json\r\n").into_bytes();
    let all = [upgrade, hello, then].concat();
    for length in 0..all.len() {
        let mut raw = Raw::connect(running.address).await;
        raw.send(&all[..length]).await;
        match length % 3 {
            0 => raw.reset(),
            1 => drop(raw),
            _ => raw.finish().await,
        }
        if length % 50 == 0 {
            witness.check("openings").await;
        }
    }
    witness.leave().await;
    running.stop().await;
}

/// REQ-WAMP-004, REQ-LIVE-002: what is announced is not kept room for.
#[tokio::test]
async fn a_message_that_never_comes_costs_nobody_else() {
    let running = start().await;
    let mut witness = Witness::new(&running).await;
    let mut waiting = Vec::new();
    for _ in 0..50 {
        let mut client = Wamp::join(running.address, Serializer::MsgPack, "default").await;
        client.raw().send([frame_head(FIN | BINARY, 262_144), vec![0x95; 3]].concat()).await;
        waiting.push(client);
    }
    witness.check("announced").await;
    until(&running.broker, "all to be there", |metrics| metrics.value("petasus_sessions") == SESSIONS + 50)
        .await;
    drop(waiting);
    witness.leave().await;
    running.stop().await;
}

/// REQ-WAMP-105: with answers that have not come, from one session to itself.
#[tokio::test]
async fn a_session_that_calls_itself_and_goes_leaves_nothing() {
    let running = start().await;
    let witness = Witness::new(&running).await;
    for serializer in Serializer::ALL {
        let mut client = Wamp::join(running.address, serializer, "default").await;
        client.register("bound.own", Dict::new().with("concurrency", 2)).await;
        client.register("bound.jobs", Dict::new().with("_pattern", "queue")).await;
        for options in [Dict::new(), Dict::new().with("timeout", 60_000)] {
            for _ in 0..10 {
                client.call("bound.own", options.clone(), text("x")).await;
            }
        }
        for options in [Dict::new(), Dict::new().with("_ack", "done")] {
            client.call("bound.jobs", options.with("_pattern", "queue"), text("x")).await;
        }
        client.say(message::Hello { realm: String::new(), details: Dict::new() }).await;
        let mut invocations = 0;
        loop {
            match client.hear().await {
                Message::Invocation(_) => invocations += 1,
                Message::Abort(_) => break,
                Message::Result(result) => {
                    assert_eq!(result.payload.arg_values().unwrap(), [Value::from("handed")]);
                }
                other => panic!("{other:?}"),
            }
        }
        // Its job may have been taken back before it was written.
        assert!((2..=3).contains(&invocations), "{invocations}");
        client.closed(1002).await;
    }
    soon("all to be gone", witness.leave()).await;
    running.stop().await;
}
