//! Rows about `[auth] request`: a small HTTP service on bare TCP is asked.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::raw::{Raw, handshake, request};
use crate::row::answer;
use crate::running::{Running, config, seconds};
use crate::watch::Watch;

pub(crate) const ROWS: [&str; 4] =
    ["HTTP-403-auth", "HTTP-503-auth-error", "HTTP-503-auth-late", "HTTP-503-auth-down"];

/// All four rows: REQ-HOOK-004
#[tokio::test]
async fn auth_rows() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let service = listener.local_addr().unwrap();
    let serving = tokio::spawn(serve(listener));
    let mut config = config("http://127.0.0.1:0");
    config.auth.request = Some(format!("http://{service}/check").parse().unwrap());
    config.auth.timeout = seconds(1.0);
    let broker = Running::start(config).await;
    let mut watch = Watch::mercury(broker.address, "").await;

    refused(broker.address, "HTTP-403-auth", handshake("/bus/forbidden", ""), 403).await;
    watch.check("HTTP-403-auth").await;
    refused(broker.address, "HTTP-503-auth-error", handshake("/bus/broken", ""), 503).await;
    watch.check("HTTP-503-auth-error").await;
    refused(broker.address, "HTTP-503-auth-late", request("POST", "/pub/silent", "", "x"), 503).await;
    watch.check("HTTP-503-auth-late").await;

    serving.abort();
    assert!(serving.await.unwrap_err().is_cancelled(), "the service stops with its connections");
    refused(broker.address, "HTTP-503-auth-down", handshake("/bus/row", ""), 503).await;
    watch.check("HTTP-503-auth-down").await;
    broker.stop().await;
}

async fn refused(broker: SocketAddr, id: &str, sent: String, status: u16) {
    let mut raw = Raw::connect(broker).await;
    raw.send(sent).await;
    answer(status).then_whatever().check(id, &mut raw).await;
}

async fn serve(listener: TcpListener) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        connections.spawn(reply(stream));
    }
}

/// One question, one answer. What is asked for decides.
async fn reply(mut stream: TcpStream) {
    let mut question = Vec::new();
    while !question.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut question).await.unwrap() == 0 {
            return;
        }
    }
    let question = String::from_utf8(question).unwrap().to_ascii_lowercase();
    let original = question.lines().find_map(|line| line.strip_prefix("x-original-uri: ")).unwrap();
    let status = match original {
        "/bus/forbidden" => "403 Forbidden",
        "/bus/broken" => "500 Internal Server Error",
        "/pub/silent" => return std::future::pending().await,
        _ => "204 No Content",
    };
    let answer = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    stream.write_all(answer.as_bytes()).await.unwrap();
}
