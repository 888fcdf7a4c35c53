//! Messages of a router as a driver tells them that has read them itself, by the parser of its language.
//!
//! A page has a parser of JSON, and no room for a second one. It tells the session an *outline* of a message: all that
//! the session may have to know, and of arguments only that they are there. They stay with the driver, under a number
//! which is the first element of the outline, and which is what the session has for a content.
//!
//! ```text
//! outline = number *( U+0000 element )
//! element = "n" digits        an integer from 0 to 2^53
//!         / "t" text
//!         / "l" [ text ]      a list, and its first element if that is a text
//!         / "d" *entry        a dict
//!         / "-"               null
//!         / "x"               anything else
//! entry   = U+0001 path U+0002 ( "n" digits / "t" text / "b" / "x" )      "b" is true
//! ```
//!
//! A path is the keys, from the outer to the inner, with dots between them; each element of a list is an entry under
//! the path of the list. A dict of arguments has no entries. Texts do not hold U+0000 to U+0002: the driver writes U+FFFD
//! instead. What follows other rules is found in no place, and nothing worse happens.

use bytes::Bytes;

use super::codec::{Kind, MAX_ID, REQUEST_TYPES};
use super::pick::Found;
use super::{Payload, Serializer};

/// What begins an element.
const ELEMENT: u8 = 0;
/// What begins an entry of a dict.
const ENTRY: u8 = 1;
/// What stands between the path of an entry and its value.
const VALUE: u8 = 2;

/// An outline. Its elements have the numbers that they have in the message.
#[derive(Clone, Debug)]
pub(crate) struct Outline<'a>(&'a Bytes);

impl<'a> Outline<'a> {
    pub(super) fn new(bytes: &'a Bytes) -> Outline<'a> {
        Outline(bytes)
    }

    /// Element `index` if it is an integer.
    pub(super) fn number(&self, index: usize) -> Option<u64> {
        number(self.element(index)?.strip_prefix(b"n")?)
    }

    /// Element `index` if it is a text.
    pub(super) fn text(&self, index: usize) -> Option<&'a str> {
        text(self.element(index)?.strip_prefix(b"t")?)
    }

    /// The entries of element `index`.
    pub(super) fn entries(&self, index: usize) -> Bytes {
        let entries = self.element(index).and_then(|element| element.strip_prefix(b"d"));
        self.0.slice_ref(entries.unwrap_or_default())
    }

    /// The first element of the list in element `index`, if that is a text.
    pub(super) fn first_text(&self, index: usize) -> Option<&'a str> {
        text(self.element(index)?.strip_prefix(b"l")?)
    }

    /// The number under which the driver keeps the arguments, if there is an element `index`.
    pub(super) fn payload(&self, index: usize) -> Payload {
        if self.element(index).is_none() {
            return Payload::empty();
        }
        let number = self.parts().next().unwrap_or_default();
        Payload { serializer: Serializer::Json, args: Some(self.0.slice_ref(number)), kwargs: None }
    }

    /// The place of the first element that is not what `fields`, which follow the message type, have it be.
    pub(super) fn misfit(&self, fields: &[Kind]) -> Option<usize> {
        let mut index = 1;
        for kind in fields {
            if !self.fits(*kind, index) {
                return Some(index);
            }
            index += kind.width();
        }
        self.element(index).map(|_| index)
    }

    fn fits(&self, kind: Kind, index: usize) -> bool {
        let is_if_there =
            |index, letters: &[u8]| self.element(index).is_none_or(|element| letters.contains(&element[0]));
        let number = self.number(index);
        match kind {
            Kind::Request => number.is_some_and(|id| id > 0),
            Kind::Id => number.is_some(),
            Kind::RequestType => number.is_some_and(|code| REQUEST_TYPES.contains(&code)),
            Kind::Text => self.text(index).is_some(),
            Kind::Details => self.element(index).is_some() && is_if_there(index, b"d"),
            Kind::OptionalDetails => is_if_there(index, b"d"),
            Kind::Arguments => is_if_there(index, b"l-") && is_if_there(index + 1, b"d-"),
        }
    }

    /// An element that says nothing at all is as good as none.
    fn element(&self, index: usize) -> Option<&'a [u8]> {
        self.parts().nth(index + 1).filter(|element| !element.is_empty())
    }

    fn parts(&self) -> impl Iterator<Item = &'a [u8]> {
        let bytes: &'a [u8] = self.0;
        bytes.split(|byte| *byte == ELEMENT)
    }
}

