//! What the hooks about operations are asked, and what is allowed and denied.

use petasus_broker::auth::{Denied, Operation};
use petasus_broker::{Builder, Pattern};
use tokio::sync::mpsc;

use crate::raw::{BINARY, Raw, TEXT, close, frame, handshake, message, soon};
use crate::{ACTIONS, JOINING, SENDING, builder, closing, members, on_all, post, start, status_and_body};

/// Tells what is asked, and allows it.
fn watched(builder: Builder) -> (Builder, mpsc::UnboundedReceiver<Operation>) {
    let (tell, told) = mpsc::unbounded_channel();
    let builder = on_all(builder, move |operation| {
        tell.send(operation).unwrap();
        std::future::ready(Ok(()))
    });
    (builder, told)
}

/// REQ-HOOK-002
#[tokio::test]
async fn every_action_is_asked_about_with_its_namespace_and_its_client() {
    let (builder, mut asked) = watched(builder());
    let running = start(builder).await;
    for (from, to, sending) in SENDING {
        let mut receiver = Raw::connect(running.address).await;
        receiver.upgrade(&format!("{to}?echo=0&who=receiver"), "Cookie: a=b\r\n").await;
        let mut sender = Raw::open(running.address, from).await;
        sender.send(message(BINARY, b"sent")).await;
        receiver.expect(BINARY, "sent").await;
        let mut http = Raw::connect(running.address).await;
        assert_eq!(http.post(from, "posted").await, 200);
        receiver.expect(TEXT, "posted").await;

        let pattern = match from {
            "/bus/t" => Pattern::Bus,
            "/pub/t" => Pattern::PubSub,
            _ => Pattern::Queue,
        };
        let mut next = async || {
            let operation = soon("a question", asked.recv()).await.unwrap();
            assert_eq!((operation.pattern, operation.topic.as_str()), (pattern, "t"), "{from}");
            operation
        };
        let join = next().await;
        let joining = JOINING.iter().find(|(path, _)| *path == to).unwrap().1;
        assert_eq!((join.action, join.message), (joining, None));
        assert_eq!(join.client.uri.path_and_query().unwrap(), &format!("{to}?echo=0&who=receiver")[..]);
        assert_eq!(join.client.headers["cookie"], "a=b");
        assert!(join.client.remote.is_some_and(|remote| remote.ip().is_loopback()));
        if from == to {
            assert_eq!(next().await.action, joining, "the sender is a peer too");
        }
        let sent = next().await;
        let text = sent.message.unwrap();
        assert_eq!((sent.action, text.is_text(), &text.payload()[..]), (sending, false, &b"sent"[..]));
        assert_eq!(sent.client.uri, from);
        let posted = next().await;
        let text = posted.message.unwrap();
        assert_eq!((posted.action, text.as_str()), (sending, Some("posted")));
        receiver.leave().await;
    }
    assert!(asked.is_empty());
}

/// REQ-HOOK-002, REQ-HTTP-012, REQ-HTTP-014
#[tokio::test]
async fn whoever_may_not_join_is_told_why_and_is_no_member() {
    for (path, action) in JOINING {
        let running = start(builder().on(action, async |_| Err(Denied::new("not you")))).await;
        let mut raw = Raw::connect(running.address).await;
        for _ in 0..2 {
            raw.send(handshake(path, "")).await;
            let answer = raw.answer().await;
            assert_eq!((answer.status, answer.body.as_slice()), (403, &b"not you\n"[..]), "{path}");
            assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
        }
        assert_eq!(members(&running.broker), [0, 0, 0]);
        assert_eq!(running.broker.connections(), 0);
        // The others are free.
        for (other, _) in JOINING.iter().filter(|(other, _)| *other != path) {
            Raw::open(running.address, other).await.leave().await;
        }
        running.stop().await;
    }
}

/// REQ-HOOK-002, REQ-SUB-008
#[tokio::test]
async fn whoever_sends_what_it_may_not_is_told_why_and_closed() {
    for (from, to, action) in SENDING {
        let hook = async |operation: petasus_broker::auth::Operation| {
            let secret = operation.message.as_ref().unwrap().payload().starts_with(b"secret");
            if secret { Err(Denied::new("no secrets")) } else { Ok(()) }
        };
        let running = start(builder().on(action, hook)).await;
        let mut receiver = Raw::open(running.address, to).await;
        let before = members(&running.broker);
        let mut sender = Raw::open(running.address, from).await;
        // What comes behind the refused message is not acted on.
        let frames = ["one", "two", "secret", "three"].map(|text| message(TEXT, text.as_bytes()));
        sender.send(frames.concat()).await;
        assert_eq!(sender.expect_close().await, closing(3003, "no secrets"), "{from}");
        assert_eq!(members(&running.broker), before, "{from}");

        let mut http = Raw::connect(running.address).await;
        assert_eq!(post(&mut http, from, "secret").await, (403, "no secrets\n".to_owned()));
        assert_eq!(post(&mut http, from, "four").await, (200, String::new()));
        for text in ["one", "two", "four"] {
            receiver.expect(TEXT, text).await;
        }
        let text = running.broker.metrics();
        assert!(text.contains("\npetasus_refused_total 1\n"), "one POST: {text}");
        assert!(text.contains("\npetasus_closed_total{code=\"3003\"} 1\n"), "{text}");
    }
}

