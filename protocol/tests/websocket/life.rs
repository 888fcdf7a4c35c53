//! Pings, the end, and what is to be written when.

use petasus_protocol::Message;
use petasus_protocol::session::Failure;
use petasus_protocol::websocket::{CloseError, Connection, Event, HandshakeError, HttpError, WebSocketError};
use tungstenite::protocol::frame::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;

use crate::peer::{LIMIT, connection, counted, events, frame, read, server, transmitted};

type Seen = tungstenite::Message;

#[test]
fn what_is_sent_together_is_written_together() {
    let mut connection = connection();
    assert!(connection.send(&"one".into()));
    assert!(connection.send(&Message::binary("two")));
    assert!(connection.ping());
    let bytes = connection.poll_transmit().expect("three frames wait").to_vec();
    assert_eq!(connection.poll_transmit(), None);
    let seen = read(&mut server(), &bytes);
    assert_eq!(seen, [Seen::text("one"), Seen::binary("two"), Seen::Ping("".into())]);
    assert!(connection.send(&"three".into()));
    assert_eq!(read(&mut server(), &transmitted(&mut connection)), [Seen::text("three")]);
}

/// RFC 6455 5.3: a fresh mask for each frame, from the source that was given.
#[test]
fn each_frame_has_a_mask_of_its_own_from_the_source() {
    const FRAMES: usize = 200;
    let mut source = counted();
    let mut drawn = vec![0; FRAMES * 4];
    source(&mut drawn);
    let mut connection = connection();
    for _ in 0..FRAMES {
        connection.send(&"x".into());
    }
    let wire = transmitted(&mut connection);
    let masks: Vec<u8> = wire.chunks(7).flat_map(|frame| frame[2..6].to_vec()).collect();
    assert_eq!(masks, drawn);
    assert_eq!(wire[6], b'x' ^ wire[2]);
}

#[test]
fn each_ping_gets_its_pong() {
    let mut connection = connection();
    connection.receive(&[frame(0x89, b"a"), frame(0x89, b""), frame(0x89, b"b")].concat());
    let pings = ["a", "", "b"].map(|payload| Event::Ping(payload.into()));
    assert_eq!(events(&mut connection), pings);
    let pongs = ["a", "", "b"].map(|payload| Seen::Pong(payload.into()));
    assert_eq!(read(&mut server(), &transmitted(&mut connection)), pongs);
}

/// RFC 6455 5.5.3
#[test]
fn a_flood_of_pings_does_not_pile_up_and_the_newest_is_answered() {
    let mut connection = connection();
    for i in 0..10_000_u32 {
        connection.receive(&frame(0x89, &i.to_be_bytes()));
    }
    let bytes = transmitted(&mut connection);
    assert!(bytes.len() < 1000, "{} bytes wait", bytes.len());
    let pongs = read(&mut server(), &bytes);
    assert_eq!(pongs.last(), Some(&Seen::Pong(9_999_u32.to_be_bytes().to_vec().into())));
    // Later ones are answered as before.
    connection.receive(&[frame(0x89, b"a"), frame(0x89, b"b")].concat());
    let pongs = ["a", "b"].map(|payload| Seen::Pong(payload.into()));
    assert_eq!(read(&mut server(), &transmitted(&mut connection)), pongs);
}

/// RFC 6455 5.5.1; REQ-WS-006 for the other side.
#[test]
fn a_close_is_answered_with_its_code_after_what_was_sent_before() {
    for (payload, answer) in
        [(&[][..], None), (b"\x03\xE9bye", Some(CloseFrame { code: CloseCode::Away, reason: "".into() }))]
    {
        let mut connection = connection();
        assert!(connection.send(&"before".into()));
        connection.receive(&[frame(0x88, payload), frame(0x81, b"after"), frame(0x89, b"after")].concat());
        let closed = match payload {
            [] => Event::Closed { code: None, reason: String::new() },
            _ => Event::Closed { code: Some(1001), reason: "bye".to_owned() },
        };
        assert_eq!(events(&mut connection), [closed]);
        assert!(!connection.is_open() && !connection.send(&"late".into()) && !connection.ping());
        connection.close(1000, "").expect("the code is fine, if late");
        let seen = read(&mut server(), &transmitted(&mut connection));
        assert_eq!(seen, [Seen::text("before"), Seen::Close(answer)]);
    }
}

