//! The values that messages are made of.

use super::Serialization;

/// What all three serialisations can say.
#[derive(Clone, Debug)]
pub enum Value {
    /// Nothing.
    Null,
    /// Yes or no.
    Bool(bool),
    /// A whole number, from -2^63 to 2^64 - 1.
    Int(i128),
    /// Another number.
    Float(f64),
    /// Text.
    Text(String),
    /// Bytes; in JSON a text of U+0000 and base64 (WAMP, Binary conversion of JSON Strings).
    Bytes(Vec<u8>),
    /// Several.
    List(Vec<Value>),
    /// Several, with names.
    Map(Vec<(String, Value)>),
    /// A value, and the bytes that say it: written in the same serialisation it is these bytes again. Nothing decodes to
    /// this.
    Verbatim(Box<Value>, Serialization, Vec<u8>),
}

/// Floats are the same if their bits are: what stays exact keeps the sign of zero.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(one), Self::Bool(other)) => one == other,
            (Self::Int(one), Self::Int(other)) => one == other,
            (Self::Float(one), Self::Float(other)) => one.to_bits() == other.to_bits(),
            (Self::Text(one), Self::Text(other)) => one == other,
            (Self::Bytes(one), Self::Bytes(other)) => one == other,
            (Self::List(one), Self::List(other)) => one == other,
            (Self::Map(one), Self::Map(other)) => one == other,
            (Self::Verbatim(_, at, one), Self::Verbatim(_, of, other)) => (at, one) == (of, other),
            _ => false,
        }
    }
}

impl Eq for Value {}

impl Value {
    /// A map of these names.
    pub fn map<'a>(entries: impl IntoIterator<Item = (&'a str, Value)>) -> Self {
        Self::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    /// The number, if it is a whole one.
    pub fn int(&self) -> Option<i128> {
        match self {
            Self::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// An id: a whole number from 1 to 2^53 (WAMP, IDs).
    pub fn id(&self) -> Option<u64> {
        self.int().filter(|number| (1..=1 << 53).contains(number)).map(|number| number as u64)
    }

    /// The text.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The items of a list.
    pub fn items(&self) -> Option<&[Value]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// What a map holds under a name.
    pub fn at(&self, key: &str) -> Option<&Value> {
        match self {
            Self::Map(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// Whether a map holds true under a name.
    pub fn has(&self, key: &str) -> bool {
        self.at(key) == Some(&Self::Bool(true))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Int(number.into())
    }
}
