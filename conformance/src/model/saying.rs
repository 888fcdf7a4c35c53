//! Connections on which messages are said one by one, in the form that the broker's protocol gives them.

use std::fmt;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::raw::wamp::{Serialization, Value};

/// What carries messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Carrier {
    /// Messages of a WebSocket.
    #[default]
    WebSocket,
    /// A stream of bytes with lengths in it, which begins with these four octets.
    RawSocket([u8; 4]),
    /// Requests of HTTP, of which one waits for what comes.
    LongPoll,
}

/// How such a connection is opened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// What carries messages.
    pub carrier: Carrier,
    /// How they are written; none: as the driver writes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serialization: Option<Serialization>,
    /// Whether several may be carried as one.
    #[serde(default)]
    pub batched: bool,
    /// What is offered in place of the protocol's name for all this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offers: Option<Vec<String>>,
    /// Whether it is about another part of the broker than the usual one.
    #[serde(default)]
    pub elsewhere: bool,
}

/// A message to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A list of these.
    List(Vec<Item>),
    /// Bytes as they are, in a message of this form or of the usual one.
    Bytes(Option<Form>, Vec<u8>),
}

/// What a message is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A value.
    Value(Value),
    /// A name, behind the namespace.
    Name(String),
    /// The part of the broker that is used.
    Realm,
    /// What stood at a place of the last message of a kind that came on this line; an id of nobody, if none did.
    Of(i128, usize),
}

/// How a message was carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// As text.
    Text,
    /// As bytes.
    Binary,
    /// To be answered by its own bytes.
    Ping,
    /// The answer.
    Pong,
    /// Bytes of the transport, outside of all messages.
    Octets,
}

/// Bytes of a message; in files text as it is, and what is none in hexadecimal digits behind `#`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Blob(pub Vec<u8>);

impl Line {
    /// One whose messages are written in a certain way.
    pub fn of(serialization: Serialization) -> Self {
        Self { serialization: Some(serialization), ..Self::default() }
    }
}

impl Message {
    /// A list that begins with a number.
    pub fn new(kind: i128, rest: impl IntoIterator<Item = Item>) -> Self {
        Self::List([Item::Value(Value::Int(kind))].into_iter().chain(rest).collect())
    }
}

impl<T: Into<Value>> From<T> for Item {
    fn from(value: T) -> Self {
        Self::Value(value.into())
    }
}

impl Blob {
    fn text(&self) -> String {
        match std::str::from_utf8(&self.0) {
            Ok(text) if !text.starts_with('#') => text.to_owned(),
            _ => format!("#{}", HEXLOWER.encode(&self.0)),
        }
    }
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: String = self.text().chars().take(120).collect();
        f.write_str(&text)
    }
}

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.text())
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        match text.strip_prefix('#') {
            Some(digits) => HEXLOWER.decode(digits.as_bytes()).map(Self).map_err(de::Error::custom),
            None => Ok(Self(text.into_bytes())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_all_kinds_are_read_back() {
        for bytes in [&b""[..], b"[1]", b"#", b"#ff", b"\xff\x00", "é".as_bytes()] {
            let text = serde_json::to_string(&Blob(bytes.to_vec())).unwrap();
            assert_eq!(serde_json::from_str::<Blob>(&text).unwrap().0, bytes, "{text}");
        }
    }
}
