//! What messages carry, and how one is told from another wherever it turns up.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::history::Conn;
use crate::namespace::Namespace;

/// How many bytes of a payload a history keeps as they are.
const HEAD: usize = 96;

/// Text or binary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// UTF-8.
    Text,
    /// Bytes.
    Binary,
}

/// A payload as histories keep it: enough to compare two, and to read what it was.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Payload {
    /// Its length in bytes.
    pub len: usize,
    /// FNV-1a, 64 bits, of all bytes.
    pub digest: u64,
    /// Its first 96 bytes, as text; what is not UTF-8 in them is replaced.
    pub head: String,
}

/// The begin of most payloads: `NAMESPACE:CONNECTION:NUMBER:`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tag {
    /// Whose case it is.
    pub namespace: Namespace,
    /// Who sent it.
    pub conn: Conn,
    /// Its number among what that connection sent, from 0.
    pub number: u32,
}

/// What a script says that a message holds. Small, so that replay tokens stay small.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fill {
    /// The tag, then so many dots.
    Tagged(usize),
    /// Exactly this text, without a tag.
    Text(String),
    /// Exactly these bytes, without a tag.
    Bytes(Vec<u8>),
    /// So many times the letter x, without a tag.
    Run(usize),
}

impl Payload {
    /// That of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let digest = bytes
            .iter()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, &b| (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
        let head = String::from_utf8_lossy(&bytes[..bytes.len().min(HEAD)]).into_owned();
        Self { len: bytes.len(), digest, head }
    }

    /// The tag it begins with, if it has one.
    pub fn tag(&self) -> Option<Tag> {
        let (namespace, rest) = self.head.split_at_checked(Namespace::WIDTH)?;
        let namespace: Namespace = serde_json::from_value(namespace.into()).ok()?;
        let mut parts = rest.strip_prefix(':')?.split(':');
        let conn = Conn(parts.next()?.parse().ok()?);
        let number = parts.next()?.parse().ok()?;
        // The end mark: without it the number may be cut off.
        parts.next()?;
        (namespace.as_str().starts_with('z') && namespace.as_str().ends_with('.')).then_some(Tag {
            namespace,
            conn,
            number,
        })
    }
}

impl fmt::Display for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head: String = self.head.chars().take(40).collect();
        write!(f, "{head:?}, {} bytes", self.len)
    }
}

impl Fill {
    /// The bytes of message `number` of a connection.
    pub fn bytes(&self, namespace: &Namespace, conn: Conn, number: u32) -> Vec<u8> {
        match self {
            Self::Tagged(dots) => {
                let mut bytes = format!("{namespace}:{}:{number}:", conn.0).into_bytes();
                bytes.resize(bytes.len() + dots, b'.');
                bytes
            }
            Self::Text(text) => text.clone().into_bytes(),
            Self::Bytes(bytes) => bytes.clone(),
            Self::Run(length) => vec![b'x'; *length],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_read_back_and_a_cut_one_is_none() {
        let namespace = Namespace::numbered(7, 9);
        let bytes = Fill::Tagged(60).bytes(&namespace, Conn(3), 12);
        let tag = Tag { namespace, conn: Conn(3), number: 12 };
        assert_eq!(Payload::of(&bytes).tag(), Some(tag.clone()));
        // A broker that cuts at 40 characters is found out by its digest.
        assert_eq!(Payload::of(&bytes[..40]).tag(), Some(tag));
        assert_ne!(Payload::of(&bytes[..40]).digest, Payload::of(&bytes).digest);
        assert_eq!(Payload::of(&bytes[..20]).tag(), None);
        assert_eq!(Payload::of(b"").tag(), None);
        assert_eq!(Payload::of("é".repeat(40).as_bytes()).tag(), None);
    }
}
