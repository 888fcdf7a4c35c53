//! TLS certificates: wrong files, and new ones while the broker runs.

use std::fs;
use std::path::PathBuf;

use tempfile::tempdir;

use crate::raw::{TEXT, message};
use crate::refusal;
use crate::running::{Running, config};
use crate::tls::Certificate;

/// REQ-LST-003
#[tokio::test]
async fn new_connections_get_the_new_certificate_and_old_ones_stay() {
    let folder = tempdir().unwrap();
    let old = Certificate::write(folder.path(), "a");
    let running = Running::start(config(&old.listen())).await;
    assert!(running.urls[0].starts_with("https://127.0.0.1:"), "{:?}", running.urls);
    let mut before = old.open(running.address, "/bus/x").await;

    let new = Certificate::write(folder.path(), "a");
    assert!(new.try_connect(running.address).await.is_err(), "nothing changes before the reload");
    running.broker.reload().unwrap();
    assert!(old.try_connect(running.address).await.is_err(), "the old certificate is no longer shown");
    let mut after = new.open(running.address, "/bus/x").await;
    after.send(message(TEXT, b"from the new")).await;
    before.expect(TEXT, "from the new").await;
    before.send(message(TEXT, b"from the old")).await;
    after.expect(TEXT, "from the old").await;
    before.leave().await;
}

/// REQ-LST-003
#[tokio::test]
async fn a_wrong_file_is_named_and_the_old_certificate_stays() {
    let folder = tempdir().unwrap();
    let good = Certificate::write(folder.path(), "a");
    let other = Certificate::write(folder.path(), "other");
    let running = Running::start(config(&good.listen())).await;
    let mut before = good.open(running.address, "/bus/x").await;
    let (cert, key) = (fs::read(&good.cert).unwrap(), fs::read(&good.key).unwrap());
    let wrong: [(&str, &PathBuf, Option<Vec<u8>>); 5] = [
        ("no PEM", &good.key, Some(b"nonsense".to_vec())),
        ("a missing key", &good.key, None),
        ("a missing certificate", &good.cert, None),
        ("no certificate", &good.cert, Some(Vec::new())),
        ("a certificate for another key", &good.cert, Some(fs::read(&other.cert).unwrap())),
    ];
    for (what, path, content) in wrong {
        match content {
            Some(content) => fs::write(path, content).unwrap(),
            None => fs::remove_file(path).unwrap(),
        }
        let error = running.broker.reload().unwrap_err().to_string();
        assert!(error.contains(path.to_str().unwrap()), "{what}: {error}");
        // As good a file as before, for who connects now.
        good.open(running.address, "/bus/x").await.leave().await;
        fs::write(&good.cert, &cert).unwrap();
        fs::write(&good.key, &key).unwrap();
    }
    running.broker.reload().unwrap();
    before.settle().await;
}

/// REQ-LST-001
#[tokio::test]
async fn a_wrong_file_ends_the_start() {
    let folder = tempdir().unwrap();
    let good = Certificate::write(folder.path(), "a");
    fs::remove_file(&good.key).unwrap();
    let text = refusal(config(&good.listen())).await;
    assert!(text.starts_with(&format!("private key {}: ", good.key.display())), "{text}");
    assert!(text.ends_with("; name a readable PEM file"), "{text}");
}
