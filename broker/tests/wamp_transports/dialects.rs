//! WAMP is spoken where the listener's `dialects` name it, and nowhere else.

use std::net::SocketAddr;

use petasus_protocol::wamp::Serializer;
use tokio::net::TcpStream;

use crate::octets::Octets;
use crate::raw::{Raw, handshake, request};
use crate::running::{Running, config, socket_address};

async fn status(address: SocketAddr, path: &str) -> u16 {
    let mut raw = Raw::connect(address).await;
    raw.send(handshake(path, "Sec-WebSocket-Protocol: wamp.2.json\r\n")).await;
    raw.answer_head().await.status
}

async fn open(address: SocketAddr) -> u16 {
    let mut raw = Raw::connect(address).await;
    raw.send(request("POST", "/longpoll/open", "", r#"{"protocols": ["wamp.2.json"]}"#)).await;
    raw.answer().await.status
}

/// REQ-WAMP-082, REQ-LST-004
#[tokio::test]
async fn each_listener_speaks_what_it_is_told_to() {
    let mut config = config("http://127.0.0.1:0");
    for list in ["mercury", "wamp", "pinghub", "wamp,pinghub", "mercury,wamp,pinghub:/hub"] {
        config.listen.push(format!("http://127.0.0.1:0?dialects={list}").parse().unwrap());
    }
    let broker = Running::start(config).await;
    let [default, mercury, wamp, pinghub, both, all] =
        [0, 1, 2, 3, 4, 5].map(|listener| socket_address(&broker.urls[listener]).unwrap());

    for address in [default, wamp, both, all] {
        assert_eq!(
            [status(address, "/ws").await, status(address, "/wamp").await, open(address).await],
            [101, 101, 200]
        );
        Octets::join(TcpStream::connect(address).await.unwrap(), Serializer::Json).await;
    }
    // A WebSocket on /ws is a channel of Pinghub where that has the root for itself.
    assert_eq!([status(mercury, "/ws").await, status(pinghub, "/ws").await], [404, 101]);
    assert_eq!(open(mercury).await, 404);
    for address in [mercury, pinghub] {
        let mut raw = Raw::connect(address).await;
        raw.send([0x7F, 0xF1, 0, 0, b'\r', b'\n']).await;
        let answer = raw.answer_head().await;
        assert_eq!(answer.status, 400, "HTTP answers");
    }
    for (address, expected) in
        [(default, 101), (mercury, 101), (wamp, 404), (pinghub, 101), (both, 101), (all, 101)]
    {
        assert_eq!(status(address, "/bus/a").await, expected, "{address}");
    }
    assert_eq!(
        [status(both, "/any").await, status(all, "/any").await, status(all, "/hub/any").await],
        [101, 404, 101]
    );
    broker.stop().await;
}

/// REQ-WAMP-082
#[tokio::test]
async fn rawsocket_can_be_switched_off() {
    let mut config = config("http://127.0.0.1:0");
    config.wamp.rawsocket = false;
    config.wamp.longpoll = String::new();
    config.wamp.paths = vec!["/there".to_owned()];
    let broker = Running::start(config).await;
    let mut raw = Raw::connect(broker.address).await;
    raw.send([0x7F, 0xF1, 0, 0, b'\r', b'\n']).await;
    assert_eq!(raw.answer_head().await.status, 400);
    assert_eq!([status(broker.address, "/there").await, status(broker.address, "/ws").await], [101, 404]);
    assert_eq!(open(broker.address).await, 404);
    broker.stop().await;
}
