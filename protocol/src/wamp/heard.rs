//! What a router says, for a client: found in its bytes and checked, but read only where it is asked.
//!
//! A client needs a few elements of each message, and its code is loaded by every page. So this goes by the list of
//! each message's fields instead of reading it into its struct.

use bytes::Bytes;

use super::codec::Kind;
use super::error::words;
use super::message::FROM_ROUTER;
use super::outline::Outline;
use super::{DecodeError, Payload, RawDict};
#[cfg(feature = "readers")]
use super::{Limits, Parts, Serializer, envelope};

/// A message of a router. Its elements are what the specification says; the first is its type.
#[derive(Debug)]
pub(crate) struct Heard<'a> {
    elements: Elements<'a>,
    code: u64,
}

#[derive(Debug)]
#[cfg_attr(
    feature = "readers",
    expect(clippy::large_enum_variant, reason = "where both are, nearly all are the large one")
)]
enum Elements<'a> {
    /// Read here.
    #[cfg(feature = "readers")]
    Parts(Parts<'a>),
    /// Read by the driver.
    Outline(Outline<'a>),
}

impl<'a> Heard<'a> {
    /// Finds the elements and checks them. An error that is not about size is a protocol violation.
    #[cfg(feature = "readers")]
    pub(crate) fn read(
        serializer: Serializer,
        bytes: &'a Bytes,
        limits: &Limits,
    ) -> Result<Heard<'a>, DecodeError> {
        let parts = envelope::split(serializer, bytes, limits)?;
        let code = parts.unsigned(0).ok_or(DecodeError::NotAMessage)?;
        let (message, fields) = fields_of(code)?;
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
        Ok(Heard { elements: Elements::Parts(parts), code })
    }

    /// Takes the outline of a message, and checks it in the same way.
    pub(crate) fn of_outline(outline: &'a Bytes) -> Result<Heard<'a>, DecodeError> {
        let outline = Outline::new(outline);
        let code = outline.number(0).ok_or(DecodeError::NotAMessage)?;
        let (message, fields) = fields_of(code)?;
        match outline.misfit(fields) {
            Some(index) => Err(DecodeError::Element { message, index, wanted: words("something else") }),
            None => Ok(Heard { elements: Elements::Outline(outline), code }),
        }
    }

    /// The message type.
    pub(crate) fn code(&self) -> u64 {
        self.code
    }

    /// A number. These, as what follows, are for elements that the message has; of others they give nothing.
    pub(crate) fn number(&self, index: usize) -> u64 {
        let number = match &self.elements {
            #[cfg(feature = "readers")]
            Elements::Parts(parts) => parts.unsigned(index),
            Elements::Outline(outline) => outline.number(index),
        };
        number.unwrap_or_default()
    }

    pub(crate) fn text(&self, index: usize) -> String {
        match &self.elements {
            #[cfg(feature = "readers")]
            Elements::Parts(parts) => parts.text(index).unwrap_or_default().into_owned(),
            Elements::Outline(outline) => outline.text(index).unwrap_or_default().to_owned(),
        }
    }

    /// Options or details.
    pub(crate) fn details(&self, index: usize) -> RawDict {
        match &self.elements {
            #[cfg(feature = "readers")]
            Elements::Parts(parts) => match parts.raw_bytes(index) {
                Some(bytes) => RawDict::checked(parts.serializer(), bytes),
                None => RawDict::new(),
            },
            Elements::Outline(outline) => RawDict::outlined(outline.entries(index)),
        }
    }

    /// The payload that begins with this element.
    pub(crate) fn payload(&self, index: usize) -> Payload {
        match &self.elements {
            #[cfg(feature = "readers")]
            Elements::Parts(parts) => parts.payload(index).unwrap_or_default(),
            Elements::Outline(outline) => outline.payload(index),
        }
    }

    /// The first argument of the payload that begins with this element, if it is a text.
    pub(crate) fn first_text(&self, index: usize) -> Option<String> {
        match &self.elements {
            #[cfg(feature = "readers")]
            Elements::Parts(parts) => {
                // A list of arguments is split like the outer list of a message; of a long one not.
                let limits = Limits { max_depth: Limits::MAX_DEPTH, max_bytes: Limits::MAX_BYTES };
                let args = parts.raw_bytes(index)?;
                let args = envelope::split(parts.serializer(), &args, &limits).ok()?;
                Some(args.text(0)?.into_owned())
            }
            Elements::Outline(outline) => outline.first_text(index).map(str::to_owned),
        }
    }
}

/// What a message of this type is called, and what its elements are.
fn fields_of(code: u64) -> Result<(&'static str, &'static [Kind]), DecodeError> {
    let found = FROM_ROUTER.iter().find(|(other, ..)| *other == code);
    found.map(|&(_, message, fields)| (message, fields)).ok_or(DecodeError::UnknownType { code })
}

impl Kind {
    /// How many elements it takes at most.
    pub(super) fn width(self) -> usize {
        if self == Kind::Arguments { 2 } else { 1 }
    }
}
