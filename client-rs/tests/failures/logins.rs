//! Logging in: each way, right and wrong.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;

use petasus::protocol::wamp::auth::scram::{Credentials, Kdf, Variant};
use petasus::protocol::wamp::auth::{cra, cryptosign, to_hex};
use petasus::{Auth, Client, Failure, Fault, Status};

use crate::support::broker::Running;
use crate::support::network::Network;
use crate::support::soon;
use crate::{failure, says};

const KEY: [u8; 32] = [7; 32];
const OTHER_KEY: [u8; 32] = [8; 32];

/// A user for each way; the password is `right`.
fn people() -> String {
    let salting = cra::Salting { salt: "salt123", iterations: 100, keylen: 32 };
    let derived = cra::derive_key("right", &salting).unwrap();
    let head = |name: &str| format!("[[users]]\nauthid = \"{name}\"\nrole = \"user\"\n");
    let kdf = Kdf::Pbkdf2 { iterations: 4096 };
    let keys = Credentials::new(Variant::Specified, "right", b"some salt or other".to_vec(), kdf).unwrap();
    let scram = format!(
        "{}scram = {{ salt = \"{}\", kdf = \"{}\", iterations = {}, stored_key = \"{}\", server_key = \"{}\" }}\n",
        head("scram"),
        keys.salt_text(),
        kdf.name(Variant::Specified),
        kdf.iterations(),
        to_hex(&keys.stored_key),
        to_hex(&keys.server_key)
    );
    [
        "anonymous = \"\"\n".to_owned(),
        format!("{}ticket = \"right\"\n", head("ticket")),
        format!("{}secret = \"right\"\n", head("cra")),
        format!(
            "{}secret = \"{derived}\"\nsalt = \"salt123\"\niterations = 100\nkeylen = 32\n",
            head("salted")
        ),
        scram,
        format!("{}public_keys = [\"{}\"]\n", head("sign"), to_hex(&cryptosign::public_key(&KEY))),
        "[[rules]]\nrole = \"user\"\nuri = \"\"\nmatch = \"prefix\"\n".to_owned(),
        "allow = [\"subscribe\", \"publish\", \"call\", \"register\"]\n".to_owned(),
    ]
    .concat()
}

/// Each way to log in, with this password or key, and the user's name.
fn ways(password: &str, key: [u8; 32]) -> Vec<(&'static str, Auth)> {
    vec![
        ("ticket", Auth::ticket("ticket", password)),
        ("cra", Auth::wampcra("cra", password)),
        ("salted", Auth::wampcra("salted", password)),
        ("scram", Auth::scram("scram", password)),
        ("sign", Auth::cryptosign(Some("sign"), key)),
    ]
}

#[tokio::test]
async fn the_right_proof_opens_a_session() {
    let running = Running::start_guarded(&people()).await;
    let mut all = ways("right", KEY);
    // The router finds the user by the key.
    all.push(("sign", Auth::cryptosign(None, KEY)));
    for (name, auth) in all {
        let client = Client::builder(&running.url).auth(auth).connect().await.unwrap();
        match &client.status().now() {
            Status::Connected(welcome) => assert_eq!(welcome.authid, name),
            status => panic!("{name}: {status:?}"),
        }
        client.publish("a", "x").await.unwrap();
    }
    running.stop().await;
}

#[tokio::test]
async fn a_wrong_proof_is_final_and_says_what_to_check() {
    let running = Running::start_guarded(&people()).await;
    for (name, auth) in ways("wrong", OTHER_KEY) {
        // Not even without `fail_fast` is it tried again.
        let failure = failure(Client::builder(&running.url).auth(auth)).await;
        assert!(matches!(failure, Failure::Aborted { .. }), "{name}: {failure:?}");
        assert!(failure.is_final(false) && failure.is_final(true), "{name}");
        says(&failure, &["refused the session", "check user and secret"]);
    }
    running.stop().await;
}

#[tokio::test]
async fn no_log_in_where_one_is_wanted_says_so() {
    let running = Running::start_guarded(&people()).await;
    for builder in [
        Client::builder(&running.url),
        Client::builder(&running.url).auth(Auth::ticket("cra", "right")),
        Client::builder(&running.url).auth(Auth::with(
            Some("ticket".to_owned()),
            ["telepathy"],
            async |_| Err("it is never asked".to_owned()),
        )),
    ] {
        let failure = failure(builder).await;
        assert!(matches!(failure, Failure::Aborted { .. }), "{failure:?}");
        says(&failure, &["refused the session", "give it a log-in that it accepts"]);
    }
    running.stop().await;
}

#[tokio::test]
async fn a_challenge_that_can_not_be_answered_ends_the_client_with_the_reason() {
    let running = Running::start_guarded(&people()).await;
    let auth = Auth::ticket_from("ticket", || async { Err("the vault is locked".to_owned()) });
    let failure = failure(Client::builder(&running.url).auth(auth)).await;
    assert!(matches!(failure, Failure::Challenge { .. }), "{failure:?}");
    says(&failure, &["the vault is locked"]);
    assert_eq!(failure.fault(), Fault::Program);
    running.stop().await;
}

#[tokio::test]
async fn a_ticket_is_fresh_at_each_connection() {
    let running = Running::start_guarded(&people()).await;
    let network = Network::to(running.authority()).await;
    let asked = Arc::new(AtomicUsize::new(0));
    let auth = Auth::ticket_from("ticket", {
        let asked = asked.clone();
        move || {
            asked.fetch_add(1, SeqCst);
            async { Ok("right".to_owned()) }
        }
    });
    let client = Client::builder(&network.url).auth(auth).connect().await.unwrap();
    assert_eq!(asked.load(SeqCst), 1);
    let mut status = client.status();
    status.look();
    network.drop_all();
    let lost = status.wait_for(|status| !matches!(status, Status::Connected(_)));
    drop(soon("the loss", lost).await.unwrap());
    soon("a connection", client.connected()).await.unwrap();
    assert!(asked.load(SeqCst) > 1);
    client.publish("a", "x").await.unwrap();
    drop(client);
    running.stop().await;
}

#[tokio::test]
async fn secrets_are_not_shown() {
    let client = Client::builder("ws://127.0.0.1:1?token=hush")
        .auth(Auth::ticket("joe", "hush"))
        .header("Authorization", "Bearer hush");
    assert!(!format!("{:?}", Auth::wampcra("joe", "hush")).contains("hush"));
    assert!(!format!("{client:?}").replace("token=hush", "").contains("hush"), "{client:?}");
    let client = client.start().unwrap();
    assert!(!format!("{client:?}").replace("token=hush", "").replace("?token", "").contains("Bearer hush"));
}
