//! GOODBYE, drain and close.

use petasus_protocol::Topic;
use petasus_protocol::session::{
    Answer, Content, DeliveryMode, Destination, Error, Event, Filter, Invoke, Outcome, Publish, Register,
    RequestId, Status, SubscriptionId,
};
use petasus_protocol::wamp::uri::Match;

use crate::talk::{Talk, config};

const CLOSED: Event = Event::Status(Status::Closed { failure: None });

fn publish(talk: &mut Talk, text: &str) -> RequestId {
    let to = Destination::Topic(Topic::new("a"));
    let delivery = DeliveryMode::Acknowledged { timeout: None };
    let publish = Publish { to, content: Content::from(text), delivery, to_self: true };
    talk.session.publish(publish, talk.now).expect("it is taken").expect("it has a number")
}

fn subscribed(talk: &mut Talk) -> SubscriptionId {
    let filter = Filter::Exact(Topic::new("a"));
    let subscription = talk.session.subscribe(filter, talk.now).expect("a subscription");
    talk.router("[33,1,101]");
    talk.sent();
    talk.events();
    subscription
}

#[test]
fn the_routers_goodbye_is_answered_and_the_session_comes_back() {
    let mut talk = Talk::welcome();
    let request = publish(&mut talk, "x");
    talk.sent();
    talk.router(r#"[6,{"message":"stops"},"wamp.close.system_shutdown"]"#);
    assert_eq!(talk.sent(), [r#"[6,{},"wamp.close.goodbye_and_out"]"#, "close 1000"]);
    let events = talk.events();
    assert_eq!(events[0], Event::Done { request, outcome: Err(Error::Lost) });
    assert!(matches!(events[1], Event::Status(Status::Waiting { .. })));
    talk.reconnect();
    assert_eq!(talk.statuses().last().map(String::as_str), Some("Connected"));
}

#[test]
fn a_session_that_was_killed_does_not_come_back() {
    let mut talk = Talk::welcome();
    let subscription = subscribed(&mut talk);
    talk.router(r#"[6,{},"wamp.close.normal"]"#);
    let events = talk.events();
    assert!(matches!(
        events.as_slice(),
        [
            Event::SubscriptionEnded { subscription: which, error: Error::GaveUp(_) },
            Event::Status(Status::Closed { failure: Some(_) })
        ] if *which == subscription
    ));
    let late = talk.session.subscribe(Filter::Exact(Topic::new("b")), talk.now);
    assert!(matches!(late, Err(Error::GaveUp(_))));
}

#[test]
fn closing_ends_everything_and_says_goodbye() {
    let mut talk = Talk::welcome();
    let subscription = subscribed(&mut talk);
    let request = publish(&mut talk, "x");
    talk.sent();
    talk.session.close(talk.now);
    let done = Event::Done { request, outcome: Err(Error::Closed) };
    let ended = Event::SubscriptionEnded { subscription, error: Error::Closed };
    assert_eq!(talk.events(), [done, ended]);
    assert_eq!(talk.sent(), [r#"[6,{},"wamp.close.normal"]"#]);
    talk.router(r#"[36,101,1,{},["late"]]"#);
    talk.router("[17,2,98]");
    talk.router(r#"[6,{},"wamp.close.goodbye_and_out"]"#);
    assert_eq!((talk.sent(), talk.events()), (vec!["close 1000".to_owned()], Vec::new()));
    talk.closed();
    assert_eq!(talk.events(), [CLOSED]);
    talk.pass(100_000);
    assert_eq!((talk.sent(), talk.events()), (Vec::new(), Vec::new()));
}

#[test]
fn closing_takes_no_longer_than_it_may() {
    // The router answers nothing.
    let mut talk = Talk::welcome();
    talk.session.close(talk.now);
    talk.sent();
    talk.pass(4_999);
    assert_eq!(talk.events(), []);
    talk.pass(1);
    assert_eq!((talk.sent(), talk.events()), (vec!["drop".to_owned()], vec![CLOSED]));

    // It answers GOODBYE, and does not close the socket.
    let mut talk = Talk::welcome();
    talk.session.close(talk.now);
    talk.pass(3_000);
    talk.router(r#"[6,{},"wamp.close.goodbye_and_out"]"#);
    talk.sent();
    talk.pass(2_000);
    assert_eq!((talk.sent(), talk.events()), (vec!["drop".to_owned()], vec![CLOSED]));

    // There is no connection.
    for connects in [false, true] {
        let mut talk = Talk::new(config());
        if connects {
            talk.session.connect(talk.now);
        }
        talk.events();
        talk.session.close(talk.now);
        assert_eq!(talk.events(), [CLOSED]);
    }
}

#[test]
fn draining_finishes_what_is_under_way() {
    let mut talk = Talk::welcome();
    let subscription = subscribed(&mut talk);
    let queue = Register::Queue { topic: Topic::new("jobs"), concurrency: 2 };
    let registration = talk.session.register(queue, talk.now).expect("a registration");
    talk.router("[65,2,201]");
    talk.router("[68,1,201,{}]");
    let events = talk.events();
    let Some(&Event::Invocation { invocation, .. }) = events.last() else { panic!("{events:?}") };
    talk.session.handle_blocked(talk.socket(), true, talk.now);
    let request = publish(&mut talk, "x");
    talk.sent();

    talk.session.drain(60_000, talk.now);
    assert_eq!(talk.events(), [Event::Status(Status::Draining)]);
    assert_eq!(talk.sent(), ["[34,3,101]"]);
    // What comes before UNSUBSCRIBED is heard; another job is left to others.
    talk.router(r#"[36,101,1,{},["x"]]"#);
    assert!(matches!(talk.events().as_slice(), [Event::Message { .. }]));
    talk.router("[68,2,201,{}]");
    talk.router("[35,3]");
    assert_eq!(talk.events(), [Event::SubscriptionEnded { subscription, error: Error::Closed }]);
    talk.session.handle_blocked(talk.socket(), false, talk.now);
    talk.router("[17,4,98]");
    assert_eq!(talk.events(), [Event::Done { request, outcome: Ok(Outcome::Published) }]);
    assert_eq!(talk.sent(), [r#"[16,4,{"exclude_me":false,"acknowledge":true},"a",["x"]]"#]);
    // The queue is let go only when the job is done: it would be begun twice else.
    talk.session.answer(invocation, Answer::Result(Content::empty()), talk.now).expect("it is open");
    assert_eq!(talk.sent(), ["[70,1,{}]", "[66,5,201]"]);
    talk.router("[67,5]");
    assert_eq!(talk.events(), [Event::RegistrationEnded { registration, error: Error::Closed }]);
    assert_eq!(talk.sent(), [r#"[6,{},"wamp.close.normal"]"#]);
    talk.router(r#"[6,{},"wamp.close.goodbye_and_out"]"#);
    talk.closed();
    assert_eq!(talk.events(), [CLOSED]);
}

#[test]
fn draining_waits_for_the_answers_of_the_program() {
    let mut talk = Talk::welcome();
    let register = Register::Procedure {
        uri: "p".to_owned(),
        matching: Match::Exact,
        invoke: Invoke::Single,
        concurrency: None,
    };
    talk.session.register(register, talk.now).expect("a registration");
    talk.router("[65,1,201]");
    talk.session.drain(60_000, talk.now);
    // It was called before the router knew that nobody is there any more.
    talk.router("[68,1,201,{}]");
    talk.router("[67,2]");
    let events = talk.events();
    let invocation = events.iter().find_map(|event| match event {
        Event::Invocation { invocation, .. } => Some(*invocation),
        _ => None,
    });
    assert_eq!(talk.sent(), [r#"[64,1,{},"p"]"#, "[66,2,201]"]);
    let answer = Answer::Result(Content::from("x"));
    talk.session.answer(invocation.expect("a call"), answer, talk.now).expect("it is open");
    assert_eq!(talk.sent(), [r#"[70,1,{},["x"]]"#, r#"[6,{},"wamp.close.normal"]"#]);
}

#[test]
fn what_the_program_ends_itself_while_it_drains_is_confirmed_as_such() {
    let mut talk = Talk::welcome();
    let subscription = subscribed(&mut talk);
    let queue = Register::Queue { topic: Topic::new("jobs"), concurrency: 2 };
    let registration = talk.session.register(queue, talk.now).expect("a registration");
    talk.session.drain(60_000, talk.now);
    talk.session.unregister(registration, talk.now);
    talk.session.unsubscribe(subscription, talk.now);
    talk.router("[65,2,201]");
    talk.router("[35,3]");
    talk.router("[67,4]");
    assert_eq!(talk.told(), [Event::Unsubscribed { subscription }, Event::Unregistered { registration }]);
}

#[test]
fn draining_ends_at_its_deadline() {
    let mut talk = Talk::welcome();
    let request = publish(&mut talk, "x");
    talk.sent();
    talk.session.drain(2_000, talk.now);
    let refused = talk.session.subscribe(Filter::Exact(Topic::new("b")), talk.now);
    assert_eq!(refused, Err(Error::Closed));
    talk.events();
    talk.pass(2_000);
    assert_eq!(talk.events(), [Event::Done { request, outcome: Err(Error::Closed) }]);
    assert_eq!(talk.sent(), [r#"[6,{},"wamp.close.normal"]"#]);
}

#[test]
fn draining_connects_again_only_for_what_waits() {
    let mut talk = Talk::new(config());
    talk.session.connect(talk.now);
    let request = publish(&mut talk, "x");
    talk.session.drain(60_000, talk.now);
    talk.open();
    talk.sent();
    talk.router(crate::talk::WELCOME);
    assert_eq!(talk.sent(), [r#"[16,1,{"exclude_me":false,"acknowledge":true},"a",["x"]]"#]);
    talk.events();
    talk.breaks();
    assert_eq!(talk.told(), [Event::Done { request, outcome: Err(Error::Lost) }]);

    let mut talk = Talk::new(config());
    talk.session.connect(talk.now);
    talk.events();
    talk.session.drain(60_000, talk.now);
    assert_eq!(talk.events(), [Event::Status(Status::Draining), CLOSED]);
}
