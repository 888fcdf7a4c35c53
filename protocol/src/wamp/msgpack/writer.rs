//! The writer of `MessagePack`.

use crate::wamp::late::{Header, Output};
use crate::wamp::walk::{Format, Sink};

/// The header of a list.
fn list_head(len: usize) -> Header {
    match len {
        0..=15 => Header::byte(0x90 | len as u8),
        16..=0xFFFF => Header::sized(0xDC, len as u64, 2),
        _ => Header::sized(0xDD, four_bytes(len), 4),
    }
}

/// The header of a dict.
fn dict_head(len: usize) -> Header {
    match len {
        0..=15 => Header::byte(0x80 | len as u8),
        16..=0xFFFF => Header::sized(0xDE, len as u64, 2),
        _ => Header::sized(0xDF, four_bytes(len), 4),
    }
}

/// A length as the four bytes which `MessagePack` has for it at most.
fn four_bytes(len: usize) -> u64 {
    u32::try_from(len).expect("values of 4 GiB are not written").into()
}

/// Writes the header of a list.
pub(crate) fn list_header(out: &mut Vec<u8>, len: usize) {
    out.extend_from_slice(list_head(len).as_slice());
}

/// Writes `MessagePack`, every number and length in the fewest bytes.
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
        self.0.byte(0xC0);
    }

    fn bool(&mut self, value: bool) {
        self.0.byte(0xC2 | u8::from(value));
    }

    fn unsigned(&mut self, value: u64) {
        self.0.put(match value {
            0..=0x7F => Header::byte(value as u8),
            0x80..=0xFF => Header::sized(0xCC, value, 1),
            0x100..=0xFFFF => Header::sized(0xCD, value, 2),
            0x1_0000..=0xFFFF_FFFF => Header::sized(0xCE, value, 4),
            _ => Header::sized(0xCF, value, 8),
        });
    }

    fn negative(&mut self, value: u64) {
        // The complement of `value` is -1 - `value`; of each size, its lower bytes.
        self.0.put(match value {
            0..=0x1F => Header::byte(!(value as u8)),
            0x20..=0x7F => Header::sized(0xD0, !value, 1),
            0x80..=0x7FFF => Header::sized(0xD1, !value, 2),
            0x8000..=0x7FFF_FFFF => Header::sized(0xD2, !value, 4),
            0x8000_0000..=0x7FFF_FFFF_FFFF_FFFF => Header::sized(0xD3, !value, 8),
            _ => return self.float((-1 - i128::from(value)) as f64),
        });
    }

    fn big(&mut self, digits: &str) {
        // Beyond 64 bits there are only floats.
        self.float(digits.parse().expect("digits are a number"));
    }

    fn float(&mut self, value: f64) {
        self.0.put(Header::sized(0xCB, value.to_bits(), 8));
    }

    fn text(&mut self, text: &str) {
        let header = match text.len() {
            len @ 0..=31 => Header::byte(0xA0 | len as u8),
            len @ 32..=0xFF => Header::sized(0xD9, len as u64, 1),
            len @ 0x100..=0xFFFF => Header::sized(0xDA, len as u64, 2),
            len => Header::sized(0xDB, four_bytes(len), 4),
        };
        self.0.put_with(header, text.as_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        let header = match bytes.len() {
            len @ 0..=0xFF => Header::sized(0xC4, len as u64, 1),
            len @ 0x100..=0xFFFF => Header::sized(0xC5, len as u64, 2),
            len => Header::sized(0xC6, four_bytes(len), 4),
        };
        self.0.put_with(header, bytes);
    }

    fn list(&mut self, len: Option<usize>) -> usize {
        self.0.open(len.map(list_head))
    }

    fn list_end(&mut self, mark: usize, count: usize) {
        self.0.close(mark, || list_head(count));
    }

    fn dict(&mut self, len: Option<usize>) -> usize {
        self.0.open(len.map(dict_head))
    }

    fn dict_end(&mut self, mark: usize, count: usize) {
        self.0.close(mark, || dict_head(count));
    }

    fn item(&mut self, _: bool) {}
    fn key(&mut self, _: bool) {}
    fn value(&mut self) {}
}
