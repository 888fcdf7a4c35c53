//! Values that a router reads: options, details, and the arguments of its own procedures.

use std::collections::HashMap;

use bytes::Bytes;

use super::build::Build;
use super::transcode;
use super::{DecodeError, Limits, Serializer};

/// A value. Payloads are not made of these: see [`Payload`](super::Payload).
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// Nothing.
    #[default]
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number. Larger ones are read as [`Value::Float`]; msgpack writes what is beyond 64 bits as a float.
    Integer(i128),
    /// A number with a fraction; it stays one even if the fraction is 0. JSON writes NaN and infinities as null.
    Float(f64),
    /// Text.
    Text(String),
    /// Binary. In JSON a string of U+0000 and base64 (WAMP 2.3.2).
    Bytes(Bytes),
    /// A list.
    List(Vec<Value>),
    /// A dict.
    Dict(Dict),
}

impl Value {
    /// Reads a value, all of `bytes`, within `limits`.
    pub fn decode(serializer: Serializer, bytes: &[u8], limits: &Limits) -> Result<Value, DecodeError> {
        let mut build = Build::default();
        transcode::walk(serializer, bytes, limits, &mut build)?;
        Ok(build.finish())
    }

    /// Appends this value to `out`.
    pub fn encode_into(&self, serializer: Serializer, out: &mut Vec<u8>) {
        transcode::write_value(serializer, self, out);
    }

    /// This value in bytes.
    pub fn encode(&self, serializer: Serializer) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode_into(serializer, &mut out);
        out
    }

    /// The integer, if this is one from 0 to 2^53, the range of WAMP ids (WAMP 2.1.2).
    pub fn as_id(&self) -> Option<u64> {
        match self {
            Value::Integer(integer) => u64::try_from(*integer).ok().filter(|&id| id <= 1 << 53),
            _ => None,
        }
    }

    /// The text, if this is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The list, if this is one.
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Value::List(list) => Some(list),
            _ => None,
        }
    }

    /// The dict, if this is one.
    pub fn as_dict(&self) -> Option<&Dict> {
        match self {
            Value::Dict(dict) => Some(dict),
            _ => None,
        }
    }

    /// Whether this is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Value::Bool(value)
    }
}

macro_rules! from_integers {
    ($($integer:ty),*) => {
        $(impl From<$integer> for Value {
            fn from(value: $integer) -> Self {
                Value::Integer(value.into())
            }
        })*
    };
}
from_integers!(i32, i64, i128, u32, u64);

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Value::Float(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Value::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Value::Text(value)
    }
}

impl From<Bytes> for Value {
    fn from(value: Bytes) -> Self {
        Value::Bytes(value)
    }
}

