//! The writer of CBOR.

use super::{BIG, BYTES, DICT, LIST, NEGATIVE, NEGATIVE_BIG, TAG, TEXT, UNSIGNED};
use crate::wamp::big;
use crate::wamp::late::{Header, Output};
use crate::wamp::walk::{Format, Sink};

/// The head of a data item, in the fewest bytes.
fn head(major: u8, number: u64) -> Header {
    let major = major << 5;
    match number {
        0..=23 => Header::byte(major | number as u8),
        24..=0xFF => Header::sized(major | 24, number, 1),
        0x100..=0xFFFF => Header::sized(major | 25, number, 2),
        0x1_0000..=0xFFFF_FFFF => Header::sized(major | 26, number, 4),
        _ => Header::sized(major | 27, number, 8),
    }
}

/// Writes the header of a list.
pub(crate) fn list_header(out: &mut Vec<u8>, len: usize) {
    out.extend_from_slice(head(LIST, len as u64).as_slice());
}

/// Writes CBOR of definite lengths, every number and length in the fewest bytes, floats in 64 bits.
pub(crate) struct Writer<'a>(Output<'a>);

impl<'a> Writer<'a> {
    pub(crate) fn new(out: &'a mut Vec<u8>) -> Self {
        Writer(Output::new(out))
    }

    /// See [`Output::finish`].
    pub(crate) fn finish(self) {
        self.0.finish();
    }
}

impl Format for Writer<'_> {
    fn raw(&mut self, value: &[u8]) {
        self.0.raw(value);
    }
}

impl Sink for Writer<'_> {
    fn null(&mut self) {
        self.0.byte(0xF6);
    }

    fn bool(&mut self, value: bool) {
        self.0.byte(0xF4 | u8::from(value));
    }

    fn unsigned(&mut self, value: u64) {
        self.0.put(head(UNSIGNED, value));
    }

    fn negative(&mut self, value: u64) {
        self.0.put(head(NEGATIVE, value));
    }

    fn big(&mut self, digits: &str) {
        let (bytes, negative) = big::bytes(digits);
        self.0.put(head(TAG, if negative { NEGATIVE_BIG } else { BIG }));
        self.bytes(&bytes);
    }

    fn float(&mut self, value: f64) {
        self.0.put(Header::sized(0xFB, value.to_bits(), 8));
    }

    fn text(&mut self, text: &str) {
        self.0.put_with(head(TEXT, text.len() as u64), text.as_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.0.put_with(head(BYTES, bytes.len() as u64), bytes);
    }

    fn list(&mut self, len: Option<usize>) -> usize {
        self.0.open(len.map(|len| head(LIST, len as u64)))
    }

    fn list_end(&mut self, mark: usize, count: usize) {
        self.0.close(mark, || head(LIST, count as u64));
    }

    fn dict(&mut self, len: Option<usize>) -> usize {
        self.0.open(len.map(|len| head(DICT, len as u64)))
    }

    fn dict_end(&mut self, mark: usize, count: usize) {
        self.0.close(mark, || head(DICT, count as u64));
    }

    fn item(&mut self, _: bool) {}
    fn key(&mut self, _: bool) {}
    fn value(&mut self) {}
}
