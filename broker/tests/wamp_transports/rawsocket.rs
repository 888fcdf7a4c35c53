//! Sessions over rawsocket, on whatever stream, beside HTTP on the same port.

use petasus_protocol::wamp::{Dict, Message, Payload, Serializer, message, uri};
use tempfile::tempdir;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use crate::client::{Wamp, text};
use crate::metrics::{Metrics, until};
use crate::octets::{Octets, PING, PONG};
use crate::raw::{Raw, soon};
use crate::running::{Running, config, seconds, socket_address};
use crate::tls::Certificate;

async fn subscribe<S: AsyncRead + AsyncWrite + Unpin>(session: &mut Octets<S>, topic: &str) {
    let subscribe = message::Subscribe { request: 1, options: Dict::new(), topic: topic.to_owned() };
    session.say(&subscribe.into()).await;
    let subscribed = session.hear().await;
    assert!(matches!(subscribed, Message::Subscribed(_)), "{subscribed:?}");
}

async fn expect_event<S: AsyncRead + AsyncWrite + Unpin>(session: &mut Octets<S>, wanted: &str) {
    match session.hear().await {
        Message::Event(event) => assert_eq!(event.payload.decode_args::<(String,)>().unwrap().0, wanted),
        other => panic!("{other:?} instead of EVENT"),
    }
}

/// A session in JSON whose client takes messages of at most 4096 bytes.
async fn join_small(broker: &Running) -> Octets<TcpStream> {
    let mut small = Raw::connect(broker.address).await;
    small.send([0x7F, 0x31, 0, 0]).await;
    let mut small = Octets::open_after(small.into_stream(), Serializer::Json).await;
    small.say(&crate::hello("default")).await;
    let Message::Welcome(_) = small.hear().await else { panic!("no WELCOME") };
    small
}

/// REQ-WAMP-082, REQ-WAMP-080
#[tokio::test]
async fn rawsocket_and_http_share_every_kind_of_listener_and_all_serializers_understand_each_other() {
    let folder = tempdir().unwrap();
    let certificate = Certificate::write(folder.path(), "one");
    let path = folder.path().join("socket");
    let mut config = config("http://127.0.0.1:0");
    config.listen.push(certificate.listen().parse().unwrap());
    config.listen.push(format!("http+unix://{}", path.display()).parse().unwrap());
    let broker = Running::start(config).await;
    let secure = socket_address(&broker.urls[1]).unwrap();

    let mut tcp = Octets::join(TcpStream::connect(broker.address).await.unwrap(), Serializer::Json).await;
    let stream = certificate.try_connect(secure).await.unwrap().into_stream();
    let mut tls = Octets::join(stream, Serializer::Cbor).await;
    let mut unix = Octets::join(UnixStream::connect(&path).await.unwrap(), Serializer::MsgPack).await;
    subscribe(&mut tcp, "com.example.news").await;
    subscribe(&mut tls, "com.example.news").await;
    subscribe(&mut unix, "com.example.news").await;

    let mut web = Wamp::join(broker.address, Serializer::Json, "default").await;
    let publish = message::Publish {
        request: web.request(),
        options: Dict::new(),
        topic: "com.example.news".to_owned(),
        payload: text("hello"),
    };
    web.say(publish).await;
    expect_event(&mut tcp, "hello").await;
    expect_event(&mut tls, "hello").await;
    expect_event(&mut unix, "hello").await;
    assert_eq!(Raw::connect(broker.address).await.post("/pub/com/example/news", "bare").await, 200);
    assert!(matches!(tcp.hear().await, Message::Event(_)));

    let metrics = Metrics::of(&broker.broker);
    assert_eq!((metrics.value("petasus_accepted_total"), metrics.value("petasus_connections")), (4, 4));
    drop((tcp, tls, unix));
    until(&broker.broker, "the three to be gone", |metrics| metrics.value("petasus_connections") == 1).await;
    assert_eq!(Metrics::of(&broker.broker).closed("none"), 3);
    broker.stop().await;
}

