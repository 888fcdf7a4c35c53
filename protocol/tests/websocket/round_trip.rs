//! Conversations with tungstenite, cut anywhere.

use petasus_protocol::Message;
use petasus_protocol::websocket::Event;
use proptest::prelude::*;
use tungstenite::protocol::frame::Frame;
use tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::peer::{connection, events, read, server, transmitted};

type Seen = tungstenite::Message;

#[derive(Debug, Clone)]
enum Act {
    /// The client sends.
    Send(Message),
    /// The client pings.
    Ping,
    /// The server sends, in fragments that end at these places, with pings between them.
    Serve(Message, Vec<usize>),
    /// The server pings.
    ServePing(u8),
}

fn message() -> impl Strategy<Value = Message> {
    let len =
        prop_oneof![6 => 0..200_usize, 2 => 120..135_usize, 1 => 65_530..65_545_usize, 1 => 0..99_999_usize];
    prop_oneof![
        ".{0,60}".prop_map(Message::from),
        (len, any::<u8>()).prop_map(|(len, first)| {
            Message::binary((0..len).map(|i| (i as u8).wrapping_mul(31) ^ first).collect::<Vec<u8>>())
        }),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        message().prop_map(Act::Send),
        Just(Act::Ping),
        (message(), prop::collection::vec(0..200_usize, 0..4))
            .prop_map(|(message, cuts)| Act::Serve(message, cuts)),
        any::<u8>().prop_map(Act::ServePing),
    ]
}

fn ping(number: u8) -> Seen {
    Seen::Ping(vec![number; usize::from(number % 126)].into())
}

/// The frames of a message that is cut at these places; the pings between them are not part of it.
fn fragments(message: &Message, mut cuts: Vec<usize>) -> Vec<Seen> {
    for cut in &mut cuts {
        *cut = (*cut).min(message.len());
    }
    cuts.sort_unstable();
    cuts.push(message.len());
    let last = cuts.len() - 1;
    let mut frames = Vec::new();
    let mut from = 0;
    for (i, to) in cuts.into_iter().enumerate() {
        let opcode = match i {
            0 if message.is_text() => Data::Text,
            0 => Data::Binary,
            _ => Data::Continue,
        };
        let payload = message.payload().slice(from..to);
        frames.push(Seen::Frame(Frame::message(payload, OpCode::Data(opcode), i == last)));
        if i < last {
            frames.push(ping(i as u8));
        }
        from = to;
    }
    frames
}

fn as_seen(message: &Message) -> Seen {
    match message.as_str() {
        Some(text) => Seen::text(text),
        None => Seen::Binary(message.payload().clone()),
    }
}

proptest! {
    #[test]
    fn both_sides_get_what_the_other_sent(
        turns in prop::collection::vec(prop::collection::vec(act(), 0..5), 1..5),
        steps in prop::collection::vec(prop_oneof![1..20_usize, 1000..200_000_usize], 1..8),
    ) {
        let (mut client, mut server) = (connection(), server());
        let mut steps = steps.into_iter().cycle();
        // What each side is to see.
        let (mut at_client, mut at_server, mut pings, mut pongs) = (Vec::new(), Vec::new(), 0, Vec::new());
        let (mut seen_by_client, mut seen_by_server) = (Vec::new(), Vec::new());
        for acts in turns {
            for act in acts {
                match act {
                    Act::Send(message) => {
                        prop_assert!(client.send(&message));
                        at_server.push(as_seen(&message));
                    }
                    Act::Ping => {
                        prop_assert!(client.ping());
                        pings += 1;
                    }
                    Act::ServePing(number) => {
                        server.write(ping(number)).expect("the server can ping");
                        at_client.push(ping(number));
                    }
                    Act::Serve(message, cuts) => {
                        for frame in fragments(&message, cuts) {
                            if frame.is_ping() {
                                at_client.push(frame.clone());
                            }
                            server.write(frame).expect("the server can send");
                        }
                        at_client.push(as_seen(&message));
                    }
                }
            }
            // First the server writes, then the client answers, then the server reads.
            server.flush().expect("memory takes all");
            let wire = std::mem::take(&mut server.get_mut().to_client);
            let mut rest = &wire[..];
            while !rest.is_empty() {
                let (piece, after) = rest.split_at(steps.next().unwrap_or(1).min(rest.len()));
                client.receive(piece);
                seen_by_server.extend(read(&mut server, &transmitted(&mut client)));
                rest = after;
            }
            seen_by_server.extend(read(&mut server, &transmitted(&mut client)));
            seen_by_client.extend(events(&mut client));
        }
        server.flush().expect("memory takes all");
        client.receive(&std::mem::take(&mut server.get_mut().to_client));
        seen_by_client.extend(events(&mut client));

        // A server may answer the newest of several pings only.
        let answered = seen_by_client.iter().filter(|event| **event == Event::Pong).count();
        prop_assert!(answered <= pings && (answered > 0) == (pings > 0), "{} of {} pings", answered, pings);
        let seen_by_client: Vec<Seen> = seen_by_client.iter().filter_map(|event| match event {
            Event::Message(message) => Some(as_seen(message)),
            Event::Ping(payload) => Some(Seen::Ping(payload.clone())),
            Event::Pong => None,
            other => Some(Seen::text(format!("{other:?}"))),
        }).collect();
        pongs.extend(at_client.iter().filter_map(|seen| match seen {
            Seen::Ping(payload) => Some(Seen::Pong(payload.clone())),
            _ => None,
        }));
        prop_assert_eq!(seen_by_client, at_client);
        let is_message = |seen: &&Seen| seen.is_text() || seen.is_binary();
        prop_assert_eq!(seen_by_server.iter().filter(is_message).cloned().collect::<Vec<_>>(), at_server);
        prop_assert_eq!(seen_by_server.iter().filter(|seen| seen.is_ping()).count(), pings);
        let seen_pongs: Vec<_> = seen_by_server.into_iter().filter(Seen::is_pong).collect();
        if pongs.len() <= 16 {
            prop_assert_eq!(seen_pongs, pongs);
        } else {
            prop_assert_eq!(seen_pongs.last(), pongs.last());
        }
    }
}
