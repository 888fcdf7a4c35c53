//! The fields of messages: how each kind is read from a split envelope and written into a new one.
//!
//! A message is described once, by the list of its fields ([`message`](super::message)); everything that differs
//! between kinds of fields is here.

use super::envelope::Writer;
use super::error::words;
use super::{DecodeError, Dict, Parts, Payload, Serializer};

/// The largest id, 2^53 (WAMP 5.1.2).
pub const MAX_ID: u64 = 1 << 53;

/// A message that knows its fields.
pub(crate) trait Wire: Sized {
    /// What its elements are, the message type not among them.
    const FIELDS: &'static [Kind];

    /// Reads the fields behind the message type.
    fn read(reader: &mut Reader<'_, '_>) -> Result<Self, DecodeError>;
    /// How many elements it has, the message type included.
    fn elements(&self) -> usize;
    /// About how many bytes it takes.
    fn size(&self) -> usize;
    /// Writes all of its elements.
    fn write(&self, writer: &mut Writer<'_>);
}

/// Which element is missing or something else, and what it has to be.
type Wrong = (usize, &'static str);

/// What an element of a message has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Request,
    Id,
    RequestType,
    Text,
    Details,
    OptionalDetails,
    Arguments,
}

#[cfg(feature = "readers")]
impl Kind {
    /// Checks that element `index` is that.
    pub(super) fn check(self, parts: &Parts<'_>, index: usize) -> Result<(), Wrong> {
        let wanted = match self {
            Kind::Request if parts.id(index).is_none_or(|id| id == 0) => REQUEST,
            Kind::Id if parts.id(index).is_none() => ID,
            Kind::RequestType if !parts.unsigned(index).is_some_and(|code| REQUEST_TYPES.contains(&code)) => {
                REQUEST_TYPE
            }
            Kind::Text if parts.text(index).is_none_or(|text| text.starts_with('\0')) => TEXT,
            Kind::OptionalDetails if parts.shape(index).is_none() => return Ok(()),
            Kind::Details | Kind::OptionalDetails if !parts.is_dict(index) => DETAILS,
            Kind::Arguments => return parts.check_payload(index),
            _ => return Ok(()),
        };
        Err((index, wanted))
    }
}

const REQUEST: &str = words("a request id, an integer from 1 to 2^53");
const ID: &str = words("an id, an integer from 0 to 2^53");
const REQUEST_TYPE: &str = words("the type of a request, 16, 32, 34, 48, 64, 66 or 68");
const TEXT: &str = words("a text that does not begin with U+0000");
const DETAILS: &str = words("a dict");

/// PUBLISH, SUBSCRIBE, UNSUBSCRIBE, CALL, REGISTER, UNREGISTER, INVOCATION: no other message gets an ERROR.
pub(super) const REQUEST_TYPES: [u64; 7] = [16, 32, 34, 48, 64, 66, 68];

/// A kind of field.
pub(super) trait Field {
    /// What the struct of the message holds.
    type Value;
    /// What it has to be.
    const KIND: Kind;
    /// The most elements that it takes.
    const WIDTH: usize = 1;