/// REQ-WAMP-081
#[tokio::test]
async fn a_ping_is_answered_by_a_pong_with_the_same_payload_and_who_answers_none_is_dropped() {
    let mut config = config("http://127.0.0.1:0");
    config.timeouts.ping = seconds(0.5);
    let broker = Running::start(config).await;
    let mut octets = Octets::join(TcpStream::connect(broker.address).await.unwrap(), Serializer::Json).await;
    octets.send(PING, b"are you there?").await;
    loop {
        match octets.frame().await.expect("the connection is open") {
            (PONG, payload) => break assert_eq!(payload, b"are you there?"),
            (PING, payload) => octets.send(PONG, &payload).await,
            (kind, _) => panic!("a frame of type {kind}"),
        }
    }
    // From here on it is silent.
    while let Some((kind, _)) = octets.frame().await {
        assert_eq!(kind, PING);
    }
    broker.stop().await;
}

/// REQ-WAMP-081, REQ-WAMP-106
#[tokio::test]
async fn a_message_as_long_as_the_limit_is_taken_and_a_longer_one_ends_the_connection() {
    let mut config = config("http://127.0.0.1:0");
    // No power of two: the handshake says 4096.
    config.limits.message = 3_000;
    let broker = Running::start(config).await;
    let publish = |len: usize| -> Message {
        let options = Dict::new().with("acknowledge", true);
        let bare = message::Publish { request: 1, options, topic: "a".to_owned(), payload: text("") };
        let missing = len - Message::from(bare.clone()).encode(Serializer::Json).len();
        message::Publish { payload: text(&"x".repeat(missing)), ..bare }.into()
    };
    let connect = || TcpStream::connect(broker.address);
    let mut octets = Octets::join(connect().await.unwrap(), Serializer::Json).await;
    octets.say(&publish(3_000)).await;
    assert!(matches!(octets.hear().await, Message::Published(_)));
    octets.say(&publish(3_001)).await;
    octets.expect_end().await;
    until(&broker.broker, "its end to be counted", |metrics| metrics.closed("1009") == 1).await;

    // Not even the beginning of a long one is waited for, nor a frame of a type that there is none of.
    for header in [[0, 0xFF, 0xFF, 0xFF], [7, 0, 0, 0], [0x10, 0, 0, 0]] {
        let mut octets = Octets::join(connect().await.unwrap(), Serializer::Json).await;
        let raw = &mut Raw::over(&mut octets.stream);
        raw.send(header).await;
        raw.expect_end().await;
    }
    broker.stop().await;
}

/// REQ-WAMP-088: the client's own maximum.
#[tokio::test]
async fn what_is_longer_than_a_client_takes_never_comes() {
    let broker = Running::start(config("http://127.0.0.1:0")).await;
    let mut small = join_small(&broker).await;
    subscribe(&mut small, "a").await;
    let mut web = Wamp::join(broker.address, Serializer::Json, "default").await;
    for words in ["x".repeat(5_000), "short".to_owned()] {
        let (request, options) = (web.request(), Dict::new());
        web.say(message::Publish { request, options, topic: "a".to_owned(), payload: text(&words) }).await;
    }
    expect_event(&mut small, "short").await;
    broker.stop().await;
}

/// REQ-WAMP-003, REQ-WAMP-018
#[tokio::test]
async fn a_broken_message_is_answered_by_abort_and_a_drain_by_goodbye() {
    let broker = Running::start(config("http://127.0.0.1:0")).await;
    let connect = || TcpStream::connect(broker.address);
    let mut broken = Octets::join(connect().await.unwrap(), Serializer::Json).await;
    broken.send(0, b"[\"no message\"").await;
    match broken.hear().await {
        Message::Abort(abort) => assert_eq!(abort.reason, uri::error::PROTOCOL_VIOLATION),
        other => panic!("{other:?} instead of ABORT"),
    }
    broken.expect_end().await;

    let mut staying = Octets::join(connect().await.unwrap(), Serializer::Cbor).await;
    drop(broken);
    let stopped = broker.begin_to_stop();
    match staying.hear().await {
        Message::Goodbye(goodbye) => assert_eq!(goodbye.reason, uri::close::SYSTEM_SHUTDOWN),
        other => panic!("{other:?} instead of GOODBYE"),
    }
    staying.expect_end().await;
    drop(staying);
    assert_eq!(soon("the broker to stop", stopped).await.unwrap(), 0);
}

