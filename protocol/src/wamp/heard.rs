//! What a router says, for a client: found in its bytes and checked, but read only where it is asked.
//!
//! A client needs a few elements of each message, and its code is loaded by every page. So this goes by the list of
//! each message's fields instead of reading it into its struct.

use bytes::Bytes;

use super::codec::Kind;
use super::message::FROM_ROUTER;
use super::{DecodeError, Limits, Parts, Payload, RawDict, Serializer, envelope};

/// A message of a router. Its elements are what the specification says; the first is its type.
#[derive(Debug)]
pub(crate) struct Heard<'a> {
    parts: Parts<'a>,
    code: u64,
}

impl<'a> Heard<'a> {
    /// Finds the elements and checks them. An error that is not about size is a protocol violation.
    pub(crate) fn read(
        serializer: Serializer,
        bytes: &'a Bytes,
        limits: &Limits,
    ) -> Result<Heard<'a>, DecodeError> {
        let parts = envelope::split(serializer, bytes, limits)?;
        let code = parts.unsigned(0).ok_or(DecodeError::NotAMessage)?;
        let found = FROM_ROUTER.iter().find(|(other, ..)| *other == code);
        let &(_, message, fields) = found.ok_or(DecodeError::UnknownType { code })?;
        let mut max = 1;
        for kind in fields {
            kind.check(&parts, max).map_err(|(index, wanted)| DecodeError::Element {
                message,
                index,
                wanted,
            })?;
            max += kind.width();
        }
        // See `Reader::read_all`.
        if parts.len() > max {
            return Err(DecodeError::ExtraElements { message, max });
        }
        Ok(Heard { parts, code })
    }

    /// The message type.
    pub(crate) fn code(&self) -> u64 {
        self.code
    }

    /// A number. These, as what follows, are for elements that the message has; of others they give nothing.
    pub(crate) fn number(&self, index: usize) -> u64 {
        self.parts.unsigned(index).unwrap_or_default()
    }

    pub(crate) fn text(&self, index: usize) -> String {
        self.parts.text(index).unwrap_or_default().into_owned()
    }

    /// Options or details.
    pub(crate) fn details(&self, index: usize) -> RawDict {
        match self.parts.raw_bytes(index) {
            Some(bytes) => RawDict::checked(self.parts.serializer(), bytes),
            None => RawDict::new(),
        }
    }

    /// The payload that begins with this element.
    pub(crate) fn payload(&self, index: usize) -> Payload {
        self.parts.payload(index).unwrap_or_default()
    }
}

impl Kind {
    /// How many elements it takes at most.
    fn width(self) -> usize {
        if self == Kind::Arguments { 2 } else { 1 }
    }
}
