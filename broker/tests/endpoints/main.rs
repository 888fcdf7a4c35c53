//! What the URLs of both dialects mean, end to end: topics, hierarchy, echo, POST, origins.

#[path = "../support/raw.rs"]
mod raw;
#[path = "../support/running.rs"]
mod running;

mod mercury;
mod origins;
mod pinghub;
mod topics;

use std::net::SocketAddr;

use raw::{Answer, Raw, TEXT, request};

const MERCURY: &str = "http://127.0.0.1:0";

/// Sends one request on a connection of its own.
async fn ask(address: SocketAddr, request: impl AsRef<[u8]>) -> Answer {
    let mut raw = Raw::connect(address).await;
    raw.send(request).await;
    raw.answer().await
}

/// Posts a text, which must be accepted.
async fn post(address: SocketAddr, path: &str, body: &str) {
    let answer = ask(address, request("POST", path, "", body)).await;
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
}

/// Posts to `path`, and then something that the receiver is sure to get, to `own`; says whether it got both.
async fn hears(address: SocketAddr, receiver: &mut Raw, path: &str, own: &str) -> bool {
    post(address, path, "message").await;
    post(address, own, "sentinel").await;
    let first = receiver.next().await.expect("the connection is open").payload;
    if first == b"message" {
        receiver.expect(TEXT, "sentinel").await;
        return true;
    }
    assert_eq!(first, b"sentinel");
    false
}
