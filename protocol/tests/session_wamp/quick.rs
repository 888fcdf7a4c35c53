//! What a driver that reads and writes the messages itself asks by numbers.

use petasus_protocol::Topic;
use petasus_protocol::session::{
    Begun, Content, DeliveryMode, Destination, Error, Event, Failure, Filter, Outcome, Publish,
    SubscriptionId,
};

use crate::talk::{Talk, config};

const ACKNOWLEDGED: DeliveryMode = DeliveryMode::Acknowledged { timeout: Some(1_000) };

/// Who hears an EVENT, unless it has to go the long way.
fn heard(talk: &mut Talk, id: u64) -> Option<Vec<SubscriptionId>> {
    let socket = talk.socket();
    let mut all = Vec::new();
    let is_known =
        talk.session.handle_event(socket, id, talk.now, &mut |subscription| all.push(subscription));
    is_known.then_some(all)
}

fn queue(talk: &mut Talk, text: &str) {
    let to = Destination::Topic(Topic::new("a"));
    let delivery = DeliveryMode::Queued;
    let publish = Publish { to, content: Content::from(text), delivery, to_self: true };
    assert_eq!(talk.session.publish(publish, talk.now), Ok(None));
}

#[test]
fn an_event_is_for_those_who_would_hear_it_the_long_way() {
    let mut talk = Talk::welcome();
    let tree = talk.session.subscribe(Filter::Tree(Topic::new("a")), talk.now).expect("it is taken");
    talk.router("[33,1,101]");
    assert_eq!(heard(&mut talk, 101), Some(vec![]), "half of a tree does not stand");
    talk.router("[33,2,102]");
    let exact = talk.session.subscribe(Filter::Exact(Topic::new("a")), talk.now).expect("it is taken");
    assert_eq!(heard(&mut talk, 101), Some(vec![tree, exact]));
    assert_eq!(heard(&mut talk, 102), Some(vec![tree]));
    assert_eq!(heard(&mut talk, 103), Some(vec![]), "nobody asked for it");
    let (socket, session) = (talk.socket(), &talk.session);
    assert_eq!(session.topic_of(socket, 101), Some(&Topic::new("a")));
    assert_eq!(session.topic_of(socket, 102), None, "the EVENT has to say it");
    talk.session.unsubscribe(tree, talk.now);
    assert_eq!(heard(&mut talk, 101), Some(vec![exact]));
    talk.breaks();
    assert_eq!(heard(&mut talk, 101), None, "the socket was given up");
}

#[test]
fn an_event_is_a_sign_of_life() {
    let mut talk = Talk::welcome();
    talk.pass(15_000);
    assert_eq!(heard(&mut talk, 101), Some(vec![]));
    talk.pass(15_000);
    assert_eq!(talk.sent(), [] as [&str; 0]);
    talk.pass(5_000);
    assert_ne!(talk.sent(), [] as [&str; 0], "a sign of life is asked for 20 seconds after the last one");
}

#[test]
fn a_publication_that_somebody_else_writes_has_a_number_of_the_same_row() {
    let mut talk = Talk::welcome();
    let begin = |talk: &mut Talk, delivery| talk.session.begin_publish(delivery, 100, talk.now);
    assert_eq!(begin(&mut talk, DeliveryMode::Fire), Some(Begun { number: 1, request: None }));
    queue(&mut talk, "x");
    assert_eq!(talk.sent(), [r#"[16,2,{"exclude_me":false},"a",["x"]]"#]);
    let Some(Begun { number: 3, request: Some(request) }) = begin(&mut talk, ACKNOWLEDGED) else {
        panic!("it is acknowledged")
    };
    let socket = talk.socket();
    assert!(talk.session.handle_published(socket, 3, talk.now));
    assert_eq!(talk.told(), [Event::Done { request, outcome: Ok(Outcome::Published) }]);
    let Some(Begun { number: 4, request: Some(late) }) = begin(&mut talk, ACKNOWLEDGED) else {
        panic!("it is acknowledged")
    };
    talk.pass(1_000);
    assert_eq!(talk.told(), [Event::Done { request: late, outcome: Err(Error::TimedOut) }]);
    let Some(Begun { number: 5, request: Some(lost) }) = begin(&mut talk, ACKNOWLEDGED) else {
        panic!("it is acknowledged")
    };
    talk.breaks();
    assert_eq!(talk.told(), [Event::Done { request: lost, outcome: Err(Error::Lost) }]);
}

/// RFC 6455 7.4.1, code 1009.
#[test]
fn the_longest_is_too_long_if_the_server_says_that_one_was() {
    let mut talk = Talk::welcome();
    let begin = |talk: &mut Talk, len| {
        let begun = talk.session.begin_publish(ACKNOWLEDGED, len, talk.now).expect("it can go");
        begun.request.expect("it is acknowledged")
    };
    let (short, long) = (begin(&mut talk, 10), begin(&mut talk, 1_000));
    let too_long = Failure::Closed { code: 1009, reason: String::new() };
    talk.session.handle_closed(talk.socket(), too_long, talk.now);
    let outcomes = [(short, Error::Lost), (long, Error::TooLarge { len: 1_000, limit: 999 })];
    let expected = outcomes.map(|(request, error)| Event::Done { request, outcome: Err(error) });
    assert_eq!(talk.told(), expected);
}

#[test]
fn what_can_not_go_at_once_is_not_begun() {
    let mut small = config();
    small.message_bytes = 100;
    let mut talk = Talk::new(small);
    let begin = |talk: &mut Talk, len| talk.session.begin_publish(DeliveryMode::Queued, len, talk.now);
    talk.session.connect(talk.now);
    assert_eq!(begin(&mut talk, 10), None, "there is no connection");
    talk.open();
    talk.router(crate::talk::WELCOME);
    assert_eq!(begin(&mut talk, 101), None, "it is too long");
    let socket = talk.socket();
    talk.session.handle_blocked(socket, true, talk.now);
    assert_eq!(begin(&mut talk, 10), None, "the socket takes no more");
    talk.session.handle_blocked(socket, false, talk.now);
    assert!(begin(&mut talk, 100).is_some());
    // Somebody waits for this one, so the session is still open afterwards.
    assert!(talk.session.begin_publish(ACKNOWLEDGED, 10, talk.now).is_some());
    talk.session.drain(1_000, talk.now);
    assert_eq!(begin(&mut talk, 10), None, "the session drains");
}
