//! Publishing by sockets, which come and go.

use petasus_protocol::Topic;
use petasus_protocol::session::{Content, DeliveryMode, Destination, Error, Publish};

use crate::rig::{Rig, close_frame, status};

#[test]
fn queued_messages_wait_for_the_socket_and_keep_their_order() {
    let mut rig = Rig::subscribed();
    rig.queue("t", "1");
    rig.queue("t", "2");
    rig.expect(&["open 2 /pub/t"]);
    assert_eq!(rig.session.waiting(), 2 * 65);
    rig.open(2);
    rig.queue("t", "3");
    rig.expect(&["send 2 1", "send 2 2", "send 2 3"]);
    assert_eq!(rig.session.waiting(), 0);
}

#[test]
fn a_blocked_socket_lets_queued_messages_wait_and_refuses_the_others() {
    let mut rig = Rig::subscribed();
    rig.queue("t", "1");
    rig.open(2);
    rig.expect(&["open 2 /pub/t", "send 2 1"]);
    rig.blocked(2, true);
    rig.queue("t", "2");
    assert_eq!(rig.publish("t", "3", DeliveryMode::Fire), Err(Error::NotConnected));
    rig.expect(&[]);
    rig.blocked(2, false);
    assert_eq!(rig.publish("t", "4", DeliveryMode::Fire), Ok(None));
    rig.expect(&["send 2 2", "send 2 4"]);
}

#[test]
fn what_is_not_to_wait_is_refused_and_opens_the_socket_for_the_next() {
    let mut rig = Rig::subscribed();
    assert_eq!(rig.publish("t", "1", DeliveryMode::Fire), Err(Error::NotConnected));
    rig.expect(&["open 2 /pub/t"]);
    assert_eq!(rig.publish("t", "2", DeliveryMode::Fire), Err(Error::NotConnected));
    rig.open(2);
    assert_eq!(rig.publish("t", "3", DeliveryMode::Fire), Ok(None));
    rig.expect(&["send 2 3"]);
}

#[test]
fn a_publishing_socket_that_is_not_used_is_closed() {
    let mut rig = Rig::subscribed();
    rig.queue("t", "1");
    rig.open(2);
    rig.expect(&["open 2 /pub/t", "send 2 1"]);
    alive(&mut rig, 30_000);
    rig.queue("t", "2");
    rig.expect(&["send 2 2"]);
    alive(&mut rig, 59_999);
    rig.expect(&[]);
    rig.pass(1);
    rig.expect(&["close 2 1000"]);
    rig.closed(2, close_frame(1000));
    rig.queue("t", "3");
    rig.expect(&["open 3 /pub/t"]);
}

/// Time passes, and both sockets answer their pings.
fn alive(rig: &mut Rig, milliseconds: u64) {
    for step in 0..milliseconds {
        if step % 10_000 == 0 {
            rig.pong(1);
            rig.pong(2);
        }
        rig.pass(1);
    }
}

#[test]
fn publishing_sockets_are_bounded_in_number_and_the_least_used_goes_first() {
    let mut rig = Rig::subscribed();
    for topic in 0..32 {
        rig.pass(1);
        rig.queue(&format!("t/{topic}"), "x");
    }
    assert_eq!(rig.log().len(), 32);
    rig.queue("one", "x");
    rig.queue("two", "x");
    // All have something to send.
    rig.expect(&[]);
    rig.open(5);
    rig.expect(&["send 5 x", "close 5 1000"]);
    rig.pass(10);
    rig.expect(&[]);
    rig.closed(5, close_frame(1000));
    rig.expect(&["open 34 /pub/one"]);
    // What is not open needs no farewell.
    rig.open(10);
    rig.open(9);
    rig.closed(10, close_frame(1000));
    rig.expect(&["send 10 x", "close 10 1000", "send 9 x", "open 35 /pub/two"]);
}

#[test]
fn of_several_idle_sockets_the_one_that_was_used_least_recently_goes() {
    let mut rig = Rig::subscribed();
    for topic in 0..32 {
        rig.queue(&format!("t/{topic}"), "x");
        rig.open(topic + 2);
        rig.pass(1);
    }
    rig.queue("t/0", "again");
    rig.log();
    rig.queue("one", "x");
    rig.expect(&["close 3 1000"]);
}

#[test]
fn what_waits_is_not_given_up_because_its_socket_was_idle() {
    let mut rig = Rig::subscribed();
    rig.queue("t", "x");
    for minute in 0..3 {
        rig.pass(20_000);
        rig.pong(1);
        rig.log();
        rig.breaks(minute * 2 + 3);
    }
    rig.pass(20_000);
    assert_eq!(rig.session.waiting(), 65);
}

#[test]
fn a_new_socket_is_not_blocked_because_the_old_one_was() {
    let mut rig = Rig::subscribed();
    rig.queue("t", "1");
    rig.open(2);
    rig.blocked(2, true);
    rig.queue("t", "2");
    rig.breaks(2);
    rig.pass(100);
    rig.open(3);
    rig.expect(&["open 2 /pub/t", "send 2 1", "open 3 /pub/t", "send 3 2"]);
}

#[test]
fn what_waits_for_a_blocked_bus_is_sent_before_it_is_left() {
    let mut rig = Rig::subscribed();
    let bus = rig.join("b", false);
    rig.open(2);
    rig.blocked(2, true);
    rig.send(Destination::Bus(bus), "x", DeliveryMode::Queued).expect("there is room");
    rig.unsubscribe(bus);
    rig.expect(&["open 2 /bus/b", "send 2 x", "close 2 1000", "stands 2"]);
}

#[test]
fn the_queue_is_bounded_in_bytes() {
    let mut rig = Rig::with(|config| config.queue_bytes = 200);
    rig.queue("t", "1");
    rig.queue("u", "2");
    rig.queue("v", "3");
    assert_eq!(rig.publish("t", "4", DeliveryMode::Queued), Err(Error::QueueFull { waiting: 195 }));
    rig.connect();
    rig.open(1);
    assert_eq!(rig.publish("t", "5", DeliveryMode::Queued), Ok(None));
    assert_eq!(rig.session.waiting(), 130);
}

#[test]
fn a_topic_that_may_not_be_published_to_drops_what_waits_for_it() {
    let mut rig = Rig::subscribed();
    rig.queue("t", "1");
    rig.expect(&["open 2 /pub/t"]);
    rig.closed(2, status(403));
    rig.pass(1_000);
    rig.expect(&[]);
    assert_eq!(rig.session.waiting(), 0);
}

#[test]
fn a_lost_publishing_socket_comes_back_for_what_waits() {
    let mut rig = Rig::subscribed();
    rig.queue("t", "1");
    rig.breaks_before_it_opens(2);
    rig.queue("t", "2");
    rig.pass(100);
    // The status is that of what is to be heard.
    rig.expect(&["open 2 /pub/t", "open 3 /pub/t"]);
    rig.open(3);
    rig.expect(&["send 3 1", "send 3 2"]);
}

#[test]
fn a_topic_can_not_leave_out_its_publisher() {
    let mut rig = Rig::subscribed();
    let publish = Publish {
        to: Destination::Topic(Topic::new("t")),
        content: Content::from("x"),
        delivery: DeliveryMode::Queued,
        to_self: false,
    };
    assert!(matches!(rig.session.publish(publish, 0), Err(Error::Unsupported { .. })));
    assert!(matches!(rig.publish("", "x", DeliveryMode::Queued), Err(Error::Endpoint(_))));
    rig.expect(&[]);
}
