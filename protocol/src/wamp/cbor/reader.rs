//! The walk over CBOR.

use super::{BIG, BYTES, DICT, LIST, NEGATIVE, NEGATIVE_BIG, TAG, TEXT, UNSIGNED};
use crate::wamp::cursor::Cursor;
use crate::wamp::walk::{Outer, Shape, Sink, Walk};
use crate::wamp::{DecodeError, big};

const NAME: &str = "CBOR";
/// The byte that ends what is of indefinite length.
const BREAK: u8 = 0xFF;

/// The head of a data item: its major type, its lower five bits, and the number that these stand for.
struct Head {
    major: u8,
    low: u8,
    number: u64,
    at: usize,
}

impl Head {
    fn is_indefinite(&self) -> bool {
        self.low == 31
    }
}

/// The walk over CBOR.
pub(crate) struct Reader<'a>(Cursor<'a>);

impl<'a> Walk<'a> for Reader<'a> {
    fn new(bytes: &'a [u8], max_depth: usize) -> Result<Self, DecodeError> {
        Ok(Reader(Cursor::new(bytes, max_depth)))
    }

    fn walk<S: Sink>(&mut self, sink: &mut S) -> Result<Shape, DecodeError> {
        self.item(false, sink)
    }

    fn open_list(&mut self) -> Result<Outer, DecodeError> {
        let mut head = self.head()?;
        while head.major == TAG {
            if matches!(head.number, BIG | NEGATIVE_BIG) {
                return Err(DecodeError::NotAMessage);
            }
            self.0.enter(1)?;
            head = self.head()?;
        }
        if head.major != LIST {
            return Err(DecodeError::NotAMessage);
        }
        let left = Self::count(&head)?;
        self.0.enter(left.unwrap_or(0))?;
        Ok(Outer { left, first: true })
    }

    fn next_element(&mut self, outer: &mut Outer) -> Result<bool, DecodeError> {
        match &mut outer.left {
            Some(0) => Ok(false),
            Some(left) => {
                *left -= 1;
                Ok(true)
            }
            None => Ok(!self.take_break()),
        }
    }

    fn end(&mut self) -> Result<(), DecodeError> {
        self.0.end()
    }

    fn at(&self) -> usize {
        self.0.at()
    }
}

impl<'a> Reader<'a> {
    /// Walks over one value. A `key` is neither a list nor a dict.
    fn item<S: Sink>(&mut self, key: bool, sink: &mut S) -> Result<Shape, DecodeError> {
        let head = self.head()?;
        match head.major {
            UNSIGNED => {
                sink.unsigned(head.number);
                Ok(Shape::Integer)
            }
            NEGATIVE => {
                sink.negative(head.number);
                Ok(Shape::Integer)
            }
            BYTES => {
                let mut chunks = Vec::new();
                sink.bytes(self.binary(&head, sink.listens(), &mut chunks)?);
                Ok(Shape::Bytes)
            }
            TEXT if head.is_indefinite() => self.text_in_chunks(&head, sink),
            TEXT => {
                sink.text(self.text(&head)?);
                Ok(Shape::Text)
            }
            LIST | DICT if key => Self::malformed("a list or dict is the key of a dict", head.at),
            LIST => self.list(&head, sink),
            DICT => self.dict(&head, sink),
            TAG => self.tagged(&head, key, sink),
            _ => Self::simple(&head, sink),
        }
    }

    fn malformed<T>(what: &'static str, at: usize) -> Result<T, DecodeError> {
        Err(DecodeError::Malformed { serializer: NAME, what, at })
    }

    #[inline]
    fn head(&mut self) -> Result<Head, DecodeError> {
        let at = self.0.at();
        let first = self.0.take(1)?[0];
        let (major, low) = (first >> 5, first & 31);
        let number = match low {
            0..=23 => low.into(),
            24..=27 => self.0.unsigned(1 << (low - 24))?,
            31 if matches!(major, BYTES | TEXT | LIST | DICT) => 0,
            31 => return Self::malformed("a break or an indefinite length stands where none may", at),
            _ => return Self::malformed("a length is written in a reserved way", at),
        };
        Ok(Head { major, low, number, at })
    }

    /// The number of values that a list or dict claims, if it is definite.
    fn count(head: &Head) -> Result<Option<usize>, DecodeError> {
        if head.is_indefinite() {
            return Ok(None);
        }
        let count = usize::try_from(head.number).map_err(|_| DecodeError::Truncated { at: head.at })?;
        Ok(Some(count))
    }

    fn take_break(&mut self) -> bool {
        self.0.skip(BREAK)
    }

    fn list<S: Sink>(&mut self, head: &Head, sink: &mut S) -> Result<Shape, DecodeError> {
        let len = Self::count(head)?;
        self.0.enter(len.unwrap_or(0))?;
        let mark = sink.list(len);
        let mut count = 0;
        while self.more(len, count) {
            sink.item(count == 0);
            self.item(false, sink)?;
            count += 1;
        }
        sink.list_end(mark, count);
        self.0.leave();
        Ok(Shape::List)
    }

