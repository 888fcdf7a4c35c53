//! What a walk over the bytes of a value tells, whatever the serializer.
//!
//! There is one walk per serializer. It checks everything, its recursion is bounded by the depth limit, and it tells
//! a [`Sink`] what it finds: nobody ([`Skip`]), the writer of another serializer, or the builder of a value.

use super::DecodeError;

/// The type of a value, as far as an envelope has to know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shape {
    /// Null (CBOR: or undefined).
    Null,
    /// A bool.
    Bool,
    /// A whole number.
    Integer,
    /// A number written with a fraction or an exponent, or as a float.
    Float,
    /// Text.
    Text,
    /// Binary. Never in JSON, where binary is [`Shape::Text`].
    Bytes,
    /// A list.
    List,
    /// A dict whose keys are all text.
    Dict,
    /// A dict with another key than text.
    OddDict,
}

/// Who hears of the parts of a value, in their order.
pub(crate) trait Sink {
    /// Whether anybody listens: if not, the walk does not unescape texts and does not compute numbers.
    fn listens(&self) -> bool {
        true
    }
    /// Whether it wants to know floats: if not, it may hear of them or not.
    const FLOATS: bool = true;

    /// Null.
    fn null(&mut self);
    /// A bool.
    fn bool(&mut self, value: bool);
    /// An integer from 0 to 2^64-1.
    fn unsigned(&mut self, value: u64);
    /// The integer -1 - `value`.
    fn negative(&mut self, value: u64);
    /// An integer beyond both: decimal digits, perhaps after a minus.
    fn big(&mut self, digits: &str);
    /// A float.
    fn float(&mut self, value: f64);
    /// Text.
    fn text(&mut self, text: &str);
    /// Binary.
    fn bytes(&mut self, bytes: &[u8]);
    /// A list begins, of `len` elements if that is known. What is returned comes back at its end.
    fn list(&mut self, len: Option<usize>) -> usize;
    /// A list of `count` elements ends.
    fn list_end(&mut self, mark: usize, count: usize);
    /// A dict begins, of `len` keys if that is known. What is returned comes back at its end.
    fn dict(&mut self, len: Option<usize>) -> usize;
    /// A dict of `count` keys ends.
    fn dict_end(&mut self, mark: usize, count: usize);
    /// An element of a list comes next.
    fn item(&mut self, first: bool);
    /// A key of a dict comes next, and is never a list or a dict.
    fn key(&mut self, first: bool);
    /// The value of the key comes next.
    fn value(&mut self);
}

/// A sink that writes a serializer.
pub(crate) trait Format: Sink {
    /// Bytes that are one well-formed value of this serializer.
    fn raw(&mut self, value: &[u8]);
}

/// Nobody listens: the walk only checks.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn check_only() -> impl Sink {
    Skip
}

/// Nobody listens: the walk only checks. A page loads one walk only, and not a faster one for this beside it.
#[cfg(target_family = "wasm")]
pub(crate) fn check_only() -> impl Sink {
    super::pick::Pick::QUIET
}

#[cfg(not(target_family = "wasm"))]
struct Skip;

#[cfg(not(target_family = "wasm"))]
impl Sink for Skip {
    fn listens(&self) -> bool {
        false
    }

    const FLOATS: bool = false;

    fn null(&mut self) {}
    fn bool(&mut self, _: bool) {}
    fn unsigned(&mut self, _: u64) {}
    fn negative(&mut self, _: u64) {}
    fn big(&mut self, _: &str) {}
    fn float(&mut self, _: f64) {}
    fn text(&mut self, _: &str) {}
    fn bytes(&mut self, _: &[u8]) {}
    fn list(&mut self, _: Option<usize>) -> usize {
        0
    }
    fn list_end(&mut self, _: usize, _: usize) {}
    fn dict(&mut self, _: Option<usize>) -> usize {
        0
    }
    fn dict_end(&mut self, _: usize, _: usize) {}
    fn item(&mut self, _: bool) {}
    fn key(&mut self, _: bool) {}
    fn value(&mut self) {}
}

/// The walk over one serializer's bytes.
pub(crate) trait Walk<'a>: Sized {
    /// Begins at the start of `bytes`; at most `max_depth` levels of lists and dicts are descended into.
    fn new(bytes: &'a [u8], max_depth: usize) -> Result<Self, DecodeError>;
    /// Walks over the value that begins here, and stops behind it.
    fn walk<S: Sink>(&mut self, sink: &mut S) -> Result<Shape, DecodeError>;
    /// Enters the outer list of an envelope.
    fn open_list(&mut self) -> Result<Outer, DecodeError>;
    /// Whether there is one more element in the outer list, at which the walk then stands.
    fn next_element(&mut self, outer: &mut Outer) -> Result<bool, DecodeError>;
    /// Checks that nothing follows.
    fn end(&mut self) -> Result<(), DecodeError>;
    /// The offset of the next byte.
    fn at(&self) -> usize;
}

/// How far the walk over an outer list has come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outer {
    /// The elements still to come, if their number is known.
    #[cfg_attr(
        not(any(feature = "msgpack", feature = "cbor")),
        expect(dead_code, reason = "JSON never knows it")
    )]
    pub(crate) left: Option<usize>,
    /// Whether the next element is the first.
    pub(crate) first: bool,
}
