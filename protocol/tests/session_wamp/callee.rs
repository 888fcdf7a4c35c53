//! Registrations and what they are asked for.

use petasus_protocol::Topic;
use petasus_protocol::session::{
    Answer, Content, Error, Event, InvocationId, Invoke, Register, RegistrationId,
};
use petasus_protocol::wamp::uri::Match;

use crate::talk::Talk;

fn procedure(uri: &str) -> Register {
    let uri = uri.to_owned();
    Register::Procedure { uri, matching: Match::Exact, invoke: Invoke::Single, concurrency: None }
}

fn queue() -> Register {
    Register::Queue { topic: Topic::new("jobs"), concurrency: 4 }
}

/// A registration that stands, with the router's id 201.
fn registered(talk: &mut Talk, register: Register) -> RegistrationId {
    let registration = talk.session.register(register, talk.now).expect("a registration");
    talk.router("[65,1,201]");
    talk.sent();
    assert_eq!(talk.told(), [Event::Registered { registration, again: false }]);
    registration
}

/// The router's INVOCATION, and what the program is told of it.
fn invoke(talk: &mut Talk, message: &str) -> InvocationId {
    talk.router(message);
    let events = talk.events();
    let [Event::Invocation { invocation, .. }] = events.as_slice() else { panic!("{events:?}") };
    *invocation
}

fn answer(talk: &mut Talk, invocation: InvocationId, text: &str) -> Result<(), Error> {
    talk.session.answer(invocation, Answer::Result(Content::from(text)), talk.now)
}

#[test]
fn registrations_say_what_they_want() {
    let mut talk = Talk::welcome();
    let all = Register::Procedure {
        uri: "com.".to_owned(),
        matching: Match::Prefix,
        invoke: Invoke::RoundRobin,
        concurrency: Some(3),
    };
    for register in [procedure("com.add"), all, queue()] {
        talk.session.register(register, talk.now).expect("a registration");
    }
    assert_eq!(
        talk.sent(),
        [
            r#"[64,1,{},"com.add"]"#,
            r#"[64,2,{"match":"prefix","invoke":"roundrobin","concurrency":3},"com."]"#,
            r#"[64,3,{"_pattern":"queue","concurrency":4},"jobs"]"#,
        ]
    );
    assert!(matches!(talk.session.register(procedure("a..b"), talk.now), Err(Error::Uri(_))));
}

