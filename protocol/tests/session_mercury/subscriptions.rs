//! Subscriptions, buses and places among pullers: a socket each.

use petasus_protocol::Topic;
use petasus_protocol::session::{DeliveryMode, Destination, Error, Filter, RegistrationId, SubscriptionId};

use crate::rig::{Rig, close_frame, status};

#[test]
fn two_subscriptions_to_one_topic_share_a_socket_and_hear_each_message_once() {
    let mut rig = Rig::subscribed();
    let second = rig.subscribe("a");
    rig.expect(&["stands 2"]);
    rig.message(1, "x");
    rig.expect(&["message 1 x", "message 2 x"]);
    rig.unsubscribe(second);
    rig.expect(&["left 2"]);
    rig.message(1, "y");
    rig.expect(&["message 1 y"]);
}

#[test]
fn who_reads_messages_itself_is_told_whom_they_are_for() {
    let mut rig = Rig::subscribed();
    let second = rig.subscribe("a");
    let bus = rig.join("b", false);
    rig.open(2);
    rig.pull("c");
    rig.open(3);
    assert_eq!(rig.heard(1).map(|all| all.len()), Some(2));
    rig.unsubscribe(second);
    assert_eq!(rig.heard(1).map(|all| all.contains(&second)), Some(false));
    assert_eq!(rig.heard(2), Some(vec![bus]));
    assert_eq!(rig.heard(3), None, "a job goes the long way");
    assert_eq!([rig.topic_of(1), rig.topic_of(2)], [None, Some(Topic::new("b"))]);
}

#[test]
fn the_last_one_closes_the_socket_and_hears_nothing_before_the_close_reply() {
    let mut rig = Rig::new();
    let first = rig.subscribe("a");
    rig.subscribe("b");
    rig.connect();
    rig.expect(&["open 1 /sub/a", "open 2 /sub/b", "connecting 0"]);
    rig.open(1);
    rig.open(2);
    rig.expect(&["stands 1", "stands 2", "connected"]);
    rig.unsubscribe(first);
    rig.expect(&["close 1 1000"]);
    rig.message(1, "late");
    rig.expect(&[]);
    rig.closed(1, close_frame(1000));
    rig.expect(&["left 1"]);
}

#[test]
fn a_close_reply_that_does_not_come_is_not_waited_for_for_ever() {
    let mut rig = Rig::subscribed();
    let first = rig.subscribe("b");
    rig.open(2);
    rig.expect(&["open 2 /sub/b", "stands 2"]);
    rig.unsubscribe(first);
    rig.expect(&["close 2 1000"]);
    rig.pass(4_999);
    rig.expect(&[]);
    rig.pass(1);
    rig.expect(&["drop 2", "left 2"]);
}

#[test]
fn who_comes_while_the_old_socket_closes_gets_a_new_one() {
    let mut rig = Rig::subscribed();
    rig.subscribe("b");
    rig.open(2);
    let old = rig.subscribe("c");
    rig.open(3);
    rig.log();
    rig.unsubscribe(old);
    rig.subscribe("c");
    rig.open(4);
    rig.expect(&["close 3 1000", "open 4 /sub/c", "stands 4"]);
    rig.message(3, "late");
    rig.message(4, "x");
    rig.expect(&["message 4 x"]);
    rig.closed(3, close_frame(1000));
    rig.expect(&["left 3"]);
}

#[test]
fn what_is_not_open_yet_is_over_at_once() {
    let mut rig = Rig::subscribed();
    let second = rig.subscribe("b");
    rig.expect(&["open 2 /sub/b"]);
    rig.unsubscribe(second);
    rig.expect(&["drop 2", "left 2"]);
    // What comes of it all the same is of the past.
    rig.open(2);
    rig.message(2, "x");
    rig.closed(2, status(500));
    rig.expect(&[]);
}

#[test]
fn a_lost_subscription_is_made_again_and_says_so() {
    let mut rig = Rig::subscribed();
    rig.breaks(1);
    rig.expect(&["waiting: Broken"]);
    rig.pass(100);
    rig.expect(&["open 2 /sub/a", "connecting 1"]);
    rig.open(2);
    rig.expect(&["stands 1 again", "connected"]);
    rig.message(1, "of the past");
    rig.message(2, "x");
    rig.expect(&["message 1 x"]);
}

