//! The components of WAMP URIs: how a topic segment is written in one, and read back.
//!
//! Invariant: `unescape(component) == Ok(segment)` exactly if `escape_into` writes `component` for `segment`.

use std::borrow::Cow;

use http_percent::percent_decode_str;

use crate::topic::TopicError;

/// The component of an empty segment. 0xFF is no byte of any UTF-8 text, so nothing else is written like this.
pub(crate) const EMPTY: &str = "%FF";

/// Appends the component that stands for `segment`.
pub(crate) fn escape_into(segment: &str, uri: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    if segment.is_empty() {
        uri.push_str(EMPTY);
    }
    for character in segment.chars() {
        if !needs_escape(character) {
            uri.push(character);
            continue;
        }
        for byte in character.encode_utf8(&mut [0; 4]).bytes() {
            uri.push('%');
            uri.push(char::from(HEX[usize::from(byte >> 4)]));
            uri.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

/// The segment that `component` (a text without `.`) stands for.
pub(crate) fn unescape(component: &str) -> Result<Cow<'_, str>, TopicError> {
    if component.is_empty() {
        return Err(TopicError::EmptyComponent);
    }
    if component == EMPTY {
        return Ok(Cow::Borrowed(""));
    }
    unescape_part(component)
}

/// Like [`unescape`] for the beginning of a component, which may be empty and is never the empty segment's.
pub(crate) fn unescape_part(part: &str) -> Result<Cow<'_, str>, TopicError> {
    if part.contains('/') {
        return Err(TopicError::Slash);
    }
    if let Some(character) = part.chars().find(|&character| character != '%' && needs_escape(character)) {
        return Err(TopicError::Unescaped { character });
    }
    if !part.contains('%') {
        return Ok(Cow::Borrowed(part));
    }
    let segment = percent_decode_str(part).decode_utf8().map_err(|_| TopicError::BadEscape)?;
    // Only what escape_into writes is accepted: this alone makes the escape canonical.
    let mut canonical = String::with_capacity(part.len());
    escape_into(&segment, &mut canonical);
    if canonical == part { Ok(segment) } else { Err(TopicError::BadEscape) }
}

/// Whether a component may not hold this character as it is. WAMP 5.1.1 forbids white space, `.` and `#`; what
/// counts as white space differs between languages (Python's `\s` takes control characters, JavaScript's the byte
/// order mark), so all of those are escaped.
fn needs_escape(character: char) -> bool {
    matches!(character, '.' | '%' | '#' | '\u{FEFF}') || character.is_whitespace() || character.is_control()
}
