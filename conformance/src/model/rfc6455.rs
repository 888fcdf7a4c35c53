//! What RFC 6455 says must become of frames: a pure function from what a client sent.

use super::{Kind, Sent};

/// What is to become of the frames of one connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fate {
    /// The messages that are whole before the end.
    pub messages: Vec<Whole>,
    /// The pings before the end: their place, whether they stand inside a fragmented message, and what they hold.
    pub pings: Vec<(usize, bool, Vec<u8>)>,
    /// Whether there is a pong, which nobody asked for.
    pub has_pong: bool,
    /// From which place on text cannot become UTF-8 any more, though its message is not over.
    pub early: Option<usize>,
    /// What ends it.
    pub end: Option<End>,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    /// Text or binary.
    pub kind: Kind,
    /// All of it.
    pub bytes: Vec<u8>,
    /// In how many frames it was sent.
    pub pieces: usize,
    /// The place of its first frame.
    pub first: usize,
}

/// How a connection ends by what a client sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// The place of the frame.
    pub place: usize,
    /// How.
    pub how: Ending,
}

/// See [`End`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The client's Close, with its code if it has one: the same comes back.
    Close(Option<u16>),
    /// The connection is failed.
    Fail {
        /// The requirement that says so.
        rule: &'static str,
        /// The codes that are right: several if several things are wrong.
        codes: Vec<u16>,
    },
}

/// A message that is not whole.
struct Partial {
    kind: Kind,
    bytes: Vec<u8>,
    pieces: usize,
    first: usize,
}

/// What becomes of these frames with these bytes. `limit`: the longest message, in bytes.
pub fn fate(sent: &[(Sent, Vec<u8>)], limit: usize) -> Fate {
    let mut fate = Fate::default();
    let mut partial: Option<Partial> = None;
    for (place, (frame, bytes)) in sent.iter().enumerate() {
        let wrong = faults(frame, bytes, partial.as_ref(), limit);
        if let Some((rule, _)) = wrong.first() {
            let mut codes: Vec<u16> = wrong.iter().map(|(_, code)| *code).collect();
            codes.extend(fate.early.map(|_| 1007));
            fate.end = Some(End { place, how: Ending::Fail { rule, codes } });
            return fate;
        }
        match frame.opcode {
            8 => {
                let code = bytes.first_chunk().map(|code| u16::from_be_bytes(*code));
                fate.end = Some(End { place, how: Ending::Close(code) });
                return fate;
            }
            9 => fate.pings.push((place, partial.is_some(), bytes.clone())),
            10 => fate.has_pong = true,
            _ => {
                let mut message = partial.take().unwrap_or(Partial {
                    kind: if frame.opcode == 1 { Kind::Text } else { Kind::Binary },
                    bytes: Vec::new(),
                    pieces: 0,
                    first: place,
                });
                message.bytes.extend_from_slice(bytes);
                message.pieces += 1;
                if frame.fin {
                    let Partial { kind, bytes, pieces, first } = message;
                    fate.messages.push(Whole { kind, bytes, pieces, first });
                    continue;
                }
                if message.kind == Kind::Text && is_hopeless(&message.bytes) {
                    fate.early.get_or_insert(place);
                }
                partial = Some(message);
            }
        }
    }
    fate
}

/// What is wrong with a frame: the requirement, and the code that it asks for.
fn faults(frame: &Sent, bytes: &[u8], partial: Option<&Partial>, limit: usize) -> Vec<(&'static str, u16)> {
    let mut wrong = Vec::new();
    let is_reserved = !matches!(frame.opcode, 0..=2 | 8..=10);
    let is_bad_control = frame.is_control() && (!frame.fin || bytes.len() > 125 || frame.claims.is_some());
    if !frame.masked || frame.rsv != 0 || is_reserved || is_bad_control {
        wrong.push(("REQ-WS-003", 1002));
    }
    match frame.claims {
        Some(length) if length >> 63 != 0 => wrong.push(("REQ-WS-013", 1002)),
        Some(length) if length > limit as u64 => wrong.push(("REQ-PAY-003", 1009)),
        _ => {}
    }
    match frame.opcode {
        8 => wrong.extend(close_fault(bytes)),
        0 if partial.is_none() => wrong.push(("REQ-WS-003", 1002)),
        1 | 2 if partial.is_some() => wrong.push(("REQ-WS-003", 1002)),
        0..=2 => wrong.extend(data_fault(frame, bytes, partial, limit)),
        _ => {}
    }
    wrong
}

