//! A reader that stops, and goes on before its outbox is full, has lost nothing.

use petasus_broker::config::{Dialects, Endpoint, ListenAddress, OverflowPolicy};
use tokio::net::{TcpSocket, UnixStream};

use crate::raw::{Raw, TEXT, message};
use crate::running::{Running, socket_address};
use crate::tls::Certificate;
use crate::{numbers, small, stalled};

/// More messages than the system's buffers hold.
const FLOOD: usize = 800;

/// REQ-FLOW-001, REQ-ORD-001
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_goes_on_in_time_gets_everything_over_every_kind_of_stream() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = Certificate::write(folder.path(), "one");
    let path = folder.path().join("socket");
    let mut config = small("http://127.0.0.1:0", OverflowPolicy::Close);
    config.outbox.bytes = 2 * FLOOD * 8_064;
    config.listen.push(certificate.listen().parse().unwrap());
    let endpoint = Endpoint::Unix { path: path.clone() };
    config.listen.push(ListenAddress { endpoint, tls: None, dialects: Dialects::default() });
    let broker = Running::start(config).await;

    let mut tcp = stalled(broker.address, "/sub/a").await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(2048).unwrap();
    let socket = socket.connect(socket_address(&broker.urls[1]).unwrap()).await.unwrap();
    let mut tls = certificate.secure(socket).await.unwrap();
    tls.upgrade("/sub/a", "").await;
    let mut unix = Raw::over(UnixStream::connect(&path).await.unwrap());
    unix.upgrade("/sub/a", "").await;

    let mut publisher = Raw::open(broker.address, "/pub/a").await;
    for number in 0..FLOOD {
        publisher.send(message(TEXT, crate::numbered(number).as_bytes())).await;
    }
    publisher.settle().await;

    let all: Vec<usize> = (0..FLOOD).collect();
    let reading = [
        tokio::spawn(async move { numbers(&mut tcp, FLOOD).await }),
        tokio::spawn(async move { numbers(&mut tls, FLOOD).await }),
        tokio::spawn(async move { numbers(&mut unix, FLOOD).await }),
    ];
    for reading in reading {
        assert!(reading.await.unwrap() == all);
    }
    broker.stop().await;
}
