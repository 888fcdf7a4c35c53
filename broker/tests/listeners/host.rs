//! Which requests must name the host they are for. What the refusals look like is in `bad_input`.

use std::net::SocketAddr;

use crate::admin::with_admin;
use crate::raw::{Raw, request};
use crate::running::Running;

/// The status of a request in this version of HTTP with these Host lines.
async fn status(address: SocketAddr, (method, path): (&str, &str), version: &str, hosts: &str) -> u16 {
    let request = request(method, path, "", "");
    let request = request.replace("HTTP/1.1", version).replace("Host: petasus\r\n", hosts);
    let mut raw = Raw::connect(address).await;
    raw.send(request).await;
    raw.answer().await.status
}

/// The admin listener is no exception.
///
/// REQ-HTTP-016
#[tokio::test]
async fn one_host_is_needed_and_in_http_1_0_none() {
    let running = Running::start(with_admin()).await;
    let post = (running.address, ("POST", "/bus/t"));
    let health = (running.admin.unwrap(), ("GET", "/healthz"));
    for (version, hosts, expected) in [
        ("HTTP/1.1", "Host: petasus\r\n", 200),
        // What a client sends that has no name for the server, as on a UNIX socket (RFC 9112 3.2).
        ("HTTP/1.1", "Host:\r\n", 200),
        ("HTTP/1.1", "", 400),
        ("HTTP/1.1", "Host: petasus\r\nHost: petasus\r\n", 400),
        ("HTTP/1.0", "", 200),
        ("HTTP/1.0", "Host: petasus\r\n", 200),
        ("HTTP/1.0", "Host: petasus\r\nHost: petasus\r\n", 400),
    ] {
        for (address, asked) in [post, health] {
            let got = status(address, asked, version, hosts).await;
            assert_eq!(got, expected, "{asked:?} {version} {hosts:?}");
        }
    }
    running.stop().await;
}
