//! What WAMP sessions publish, as raw sockets receive it.

use petasus_protocol::wamp::{Dict, Payload, Serializer, Value};

use crate::client::Wamp;
use crate::raw::{BINARY, Raw, TEXT};
use crate::{json, publish, published, start};

/// REQ-WAMP-091, REQ-WAMP-092: in all serialisations, on pub/sub, and on the bus.
#[tokio::test]
async fn a_single_argument_reaches_raw_sockets_bare_and_others_wrapped() {
    let running = start().await;
    let mut below = Raw::open(running.address, "/sub/talk").await;
    let mut bus = Raw::open(running.address, "/bus/talk/a").await;
    let object = || Value::from(Dict::new().with("a", 1_u64));
    let wrapped = br#"{"args":[{"a":1},{"a":1}],"kwargs":{}}"#;
    let rows: [(Vec<Value>, u8, &[u8]); 5] = [
        (vec!["text".into()], TEXT, b"text"),
        (vec![Value::Bytes(vec![0, 255].into())], BINARY, &[0, 255]),
        (vec![object()], TEXT, br#"{"a":1}"#),
        (vec![7_u64.into()], TEXT, b"7"),
        (vec![object(), object()], TEXT, wrapped),
    ];
    for serializer in Serializer::ALL {
        let mut publisher = Wamp::join(running.address, serializer, "default").await;
        for (args, opcode, wanted) in &rows {
            for (options, receiver) in
                [(Dict::new(), &mut below), (Dict::new().with("_pattern", "bus"), &mut bus)]
            {
                let payload = Payload::of_values(serializer, args, &Dict::new());
                let request = publish(&mut publisher, "talk.a", options, payload).await;
                published(&mut publisher, request).await;
                receiver.expect(*opcode, wanted).await;
            }
        }
    }
    running.stop().await;
}

/// REQ-WAMP-090: a raw payload is never parsed.
#[tokio::test]
async fn what_a_raw_socket_got_and_sends_on_is_a_text() {
    let running = start().await;
    let mut session = json(&running).await;
    let mut raw = Raw::open(running.address, "/bus/talk/a").await;
    let bus = || Dict::new().with("_pattern", "bus");
    crate::subscribe(&mut session, "talk.a", bus()).await;
    let payload = Payload::of_values(Serializer::Json, &[Dict::new().with("a", 1_u64).into()], &Dict::new());
    let request = publish(&mut session, "talk.a", bus(), payload).await;
    published(&mut session, request).await;
    let got = raw.next().await.expect("the connection is open").payload;
    raw.send(crate::raw::message(TEXT, &got)).await;
    assert_eq!(crate::event(&mut session).await.payload.arg_values().unwrap(), [Value::from(r#"{"a":1}"#)]);
    running.stop().await;
}
