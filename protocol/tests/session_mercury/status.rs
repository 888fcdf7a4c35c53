//! One status of many sockets, and signs of life.

use petasus_protocol::session::{Failure, Heartbeat, Probe};

use crate::rig::{Rig, close_frame, status};

#[test]
fn without_any_topic_a_socket_shows_that_the_broker_is_there() {
    let mut rig = Rig::new();
    rig.connect();
    rig.open(1);
    rig.expect(&["open 1 /sub/$alive", "connecting 0", "connected"]);
    let only = rig.subscribe("a");
    rig.expect(&["open 2 /sub/a"]);
    rig.open(2);
    rig.expect(&["close 1 1000", "stands 1"]);
    rig.closed(1, close_frame(1000));
    rig.unsubscribe(only);
    rig.expect(&["close 2 1000", "open 3 /sub/$alive"]);
    rig.open(3);
    rig.closed(2, close_frame(1000));
    rig.expect(&["left 1"]);
    rig.breaks(3);
    rig.expect(&["waiting: Broken"]);
}

#[test]
fn who_wants_the_presence_topic_shares_its_socket() {
    let mut rig = Rig::new();
    rig.connect();
    rig.open(1);
    let own = rig.subscribe("$alive");
    rig.expect(&["open 1 /sub/$alive", "connecting 0", "connected", "stands 1"]);
    rig.message(1, "x");
    rig.subscribe("a");
    rig.open(2);
    rig.expect(&["open 2 /sub/a", "message 1 x", "stands 2"]);
    rig.unsubscribe(own);
    rig.expect(&["close 1 1000"]);
}

#[test]
fn the_status_is_that_of_the_worst_socket_and_only_changes_are_told() {
    let mut rig = Rig::new();
    rig.subscribe("a");
    rig.subscribe("b");
    rig.connect();
    rig.open(1);
    rig.expect(&["open 1 /sub/a", "open 2 /sub/b", "connecting 0", "stands 1"]);
    rig.open(2);
    rig.expect(&["stands 2", "connected"]);
    // A new topic is no loss.
    rig.subscribe("c");
    rig.open(3);
    rig.expect(&["open 3 /sub/c", "stands 3"]);
    rig.breaks(1);
    rig.breaks(2);
    rig.expect(&["waiting: Broken"]);
    rig.pass(100);
    let log = rig.log();
    assert_eq!(log.last().map(String::as_str), Some("connecting 1"));
    rig.open(4);
    assert_eq!(rig.log().len(), 1);
    rig.open(5);
    assert_eq!(rig.log().last().map(String::as_str), Some("connected"));
}

#[test]
fn a_failure_that_will_not_go_away_ends_the_session_before_its_first_connection() {
    let mut rig = Rig::new();
    rig.subscribe("a");
    rig.subscribe("b");
    rig.acked("t", "x");
    rig.connect();
    rig.log();
    rig.closed(1, status(404));
    rig.expect(&[
        "abandon 1",
        "drop 2",
        "done 1 GaveUp Status",
        "ended 1: GaveUp Status",
        "ended 2: GaveUp Status",
        "closed: Status",
    ]);
    rig.pass(100_000);
    rig.expect(&[]);
    assert_eq!(rig.session.poll_timeout(), None);
}

#[test]
fn one_attempt_is_all_if_the_program_says_so_but_only_before_the_first_connection() {
    let mut rig = Rig::with(|config| config.fail_fast = true);
    rig.connect();
    rig.log();
    rig.closed(1, Failure::Unreachable { reason: String::new() });
    rig.expect(&["closed: Unreachable"]);

    let mut rig = Rig::with(|config| config.fail_fast = true);
    rig.connect();
    rig.open(1);
    rig.subscribe("a");
    rig.log();
    rig.closed(2, Failure::Unreachable { reason: String::new() });
    rig.expect(&["waiting: Unreachable"]);
}

#[test]
fn a_socket_that_does_not_open_in_time_is_dropped_and_tried_again() {
    let mut rig = Rig::new();
    rig.subscribe("a");
    rig.connect();
    rig.log();
    rig.pass(10_000);
    rig.expect(&["drop 1", "waiting: ConnectTimedOut"]);
    rig.pass(100);
    rig.expect(&["open 2 /sub/a", "connecting 1"]);
}

#[test]
fn a_silent_socket_is_pinged_and_then_given_up() {
    let mut rig = Rig::subscribed();
    rig.pass(15_000);
    rig.message(1, "x");
    rig.pass(19_999);
    rig.expect(&["message 1 x"]);
    rig.pass(1);
    rig.expect(&["ping 1"]);
    rig.pong(1);
    rig.pass(20_000);
    rig.expect(&["ping 1"]);
    rig.pass(10_000);
    rig.expect(&["drop 1", "waiting: Silent"]);
}

#[test]
fn a_driver_without_pings_is_not_woken_up() {
    let mut rig =
        Rig::with(|config| config.heartbeat = Heartbeat { probe: Probe::Call, ..Heartbeat::default() });
    rig.connect();
    rig.open(1);
    rig.log();
    rig.session.check(rig.now);
    rig.pass(1_000_000);
    rig.expect(&[]);
    assert_eq!(rig.session.poll_timeout(), None);
}

#[test]
fn check_asks_for_a_sign_of_life_and_does_not_wait_any_longer() {
    let mut rig = Rig::subscribed();
    rig.subscribe("b");
    rig.breaks_before_it_opens(2);
    rig.expect(&["open 2 /sub/b", "waiting: Broken"]);
    rig.session.check(rig.now);
    rig.expect(&["ping 1"]);
    assert_eq!(rig.session.poll_timeout(), Some(rig.now));
    rig.pass(0);
    rig.expect(&["open 3 /sub/b", "connecting 1"]);
}
