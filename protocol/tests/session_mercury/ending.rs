//! Drain and close.

use petasus_protocol::session::{DeliveryMode, Destination, Error};

use crate::rig::{Rig, close_frame};

#[test]
fn close_waits_for_the_confirmations_and_tells_once() {
    let mut rig = Rig::subscribed();
    rig.subscribe("b");
    rig.acked("t", "x");
    rig.queue("t", "y");
    rig.expect(&["open 2 /sub/b", "post 1 /pub/t x", "open 3 /pub/t"]);
    rig.session.close(rig.now);
    rig.expect(&[
        "abandon 1",
        "close 1 1000",
        "drop 2",
        "drop 3",
        "done 1 Closed",
        "ended 1: Closed",
        "ended 2: Closed",
    ]);
    rig.message(1, "late");
    assert_eq!(rig.session.waiting(), 0);
    rig.expect(&[]);
    rig.closed(1, close_frame(1000));
    rig.expect(&["closed"]);
    rig.session.close(rig.now);
    rig.session.drain(10, rig.now);
    rig.connect();
    rig.pass(100_000);
    rig.expect(&[]);
    assert_eq!(rig.session.poll_timeout(), None);
    assert_eq!(rig.publish("t", "x", DeliveryMode::Queued), Err(Error::Closed));
}

#[test]
fn close_is_over_when_nobody_confirms_it() {
    let mut rig = Rig::subscribed();
    rig.session.close(rig.now);
    rig.pass(4_999);
    rig.expect(&["close 1 1000", "ended 1: Closed"]);
    rig.pass(1);
    rig.expect(&["drop 1", "closed"]);
}

#[test]
fn a_session_that_never_connected_closes_at_once() {
    for drain in [false, true] {
        let mut rig = Rig::new();
        rig.subscribe("a");
        rig.acked("t", "x");
        if drain {
            rig.session.drain(1_000, rig.now);
        } else {
            rig.session.close(rig.now);
        }
        rig.expect(&["done 1 Closed", "ended 1: Closed", "closed"]);
        assert_eq!(rig.session.waiting(), 0);
    }
}

#[test]
fn drain_delivers_what_comes_before_the_close_replies_and_sends_what_waits() {
    let mut rig = Rig::subscribed();
    rig.pull("q");
    let bus = rig.join("b", false);
    rig.open(2);
    rig.open(3);
    rig.expect(&["open 2 /pull/q", "open 3 /bus/b", "stands 2", "stands 3"]);
    rig.blocked(3, true);
    rig.send(Destination::Bus(bus), "x", DeliveryMode::Queued).expect("there is room");
    rig.queue("t", "y");
    rig.acked("t", "z");
    rig.expect(&["open 4 /pub/t", "post 1 /pub/t z"]);
    rig.session.drain(10_000, rig.now);
    rig.expect(&["close 1 1000", "close 2 1000", "draining"]);
    assert!(rig.publish("t", "x", DeliveryMode::Queued).is_err());
    rig.message(1, "late");
    rig.message(2, "job");
    rig.expect(&["message 1 late", "job 1 for 2: job"]);
    rig.closed(1, close_frame(1000));
    rig.closed(2, close_frame(1000));
    rig.open(4);
    rig.blocked(3, false);
    rig.expect(&[
        "ended 1: Closed",
        "ended 2: Closed",
        "send 4 y",
        "close 4 1000",
        "send 3 x",
        "close 3 1000",
    ]);
    rig.closed(3, close_frame(1000));
    rig.closed(4, close_frame(1000));
    rig.expect(&["ended 3: Closed"]);
    rig.answer(1, 200, "");
    rig.expect(&["done 1 Published", "closed"]);
}

#[test]
fn a_drain_whose_time_is_over_goes_on_as_close() {
    let mut rig = Rig::subscribed();
    rig.acked("t", "x");
    rig.queue("t", "y");
    rig.session.drain(3_000, rig.now);
    rig.expect(&["post 1 /pub/t x", "open 2 /pub/t", "close 1 1000", "draining"]);
    rig.pass(2_999);
    rig.expect(&[]);
    rig.pass(1);
    rig.expect(&["abandon 1", "drop 2", "done 1 Closed", "ended 1: Closed"]);
    rig.pass(2_000);
    rig.expect(&["drop 1", "closed"]);
}

#[test]
fn a_connection_that_is_lost_in_the_drain_is_made_again_for_what_waits() {
    let mut rig = Rig::subscribed();
    rig.queue("t", "x");
    rig.session.drain(3_000, rig.now);
    rig.closed(1, close_frame(1000));
    rig.breaks_before_it_opens(2);
    rig.pass(100);
    rig.open(3);
    rig.expect(&[
        "open 2 /pub/t",
        "close 1 1000",
        "draining",
        "ended 1: Closed",
        "open 3 /pub/t",
        "send 3 x",
        "close 3 1000",
    ]);
    rig.closed(3, close_frame(1000));
    rig.expect(&["closed"]);
}
