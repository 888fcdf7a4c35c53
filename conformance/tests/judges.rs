//! Histories by hand for the judges of queues, frames, HTTP and origins: each defect is found by its own id, and what is
//! right is not.

use petasus_conformance::check;
use petasus_conformance::history::{Conn, Event, History, Leave, Proof, Wait, What};
use petasus_conformance::launch::Wanted;
use petasus_conformance::model::{Door, Fill, HttpRequest, Kind, Payload, Role, Sent, Topic};
use petasus_conformance::namespace::Namespace;

/// A history that is being told.
#[derive(Clone)]
struct Tale(History);

impl Tale {
    fn of(check: &str) -> Self {
        Self(History::new(Namespace::numbered(1, 1), check))
    }

    fn note(mut self, conn: u32, what: What) -> Self {
        let at_us = self.0.events.len() as u64;
        self.0.events.push(Event { at_us, conn: Some(Conn(conn)), what });
        self
    }

    fn note_all(mut self, what: What) -> Self {
        self.0.events.push(Event { at_us: self.0.events.len() as u64, conn: None, what });
        self
    }

    fn opens(self, conn: u32, role: Role, topic: &str) -> Self {
        let door = Door::new(role, Topic::new(topic));
        self.note(conn, What::Opening { door }).note(conn, What::Opened { proof: Proof::Proved })
    }

    /// A tagged message, by its number.
    fn payload(&self, conn: u32, number: u32) -> Payload {
        Payload::of(&Fill::Tagged(0).bytes(&self.0.namespace, Conn(conn), number))
    }

    fn sends(self, conn: u32, number: u32) -> Self {
        let payload = self.payload(conn, number);
        self.note(conn, What::Sending { number, kind: Kind::Text, payload, pieces: 1 })
    }

    fn flushed(self, conn: u32) -> Self {
        self.note(conn, What::Flushed { proof: Proof::Proved })
    }

    fn gets(self, conn: u32, from: u32, number: u32) -> Self {
        let payload = self.payload(from, number);
        self.note(conn, What::Received { kind: Kind::Text, payload })
    }

    fn leaves(self, conn: u32, how: Leave) -> Self {
        let code = (how == Leave::Handshake).then_some(1000);
        self.note(conn, What::Leaving { how }).note(conn, What::Left { code })
    }

    /// Pusher 0 sends one job after the other; each is read before the next, and these get them: 0 is nobody.
    fn jobs(self, first: u32, takers: &[u32]) -> Self {
        (first..).zip(takers).fold(self, |tale, (number, &taker)| {
            let tale = tale.sends(0, number).flushed(0);
            if taker == 0 { tale } else { tale.gets(taker, 0, number) }
        })
    }

    /// What is found.
    fn found(self) -> Vec<&'static str> {
        let history = self.note_all(What::Settled).0;
        let check = check::named(&history.check).expect("the history names a check");
        let mut ids: Vec<_> = check.judge(&history).into_iter().map(|found| found.requirement).collect();
        ids.dedup();
        ids
    }
}

const NONE: [&str; 0] = [];

/// A queue with a pusher, 0, and pullers from 1 on.
fn queue(pullers: u32) -> Tale {
    let queue = Tale::of("pushpull.hasty").opens(0, Role::Push, "q");
    (1..=pullers).fold(queue, |tale, puller| tale.opens(puller, Role::Pull, "q"))
}

