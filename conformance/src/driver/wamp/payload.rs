//! Payloads in `args` and `kwargs`, and back.

use crate::model::Kind;
use crate::raw::wamp::Value;

/// A payload alone: one argument.
pub(super) fn plain(kind: Kind, payload: &[u8]) -> Value {
    let text = String::from_utf8_lossy(payload).into_owned();
    Value::List(vec![match kind {
        Kind::Text => Value::Text(text),
        Kind::Binary => Value::Bytes(payload.to_vec()),
    }])
}

/// What a bare payload became.
pub(super) fn read_plain(args: Option<&Value>, kwargs: Option<&Value>) -> (Kind, Vec<u8>) {
    let is_empty = |kwargs: &Value| matches!(kwargs, Value::Null) || *kwargs == Value::map([]);
    match (args.and_then(Value::items), kwargs) {
        (Some([Value::Text(text)]), kwargs) if kwargs.is_none_or(is_empty) => {
            (Kind::Text, text.clone().into_bytes())
        }
        (Some([Value::Bytes(bytes)]), kwargs) if kwargs.is_none_or(is_empty) => (Kind::Binary, bytes.clone()),
        _ => (Kind::Text, odd(args, kwargs)),
    }
}

/// The arguments of what sessions exchange: a list in a list, and a name, so that what a broker changes shows.
pub(super) fn rich(payload: &[u8]) -> (Value, Value) {
    let text = Value::Text(String::from_utf8_lossy(payload).into_owned());
    let args = Value::List(vec![Value::List(vec![text.clone()])]);
    (args, Value::map([("of", text), ("none", Value::Null), ("many", Value::Int(1 << 53))]))
}

/// The payload of such arguments; of changed ones the text that was found, and what became of it.
pub(super) fn read_rich(args: Option<&Value>, kwargs: Option<&Value>) -> Vec<u8> {
    let found = args.and_then(text).or_else(|| kwargs.and_then(text)).unwrap_or_default();
    let (same_args, same_kwargs) = rich(found.as_bytes());
    let same = |one: Option<&Value>, other: &Value| one.is_some_and(|one| sorted(one) == sorted(other));
    if same(args, &same_args) && same(kwargs, &same_kwargs) {
        return found.as_bytes().to_vec();
    }
    let mut all = found.as_bytes().to_vec();
    all.extend(odd(args, kwargs));
    all
}

/// The first text in a value.
fn text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        Value::List(items) => items.iter().find_map(text),
        Value::Map(entries) => entries.iter().find_map(|(_, value)| text(value)),
        _ => None,
    }
}

/// Names in order: their order means nothing.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Map(entries) => {
            let mut entries = entries.clone();
            entries.sort_by(|one, other| one.0.cmp(&other.0));
            Value::Map(entries)
        }
        other => other.clone(),
    }
}

fn odd(args: Option<&Value>, kwargs: Option<&Value>) -> Vec<u8> {
    format!("args {args:?}, kwargs {kwargs:?}").into_bytes()
}