/// The first value under a path, in the entries of a dict.
pub(super) fn pick(entries: &[u8], path: &[&str]) -> Option<Found> {
    let path = path.join(".");
    let value = values(entries, &path).next()?;
    match value.split_first()? {
        (b't', rest) => Some(Found::Text(text(rest)?.to_owned())),
        (b'n', rest) => number(rest).map(Found::Unsigned),
        (b'b', _) => Some(Found::Bool(true)),
        _ => None,
    }
}

/// Whether the list under a key has this text.
pub(super) fn list_has(entries: &[u8], key: &str, element: &str) -> bool {
    values(entries, key).any(|value| value.strip_prefix(b"t") == Some(element.as_bytes()))
}

/// The values under a path.
fn values<'a>(entries: &'a [u8], path: &str) -> impl Iterator<Item = &'a [u8]> {
    entries
        .split(|byte| *byte == ENTRY)
        .filter_map(|entry| entry.strip_prefix(path.as_bytes())?.strip_prefix(&[VALUE]))
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// What digits say: at most 2^53.
fn number(digits: &[u8]) -> Option<u64> {
    let mut number: u64 = 0;
    for digit in digits {
        number = number * 10 + u64::from(digit.checked_sub(b'0').filter(|digit| *digit < 10)?);
        if number > MAX_ID {
            return None;
        }
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// INVOCATION with a list of arguments that begins with `a`.
    const INVOCATION: &[u8] =
        b"7\0n68\0n5\0n1000\0d\x01procedure\x02tcom.a\x01roles.x.y\x02b\x01list\x02ta\x01list\x02tb\x01to\x02x\0la\0d";

    #[test]
    fn elements_are_found() {
        let bytes = Bytes::from_static(INVOCATION);
        let outline = Outline::new(&bytes);
        assert_eq!((outline.number(0), outline.number(2), outline.number(3)), (Some(68), Some(1000), None));
        assert_eq!((outline.first_text(4), outline.text(4)), (Some("a"), None));
        assert_eq!(outline.payload(4).args.as_deref(), Some(&b"7"[..]));
        assert!(outline.payload(6).is_empty());
        let entries = outline.entries(3);
        assert_eq!(pick(&entries, &["procedure"]), Some(Found::Text("com.a".to_owned())));
        assert_eq!(pick(&entries, &["roles", "x", "y"]), Some(Found::Bool(true)));
        assert_eq!((pick(&entries, &["proc"]), pick(&entries, &["to"])), (None, None));
        assert!(list_has(&entries, "list", "b") && !list_has(&entries, "list", "c"));
        assert!(outline.entries(1).is_empty() && outline.entries(9).is_empty());
    }

    #[test]
    fn a_message_of_another_form_is_seen() {
        let fields = &[Kind::Request, Kind::Id, Kind::Details, Kind::Arguments];
        let misfit = |text: &'static str| Outline::new(&Bytes::from_static(text.as_bytes())).misfit(fields);
        for good in ["7\0n68\0n5\0n1\0d", "7\0n68\0n5\0n1\0d\0l", "7\0n68\0n5\0n1\0d\0-\0d"] {
            assert_eq!(misfit(good), None, "{good:?}");
        }
        for (bad, place) in [
            ("", 1),
            ("7\0n68\0n0\0n1\0d", 1),
            ("7\0n68\0n5\0tx\0d", 2),
            ("7\0n68\0n5\0n9007199254740993\0d", 2),
            ("7\0n68\0n5\0n99999999999999999999999\0d", 2),
            ("7\0n68\0n5\0n1x\0d", 2),
            ("7\0n68\0n5\0n1", 3),
            ("7\0n68\0n5\0n1\0d\0d", 4),
            ("7\0n68\0n5\0n1\0d\0l\0l", 4),
            ("7\0n68\0n5\0n1\0d\0l\0d\0n1", 6),
        ] {
            assert_eq!(misfit(bad), Some(place), "{bad:?}");
        }
    }
}
