//! RFC 6455, bit by bit: what is right is carried, what is wrong fails the connection with the right code, at every
//! door, and nobody else notices.
//!
//! Connection 0 speaks frames word by word; connection 1, its partner at the other end of the pattern, is an ordinary
//! client that sees what becomes of them.

use proptest::prelude::*;
use proptest::sample::select;
use serde::{Deserialize, Serialize};

use super::{ANY_PATTERN, Card, Check, Family, Params, Violation};
use crate::history::{Conn, History};
use crate::model::{Door, Fill, HttpRequest, Kind, Role, Sent, Topic};
use crate::plan::{Plan, Step};

mod handshake;
mod judge;

/// Who speaks word by word, and who is at the other end.
pub(super) const SPEAKER: Conn = Conn(0);
pub(super) const PARTNER: Conn = Conn(1);

/// How many roles there are at most.
pub(super) const ROLES: usize = 5;

/// The role of this number, among those that the broker has.
pub(super) fn role(number: usize, params: &Params) -> Role {
    let pairs = params.patterns.pairs();
    let mut roles: Vec<Role> = pairs.iter().flat_map(|&(from, to)| [from, to]).collect();
    roles.dedup();
    roles[number % roles.len()]
}

/// The role at the other end of a pattern.
pub(super) fn partner(role: Role) -> Role {
    match role {
        Role::Bus => Role::Bus,
        Role::Pub => Role::Sub,
        Role::Sub => Role::Pub,
        Role::Push => Role::Pull,
        Role::Pull => Role::Push,
        Role::Session => Role::Session,
    }
}

/// The checks of this family.
pub fn checks() -> Vec<Box<dyn Check>> {
    vec![
        Box::new(handshake::Handshake),
        Box::new(Frames::Right),
        Box::new(Frames::Wrong),
        Box::new(Frames::Close),
    ]
}

/// A check of frames.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Frames {
    /// Whole and fragmented messages, pings between the fragments, pongs that nobody asked for.
    Right,
    /// Something among them that is forbidden.
    Wrong,
    /// Close frames of all kinds.
    Close,
}

/// What the speaker does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Op {
    /// A message of its tag and so many bytes more, in so many frames. With `true` a ping stands before the last frame,
    /// and its pong is waited for.
    Say(Kind, usize, u8, bool),
    /// A ping of so many bytes.
    Ping(usize),
    /// A pong of so many bytes, which nobody asked for.
    Pong(usize),
    /// Something forbidden.
    Wrong(Fault),
    /// A Close frame with these bytes.
    Close(Vec<u8>),
}

/// What is forbidden.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Fault {
    /// A frame of this opcode without mask.
    Unmasked(u8),
    /// A frame of this opcode with these reserved bits.
    Rsv(u8, u8),
    /// A reserved opcode.
    Opcode(u8),
    /// A continuation of nothing.
    Continuation,
    /// A message inside another.
    Inside,
    /// A control frame of 126 bytes.
    LongControl(u8),
    /// A control frame that is not the last of its message.
    CutControl(u8),
    /// A length with its highest bit set.
    Length,
    /// A frame one byte over the limit.
    TooLong,
    /// Fragments that sum up to one byte over the limit.
    SumTooLong,
    /// Text that is not UTF-8, of the list, whole.
    Text(usize),
    /// The same as a first fragment, a ping, and then the rest.
    Fragment(usize),
}

/// Text that is not UTF-8 from its first byte on which shows it.
const INVALID: [&[u8]; 5] = [b"\xff", b"caf\xe9!", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\xaf"];

/// Close frames: none of them wrong, then wrong ones.
const CLOSES: [&[u8]; 16] = [
    b"",
    b"\x03\xe8",
    b"\x03\xe8bye",
    b"\x03\xe9",
    b"\x03\xf3\xc3\xa9",
    b"\x0b\xb8",
    b"\x0f\xa0",
    b"\x13\x87",
    b"\x03",
    b"\x00\x00",
    b"\x03\xe7",
    b"\x03\xec",
    b"\x03\xed",
    b"\x03\xf7",
    b"\x13\x88",
    b"\x03\xe8\xff",
];

/// A door and what is done there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Script {
    /// Of the five doors.
    pub role: usize,
    /// In order.
    pub ops: Vec<Op>,
}

impl Family for Frames {
    type Script = Script;

