//! Envelopes: the outer list of a message, split without copying, and written.

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;

use super::error::words;
use super::options::{self, Entry};
use super::pick::{self, Found};
use super::walk::{Outer, Shape, Walk, check_only};
use super::{DecodeError, Dict, Limits, Payload, Serializer, Value, in_serializer, json, transcode};

/// The most elements of a message that we read; the longest message of the specification has seven.
pub const MAX_ELEMENTS: usize = 8;

/// The most bytes of a dict that is read into values: these need some fifty times the room that it takes on the wire.
pub const MAX_DICT_BYTES: usize = 1 << 20;

/// Whether these are the bytes of the usual empty dict.
pub(crate) fn is_empty_dict(serializer: Serializer, bytes: &[u8]) -> bool {
    in_serializer!(serializer, format => bytes == format::EMPTY_DICT)
}

/// The elements of a message, each a range of its bytes and found to be well-formed.
#[derive(Clone, Debug)]
pub struct Parts<'a> {
    serializer: Serializer,
    bytes: &'a Bytes,
    elements: [(Range<usize>, Shape); MAX_ELEMENTS],
    len: usize,
}

/// Checks all of `bytes` and finds the elements of the outer list.
pub fn split<'a>(
    serializer: Serializer,
    bytes: &'a Bytes,
    limits: &Limits,
) -> Result<Parts<'a>, DecodeError> {
    limits.check_bytes(bytes.len())?;
    let mut parts =
        Parts { serializer, bytes, elements: [const { (0..0, Shape::Null) }; MAX_ELEMENTS], len: 0 };
    in_serializer!(serializer, format => parts.fill(format::Reader::new(bytes, limits.depth())?)?);
    if parts.is_empty() { Err(DecodeError::NotAMessage) } else { Ok(parts) }
}

impl<'a> Parts<'a> {
    fn fill<W: Walk<'a>>(&mut self, mut walk: W) -> Result<(), DecodeError> {
        let mut outer: Outer = walk.open_list()?;
        while walk.next_element(&mut outer)? {
            if self.len == MAX_ELEMENTS {
                return Err(DecodeError::TooManyElements { max: MAX_ELEMENTS });
            }
            let begin = walk.at();
            let shape = walk.walk(&mut check_only())?;
            self.elements[self.len] = (begin..walk.at(), shape);
            self.len += 1;
        }
        walk.end()
    }

    /// What the message is written in.
    pub fn serializer(&self) -> Serializer {
        self.serializer
    }

    /// The number of elements: 1 to [`MAX_ELEMENTS`].
    pub fn len(&self) -> usize {
        self.len
    }

    /// Never: a message has at least its type.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The type of element `index`, if there is one.
    pub fn shape(&self, index: usize) -> Option<Shape> {
        self.elements[..self.len].get(index).map(|(_, shape)| *shape)
    }

    /// The bytes of element `index`, if there is one.
    pub fn raw(&self, index: usize) -> Option<&'a [u8]> {
        let (range, _) = self.elements[..self.len].get(index)?;
        Some(&self.bytes[range.clone()])
    }

    /// The bytes of element `index`, shared with the message.
    pub fn raw_bytes(&self, index: usize) -> Option<Bytes> {
        let (range, _) = self.elements[..self.len].get(index)?;
        Some(self.bytes.slice(range.clone()))
    }

    /// Element `index` if it is an integer from 0 to 2^64-1.
    pub fn unsigned(&self, index: usize) -> Option<u64> {
        if self.shape(index)? != Shape::Integer {
            return None;
        }
        let raw = self.raw(index)?;
        if self.serializer == Serializer::Json {
            return json::unsigned(raw);
        }
        match self.pick(index)? {
            Found::Unsigned(integer) => Some(integer),
            _ => None,
        }
    }

    /// Element `index` if it is an id: an integer from 0 to 2^53.
    pub fn id(&self, index: usize) -> Option<u64> {
        self.unsigned(index).filter(|&id| id <= 1 << 53)
    }

    /// Element `index` if it is text; borrowed unless it was written with escapes or in chunks.
    pub fn text(&self, index: usize) -> Option<Cow<'a, str>> {
        if self.shape(index)? != Shape::Text {
            return None;
        }
        let raw = self.raw(index)?;
        match in_serializer!(self.serializer, format => format::plain_text(raw)) {
            Some(text) => Some(Cow::Borrowed(text)),
            None => match self.pick(index)? {
                Found::Text(text) => Some(Cow::Owned(text)),
                _ => None,
            },
        }
    }

    /// Element `index` if it is a dict of at most [`MAX_DICT_BYTES`]; keys that are not text become text.
    pub fn dict(&self, index: usize) -> Option<Dict> {
        if !self.is_dict(index) {
            return None;
        }
        let raw = self.raw(index)?;
        if is_empty_dict(self.serializer, raw) {
            return Some(Dict::new());
        }
        match self.value(index)? {
            Value::Dict(dict) => Some(dict),
            _ => None,
        }
    }

    /// Whether element `index` is a dict of at most [`MAX_DICT_BYTES`].
    pub(crate) fn is_dict(&self, index: usize) -> bool {
        matches!(self.shape(index), Some(Shape::Dict | Shape::OddDict))
            && self.raw(index).is_some_and(|raw| raw.len() <= MAX_DICT_BYTES)
    }

    /// Element `index` as a value.
    pub fn value(&self, index: usize) -> Option<Value> {
        Value::decode(self.serializer, self.raw(index)?, &transcode::WIDEST).ok()
    }

    /// Element `index` if it is a number, text or the like.
    pub(crate) fn pick(&self, index: usize) -> Option<Found> {
        pick::pick(self.serializer, self.raw(index)?, &[])
    }

    /// Checks that `args` and `args + 1` are as [`Parts::payload`] wants them.
    pub(crate) fn check_payload(&self, args: usize) -> Result<(), (usize, &'static str)> {
        let kwargs = args + 1;
        if !matches!(self.shape(args), None | Some(Shape::Null | Shape::List)) {
            return Err((args, words("a list")));
        }
        if !matches!(self.shape(kwargs), None | Some(Shape::Null | Shape::Dict)) {
            return Err((kwargs, words("a dict with text keys")));
        }
        Ok(())
    }

    /// The payload in the elements `args` and `args + 1`, both of which may be missing or null. The error is the
    /// index of the one that is of a wrong type, and what it has to be.
    pub fn payload(&self, args: usize) -> Result<Payload, (usize, &'static str)> {
        self.check_payload(args)?;
        let part = |index| if self.shape(index) == Some(Shape::Null) { None } else { self.raw_bytes(index) };
        Ok(Payload { serializer: self.serializer, args: part(args), kwargs: part(args + 1) })
    }
}

