//! Hooks of the embedding program, which are asked about the operations of sessions.

use std::sync::Arc;

use parking_lot::Mutex;
use petasus_broker::Pattern::{Bus, PubSub, Queue, Rpc};
use petasus_broker::auth::{Action, Denied, Operation};
use petasus_broker::{Broker, Builder, Pattern};
use petasus_protocol::wamp::{Dict, Message, Serializer};

use crate::client::{Wamp, text};
use crate::raw::{TEXT, message as frame};
use crate::running::{Running, config};
use crate::{not_authorized, rule, with_access};

const ACTIONS: [Action; 8] = [
    Action::Join,
    Action::Send,
    Action::Subscribe,
    Action::Publish,
    Action::Pull,
    Action::Push,
    Action::Register,
    Action::Call,
];

type Asked = Arc<Mutex<Vec<(Action, Pattern, String, Option<Vec<u8>>)>>>;

/// Hooks for everything, which note what they are asked, and deny names that end in `no`.
fn noting(mut builder: Builder) -> (Builder, Asked) {
    let asked = Asked::default();
    for action in ACTIONS {
        let asked = asked.clone();
        builder = builder.on(action, move |operation: Operation| {
            assert_eq!(operation.action, action);
            let Operation { pattern, topic, message, .. } = operation;
            assert!(!topic.ends_with("panics"), "as the test wants it");
            let denied = topic.ends_with("no");
            asked.lock().push((
                action,
                pattern,
                topic,
                message.map(|message| message.into_payload().to_vec()),
            ));
            async move { if denied { Err(Denied::new("the hook says no")) } else { Ok(()) } }
        });
    }
    (builder, asked)
}

async fn say(client: &mut Wamp, json: &str) -> u64 {
    let request = client.request();
    client.raw().send(frame(TEXT, json.replace("REQ", &request.to_string()).as_bytes())).await;
    request
}

/// REQ-WAMP-069
#[tokio::test]
async fn each_operation_is_asked_about_by_its_own_hook() {
    let (builder, asked) = noting(Broker::builder().config(config("http://127.0.0.1:0")));
    let running = Running::start_broker(builder.build().unwrap()).await.unwrap();
    let mut client = Wamp::join(running.address, Serializer::Json, "default").await;
    for (json, action, pattern, name, payload) in [
        (r#"[32,REQ,{},"hook.NAME"]"#, Action::Subscribe, PubSub, "hook/NAME", None),
        (r#"[32,REQ,{"_pattern":"bus"},"hook.NAME"]"#, Action::Join, Bus, "hook/NAME", None),
        (
            r#"[16,REQ,{"acknowledge":true},"hook.NAME",["one"]]"#,
            Action::Publish,
            PubSub,
            "hook/NAME",
            Some("one"),
        ),
        (
            r#"[16,REQ,{"acknowledge":true,"_pattern":"bus"},"hook.NAME",["two"]]"#,
            Action::Send,
            Bus,
            "hook/NAME",
            Some("two"),
        ),
        (
            r#"[16,REQ,{"acknowledge":true,"_pattern":"queue"},"hook.NAME",["three"]]"#,
            Action::Push,
            Queue,
            "hook/NAME",
            Some("three"),
        ),
        (
            r#"[48,REQ,{"_pattern":"queue"},"hook.NAME",["four"]]"#,
            Action::Push,
            Queue,
            "hook/NAME",
            Some("four"),
        ),
        (
            r#"[16,REQ,{"acknowledge":true},"hook.NAME",[{"a":1}]]"#,
            Action::Publish,
            PubSub,
            "hook/NAME",
            Some(r#"{"a":1}"#),
        ),
        (
            r#"[48,REQ,{},"hook.NAME",[1,2]]"#,
            Action::Call,
            Rpc,
            "hook.NAME",
            Some(r#"{"args":[1,2],"kwargs":{}}"#),
        ),
        (r#"[64,REQ,{},"hook.NAME"]"#, Action::Register, Rpc, "hook.NAME", None),
        (r#"[64,REQ,{"_pattern":"queue"},"hook.NAME"]"#, Action::Pull, Queue, "hook/NAME", None),
    ] {
        for (end, denied) in [("yes", false), ("no", true), ("panics", true)] {
            let request = say(&mut client, &json.replace("NAME", end)).await;
            if denied {
                let reason = not_authorized(&mut client, request).await;
                assert_eq!(reason == "the hook says no", end == "no", "{reason}");
            } else if let Message::Error(error) = client.hear().await {
                assert_ne!(error.error, "wamp.error.not_authorized", "{json}");
            }
            if end == "panics" {
                assert!(asked.lock().is_empty());
                continue;
            }
            let expected = (
                action,
                pattern,
                name.replace("NAME", end),
                payload.map(|payload| payload.as_bytes().to_vec()),
            );
            assert_eq!(std::mem::take(&mut *asked.lock()), [expected], "{json}");
        }
    }
    // And nothing is asked about what only goes on.
    say(&mut client, "[34,REQ,4711]").await;
    assert!(matches!(client.hear().await, Message::Error(_)));
    assert!(asked.lock().is_empty());
    running.stop().await;
}

/// REQ-WAMP-069, REQ-WAMP-067: the rules are asked first, and of what they refuse no hook hears.
#[tokio::test]
async fn hooks_are_asked_after_the_rules() {
    let (config, _file) =
        with_access(&format!("anonymous = \"guest\"\n{}", rule("guest", "hook.", "\"publish\"")));
    let (builder, asked) = noting(Broker::builder().config(config));
    let running = Running::start_broker(builder.build().unwrap()).await.unwrap();
    let mut client = Wamp::join(running.address, Serializer::Json, "default").await;
    let request = say(&mut client, r#"[32,REQ,{},"hook.yes"]"#).await;
    not_authorized(&mut client, request).await;
    assert!(asked.lock().is_empty());
    client.publish("hook.yes", Dict::new(), text("x")).await;
    assert_eq!(asked.lock().len(), 1);
    running.stop().await;
}

/// REQ-WAMP-069, REQ-WAMP-034: a testament is a publication.
#[tokio::test]
async fn hooks_are_asked_about_testaments() {
    let (builder, asked) = noting(Broker::builder().config(config("http://127.0.0.1:0")));
    let running = Running::start_broker(builder.build().unwrap()).await.unwrap();
    let mut client = Wamp::join(running.address, Serializer::Json, "default").await;
    for (end, denied) in [("yes", false), ("no", true)] {
        let json = r#"[48,REQ,{},"wamp.session.add_testament",["hook.NAME",["last"],{}]]"#;
        let request = say(&mut client, &json.replace("NAME", end)).await;
        if denied {
            not_authorized(&mut client, request).await;
        } else {
            client.result(request).await;
        }
        let asked = std::mem::take(&mut *asked.lock());
        let about: Vec<_> = asked.iter().map(|(action, _, name, _)| (*action, name.clone())).collect();
        let call = (Action::Call, "wamp.session.add_testament".to_owned());
        assert_eq!(about, [call, (Action::Publish, format!("hook/{end}"))]);
        assert_eq!(asked[1].3.as_deref(), Some(&b"last"[..]));
    }
    running.stop().await;
}
