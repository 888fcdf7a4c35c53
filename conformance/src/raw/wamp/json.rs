//! JSON (RFC 8259). The grammar of texts and numbers is serde's; the order of names, and what WAMP adds for bytes, is ours.

use std::fmt;

use data_encoding::BASE64;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Number, Value as Json};

use super::{Serialization, Value, ValueError};

pub(super) fn encode(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    put(value, &mut bytes);
    bytes
}

pub(super) fn decode(bytes: &[u8]) -> Result<Value, ValueError> {
    serde_json::from_slice::<Read>(bytes).map(|read| read.0).map_err(|error| form(&error))
}

/// The texts of the items of a list.
pub(super) fn split(bytes: &[u8]) -> Result<Vec<&[u8]>, ValueError> {
    let items: Vec<&RawValue> = serde_json::from_slice(bytes).map_err(|error| form(&error))?;
    Ok(items.into_iter().map(|item| item.get().as_bytes()).collect())
}

fn form(error: &serde_json::Error) -> ValueError {
    ValueError::Form(error.to_string())
}

fn put(value: &Value, to: &mut Vec<u8>) {
    match value {
        Value::Null => to.extend(b"null"),
        Value::Bool(value) => to.extend(value.to_string().as_bytes()),
        Value::Int(number) => to.extend(number.to_string().as_bytes()),
        Value::Float(number) => {
            let number = Number::from_f64(*number).map_or(Json::Null, Json::Number);
            to.extend(number.to_string().as_bytes());
        }
        Value::Text(text) => put_text(text, to),
        Value::Bytes(bytes) => put_text(&format!("\0{}", BASE64.encode(bytes)), to),
        Value::List(items) => {
            to.push(b'[');
            for (i, item) in items.iter().enumerate() {
                to.extend((i > 0).then_some(b','));
                put(item, to);
            }
            to.push(b']');
        }
        Value::Map(entries) => {
            to.push(b'{');
            for (i, (key, value)) in entries.iter().enumerate() {
                to.extend((i > 0).then_some(b','));
                put_text(key, to);
                to.push(b':');
                put(value, to);
            }
            to.push(b'}');
        }
        Value::Verbatim(_, Serialization::Json, bytes) => to.extend(bytes),
        Value::Verbatim(value, ..) => put(value, to),
    }
}

fn put_text(text: &str, to: &mut Vec<u8>) {
    to.extend(Json::from(text).to_string().as_bytes());
}

/// A value that is read.
struct Read(Value);

impl<'de> Deserialize<'de> for Read {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Visit).map(Self)
    }
}

/// What each kind of JSON becomes.
struct Visit;

impl<'de> Visitor<'de> for Visit {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Int(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Int(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Float(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(match text.strip_prefix('\0').map(|digits| BASE64.decode(digits.as_bytes())) {
            Some(Ok(bytes)) => Value::Bytes(bytes),
            _ => Value::from(text),
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Read(item)) = from.next_element()? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, Read(value))) = from.next_entry()? {
            entries.push((key, value));
        }
        Ok(Value::Map(entries))
    }
}
