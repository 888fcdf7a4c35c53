//! TLS: whom the client trusts, and plain ports that are taken for others.

use std::path::Path;

use petasus::{Client, Dialect, Failure};
use tempfile::tempdir;

use crate::support::broker::Running;
use crate::support::soon;
use crate::{BOTH, failure, says};

/// Writes a new self-signed certificate for these names, and its key. Its text.
fn certificate(folder: &Path, names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    std::fs::write(folder.join("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    made.cert.pem()
}

#[tokio::test]
async fn a_certificate_that_is_trusted_opens_both_wires() {
    let folder = tempdir().unwrap();
    let cert = certificate(folder.path(), &["127.0.0.1"]);
    let running = Running::start_secure(folder.path()).await;
    assert!(running.url.starts_with("wss://"), "{}", running.url);
    for dialect in BOTH {
        let builder = Client::builder(&running.url).dialect(dialect).root_certificate(cert.clone());
        let client = builder.connect().await.unwrap();
        let mut news = client.subscribe("a").await.unwrap();
        client.publish("a", "secret").await.unwrap();
        client.publish("a", "secret too").queued().await.unwrap();
        for text in ["secret", "secret too"] {
            assert_eq!(soon("a message", news.next()).await.unwrap().text().as_deref(), Some(text));
        }
    }
    running.stop().await;
}

#[tokio::test]
async fn an_unknown_root_is_final_and_says_so() {
    let folder = tempdir().unwrap();
    certificate(folder.path(), &["127.0.0.1"]);
    let stranger = certificate(tempdir().unwrap().path(), &["127.0.0.1"]);
    let running = Running::start_secure(folder.path()).await;
    for dialect in BOTH {
        let builder = Client::builder(&running.url).dialect(dialect).root_certificate(stranger.clone());
        let failure = failure(builder).await;
        assert!(matches!(failure, Failure::Tls { certificate: true, .. }), "{failure:?}");
        says(&failure, &["TLS failed", "root certificates"]);
    }
    running.stop().await;
}

#[tokio::test]
async fn a_certificate_of_another_name_is_final_and_says_so() {
    let folder = tempdir().unwrap();
    let cert = certificate(folder.path(), &["example.com"]);
    let running = Running::start_secure(folder.path()).await;
    let failure = failure(Client::builder(&running.url).root_certificate(cert)).await;
    assert!(matches!(failure, Failure::Tls { certificate: true, .. }), "{failure:?}");
    says(&failure, &["TLS failed", "host name of the URL"]);
    running.stop().await;
}

#[tokio::test]
async fn tls_at_a_plain_port_says_wss_against_ws() {
    let folder = tempdir().unwrap();
    let cert = certificate(folder.path(), &["127.0.0.1"]);
    let running = Running::start().await;
    let url = running.url.replacen("ws://", "wss://", 1);
    for dialect in BOTH {
        let builder = Client::builder(&url).dialect(dialect).root_certificate(cert.clone()).fail_fast();
        let failure = failure(builder).await;
        assert!(matches!(failure, Failure::Tls { .. }), "{failure:?}");
        says(&failure, &["TLS failed", "wss:// against ws://"]);
    }
    running.stop().await;
}

#[tokio::test]
async fn a_plain_client_at_a_tls_port_is_told_what_may_be_wrong() {
    let folder = tempdir().unwrap();
    certificate(folder.path(), &["127.0.0.1"]);
    let running = Running::start_secure(folder.path()).await;
    let url = running.url.replacen("wss://", "ws://", 1);
    for dialect in [Dialect::Wamp, Dialect::Mercury] {
        let failure = failure(Client::builder(&url).dialect(dialect).fail_fast()).await;
        // The server answers by an alert of TLS, and hangs up.
        let told =
            matches!(failure, Failure::NotWebSocket { .. } | Failure::Broken { .. } | Failure::Closed { .. });
        assert!(told, "{failure:?}");
        says(&failure, &["wss://"]);
    }
    running.stop().await;
}