#[test]
fn a_refused_topic_ends_its_subscriptions_alone() {
    let mut rig = Rig::subscribed();
    rig.subscribe("b");
    rig.pull("b");
    rig.expect(&["open 2 /sub/b", "open 3 /pull/b"]);
    rig.closed(2, status(403));
    rig.expect(&[r#"ended 2: Refused wamp.error.not_authorized "sorry""#]);
    rig.closed(3, close_frame(3500));
    rig.expect(&["ended 3: GaveUp Closed"]);
    rig.message(1, "x");
    rig.expect(&["message 1 x"]);
}

#[test]
fn a_bus_says_its_topic_and_one_peer_is_one_peer_with_echo_and_without() {
    let mut rig = Rig::new();
    rig.connect();
    let with = rig.join("t", true);
    rig.open(1);
    rig.open(2);
    rig.expect(&[
        "open 1 /sub/$alive",
        "open 2 /bus/t?echo=1",
        "connecting 0",
        "close 1 1000",
        "stands 1",
        "connected",
    ]);
    let to = |id| Destination::Bus(id);
    assert_eq!(rig.send(to(with), "1", DeliveryMode::Fire), Ok(None));
    rig.message(2, "1");
    rig.expect(&["send 2 1", "message 1 t: 1"]);
    let without = rig.join("t", false);
    rig.expect(&["open 3 /bus/t"]);
    rig.open(3);
    // By the socket without echo, whichever is asked: the other one hears it, and once.
    assert_eq!(rig.send(to(with), "2", DeliveryMode::Queued), Ok(None));
    assert_eq!(rig.send(to(without), "3", DeliveryMode::Fire), Ok(None));
    rig.expect(&["send 3 2", "send 3 3", "stands 2"]);
    let error = rig.send(to(with), "4", DeliveryMode::Acknowledged { timeout: None });
    assert!(matches!(error, Err(Error::Unsupported { .. })));
    rig.unsubscribe(with);
    assert_eq!(rig.send(to(with), "5", DeliveryMode::Queued), Err(Error::Stale));
}

#[test]
fn jobs_go_to_the_pullers_of_a_queue_in_turn_and_none_is_lost_when_the_last_leaves() {
    let mut rig = Rig::subscribed();
    let first = rig.pull("q");
    let second = rig.pull("q");
    rig.open(2);
    rig.expect(&["open 2 /pull/q", "stands 2", "stands 3"]);
    for job in ["a", "b", "c"] {
        rig.message(2, job);
    }
    rig.expect(&["job 1 for 2: a", "job 2 for 3: b", "job 3 for 2: c"]);
    assert_eq!(rig.done(1), Ok(()));
    rig.unregister(first);
    rig.unregister(second);
    rig.expect(&["close 2 1000", "left 2"]);
    rig.message(2, "handed before the broker saw the Close");
    rig.expect(&["job 4 for 3: handed before the broker saw the Close"]);
    rig.closed(2, close_frame(1000));
    rig.expect(&["left 3"]);
}

#[test]
fn what_mercury_has_not_is_refused() {
    let mut rig = Rig::subscribed();
    for filter in
        [Filter::Exact(Topic::new("a")), Filter::Prefix("a.".to_owned()), Filter::Wildcard("a..b".to_owned())]
    {
        assert!(matches!(rig.filter(filter), Err(Error::Unsupported { .. })));
    }
    assert!(matches!(rig.filter(Filter::Tree(Topic::new(""))), Err(Error::Endpoint(_))));
    rig.expect(&[]);
}

#[test]
fn ids_of_something_else_do_no_harm() {
    let mut rig = Rig::subscribed();
    for number in 0..20 {
        rig.unregister(RegistrationId::of(number));
        let to = Destination::Bus(SubscriptionId::of(number));
        assert!(rig.send(to, "x", DeliveryMode::Queued).is_err());
    }
    rig.message(1, "x");
    rig.expect(&["message 1 x"]);
}
