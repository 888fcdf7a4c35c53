//! From a socket to a session, and what keeps it from being one.

use petasus_protocol::session::{Event, Failure, Filter, Probe, Status};
use petasus_protocol::wamp::{Dict, Limits, RawDict, Serializer};
use petasus_protocol::{Message, Topic};

use crate::talk::{Talk, WELCOME, config};

const HELLO: &str = concat!(
    r#"[1,"default",{"roles":{"publisher":{"features":{"publisher_exclusion":true}},"#,
    r#""subscriber":{"features":{"pattern_based_subscription":true,"publisher_identification":true,"#,
    r#""subscription_revocation":true}},"#,
    r#""caller":{"features":{"call_canceling":true,"call_timeout":true,"caller_identification":true,"#,
    r#""progressive_call_invocations":true,"progressive_call_results":true}},"#,
    r#""callee":{"features":{"call_canceling":true,"call_reroute":true,"caller_identification":true,"#,
    r#""pattern_based_registration":true,"progressive_call_invocations":true,"progressive_call_results":true,"#,
    r#""registration_revocation":true,"shared_registration":true}}},"agent":"petasus/"#,
    env!("CARGO_PKG_VERSION"),
    r#""}]"#
);

#[test]
fn a_session_is_opened_by_hello_and_welcome() {
    let mut talk = Talk::new(config());
    talk.session.connect(talk.now);
    assert_eq!(talk.statuses(), ["Connecting { attempt: 0 }"]);
    let open = "open ws://broker:3000/ws wamp.2.json wamp.2.msgpack wamp.2.cbor";
    assert_eq!(talk.sent(), [open]);

    talk = Talk::new(config());
    talk.session.connect(talk.now);
    talk.open();
    assert_eq!(talk.sent(), [HELLO]);
    talk.events();
    talk.router(WELCOME);
    let events = talk.events();
    let [Event::Status(Status::Connected(welcome))] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(
        (welcome.session, welcome.authid.as_str(), welcome.realm.as_str()),
        (Some(7), "joe", "default")
    );
    assert_eq!(talk.sent(), [""; 0]);
}

