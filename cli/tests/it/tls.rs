//! Clients over TLS, and certificates replaced while the broker runs.

use std::{fs, path::Path};

use rustix::process::Signal;
use tempfile::tempdir;

use crate::binary::{Broker, petasus};

/// Writes a new self-signed certificate for 127.0.0.1 and its key.
fn certificate(folder: &Path, cert: &str) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    fs::write(folder.join(cert), made.cert.pem()).unwrap();
    fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
}

fn start(folder: &Path) -> Broker {
    let listen = "https://127.0.0.1:0?cert=cert.pem&key=key.pem";
    Broker::spawn(petasus(["broker", "--listen", listen, "--admin", "none"]).current_dir(folder))
}

#[test]
fn a_client_speaks_tls_to_whom_it_trusts() {
    let folder = tempdir().unwrap();
    certificate(folder.path(), "cert.pem");
    let broker = start(folder.path());
    let ca = folder.path().join("cert.pem").into_os_string().into_string().unwrap();
    let sub = broker.connect(&["sub", "x", "--count", "1", "--ca", &ca]);
    broker.quietly(&["pub", "x", "secret", "--ca", &ca]);
    assert_eq!(sub.output(), "secret\n");
    let pull = broker.connect(&["pull", "x", "--count", "2", "--ca", &ca]);
    broker.feed(&["push", "x", "--ca", &ca], b"first\nsecond\n");
    assert_eq!(pull.output(), "first\nsecond\n");

    certificate(folder.path(), "stranger.pem");
    let stranger = folder.path().join("stranger.pem").into_os_string().into_string().unwrap();
    for command in ["pub", "push"] {
        let (_, err, code) = broker.run(&[command, "x", "secret", "--ca", &stranger]);
        assert!(err.contains("TLS handshake") && err.contains("--ca"), "{err}");
        assert_eq!(code, Some(3));
    }
    let (_, err, code) = broker.run(&["pub", "x", "secret", "--ca", "/nowhere.pem"]);
    assert!(err.contains("/nowhere.pem: no root certificate"), "{err}");
    assert_eq!(code, Some(1));
}

/// REQ-LST-003
#[test]
fn sighup_replaces_the_certificate_and_drops_nobody() {
    let folder = tempdir().unwrap();
    certificate(folder.path(), "cert.pem");
    let mut broker = start(folder.path());
    let ca = folder.path().join("cert.pem").into_os_string().into_string().unwrap();
    let sub = broker.connect(&["sub", "x", "--count", "1", "--ca", &ca]);
    // The name stays, the certificate is another: only who trusts the new one gets in from now on.
    certificate(folder.path(), "cert.pem");
    assert_eq!(broker.run(&["pub", "x", "too early", "--ca", &ca]).2, Some(3));
    broker.process.signal(Signal::HUP);
    broker.process.wait_for_stderr("reloaded after SIGHUP");
    broker.quietly(&["pub", "x", "with the new one", "--ca", &ca]);
    assert_eq!(sub.output(), "with the new one\n");
}