    /// Reads it from element `index` on.
    fn read(parts: &Parts<'_>, index: usize) -> Result<Self::Value, Wrong>;
    fn write(value: &Self::Value, writer: &mut Writer<'_>);

    /// How many elements of the message it takes.
    fn elements(_value: &Self::Value) -> usize {
        1
    }
    /// About how many bytes it takes: what saves the encoder from allocating twice.
    fn size(_value: &Self::Value) -> usize {
        18
    }
}

/// Goes through the elements of a message, field by field.
#[derive(Debug)]
pub(crate) struct Reader<'p, 'a> {
    parts: &'p Parts<'a>,
    message: &'static str,
    next: usize,
}

impl<'p, 'a> Reader<'p, 'a> {
    /// Reads all of a message named `message`.
    pub(super) fn read_all<M: Wire>(parts: &'p Parts<'a>, message: &'static str) -> Result<M, DecodeError> {
        let mut reader = Reader { parts, message, next: 1 };
        let read = M::read(&mut reader)?;
        // "For a given MessageType and number of message elements the expected types are uniquely defined" (WAMP,
        // "No Polymorphism"): a length that is not listed has no meaning, so what is too much is refused.
        if parts.len() > reader.next {
            return Err(DecodeError::ExtraElements { message, max: reader.next });
        }
        Ok(read)
    }

    /// Reads the next field.
    pub(super) fn field<F: Field>(&mut self) -> Result<F::Value, DecodeError> {
        let message = self.message;
        let begin = self.next;
        self.next += F::WIDTH;
        F::read(self.parts, begin).map_err(|(index, wanted)| DecodeError::Element { message, index, wanted })
    }
}

/// Writes a whole message, appended to `out`.
pub(super) fn write_all<M: Wire>(message: &M, serializer: Serializer, out: &mut Vec<u8>) {
    out.reserve(message.size());
    let mut writer = Writer::new(serializer, out, message.elements());
    message.write(&mut writer);
    writer.finish();
}

/// A request id: 1 to 2^53 (WAMP 5.1.2).
pub(super) struct Request;

impl Field for Request {
    type Value = u64;
    const KIND: Kind = Kind::Request;
    fn read(parts: &Parts<'_>, index: usize) -> Result<u64, Wrong> {
        parts.id(index).filter(|&id| id > 0).ok_or((index, REQUEST))
    }
    fn write(value: &u64, writer: &mut Writer<'_>) {
        writer.unsigned(*value);
    }
}

/// Any other id: 0 to 2^53. The specification says from 1 on; a router that counts from 0 does no harm.
pub(super) struct Id;

impl Field for Id {
    type Value = u64;
    const KIND: Kind = Kind::Id;
    fn read(parts: &Parts<'_>, index: usize) -> Result<u64, Wrong> {
        parts.id(index).ok_or((index, ID))
    }
    fn write(value: &u64, writer: &mut Writer<'_>) {
        writer.unsigned(*value);
    }
}

/// The type of the message that an ERROR answers.
pub(super) struct RequestType;

impl Field for RequestType {
    type Value = u64;
    const KIND: Kind = Kind::RequestType;
    fn read(parts: &Parts<'_>, index: usize) -> Result<u64, Wrong> {
        parts.unsigned(index).filter(|code| REQUEST_TYPES.contains(code)).ok_or((index, REQUEST_TYPE))
    }
    fn write(value: &u64, writer: &mut Writer<'_>) {
        writer.unsigned(*value);
    }
}

/// A text. URIs are not checked here: an ill-formed one is answered with an ERROR, not with an ABORT.
///
/// It does not begin with U+0000, which in JSON is the mark of binary (WAMP, "Binary conversion of JSON Strings"): the
/// same text would be one in one serializer and none in another.
pub(super) struct Text;

impl Field for Text {
    type Value = String;
    const KIND: Kind = Kind::Text;
    fn read(parts: &Parts<'_>, index: usize) -> Result<String, Wrong> {
        let text = parts.text(index).filter(|text| !text.starts_with('\0'));
        Ok(text.ok_or((index, TEXT))?.into_owned())
    }
    fn write(value: &String, writer: &mut Writer<'_>) {
        writer.text(value);
    }
    fn size(value: &String) -> usize {
        value.len() + 4
    }
}

/// Options or details.
pub(super) struct Details;

impl Field for Details {
    type Value = Dict;
    const KIND: Kind = Kind::Details;
    fn read(parts: &Parts<'_>, index: usize) -> Result<Dict, Wrong> {
        parts.dict(index).ok_or((index, DETAILS))
    }
    fn write(value: &Dict, writer: &mut Writer<'_>) {
        writer.dict(value);
    }
    fn size(value: &Dict) -> usize {
        4 + 24 * value.len()
    }
}

/// Details that end the message and are left out when there are none.
pub(super) struct OptionalDetails;

impl Field for OptionalDetails {
    type Value = Dict;
    const KIND: Kind = Kind::OptionalDetails;
    fn read(parts: &Parts<'_>, index: usize) -> Result<Dict, Wrong> {
        match parts.shape(index) {
            None => Ok(Dict::new()),
            Some(_) => Details::read(parts, index),
        }
    }
    fn write(value: &Dict, writer: &mut Writer<'_>) {
        if !value.is_empty() {
            writer.dict(value);
        }
    }
    fn elements(value: &Dict) -> usize {
        usize::from(!value.is_empty())
    }
    fn size(value: &Dict) -> usize {
        Details::size(value)
    }
}

/// `args` and `kwargs`, which are always the last.
pub(super) struct Arguments;

impl Field for Arguments {
    type Value = Payload;
    const KIND: Kind = Kind::Arguments;
    const WIDTH: usize = 2;

    fn read(parts: &Parts<'_>, index: usize) -> Result<Payload, Wrong> {
        parts.payload(index)
    }
    fn write(value: &Payload, writer: &mut Writer<'_>) {
        writer.payload(value);
    }
    fn elements(value: &Payload) -> usize {
        value.elements()
    }
    fn size(value: &Payload) -> usize {
        value.len() + 2
    }
}
