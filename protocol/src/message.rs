//! Messages: the bytes that a sender gave, and what kind they are.

use bytes::Bytes;

/// What the payload of a message is. Text stays text and binary stays binary, whatever the way (REQ-PAY-001,
/// REQ-PAY-002).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// UTF-8 text.
    Text,
    /// Any bytes.
    Binary,
}

/// Why bytes are not a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// The payload of a text is not UTF-8.
    #[error("the text is not UTF-8 from byte {valid_up_to} on: send UTF-8, or send it as binary")]
    NotUtf8 {
        /// The number of bytes before the fault.
        valid_up_to: usize,
    },
}

/// A message. Cloning is cheap: the payload is shared. It may be empty (REQ-PAY-004).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Message {
    /// UTF-8 if `kind` is `Text`: every constructor checks it or says that it trusts its caller.
    payload: Bytes,
    kind: Kind,
}

impl Message {
    /// A text message; the payload is checked to be UTF-8.
    pub fn text(payload: impl Into<Bytes>) -> Result<Message, MessageError> {
        let payload = payload.into();
        match std::str::from_utf8(&payload) {
            Ok(_) => Ok(Message { payload, kind: Kind::Text }),
            Err(error) => Err(MessageError::NotUtf8 { valid_up_to: error.valid_up_to() }),
        }
    }

    /// A text message whose payload the caller has already found to be UTF-8, so that it is checked only once on
    /// its way. The caller is trusted: with other bytes nothing unsound happens, but receivers get an invalid text
    /// frame and [`Message::as_str`] is `None`.
    pub fn assume_text(payload: impl Into<Bytes>) -> Message {
        let payload = payload.into();
        debug_assert!(
            std::str::from_utf8(&payload).is_ok(),
            "assume_text was given bytes that are not UTF-8"
        );
        Message { payload, kind: Kind::Text }
    }

    /// A binary message.
    pub fn binary(payload: impl Into<Bytes>) -> Message {
        Message { payload: payload.into(), kind: Kind::Binary }
    }

    /// The payload.
    pub fn payload(&self) -> &Bytes {
        &self.payload
    }

    /// The payload, without the message.
    pub fn into_payload(self) -> Bytes {
        self.payload
    }

    /// What the payload is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether this is a text message.
    pub fn is_text(&self) -> bool {
        self.kind == Kind::Text
    }

    /// The text of a text message; `None` for a binary one. Costs a UTF-8 check of the payload.
    pub fn as_str(&self) -> Option<&str> {
        match self.kind {
            Kind::Text => std::str::from_utf8(&self.payload).ok(),
            Kind::Binary => None,
        }
    }

    /// The length of the payload in bytes.
    pub fn len(&self) -> usize {
        self.payload.len()
    }

    /// Whether the payload is empty.
    pub fn is_empty(&self) -> bool {
        self.payload.is_empty()
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Message::assume_text(text)
    }
}

impl From<&str> for Message {
    fn from(text: &str) -> Self {
        Message::assume_text(Bytes::copy_from_slice(text.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_utf8_by_construction() {
        // REQ-PAY-001: NUL, byte order mark and astral characters are text like any other.
        let text = "\0\u{FEFF}é𝄞";
        assert_eq!(
            Message::text(text).map(|message| message.as_str().map(str::to_owned)),
            Ok(Some(text.to_owned()))
        );
        let broken = Bytes::from_static(b"ab\xED\xA0\x80");
        assert_eq!(Message::text(broken.clone()), Err(MessageError::NotUtf8 { valid_up_to: 2 }));
        assert_eq!(Message::binary(broken.clone()).payload(), &broken);
    }

    #[test]
    fn kinds_are_kept_apart() {
        // REQ-PAY-002
        let (text, binary) = (Message::from("x"), Message::binary("x"));
        assert_ne!(text, binary);
        assert!(text.is_text() && !binary.is_text());
        assert_eq!((text.as_str(), binary.as_str()), (Some("x"), None));
        assert_eq!(text.into_payload(), binary.into_payload());
    }

    #[test]
    fn an_empty_message_is_a_message() {
        // REQ-PAY-004
        let empty = Message::text("").expect("no bytes are UTF-8");
        assert!(empty.is_empty() && empty.is_text());
        assert_eq!((empty.len(), Message::from(String::from("é")).len()), (0, 2));
    }
}
