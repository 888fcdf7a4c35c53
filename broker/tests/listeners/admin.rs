//! The admin listener and the munin port.

use std::net::SocketAddr;

use petasus_broker::config::Config;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::raw::{Answer, CLOSE, Raw, close, request, soon};
use crate::running::{Running, config, seconds};

/// A broker with an admin listener.
pub(crate) fn with_admin() -> Config {
    let mut config = config("http://127.0.0.1:0?dialects=mercury,pinghub:/hub");
    config.admin.listen = Some("http://127.0.0.1:0".parse().unwrap());
    config
}

pub(crate) async fn get(address: SocketAddr, path: &str) -> Answer {
    let mut raw = Raw::connect(address).await;
    raw.send(request("GET", path, "", "")).await;
    raw.answer().await
}

fn text(answer: &Answer) -> (u16, &str) {
    (answer.status, std::str::from_utf8(&answer.body).unwrap())
}

/// REQ-ADM-001
#[tokio::test]
async fn a_broker_that_serves_is_healthy_and_ready() {
    let running = Running::start(with_admin()).await;
    let admin = running.admin.unwrap();
    assert_eq!(text(&get(admin, "/healthz").await), (200, "ok\n"));
    assert_eq!(text(&get(admin, "/readyz").await), (200, "ready\n"));
    assert_eq!(get(admin, "/metrics").await.status, 200);
    for path in ["/", "/healthz/", "/metricsx", "/bus/a"] {
        assert_eq!(get(admin, path).await.status, 404, "{path}");
    }
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(get(running.address, path).await.status, 404, "{path} is on the admin listener only");
    }
}

/// REQ-ADM-001
#[tokio::test]
async fn the_admin_listener_is_only_read() {
    let running = Running::start(with_admin()).await;
    let mut raw = Raw::connect(running.admin.unwrap()).await;
    for path in ["/healthz", "/readyz", "/metrics"] {
        for method in ["POST", "PUT", "DELETE"] {
            raw.send(request(method, path, "", "")).await;
            let answer = raw.answer().await;
            assert_eq!(answer.status, 405, "{method} {path}");
            assert_eq!(answer.header("allow"), Some("GET, HEAD"));
        }
        raw.send(request("HEAD", path, "", "")).await;
        assert_eq!(raw.answer_head().await.status, 200, "HEAD {path}");
    }
}

/// REQ-ADM-001
#[tokio::test]
async fn a_broker_that_drains_is_healthy_but_not_ready() {
    let mut config = with_admin();
    config.drain_timeout = seconds(3600.0);
    let running = Running::start(config).await;
    let (address, admin) = (running.address, running.admin.unwrap());
    let mut slow = Raw::open(address, "/sub/a").await;
    let mut kept = Raw::connect(admin).await;
    kept.send(request("GET", "/readyz", "", "")).await;
    assert_eq!(text(&kept.answer().await), (200, "ready\n"));

    let ended = running.begin_to_stop();
    let goodbye = slow.next().await.unwrap();
    assert_eq!((goodbye.first, &goodbye.payload[..2]), (CLOSE, &1001_u16.to_be_bytes()[..]));
    let not_ready = (503, "shutting down: no new connections are taken\n");
    kept.send(request("GET", "/readyz", "", "")).await;
    assert_eq!(text(&kept.answer().await), not_ready);
    assert_eq!(text(&get(admin, "/readyz").await), not_ready);
    assert_eq!(text(&get(admin, "/healthz").await), (200, "ok\n"));
    assert_eq!(get(admin, "/metrics").await.status, 200);
    soon("the site to be closed", async { while TcpStream::connect(address).await.is_ok() {} }).await;

    slow.send(close(1001, b"")).await;
    slow.expect_end().await;
    drop(slow);
    assert_eq!(soon("the drain", ended).await.unwrap(), 0, "nobody was cut off");
    kept.expect_end().await;
    assert!(TcpStream::connect(admin).await.is_err());
}

/// REQ-PING-016
#[tokio::test]
async fn munin_gets_six_lines_in_order_and_the_end() {
    let mut config = with_admin();
    config.admin.munin = Some("127.0.0.1:0".parse().unwrap());
    let running = Running::start(config).await;
    let lines = async |channels: u32, websockets: u32| {
        let mut stream = TcpStream::connect(running.munin.unwrap()).await.unwrap();
        let mut text = String::new();
        soon("the lines and the end", stream.read_to_string(&mut text)).await.unwrap();
        let expected = format!(
            "channels.value {channels}\ndrops5m.value 0.000\npostmsgs5m.value 0.000\nsends5m.value 0.000\n\
             websocketmsgs5m.value 0.000\nwebsockets.value {websockets}\n"
        );
        assert_eq!(text, expected);
    };
    lines(0, 0).await;
    let mut clients = Vec::new();
    for path in ["/hub/a", "/hub/a", "/hub/b"] {
        clients.push(Raw::open(running.address, path).await);
        clients.last_mut().unwrap().settle().await;
    }
    lines(2, 3).await;
}

/// REQ-PING-016
#[tokio::test]
async fn munin_is_off_unless_wanted() {
    let running = Running::start(with_admin()).await;
    assert_eq!(running.munin, None);
}
