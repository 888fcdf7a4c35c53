//! The judge of payloads: what comes is what was said last, by the other, in the message that leads to it.

use super::{HEARER, TELLER};
use crate::check::Violation;
use crate::check::wamp_session::speech::{Speech, Turn};
use crate::history::{Conn, History};
use crate::raw::wamp::{Value, code};

/// What a history breaks.
pub(super) fn judge(history: &History) -> Vec<Violation> {
    let speech = |conn| Speech::of(history, conn).filter(Speech::is_open);
    // A serialisation that the broker does not have is none to judge.
    let (Some(teller), Some(hearer)) = (speech(TELLER), speech(HEARER)) else { return Vec::new() };
    let ways = [
        (&teller, code::PUBLISH, &hearer, code::EVENT),
        (&teller, code::CALL, &hearer, code::INVOCATION),
        (&hearer, code::YIELD, &teller, code::RESULT),
        (&hearer, code::ERROR, &teller, code::ERROR),
    ];
    let mut violations = Vec::new();
    for (from, said, to, heard) in ways {
        let of = |speech: &'_ Speech<'_>, is_said, kind| {
            speech.turns.iter().position(|turn| turn.is_said == is_said && turn.kind() == Some(kind))
        };
        let Some(there) = of(from, true, said) else { continue };
        let Some(here) = of(to, false, heard) else {
            let text = format!("{} did not arrive", from.turns[there].text());
            violations.push(Violation::liveness("REQ-LIVE-001", text));
            continue;
        };
        violations.extend(differs((from, &from.turns[there]), (to, &to.turns[here])));
    }
    for (conn, speech) in [(TELLER, &teller), (HEARER, &hearer)] {
        if let (Some(code), Conn(who)) = (speech.end, conn) {
            violations.push(Violation::safety("REQ-LIVE-001", format!("{who} was ended with {code:?}")));
        }
    }
    violations
}

/// How many items stand before the payload of a message.
fn before(kind: i128) -> usize {
    match kind {
        code::ERROR => 5,
        code::RESULT | code::YIELD => 3,
        _ => 4,
    }
}

fn differs(
    (from, said): (&Speech<'_>, &Turn<'_>),
    (to, heard): (&Speech<'_>, &Turn<'_>),
) -> Option<Violation> {
    let skip = |turn: &Turn<'_>| before(turn.kind().unwrap_or_default());
    let text = format!("{} came as {}", said.text(), heard.text());
    if from.written() == to.written() {
        let parts = |speech: &Speech<'_>, turn: &Turn<'_>| {
            let parts = speech.written().split(turn.bytes).unwrap_or_default();
            parts.into_iter().skip(skip(turn)).map(<[u8]>::to_vec).collect::<Vec<_>>()
        };
        let is_same = parts(from, said) == parts(to, heard);
        return (!is_same).then(|| Violation::safety("REQ-WAMP-072", format!("{text}, in other bytes")));
    }
    let (said_items, heard_items) = (said.items.as_deref()?, heard.items.as_deref()?);
    let (one, other) = (&said_items[skip(said)..], heard_items.get(skip(heard)..).unwrap_or_default());
    let rule = first(&Value::List(one.to_vec()), &Value::List(other.to_vec()))?;
    Some(Violation::safety(rule.0, format!("{text}: {}", rule.1)))
}

/// The first difference, and the requirement that it breaks.
fn first(said: &Value, heard: &Value) -> Option<(&'static str, String)> {
    match (said, heard) {
        (one, other) if one == other => None,
        (Value::List(one), Value::List(other)) if one.len() == other.len() => {
            one.iter().zip(other).find_map(|(one, other)| first(one, other))
        }
        (Value::Map(one), Value::Map(other)) if names(one) == names(other) => {
            one.iter().zip(other).find_map(|(one, other)| first(&one.1, &other.1))
        }
        (Value::Bytes(_), other) => Some(("REQ-WAMP-074", format!("binary became {other:?}"))),
        (one, other) => Some(("REQ-WAMP-073", format!("{one:?} became {other:?}"))),
    }
}

fn names(entries: &[(String, Value)]) -> Vec<&str> {
    entries.iter().map(|(name, _)| name.as_str()).collect()
}