    fn dict<S: Sink>(&mut self, head: &Head, sink: &mut S) -> Result<Shape, DecodeError> {
        let len = Self::count(head)?;
        self.0.enter(len.unwrap_or(0).saturating_mul(2))?;
        let mark = sink.dict(len);
        let mut shape = Shape::Dict;
        let mut count = 0;
        while self.more(len, count) {
            sink.key(count == 0);
            if self.item(true, sink)? != Shape::Text {
                shape = Shape::OddDict;
            }
            sink.value();
            self.item(false, sink)?;
            count += 1;
        }
        sink.dict_end(mark, count);
        self.0.leave();
        Ok(shape)
    }

    /// Whether there is another element after `count` ones; steps over the break.
    fn more(&mut self, len: Option<usize>, count: usize) -> bool {
        match len {
            Some(len) => count < len,
            None => !self.take_break(),
        }
    }

    /// A text of definite length.
    fn text(&mut self, head: &Head) -> Result<&'a str, DecodeError> {
        let bytes = self.definite(head)?;
        let begin = self.0.at() - bytes.len();
        std::str::from_utf8(bytes).map_err(|error| DecodeError::NotUtf8 { at: begin + error.valid_up_to() })
    }

    /// A text in chunks, each of which is UTF-8 (RFC 8949 3.2.3).
    fn text_in_chunks<S: Sink>(&mut self, head: &Head, sink: &mut S) -> Result<Shape, DecodeError> {
        let mut chunks = String::new();
        while let Some(chunk) = self.chunk(head)? {
            let text = self.text(&chunk)?;
            if sink.listens() {
                chunks.push_str(text);
            }
        }
        sink.text(&chunks);
        Ok(Shape::Text)
    }

    /// Binary of any length. If it is in chunks, these are put together in `chunks` on demand (`gather`).
    fn binary<'b>(
        &mut self,
        head: &Head,
        gather: bool,
        chunks: &'b mut Vec<u8>,
    ) -> Result<&'b [u8], DecodeError>
    where
        'a: 'b,
    {
        if !head.is_indefinite() {
            return self.definite(head);
        }
        while let Some(chunk) = self.chunk(head)? {
            let bytes = self.definite(&chunk)?;
            if gather {
                chunks.extend_from_slice(bytes);
            }
        }
        Ok(chunks)
    }

    /// The head of the next chunk of the string that began with `head`.
    fn chunk(&mut self, head: &Head) -> Result<Option<Head>, DecodeError> {
        if self.take_break() {
            return Ok(None);
        }
        let chunk = self.head()?;
        if chunk.major != head.major || chunk.is_indefinite() {
            return Self::malformed("a chunk of a string is of another type", chunk.at);
        }
        Ok(Some(chunk))
    }

    fn definite(&mut self, head: &Head) -> Result<&'a [u8], DecodeError> {
        let len = usize::try_from(head.number).map_err(|_| DecodeError::Truncated { at: head.at })?;
        self.0.take(len)
    }

    /// A tagged value. Tags 2 and 3 are integers (RFC 8949 3.4.3); all others are dropped. A tag counts as a level,
    /// for that is what it is to a decoder.
    fn tagged<S: Sink>(&mut self, tag: &Head, key: bool, sink: &mut S) -> Result<Shape, DecodeError> {
        self.0.enter(1)?;
        let shape = match tag.number {
            BIG => self.big(false, sink)?,
            NEGATIVE_BIG => self.big(true, sink)?,
            _ => self.item(key, sink)?,
        };
        self.0.leave();
        Ok(shape)
    }

    fn big<S: Sink>(&mut self, negative: bool, sink: &mut S) -> Result<Shape, DecodeError> {
        let head = self.head()?;
        if head.major != BYTES {
            return Self::malformed("a big integer is not binary", head.at);
        }
        let mut chunks = Vec::new();
        let bytes = self.binary(&head, true, &mut chunks)?;
        let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
        let bytes = &bytes[zeros..];
        if bytes.len() > big::MAX_BYTES {
            return Err(DecodeError::TooManyDigits { at: head.at });
        }
        if sink.listens() {
            match (bytes, negative) {
                (bytes, _) if bytes.len() > 8 => sink.big(&big::digits(bytes, negative)),
                (bytes, true) => sink.negative(small(bytes)),
                (bytes, false) => sink.unsigned(small(bytes)),
            }
        }
        Ok(Shape::Integer)
    }

    fn simple<S: Sink>(head: &Head, sink: &mut S) -> Result<Shape, DecodeError> {
        let float = match head.low {
            20 | 21 => {
                sink.bool(head.low == 21);
                return Ok(Shape::Bool);
            }
            22 | 23 => {
                sink.null();
                return Ok(Shape::Null);
            }
            25 => half(head.number as u16),
            26 => f32::from_bits(head.number as u32).into(),
            27 => f64::from_bits(head.number),
            _ => {
                return Self::malformed("a simple value is none of false, true, null and undefined", head.at);
            }
        };
        sink.float(float);
        Ok(Shape::Float)
    }
}

/// A big-endian number of at most eight bytes.
fn small(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

/// A float of 16 bits (RFC 8949, appendix D).
fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 0x3FF));
    let size = match exponent {
        0 => fraction * 2_f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (fraction + 1024.0) * 2_f64.powi(exponent - 25),
    };
    if bits >> 15 == 0 { size } else { -size }
}