/// REQ-RR-001: who goes without a word takes its own turns along, and no more.
#[test]
fn a_puller_that_vanished_is_no_excuse_for_what_it_cannot_have_had() {
    let gone = || queue(3).jobs(0, &[1, 2, 3]).leaves(3, Leave::Abrupt);
    // Its turn comes, once.
    assert_eq!(gone().jobs(3, &[1, 2, 0, 1, 2]).found(), NONE);
    // Two of three are no turn of one among three.
    assert_eq!(gone().jobs(3, &[1, 0, 0]).found(), ["REQ-RR-001"]);
    // 1 has had two turns since: the broker knows that 3 is gone.
    assert_eq!(gone().jobs(3, &[1, 2, 1, 0, 2]).found(), ["REQ-RR-001"]);
    // With chance in place of turns nothing of that is sure.
    let fair = || {
        let declared = What::Declared { max_message: 100, strict_turns: false };
        let mut tale = gone();
        let at_us = 0;
        tale.0.events.insert(0, Event { at_us, conn: None, what: declared });
        tale
    };
    assert_eq!(fair().jobs(3, &[1, 0, 0]).found(), NONE);
    assert_eq!(fair().jobs(3, &[1, 2, 1, 0, 2]).found(), NONE);
}

/// REQ-RR-003, REQ-RR-004, REQ-RR-005: a job that was under way when somebody left hides its neighbours, and nothing else.
#[test]
fn turns_are_judged_before_and_behind_what_cannot_be_placed() {
    let hasty = |before: &[u32]| {
        let number = before.len() as u32;
        let tale = queue(3).jobs(0, before).sends(0, number).leaves(3, Leave::Handshake).flushed(0);
        (tale.gets(1, 0, number), number + 1)
    };
    let behind = |takers: &[u32]| {
        let (tale, next) = hasty(&[1, 2, 3]);
        tale.jobs(next, takers).found()
    };
    assert_eq!(behind(&[2, 1, 2, 1]), NONE);
    assert_eq!(behind(&[1, 1, 1, 1]), ["REQ-RR-003"]);
    assert_eq!(behind(&[2, 1, 1, 2]), ["REQ-RR-004"]);
    let (before, _) = hasty(&[1, 1, 2]);
    assert_eq!(before.found(), ["REQ-RR-003", "REQ-RR-006"]);
    let (before, _) = hasty(&[1, 2, 3, 1, 3, 2]);
    assert_eq!(before.found(), ["REQ-RR-004"]);
    // Under way together with the one that cannot be placed: no order is known.
    let together = queue(3).jobs(0, &[1, 2, 3]).sends(0, 3).leaves(3, Leave::Handshake);
    let together = together.sends(0, 4).sends(0, 5).flushed(0);
    assert_eq!(together.gets(1, 0, 3).gets(1, 0, 4).gets(1, 0, 5).found(), NONE);
    // Behind somebody who vanished, what he was given comes back and takes a turn of its own.
    let vanished = || queue(3).leaves(3, Leave::Abrupt);
    assert_eq!(vanished().jobs(0, &[1, 1, 2, 2]).found(), NONE);
    // Until the broker knows it.
    let known = vanished().jobs(0, &[1, 2, 1, 2]).opens(4, Role::Pull, "q");
    assert_eq!(known.clone().jobs(4, &[1, 2, 4, 1, 2, 4]).found(), NONE);
    assert_eq!(known.jobs(4, &[1, 2, 4, 2, 4, 1]).found(), ["REQ-RR-004"]);
}

/// REQ-RR-006: with two pushers the first turns after a join are known only where nothing else was under way.
#[test]
fn a_newcomer_is_passed_over_only_if_the_first_turns_are_known() {
    let joined =
        || queue(2).opens(5, Role::Push, "q").jobs(0, &[1, 2]).opens(3, Role::Pull, "q").jobs(2, &[1]);
    let sent = joined().sends(0, 3).sends(0, 4);
    // The message of 5 may have been read between the two.
    let together = sent.clone().sends(5, 0).flushed(0).flushed(5);
    assert_eq!(together.gets(2, 0, 3).gets(3, 5, 0).gets(1, 0, 4).found(), NONE);
    let behind = sent.flushed(0).gets(2, 0, 3).gets(1, 0, 4).sends(5, 0).flushed(5).gets(3, 5, 0);
    assert!(behind.found().contains(&"REQ-RR-006"));
}

