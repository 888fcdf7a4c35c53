//! The writer of JSON.

#[cfg(not(target_family = "wasm"))]
use data_encoding::BASE64;

use super::plain_len;
use crate::wamp::walk::{Format, Sink};

/// Writes the begin of a list; JSON does not say how long it will be.
pub(crate) fn list_header(out: &mut Vec<u8>, _len: usize) {
    out.push(b'[');
}

/// Writes JSON.
pub(crate) struct Writer<'a> {
    out: &'a mut Vec<u8>,
    /// What comes is a key: JSON knows only text ones, so others are written as text.
    key: bool,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(out: &'a mut Vec<u8>) -> Self {
        Writer { out, key: false }
    }

    /// All is written already: nothing in JSON is known only later.
    #[expect(clippy::unused_self, reason = "all writers have the same methods")]
    pub(crate) fn finish(self) {}

    fn scalar(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        if self.key {
            self.out.push(b'"');
        }
        write(self.out);
        if self.key {
            self.out.push(b'"');
        }
    }
}

impl Format for Writer<'_> {
    fn raw(&mut self, value: &[u8]) {
        self.out.extend_from_slice(value);
    }
}

impl Sink for Writer<'_> {
    fn null(&mut self) {
        self.scalar(|out| out.extend_from_slice(b"null"));
    }

    fn bool(&mut self, value: bool) {
        self.scalar(|out| out.extend_from_slice(if value { b"true" } else { b"false" }));
    }

    fn unsigned(&mut self, value: u64) {
        self.scalar(|out| write_unsigned(value, out));
    }

    fn negative(&mut self, value: u64) {
        let value = -1 - i128::from(value);
        self.scalar(|out| serde_json::to_writer(out, &value).expect("a Vec takes all"));
    }

    fn big(&mut self, digits: &str) {
        self.scalar(|out| out.extend_from_slice(digits.as_bytes()));
    }

    fn float(&mut self, value: f64) {
        // Shortest digits that read back as the same float, always with a point or an exponent; null for NaN.
        self.scalar(|out| serde_json::to_writer(out, &value).expect("a Vec takes all"));
    }

    fn text(&mut self, text: &str) {
        write_text(text, self.out);
    }

    #[cfg(target_family = "wasm")]
    fn bytes(&mut self, _: &[u8]) {
        unreachable!("a page writes its payloads itself, and nothing else has bytes")
    }

    #[cfg(not(target_family = "wasm"))]
    fn bytes(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(b"\"\\u0000");
        let begin = self.out.len();
        self.out.resize(begin + BASE64.encode_len(bytes.len()), 0);
        BASE64.encode_mut(bytes, &mut self.out[begin..]);
        self.out.push(b'"');
    }

    fn list(&mut self, _: Option<usize>) -> usize {
        self.out.push(b'[');
        0
    }

    fn list_end(&mut self, _: usize, _: usize) {
        self.out.push(b']');
    }

    fn dict(&mut self, _: Option<usize>) -> usize {
        self.out.push(b'{');
        0
    }

    fn dict_end(&mut self, _: usize, _: usize) {
        self.out.push(b'}');
    }

    fn item(&mut self, first: bool) {
        if !first {
            self.out.push(b',');
        }
    }

    fn key(&mut self, first: bool) {
        self.item(first);
        self.key = true;
    }

    fn value(&mut self) {
        self.key = false;
        self.out.push(b':');
    }
}

/// Writes an integer.
#[cfg(feature = "float-tables")]
fn write_unsigned(value: u64, out: &mut Vec<u8>) {
    serde_json::to_writer(out, &value).expect("a Vec takes all");
}

/// Writes an integer: without tables here as well.
#[cfg(not(feature = "float-tables"))]
fn write_unsigned(mut value: u64, out: &mut Vec<u8>) {
    let begin = out.len();
    loop {
        out.push(b'0' + (value % 10) as u8);
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out[begin..].reverse();
}

/// Writes a JSON text, with escapes only where RFC 8259 demands them.
fn write_text(text: &str, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut rest = text.as_bytes();
    out.push(b'"');
    loop {
        let (plain, special) = rest.split_at(plain_len(rest));
        out.extend_from_slice(plain);
        let Some((&byte, behind)) = special.split_first() else { break };
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => {
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
            }
        }
        rest = behind;
    }
    out.push(b'"');
}
