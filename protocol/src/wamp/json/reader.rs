//! The walk over JSON text.

use data_encoding::BASE64;

use super::{plain_len, range};
use crate::wamp::walk::{Outer, Shape, Sink, Walk};
use crate::wamp::{DecodeError, Limits};

const NAME: &str = "JSON";

/// Whether what `JSON.parse` of a page reads, but many libraries do not, is refused: half a surrogate pair, and numbers
/// beyond the range. A page gets its payloads as they were written, and bytes in them are its own affair.
const STRICT: bool = cfg!(not(target_family = "wasm"));

/// The walk over JSON text.
pub(crate) struct Reader<'a> {
    text: &'a str,
    at: usize,
    max_depth: usize,
    depth: usize,
    /// The last text that had to be unescaped.
    unescaped: String,
}

impl<'a> Walk<'a> for Reader<'a> {
    fn new(bytes: &'a [u8], max_depth: usize) -> Result<Self, DecodeError> {
        let text =
            std::str::from_utf8(bytes).map_err(|error| DecodeError::NotUtf8 { at: error.valid_up_to() })?;
        Ok(Reader { text, at: 0, max_depth, depth: 0, unescaped: String::new() })
    }

    fn walk<S: Sink>(&mut self, sink: &mut S) -> Result<Shape, DecodeError> {
        self.skip_space();
        match self.peek() {
            Some(b'"') => self.text_value(sink),
            Some(b'-' | b'0'..=b'9') => self.number(sink),
            Some(b'{') => self.dict(sink),
            Some(b'[') => self.list(sink),
            Some(b't') => self.literal("true", Shape::Bool, |sink| sink.bool(true), sink),
            Some(b'f') => self.literal("false", Shape::Bool, |sink| sink.bool(false), sink),
            Some(b'n') => self.literal("null", Shape::Null, S::null, sink),
            Some(_) => self.malformed("no value begins with the character"),
            None => Err(DecodeError::Truncated { at: self.at }),
        }
    }

    fn open_list(&mut self) -> Result<Outer, DecodeError> {
        self.skip_space();
        if self.peek() != Some(b'[') {
            return Err(DecodeError::NotAMessage);
        }
        self.enter()?;
        Ok(Outer { left: None, first: true })
    }

    fn next_element(&mut self, outer: &mut Outer) -> Result<bool, DecodeError> {
        let more = self.next_in(b']', outer.first)?;
        outer.first = false;
        if more {
            self.skip_space();
        }
        Ok(more)
    }

    fn end(&mut self) -> Result<(), DecodeError> {
        self.skip_space();
        if self.at == self.text.len() { Ok(()) } else { Err(DecodeError::Trailing { at: self.at }) }
    }

    fn at(&self) -> usize {
        self.at
    }
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn malformed<T>(&self, what: &'static str) -> Result<T, DecodeError> {
        let what = if cfg!(feature = "texts") { what } else { "" };
        match self.peek() {
            Some(_) => Err(DecodeError::Malformed { serializer: NAME, what, at: self.at }),
            None => Err(DecodeError::Truncated { at: self.at }),
        }
    }

    /// Steps over a bracket, one level down.
    fn enter(&mut self) -> Result<(), DecodeError> {
        if self.depth == self.max_depth {
            return Err(DecodeError::TooDeep { max_depth: self.max_depth });
        }
        self.depth += 1;
        self.at += 1;
        Ok(())
    }

    /// Steps over the comma before an element, or over the closing bracket: whether there is an element.
    fn next_in(&mut self, closing: u8, first: bool) -> Result<bool, DecodeError> {
        self.skip_space();
        match self.peek() {
            Some(byte) if byte == closing => {
                self.at += 1;
                Ok(false)
            }
            Some(b',') if !first => {
                self.at += 1;
                Ok(true)
            }
            _ if first => Ok(true),
            _ => self.malformed("a comma or a closing bracket is missing"),
        }
    }

    fn list<S: Sink>(&mut self, sink: &mut S) -> Result<Shape, DecodeError> {
        self.enter()?;
        let mark = sink.list(None);
        let mut count = 0;
        while self.next_in(b']', count == 0)? {
            sink.item(count == 0);
            self.walk(sink)?;
            count += 1;
        }
        sink.list_end(mark, count);
        self.depth -= 1;
        Ok(Shape::List)
    }

    fn dict<S: Sink>(&mut self, sink: &mut S) -> Result<Shape, DecodeError> {
        self.enter()?;
        let mark = sink.dict(None);
        let mut count = 0;
        while self.next_in(b'}', count == 0)? {
            self.skip_space();
            if self.peek() != Some(b'"') {
                return self.malformed("a key is not a text");
            }
            sink.key(count == 0);
            let (inner, escaped) = self.scan_text()?;
            if sink.listens() {
                sink.text(self.unescape(inner, escaped));
            }
            self.skip_space();
            if self.peek() != Some(b':') {
                return self.malformed("the colon after a key is missing");
            }
            self.at += 1;
            sink.value();
            self.walk(sink)?;
            count += 1;
        }
        sink.dict_end(mark, count);
        self.depth -= 1;
        Ok(Shape::Dict)
    }

    fn literal<S: Sink>(
        &mut self,
        word: &'static str,
        shape: Shape,
        tell: impl FnOnce(&mut S),
        sink: &mut S,
    ) -> Result<Shape, DecodeError> {
        let rest = &self.text.as_bytes()[self.at..];
        if !rest.starts_with(word.as_bytes()) {
            return self.malformed("an unquoted word is neither true, false nor null");
        }
        self.at += word.len();
        tell(sink);
        Ok(shape)
    }

    fn text_value<S: Sink>(&mut self, sink: &mut S) -> Result<Shape, DecodeError> {
        let (inner, escaped) = self.scan_text()?;
        if sink.listens() {
            let text = self.unescape(inner, escaped);
            match binary(text) {
                Some(bytes) => sink.bytes(&bytes),
                None => sink.text(text),
            }
        }
        Ok(Shape::Text)
    }

    /// Steps over a text: where its inside is, and whether that has escapes.
    fn scan_text(&mut self) -> Result<((usize, usize), bool), DecodeError> {
        let begin = self.at + 1;
        let mut escaped = false;
        self.at = begin;
        loop {
            self.at += plain_len(&self.text.as_bytes()[self.at..]);
            match self.peek() {
                Some(b'"') => {
                    let inner = (begin, self.at);
                    self.at += 1;
                    return Ok((inner, escaped));
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                _ => return self.malformed("a text holds a control character"),
            }
        }
    }

    /// Steps over an escape: what it stands for.
    fn escape(&mut self) -> Result<char, DecodeError> {
        self.at += 1;
        let character = match self.peek() {
            Some(b'u') => return self.unicode_escape(),
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{C}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            _ => return self.malformed("a backslash begins no escape"),
        };
        self.at += 1;
        Ok(character)
    }

    /// Steps over `uXXXX`, and over the second half of a surrogate pair. Half a pair stands for no character and is
    /// refused: many libraries cannot read it.
    fn unicode_escape(&mut self) -> Result<char, DecodeError> {
        let first = self.hex()?;
        let code = match first {
            0xD800..=0xDBFF => {
                if !self.text.as_bytes()[self.at..].starts_with(b"\\u") {
                    if !STRICT {
                        return self.lone_surrogate();
                    }
                    return self.malformed("half a surrogate pair stands before");
                }
                self.at += 1;
                match self.hex()? {
                    second @ 0xDC00..=0xDFFF => 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00),
                    _ => return self.lone_surrogate(),
                }
            }
            code => code,
        };
        match char::from_u32(code) {
            Some(character) => Ok(character),
            None => self.lone_surrogate(),
        }
    }

    fn lone_surrogate(&self) -> Result<char, DecodeError> {
        if !STRICT {
            return Ok(char::REPLACEMENT_CHARACTER);
        }
        Err(DecodeError::Malformed { serializer: NAME, what: "half a surrogate pair ends", at: self.at })
    }

    /// Steps over `uXXXX`.
    fn hex(&mut self) -> Result<u32, DecodeError> {
        self.at += 1;
        let mut code = 0;
        for _ in 0..4 {
            match self.peek().and_then(|byte| char::from(byte).to_digit(16)) {
                Some(digit) => code = code << 4 | digit,
                None => return self.malformed("an escape needs four hexadecimal digits"),
            }
            self.at += 1;
        }
        Ok(code)
    }

    /// The text between `begin` and `end`, which was scanned before.
    fn unescape(&mut self, (begin, end): (usize, usize), escaped: bool) -> &str {
        if !escaped {
            return &self.text[begin..end];
        }
        self.unescaped.clear();
        let behind = std::mem::replace(&mut self.at, begin);
        while self.at < end {
            let plain = plain_len(&self.text.as_bytes()[self.at..end]);
            self.unescaped.push_str(&self.text[self.at..self.at + plain]);
            self.at += plain;
            if self.at < end {
                let character = self.escape().expect("the text was scanned");
                self.unescaped.push(character);
            }
        }
        self.at = behind;
        &self.unescaped
    }

    fn number<S: Sink>(&mut self, sink: &mut S) -> Result<Shape, DecodeError> {
        let begin = self.at;
        let negative = self.peek() == Some(b'-');
        self.at += usize::from(negative);
        let integer = self.at;
        if self.digits()? > 1 && self.text.as_bytes()[integer] == b'0' {
            self.at = integer + 1;
            return self.malformed("a number begins with 0");
        }
        let whole = self.at;
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        let exponent = matches!(self.peek(), Some(b'e' | b'E'));
        if exponent {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        let text = &self.text[begin..self.at];
        if whole < self.at || text == "-0" {
            return self.float(text, exponent, sink);
        }
        let digits = &self.text[integer..whole];
        if digits.len() > Limits::MAX_DIGITS {
            return Err(DecodeError::TooManyDigits { at: begin });
        }
        if sink.listens() {
            tell_integer(text, digits, negative, sink);
        }
        Ok(Shape::Integer)
    }

    /// Steps over one or more digits: how many.
    fn digits(&mut self) -> Result<usize, DecodeError> {
        let begin = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == begin { self.malformed("a number lacks a digit") } else { Ok(self.at - begin) }
    }

    fn float<S: Sink>(&mut self, text: &str, exponent: bool, sink: &mut S) -> Result<Shape, DecodeError> {
        // Without an exponent only a very long number is beyond the range.
        const SURELY_FINITE: usize = 200;
        if STRICT && (exponent || text.len() > SURELY_FINITE) && !range::is_finite(text) {
            let what = "a number is beyond the range of 64 bit floats";
            return Err(DecodeError::Malformed { serializer: NAME, what, at: self.at - text.len() });
        }
        if S::FLOATS {
            sink.float(super::float(text));
        }
        Ok(Shape::Float)
    }
}

fn tell_integer<S: Sink>(text: &str, digits: &str, negative: bool, sink: &mut S) {
    match digits.parse::<u64>() {
        Ok(value) if !negative => sink.unsigned(value),
        Ok(value) if value > 0 => sink.negative(value - 1),
        // The one negative number whose digits are beyond the range.
        _ if text == "-18446744073709551616" => sink.negative(u64::MAX),
        _ => sink.big(text),
    }
}

/// The binary that a text stands for (WAMP 2.3.2): U+0000, then base64.
fn binary(text: &str) -> Option<Vec<u8>> {
    if !STRICT {
        return None;
    }
    let base64 = text.strip_prefix('\0')?;
    BASE64.decode(base64.as_bytes()).ok()
}