    fn card(&self) -> Card {
        let (name, about, requirements, caps): (_, _, &'static [&'static str], &'static [&'static str]) =
            match self {
                Self::Right => (
                    "ws.frames",
                    "Whole and fragmented messages, pings between the fragments and pongs are taken at every door.",
                    &[
                        "REQ-WS-004",
                        "REQ-WS-005",
                        "REQ-WS-006",
                        "REQ-WS-012",
                        "REQ-WS-015",
                        "REQ-PAY-005",
                        "REQ-PAY-001",
                        "REQ-PAY-002",
                        "REQ-SUB-005",
                        "REQ-LIVE-001",
                    ],
                    &["raw"],
                ),
                Self::Wrong => (
                    "ws.forbidden",
                    "What RFC 6455 forbids ends its sender with the right code, at every door, and nothing of it is delivered.",
                    &[
                        "REQ-WS-003",
                        "REQ-WS-007",
                        "REQ-WS-010",
                        "REQ-WS-013",
                        "REQ-WS-014",
                        "REQ-PAY-003",
                        "REQ-PAY-006",
                        "REQ-SUB-005",
                        "REQ-LIVE-001",
                    ],
                    &["raw"],
                ),
                Self::Close => (
                    "ws.close",
                    "A Close frame comes back as it was; one that may not be sent fails the connection.",
                    &["REQ-WS-006", "REQ-WS-009", "REQ-WS-014", "REQ-SUB-005", "REQ-LIVE-001"],
                    &["raw", "close_codes"],
                ),
            };
        Card { name, about, requirements, caps, any_of: ANY_PATTERN, weight: 100 }
    }

    fn scripts(&self, _: &Params) -> BoxedStrategy<Script> {
        let kind = || select(vec![Kind::Text, Kind::Binary]);
        let length = || select(vec![0, 1, 100, 125, 126, 65_536]);
        let say =
            || (kind(), length(), 1..=4_u8, any::<bool>()).prop_map(|(k, n, p, ping)| Op::Say(k, n, p, ping));
        let short = || select(vec![0_usize, 1, 60, 124, 125]);
        let right =
            || prop_oneof![4 => say(), 2 => short().prop_map(Op::Ping), 1 => short().prop_map(Op::Pong)];
        let last = match self {
            Self::Right => Just(Vec::new()).boxed(),
            Self::Wrong => select(faults()).prop_map(|fault| vec![Op::Wrong(fault)]).boxed(),
            Self::Close => select(CLOSES.to_vec()).prop_map(|bytes| vec![Op::Close(bytes.to_vec())]).boxed(),
        };
        let after = prop::collection::vec(say(), 0..2);
        (0..ROLES, prop::collection::vec(right(), 0..4), last, after)
            .prop_map(|(role, before, last, after)| Script { role, ops: [before, last, after].concat() })
            .boxed()
    }

    fn classics(&self, _: &Params) -> Vec<Script> {
        let say = |pieces, ping| Op::Say(Kind::Text, 10, pieces, ping);
        let ops: Vec<Vec<Op>> = match self {
            Self::Right => (0..5)
                .map(|_| vec![say(3, true), Op::Ping(125), Op::Pong(3), Op::Say(Kind::Binary, 126, 1, false)])
                .collect(),
            Self::Wrong => faults().into_iter().map(|fault| vec![Op::Wrong(fault), say(1, false)]).collect(),
            Self::Close => {
                CLOSES.iter().map(|bytes| vec![Op::Close(bytes.to_vec()), say(1, false)]).collect()
            }
        };
        // Each at another door.
        (0..).zip(ops).map(|(number, ops)| Script { role: number % ROLES, ops }).collect()
    }

    fn plan(&self, script: &Script, params: &Params) -> Plan {
        let role = role(script.role, params);
        let door = Door::new(role, Topic::new("w"));
        let other = Door::new(partner(role), Topic::new("w"));
        let mut steps = vec![
            Step::open(PARTNER, other.clone()),
            Step::Http { conn: SPEAKER, door, request: HttpRequest::handshake() },
        ];
        if role.receives() {
            steps.extend([Step::say(PARTNER), Step::Flush]);
        }
        let (witness, _) = params.patterns.pair(1);
        let mut frames = Vec::new();
        for op in &script.ops {
            lower(op, params, &mut frames, &mut steps);
        }
        frames.push(Sent::new(9, Fill::Text("the end".to_owned())));
        steps.extend([write(&mut frames), Step::Hear { conn: SPEAKER }, Step::Finish { conn: SPEAKER }]);
        // The others go on.
        steps.extend([
            Step::open(Conn(2), Door::new(witness, Topic::new("x"))),
            Step::say(Conn(2)),
            Step::Flush,
        ]);
        Plan::new(steps)
    }

    fn judge(&self, history: &History) -> Vec<Violation> {
        judge::frames(history)
    }
}