/// Conn 0 speaks frames at a bus, conn 1 hears.
fn frames(wrote: Vec<Sent>) -> Tale {
    let door = Door::new(Role::Bus, Topic::new("w"));
    let tale = Tale::of("ws.frames").opens(1, Role::Bus, "w");
    let tale = tale.note(0, What::Requested { door, request: HttpRequest::handshake() });
    let body = Payload::of(b"");
    tale.note(0, What::Responded { status: 101, fields: Vec::new(), body })
        .note(0, What::Wrote { frames: wrote })
}

fn frame(opcode: u8, payload: &[u8]) -> What {
    let code = (opcode == 8 && payload.len() >= 2).then(|| u16::from_be_bytes([payload[0], payload[1]]));
    What::Frame { fin: true, opcode, payload: Payload::of(payload), code }
}

const END: What = What::Eof { reset: false };

fn close(code: u16) -> What {
    frame(8, &code.to_be_bytes())
}

fn bytes(text: &[u8]) -> Fill {
    Fill::Bytes(text.to_vec())
}

/// REQ-WS-004, REQ-WS-005, REQ-WS-012
#[test]
fn pings_are_answered_with_what_they_carry_and_nothing_else_is() {
    let ping = || frames(vec![Sent::new(9, bytes(b"p"))]);
    assert_eq!(ping().note(0, frame(10, b"p")).found(), NONE);
    assert_eq!(ping().note(0, What::Missed { wait: Wait::Answer }).found(), ["REQ-WS-005"]);
    assert_eq!(ping().note(0, frame(10, b"other")).found(), ["REQ-WS-005"]);
    let inside = || {
        let first = Sent::new(1, bytes(b"a")).goes_on();
        frames(vec![first, Sent::new(9, bytes(b"p")), Sent::new(0, bytes(b"b"))])
    };
    assert_eq!(inside().note(0, What::Missed { wait: Wait::Answer }).found(), ["REQ-WS-004"]);
    let piece = What::Frame { fin: false, opcode: 1, payload: Payload::of(b"x"), code: None };
    assert_eq!(ping().note(0, frame(10, b"p")).note(0, piece).found(), ["REQ-WS-012"]);
}

/// REQ-WS-006, REQ-LIVE-001
#[test]
fn a_close_frame_is_answered_with_its_code_and_the_end() {
    let goodbye = || frames(vec![Sent::close(3001_u16.to_be_bytes())]);
    assert_eq!(goodbye().note(0, close(3001)).note(0, END).found(), NONE);
    assert_eq!(goodbye().note(0, close(1000)).note(0, END).found(), ["REQ-WS-006"]);
    assert_eq!(
        goodbye().note(0, close(3001)).note(0, What::Missed { wait: Wait::End }).found(),
        ["REQ-WS-006"]
    );
    assert_eq!(
        goodbye().note(0, close(3001)).note(0, frame(1, b"more")).note(0, END).found(),
        ["REQ-WS-006"]
    );
    let nothing_wrong = frames(vec![Sent::new(1, bytes(b"a"))]);
    assert_eq!(nothing_wrong.note(0, close(1002)).note(0, END).found(), ["REQ-LIVE-001"]);
}

/// REQ-WS-003, REQ-WS-007, REQ-WS-014
#[test]
fn what_is_forbidden_fails_the_connection_with_its_code() {
    let reserved = || frames(vec![Sent::new(3, bytes(b""))]);
    let rule = reserved().note(0, close(1000)).note(0, END).found();
    assert_eq!(reserved().note(0, close(1002)).note(0, END).found(), NONE);
    assert_eq!(rule.len(), 1, "{rule:?}");
    assert_eq!(reserved().note(0, What::Missed { wait: Wait::End }).found(), rule);
    assert_eq!(reserved().note(0, END).found(), ["REQ-WS-014"]);
    assert_eq!(
        reserved().note(0, close(1002)).note(0, What::Missed { wait: Wait::End }).found(),
        ["REQ-WS-014"]
    );
    let garbled = || frames(vec![Sent::new(1, bytes(&[0xff, 0xfe]))]);
    assert_eq!(garbled().note(0, close(1007)).note(0, END).found(), NONE);
    let code = garbled().note(0, close(1002)).note(0, END).found();
    assert!(code.len() == 1 && code != ["REQ-WS-014"], "{code:?}");
}