#[test]
fn a_challenge_is_answered_within_the_connect_timeout() {
    let mut config = config();
    config.identity.authid = Some("joe".to_owned());
    config.identity.methods = vec!["ticket".to_owned()];
    config.identity.extra = Dict::new().with("nonce", "n").into();
    let mut talk = Talk::new(config);
    talk.session.connect(talk.now);
    talk.open();
    let hello = talk.sent().remove(0);
    let identity = r#","authid":"joe","authmethods":["ticket"],"authextra":{"nonce":"n"}}]"#;
    assert!(hello.ends_with(identity), "{hello}");
    talk.events();

    talk.router(r#"[4,"ticket",{"a":1}]"#);
    let extra = Dict::new().with("a", 1);
    assert_eq!(talk.events(), [Event::Challenge { method: "ticket".to_owned(), extra: extra.into() }]);
    talk.session.authenticate("secret".to_owned(), RawDict::new(), talk.now);
    talk.session.authenticate("twice".to_owned(), RawDict::new(), talk.now);
    assert_eq!(talk.sent(), [r#"[5,"secret",{}]"#]);
    talk.pass(10_000);
    assert_eq!(talk.sent()[0], "drop");
    assert!(talk.statuses()[0].starts_with("Waiting { failure: ConnectTimedOut"));
}

#[test]
fn a_challenge_that_is_refused_ends_the_session_for_good() {
    let mut talk = Talk::new(config());
    talk.session.connect(talk.now);
    let filter = Filter::Exact(Topic::new("a"));
    let subscription = talk.session.subscribe(filter, talk.now).expect("it waits");
    talk.open();
    talk.sent();
    talk.router(r#"[4,"ticket",{}]"#);
    talk.events();
    talk.session.refuse_challenge("no secret".to_owned(), talk.now);
    assert_eq!(talk.sent(), [r#"[3,{},"wamp.error.authentication_failed"]"#, "close 1000", "drop"]);
    let failure = Failure::Challenge { reason: "no secret".to_owned() };
    let error = petasus_protocol::session::Error::GaveUp(failure.clone());
    let events = talk.events();
    assert_eq!(
        events,
        [
            Event::SubscriptionEnded { subscription, error },
            Event::Status(Status::Closed { failure: Some(failure) })
        ]
    );
    talk.session.close(talk.now);
    talk.pass(100_000);
    assert_eq!((talk.sent(), talk.events()), (Vec::new(), Vec::new()));
}

/// To answer one may cost much, so a router has to wait for the answer before it asks again.
#[test]
fn a_second_challenge_before_the_answer_breaks_the_protocol() {
    let mut talk = Talk::new(config());
    talk.session.connect(talk.now);
    talk.open();
    talk.sent();
    talk.router(r#"[4,"ticket",{}]"#);
    assert_eq!(talk.sent(), [""; 0]);
    talk.router(r#"[4,"ticket",{}]"#);
    assert_eq!(talk.sent()[0], r#"[3,{},"wamp.error.protocol_violation"]"#);
    let challenges = talk.events().into_iter().filter(|event| matches!(event, Event::Challenge { .. }));
    assert_eq!(challenges.count(), 1);
}

/// Terminals and logs obey control characters.
#[test]
fn what_a_router_says_is_shown_without_control_characters() {
    let mut talk = Talk::new(config());
    talk.session.connect(talk.now);
    talk.open();
    talk.events();
    talk.router("[3,{\"message\":\"\\u001b[2Jowned\\u0007\\nmore\"},\"wamp.error.no_such_realm\"]");
    let text = "[2Jowned".to_owned();
    let failure = Failure::Aborted { uri: "wamp.error.no_such_realm".to_owned(), text };
    assert_eq!(talk.events(), [Event::Status(Status::Closed { failure: Some(failure) })]);
}

#[test]
fn a_server_without_wamp_is_given_up() {
    for subprotocol in [None, Some("mqtt"), Some("wamp.2.json.batched")] {
        let mut talk = Talk::new(config());
        talk.session.connect(talk.now);
        let socket = talk.opening();
        talk.session.handle_opened(socket, subprotocol, talk.now);
        assert_eq!(talk.statuses()[1], "Closed { failure: Some(NoSubprotocol) }");
    }
}

#[test]
fn an_abort_that_may_pass_is_waited_out() {
    let mut talk = Talk::new(config());
    talk.session.connect(talk.now);
    talk.open();
    talk.sent();
    talk.events();
    talk.router(r#"[3,{"message":"stops"},"wamp.close.system_shutdown"]"#);
    assert!(
        talk.statuses()[0].starts_with(
            r#"Waiting { failure: Aborted { uri: "wamp.close.system_shutdown", text: "stops" }"#
        )
    );
    assert_eq!(talk.sent(), ["close 1000"]);
    talk.reconnect();
    assert_eq!(talk.statuses(), ["Connecting { attempt: 1 }", "Connected"]);
}

#[test]
fn what_breaks_the_protocol_is_answered_by_abort() {
    for broken in ["no json", r#"{"a":1}"#, r"[2,7,{}]", r"[36,1]", r#"[16,1,{},"a"]"#, r#"[4,"ticket",{}]"#]
    {
        let mut talk = Talk::welcome();
        talk.router(broken);
        let sent = talk.sent();
        assert_eq!(sent, [r#"[3,{},"wamp.error.protocol_violation"]"#, "close 1000"], "{broken}");
        assert!(talk.statuses()[0].starts_with("Waiting { failure: Protocol"));
        // The old socket is dropped when the server does not confirm its end.
        let until = talk.now + 5_000;
        let mut dropped = false;
        while talk.now < until {
            talk.pass(10);
            dropped |= talk.sent().iter().any(|word| word == "drop");
        }
        assert!(dropped);
    }
}

#[test]
fn frames_of_the_wrong_kind_and_events_before_welcome_break_the_protocol() {
    let mut talk = Talk::welcome();
    talk.session.handle_message(talk.socket(), Message::binary(r"[36,1,2,{}]"), talk.now);
    assert_eq!(talk.sent()[0], r#"[3,{},"wamp.error.protocol_violation"]"#);

    let mut talk = Talk::new(config());
    talk.session.connect(talk.now);
    talk.open();
    talk.sent();
    talk.router("[36,1,2,{}]");
    assert_eq!(talk.sent()[0], r#"[3,{},"wamp.error.protocol_violation"]"#);
    assert!(talk.statuses()[1].starts_with("Closed"));
}

#[test]
fn all_serializers_are_spoken() {
    for serializer in Serializer::ALL {
        let mut talk = Talk::new(config());
        talk.session.connect(talk.now);
        let socket = talk.opening();
        talk.session.handle_opened(socket, Some(serializer.subprotocol(false)), talk.now);
        let Some(petasus_protocol::session::Output::Send { message, .. }) = talk.session.poll_output() else {
            panic!("no HELLO")
        };
        assert_eq!(message.is_text(), serializer.is_text());
        let hello =
            petasus_protocol::wamp::Message::decode(serializer, message.payload(), &Limits::default());
        assert!(matches!(hello, Ok(petasus_protocol::wamp::Message::Hello(_))));
    }
}

#[test]
fn a_probe_is_a_call_whose_answer_counts_whatever_it_says() {
    let mut config = config();
    config.heartbeat.probe = Probe::Call;
    let mut talk = Talk::welcome_with(config);
    talk.pass(20_000);
    assert_eq!(talk.sent(), [r#"[48,1,{},"wamp.session.count"]"#]);
    talk.router(r#"[8,48,1,{},"wamp.error.no_such_procedure"]"#);
    talk.pass(20_000);
    assert_eq!(talk.sent(), [r#"[48,2,{},"wamp.session.count"]"#]);
    talk.router("[50,2,{},[3]]");
    assert_eq!(talk.events(), []);
    talk.session.check(talk.now);
    assert_eq!(talk.sent(), [r#"[48,3,{},"wamp.session.count"]"#]);
    talk.pass(10_000);
    assert!(talk.statuses()[0].starts_with("Waiting { failure: Silent"));
}
