use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::*;

/// A client, its proxy, and the broker's end of the connection.
async fn linked() -> (TcpStream, Link, TcpStream) {
    let broker = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let link = Link::start(broker.local_addr().unwrap()).await.unwrap();
    let client = TcpStream::connect(link.address).await.unwrap();
    let (server, _) = broker.accept().await.unwrap();
    (client, link, server)
}

/// Fails only what hangs.
async fn soon<T>(work: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(30), work).await.unwrap()
}

async fn read(from: &mut TcpStream, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    soon(from.read_exact(&mut bytes)).await.unwrap();
    bytes
}

#[tokio::test]
async fn what_is_sent_arrives_both_ways_and_so_does_the_end() {
    let (mut client, _link, mut server) = linked().await;
    client.write_all(b"there").await.unwrap();
    assert_eq!(read(&mut server, 5).await, b"there");
    server.write_all(b"back").await.unwrap();
    drop(server);
    assert_eq!(read(&mut client, 4).await, b"back");
    assert_eq!(soon(client.read(&mut [0])).await.unwrap(), 0);
}

#[tokio::test]
async fn a_frozen_client_is_felt_by_the_broker_and_has_everything_once_it_is_healed() {
    let (mut client, link, mut server) = linked().await;
    link.disturb(Disturbance::Freeze);
    let piece = [7; 4096];
    let mut written = 0;
    // The first write that would block: the broker has to keep the rest.
    loop {
        match server.try_write(&piece) {
            Ok(count) => written += count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                // The system may still be moving bytes to the other end.
                if timeout(Duration::from_millis(50), server.writable()).await.is_err() {
                    break;
                }
            }
            Err(error) => panic!("{error}"),
        }
        assert!(written < 8 << 20, "a broker would not feel this");
    }
    assert!(written < 1 << 20, "{written} bytes vanished in the system");
    // The other way is open.
    client.write_all(b"still here").await.unwrap();
    assert_eq!(read(&mut server, 10).await, b"still here");
    link.disturb(Disturbance::Heal);
    assert_eq!(read(&mut client, written).await.len(), written);
}

#[tokio::test]
async fn half_open_carries_nothing_and_ends_nothing() {
    let (mut client, link, mut server) = linked().await;
    link.disturb(Disturbance::HalfOpen);
    client.write_all(b"lost").await.unwrap();
    server.write_all(b"too").await.unwrap();
    drop(client);
    // A second connection is a clock: all that was under way had its turn.
    for _ in 0..3 {
        let (mut other, _link, mut there) = linked().await;
        other.write_all(b"x").await.unwrap();
        read(&mut there, 1).await;
    }
    assert_eq!(server.try_read(&mut [0; 8]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    link.disturb(Disturbance::Heal);
    assert_eq!(read(&mut server, 4).await, b"lost");
}

#[tokio::test]
async fn a_reset_reaches_both_ends() {
    let (mut client, link, mut server) = linked().await;
    client.write_all(b"x").await.unwrap();
    read(&mut server, 1).await;
    link.disturb(Disturbance::Reset);
    for end in [&mut client, &mut server] {
        let error = soon(end.read(&mut [0])).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }
}

#[tokio::test]
async fn chopped_bytes_are_the_same_bytes() {
    let (mut client, link, mut server) = linked().await;
    link.disturb(Disturbance::Chop(1));
    let bytes: Vec<u8> = (0..=255).collect();
    client.write_all(&bytes).await.unwrap();
    let mut first = [0; 256];
    let count = soon(server.read(&mut first)).await.unwrap();
    assert_eq!(first[..count], bytes[..count]);
    assert_eq!(read(&mut server, 256 - count).await, bytes[count..]);
}