impl From<Dict> for Value {
    fn from(value: Dict) -> Self {
        Value::Dict(value)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(values: Vec<T>) -> Self {
        Value::List(values.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

/// A known key holds a value of another type than the specification says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{key}` has to be {wanted}: send one, or leave the key out")]
pub struct WrongType {
    /// The key.
    pub key: String,
    /// What it has to be, such as `a bool`.
    pub wanted: &'static str,
}

/// Values by name, in the order in which they were written. An empty one costs no allocation.
///
/// Of a key that was written twice, the last value counts. The typed getters treat null as absent, as WAMP clients
/// write it for "not given".
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dict(Vec<(String, Value)>);

impl Dict {
    /// An empty dict.
    pub const fn new() -> Dict {
        Dict(Vec::new())
    }

    /// The dict of `entries`; of equal keys the last value stays, at the place of the first.
    pub fn from_entries(entries: Vec<(String, Value)>) -> Dict {
        // Options have a few keys, for which comparing all is fastest; many keys must not cost their square.
        const FEW: usize = 16;
        if entries.len() <= FEW {
            let mut dict = Dict::new();
            for (key, value) in entries {
                dict.set(key, value);
            }
            return dict;
        }
        let mut places = HashMap::with_capacity(entries.len());
        let mut kept: Vec<(String, Value)> = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            if let Some(&place) = places.get(&key) {
                let (_, old): &mut (String, Value) = &mut kept[place];
                *old = value;
            } else {
                places.insert(key.clone(), kept.len());
                kept.push((key, value));
            }
        }
        Dict(kept)
    }

    /// Reads a dict, all of `bytes`, within `limits`.
    pub fn decode(serializer: Serializer, bytes: &[u8], limits: &Limits) -> Result<Dict, DecodeError> {
        match Value::decode(serializer, bytes, limits)? {
            Value::Dict(dict) => Ok(dict),
            _ => Err(DecodeError::Type { reason: "it is not a dict".to_owned() }),
        }
    }

    /// Sets `key`, in its old place if there was one.
    pub fn set(&mut self, key: impl Into<String>, value: impl Into<Value>) -> &mut Dict {
        let (key, value) = (key.into(), value.into());
        match self.0.iter_mut().find(|(old, _)| *old == key) {
            Some((_, place)) => *place = value,
            None => self.0.push((key, value)),
        }
        self
    }

    /// This dict with `key` set.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<Value>) -> Dict {
        self.set(key, value);
        self
    }

    /// Removes `key`; the order of the others stays.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let place = self.0.iter().position(|(old, _)| old == key)?;
        Some(self.0.remove(place).1)
    }

    /// Appends this dict to `out`.
    pub fn encode_into(&self, serializer: Serializer, out: &mut Vec<u8>) {
        transcode::write_dict(serializer, self, out);
    }

    /// This dict in bytes.
    pub fn encode(&self, serializer: Serializer) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode_into(serializer, &mut out);
        out
    }

    /// The value of `key`, be it null.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.iter().find(|(old, _)| old == key).map(|(_, value)| value)
    }

    /// Whether `key` is there and not null.
    pub fn has(&self, key: &str) -> bool {
        self.get(key).is_some_and(|value| !value.is_null())
    }

    /// All keys and values, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// The number of keys.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The bool `key`.
    pub fn bool(&self, key: &str) -> Result<Option<bool>, WrongType> {
        self.typed(key, "a bool", |value| match value {
            Value::Bool(value) => Some(*value),
            _ => None,
        })
    }

    /// The text `key`.
    pub fn text(&self, key: &str) -> Result<Option<&str>, WrongType> {
        self.typed(key, "a text", Value::as_text)
    }

    /// The bytes `key`.
    pub fn bytes(&self, key: &str) -> Result<Option<&Bytes>, WrongType> {
        self.typed(key, "binary", |value| match value {
            Value::Bytes(bytes) => Some(bytes),
            _ => None,
        })
    }

    /// The id, count or duration `key`: 0 to 2^53.
    pub fn id(&self, key: &str) -> Result<Option<u64>, WrongType> {
        self.typed(key, "an integer from 0 to 2^53", Value::as_id)
    }

    /// The list of ids `key`.
    pub fn ids(&self, key: &str) -> Result<Option<Vec<u64>>, WrongType> {
        self.typed(key, "a list of integers from 0 to 2^53", |value| {
            value.as_list()?.iter().map(Value::as_id).collect()
        })
    }

    /// The list of texts `key`.
    pub fn texts(&self, key: &str) -> Result<Option<Vec<&str>>, WrongType> {
        self.typed(key, "a list of texts", |value| value.as_list()?.iter().map(Value::as_text).collect())
    }

    /// The dict `key`.
    pub fn dict(&self, key: &str) -> Result<Option<&Dict>, WrongType> {
        self.typed(key, "a dict", Value::as_dict)
    }

    /// The list `key`.
    pub fn list(&self, key: &str) -> Result<Option<&[Value]>, WrongType> {
        self.typed(key, "a list", Value::as_list)
    }

    fn typed<'a, T>(
        &'a self,
        key: &str,
        wanted: &'static str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, WrongType> {
        match self.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match read(value) {
                Some(value) => Ok(Some(value)),
                None => Err(WrongType { key: key.to_owned(), wanted }),
            },
        }
    }
}

impl<K: Into<String>, V: Into<Value>> FromIterator<(K, V)> for Dict {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Dict::from_entries(entries.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }
}

impl IntoIterator for Dict {
    type Item = (String, Value);
    type IntoIter = std::vec::IntoIter<(String, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
