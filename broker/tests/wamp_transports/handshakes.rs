//! Rawsocket handshakes: what is answered, what is refused, and what is not waited for.

use std::sync::Arc;

use http::StatusCode;
use parking_lot::Mutex;
use petasus_broker::Broker;
use petasus_broker::auth::{Refusal, RequestHead, Verdict};
use petasus_protocol::wamp::Serializer;
use tempfile::tempdir;
use tokio::net::{TcpStream, UnixStream};

use crate::metrics::{Metrics, until};
use crate::octets::Octets;
use crate::raw::{Raw, handshake};
use crate::running::{Running, config, seconds, socket_address};
use crate::tls::Certificate;

/// What comes back, to the end of the connection.
async fn answer(raw: &mut Raw, octets: &[u8]) -> Vec<u8> {
    use tokio::io::AsyncReadExt;
    raw.send(octets).await;
    let mut answer = Vec::new();
    let _ = crate::raw::soon("the end", raw.stream().read_to_end(&mut answer)).await;
    answer
}

/// REQ-WAMP-080
#[tokio::test]
async fn the_reply_repeats_the_serializer_and_has_room_for_the_limit() {
    for (limit, length) in
        [(1, 0x00), (512, 0x00), (513, 0x10), (262_144, 0x90), (262_145, 0xA0), (16_777_217, 0xF0)]
    {
        let mut config = config("http://127.0.0.1:0");
        config.limits.message = limit;
        config.outbox.bytes = 64 * 1024 * 1024;
        let broker = Running::start(config).await;
        for serializer in 1..=3 {
            let mut raw = Raw::connect(broker.address).await;
            // In pieces, as a network may deliver it.
            for octet in [0x7F, 0xF0 | serializer, 0, 0] {
                raw.send([octet]).await;
                tokio::task::yield_now().await;
            }
            let mut reply = [0; 4];
            tokio::io::AsyncReadExt::read_exact(raw.stream(), &mut reply).await.unwrap();
            assert_eq!(reply, [0x7F, length | serializer, 0, 0], "{limit}");
        }
        broker.stop().await;
    }
}

/// REQ-WAMP-080
#[tokio::test]
async fn a_handshake_that_is_none_is_refused_with_the_reason() {
    let broker = Running::start(config("http://127.0.0.1:0")).await;
    for (request, reply) in [
        ([0x7F, 0xF0, 0, 0], [0x7F, 0x10, 0, 0]),
        ([0x7F, 0xF4, 0, 0], [0x7F, 0x10, 0, 0]),
        ([0x7F, 0xFF, 0, 0], [0x7F, 0x10, 0, 0]),
        ([0x7F, 0xF1, 1, 0], [0x7F, 0x30, 0, 0]),
        ([0x7F, 0xF1, 0, 9], [0x7F, 0x30, 0, 0]),
        // No WELCOME fits into 2048 bytes.
        ([0x7F, 0x21, 0, 0], [0x7F, 0x20, 0, 0]),
    ] {
        let mut raw = Raw::connect(broker.address).await;
        assert_eq!(answer(&mut raw, &request).await, reply, "{request:x?}");
    }
    assert_eq!(Metrics::of(&broker.broker).value("petasus_refused_total"), 6);
    broker.stop().await;
}

/// REQ-WAMP-080, REQ-LIM-001
#[tokio::test]
async fn one_too_many_is_told_so_on_every_kind_of_listener() {
    let folder = tempdir().unwrap();
    let certificate = Certificate::write(folder.path(), "one");
    let path = folder.path().join("socket");
    let mut config = config("http://127.0.0.1:0");
    config.listen.push(certificate.listen().parse().unwrap());
    config.listen.push(format!("http+unix://{}", path.display()).parse().unwrap());
    config.limits.connections = 1;
    let broker = Running::start(config).await;
    let secure = socket_address(&broker.urls[1]).unwrap();
    let first = Octets::join(TcpStream::connect(broker.address).await.unwrap(), Serializer::Json).await;

    let too_many = [0x7F, 0x40, 0, 0];
    let mut tcp = Raw::connect(broker.address).await;
    assert_eq!(answer(&mut tcp, &[0x7F, 0xF1, 0, 0]).await, too_many);
    let mut unix = Raw::over(UnixStream::connect(&path).await.unwrap());
    unix.send([0x7F, 0xF1, 0, 0]).await;
    let mut tls = certificate.try_connect(secure).await.unwrap();
    tls.send([0x7F, 0xF1, 0, 0]).await;
    for stream in [unix.stream() as &mut (dyn tokio::io::AsyncRead + Unpin), tls.stream()] {
        let mut reply = [0; 4];
        tokio::io::AsyncReadExt::read_exact(stream, &mut reply).await.unwrap();
        assert_eq!(reply, too_many);
    }
    // HTTP is told in its own words.
    let mut http = Raw::connect(broker.address).await;
    http.send(handshake("/ws", "")).await;
    assert_eq!(http.answer().await.status, 503);
    assert_eq!(Metrics::of(&broker.broker).value("petasus_refused_total"), 4);

    drop((first, tcp, unix, tls, http));
    until(&broker.broker, "the place to be free", |metrics| metrics.live()[0] == 0).await;
    Octets::join(TcpStream::connect(broker.address).await.unwrap(), Serializer::Json).await;
    broker.stop().await;
}

