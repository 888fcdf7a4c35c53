//! Payloads: what goes in comes out, byte for byte, whatever it is; and what must not go in comes out nowhere.

use proptest::prelude::*;
use proptest::sample::select;
use serde::{Deserialize, Serialize};

use super::ledger::{Ledger, Origin};
use super::{Card, Check, Family, Params, Violation, delivery, limit};
use crate::history::{Conn, History};
use crate::model::{Door, Fill, Kind, Pattern, Topic};
use crate::plan::{Plan, Step};

/// The sender, and a healthy connection that has nothing to do with it.
const SENDER: Conn = Conn(0);
const WITNESS: Conn = Conn(9);

/// Lengths at which the form of a frame's length changes.
const EDGES: [usize; 8] = [1, 125, 126, 127, 128, 65_535, 65_536, 65_537];

/// The checks of this family.
pub fn checks() -> Vec<Box<dyn Check>> {
    vec![
        Box::new(Payloads::Text),
        Box::new(Payloads::Binary),
        Box::new(Payloads::Empty),
        Box::new(Payloads::Limit),
        Box::new(Payloads::Invalid),
    ]
}

/// A check of payloads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Payloads {
    /// Text of every kind, whole and in pieces.
    Text,
    /// Bytes of every kind, whole and in pieces.
    Binary,
    /// Nothing.
    Empty,
    /// As long as may be, and one byte more.
    Limit,
    /// Text that is none.
    Invalid,
}

/// A message on a pattern.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Script {
    /// 0 bus, 1 pub/sub, 2 queue.
    pub pattern: usize,
    /// Text or binary.
    pub kind: Kind,
    /// What.
    pub fill: Fill,
    /// In how many frames.
    pub pieces: u8,
}

impl Family for Payloads {
    type Script = Script;

    fn card(&self) -> Card {
        const CLOSED: &[&str] = &["REQ-WS-007", "REQ-LIVE-001", "REQ-PAY-001"];
        let (name, about, requirements, caps, weight): (_, _, &[&str], &[&str], _) = match self {
            Self::Text => {
                ("payload.text", "Text arrives as the same text.", &["REQ-PAY-001", "REQ-PAY-005"], &[], 60)
            }
            Self::Binary => {
                let caps = &["payload.binary"];
                (
                    "payload.binary",
                    "Bytes arrive as the same bytes.",
                    &["REQ-PAY-002", "REQ-PAY-005"],
                    caps,
                    40,
                )
            }
            Self::Empty => {
                let caps = &["payload.empty"];
                (
                    "payload.empty",
                    "An empty message arrives as one.",
                    &["REQ-PAY-004", "REQ-PAY-005"],
                    caps,
                    20,
                )
            }
            Self::Limit => {
                let caps = &["limits.message"];
                let requirements = &["REQ-PAY-003", "REQ-WS-007", "REQ-LIVE-001", "REQ-PAY-001"];
                (
                    "payload.limit",
                    "The longest message arrives; one byte more closes its sender.",
                    requirements,
                    caps,
                    15,
                )
            }
            Self::Invalid => {
                let caps = &["utf8.strict"];
                (
                    "payload.invalid",
                    "Text that is not UTF-8 closes its sender and nobody else.",
                    CLOSED,
                    caps,
                    30,
                )
            }
        };
        Card { name, about, requirements, caps, any_of: super::ANY_PATTERN, weight }
    }

    fn scripts(&self, params: &Params) -> BoxedStrategy<Script> {
        let pieces = || prop_oneof![3 => Just(1_u8), 2 => 2..=4_u8];
        let max = params.max_message;
        let (kind, fill) = match self {
            Self::Text => (Just(Kind::Text).boxed(), text(max)),
            Self::Binary => {
                let bytes = prop::collection::vec(any::<u8>(), 1..40).prop_map(Fill::Bytes);
                let ends = select(vec![vec![0], vec![0xff], vec![0xe9], vec![0xc3, 0xa9], b"plain".to_vec()]);
                let edges = select(edges(max)).prop_map(Fill::Run);
                let fill = prop_oneof![3 => bytes, 2 => ends.prop_map(Fill::Bytes), 1 => edges];
                (Just(Kind::Binary).boxed(), fill.boxed())
            }
            Self::Empty => {
                (select(vec![Kind::Text, Kind::Binary]).boxed(), Just(Fill::Text(String::new())).boxed())
            }
            Self::Limit => {
                let lengths = select(vec![max - 1, max, max + 1]).prop_map(Fill::Run);
                (select(vec![Kind::Text, Kind::Binary]).boxed(), lengths.boxed())
            }
            Self::Invalid => (Just(Kind::Text).boxed(), invalid()),
        };
        (0..3_usize, kind, fill, pieces())
            .prop_map(|(pattern, kind, fill, pieces)| Script { pattern, kind, fill, pieces })
            .boxed()
    }

    fn classics(&self, params: &Params) -> Vec<Script> {
        let run = |pattern, bytes| Script { pattern, kind: Kind::Text, fill: Fill::Run(bytes), pieces: 1 };
        match self {
            Self::Limit => vec![run(1, params.max_message + 1), run(0, params.max_message)],
            _ => Vec::new(),
        }
    }

    fn plan(&self, script: &Script, params: &Params) -> Plan {
        let topic = Topic::new("p");
        let (sender, receiver) = params.patterns.pair(script.pattern);
        let (witness, _) = params.patterns.pair(1);
        let Script { kind, fill, pieces, .. } = script.clone();
        let kind = if params.binary { kind } else { Kind::Text };
        let mut steps = vec![
            Step::open(Conn(1), Door::new(receiver, topic.clone())),
            Step::open(Conn(2), Door::new(receiver, topic.clone())),
            Step::open(WITNESS, Door::new(witness, Topic::new("w"))),
            Step::open(SENDER, Door::new(sender, topic)),
            Step::Send { conn: SENDER, kind, fill, pieces },
            Step::Flush,
        ];
        // The sender's next message shows whether what it sent harmed it; a witness shows whether others were.
        steps.extend([Step::say(SENDER), Step::say(WITNESS), Step::Flush]);
        Plan::new(steps)
    }

