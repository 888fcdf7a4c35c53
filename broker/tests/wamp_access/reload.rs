//! The access file is read again.

use petasus_protocol::wamp::{Dict, Serializer, message};

use crate::client::{Wamp, text};
use crate::raw::Raw;
use crate::{ALL_VERBS, Site, hello, not_authorized, rule, user};

/// Writes another text, and has it read.
fn reload(site: &Site, access: &str) -> bool {
    std::fs::write(site.file.path(), access).unwrap();
    site.running.broker.reload().is_ok()
}

/// REQ-WAMP-067, REQ-WAMP-061: for sessions that are open as well; nobody is sent away.
#[tokio::test]
async fn new_rules_hold_at_once() {
    let access = |verbs: &str| {
        let rules = rule("admin", "", ALL_VERBS) + &rule("user", "reload.", verbs);
        format!("anonymous = \"\"\n{}{}{rules}", user("ann", "admin"), user("joe", "user"))
    };
    let site = Site::start(&access("\"publish\"")).await;
    let (mut ann, mut joe) = (site.join("ann").await, site.join("joe").await);
    ann.subscribe("reload.a", Dict::new()).await;
    joe.publish("reload.a", Dict::new(), text("one")).await;
    assert_eq!(ann.event().await.payload, text("one"));

    assert!(reload(&site, &access("\"subscribe\"")));
    let (request, options) = (joe.request(), Dict::new().with("acknowledge", true));
    let publish = message::Publish { request, options, topic: "reload.a".to_owned(), payload: text("two") };
    joe.say(publish).await;
    not_authorized(&mut joe, request).await;
    joe.subscribe("reload.a", Dict::new()).await;

    // Nobody may do anything without a session, and then guests may.
    let mut raw = Raw::connect(site.running.address).await;
    assert_eq!(raw.post("/pub/reload/a", "x").await, 403);
    let open = access("\"publish\"").replace("anonymous = \"\"", "anonymous = \"user\"");
    assert!(reload(&site, &open));
    assert_eq!(raw.post("/pub/reload/a", "three").await, 200);
    for client in [&mut ann, &mut joe] {
        assert_eq!(client.event().await.payload.arg_values().unwrap(), ["three".into()]);
    }

    // Without any rules, everything is allowed.
    assert!(reload(&site, "anonymous = \"user\"\n"));
    joe.publish("elsewhere", Dict::new(), text("four")).await;
    ann.raw().settle().await;
    site.running.stop().await;
}

/// REQ-WAMP-061, REQ-WAMP-060
#[tokio::test]
async fn users_come_and_go() {
    let access = |users: &[&str]| {
        let users: String = users.iter().map(|authid| user(authid, "user")).collect();
        format!("anonymous = \"\"\n{users}")
    };
    let site = Site::start(&access(&["joe"])).await;
    let mut joe = site.join("joe").await;
    assert!(reload(&site, &access(&["ann"])));
    let mut ann = site.join("ann").await;
    joe.raw().settle().await;
    let mut again = Wamp::connect(site.running.address, Serializer::Json).await;
    hello(&mut again, "ticket", Some("joe"), Dict::new()).await;
    // As anybody who is not there.
    assert!(matches!(again.hear().await, petasus_protocol::wamp::Message::Challenge(_)));
    again.say(message::Authenticate { signature: "joe".to_owned(), extra: Dict::new() }).await;
    again.aborted("wamp.error.authentication_denied", 3000).await;

    // With a mistake in it, the old one stays in use.
    for wrong in ["anonymous = 7\n", "[[users]]\n", "not toml", "authorizer = \"nobody.registers.it\"\n"] {
        assert!(!reload(&site, wrong), "{wrong}");
        site.join("ann").await;
    }
    std::fs::remove_file(site.file.path()).unwrap();
    assert!(site.running.broker.reload().is_err());
    site.join("ann").await;
    ann.raw().settle().await;
    site.running.stop().await;
}

/// REQ-WAMP-066: a challenge that is open is answered by what it asked.
#[tokio::test]
async fn who_is_being_asked_may_still_answer() {
    let access = |ticket: &str| {
        format!("anonymous = \"\"\n[[users]]\nauthid = \"joe\"\nrole = \"user\"\nticket = \"{ticket}\"\n")
    };
    let site = Site::start(&access("old")).await;
    let mut client = Wamp::connect(site.running.address, Serializer::Json).await;
    hello(&mut client, "ticket", Some("joe"), Dict::new()).await;
    assert!(matches!(client.hear().await, petasus_protocol::wamp::Message::Challenge(_)));
    assert!(reload(&site, &access("new")));
    client.say(message::Authenticate { signature: "old".to_owned(), extra: Dict::new() }).await;
    assert!(matches!(client.hear().await, petasus_protocol::wamp::Message::Welcome(_)));
    site.running.stop().await;
}
