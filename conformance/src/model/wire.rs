//! What is said to a server word by word: requests and frames, right ones and on purpose wrong ones. Scripts and
//! histories hold them, so that they are small and readable.

use serde::{Deserialize, Serialize};

use super::Fill;

/// A frame as a client sends it, whatever its bits say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// The last of its message.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub fin: bool,
    /// The reserved bits, 0 to 7.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rsv: u8,
    /// Its opcode, 0 to 15.
    pub opcode: u8,
    /// Masked, as a client has to.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub masked: bool,
    /// What it carries.
    pub fill: Fill,
    /// What its length says in the 64-bit form, in place of the truth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<u64>,
}

/// A request as a client sends it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpRequest {
    /// `GET`, `POST`.
    pub method: String,
    /// What is asked for, in place of the address of the door.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The digit behind `HTTP/1.`.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub minor: u8,
    /// The fields, as they are sent; `Host` comes before them.
    pub fields: Vec<(String, String)>,
    /// What follows the head.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<HttpBody>,
}

/// A body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpBody {
    /// What it holds.
    pub fill: Fill,
    /// In chunks of so many bytes; 0: as a whole, with its length announced.
    #[serde(default, skip_serializing_if = "is_none_at_all")]
    pub chunk: usize,
}

/// The parts of [`HttpRequest`] that are not to be spelled out each time.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

impl Sent {
    /// A whole frame without fault.
    pub fn new(opcode: u8, fill: Fill) -> Self {
        Self { fin: true, rsv: 0, opcode, masked: true, fill, claims: None }
    }

    /// A Close frame with these bytes.
    pub fn close(payload: impl Into<Vec<u8>>) -> Self {
        Self::new(8, Fill::Bytes(payload.into()))
    }

    /// The same, not the last of its message.
    #[must_use]
    pub fn goes_on(mut self) -> Self {
        self.fin = false;
        self
    }

    /// Whether it is a control frame.
    pub fn is_control(&self) -> bool {
        self.opcode >= 8
    }
}

impl HttpRequest {
    /// A handshake without fault (RFC 6455 4.1).
    pub fn handshake() -> Self {
        let fields = [
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", KEY),
        ];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Self { method: "GET".to_owned(), path: None, minor: 1, fields, body: None }
    }

    /// A POST of this body.
    pub fn post(fill: Fill) -> Self {
        let body = Some(HttpBody { fill, chunk: 0 });
        Self { method: "POST".to_owned(), path: None, minor: 1, fields: Vec::new(), body }
    }

    /// With another method.
    #[must_use]
    pub fn named(mut self, method: &str) -> Self {
        method.clone_into(&mut self.method);
        self
    }

    /// With a field of another value: in the place of the old one, or last.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        match self.fields.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
            Some((_, old)) => value.clone_into(old),
            None => self.fields.push((name.to_owned(), value.to_owned())),
        }
        self
    }

    /// Without a field.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self
    }

    /// The value of a field, by its name in any case.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Whether a field that is a list holds a token, in any case (RFC 9110 5.6.1).
    pub fn lists(&self, name: &str, token: &str) -> bool {
        let all = self.fields.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        let mut tokens = all.flat_map(|(_, value)| value.split(','));
        tokens.any(|known| known.trim().eq_ignore_ascii_case(token))
    }
}

fn yes() -> bool {
    true
}

fn one() -> u8 {
    1
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_yes(is_so: &bool) -> bool {
    *is_so
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_zero(number: &u8) -> bool {
    *number == 0
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_one(number: &u8) -> bool {
    *number == 1
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_none_at_all(number: &usize) -> bool {
    *number == 0
}