/// Writes one message, element by element.
///
/// ```
/// use petasus_protocol::wamp::{Serializer, envelope::Writer};
///
/// let mut out = Vec::new();
/// let mut writer = Writer::new(Serializer::Json, &mut out, 3);
/// writer.unsigned(35).unsigned(1).unsigned(2);
/// writer.finish();
/// assert_eq!(out, b"[35,1,2]");
/// ```
#[derive(Debug)]
pub struct Writer<'a> {
    serializer: Serializer,
    out: &'a mut Vec<u8>,
    elements: usize,
    written: usize,
}

impl<'a> Writer<'a> {
    /// Begins a message of exactly `elements` elements (those of the payload included), appended to `out`.
    pub fn new(serializer: Serializer, out: &'a mut Vec<u8>, elements: usize) -> Writer<'a> {
        in_serializer!(serializer, format => format::list_header(out, elements));
        Writer { serializer, out, elements, written: 0 }
    }

    /// Writes an integer.
    pub fn unsigned(&mut self, value: u64) -> &mut Self {
        self.next();
        transcode::write_unsigned(self.serializer, value, self.out);
        self
    }

    /// Writes a text.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.next();
        transcode::write_text(self.serializer, text, self.out);
        self
    }

    /// Writes binary.
    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.next();
        transcode::write_bytes(self.serializer, bytes, self.out);
        self
    }

    /// Writes a dict.
    pub fn dict(&mut self, dict: &Dict) -> &mut Self {
        self.next();
        transcode::write_dict(self.serializer, dict, self.out);
        self
    }

    /// Writes options or details.
    pub(crate) fn options(&mut self, entries: &[Entry<'_>]) -> &mut Self {
        self.next();
        options::write(self.serializer, entries, self.out);
        self
    }

    /// Writes bytes that are one well-formed value of this serializer.
    pub fn raw(&mut self, value: &[u8]) -> &mut Self {
        self.next();
        self.out.extend_from_slice(value);
        self
    }

    /// Writes a payload, transcoded if it is of another serializer: [`Payload::elements`] elements, absent `args`
    /// before `kwargs` as an empty list.
    pub fn payload(&mut self, payload: &Payload) -> &mut Self {
        let payload = payload.transcoded(self.serializer);
        match (&payload.args, &payload.kwargs) {
            (Some(args), _) => {
                self.raw(args);
            }
            (None, Some(_)) => {
                self.next();
                Writer::new(self.serializer, self.out, 0).finish();
            }
            (None, None) => {}
        }
        if let Some(kwargs) = &payload.kwargs {
            self.raw(kwargs);
        }
        self
    }

    /// Writes a raw message as a payload, as [`bridge::from_raw`](super::bridge::from_raw) does, but straight into the
    /// message: one element.
    pub(crate) fn raw_message(&mut self, message: &crate::Message) -> &mut Self {
        self.next();
        Writer::argument(self.serializer, message, &mut *self.out);
        self
    }

    /// Writes the list of arguments that stands for a raw message.
    pub(crate) fn argument(serializer: Serializer, message: &crate::Message, out: &'a mut Vec<u8>) {
        let mut list = Writer::new(serializer, out, 1);
        match message.as_str() {
            Some(text) => list.text(text),
            None => list.bytes(message.payload()),
        };
        list.finish();
    }

    /// Ends the message.
    pub fn finish(self) {
        debug_assert_eq!(self.elements, self.written, "the message has as many elements as were announced");
        if self.serializer == Serializer::Json {
            self.out.push(b']');
        }
    }

    fn next(&mut self) {
        if self.serializer == Serializer::Json && self.written > 0 {
            self.out.push(b',');
        }
        self.written += 1;
    }
}
