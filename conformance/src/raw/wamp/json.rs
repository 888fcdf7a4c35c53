//! JSON (RFC 8259). The grammar is serde's; what WAMP adds for bytes is ours.

use data_encoding::BASE64;
use serde_json::{Number, Value as Json};

use super::{Value, ValueError};

pub(super) fn encode(value: &Value) -> Vec<u8> {
    to_json(value).to_string().into_bytes()
}

pub(super) fn decode(bytes: &[u8]) -> Result<Value, ValueError> {
    serde_json::from_slice(bytes).map(from_json).map_err(|error| ValueError::Form(error.to_string()))
}

fn to_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Int(number) => Number::from_i128(*number).map_or(Json::Null, Json::Number),
        Value::Float(number) => Number::from_f64(*number).map_or(Json::Null, Json::Number),
        Value::Text(text) => Json::String(text.clone()),
        Value::Bytes(bytes) => Json::String(format!("\0{}", BASE64.encode(bytes))),
        Value::List(items) => Json::Array(items.iter().map(to_json).collect()),
        Value::Map(entries) => {
            Json::Object(entries.iter().map(|(key, value)| (key.clone(), to_json(value))).collect())
        }
    }
}

fn from_json(json: Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(value),
        Json::Number(number) => match (number.as_i128(), number.as_f64()) {
            (Some(number), _) => Value::Int(number),
            (None, number) => Value::Float(number.unwrap_or(f64::NAN)),
        },
        Json::String(text) => match text.strip_prefix('\0').map(|digits| BASE64.decode(digits.as_bytes())) {
            Some(Ok(bytes)) => Value::Bytes(bytes),
            _ => Value::Text(text),
        },
        Json::Array(items) => Value::List(items.into_iter().map(from_json).collect()),
        Json::Object(entries) => {
            Value::Map(entries.into_iter().map(|(key, value)| (key, from_json(value))).collect())
        }
    }
}
