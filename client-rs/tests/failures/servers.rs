//! Servers that are no brokers, or are not there.

use petasus::{Client, Dialect, Failure, Fault};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::broker::Running;
use crate::support::network::free_authority;
use crate::{BOTH, failure, says};

/// A server that gives this answer to whatever it hears, and closes. Its URL.
async fn answering(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = [0; 4096];
                let _ = stream.read(&mut head).await;
                let _ = stream.write_all(answer).await;
                let _ = stream.shutdown().await;
                // Closed with something unread, the answer might be lost.
                while stream.read(&mut head).await.is_ok_and(|read| read > 0) {}
            });
        }
    });
    url
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_named() {
    for dialect in BOTH {
        let authority = free_authority().await;
        let builder = Client::builder(&format!("ws://{authority}")).dialect(dialect).fail_fast();
        let failure = failure(builder).await;
        assert!(matches!(failure, Failure::Unreachable { .. }), "{failure:?}");
        says(&failure, &[&authority, "nothing listens", "petasus broker"]);
        assert_eq!(failure.fault(), Fault::Network);
    }
}

#[tokio::test]
async fn without_fail_fast_connect_gives_up_after_its_time_and_says_the_last_failure() {
    let authority = free_authority().await;
    let builder = Client::builder(&format!("ws://{authority}"));
    let failure = failure(builder.connect_within(std::time::Duration::from_millis(300))).await;
    assert!(matches!(failure, Failure::Unreachable { .. }), "{failure:?}");
}

#[tokio::test]
async fn a_host_that_has_no_address_is_named() {
    let failure = failure(Client::builder("ws://no-such-host.invalid:3000").fail_fast()).await;
    assert!(matches!(failure, Failure::Unreachable { .. }), "{failure:?}");
    says(&failure, &["no-such-host.invalid", "check the URL"]);
}

#[tokio::test]
async fn a_status_that_is_no_101_is_told_with_what_to_do() {
    for (answer, status, advice) in [
        (&b"HTTP/1.1 404 Not Found\r\nContent-Length: 13\r\n\r\nnothing here\n"[..], 404, "check the path"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>", 200, "names a broker"),
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 8\r\n\r\nnot you\n", 403, "operator"),
        (b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", 503, "try again"),
        (b"HTTP/1.1 301 Moved\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", 301, "final address"),
        (b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", 500, "log"),
    ] {
        let url = answering(answer).await;
        for dialect in BOTH {
            let failure = failure(Client::builder(&url).dialect(dialect).fail_fast()).await;
            assert!(matches!(failure, Failure::Status { status: got, .. } if got == status), "{failure:?}");
            says(&failure, &[&status.to_string(), advice]);
        }
    }
    let url = answering(b"HTTP/1.1 404 Not Found\r\nContent-Length: 13\r\n\r\nnothing here\n").await;
    says(&failure(Client::builder(&url).fail_fast()).await, &["nothing here"]);
}

#[tokio::test]
async fn what_speaks_no_http_is_no_broker() {
    for answer in [&b"220 mail.example.com ESMTP\r\n"[..], b"\x15\x03\x01\x00\x02\x02\x46", b"<html>\r\n\r\n"]
    {
        let url = answering(answer).await;
        for dialect in BOTH {
            let failure = failure(Client::builder(&url).dialect(dialect).fail_fast()).await;
            assert!(matches!(failure, Failure::NotWebSocket { .. }), "{failure:?}");
            says(&failure, &["no WebSocket there", "names a broker"]);
        }
    }
}

#[tokio::test]
async fn a_server_that_hangs_up_before_the_handshake_broke_the_connection() {
    let url = answering(b"").await;
    let failure = failure(Client::builder(&url).fail_fast()).await;
    assert!(matches!(failure, Failure::Broken { .. }), "{failure:?}");
    says(&failure, &["before the handshake"]);
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let patience = std::time::Duration::from_millis(200);
    for dialect in BOTH {
        let builder = Client::builder(&url).dialect(dialect).connect_timeout(patience).fail_fast();
        let failure = failure(builder).await;
        assert_eq!(failure, Failure::ConnectTimedOut);
        says(&failure, &["connect timeout", "check the URL"]);
    }
}

#[tokio::test]
async fn a_404_is_final_without_fail_fast_too() {
    let url = answering(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").await;
    let failure = failure(Client::builder(&url)).await;
    assert!(matches!(failure, Failure::Status { status: 404, .. }), "{failure:?}");
}

#[tokio::test]
async fn wamp_on_the_wrong_path_is_told() {
    let running = Running::start().await;
    let at = async |path: &str| failure(Client::builder(&format!("{}{path}", running.url)).fail_fast()).await;
    let elsewhere = at("/nowhere").await;
    assert!(matches!(elsewhere, Failure::Status { status: 404, .. }), "{elsewhere:?}");
    says(&elsewhere, &["404", "check the path"]);
    // These paths are there, but for another wire.
    for path in ["/sub/x", "/pub/x"] {
        let failure = at(path).await;
        assert_eq!(failure, Failure::NoSubprotocol, "{path}");
        says(&failure, &["check the path", "/ws"]);
    }
    running.stop().await;
}

#[tokio::test]
async fn mercury_below_the_wrong_path_is_told() {
    let running = Running::start().await;
    let url = format!("{}/nowhere", running.url);
    let failure = failure(Client::builder(&url).dialect(Dialect::Mercury).fail_fast()).await;
    assert!(matches!(failure, Failure::Status { status: 404, .. }), "{failure:?}");
    running.stop().await;
}
