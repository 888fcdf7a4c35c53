//! What a server may not send, and what it is told.

use petasus_protocol::Message;
use petasus_protocol::websocket::{Event, WebSocketError};
use proptest::prelude::*;
use tungstenite::protocol::frame::coding::CloseCode;

use crate::peer::{LIMIT, connection, events, frame, read, server, transmitted};

fn close(code: u16, reason: &[u8]) -> Vec<u8> {
    frame(0x88, &[&code.to_be_bytes(), reason].concat())
}

/// What is wrong, what the server sends, the close code it gets.
fn bad_frames() -> Vec<(&'static str, Vec<u8>, u16)> {
    let long = vec![b'x'; LIMIT + 1];
    vec![
        ("masked", vec![0x81, 0x81, 1, 2, 3, 4, b'x' ^ 1], 1002),
        ("masked and empty", vec![0x81, 0x80, 1, 2, 3, 4], 1002),
        ("first reserved bit", frame(0xC1, b"x"), 1002),
        ("second reserved bit", frame(0xA1, b"x"), 1002),
        ("third reserved bit", frame(0x91, b"x"), 1002),
        ("reserved bit of a control frame", frame(0xC9, b"x"), 1002),
        ("reserved opcode for content", frame(0x83, b"x"), 1002),
        ("reserved opcode for control", frame(0x8B, b"x"), 1002),
        ("length with its highest bit set", [&[0x82, 127, 0x80][..], &[0; 7]].concat(), 1002),
        ("length in 16 bits that fits into 7", vec![0x82, 126, 0, 125], 1002),
        ("length in 64 bits that fits into 16", vec![0x82, 127, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF], 1002),
        ("fragmented ping", frame(0x09, b"x"), 1002),
        ("fragmented close", frame(0x08, &[3, 232]), 1002),
        ("ping of 126 bytes", frame(0x89, &[0; 126]), 1002),
        ("close of 126 bytes", close(1000, &[b'x'; 124]), 1002),
        ("continuation of nothing", frame(0x80, b"x"), 1002),
        ("continuation after the end", [frame(0x81, b"x"), frame(0x80, b"x")].concat(), 1002),
        ("message in a message", [frame(0x01, b"x"), frame(0x82, b"x")].concat(), 1002),
        ("close of one byte", frame(0x88, b"x"), 1002),
        ("close 0", close(0, b""), 1002),
        ("close 999", close(999, b""), 1002),
        ("close 1004", close(1004, b""), 1002),
        ("close 1005", close(1005, b""), 1002),
        ("close 1006", close(1006, b""), 1002),
        ("close 1015", close(1015, b""), 1002),
        ("close 2999", close(2999, b""), 1002),
        ("close 5000", close(5000, b""), 1002),
        ("reason that is not UTF-8", close(1000, &[0xC3, 0x28]), 1007),
        ("text that is not UTF-8", frame(0x81, &[0xFF]), 1007),
        ("text that ends in a character", frame(0x81, &[0xC3]), 1007),
        ("text with a surrogate", frame(0x81, &[0xED, 0xA0, 0x80]), 1007),
        ("fragmented text that is not UTF-8", [frame(0x01, &[0xC3]), frame(0x80, b"(")].concat(), 1007),
        ("too long", frame(0x82, &long), 1009),
        ("too long, and only its header came", vec![0x82, 127, 0, 0, 0, 0, 0x7F, 0, 0, 0], 1009),
        ("fragments too long", [frame(0x02, &long[1..]), frame(0x80, b"x")].concat(), 1009),
    ]
}