/// REQ-HOOK-002: messages of those who only receive are nobody's business.
#[tokio::test]
async fn nobody_is_asked_about_messages_that_go_nowhere() {
    let (builder, mut asked) = watched(builder());
    let running = start(builder).await;
    for (path, _) in &JOINING[1..] {
        let mut raw = Raw::open(running.address, path).await;
        raw.send(message(TEXT, b"into the void")).await;
        raw.settle().await;
        assert_eq!(asked.recv().await.unwrap().message, None);
        assert!(asked.is_empty());
        let mut http = Raw::connect(running.address).await;
        assert_eq!(http.post(path, "x").await, 405);
    }
    assert!(asked.is_empty());
}

/// REQ-HOOK-002: what the program itself sends needs no permission.
#[tokio::test]
async fn the_program_itself_is_not_asked() {
    use petasus_protocol::{Message, Topic};
    let hook = async |operation: Operation| match operation.message {
        Some(_) => Err(Denied::new("nobody sends")),
        None => Ok(()),
    };
    let running = start(on_all(builder(), hook)).await;
    let (topic, text) = (Topic::new("t"), Message::text("from within").unwrap());
    let mut peers = Vec::new();
    for (path, _) in JOINING {
        peers.push(Raw::open(running.address, path).await);
    }
    running.broker.send(&topic, &text);
    running.broker.publish(&topic, &text);
    running.broker.push(&topic, &text);
    for peer in &mut peers {
        peer.expect(TEXT, "from within").await;
    }
}

/// REQ-HOOK-002; RFC 6455 5.5: a control frame carries 125 bytes.
#[tokio::test]
async fn a_long_reason_is_cut_in_a_close_frame_and_whole_in_an_answer() {
    let reason = "é".repeat(100);
    let hook = {
        let reason = reason.clone();
        move |_| std::future::ready(Err(Denied::new(reason.clone())))
    };
    let running =
        start(ACTIONS[1..].iter().fold(builder(), |builder, action| builder.on(*action, hook.clone()))).await;
    let mut peer = Raw::open(running.address, "/bus/t").await;
    peer.send(message(TEXT, b"x")).await;
    assert_eq!(peer.expect_close().await, closing(3003, &"é".repeat(61)));
    let mut raw = Raw::connect(running.address).await;
    raw.send(handshake("/sub/t", "")).await;
    assert_eq!(status_and_body(&mut raw).await, (403, format!("{reason}\n")));
}

/// REQ-HOOK-002, REQ-PING-003: an empty message of Pinghub goes to nobody else, so nobody is asked.
#[tokio::test]
async fn in_pinghub_too_every_message_that_others_hear_is_asked_about() {
    use petasus_broker::Broker;
    use petasus_broker::auth::Action;
    let hook = async |operation: Operation| {
        let payload = operation.message.unwrap().into_payload();
        if payload == "good" { Ok(()) } else { Err(Denied::new("only good ones")) }
    };
    let config = crate::running::config("http://127.0.0.1:0?dialects=pinghub");
    let running = start(Broker::builder().config(config).on(Action::Send, hook)).await;
    let mut other = Raw::open(running.address, "/t").await;
    let mut peer = Raw::open(running.address, "/t").await;
    peer.send([message(TEXT, b""), message(BINARY, b"good")].concat()).await;
    peer.expect(TEXT, "").await;
    peer.expect(TEXT, "good").await;
    let mut http = Raw::connect(running.address).await;
    assert_eq!(post(&mut http, "/t", "bad").await, (403, "only good ones\n".to_owned()));
    assert_eq!(post(&mut http, "/t", "").await, (200, "OK\n".to_owned()));
    peer.send(message(TEXT, b"bad")).await;
    assert_eq!(peer.expect_close().await, closing(3003, "only good ones"));
    other.expect(TEXT, "good").await;
    other.send(frame(0x89, b"")).await;
    assert_eq!(other.next().await.unwrap().first, 0x8a, "nothing else came");
    other.send(close(1000, b"")).await;
}