    fn judge(&self, history: &History) -> Vec<Violation> {
        let mut violations = delivery::judge(history);
        violations.extend(super::ring::judge(history));
        violations.extend(self.fate(history));
        match self {
            // At the limit, that is what it is about.
            Self::Limit => {
                let bytes = ["REQ-PAY-001", "REQ-PAY-002", "REQ-PAY-005"];
                violations
                    .iter_mut()
                    .filter(|violation| bytes.contains(&violation.requirement))
                    .for_each(|violation| violation.requirement = "REQ-PAY-003");
            }
            // What must not arrive is no loss.
            Self::Invalid => {
                let bytes = ["REQ-PAY-001", "REQ-PAY-002", "REQ-PAY-004", "REQ-PAY-005"];
                violations.retain(|violation| !bytes.contains(&violation.requirement));
            }
            _ => {}
        }
        violations
    }
}

impl Payloads {
    /// What becomes of the message under test, and of its sender.
    fn fate(self, history: &History) -> Vec<Violation> {
        let ledger = Ledger::of(history);
        let Some(sender) = ledger.members.get(&SENDER).filter(|sender| sender.opened.is_some()) else {
            return Vec::new();
        };
        let Some((index, message)) =
            ledger.messages.iter().enumerate().find(|(_, m)| m.from == SENDER && m.number == 0)
        else {
            return Vec::new();
        };
        let is_legal = match self {
            Self::Invalid => false,
            Self::Limit => message.payload.len <= limit(history),
            _ => true,
        };
        let arrived = ledger.deliveries.iter().any(|delivery| delivery.of == Origin::Message(index));
        let is_one_of_many = sender.door.role.pattern() != Pattern::Queue;
        let what = format!("{:?} {} in {} pieces", message.kind, message.payload, message.pieces);
        let mut violations = Vec::new();
        if is_legal {
            if let Some((_, code)) = sender.ended {
                let text = format!("{what} ended its sender with {code:?}");
                violations.push(Violation::safety(self.rule(message.kind, message.pieces), text));
            } else if !arrived && is_one_of_many {
                let rule = self.rule(message.kind, message.pieces);
                violations.push(Violation::liveness(rule, format!("{what} did not arrive")));
            }
            return violations;
        }
        let (rule, code) = if self == Self::Limit { ("REQ-PAY-003", 1009) } else { ("REQ-WS-007", 1007) };
        // What a broker makes of it is recognised by its being there before anything that has a tag.
        let made = |delivery: &super::ledger::Delivery| delivery.of == Origin::Nowhere;
        if arrived || ledger.deliveries.iter().any(made) {
            violations.push(Violation::safety(rule, format!("{what} was delivered")));
        }
        match sender.ended {
            Some((_, Some(seen))) if seen == code => {}
            Some((_, seen)) => {
                violations.push(Violation::safety(
                    rule,
                    format!("{what} ended its sender with {seen:?}, not {code}"),
                ));
            }
            None => violations.push(Violation::safety(rule, format!("{what} did not end its sender"))),
        }
        violations
    }

    /// The requirement that is broken if a legal message does not arrive.
    fn rule(self, kind: Kind, pieces: u8) -> &'static str {
        match (self, kind) {
            (Self::Limit, _) => "REQ-PAY-003",
            (Self::Empty, _) => "REQ-PAY-004",
            _ if pieces > 1 => "REQ-PAY-005",
            (_, Kind::Binary) => "REQ-PAY-002",
            (_, Kind::Text) => "REQ-PAY-001",
        }
    }
}

/// Characters that are easily lost, cut or escaped, and texts that look like something else.
/// The lengths at which frames change their form, as far as the broker takes them.
fn edges(max: usize) -> Vec<usize> {
    EDGES.into_iter().filter(|&length| length <= max).collect()
}

fn text(max: usize) -> BoxedStrategy<Fill> {
    let odd = select(vec![
        "\0",
        "a\0b",
        "\u{feff}bom",
        "🪽",
        "a\u{300}",
        "\r\n\r\n",
        "\u{7f}\u{1b}[0m",
        "\u{ffff}",
        "\u{10ffff}",
        " ",
        "{\"type\":\"close\"}",
        "[8,0,{}]",
        "GET / HTTP/1.1",
        "null",
        "\"",
        "<script>",
        "%00",
        "\u{2028}",
    ]);
    prop_oneof![
        4 => odd.prop_map(|text| Fill::Text(text.to_owned())),
        3 => "\\PC{1,24}".prop_map(Fill::Text),
        3 => select(edges(max)).prop_map(Fill::Run),
        2 => (0..200_usize).prop_map(Fill::Tagged),
    ]
    .boxed()
}

/// Bytes that are no UTF-8: a lone byte, a cut letter, a surrogate, too much, a long form.
fn invalid() -> BoxedStrategy<Fill> {
    let bytes: Vec<&[u8]> = vec![
        b"\xff",
        b"ok\xff",
        b"\xc3",
        b"caf\xe9",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xc0\xaf",
        b"\x80",
        b"\xe2\x82",
        b"\xf8\x88\x80\x80\x80",
    ];
    select(bytes).prop_map(|bytes| Fill::Bytes(bytes.to_vec())).boxed()
}