/// RFC 6455 5, 7.4, 8.1; what REQ-WS-003, REQ-WS-007, REQ-WS-009 and REQ-WS-013 ask of a broker.
#[test]
fn a_server_that_breaks_the_rules_is_told_so_and_nothing_follows() {
    for (name, wire, code) in bad_frames() {
        for step in [usize::MAX, 7, 1] {
            let mut connection = connection();
            connection.receive(&frame(0x81, b"before"));
            wire.chunks(step.min(wire.len())).for_each(|piece| connection.receive(piece));
            connection.receive(&frame(0x81, b"after"));
            let events = events(&mut connection);
            let Some(Event::Failed(error)) = events.last() else { panic!("{name}: {events:?}") };
            assert_eq!(error.close_code(), code, "{name}");
            assert_eq!(events[0], Event::Message("before".into()), "{name}");
            assert!(!events.contains(&Event::Message("after".into())), "{name}");

            assert!(
                !connection.is_open() && !connection.send(&"late".into()) && !connection.ping(),
                "{name}"
            );
            let told = read(&mut server(), &transmitted(&mut connection));
            let [tungstenite::Message::Close(Some(close))] = &told[..] else { panic!("{name}: {told:?}") };
            assert_eq!(close.code, CloseCode::from(code), "{name}");
            assert!(!close.reason.is_empty(), "{name}");
        }
    }
}

#[test]
fn what_is_just_allowed_is_taken() {
    let (most, half) = (vec![b'x'; LIMIT], vec![b'x'; LIMIT / 2]);
    let cases = [
        (frame(0x82, &most), Event::Message(Message::binary(most.clone()))),
        (
            [frame(0x02, &half), frame(0x00, b""), frame(0x80, &half)].concat(),
            Event::Message(Message::binary(most.clone())),
        ),
        (frame(0x81, b""), Event::Message(Message::from(""))),
        (frame(0x82, &[7; 125]), Event::Message(Message::binary(vec![7; 125]))),
        (frame(0x82, &[7; 126]), Event::Message(Message::binary(vec![7; 126]))),
        (frame(0x82, &vec![7; 65_535]), Event::Message(Message::binary(vec![7; 65_535]))),
        (frame(0x82, &vec![7; 65_536]), Event::Message(Message::binary(vec![7; 65_536]))),
        ([frame(0x01, &[0xC3]), frame(0x80, &[0xA9])].concat(), Event::Message("é".into())),
        (frame(0x8A, b"nobody asked"), Event::Pong),
        (frame(0x89, &[7; 125]), Event::Ping(vec![7; 125].into())),
        (frame(0x88, b""), Event::Closed { code: None, reason: String::new() }),
        (close(1000, b""), Event::Closed { code: Some(1000), reason: String::new() }),
        (close(1014, b""), Event::Closed { code: Some(1014), reason: String::new() }),
        (close(3000, "é".as_bytes()), Event::Closed { code: Some(3000), reason: "é".to_owned() }),
        (close(4999, &[b'x'; 123]), Event::Closed { code: Some(4999), reason: "x".repeat(123) }),
    ];
    for (wire, expected) in cases {
        for step in [usize::MAX, 1000, 1] {
            let mut connection = connection();
            wire.chunks(step.min(wire.len())).for_each(|piece| connection.receive(piece));
            assert_eq!(events(&mut connection), std::slice::from_ref(&expected));
        }
    }
}

#[test]
fn what_is_too_long_is_refused_before_it_comes() {
    let mut connection = connection();
    connection.receive(&frame(0x82, &vec![0; LIMIT + 1])[..10]);
    assert_eq!(connection.poll_event(), Some(Event::Failed(WebSocketError::TooLong { limit: LIMIT })));
}

proptest! {
    /// No bytes of a server make the client panic, and the way they are cut changes nothing.
    #[test]
    fn any_bytes_get_the_same_verdict_whole_and_in_pieces(
        frames in prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..140)), 0..6),
        tail: Vec<u8>,
        step in 1..20_usize,
    ) {
        // Mostly frames, so that the deeper rules are reached; the tail is anything.
        let mut wire: Vec<u8> = frames.iter().flat_map(|(first, payload)| frame(first & 0x8F, payload)).collect();
        wire.extend(tail);
        let (mut whole, mut pieces) = (connection(), connection());
        whole.receive(&wire);
        wire.chunks(step).for_each(|piece| pieces.receive(piece));
        prop_assert_eq!(events(&mut whole), events(&mut pieces));
        prop_assert_eq!(transmitted(&mut whole), transmitted(&mut pieces));
    }
}
