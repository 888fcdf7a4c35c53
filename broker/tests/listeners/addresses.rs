//! Addresses that cannot be had end the start with a message that names them; IPv6.

use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};

use tempfile::tempdir;

use crate::raw::{Raw, TEXT, message};
use crate::running::{Running, config};
use crate::{bind, refusal, unix_url};

/// A port of the loopback that another program listens on, and its address.
fn busy() -> (TcpListener, String) {
    let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = other.local_addr().unwrap().to_string();
    (other, address)
}

fn in_use(address: &str) -> String {
    format!("{address} is in use: stop the other program, or choose another address")
}

/// REQ-LST-001
#[tokio::test]
async fn a_busy_port_is_named_whoever_wants_it() {
    let (_other, address) = busy();
    let site = config(&format!("http://{address}"));
    assert_eq!(refusal(site).await, in_use(&address));

    let mut admin = config("http://127.0.0.1:0");
    admin.admin.listen = Some(format!("http://{address}").parse().unwrap());
    assert_eq!(refusal(admin).await, in_use(&address));

    let mut munin = config("http://127.0.0.1:0");
    munin.admin.munin = Some(address.parse().unwrap());
    assert_eq!(refusal(munin).await, in_use(&address));
}

/// REQ-LST-001: a name with several addresses is busy when the first of them is, or two brokers would share it.
#[tokio::test]
async fn a_name_is_as_busy_as_an_address() {
    let first = bind(config("http://localhost:0")).await.unwrap();
    let url = &first.addresses()[0];
    let address = url.strip_prefix("http://").unwrap();
    assert!(address.starts_with("localhost:"), "{address}");
    assert_eq!(refusal(config(url)).await, in_use(address));
}

/// REQ-LST-001
#[tokio::test]
async fn an_address_of_another_machine_is_named() {
    // RFC 5737: addresses for documentation, which no machine has.
    let text = refusal(config("http://192.0.2.1:3000")).await;
    assert!(text.starts_with("192.0.2.1:3000 is no address of this machine: "), "{text}");
    assert!(text.ends_with("; use 127.0.0.1, [::1], or * for all interfaces"), "{text}");
}

/// REQ-LST-001
#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_forbidden_address_is_named() {
    // Not even root can make a socket there.
    let text = refusal(config("http+unix:///dev/pts/petasus.sock")).await;
    assert!(text.starts_with("/dev/pts/petasus.sock may not be bound: "), "{text}");
    assert!(text.ends_with("; choose another"), "{text}");
}

/// REQ-LST-001
#[tokio::test]
async fn a_folder_that_is_not_there_is_named() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("missing/a.sock");
    let text = refusal(config(&unix_url(&path))).await;
    assert!(text.starts_with(&format!("{} cannot be listened on: ", path.display())), "{text}");
}

/// REQ-LST-001: a broker that cannot have all of its addresses has none.
#[tokio::test]
async fn nothing_stays_bound_after_a_refusal() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a.sock");
    let (free, address) = busy();
    drop(free);
    let (_other, taken) = busy();
    let mut config = config(&format!("http://{address}"));
    config.listen.push(unix_url(&path).parse().unwrap());
    config.listen.push(format!("http://{taken}").parse().unwrap());
    assert_eq!(refusal(config).await, in_use(&taken));
    assert!(!path.exists(), "the socket's file is removed");
    TcpListener::bind(address).unwrap();
}

#[tokio::test]
async fn ipv6_is_served_where_there_is_any() {
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        eprintln!("left out: this machine has no ::1");
        return;
    }
    let running = Running::start(config("http://[::1]:0")).await;
    assert!(running.address.is_ipv6() && running.address.port() != 0);
    assert_eq!(running.urls, [format!("http://{}", running.address)]);
    let mut sub = Raw::open(running.address, "/sub/a").await;
    let mut publisher = Raw::open(running.address, "/pub/a").await;
    publisher.send(message(TEXT, b"over IPv6")).await;
    sub.expect(TEXT, "over IPv6").await;

    let address = running.address.to_string();
    assert_eq!(refusal(config(&format!("http://{address}"))).await, in_use(&address));
}