/// REQ-WAMP-086
#[tokio::test]
async fn a_handshake_that_does_not_come_is_not_waited_for() {
    let mut config = config("http://127.0.0.1:0");
    config.timeouts.head = seconds(1.0);
    let broker = Running::start(config).await;
    let address = broker.address;
    let begun = [&[][..], &[0x7F], &[0x7F, 0xF1, 0]].map(|begin| async move {
        let mut raw = Raw::connect(address).await;
        assert_eq!(answer(&mut raw, begin).await, b"", "{begin:x?}");
    });
    futures_util::future::join_all(begun).await;
    // Nor is a HELLO.
    let mut octets = Octets::open(TcpStream::connect(broker.address).await.unwrap(), Serializer::Json).await;
    octets.expect_end().await;
    drop(octets);
    until(&broker.broker, "all to be gone", |metrics| metrics.live() == [0; 5]).await;
    broker.stop().await;
}

/// REQ-WAMP-086: also a broker that stops does not wait.
#[tokio::test]
async fn half_a_handshake_does_not_keep_a_broker_from_stopping() {
    let mut config = config("http://127.0.0.1:0");
    config.drain_timeout = seconds(600.0);
    let broker = Running::start(config).await;
    let mut half = Raw::connect(broker.address).await;
    half.send([0x7F, 0xF1]).await;
    let mut none = Raw::connect(broker.address).await;
    until(&broker.broker, "both to be there", |metrics| metrics.value("petasus_sockets") == 2).await;
    let stopped = broker.begin_to_stop();
    half.expect_end().await;
    none.expect_end().await;
    assert_eq!(crate::raw::soon("the broker to stop", stopped).await.unwrap(), 0);
}

/// REQ-WAMP-087, REQ-HOOK-001
#[tokio::test]
async fn the_hook_about_requests_is_asked_about_rawsocket_too() {
    let verdict = Arc::new(Mutex::new(Ok(Verdict::Allow)));
    let seen = Arc::new(Mutex::new(None));
    let (says, sees) = (verdict.clone(), seen.clone());
    let hook = move |head: RequestHead| {
        *sees.lock() = Some(head);
        std::future::ready(says.lock().clone())
    };
    let builder = Broker::builder().config(config("http://127.0.0.1:0")).on_request(hook);
    let broker = Running::start_broker(builder.build().unwrap()).await.unwrap();
    let connect = || TcpStream::connect(broker.address);

    Octets::join(connect().await.unwrap(), Serializer::Json).await;
    let head = seen.lock().take().expect("the hook was asked");
    assert_eq!((head.method.as_str(), head.client.uri.to_string().as_str()), ("GET", "/ws"));
    assert_eq!(head.client.headers.len(), 1);
    assert_eq!(head.client.headers["x-petasus-transport"], "rawsocket");
    assert!(head.client.remote.is_some());

    *verdict.lock() = Ok(Verdict::Rewrite("/wamp?user=7".to_owned()));
    Octets::join(connect().await.unwrap(), Serializer::Json).await;
    for refused in
        [Err(Refusal::new(StatusCode::FORBIDDEN, "not you")), Ok(Verdict::Rewrite("/pub/a".to_owned()))]
    {
        *verdict.lock() = refused;
        let mut raw = Raw::connect(broker.address).await;
        assert_eq!(answer(&mut raw, &[0x7F, 0xF1, 0, 0]).await, b"");
    }
    assert_eq!(Metrics::of(&broker.broker).value("petasus_refused_total"), 2);
    broker.stop().await;
}