/// REQ-WAMP-082
#[tokio::test]
async fn a_call_goes_from_a_rawsocket_to_a_websocket_and_back() {
    let broker = Running::start(config("http://127.0.0.1:0")).await;
    let mut callee = Wamp::join(broker.address, Serializer::MsgPack, "default").await;
    callee.register("com.example.echo", Dict::new()).await;
    let mut caller = Octets::join(TcpStream::connect(broker.address).await.unwrap(), Serializer::Cbor).await;
    let payload = Payload::of_args(Serializer::Cbor, &[1, 2, 3]).unwrap();
    let call =
        message::Call { request: 1, options: Dict::new(), procedure: "com.example.echo".to_owned(), payload };
    caller.say(&call.into()).await;
    let invocation = callee.invocation().await;
    callee.yield_(invocation.request, invocation.payload).await;
    match caller.hear().await {
        Message::Result(result) => assert_eq!(result.payload.decode_args::<Vec<u8>>().unwrap(), [1, 2, 3]),
        other => panic!("{other:?} instead of RESULT"),
    }
    broker.stop().await;
}

/// REQ-WAMP-088: a call that is too long for its callee is refused, and the callee is called as before.
#[tokio::test]
async fn a_call_longer_than_its_callee_takes_ends_with_an_error() {
    let broker = Running::start(config("http://127.0.0.1:0")).await;
    let mut callee = join_small(&broker).await;
    let (procedure, options) = ("com.example.small".to_owned(), Dict::new());
    callee.say(&message::Register { request: 1, options, procedure }.into()).await;
    assert!(matches!(callee.hear().await, Message::Registered(_)));
    let mut caller = Wamp::join(broker.address, Serializer::Json, "default").await;
    for _ in 0..2 {
        let long = caller.call("com.example.small", Dict::new(), text(&"x".repeat(5_000))).await;
        assert_eq!(caller.error(long).await.error, uri::error::PAYLOAD_SIZE_EXCEEDED);
        let short = caller.call("com.example.small", Dict::new(), text("short")).await;
        let Message::Invocation(invocation) = callee.hear().await else { panic!("no INVOCATION") };
        let message::Invocation { request, payload, .. } = invocation;
        callee.say(&message::Yield { request, options: Dict::new(), payload }.into()).await;
        assert_eq!(caller.result(short).await.decode_args::<(String,)>().unwrap().0, "short");
    }
    broker.stop().await;
}

/// REQ-WAMP-088: an answer that is too long for its caller is an ERROR that says so, and books no bad text.
#[tokio::test]
async fn an_answer_longer_than_its_caller_takes_is_a_short_error() {
    let broker = Running::start(config("http://127.0.0.1:0")).await;
    let mut callee = Wamp::join(broker.address, Serializer::Json, "default").await;
    callee.register("com.example.long", Dict::new()).await;
    let mut caller = join_small(&broker).await;
    let long = || text(&"x".repeat(5_000));
    for (request, fails) in [(1, false), (2, true)] {
        let procedure = "com.example.long".to_owned();
        let call = message::Call { request, options: Dict::new(), procedure, payload: text("") };
        caller.say(&call.into()).await;
        let invoked = callee.invocation().await.request;
        if fails {
            let (kind, details, error) =
                (message::Invocation::CODE, Dict::new(), "com.example.failed".to_owned());
            callee.say(message::Error { kind, request: invoked, details, error, payload: long() }).await;
        } else {
            callee.yield_(invoked, long()).await;
        }
        match caller.hear().await {
            Message::Error(error) => assert_eq!(
                (error.kind, error.request, error.error.as_str()),
                (message::Call::CODE, request, uri::error::PAYLOAD_SIZE_EXCEEDED)
            ),
            other => panic!("{other:?} instead of ERROR"),
        }
    }
    let not_text = "petasus_dropped_total{reason=\"not_text\"}";
    assert_eq!(Metrics::of(&broker.broker).value(not_text), 0);
    broker.stop().await;
}
