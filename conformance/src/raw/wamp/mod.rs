//! WAMP's values and its three serialisations, of our own: what a broker's codec gets wrong, ours must not get wrong alike.
//!
//! A message is a list of values, whose first is a number (WAMP, Messages). What the numbers mean, [`code`] says.

mod batch;
mod cbor;
pub mod code;
pub mod form;
mod json;
mod msgpack;
pub mod rawsocket;
mod value;

pub use batch::Batch;
pub use value::Value;

/// How messages are written.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Serialization {
    /// `wamp.2.json`, in text messages.
    #[default]
    Json,
    /// `wamp.2.msgpack`, in binary ones.
    MsgPack,
    /// `wamp.2.cbor`, in binary ones.
    Cbor,
}

/// Why bytes are no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// They end early.
    #[error("the message ends early")]
    Cut,
    /// Something is behind the value.
    #[error("{0} bytes are behind the message")]
    Trailing(usize),
    /// Lists in lists, deeper than is read.
    #[error("the message is nested deeper than {DEPTH} levels")]
    Deep,
    /// Anything else.
    #[error("the message is not well-formed: {0}")]
    Form(String),
}

/// How deep lists and maps may be nested.
const DEPTH: usize = 100;

impl Serialization {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Json, Self::MsgPack, Self::Cbor];

    /// The name of the WebSocket subprotocol.
    pub fn subprotocol(self) -> &'static str {
        match self {
            Self::Json => "wamp.2.json",
            Self::MsgPack => "wamp.2.msgpack",
            Self::Cbor => "wamp.2.cbor",
        }
    }

    /// Whether messages are text.
    pub fn is_text(self) -> bool {
        self == Self::Json
    }

    /// The bytes of each item of a list, which has to be decodable.
    ///
    /// # Errors
    /// They are no list of this serialisation.
    pub fn split(self, bytes: &[u8]) -> Result<Vec<&[u8]>, ValueError> {
        match self {
            Self::Json => json::split(bytes),
            Self::MsgPack => {
                let mut reader = Reader { rest: bytes, depth: 0 };
                let length = msgpack::list(&mut reader)?;
                (0..length).map(|_| reader.item(msgpack::decode)).collect()
            }
            Self::Cbor => {
                let mut reader = Reader { rest: bytes, depth: 0 };
                if let Some(length) = cbor::list(&mut reader)? {
                    return (0..length).map(|_| reader.item(cbor::decode)).collect();
                }
                let mut items = Vec::new();
                while !cbor::ends(&mut reader) {
                    items.push(reader.item(cbor::decode)?);
                }
                Ok(items)
            }
        }
    }

    /// The bytes of a value.
    pub fn encode(self, value: &Value) -> Vec<u8> {
        match self {
            Self::Json => json::encode(value),
            Self::MsgPack => msgpack::encode(value),
            Self::Cbor => cbor::encode(value),
        }
    }

    /// The value of bytes.
    ///
    /// # Errors
    /// They are no value of this serialisation, or more than one.
    pub fn decode(self, bytes: &[u8]) -> Result<Value, ValueError> {
        match self {
            Self::Json => json::decode(bytes),
            Self::MsgPack => Reader::whole(bytes, msgpack::decode),
            Self::Cbor => Reader::whole(bytes, cbor::decode),
        }
    }
}

/// Takes bytes one after the other.
struct Reader<'a> {
    rest: &'a [u8],
    depth: usize,
}

impl<'a> Reader<'a> {
    /// Reads one value that is all of the bytes.
    fn whole(
        bytes: &'a [u8],
        read: impl FnOnce(&mut Self) -> Result<Value, ValueError>,
    ) -> Result<Value, ValueError> {
        let mut reader = Self { rest: bytes, depth: 0 };
        let value = read(&mut reader)?;
        match reader.rest.len() {
            0 => Ok(value),
            more => Err(ValueError::Trailing(more)),
        }
    }

    /// The bytes of a value.
    fn item(&mut self, read: Read) -> Result<&'a [u8], ValueError> {
        let before = self.rest;
        read(self)?;
        Ok(&before[..before.len() - self.rest.len()])
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], ValueError> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(ValueError::Cut)?;
        self.rest = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, ValueError> {
        Ok(self.take(1)?[0])
    }

    /// A number of so many bytes, at most 8, the highest first.
    fn number(&mut self, bytes: usize) -> Result<u64, ValueError> {
        Ok(self.take(bytes)?.iter().fold(0, |sum, &byte| sum << 8 | u64::from(byte)))
    }

    /// A length; longer than the message is an error, before anything is allocated.
    fn length(&mut self, bytes: usize) -> Result<usize, ValueError> {
        usize::try_from(self.number(bytes)?).map_err(|_| ValueError::Cut)
    }

    fn text(&mut self, length: usize) -> Result<Value, ValueError> {
        let text = std::str::from_utf8(self.take(length)?);
        text.map(Value::from).map_err(|_| ValueError::Form("a text is not UTF-8".to_owned()))
    }

    fn list(&mut self, length: usize, read: Read) -> Result<Value, ValueError> {
        self.nested(|reader| (0..length).map(|_| read(reader)).collect::<Result<_, _>>().map(Value::List))
    }

    fn map(&mut self, length: usize, read: Read) -> Result<Value, ValueError> {
        let entry = |reader: &mut Self| match read(reader)? {
            Value::Text(key) => Ok((key, read(reader)?)),
            other => Err(ValueError::Form(format!("a key of a map is {other:?}"))),
        };
        self.nested(|reader| (0..length).map(|_| entry(reader)).collect::<Result<_, _>>().map(Value::Map))
    }

    fn nested(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<Value, ValueError>,
    ) -> Result<Value, ValueError> {
        if self.depth == DEPTH {
            return Err(ValueError::Deep);
        }
        self.depth += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }
}

/// Reads one value.
type Read = fn(&mut Reader<'_>) -> Result<Value, ValueError>;

#[cfg(test)]
mod tests;