#[test]
fn a_call_is_answered_once() {
    let mut talk = Talk::welcome();
    let registration = registered(&mut talk, procedure("com.add"));
    talk.router(r#"[68,1,201,{"caller":5,"receive_progress":true,"procedure":"com.add"},["x"]]"#);
    let events = talk.events();
    let [Event::Invocation { registration: whose, invocation, incoming }] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!(
        (*whose, incoming.caller, incoming.progress, incoming.more),
        (registration, Some(5), true, false)
    );
    assert_eq!(incoming.procedure.as_deref(), Some("com.add"));
    assert_eq!(incoming.content.to_message().as_str(), Some("x"));
    let part = Answer::Progress(Content::from("1"));
    assert_eq!(talk.session.answer(*invocation, part.clone(), talk.now), Ok(()));
    assert_eq!(answer(&mut talk, *invocation, "2"), Ok(()));
    assert_eq!(talk.sent(), [r#"[70,1,{"progress":true},["1"]]"#, r#"[70,1,{},["2"]]"#]);
    assert_eq!(answer(&mut talk, *invocation, "3"), Err(Error::Stale));

    let plain = invoke(&mut talk, r"[68,2,201,{}]");
    assert!(matches!(talk.session.answer(plain, part, talk.now), Err(Error::Unsupported { .. })));
    let failed = |uri: &str| Answer::Failed { uri: uri.to_owned(), content: Content::from("no") };
    assert!(matches!(talk.session.answer(plain, failed("no uri"), talk.now), Err(Error::Uri(_))));
    assert_eq!(talk.session.answer(plain, failed("com.error"), talk.now), Ok(()));
    assert_eq!(talk.sent(), [r#"[8,68,2,{},"com.error",["no"]]"#]);
}

#[test]
fn an_interrupted_call_is_over() {
    let mut talk = Talk::welcome();
    registered(&mut talk, procedure("com.add"));
    for (number, options, said) in [
        (1, r#"{"mode":"kill"}"#, Some(r#"[8,68,1,{},"wamp.error.canceled"]"#)),
        (2, r#"{"mode":"killnowait"}"#, None),
        (3, "{}", Some(r#"[8,68,3,{},"wamp.error.canceled"]"#)),
    ] {
        let invocation = invoke(&mut talk, &format!("[68,{number},201,{{}}]"));
        talk.router(&format!("[69,{number},{options}]"));
        assert_eq!(talk.events(), [Event::Interrupted { invocation }]);
        assert_eq!(talk.sent(), Vec::from_iter(said));
        assert_eq!(answer(&mut talk, invocation, "late"), Err(Error::Stale));
    }
    let invocation = invoke(&mut talk, "[68,4,201,{}]");
    talk.breaks();
    assert_eq!(talk.told(), [Event::Interrupted { invocation }]);
    assert_eq!(answer(&mut talk, invocation, "late"), Err(Error::Stale));
}

#[test]
fn arguments_that_come_in_pieces_are_one_call() {
    let mut talk = Talk::welcome();
    registered(&mut talk, procedure("com.add"));
    let invocation = invoke(&mut talk, r#"[68,1,201,{"progress":true},["1"]]"#);
    talk.router(r#"[68,1,201,{"progress":true},["2"]]"#);
    let events = talk.events();
    let [Event::InvocationMore { invocation: which, content, more: true }] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!((*which, content.to_message().as_str()), (invocation, Some("2")));
    assert_eq!(answer(&mut talk, invocation, "enough"), Ok(()));
    // What was on its way is for nobody, and no new call.
    talk.router(r#"[68,1,201,{"progress":true},["3"]]"#);
    talk.router(r#"[68,1,201,{},["4"]]"#);
    assert_eq!(talk.events(), []);
    assert_eq!(talk.sent(), [r#"[70,1,{},["enough"]]"#]);
}

#[test]
fn a_registration_that_ends_leaves_nobody_waiting() {
    let mut talk = Talk::welcome();
    let registration = registered(&mut talk, procedure("com.add"));
    let before = invoke(&mut talk, "[68,1,201,{}]");
    talk.session.unregister(registration, talk.now);
    assert_eq!(talk.sent(), ["[66,2,201]"]);
    // This call came before the router knew: another callee may take it.
    talk.router("[68,2,201,{}]");
    assert_eq!(talk.sent(), [r#"[8,68,2,{},"wamp.error.unavailable"]"#]);
    assert_eq!(talk.events(), []);
    talk.router("[67,2]");
    assert_eq!(talk.events(), [Event::Unregistered { registration }]);
    assert_eq!(answer(&mut talk, before, "x"), Ok(()));
    assert_eq!(talk.sent(), [r#"[70,1,{},["x"]]"#]);
}

#[test]
fn the_jobs_of_a_puller_that_leaves_go_back() {
    let mut talk = Talk::welcome();
    let registration = registered(&mut talk, queue());
    let invocation = invoke(&mut talk, "[68,1,201,{}]");
    talk.session.unregister(registration, talk.now);
    assert_eq!(talk.events(), [Event::Interrupted { invocation }]);
    assert_eq!(answer(&mut talk, invocation, "x"), Err(Error::Stale));
    // An answer would say that it was done.
    talk.router("[68,2,201,{}]");
    assert_eq!(talk.sent(), ["[66,2,201]"]);
    assert_eq!(talk.events(), []);
}

#[test]
fn a_registration_that_is_taken_away_ends() {
    let mut talk = Talk::welcome();
    let registration = registered(&mut talk, procedure("com.add"));
    talk.router(r#"[67,0,{"registration":201,"reason":"com.enough"}]"#);
    let error = Error::Revoked { reason: "com.enough".to_owned() };
    assert_eq!(talk.events(), [Event::RegistrationEnded { registration, error }]);
    talk.breaks();
    talk.reconnect();
    assert_eq!(talk.sent(), [""; 0]);
}

#[test]
fn a_procedure_is_got_back_from_the_clients_own_ghost() {
    let mut talk = Talk::welcome();
    let registration = registered(&mut talk, procedure("com.add"));
    talk.breaks();
    talk.reconnect();
    let taken = |request| format!(r#"[8,64,{request},{{}},"wamp.error.procedure_already_exists"]"#);
    talk.events();
    for request in 1..=3 {
        assert_eq!(talk.sent(), [format!(r#"[64,{request},{{}},"com.add"]"#)]);
        talk.router(&taken(request));
        assert_eq!((talk.events(), talk.sent()), (Vec::new(), Vec::new()));
        talk.pass(2_000);
    }
    talk.router("[65,4,202]");
    assert_eq!(talk.events(), [Event::Registered { registration, again: true }]);

    // It is not tried for ever.
    talk.breaks();
    talk.reconnect();
    talk.events();
    let begin = talk.now;
    let mut request = 1;
    let ended = loop {
        for message in talk.sent() {
            if message.starts_with("[64,") {
                talk.router(&taken(request));
                request += 1;
            }
        }
        if let Some(event) = talk.told().pop() {
            break event;
        }
        talk.session.handle_pong(talk.socket(), talk.now);
        talk.pass(100);
        assert!(talk.now - begin <= 30_000, "it is tried for ever");
    };
    assert!(matches!(ended, Event::RegistrationEnded { error: Error::Refused(_), .. }), "{ended:?}");
    assert!(request > 4);
}

#[test]
fn a_procedure_of_somebody_else_is_not_waited_for() {
    let mut talk = Talk::welcome();
    let registration = talk.session.register(procedure("com.add"), talk.now).expect("a registration");
    talk.router(r#"[8,64,1,{},"wamp.error.procedure_already_exists"]"#);
    let events = talk.events();
    assert!(
        matches!(events.as_slice(), [Event::RegistrationEnded { registration: which, .. }] if *which == registration)
    );
}