/// Conn 0 posts at "h", where 1 is at the bus, 3 subscribes and 4 pulls.
fn posts(role: Role, topic: &str, request: HttpRequest) -> Tale {
    let tale =
        Tale::of("http.requests").opens(1, Role::Bus, "h").opens(3, Role::Sub, "h").opens(4, Role::Pull, "h");
    tale.note(0, What::Requested { door: Door::new(role, Topic::new(topic)), request })
}

fn answer(status: u16, fields: &[(&str, &str)], body: &str) -> What {
    let fields = fields.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    What::Responded { status, fields, body: Payload::of(body.as_bytes()) }
}

const LINE: (&str, &str) = ("content-type", "text/plain; charset=utf-8");

/// REQ-HTTP-001, REQ-HTTP-002, REQ-HTTP-007, REQ-SUB-003, REQ-TOP-003
#[test]
fn a_post_is_one_message_for_those_who_are_due() {
    let post = |topic: &str| posts(Role::Pub, topic, HttpRequest::post(Fill::Tagged(0)));
    let ok = || answer(200, &[], "");
    assert_eq!(post("h").note(0, ok()).gets(3, 0, 0).found(), NONE);
    assert_eq!(post("h").note(0, ok()).found(), ["REQ-HTTP-001"]);
    assert_eq!(post("h").note(0, answer(204, &[], "")).gets(3, 0, 0).found(), ["REQ-HTTP-001"]);
    assert_eq!(post("h").note(0, answer(200, &[], "ok")).gets(3, 0, 0).found(), ["REQ-HTTP-001"]);
    assert_eq!(post("h").note(0, ok()).gets(3, 0, 0).gets(3, 0, 0).found(), ["REQ-SUB-003"]);
    assert_eq!(post("h").note(0, ok()).gets(3, 0, 0).gets(1, 0, 0).found(), ["REQ-TOP-003"]);
    assert_eq!(post("n").note(0, ok()).found(), NONE);
    assert_eq!(post("n").note(0, answer(404, &[LINE], "nobody is there\n")).found(), ["REQ-HTTP-002"]);
    let push = || posts(Role::Push, "n", HttpRequest::post(Fill::Tagged(0)));
    assert_eq!(push().note(0, answer(503, &[LINE, ("retry-after", "1")], "nobody pulls\n")).found(), NONE);
    assert_eq!(push().note(0, answer(503, &[LINE], "nobody pulls\n")).found(), ["REQ-HTTP-007"]);
    assert_eq!(push().note(0, ok()).found(), ["REQ-HTTP-007"]);
}

/// REQ-HTTP-004, REQ-HTTP-005, REQ-HTTP-006, REQ-HTTP-012, REQ-HTTP-014, REQ-LIVE-001
#[test]
fn what_is_no_post_and_no_handshake_is_told_so_and_the_connection_goes_on() {
    let plain = |method: &str| HttpRequest { body: None, ..HttpRequest::post(Fill::Tagged(0)) }.named(method);
    let upgrade = [LINE, ("upgrade", "websocket")];
    let get = || posts(Role::Sub, "n", plain("GET"));
    let right = || get().note(0, answer(426, &upgrade, "open a WebSocket\n"));
    assert_eq!(right().found(), NONE);
    assert_eq!(get().note(0, answer(426, &[LINE], "open a WebSocket\n")).found(), ["REQ-HTTP-004"]);
    assert_eq!(get().note(0, answer(404, &[LINE], "no\n")).found(), ["REQ-HTTP-004"]);
    assert_eq!(get().note(0, answer(426, &upgrade, "<html>")).found(), ["REQ-HTTP-012"]);
    assert_eq!(get().note(0, What::Missed { wait: Wait::Answer }).found(), ["REQ-LIVE-001"]);
    let put = posts(Role::Bus, "n", plain("PUT"));
    assert_eq!(put.note(0, answer(405, &[LINE], "no\n")).found(), ["REQ-HTTP-005"]);
    let path = HttpRequest { path: Some("/nowhere".to_owned()), ..plain("GET") };
    assert_eq!(posts(Role::Bus, "n", path).note(0, answer(200, &[], "")).found(), ["REQ-HTTP-006"]);
    let door = Door::new(Role::Sub, Topic::new("n"));
    let again = || right().note(0, What::Requested { door: door.clone(), request: plain("GET") });
    assert_eq!(again().note(0, answer(426, &upgrade, "open a WebSocket\n")).found(), NONE);
    assert_eq!(again().note(0, END).found(), ["REQ-HTTP-014"]);
}

