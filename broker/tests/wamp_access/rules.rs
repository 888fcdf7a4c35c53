//! Rules: what each role may do, also without a session, and who learns who it was.

use petasus_broker::config::{Mode, WithoutPuller};
use petasus_protocol::wamp::{Dict, Limits, Message, Payload, Serializer, Value, message};

use crate::client::{Wamp, text};
use crate::raw::{Raw, TEXT, handshake, message as frame};
use crate::{ALL_VERBS, Site, not_authorized, rule, user};

/// Everything that rules are asked about, with the verbs of which each is enough. `NAME` is the name.
const OPERATIONS: [(&str, &[&str]); 9] = [
    (r#"[32,REQ,{},"NAME"]"#, &["subscribe"]),
    (r#"[32,REQ,{"_pattern":"bus"},"NAME"]"#, &["subscribe"]),
    (r#"[16,REQ,{"acknowledge":true},"NAME"]"#, &["publish"]),
    (r#"[16,REQ,{"acknowledge":true,"_pattern":"bus"},"NAME"]"#, &["publish"]),
    (r#"[16,REQ,{"acknowledge":true,"_pattern":"queue"},"NAME"]"#, &["publish", "call"]),
    (r#"[48,REQ,{"_pattern":"queue"},"NAME"]"#, &["publish", "call"]),
    (r#"[48,REQ,{},"NAME"]"#, &["call"]),
    (r#"[64,REQ,{},"NAME"]"#, &["register"]),
    (r#"[64,REQ,{"_pattern":"queue"},"NAME"]"#, &["register"]),
];

/// Sends an operation; whether it was allowed, whatever else came of it.
async fn is_allowed(client: &mut Wamp, operation: &str, name: &str) -> bool {
    let request = client.request();
    let json = operation.replace("REQ", &request.to_string()).replace("NAME", name);
    client.raw().send(frame(TEXT, json.as_bytes())).await;
    loop {
        match client.hear().await {
            Message::Error(error) => {
                assert_eq!(error.request, request);
                return error.error != "wamp.error.not_authorized";
            }
            // Its own job, or call.
            Message::Invocation(_) => {}
            _ => return true,
        }
    }
}

/// REQ-WAMP-067
#[tokio::test]
async fn each_verb_allows_its_operations_and_no_other() {
    const VERBS: [&str; 4] = ["subscribe", "publish", "call", "register"];
    let rules = VERBS.map(|verb| user(verb, verb) + &rule(verb, "rules.own.", &format!("\"{verb}\"")));
    let access = format!("anonymous = \"guest\"\n{}", rules.concat());
    let site = Site::start_with(&access, |config| config.queue.without_puller = WithoutPuller::Hold).await;
    for verb in VERBS.into_iter().chain([""]) {
        let mut client = site.join(verb).await;
        for (operation, verbs) in OPERATIONS {
            let name =
                if verb.is_empty() { "rules.own.guest".to_owned() } else { format!("rules.own.{verb}") };
            assert_eq!(
                is_allowed(&mut client, operation, &name).await,
                verbs.contains(&verb),
                "{verb}: {operation}"
            );
            assert!(!is_allowed(&mut client, operation, "rules.other").await, "{verb}: {operation}");
        }
        client.raw().settle().await;
    }
    site.running.stop().await;
}

/// REQ-WAMP-067, REQ-WAMP-009: also if nobody is told of it.
#[tokio::test]
async fn what_is_refused_comes_of_nothing() {
    let access = format!(
        "anonymous = \"guest\"\n{}{}{}",
        user("ann", "admin"),
        rule("admin", "", ALL_VERBS),
        rule("guest", "rules.open.", ALL_VERBS)
    );
    let site = Site::start(&access).await;
    let (mut ann, mut guest) = (site.join("ann").await, site.join("").await);
    ann.subscribe("rules.", Dict::new().with("match", "prefix")).await;
    ann.subscribe("rules.shut.bus", Dict::new().with("_pattern", "bus")).await;
    ann.register("rules.shut.call", Dict::new()).await;
    ann.register("rules.shut.jobs", Dict::new().with("_pattern", "queue")).await;
    for (topic, options) in [
        ("rules.shut.topic", Dict::new()),
        ("rules.shut.bus", Dict::new().with("_pattern", "bus")),
        ("rules.shut.jobs", Dict::new().with("_pattern", "queue")),
    ] {
        let (request, topic) = (guest.request(), topic.to_owned());
        guest.say(message::Publish { request, options, topic, payload: text("shut") }).await;
    }
    let request = guest.call("rules.shut.call", Dict::new(), text("shut")).await;
    let reason = not_authorized(&mut guest, request).await;
    assert_eq!(reason, "role `guest` may not call rules.shut.call");
    // A pattern that reaches further than the rule.
    for (topic, policy) in [("rules.", "prefix"), ("rules..x", "wildcard"), ("", "prefix")] {
        let request = guest.request();
        let (options, topic) = (Dict::new().with("match", policy), topic.to_owned());
        guest.say(message::Subscribe { request, options, topic }).await;
        not_authorized(&mut guest, request).await;
    }
    guest.publish("rules.open.topic", Dict::new(), text("open")).await;
    let event = ann.event().await;
    assert_eq!(event.details.text("topic"), Ok(Some("rules.open.topic")));
    ann.raw().settle().await;
    site.running.stop().await;
}

/// REQ-WAMP-067: who has no session has the role of those who prove nothing, in the realm `default`.
#[tokio::test]
async fn sockets_and_posts_without_a_session_are_guests() {
    let access = format!(
        "anonymous = \"guest\"\n{}{}{}",
        rule("guest", "in", "\"publish\""),
        rule("guest", "out", "\"subscribe\""),
        rule("guest", "work", "\"register\""),
    );
    let site = Site::start(&access).await;
    let shut = Site::start("anonymous = \"\"\n").await;
    for (path, upgrade, post) in [
        ("/pub/in", 101, Some(200)),
        ("/pub/out", 403, Some(403)),
        ("/sub/in", 403, None),
        ("/sub/out", 101, None),
        ("/bus/in", 403, Some(200)),
        ("/bus/out", 403, Some(403)),
        ("/push/in", 101, Some(503)),
        ("/push/out", 403, Some(403)),
        ("/push/work", 403, Some(403)),
        ("/pull/work", 101, None),
        ("/pull/in", 403, None),
    ] {
        for (site, upgrade, post) in [(&site, upgrade, post), (&shut, 403, post.map(|_| 403))] {
            let mut raw = Raw::connect(site.running.address).await;
            raw.send(handshake(path, "")).await;
            assert_eq!(raw.answer_head().await.status, upgrade, "{path}");
            if let Some(status) = post {
                let mut raw = Raw::connect(site.running.address).await;
                assert_eq!(raw.post(path, "x").await, status, "{path}");
            }
        }
    }
    let mut client = Wamp::connect(shut.running.address, Serializer::Json).await;
    crate::hello(&mut client, "anonymous", None, Dict::new()).await;
    client.aborted("wamp.error.no_matching_auth_method", 3000).await;
    shut.running.stop().await;
    site.running.stop().await;
}

/// Asks for a testament.
async fn leave_testament(client: &mut Wamp, topic: &str, options: Dict) -> u64 {
    let args = [topic.into(), Value::List(vec!["last".into()]), Value::Dict(Dict::new())];
    let kwargs = Dict::new().with("publish_options", Value::Dict(options));
    let payload = Payload::of_values(Serializer::Json, &args, &kwargs);
    client.call("wamp.session.add_testament", Dict::new(), payload).await
}

/// REQ-WAMP-068, REQ-WAMP-025, REQ-WAMP-051, REQ-WAMP-034: of events, calls and testaments.
#[tokio::test]
async fn rules_decide_who_learns_who_it_was() {
    let disclose =
        |name: &str| rule("*", &format!("rules.{name}."), ALL_VERBS) + &format!("disclose = \"{name}\"\n");
    let access = [
        "anonymous = \"guest\"\n".to_owned(),
        user("ann", "admin"),
        rule("admin", "", ALL_VERBS),
        rule("*", "wamp.", "\"call\""),
        disclose("always"),
        disclose("never"),
        disclose("client"),
    ];
    let site = Site::start(&access.concat()).await;
    let mut ann = site.join("ann").await;
    ann.subscribe("rules.", Dict::new().with("match", "prefix")).await;
    ann.register("rules.", Dict::new().with("match", "prefix")).await;
    for (name, told) in [("always", [true, true]), ("never", [false, false]), ("client", [false, true])] {
        for (wanted, told) in [false, true].into_iter().zip(told) {
            let mut guest = site.join("").await;
            let (uri, options) = (format!("rules.{name}.x"), Dict::new().with("disclose_me", wanted));
            let expected = Ok(told.then_some(guest.session));
            guest.publish(&uri, options.clone(), text("x")).await;
            assert_eq!(ann.event().await.details.id("publisher"), expected, "{name}, {wanted}");
            guest.call(&uri, options.clone(), text("x")).await;
            assert_eq!(ann.invocation().await.details.id("caller"), expected, "{name}, {wanted}");
            let request = leave_testament(&mut guest, &uri, options).await;
            guest.result(request).await;
            guest.die();
            assert_eq!(ann.event().await.details.id("publisher"), expected, "testament: {name}, {wanted}");
        }
    }
    site.running.stop().await;
}

/// REQ-WAMP-067, REQ-WAMP-034: what nobody may publish nobody may leave to be published.
#[tokio::test]
async fn a_testament_is_a_publication() {
    let access = format!(
        "anonymous = \"guest\"\n{}{}",
        rule("guest", "wamp.session.", "\"call\""),
        rule("guest", "rules.open", "\"publish\", \"subscribe\"")
    );
    let site = Site::start(&access).await;
    let (mut heir, mut guest) = (site.join("").await, site.join("").await);
    heir.subscribe("rules.open", Dict::new()).await;
    let request = leave_testament(&mut guest, "rules.shut", Dict::new()).await;
    not_authorized(&mut guest, request).await;
    let request = leave_testament(&mut guest, "rules.open", Dict::new()).await;
    guest.result(request).await;
    guest.die();
    assert_eq!(heir.event().await.payload, text("last"));
    site.running.stop().await;
}

/// REQ-WAMP-070
#[tokio::test]
async fn in_production_nobody_is_sent_away_without_a_rule() {
    let access = format!("anonymous = \"guest\"\n{}{}", user("ann", "admin"), user("joe", "user"));
    let rules = rule("admin", "wamp.", "\"call\"");
    for (rules, mode, [ann_may, joe_may]) in [
        ("", Mode::Production, [false, false]),
        ("", Mode::Development, [true, true]),
        (rules.as_str(), Mode::Production, [true, false]),
        (rules.as_str(), Mode::Development, [true, false]),
    ] {
        let site = Site::start_with(&format!("{access}{rules}"), |config| config.mode = mode).await;
        for (authid, may) in [("ann", ann_may), ("joe", joe_may)] {
            let (mut client, mut victim) = (site.join(authid).await, site.join("").await);
            let args = Payload::of_values(Serializer::Json, &[victim.session.into()], &Dict::new());
            let request = client.call("wamp.session.kill", Dict::new(), args).await;
            if may {
                client.result(request).await;
                victim.goodbye("wamp.close.normal").await;
                victim.closed(1000).await;
            } else {
                not_authorized(&mut client, request).await;
                victim.raw().settle().await;
            }
        }
        site.running.stop().await;
    }
}

/// REQ-WAMP-067: a publication goes on to those who may hear it, in every serialisation.
#[tokio::test]
async fn rules_change_nothing_for_those_who_may() {
    let access = format!("anonymous = \"guest\"\n{}", rule("guest", "rules.", ALL_VERBS));
    let site = Site::start(&access).await;
    let mut publisher = site.join("").await;
    for serializer in Serializer::ALL {
        let mut subscriber = site.join_by("", serializer).await;
        subscriber.subscribe("rules.a", Dict::new()).await;
        publisher.publish("rules.a", Dict::new(), text("x")).await;
        let event = subscriber.raw().next().await.unwrap();
        let event = Message::decode(serializer, &event.payload.into(), &Limits::default()).unwrap();
        assert!(matches!(event, Message::Event(_)), "{event:?}");
    }
    site.running.stop().await;
}
