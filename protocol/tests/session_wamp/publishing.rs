//! Publications: the three ways to publish, the queue, and the bus.

use petasus_protocol::session::{
    CancelMode, Content, DeliveryMode, Destination, Error, Event, Filter, Outcome, Publish, RequestId,
};
use petasus_protocol::{Message, Topic};

use crate::talk::{Talk, config};

const ACKNOWLEDGED: DeliveryMode = DeliveryMode::Acknowledged { timeout: None };

fn publication(text: &str, delivery: DeliveryMode) -> Publish {
    let to = Destination::Topic(Topic::new("a/b"));
    Publish { to, content: Content::from(text), delivery, to_self: true }
}

fn publish(talk: &mut Talk, text: &str, delivery: DeliveryMode) -> Result<Option<RequestId>, Error> {
    talk.session.publish(publication(text, delivery), talk.now)
}

fn acknowledged(talk: &mut Talk, text: &str) -> RequestId {
    publish(talk, text, ACKNOWLEDGED).expect("it is taken").expect("it has a number")
}

fn done(request: RequestId, error: Error) -> Event {
    Event::Done { request, outcome: Err(error) }
}

#[test]
fn a_publication_says_whether_its_publisher_hears_it() {
    let mut talk = Talk::welcome();
    assert_eq!(publish(&mut talk, "x", DeliveryMode::Fire), Ok(None));
    let content = Content::Plain(Message::binary(vec![1, 2]));
    let quiet = Publish { to_self: false, content, ..publication("", DeliveryMode::Queued) };
    assert_eq!(talk.session.publish(quiet, talk.now), Ok(None));
    let sent = [
        r#"[16,1,{"exclude_me":false},"a.b",["x"]]"#,
        "[16,2,{\"exclude_me\":true},\"a.b\",[\"\\u0000AQI=\"]]",
    ];
    assert_eq!(talk.sent(), sent);
}

/// Else it could never be sent.
#[test]
fn one_message_always_fits_into_the_queue() {
    let mut small = config();
    small.queue_bytes = 10;
    let mut talk = Talk::new(small);
    talk.session.connect(talk.now);
    assert_eq!(publish(&mut talk, "longer than that", DeliveryMode::Queued), Ok(None));
    assert!(matches!(publish(&mut talk, "x", DeliveryMode::Queued), Err(Error::QueueFull { .. })));
}

#[test]
fn offline_what_may_wait_waits_in_order() {
    let mut talk = Talk::new(config());
    assert_eq!(publish(&mut talk, "1", DeliveryMode::Fire), Err(Error::NotConnected));
    talk.session.connect(talk.now);
    assert_eq!(publish(&mut talk, "2", DeliveryMode::Queued), Ok(None));
    let request = acknowledged(&mut talk, "3");
    assert_eq!(publish(&mut talk, "4", DeliveryMode::Queued), Ok(None));
    assert_eq!(talk.session.waiting(), 3 * 65);
    let topic = Topic::new("z");
    talk.session.subscribe(Filter::Exact(topic), talk.now).expect("it waits");
    talk.open();
    talk.sent();
    talk.router(crate::talk::WELCOME);
    let expected = [
        r#"[32,1,{},"z"]"#,
        r#"[16,2,{"exclude_me":false},"a.b",["2"]]"#,
        r#"[16,3,{"exclude_me":false,"acknowledge":true},"a.b",["3"]]"#,
        r#"[16,4,{"exclude_me":false},"a.b",["4"]]"#,
    ];
    assert_eq!(talk.sent(), expected);
    assert_eq!(talk.session.waiting(), 0);
    talk.events();
    talk.router("[17,3,99]");
    talk.router("[17,3,99]");
    assert_eq!(talk.events(), [Event::Done { request, outcome: Ok(Outcome::Published) }]);
}

