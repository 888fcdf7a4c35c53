//! Servers that ask for more than any server may.

use std::time::Duration;

use petasus::{Backoff, Builder, Client, Failure, Status};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::support::soon;

const WELCOME: &str = r#"[2,7,{"roles":{"broker":{},"dealer":{}}}]"#;

/// An unmasked frame (RFC 6455 5.2) of at most 65,535 bytes.
fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode];
    match u8::try_from(payload.len()) {
        Ok(len) if len < 126 => frame.push(len),
        _ => {
            frame.push(126);
            frame.extend(u16::try_from(payload.len()).unwrap().to_be_bytes());
        }
    }
    frame.extend(payload);
    frame
}

/// A router that greets one client. What it does then is for the test to say.
async fn router() -> (String, tokio::task::JoinHandle<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let greeting = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap();
        let accept = derive_accept_key(key.as_bytes());
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: wamp.2.json\r\n\r\n"
        );
        stream.write_all(answer.as_bytes()).await.unwrap();
        stream.write_all(&frame(1, WELCOME.as_bytes())).await.unwrap();
        stream
    });
    (url, greeting)
}

/// A client of that router, with the router's socket.
async fn greeted(build: impl FnOnce(Builder) -> Builder) -> (Client, TcpStream) {
    let (url, greeting) = router().await;
    // So that its loss is there to be seen.
    let rare = Backoff { base: 3_600_000, cap: 3_600_000, stable: 0 };
    let client = soon("the session", build(Client::builder(&url).backoff(rare)).connect()).await.unwrap();
    (client, soon("the greeting", greeting).await.unwrap())
}

/// Why the client lost its connection.
async fn loss(client: &Client) -> Failure {
    let mut status = client.status();
    let lost = status.wait_for(|status| matches!(status, Status::Waiting { .. } | Status::Closed { .. }));
    match soon("the loss", lost).await.unwrap() {
        Status::Waiting { failure, .. } | Status::Closed { failure: Some(failure) } => failure,
        status => panic!("{status:?}"),
    }
}

/// Writes the same over and over, and reads nothing, until the client has hung up.
async fn flood(mut router: TcpStream, what: &[u8]) {
    let piece = what.repeat(500);
    while router.write_all(&piece).await.is_ok() {}
}

#[tokio::test]
async fn pongs_that_nobody_reads_are_bounded() {
    let (client, mut router) = greeted(|builder| builder.message_bytes(1000)).await;
    let mut sent = 0;
    for _ in 0..600 {
        let pings = frame(9, &[b'x'; 125]).repeat(500);
        sent += pings.len();
        router.write_all(&pings).await.unwrap();
    }
    router.write_all(&frame(9, b"the last")).await.unwrap();
    let mut pongs = Vec::new();
    let last: Vec<u8> = b"the last".to_vec();
    let masked = |bytes: &[u8]| {
        // FIN and opcode 10, masked, 8 bytes, the mask (RFC 6455 5.2).
        bytes.windows(14).any(|frame| {
            frame[..2] == [0x8a, 0x88] && (0..8).all(|at| frame[6 + at] ^ frame[2 + at % 4] == last[at])
        })
    };
    soon("the last pong", async {
        while !masked(&pongs[pongs.len().saturating_sub(100_000)..]) {
            assert!(router.read_buf(&mut pongs).await.unwrap() > 0);
        }
    })
    .await;
    // What the kernel holds on the way comes in any case.
    assert!(pongs.len() < sent / 2, "{sent} bytes of pings, {} of pongs", pongs.len());
    assert!(matches!(client.status().now(), Status::Connected(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_asks_for_answers_and_reads_none_is_given_up() {
    let (client, router) = greeted(|builder| builder).await;
    // An invocation of nothing that was ever registered: it has to be refused.
    let long = frame(1, br#"[68,9007199254740991,4,{},["an argument that is read and thrown away"]]"#);
    let flood = tokio::spawn(async move { flood(router, &long).await });
    let failure = loss(&client).await;
    assert!(matches!(failure, Failure::Broken { .. } | Failure::Protocol { .. }), "{failure:?}");
    soon("the end of the flood", flood).await.unwrap();
}

#[tokio::test]
async fn a_close_code_that_nobody_may_send_is_not_told_as_the_servers_word() {
    for code in [999_u16, 1005, 1006, 1015, 2999, 5000] {
        let (client, mut router) = greeted(|builder| builder).await;
        router.write_all(&frame(8, &code.to_be_bytes())).await.unwrap();
        let failure = loss(&client).await;
        assert!(
            matches!(&failure, Failure::Protocol { reason } if reason.contains("code")),
            "{code}: {failure:?}"
        );
    }
}

#[tokio::test]
async fn a_closed_client_leaves_no_task_behind() {
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    // One whose server answers no GOODBYE and no Close, and one that never got so far.
    let (deaf, router) = greeted(|builder| builder).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nowhere = Client::builder(&format!("ws://{}", listener.local_addr().unwrap())).start().unwrap();
    assert!(tasks() > before);
    tokio::time::pause();
    let _ = soon("the close", deaf.close()).await;
    let _ = soon("the close", nowhere.close()).await;
    drop((deaf, nowhere));
    // On a clock that runs ahead: time outs are no excuse.
    for _ in 0..3600 {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(tasks(), before);
    drop(router);
}
