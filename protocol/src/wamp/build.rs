//! The sink that builds a [`Value`].

use bytes::Bytes;

use super::walk::Sink;
use super::{Dict, Value};

/// What has been built so far.
#[derive(Default)]
pub(crate) struct Build {
    /// The lists and dicts that have begun, the outermost first.
    open: Vec<Open>,
    /// The last value that is complete and has no place yet.
    done: Value,
}

enum Open {
    List(Vec<Value>),
    /// The entries, and the key of the next one.
    Dict(Vec<(String, Value)>, Option<String>),
}

impl Build {
    /// The value, after the walk.
    pub(crate) fn finish(self) -> Value {
        self.done
    }

    /// Puts a complete value where it belongs.
    fn put(&mut self, value: Value) {
        match self.open.last_mut() {
            None => self.done = value,
            Some(Open::List(list)) => list.push(value),
            Some(Open::Dict(entries, key)) => match key.take() {
                Some(key) => entries.push((key, value)),
                None => *key = Some(key_text(value)),
            },
        }
    }
}

/// A key as text, as JSON has it.
fn key_text(key: Value) -> String {
    match key {
        Value::Text(text) => text,
        Value::Float(float) if !float.is_finite() => "null".to_owned(),
        Value::Bytes(bytes) => format!("\0{}", data_encoding::BASE64.encode(&bytes)),
        key => String::from_utf8(key.encode(super::Serializer::Json)).unwrap_or_default(),
    }
}

impl Sink for Build {
    fn null(&mut self) {
        self.put(Value::Null);
    }

    fn bool(&mut self, value: bool) {
        self.put(Value::Bool(value));
    }

    fn unsigned(&mut self, value: u64) {
        self.put(Value::Integer(value.into()));
    }

    fn negative(&mut self, value: u64) {
        self.put(Value::Integer(-1 - i128::from(value)));
    }

    fn big(&mut self, digits: &str) {
        self.put(match digits.parse() {
            Ok(integer) => Value::Integer(integer),
            Err(_) => Value::Float(super::json::float(digits)),
        });
    }

    fn float(&mut self, value: f64) {
        self.put(Value::Float(value));
    }

    fn text(&mut self, text: &str) {
        self.put(Value::Text(text.to_owned()));
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.put(Value::Bytes(Bytes::copy_from_slice(bytes)));
    }

    // The claimed length is only a claim, so nothing is reserved for it.
    fn list(&mut self, _: Option<usize>) -> usize {
        self.open.push(Open::List(Vec::new()));
        0
    }

    fn list_end(&mut self, _: usize, _: usize) {
        if let Some(Open::List(list)) = self.open.pop() {
            self.put(Value::List(list));
        }
    }

    fn dict(&mut self, _: Option<usize>) -> usize {
        self.open.push(Open::Dict(Vec::new(), None));
        0
    }

    fn dict_end(&mut self, _: usize, _: usize) {
        if let Some(Open::Dict(entries, _)) = self.open.pop() {
            self.put(Value::Dict(Dict::from_entries(entries)));
        }
    }

    fn item(&mut self, _: bool) {}
    fn key(&mut self, _: bool) {}
    fn value(&mut self) {}
}
