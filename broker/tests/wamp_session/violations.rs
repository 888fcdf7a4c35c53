//! What ends a session, and only that one.

use petasus_protocol::wamp::{Dict, Message, Serializer, message};

use crate::client::{Wamp, text};
use crate::raw::{BINARY, TEXT, message as frame};
use crate::{aborted, ask, json, start};

/// REQ-WAMP-019
#[tokio::test]
async fn the_wrong_kind_of_websocket_message_is_a_violation() {
    let running = start().await;
    for (serializer, opcode) in
        [(Serializer::Json, BINARY), (Serializer::MsgPack, TEXT), (Serializer::Cbor, TEXT)]
    {
        let mut client = Wamp::join(running.address, serializer, "default").await;
        client.raw().send(frame(opcode, b"[48,1,{},\"com.example.x\"]")).await;
        aborted(&mut client, "wamp.error.protocol_violation", 1002).await;
    }
}

/// REQ-WAMP-057: the call that it names is cancelled with the session.
#[tokio::test]
async fn a_request_id_in_use_is_a_violation() {
    let running = start().await;
    let (mut caller, mut callee) =
        (json(&running).await, Wamp::connect(running.address, Serializer::Json).await);
    let details = crate::hello_details(&["call_canceling"]);
    callee.say(message::Hello { realm: "default".to_owned(), details }).await;
    assert!(matches!(callee.hear().await, Message::Welcome(_)));
    callee.register("com.example.p", Dict::new()).await;
    let request = caller.call("com.example.p", Dict::new(), text("one")).await;
    let invocation = callee.invocation().await;
    let (options, procedure) = (Dict::new(), "com.example.p".to_owned());
    caller.say(message::Call { request, options, procedure, payload: text("two") }).await;
    aborted(&mut caller, "wamp.error.protocol_violation", 1002).await;
    match callee.hear().await {
        Message::Interrupt(interrupt) => assert_eq!(interrupt.request, invocation.request),
        other => panic!("{other:?} instead of INTERRUPT"),
    }
}

/// REQ-WAMP-015, REQ-WAMP-003: others in the same realm notice nothing.
#[tokio::test]
async fn a_violation_is_nobody_elses_trouble() {
    let running = start().await;
    let mut other = json(&running).await;
    other.register("com.example.p", Dict::new()).await;
    for broken in [
        "[68,1,1,{}]",
        "[1,\"default\",{\"roles\":{\"caller\":{}}}]",
        "[70,1,{}]",
        "[8,48,1,{},\"com.example.error\"]",
        "[8,68,1,{},\"com.example.error\"]",
        "[48,1,{},\"com.example.p\"",
        "[48,1,{},\"com.example.p\",{}]",
        "[48,-1,{},\"com.example.p\"]",
        "[]",
        "[\"48\"]",
        "[48,1,{},\"com.example.p\",[],{},7]",
    ] {
        let mut client = json(&running).await;
        client.raw().send(frame(TEXT, broken.as_bytes())).await;
        aborted(&mut client, "wamp.error.protocol_violation", 1002).await;
    }
    assert_eq!(ask(&mut other, "wamp.session.count", &[]).await, [1.into()]);
    let mut caller = json(&running).await;
    let request = caller.call("com.example.p", Dict::new(), text("x")).await;
    let invocation = other.invocation().await;
    assert_eq!(invocation.request, 1, "nothing of all that has reached the callee");
    other.yield_(invocation.request, text("y")).await;
    assert_eq!(caller.result(request).await, text("y"));
}
