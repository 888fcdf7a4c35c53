//! Servers that come and go, answer late, or lose their connections.

use socket2::{Domain, Socket, Type};
use tokio::net::TcpListener;

use crate::judge::{Judge, Questions};
use crate::raw::{Raw, TEXT, handshake, request};
use crate::running::Running;
use crate::{Watch, answer, asking};

const ALLOWED: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";
const BROKEN: &str = "the authorisation server did not answer as it should\n";

/// REQ-HOOK-004
#[tokio::test]
async fn a_server_that_is_down_refuses_until_it_is_up() {
    // Bound, so that the port is ours; not listening, so that nobody is there.
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&"127.0.0.1:0".parse::<std::net::SocketAddr>().unwrap().into()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    let broker = Running::start(asking(address)).await;
    let mut raw = Raw::connect(broker.address).await;
    for _ in 0..2 {
        raw.send(handshake("/bus/t", "")).await;
        assert_eq!(answer(&mut raw).await, (503, BROKEN.to_owned()));
        raw.send(request("POST", "/bus/t", "", "refused")).await;
        assert_eq!(answer(&mut raw).await, (503, BROKEN.to_owned()));
    }
    assert_eq!(broker.broker.connections(), 0);
    socket.listen(16).unwrap();
    socket.set_nonblocking(true).unwrap();
    let mut judge = Judge::at(TcpListener::from_std(socket.into()).unwrap());
    assert_eq!(raw.post("/bus/t", "allowed").await, 200);
    raw.upgrade("/bus/t", "").await;
    for _ in 0..2 {
        judge.question().await;
    }
}

/// REQ-HOOK-004, REQ-LIVE-001, REQ-LIVE-002
#[tokio::test]
async fn while_one_waits_for_its_answer_others_are_served() {
    let mut judge = Judge::start().await;
    let broker = Running::start(asking(judge.address)).await;
    let mut watch = Watch::open(broker.address).await;
    for _ in 0..6 {
        judge.question().await;
    }
    let mut waiting = Vec::new();
    for _ in 0..8 {
        let (mut peer, mut poster) = (Raw::connect(broker.address).await, Raw::connect(broker.address).await);
        peer.send(handshake("/bus/t", "Say: nothing\r\n")).await;
        poster.send(request("POST", "/pub/t", "Say: nothing\r\n", "refused")).await;
        waiting.push((peer, poster));
        for _ in 0..2 {
            judge.question().await;
        }
        watch.check("served").await;
        let mut raw = Raw::connect(broker.address).await;
        assert_eq!(raw.post("/bus/else", "x").await, 200);
        raw.upgrade("/bus/else", "").await;
        for _ in 0..2 {
            judge.question().await;
        }
    }
    drop(waiting);
    watch.check("served").await;
}

/// REQ-HOOK-004
#[tokio::test]
async fn a_client_that_leaves_takes_its_question_along() {
    let (address, mut questions) = Questions::listen().await;
    let broker = Running::start(asking(address)).await;
    for sent in [handshake("/bus/t", ""), request("POST", "/bus/t", "", "refused")] {
        let mut raw = Raw::connect(broker.address).await;
        raw.send(sent).await;
        let mut question = questions.next().await;
        drop(raw);
        assert!(!question.read().await, "the connection of the question ends");
        question.answer(ALLOWED).await;
    }
    assert_eq!(broker.broker.connections(), 0);
}

/// REQ-HOOK-004: half an answer is none, and no connection is left behind.
#[tokio::test]
async fn a_question_that_is_answered_too_late_is_over() {
    let (address, mut questions) = Questions::listen().await;
    let mut config = asking(address);
    config.auth.timeout = crate::running::seconds(0.5);
    let broker = Running::start(config).await;
    let mut raw = Raw::connect(broker.address).await;
    for said in [&b""[..], b"HTTP/1.1 204 No Con", b"HTTP/1.1 204 No Content\r\nX-Rewrite: /bus/t\r\n"] {
        raw.send(handshake("/bus/t", "")).await;
        let mut question = questions.next().await;
        question.answer(said).await;
        assert_eq!(answer(&mut raw).await, (503, "the authorisation did not answer in time\n".to_owned()));
        assert!(!question.read().await, "the connection of the question ends");
    }
    assert_eq!(broker.broker.connections(), 0);
}

/// REQ-HOOK-004: connections are kept for further questions, and nobody suffers when the server gives one up just
/// when it is used again.
#[tokio::test]
async fn a_kept_connection_that_ends_is_replaced() {
    let (address, mut questions) = Questions::listen().await;
    let broker = Running::start(asking(address)).await;
    let mut peer = Raw::connect(broker.address).await;
    peer.send(handshake("/bus/t", "")).await;
    let mut kept = questions.next().await;
    kept.answer(ALLOWED).await;
    peer.check_accepted("/bus/t").await;

    let mut raw = Raw::connect(broker.address).await;
    raw.send(request("POST", "/bus/t", "", "one")).await;
    assert!(kept.read().await, "the connection is used again");
    kept.answer(ALLOWED).await;
    assert_eq!(raw.answer().await.status, 200);

    raw.send(request("POST", "/bus/t", "", "two")).await;
    assert!(kept.read().await, "and again");
    drop(kept);
    questions.next().await.answer(ALLOWED).await;
    assert_eq!(raw.answer().await.status, 200);
    for text in ["one", "two"] {
        peer.expect(TEXT, text).await;
    }
}
