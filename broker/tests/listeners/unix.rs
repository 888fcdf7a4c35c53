//! UNIX sockets, and the files that are in the way of them.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;

use petasus_broker::config::Config;
use socket2::{Domain, SockAddr, Socket, Type};
use tempfile::tempdir;
use tokio::net::UnixStream;

use crate::raw::{Raw, TEXT, message};
use crate::running::{Running, config};
use crate::{refusal, unix_url};

/// On a free port and on a UNIX socket.
fn with_socket(path: &Path) -> Config {
    let mut config = config("http://127.0.0.1:0");
    config.listen.push(unix_url(path).parse().unwrap());
    config
}

async fn open(path: &Path, target: &str) -> Raw<UnixStream> {
    let mut raw = Raw::over(UnixStream::connect(path).await.unwrap());
    raw.upgrade(target, "").await;
    raw
}

fn in_use(path: &Path) -> String {
    format!("{} is in use: stop the other program, or choose another address", path.display())
}

/// REQ-LST-002
#[tokio::test]
async fn a_file_that_nobody_listens_on_is_replaced_and_removed_at_the_end() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a.sock");
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists(), "the system leaves the file");

    let running = Running::start(with_socket(&path)).await;
    let mut sub = open(&path, "/sub/a").await;
    let mut publisher = Raw::open(running.address, "/pub/a").await;
    publisher.send(message(TEXT, b"across")).await;
    sub.expect(TEXT, "across").await;
    running.stop().await;
    assert!(!path.exists());

    // And so the next one finds nothing in its way.
    Running::start(with_socket(&path)).await.stop().await;
}

/// REQ-LST-002
#[tokio::test]
async fn a_socket_that_somebody_listens_on_is_refused_and_left_alone() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a.sock");
    let running = Running::start(with_socket(&path)).await;
    assert_eq!(refusal(with_socket(&path)).await, in_use(&path));
    open(&path, "/bus/a").await.leave().await;
    running.stop().await;
}

/// REQ-LST-002: somebody who listens, but is too busy to accept at the moment, listens.
#[tokio::test]
async fn a_socket_whose_queue_is_full_is_refused_as_well() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a.sock");
    let address = SockAddr::unix(&path).unwrap();
    let other = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    other.bind(&address).unwrap();
    other.listen(1).unwrap();
    let mut waiting = Vec::new();
    loop {
        let client = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        client.set_nonblocking(true).unwrap();
        if client.connect(&address).is_err() {
            break;
        }
        waiting.push(client);
    }
    assert_eq!(refusal(with_socket(&path)).await, in_use(&path));
    assert!(path.exists());
}

/// REQ-LST-001
#[tokio::test]
async fn what_is_no_socket_is_refused_and_left_alone() {
    let folder = tempdir().unwrap();
    let [file, link, stale] = ["letter.txt", "link", "stale.sock"].map(|name| folder.path().join(name));
    fs::write(&file, "dear reader").unwrap();
    drop(UnixListener::bind(&stale).unwrap());
    symlink(&stale, &link).unwrap();
    for path in [file.as_path(), link.as_path(), folder.path()] {
        let expected =
            format!("{} exists and is no socket: remove it, or choose another path", path.display());
        assert_eq!(refusal(with_socket(path)).await, expected);
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "dear reader");
    assert!(link.is_symlink() && stale.exists());
}