#[test]
fn after_our_close_messages_still_come_and_nothing_goes() {
    let (mut connection, mut server) = (connection(), server());
    assert!(connection.send(&"last".into()));
    connection.close(3999, "done").expect("the code is fine");
    connection.close(1000, "again").expect("the code is fine, if late");
    assert!(!connection.is_open() && !connection.send(&"late".into()) && !connection.ping());
    connection.receive(&[frame(0x81, b"crossed"), frame(0x89, b"crossed")].concat());
    assert_eq!(events(&mut connection), [Event::Message("crossed".into()), Event::Ping("crossed".into())]);

    let seen = read(&mut server, &transmitted(&mut connection));
    let close = CloseFrame { code: CloseCode::from(3999), reason: "done".into() };
    assert_eq!(seen, [Seen::text("last"), Seen::Close(Some(close))]);
    // The server has answered by itself.
    connection.receive(&std::mem::take(&mut server.get_mut().to_client));
    let reason = "done".to_owned();
    assert_eq!(events(&mut connection), [Event::Closed { code: Some(3999), reason }]);
    assert_eq!(connection.poll_transmit(), None);
}

#[test]
fn a_close_that_may_not_be_sent_is_refused_and_the_connection_stays() {
    let mut connection = connection();
    for code in [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, u16::MAX] {
        assert_eq!(connection.close(code, ""), Err(CloseError::Code(code)));
    }
    assert_eq!(connection.close(1000, &"é".repeat(62)), Err(CloseError::ReasonTooLong { len: 124 }));
    assert!(connection.is_open());
    assert_eq!(connection.poll_transmit(), None);
    connection.close(1000, &"x".repeat(123)).expect("the longest reason");
    let seen = read(&mut server(), &transmitted(&mut connection));
    assert!(matches!(&seen[..], [Seen::Close(Some(close))] if close.reason.len() == 123));
}

#[test]
fn a_connection_can_be_held_where_its_source_is_a_plain_function() {
    fn source(bytes: &mut [u8]) {
        bytes.fill(9);
    }
    struct Held(Connection<fn(&mut [u8])>);
    fn sent_anywhere<T: Send + Sync>(held: T) -> T {
        held
    }
    let mut held = sent_anywhere(Held(Connection::new(LIMIT, source)));
    assert!(held.0.send(&"x".into()));
    assert_eq!(held.0.poll_transmit(), Some(&[0x81, 0x81, 9, 9, 9, 9, b'x' ^ 9][..]));
}

#[test]
fn a_session_learns_whether_to_try_again() {
    let status = |status| HandshakeError::Status { status, text: "why".to_owned(), retry_after: None };
    let start = "SSH".to_owned();
    let failures: [(Failure, bool); 7] = [
        (status(404).into(), true),
        (status(503).into(), false),
        (HttpError::NotHttp { start }.into(), true),
        (HandshakeError::Http(HttpError::Ended).into(), false),
        (HandshakeError::NotWebSocket { reason: "x" }.into(), true),
        (HandshakeError::Subprotocol { chosen: "mqtt".to_owned() }.into(), true),
        (WebSocketError::TooLong { limit: 1 }.into(), true),
    ];
    for (failure, is_final) in failures {
        assert_eq!(failure.is_final(false), is_final, "{failure}");
    }
    assert_eq!(Failure::from(status(404)), Failure::Status { status: 404, text: "why".to_owned() });
}
