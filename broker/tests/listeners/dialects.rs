//! Several listeners of one broker, each with the dialects that its URL names.

use std::net::SocketAddr;

use tempfile::tempdir;
use tokio::net::UnixStream;

use crate::raw::{Raw, TEXT, handshake, message};
use crate::running::{Running, config, socket_address};
use crate::unix_url;

/// The status of the answer to a handshake.
async fn status(address: SocketAddr, path: &str) -> u16 {
    let mut raw = Raw::connect(address).await;
    raw.send(handshake(path, "")).await;
    raw.answer_head().await.status
}

#[tokio::test]
async fn each_listener_speaks_its_own_dialects_and_all_are_one_broker() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a.sock");
    let mut config = config("http://127.0.0.1:0");
    for url in [
        "http://127.0.0.1:0?dialects=pinghub",
        "http://127.0.0.1:0?dialects=mercury,pinghub:/hub",
        &unix_url(&path),
    ] {
        config.listen.push(url.parse().unwrap());
    }
    let running = Running::start(config).await;
    assert_eq!(running.urls.len(), 4);
    assert_eq!(running.urls[3], unix_url(&path));
    let [mercury, pinghub, both] = [0, 1, 2].map(|listener| socket_address(&running.urls[listener]).unwrap());

    // At the root, Pinghub has every path: this is its channel `bus/a`, which is not Mercury's bus topic `a`.
    let mut elsewhere = Raw::open(pinghub, "/bus/a").await;
    for (address, path, expected) in
        [(mercury, "/a", 404), (mercury, "/hub/a", 404), (both, "/a", 404), (pinghub, "/hub/a", 101)]
    {
        assert_eq!(status(address, path).await, expected, "{path} on {address}");
    }

    let mut peers = [
        Raw::open(mercury, "/bus/a").await,
        Raw::open(both, "/bus/a").await,
        Raw::open(pinghub, "/a").await,
        Raw::open(both, "/hub/a").await,
    ];
    let mut local = Raw::over(UnixStream::connect(&path).await.unwrap());
    local.upgrade("/bus/a", "").await;
    local.send(message(TEXT, b"to all")).await;
    for peer in &mut peers {
        peer.expect(TEXT, "to all").await;
    }
    peers[2].send(message(TEXT, b"from a channel")).await;
    for peer in &mut peers {
        peer.expect(TEXT, "from a channel").await;
    }
    // Its own message did not come back to it.
    local.expect(TEXT, "from a channel").await;
    elsewhere.send(message(TEXT, b"echo")).await;
    elsewhere.expect(TEXT, "echo").await;
}
