//! What is answered goes by POST.

use petasus_protocol::session::{CancelMode, DeliveryMode, Error, Failure, Probe, Until};

use crate::rig::{Rig, broken, status};

#[test]
fn an_acknowledgement_is_the_answer_to_a_post() {
    let mut rig = Rig::subscribed();
    rig.acked("t/u", "x");
    rig.expect(&["post 1 /pub/t/u x"]);
    assert_eq!(rig.session.waiting(), 65);
    rig.answer(1, 200, "");
    rig.expect(&["done 1 Published"]);
    assert_eq!(rig.session.waiting(), 0);
    rig.answer(1, 200, "");
    rig.expect(&[]);
}

#[test]
fn a_push_is_handed_or_held_or_refused() {
    let mut rig = Rig::subscribed();
    for (number, answer, text, outcome) in [
        (1, 200, "", "Handed"),
        (2, 202, "", "Held"),
        (3, 503, "nobody pulls", r#"Refused wamp.error.unavailable "nobody pulls""#),
        // A queue's answer is empty: this is the page of another server.
        (4, 200, "<html>", r#"Refused wamp.error.invalid_argument "<html>""#),
    ] {
        rig.push("q", "x", Until::Handed).expect("there is room");
        rig.expect(&[format!("post {number} /push/q x").as_str()]);
        rig.answer(number, answer, text);
        rig.expect(&[format!("done {number} {outcome}").as_str()]);
    }
    assert!(matches!(rig.push("q", "x", Until::Done), Err(Error::Unsupported { .. })));
}

#[test]
fn refusals_have_the_nearest_error_of_wamp() {
    for (status, text, outcome) in [
        (401, "who?", r#"not_authorized "who?""#),
        (403, "no", r#"not_authorized "no""#),
        (404, "", r#"invalid_uri "HTTP 404""#),
        (408, "", r#"timeout "HTTP 408""#),
        (413, "too long", r#"payload_size_exceeded "too long""#),
        (429, "", r#"unavailable "HTTP 429""#),
        (400, "", r#"invalid_argument "HTTP 400""#),
        (302, "", r#"invalid_argument "HTTP 302""#),
        (500, "", r#"network_failure "HTTP 500""#),
    ] {
        let mut rig = Rig::subscribed();
        rig.acked("t", "x");
        rig.log();
        rig.answer(1, status, text);
        rig.expect(&[format!("done 1 Refused wamp.error.{outcome}").as_str()]);
    }
}

#[test]
fn a_post_that_was_sent_and_not_answered_is_lost_and_not_sent_again() {
    let mut rig = Rig::subscribed();
    rig.acked("t", "x");
    rig.log();
    rig.unanswered(1, true, broken());
    rig.expect(&["done 1 Lost"]);
    rig.pass(10_000);
    rig.expect(&[]);
}

#[test]
fn a_post_that_was_not_sent_is_sent_again_until_its_time_is_over() {
    let mut rig = Rig::with(|config| config.heartbeat.probe = Probe::Never);
    rig.connect();
    rig.open(1);
    rig.log();
    rig.acked("t", "x");
    rig.acked("t", "y");
    rig.expect(&["post 1 /pub/t x", "post 2 /pub/t y"]);
    rig.unanswered(1, false, broken());
    rig.unanswered(2, false, broken());
    rig.expect(&[]);
    rig.pass(100);
    rig.expect(&["post 3 /pub/t x", "post 4 /pub/t y"]);
    rig.answer(4, 200, "");
    rig.expect(&["done 2 Published"]);
    let mut exchange = 3;
    rig.unanswered(exchange, false, broken());
    while rig.now < 1_000 + 29_900 {
        rig.pass(100);
        exchange = if exchange == 3 { 5 } else { exchange + 1 };
        assert_eq!(rig.log(), [format!("post {exchange} /pub/t x")]);
        rig.unanswered(exchange, false, broken());
    }
    assert_eq!(rig.session.waiting(), 65);
    rig.pass(200);
    assert_eq!(rig.log().last().map(String::as_str), Some("done 1 TimedOut"));
    assert_eq!(rig.session.waiting(), 0);
}

#[test]
fn what_was_never_sent_is_not_connected_at_its_end() {
    let mut rig = Rig::new();
    rig.connect();
    rig.publish("t", "x", DeliveryMode::Acknowledged { timeout: Some(50) }).expect("there is room");
    rig.expect(&["open 1 /sub/$alive", "post 1 /pub/t x", "connecting 0"]);
    rig.unanswered(1, false, Failure::Unreachable { reason: String::new() });
    let next = rig.session.poll_timeout().expect("it is to be sent again");
    assert!(next <= 1_050);
    // Only the deadline is looked at.
    rig.now = 1_050;
    rig.session.handle_timeout(1_050);
    rig.expect(&["done 1 NotConnected"]);
    assert_eq!(rig.session.waiting(), 0);
}

#[test]
fn a_failure_that_will_not_go_away_ends_a_post_at_once() {
    let mut rig = Rig::new();
    rig.connect();
    rig.acked("t", "x");
    rig.log();
    rig.unanswered(1, false, Failure::Tls { reason: String::new(), certificate: true });
    rig.expect(&["done 1 GaveUp Tls"]);
}

#[test]
fn sixteen_posts_are_under_way_at_most_and_the_rest_waits_in_order() {
    let mut rig = Rig::subscribed();
    for number in 1..=18 {
        rig.acked("t", &number.to_string());
    }
    assert_eq!(rig.log().last().map(String::as_str), Some("post 16 /pub/t 16"));
    rig.answer(3, 200, "");
    rig.expect(&["post 17 /pub/t 17", "done 3 Published"]);
    rig.unanswered(1, true, broken());
    rig.expect(&["post 18 /pub/t 18", "done 1 Lost"]);
}

#[test]
fn a_late_answer_is_abandoned_and_a_canceled_post_says_nothing() {
    let mut rig = Rig::subscribed();
    rig.publish("t", "x", DeliveryMode::Acknowledged { timeout: Some(50) }).expect("there is room");
    let canceled = rig.acked("t", "y");
    rig.pass(50);
    rig.expect(&["post 1 /pub/t x", "post 2 /pub/t y", "abandon 1", "done 1 TimedOut"]);
    rig.session.cancel(canceled, CancelMode::Kill, rig.now);
    rig.expect(&["abandon 2"]);
    rig.answer(1, 200, "");
    rig.answer(2, 200, "");
    rig.expect(&[]);
    assert_eq!(rig.session.waiting(), 0);
}

#[test]
fn posts_wait_for_connect_and_check_sends_again_at_once() {
    let mut rig = Rig::new();
    rig.acked("t", "x");
    rig.expect(&[]);
    rig.connect();
    rig.expect(&["post 1 /pub/t x", "open 1 /sub/$alive", "connecting 0"]);
    rig.unanswered(1, false, status(502));
    rig.expect(&[]);
    rig.session.check(rig.now);
    rig.expect(&["post 2 /pub/t x"]);
}