/// All faults.
fn faults() -> Vec<Fault> {
    let mut faults =
        vec![Fault::Continuation, Fault::Inside, Fault::Length, Fault::TooLong, Fault::SumTooLong];
    faults.extend([1, 2, 9].map(Fault::Unmasked));
    faults.extend([(1, 1), (2, 1), (4, 1), (4, 9)].map(|(bits, opcode)| Fault::Rsv(bits, opcode)));
    faults.extend([3, 7, 11, 15].map(Fault::Opcode));
    faults.extend([8, 9, 10].map(Fault::LongControl));
    faults.extend([8, 9, 10].map(Fault::CutControl));
    faults.extend((0..INVALID.len()).flat_map(|i| [Fault::Text(i), Fault::Fragment(i)]));
    faults
}

/// Writes what was gathered.
fn write(frames: &mut Vec<Sent>) -> Step {
    Step::Write { conn: SPEAKER, frames: std::mem::take(frames) }
}

fn lower(op: &Op, params: &Params, frames: &mut Vec<Sent>, steps: &mut Vec<Step>) {
    match op {
        Op::Say(kind, length, pieces, ping) => {
            let opcode = if *kind == Kind::Text { 1 } else { 2 };
            for piece in 0..*pieces {
                let is_last = piece + 1 == *pieces;
                if is_last && *ping && *pieces > 1 {
                    frames.push(Sent::new(9, Fill::Text(format!("inside {}", frames.len()))));
                    steps.extend([write(frames), Step::Hear { conn: SPEAKER }]);
                }
                // The tag stands in the first frame.
                let fill = if piece == 0 { Fill::Tagged(*length) } else { Fill::Run(*length / 2 + 1) };
                let frame = Sent::new(if piece == 0 { opcode } else { 0 }, fill);
                frames.push(if is_last { frame } else { frame.goes_on() });
            }
        }
        Op::Ping(length) => frames.push(Sent::new(9, Fill::Run(*length))),
        Op::Pong(length) => frames.push(Sent::new(10, Fill::Run(*length))),
        Op::Wrong(fault) => wrong(*fault, params, frames, steps),
        Op::Close(bytes) => frames.push(Sent::close(bytes.clone())),
    }
}

fn wrong(fault: Fault, params: &Params, frames: &mut Vec<Sent>, steps: &mut Vec<Step>) {
    let max = params.max_message;
    let tagged = |opcode| Sent::new(opcode, if opcode < 8 { Fill::Tagged(4) } else { Fill::Run(4) });
    let invalid = |i: usize| Fill::Bytes(INVALID[i % INVALID.len()].to_vec());
    match fault {
        Fault::Unmasked(opcode) => frames.push(Sent { masked: false, ..tagged(opcode) }),
        Fault::Rsv(rsv, opcode) => frames.push(Sent { rsv, ..tagged(opcode) }),
        Fault::Opcode(opcode) => frames.push(tagged(opcode)),
        Fault::Continuation => frames.push(tagged(0)),
        Fault::Inside => frames.extend([tagged(1).goes_on(), tagged(1)]),
        Fault::LongControl(opcode) => {
            let mut bytes = vec![b'x'; 126];
            // As a Close frame it is right but for its length.
            bytes[..2].copy_from_slice(&1000_u16.to_be_bytes());
            frames.push(Sent::new(opcode, Fill::Bytes(bytes)));
        }
        Fault::CutControl(opcode) => {
            let fill = if opcode == 8 { Fill::Bytes(1000_u16.to_be_bytes().to_vec()) } else { Fill::Run(4) };
            frames.push(Sent::new(opcode, fill).goes_on());
        }
        Fault::Length => frames.push(Sent { claims: Some(1 << 63 | 4), ..tagged(2) }),
        Fault::TooLong => frames.push(Sent::new(2, Fill::Run(max + 1))),
        Fault::SumTooLong => {
            let first = max.div_ceil(2);
            frames.extend([
                Sent::new(2, Fill::Run(first)).goes_on(),
                Sent::new(0, Fill::Run(max - first)).goes_on(),
                Sent::new(0, Fill::Run(1)),
            ]);
        }
        Fault::Text(i) => frames.push(Sent::new(1, invalid(i))),
        Fault::Fragment(i) => {
            frames.extend([
                Sent::new(1, invalid(i)).goes_on(),
                Sent::new(9, Fill::Text(format!("early {}", frames.len()))),
            ]);
            steps.extend([write(frames), Step::Hear { conn: SPEAKER }]);
            frames.push(Sent::new(0, Fill::Text("rest".to_owned())));
        }
    }
}
