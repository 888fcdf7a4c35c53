//! JSON (RFC 8259).

#[cfg(any(test, not(feature = "float-tables")))]
mod divided;
mod range;
mod reader;
mod writer;

pub(crate) use reader::Reader;
pub(crate) use writer::{Writer, list_header};

/// See [`Serializer::as_str`](super::Serializer::as_str).
pub(crate) const NAME: &str = "json";
/// See [`Serializer::subprotocol`](super::Serializer::subprotocol): the plain one and the batched one.
pub(crate) const SUBPROTOCOLS: [&str; 2] = ["wamp.2.json", "wamp.2.json.batched"];
/// See [`Serializer::rawsocket`](super::Serializer::rawsocket).
pub(crate) const RAWSOCKET: u8 = 1;
/// The usual empty dict.
pub(crate) const EMPTY_DICT: &[u8] = b"{}";

/// The integer that checked JSON holds, if it is in range.
pub(crate) fn unsigned(raw: &[u8]) -> Option<u64> {
    std::str::from_utf8(raw).ok()?.parse().ok()
}

/// The float that a number of checked JSON stands for; infinity if it is beyond the range.
pub(crate) fn float(number: &str) -> f64 {
    #[cfg(feature = "float-tables")]
    return number.parse().unwrap_or(f64::INFINITY);
    #[cfg(not(feature = "float-tables"))]
    divided::divided(number)
}

/// The text that checked JSON holds, unless it has escapes.
pub(crate) fn plain_text(raw: &[u8]) -> Option<&str> {
    let inner = raw.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    if plain_len(inner) < inner.len() { None } else { std::str::from_utf8(inner).ok() }
}

/// How many bytes come before a quote, a backslash or a control character.
fn plain_len(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const TOPS: u64 = ONES << 7;
    // Eight bytes at a time: a byte is 0 exactly if subtracting 1 borrows into its top bit, and below 0x20 if
    // subtracting 0x20 does. A borrow may spoil bytes after (never before) a true hit, so the first one is true.
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word;
    let mut len = 0;
    while let Some(chunk) = bytes.get(len..len + 8) {
        let word = u64::from_le_bytes(chunk.try_into().expect("eight bytes"));
        let quote = zeros(word ^ (ONES * u64::from(b'"')));
        let backslash = zeros(word ^ (ONES * u64::from(b'\\')));
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let hits = (quote | backslash | control) & TOPS;
        if hits != 0 {
            return len + hits.trailing_zeros() as usize / 8;
        }
        len += 8;
    }
    let special = |&byte: &u8| matches!(byte, b'"' | b'\\' | 0..=0x1F);
    len + bytes[len..].iter().position(special).unwrap_or(bytes.len() - len)
}
