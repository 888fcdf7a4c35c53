//! The walk over `MessagePack`.

use crate::wamp::DecodeError;
use crate::wamp::cursor::Cursor;
use crate::wamp::walk::{Outer, Shape, Sink, Walk};

const NAME: &str = "MessagePack";

/// The walk over `MessagePack`.
pub(crate) struct Reader<'a>(Cursor<'a>);

impl<'a> Walk<'a> for Reader<'a> {
    fn new(bytes: &'a [u8], max_depth: usize) -> Result<Self, DecodeError> {
        Ok(Reader(Cursor::new(bytes, max_depth)))
    }

    fn walk<S: Sink>(&mut self, sink: &mut S) -> Result<Shape, DecodeError> {
        let begin = self.0.at();
        match self.byte()? {
            byte @ 0x00..=0x7F => Ok(tell_unsigned(byte.into(), sink)),
            byte @ 0x80..=0x8F => self.dict(usize::from(byte & 0x0F), sink),
            byte @ 0x90..=0x9F => self.list(usize::from(byte & 0x0F), sink),
            byte @ 0xA0..=0xBF => self.text(usize::from(byte & 0x1F), sink),
            0xC0 => {
                sink.null();
                Ok(Shape::Null)
            }
            byte @ (0xC2 | 0xC3) => {
                sink.bool(byte == 0xC3);
                Ok(Shape::Bool)
            }
            byte @ 0xC4..=0xC6 => {
                let len = self.length(byte - 0xC4)?;
                self.binary(len, sink)
            }
            byte @ 0xC7..=0xC9 => {
                let len = self.length(byte - 0xC7)?;
                self.extension(len, sink)
            }
            0xCA => {
                sink.float(f32::from_be_bytes(self.array()?).into());
                Ok(Shape::Float)
            }
            0xCB => {
                sink.float(f64::from_be_bytes(self.array()?));
                Ok(Shape::Float)
            }
            byte @ 0xCC..=0xCF => {
                let value = self.0.unsigned(1 << (byte - 0xCC))?;
                Ok(tell_unsigned(value, sink))
            }
            byte @ 0xD0..=0xD3 => {
                let size = 1 << (byte - 0xD0);
                // The sign bit moves to the top and back, which fills the bits above with it.
                let spare = 64 - 8 * size as u32;
                let value = (self.0.unsigned(size)? << spare).cast_signed() >> spare;
                Ok(tell_signed(value, sink))
            }
            byte @ 0xD4..=0xD8 => self.extension(1 << (byte - 0xD4), sink),
            byte @ 0xD9..=0xDB => {
                let len = self.length(byte - 0xD9)?;
                self.text(len, sink)
            }
            byte @ 0xDC..=0xDD => {
                let len = self.length(byte - 0xDC + 1)?;
                self.list(len, sink)
            }
            byte @ 0xDE..=0xDF => {
                let len = self.length(byte - 0xDE + 1)?;
                self.dict(len, sink)
            }
            byte @ 0xE0..=0xFF => Ok(tell_signed(byte.cast_signed().into(), sink)),
            0xC1 => Err(DecodeError::Malformed {
                serializer: NAME,
                what: "the byte 0xC1 begins no value",
                at: begin,
            }),
        }
    }

    fn open_list(&mut self) -> Result<Outer, DecodeError> {
        let len = match self.byte()? {
            byte @ 0x90..=0x9F => usize::from(byte & 0x0F),
            byte @ 0xDC..=0xDD => self.length(byte - 0xDC + 1)?,
            _ => return Err(DecodeError::NotAMessage),
        };
        self.0.enter(len)?;
        Ok(Outer { left: Some(len), first: true })
    }

    fn next_element(&mut self, outer: &mut Outer) -> Result<bool, DecodeError> {
        let left = outer.left.unwrap_or(0);
        outer.left = Some(left.saturating_sub(1));
        Ok(left > 0)
    }

    fn end(&mut self) -> Result<(), DecodeError> {
        self.0.end()
    }

    fn at(&self) -> usize {
        self.0.at()
    }
}

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        Ok(self.0.take(N)?.try_into().expect("as many as were taken"))
    }

    fn byte(&mut self) -> Result<u8, DecodeError> {
        self.array().map(|[byte]| byte)
    }

    /// A length in 2^`power` bytes, at most four.
    fn length(&mut self, power: u8) -> Result<usize, DecodeError> {
        let at = self.0.at();
        usize::try_from(self.0.unsigned(1 << power)?).map_err(|_| DecodeError::Truncated { at })
    }

    fn list<S: Sink>(&mut self, len: usize, sink: &mut S) -> Result<Shape, DecodeError> {
        self.0.enter(len)?;
        let mark = sink.list(Some(len));
        for index in 0..len {
            sink.item(index == 0);
            self.walk(sink)?;
        }
        sink.list_end(mark, len);
        self.0.leave();
        Ok(Shape::List)
    }

    fn dict<S: Sink>(&mut self, len: usize, sink: &mut S) -> Result<Shape, DecodeError> {
        self.0.enter(len.saturating_mul(2))?;
        let mark = sink.dict(Some(len));
        let mut shape = Shape::Dict;
        for index in 0..len {
            if let Some(0x80..=0x9F | 0xDC..=0xDF) = self.0.peek() {
                let what = "a list or dict is the key of a dict";
                return Err(DecodeError::Malformed { serializer: NAME, what, at: self.0.at() });
            }
            sink.key(index == 0);
            if self.walk(sink)? != Shape::Text {
                shape = Shape::OddDict;
            }
            sink.value();
            self.walk(sink)?;
        }
        sink.dict_end(mark, len);
        self.0.leave();
        Ok(shape)
    }

    fn text<S: Sink>(&mut self, len: usize, sink: &mut S) -> Result<Shape, DecodeError> {
        let begin = self.0.at();
        let text = std::str::from_utf8(self.0.take(len)?)
            .map_err(|error| DecodeError::NotUtf8 { at: begin + error.valid_up_to() })?;
        sink.text(text);
        Ok(Shape::Text)
    }

    fn binary<S: Sink>(&mut self, len: usize, sink: &mut S) -> Result<Shape, DecodeError> {
        sink.bytes(self.0.take(len)?);
        Ok(Shape::Bytes)
    }

    /// An extension: its type is dropped, for no other serializer has one.
    fn extension<S: Sink>(&mut self, len: usize, sink: &mut S) -> Result<Shape, DecodeError> {
        self.byte()?;
        self.binary(len, sink)
    }
}

fn tell_unsigned<S: Sink>(value: u64, sink: &mut S) -> Shape {
    sink.unsigned(value);
    Shape::Integer
}

fn tell_signed<S: Sink>(value: i64, sink: &mut S) -> Shape {
    match u64::try_from(value) {
        Ok(value) => sink.unsigned(value),
        Err(_) => sink.negative((!value).cast_unsigned()),
    }
    Shape::Integer
}
