//! Names and options that are refused, and what defects make of payloads.

use crate::mutants::wamp::Defect;
use crate::raw::wamp::{Value, code};

/// What is to become of a request.
pub(super) enum Rule {
    /// It is carried out.
    Fine,
    /// It is not, and nobody is told.
    Ignored,
    /// It is not, and this is the answer.
    Refused(Value),
}

/// What a known option has to be.
type Fits = fn(&Value) -> bool;

fn is_bool(value: &Value) -> bool {
    matches!(value, Value::Bool(_))
}

fn is_count(value: &Value) -> bool {
    matches!(value, Value::Int(0..))
}

fn is_list(value: &Value) -> bool {
    matches!(value, Value::List(_))
}

fn is_match(value: &Value) -> bool {
    matches!(value.text(), Some("exact" | "prefix" | "wildcard"))
}

fn is_policy(value: &Value) -> bool {
    matches!(value.text(), Some("single" | "first" | "last" | "roundrobin" | "random"))
}

/// The options that a request may have.
fn known(kind: i128) -> &'static [(&'static str, Fits)] {
    match kind {
        code::PUBLISH => &[
            ("acknowledge", is_bool),
            ("exclude_me", is_bool),
            ("disclose_me", is_bool),
            ("exclude", is_list),
            ("eligible", is_list),
        ],
        code::SUBSCRIBE => &[("match", is_match)],
        code::REGISTER => &[("match", is_match), ("invoke", is_policy), ("concurrency", is_count)],
        code::CALL => &[
            ("receive_progress", is_bool),
            ("progress", is_bool),
            ("disclose_me", is_bool),
            ("timeout", is_count),
        ],
        _ => &[],
    }
}

pub(super) fn judge(items: &[Value], defect: Option<Defect>) -> Rule {
    let [Value::Int(kind), number, options, Value::Text(uri), ..] = items else { return Rule::Fine };
    let Value::Map(entries) = options else { return Rule::Fine };
    let known = known(*kind);
    let fit = |(name, value): &(String, Value)| {
        let option = known.iter().find(|(known, _)| known == name);
        option.map_or(defect != Some(Defect::UnknownOptionRefused), |(_, fits)| fits(value))
    };
    let is_ours = uri.starts_with("wamp.") || uri.starts_with('$');
    let reason = if !entries.iter().all(fit) && defect != Some(Defect::OptionsUnchecked) {
        "wamp.error.invalid_argument"
    } else if is_ours
        && matches!(*kind, code::PUBLISH | code::REGISTER)
        && defect != Some(Defect::ReservedTaken)
    {
        "wamp.error.invalid_uri"
    } else {
        return Rule::Fine;
    };
    if *kind == code::PUBLISH && !options.has("acknowledge") {
        return Rule::Ignored;
    }
    let error =
        [Value::Int(code::ERROR), Value::Int(*kind), number.clone(), Value::map([]), Value::from(reason)];
    Rule::Refused(Value::List(error.into()))
}

/// A payload on its way to another serialisation.
pub(super) fn changed(value: &Value, defect: Option<Defect>) -> Value {
    let inner = |value| changed(value, defect);
    match (value, defect) {
        (Value::List(items), _) => Value::List(items.iter().map(inner).collect()),
        (Value::Map(entries), _) => {
            let mut entries: Vec<_> =
                entries.iter().map(|(name, value)| (name.clone(), inner(value))).collect();
            if defect == Some(Defect::KeysSorted) {
                entries.sort_by(|one, other| one.0.cmp(&other.0));
            }
            Value::Map(entries)
        }
        (Value::Float(number), Some(Defect::FloatsBecomeInts)) if number.fract() == 0.0 => {
            Value::Int(*number as i128)
        }
        (Value::Int(number), Some(Defect::IntsAreFloats)) if number.unsigned_abs() > 1 << 53 => {
            Value::Float(*number as f64)
        }
        (Value::Bytes(bytes), Some(Defect::BinaryIsText)) => Value::Text(data_encoding::BASE64.encode(bytes)),
        (value, _) => value.clone(),
    }
}
