//! Calls and pushes.

use petasus_protocol::Topic;
use petasus_protocol::session::{Call, CancelMode, Content, Error, Event, Outcome, Push, RequestId, Until};

use crate::talk::{Talk, config};

fn add() -> Call {
    Call {
        procedure: "com.add".to_owned(),
        content: Content::from("x"),
        timeout: Some(1_000),
        progress: false,
        more: false,
        disclose: false,
    }
}

fn call(talk: &mut Talk, call: Call) -> RequestId {
    talk.session.call(call, talk.now).expect("a call")
}

fn texts(events: Vec<Event>) -> Vec<(&'static str, RequestId, String)> {
    let text = |content: &Content| content.to_message().as_str().expect("a text").to_owned();
    let told = |event| match event {
        Event::Progress { request, content } => ("progress", request, text(&content)),
        Event::Done { request, outcome: Ok(Outcome::Result(content)) } => ("result", request, text(&content)),
        Event::Done { request, outcome: Err(Error::Refused(refusal)) } => ("error", request, refusal.uri),
        Event::Done { request, outcome } => ("done", request, format!("{outcome:?}")),
        other => panic!("{other:?}"),
    };
    events.into_iter().map(told).collect()
}

#[test]
fn each_call_gets_its_own_answer_once() {
    let mut talk = Talk::welcome();
    let one = call(&mut talk, add());
    let two = call(&mut talk, Call { disclose: true, ..add() });
    let sent = [
        r#"[48,1,{"timeout":1000},"com.add",["x"]]"#,
        r#"[48,2,{"disclose_me":true,"timeout":1000},"com.add",["x"]]"#,
    ];
    assert_eq!(talk.sent(), sent);
    talk.router(r#"[50,2,{},["two"]]"#);
    talk.router(r#"[50,2,{},["again"]]"#);
    talk.router(r#"[8,48,1,{},"com.error",["why"]]"#);
    talk.router(r#"[50,77,{},["nobody"]]"#);
    let expected = [("result", two, "two".to_owned()), ("error", one, "com.error".to_owned())];
    assert_eq!(texts(talk.events()), expected);
    let refused = talk.session.call(Call { procedure: "a b".to_owned(), ..add() }, talk.now);
    assert!(matches!(refused, Err(Error::Uri(_))));
}

#[test]
fn a_call_times_out_and_is_canceled() {
    let mut talk = Talk::welcome();
    let request = call(&mut talk, add());
    talk.sent();
    talk.pass(999);
    assert_eq!(talk.events(), []);
    talk.pass(1);
    assert_eq!(talk.events(), [Event::Done { request, outcome: Err(Error::TimedOut) }]);
    assert_eq!(talk.sent(), [r#"[49,1,{"mode":"killnowait"}]"#]);
    talk.router(r#"[8,48,1,{},"wamp.error.canceled"]"#);
    assert_eq!(talk.events(), []);
}

#[test]
fn each_part_of_a_result_begins_the_wait_anew() {
    let mut talk = Talk::welcome();
    let request = call(&mut talk, Call { progress: true, ..add() });
    assert_eq!(talk.sent(), [r#"[48,1,{"receive_progress":true,"timeout":1000},"com.add",["x"]]"#]);
    for part in ["1", "2", "3"] {
        talk.pass(900);
        talk.router(&format!(r#"[50,1,{{"progress":true}},["{part}"]]"#));
        assert_eq!(texts(talk.events()), [("progress", request, part.to_owned())]);
    }
    talk.router(r#"[50,1,{},["end"]]"#);
    assert_eq!(texts(talk.events()), [("result", request, "end".to_owned())]);
    talk.pass(2_000);
    assert_eq!(talk.events(), []);
}

#[test]
fn a_canceled_call_is_not_heard_of_again() {
    let mut talk = Talk::welcome();
    for (mode, word) in [(CancelMode::Skip, "skip"), (CancelMode::Kill, "killnowait")] {
        let request = call(&mut talk, add());
        talk.sent();
        talk.session.cancel(request, mode, talk.now);
        let sent = talk.sent().remove(0);
        assert!(sent.ends_with(&format!(r#",{{"mode":"{word}"}}]"#)), "{sent}");
        talk.session.cancel(request, mode, talk.now);
        assert_eq!((talk.sent(), talk.events()), (Vec::new(), Vec::new()));
    }
    talk.router(r#"[50,1,{},["late"]]"#);
    talk.router(r#"[8,48,2,{},"wamp.error.canceled"]"#);
    talk.pass(5_000);
    assert_eq!(talk.events(), []);

    let mut talk = Talk::new(config());
    let request = call(&mut talk, add());
    talk.session.cancel(request, CancelMode::Kill, talk.now);
    assert_eq!((talk.session.waiting(), talk.events()), (0, Vec::new()));
}

#[test]
fn arguments_can_come_in_pieces() {
    let mut talk = Talk::new(config());
    talk.session.connect(talk.now);
    let request = call(&mut talk, Call { more: true, timeout: None, ..add() });
    assert_eq!(talk.session.call_more(request, Content::from("y"), true, talk.now), Ok(()));
    talk.open();
    talk.sent();
    talk.router(crate::talk::WELCOME);
    assert_eq!(talk.session.call_more(request, Content::from("z"), false, talk.now), Ok(()));
    let piece = |more, text| format!(r#"[48,1,{{"progress":{more},"timeout":30000}},"com.add",["{text}"]]"#);
    assert_eq!(talk.sent(), [piece(true, "x"), piece(true, "y"), piece(false, "z")]);
    assert_eq!(talk.session.call_more(request, Content::from("!"), false, talk.now), Err(Error::Stale));
    talk.events();
    talk.router(r#"[50,1,{},["sum"]]"#);
    assert_eq!(texts(talk.events()), [("result", request, "sum".to_owned())]);

    let request = call(&mut talk, Call { more: true, ..add() });
    talk.router(r#"[50,2,{},["early"]]"#);
    assert_eq!(texts(talk.events()), [("result", request, "early".to_owned())]);
    assert_eq!(talk.session.call_more(request, Content::from("y"), true, talk.now), Err(Error::Stale));
}

#[test]
fn a_call_is_lost_with_all_of_its_pieces() {
    let mut talk = Talk::welcome();
    let request = call(&mut talk, Call { more: true, ..add() });
    talk.session.handle_blocked(talk.socket(), true, talk.now);
    assert_eq!(talk.session.call_more(request, Content::from("y"), true, talk.now), Ok(()));
    talk.breaks();
    assert_eq!(talk.told(), [Event::Done { request, outcome: Err(Error::Lost) }]);
    assert_eq!(talk.session.waiting(), 0);
    talk.sent();
    talk.reconnect();
    assert_eq!(talk.sent(), [""; 0]);
}

#[test]
fn a_push_says_what_became_of_it() {
    let mut talk = Talk::welcome();
    let push =
        |until| Push { topic: Topic::new("jobs/a"), content: Content::from("x"), until, timeout: None };
    let handed = talk.session.push(push(Until::Handed), talk.now).expect("a push");
    let held = talk.session.push(push(Until::Handed), talk.now).expect("a push");
    let done = talk.session.push(push(Until::Done), talk.now).expect("a push");
    assert_eq!(
        talk.sent(),
        [
            r#"[48,1,{"_pattern":"queue","_ack":"handed"},"jobs.a",["x"]]"#,
            r#"[48,2,{"_pattern":"queue","_ack":"handed"},"jobs.a",["x"]]"#,
            r#"[48,3,{"_pattern":"queue","_ack":"done"},"jobs.a",["x"]]"#,
        ]
    );
    talk.router(r#"[50,1,{},["handed"]]"#);
    talk.router(r#"[50,2,{},["held"]]"#);
    talk.router(r#"[50,3,{},["done it"]]"#);
    assert_eq!(
        texts(talk.events()),
        [
            ("done", handed, "Ok(Handed)".to_owned()),
            ("done", held, "Ok(Held)".to_owned()),
            ("result", done, "done it".to_owned())
        ]
    );
    let strange = talk.session.push(push(Until::Handed), talk.now).expect("a push");
    talk.sent();
    talk.router(r#"[50,4,{},["eaten"]]"#);
    assert_eq!(talk.sent()[0], r#"[3,{},"wamp.error.protocol_violation"]"#);
    assert_eq!(talk.told(), [Event::Done { request: strange, outcome: Err(Error::Lost) }]);
}

#[test]
fn a_plain_router_is_asked_for_nothing_that_it_does_not_have() {
    let mut talk = Talk::new(config());
    talk.session.connect(talk.now);
    let waits = talk
        .session
        .push(
            Push { topic: Topic::new("q"), content: Content::empty(), until: Until::Done, timeout: None },
            talk.now,
        )
        .expect("it waits");
    talk.open();
    talk.sent();
    talk.router(r#"[2,7,{"roles":{"broker":{},"dealer":{}}}]"#);
    let told = talk.told();
    assert!(
        matches!(told.as_slice(), [Event::Done { request, outcome: Err(Error::Unsupported { .. }) }] if *request == waits)
    );
    let request = call(&mut talk, add());
    assert_eq!(talk.sent(), [r#"[48,1,{},"com.add",["x"]]"#]);
    talk.session.cancel(request, CancelMode::Kill, talk.now);
    assert_eq!(talk.sent(), [""; 0]);
    let refused = talk.session.call(Call { more: true, ..add() }, talk.now);
    assert!(matches!(refused, Err(Error::Unsupported { .. })));
}
