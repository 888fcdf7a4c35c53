//! The judges of rawsocket.

use super::{OTHER, RAW, serializer};
use crate::check::wamp_session::speech::{Speech, Turn};
use crate::check::{Nature, Violation};
use crate::history::{History, What};
use crate::model::{Carrier, Form};
use crate::raw::wamp::{Value, code, rawsocket};

/// Why a handshake is refused (WAMP, Raw Socket Transport).
const UNKNOWN: u8 = 0x10;
const RESERVED: u8 = 0x30;
const TOO_SHORT: u8 = 0x20;

/// The octets that a speech began with, and those that were answered.
fn greeting<'a>(speech: &'a Speech<'_>) -> Option<([u8; 4], &'a [u8])> {
    let Carrier::RawSocket(said) = speech.line.carrier else { return None };
    let reply = speech.turns.iter().find(|turn| !turn.is_said && turn.form == Form::Octets)?;
    Some((said, reply.bytes))
}

pub(super) fn handshake(history: &History) -> Vec<Violation> {
    let Some(speech) = Speech::of(history, RAW) else { return Vec::new() };
    let told = |nature, text: String| vec![Violation { requirement: "REQ-WAMP-080", nature, text }];
    let Some((said, reply)) = greeting(&speech) else {
        return told(Nature::Liveness, "the handshake was not answered".to_owned());
    };
    let (is_known, is_reserved) = (serializer(said[1] & 0x0f).is_some(), said[2..] != [0, 0]);
    let is_right = match *reply {
        [rawsocket::MAGIC, second, 0, 0] => match (is_known, is_reserved) {
            // A client that takes little may be told so.
            (true, false) if second == TOO_SHORT => said[1] >> 4 < super::ROOMY,
            (true, false) => second & 0x0f == said[1] & 0x0f,
            (true, true) => second == RESERVED,
            (false, false) => second == UNKNOWN,
            (false, true) => second == UNKNOWN || second == RESERVED,
        },
        _ => false,
    };
    if !is_right {
        return told(Nature::Safety, format!("the handshake {said:x?} was answered {reply:x?}"));
    }
    let asked = speech.turns.iter().any(|turn| turn.is_said);
    let is_welcome = speech.turns.iter().any(|turn| turn.kind() == Some(code::WELCOME));
    if asked && !is_welcome {
        return told(Nature::Liveness, format!("no session opens behind the handshake {said:x?}"));
    }
    Vec::new()
}

pub(super) fn frames(history: &History) -> Vec<Violation> {
    let Some(speech) = Speech::of(history, RAW) else { return Vec::new() };
    let Some((_, reply)) = greeting(&speech) else { return Vec::new() };
    let longest = reply.get(1).map_or(0, |octet| rawsocket::longest(*octet));
    let mut violations = Vec::new();
    let mut told = |nature, text| violations.push(Violation { requirement: "REQ-WAMP-081", nature, text });
    let mut wrong = None;
    let mut pings: Vec<&Turn<'_>> = Vec::new();
    let mut marks: Vec<&Value> = Vec::new();
    for turn in &speech.turns {
        match (turn.is_said, turn.form) {
            // What the broker says that it takes is right.
            (true, Form::Octets) if turn.bytes[0] == rawsocket::MESSAGE && longest > 0x00ff_ffff => {}
            (true, Form::Octets) => wrong = Some(turn),
            (true, Form::Ping) => pings.push(turn),
            (false, Form::Pong) => match pings.iter().position(|ping| ping.bytes == turn.bytes) {
                Some(place) => drop(pings.remove(place)),
                None => told(Nature::Safety, "a pong came that no ping has the bytes of".to_owned()),
            },
            (true, Form::Text | Form::Binary) if wrong.is_none() => marks.extend(mark(turn)),
            (false, Form::Text | Form::Binary) => {
                if let Some(wrong) = wrong {
                    told(
                        Nature::Safety,
                        format!("{:x?} did not end the connection: {} came", wrong.bytes, turn.text()),
                    );
                }
                let answered = turn.items.as_deref().and_then(|items| items.get(1));
                marks.retain(|mark| turn.kind() != Some(code::PUBLISHED) || answered != Some(mark));
            }
            _ => {}
        }
    }
    let is_broken = history.events.iter().any(|event| matches!(event.what, What::Broken { .. }));
    if is_broken {
        told(Nature::Safety, "a frame of an unknown type came".to_owned());
    }
    match (wrong, speech.end) {
        (Some(wrong), None) => {
            told(Nature::Liveness, format!("{:x?} did not end the connection", wrong.bytes));
        }
        (None, Some(_)) => told(Nature::Safety, "the connection was ended, and nothing was wrong".to_owned()),
        _ => {}
    }
    // Each of them was waited for before a wrong frame was sent.
    for ping in pings {
        told(Nature::Liveness, format!("a ping of {} bytes was not answered", ping.bytes.len()));
    }
    for mark in marks {
        told(Nature::Liveness, format!("the publication {mark:?} was not acknowledged"));
    }
    violations
}

/// The number of a publication that is to be acknowledged.
fn mark<'a>(turn: &'a Turn<'_>) -> Option<&'a Value> {
    match turn.items.as_deref()? {
        [Value::Int(code::PUBLISH), number, options, ..] if options.has("acknowledge") => Some(number),
        _ => None,
    }
}

pub(super) fn lengths(history: &History) -> Vec<Violation> {
    let (Some(speech), Some(other)) = (Speech::of(history, RAW), Speech::of(history, OTHER)) else {
        return Vec::new();
    };
    let Some((said, _)) = greeting(&speech) else { return Vec::new() };
    let longest = rawsocket::longest(said[1]);
    let mut violations = Vec::new();
    let mut told = |nature, text| violations.push(Violation { requirement: "REQ-WAMP-088", nature, text });
    let heard = || speech.turns.iter().filter(|turn| !turn.is_said && turn.form != Form::Octets);
    if let Some(turn) = heard().find(|turn| turn.bytes.len() > longest) {
        let text = format!("{} bytes came to a client that takes {longest}", turn.bytes.len());
        told(Nature::Safety, text);
    }
    // As EVENT it is about as long as it was as PUBLISH, in each serialisation.
    let is_short = |turn: &&Turn<'_>| turn.bytes.len() + 200 <= longest;
    for turn in other.turns.iter().filter(|turn| turn.is_said).filter(is_short) {
        let Some([Value::Int(code::PUBLISH), .., args]) = turn.items.as_deref() else { continue };
        let is_it = |one: &Turn<'_>| {
            one.kind() == Some(code::EVENT)
                && one.items.as_deref().is_some_and(|items| items.get(4) == Some(args))
        };
        if !heard().any(is_it) {
            told(Nature::Liveness, format!("a publication of {} bytes did not come", turn.bytes.len()));
        }
    }
    if let Some(code) = speech.end {
        told(Nature::Safety, format!("the connection was ended with {code:?}"));
    }
    violations
}