#[test]
fn a_blocked_socket_holds_back_what_can_wait() {
    let mut talk = Talk::welcome();
    let socket = talk.socket();
    talk.session.handle_blocked(socket, true, talk.now);
    assert_eq!(publish(&mut talk, "1", DeliveryMode::Fire), Err(Error::NotConnected));
    assert_eq!(publish(&mut talk, "2", DeliveryMode::Queued), Ok(None));
    let request = acknowledged(&mut talk, "3");
    // What can not wait goes out all the same.
    talk.session.subscribe(Filter::Exact(Topic::new("z")), talk.now).expect("a subscription");
    assert_eq!(talk.sent(), [r#"[32,1,{},"z"]"#]);
    talk.session.handle_blocked(socket, false, talk.now);
    assert_eq!(
        talk.sent(),
        [
            r#"[16,2,{"exclude_me":false},"a.b",["2"]]"#,
            r#"[16,3,{"exclude_me":false,"acknowledge":true},"a.b",["3"]]"#
        ]
    );
    talk.router(r#"[8,16,3,{},"wamp.error.not_authorized",["no"]]"#);
    let events = talk.events();
    let [Event::Done { request: which, outcome: Err(Error::Refused(refusal)) }] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!((*which, refusal.text.as_str()), (request, "no"));
}

#[test]
fn what_was_sent_is_lost_and_what_was_not_is_sent_later() {
    let mut talk = Talk::welcome();
    let sent = acknowledged(&mut talk, "1");
    talk.session.handle_blocked(talk.socket(), true, talk.now);
    let waits = acknowledged(&mut talk, "2");
    talk.sent();
    talk.breaks();
    assert_eq!(talk.told(), [done(sent, Error::Lost)]);
    talk.reconnect();
    assert_eq!(talk.sent(), [r#"[16,1,{"exclude_me":false,"acknowledge":true},"a.b",["2"]]"#]);
    talk.events();
    talk.router("[17,1,98]");
    assert_eq!(talk.events(), [Event::Done { request: waits, outcome: Ok(Outcome::Published) }]);
}

#[test]
fn what_is_not_sent_in_time_is_never_sent() {
    let mut talk = Talk::new(config());
    let unsent = acknowledged(&mut talk, "1");
    talk.pass(30_000);
    assert_eq!(talk.events(), [done(unsent, Error::NotConnected)]);
    assert_eq!(talk.session.waiting(), 0);

    let mut talk = Talk::welcome();
    let delivery = DeliveryMode::Acknowledged { timeout: Some(5) };
    let sent = publish(&mut talk, "1", delivery).expect("it is taken").expect("it has a number");
    talk.sent();
    talk.pass(5);
    assert_eq!(talk.events(), [done(sent, Error::TimedOut)]);
    talk.router("[17,1,98]");
    assert_eq!((talk.events(), talk.sent()), (Vec::new(), Vec::new()));
}

#[test]
fn a_publication_that_is_canceled_is_taken_back_or_forgotten() {
    let mut talk = Talk::new(config());
    let request = acknowledged(&mut talk, "1");
    talk.session.cancel(request, CancelMode::Kill, talk.now);
    assert_eq!(talk.session.waiting(), 0);
    talk.session.connect(talk.now);
    talk.open();
    talk.sent();
    talk.router(crate::talk::WELCOME);
    let request = acknowledged(&mut talk, "2");
    talk.sent();
    talk.events();
    talk.session.cancel(request, CancelMode::Kill, talk.now);
    talk.router("[17,1,98]");
    assert_eq!((talk.events(), talk.sent()), (Vec::new(), Vec::new()));
}

#[test]
fn the_queue_and_messages_are_bounded() {
    let mut small = config();
    small.queue_bytes = 2 * 65;
    small.message_bytes = 200;
    let mut talk = Talk::new(small);
    assert_eq!(publish(&mut talk, "1", DeliveryMode::Queued), Ok(None));
    assert_eq!(publish(&mut talk, "2", DeliveryMode::Queued), Ok(None));
    assert_eq!(publish(&mut talk, "3", DeliveryMode::Queued), Err(Error::QueueFull { waiting: 130 }));
    // Each of these is a byte of the content, and six of JSON.
    let long = "\u{1}".repeat(40);
    let refused = publish(&mut talk, &long, DeliveryMode::Queued);
    assert!(matches!(refused, Err(Error::TooLarge { len, limit: 200 }) if len > 240), "{refused:?}");
    talk.session.connect(talk.now);
    talk.open();
    talk.router(crate::talk::WELCOME);
    let refused = publish(&mut talk, &long, DeliveryMode::Fire);
    assert_eq!(refused, Err(Error::TooLarge { len: 278, limit: 200 }));
}

#[test]
fn the_longest_message_is_told_that_the_server_takes_no_such_long_one() {
    let mut talk = Talk::welcome();
    let small = acknowledged(&mut talk, "1");
    let long = acknowledged(&mut talk, &"2".repeat(1000));
    talk.sent();
    talk.closes(1009);
    let error = Error::TooLarge { len: 1057, limit: 1056 };
    assert_eq!(talk.told(), [done(small, Error::Lost), done(long, error)]);
    // What nobody waits for may have been the one.
    talk.reconnect();
    publish(&mut talk, &"3".repeat(1000), DeliveryMode::Queued).expect("room");
    let small = acknowledged(&mut talk, "4");
    talk.sent();
    talk.closes(1009);
    assert_eq!(talk.told(), [done(small, Error::Lost)]);
    // It says nothing about the next connection, and another code says nothing about lengths.
    talk.reconnect();
    let small = acknowledged(&mut talk, "5");
    talk.sent();
    talk.closes(1011);
    assert_eq!(talk.told(), [done(small, Error::Lost)]);
}

#[test]
fn on_a_bus_the_membership_says_who_hears_it() {
    let mut talk = Talk::welcome();
    let bus = |echo| Filter::Bus { topic: Topic::new("room"), echo };
    let quiet = talk.session.subscribe(bus(false), talk.now).expect("a place");
    let loud = talk.session.subscribe(bus(true), talk.now).expect("a place");
    assert_eq!(talk.sent(), [r#"[32,1,{"_pattern":"bus"},"room"]"#]);
    for (place, excluded) in [(quiet, true), (loud, false)] {
        let message = Publish { to: Destination::Bus(place), ..publication("x", DeliveryMode::Fire) };
        assert_eq!(talk.session.publish(message, talk.now), Ok(None));
        let sent = talk.sent().remove(0);
        assert!(
            sent.ends_with(&format!(r#"{{"exclude_me":{excluded},"_pattern":"bus"}},"room",["x"]]"#)),
            "{sent}"
        );
    }
    talk.session.unsubscribe(quiet, talk.now);
    let message = Publish { to: Destination::Bus(quiet), ..publication("x", DeliveryMode::Fire) };
    assert_eq!(talk.session.publish(message, talk.now), Err(Error::Stale));
}