/// Somebody with an Origin at a broker with these rules, and what is answered.
fn comes(
    rules: &[&str],
    request: HttpRequest,
    origin: Option<&str>,
    status: u16,
    body: &str,
) -> Vec<&'static str> {
    let origins = rules.iter().map(|&rule| rule.to_owned()).collect();
    let request = match origin {
        Some(origin) => request.with("Origin", origin),
        None => request,
    };
    let door = Door::new(Role::Bus, Topic::new("p"));
    let launched = What::Launched { wanted: Wanted { origins, ..Wanted::default() } };
    let tale = Tale::of("origin.strict").note_all(launched).note(10, What::Requested { door, request });
    tale.note(10, answer(status, &[], body)).found()
}

/// REQ-ORG-001, REQ-ORG-002, REQ-ORG-003, REQ-ORG-004, REQ-ORG-005, REQ-ORG-006, REQ-ORG-007, REQ-ORG-008, REQ-ORG-011
#[test]
fn an_origin_is_let_in_by_its_rule_and_refused_in_these_words() {
    const NO: &str = "Origin check failed\n";
    const PAGE: &str = "http://www.example.com:3000";
    let opens =
        |rules: &[&str], origin, status, body| comes(rules, HttpRequest::handshake(), origin, status, body);
    assert_eq!(opens(&[], None, 101, ""), NONE);
    assert_eq!(opens(&[], Some(PAGE), 401, NO), ["REQ-ORG-001"]);
    let rule = ["*://www.example.com"];
    assert_eq!(opens(&rule, None, 401, NO), NONE);
    assert_eq!(opens(&rule, None, 101, ""), ["REQ-ORG-002"]);
    assert_eq!(opens(&["http://www.example.com:*"], Some(PAGE), 401, NO), ["REQ-ORG-003"]);
    assert_eq!(opens(&["example.com"], Some("http://evil.net"), 401, NO), NONE);
    assert_eq!(opens(&["example.com"], Some("http://evil.net"), 401, "no"), ["REQ-ORG-004"]);
    assert_eq!(opens(&["example.com"], Some("http://evil.net"), 101, ""), ["REQ-ORG-004"]);
    assert_eq!(opens(&["*"], Some("http://evil.net"), 401, NO), ["REQ-ORG-005"]);
    assert_eq!(opens(&["example.com"], Some("http://example.com.evil.net"), 101, ""), ["REQ-ORG-006"]);
    assert_eq!(opens(&rule, Some("http://WWW.EXAMPLE.COM"), 401, NO), ["REQ-ORG-007"]);
    assert_eq!(opens(&["www.example.com"], Some("http://wwwxexample.com:3000"), 101, ""), ["REQ-ORG-008"]);
    let post = || HttpRequest::post(Fill::Tagged(0));
    assert_eq!(comes(&rule, post(), Some("http://evil.net"), 401, NO), NONE);
    assert_eq!(comes(&rule, post(), Some("http://evil.net"), 200, ""), ["REQ-ORG-011"]);
}
