//! `MessagePack`, version 5 of its specification.

mod reader;
mod writer;

pub(crate) use reader::Reader;
pub(crate) use writer::{Writer, list_header};

/// The text that checked `MessagePack` holds.
pub(crate) fn plain_text(raw: &[u8]) -> Option<&str> {
    let header = match raw.first()? {
        0xA0..=0xBF => 1,
        0xD9 => 2,
        0xDA => 3,
        0xDB => 5,
        _ => return None,
    };
    std::str::from_utf8(raw.get(header..)?).ok()
}