fn data_fault(
    frame: &Sent,
    bytes: &[u8],
    partial: Option<&Partial>,
    limit: usize,
) -> Option<(&'static str, u16)> {
    let before: &[u8] = partial.map_or(&[], |partial| &partial.bytes);
    if before.len() + bytes.len() > limit {
        return Some(("REQ-PAY-003", 1009));
    }
    let is_text = partial.map_or(frame.opcode == 1, |partial| partial.kind == Kind::Text);
    let is_invalid = || std::str::from_utf8(&[before, bytes].concat()).is_err();
    (is_text && frame.fin && is_invalid()).then_some(("REQ-WS-007", 1007))
}

/// RFC 6455 7.4.
fn close_fault(bytes: &[u8]) -> Option<(&'static str, u16)> {
    let Some((code, reason)) = bytes.split_first_chunk() else {
        return (!bytes.is_empty()).then_some(("REQ-WS-009", 1002));
    };
    match u16::from_be_bytes(*code) {
        1000..=1003 | 1007..=1014 | 3000..=4999 => {
            std::str::from_utf8(reason).is_err().then_some(("REQ-WS-009", 1007))
        }
        _ => Some(("REQ-WS-009", 1002)),
    }
}

/// Whether nothing that follows can make this UTF-8.
fn is_hopeless(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Fill;

    fn of(frames: &[Sent]) -> Fate {
        let bytes = |frame: &Sent| match &frame.fill {
            Fill::Bytes(bytes) => bytes.clone(),
            Fill::Run(length) => vec![b'x'; *length],
            Fill::Text(text) => text.clone().into_bytes(),
            Fill::Tagged(_) => unreachable!("not used here"),
        };
        let sent: Vec<_> = frames.iter().map(|frame| (frame.clone(), bytes(frame))).collect();
        fate(&sent, 10)
    }

    fn failed(frames: &[Sent]) -> Option<(&'static str, Vec<u16>)> {
        match of(frames).end?.how {
            Ending::Fail { rule, codes } => Some((rule, codes)),
            Ending::Close(_) => None,
        }
    }

    fn text(text: &str) -> Sent {
        Sent::new(1, Fill::Text(text.to_owned()))
    }

    fn bytes(opcode: u8, bytes: &[u8]) -> Sent {
        Sent::new(opcode, Fill::Bytes(bytes.to_vec()))
    }

    /// REQ-WS-003, REQ-WS-007, REQ-WS-009, REQ-WS-013, REQ-PAY-003
    #[test]
    fn each_fault_has_its_rule_and_its_code() {
        let rsv = Sent { rsv: 4, ..text("a") };
        let naked = Sent { masked: false, ..text("a") };
        let long = Sent { claims: Some(1 << 63), ..text("") };
        for (frames, rule, code) in [
            (vec![rsv], "REQ-WS-003", 1002),
            (vec![naked], "REQ-WS-003", 1002),
            (vec![bytes(3, b"")], "REQ-WS-003", 1002),
            (vec![bytes(0, b"")], "REQ-WS-003", 1002),
            (vec![text("a").goes_on(), text("b")], "REQ-WS-003", 1002),
            (vec![bytes(9, b"").goes_on()], "REQ-WS-003", 1002),
            (vec![Sent::new(9, Fill::Run(126))], "REQ-WS-003", 1002),
            (vec![long], "REQ-WS-013", 1002),
            (vec![Sent::new(2, Fill::Run(11))], "REQ-PAY-003", 1009),
            (vec![text("sixsix").goes_on(), bytes(0, b"sixsix")], "REQ-PAY-003", 1009),
            (vec![bytes(1, b"\xff")], "REQ-WS-007", 1007),
            (vec![bytes(8, b"\x03")], "REQ-WS-009", 1002),
            (vec![bytes(8, &1005_u16.to_be_bytes())], "REQ-WS-009", 1002),
            (vec![bytes(8, b"\x03\xe8\xff")], "REQ-WS-009", 1007),
        ] {
            assert_eq!(failed(&frames), Some((rule, vec![code])), "{frames:?}");
        }
    }

    /// REQ-WS-004, REQ-WS-006, REQ-WS-010
    #[test]
    fn what_is_right_is_whole_and_ends_by_a_close() {
        let frames =
            [text("a").goes_on(), bytes(9, b"p"), bytes(0, b"b"), bytes(10, b"q"), bytes(8, b"\x03\xe9")];
        let fate = of(&frames);
        let whole = Whole { kind: Kind::Text, bytes: b"ab".to_vec(), pieces: 2, first: 0 };
        assert_eq!(fate.messages, [whole]);
        assert_eq!(fate.pings, [(1, true, b"p".to_vec())]);
        assert_eq!(fate.end, Some(End { place: 4, how: Ending::Close(Some(1001)) }));
        assert!(fate.has_pong);
        // Half a letter has hope; a letter that cannot be has none.
        assert_eq!(of(&[bytes(1, b"\xc3").goes_on()]).early, None);
        assert_eq!(of(&[bytes(1, b"\xc3\xff").goes_on()]).early, Some(0));
    }
}
