//! The sink that takes one value out of a dict, so that nothing has to be built of all the others.

use super::walk::Sink;
use super::{Serializer, transcode};

/// What stands at a place: all that is ever looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Bool(bool),
    Unsigned(u64),
    Text(String),
    Bytes(Vec<u8>),
}

/// The value of the last of `path` in the dict of the one before it, and so on; `None` if there is none, or if it is
/// neither of what [`Found`] has. Without a path it is the value that `bytes` are.
pub(crate) fn pick(serializer: Serializer, bytes: &[u8], path: &[&str]) -> Option<Found> {
    let mut pick = Pick { path, listens: true, ..Pick::QUIET };
    transcode::walk(serializer, bytes, &transcode::WIDEST, &mut pick).ok()?;
    pick.found
}

/// Whether there is a list at `path` that has `element`.
#[cfg(feature = "readers")]
pub(crate) fn list_has(serializer: Serializer, bytes: &[u8], path: &[&str], element: &str) -> bool {
    let mut pick = Pick { path, listens: true, element: Some(element), ..Pick::QUIET };
    transcode::walk(serializer, bytes, &transcode::WIDEST, &mut pick).is_ok() && pick.found.is_some()
}

/// Looks for one value, or for nothing at all.
pub(crate) struct Pick<'p> {
    listens: bool,
    path: &'p [&'p str],
    /// How many lists and dicts are open.
    depth: usize,
    /// How many keys of the path lead to here.
    matched: usize,
    /// Whether the next value is a key.
    key: bool,
    /// Whether the next value is an element of a list.
    item: bool,
    /// What is looked for in a list, if it is that.
    element: Option<&'p str>,
    found: Option<Found>,
}

impl Pick<'_> {
    /// Nobody listens, see [`check_only`](super::walk::check_only).
    pub(super) const QUIET: Self = Pick {
        listens: false,
        path: &[],
        depth: 0,
        matched: 0,
        key: false,
        item: false,
        element: None,
        found: None,
    };

    fn is_here(&self) -> bool {
        self.matched == self.path.len() && self.depth == self.matched && self.element.is_none()
    }

    fn put(&mut self, found: Found) {
        if !self.key && self.is_here() {
            self.found = Some(found);
        }
    }
}

impl Sink for Pick<'_> {
    const FLOATS: bool = false;

    fn listens(&self) -> bool {
        self.listens
    }

    fn null(&mut self) {}

    fn bool(&mut self, value: bool) {
        self.put(Found::Bool(value));
    }

    fn unsigned(&mut self, value: u64) {
        self.put(Found::Unsigned(value));
    }

    fn negative(&mut self, _: u64) {}
    fn big(&mut self, _: &str) {}
    fn float(&mut self, _: f64) {}

    fn text(&mut self, text: &str) {
        if self.key {
            if self.path.get(self.matched) == Some(&text) && self.depth == self.matched + 1 {
                self.matched += 1;
                // Of a key that was written twice, the last value counts.
                self.found = None;
            }
        } else if self.is_here() {
            self.found = Some(Found::Text(text.to_owned()));
        } else if self.item
            && self.matched == self.path.len()
            && self.depth == self.matched + 1
            && self.element == Some(text)
        {
            self.found = Some(Found::Bool(true));
        }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        if !self.key && self.is_here() {
            self.found = Some(Found::Bytes(bytes.to_owned()));
        }
    }

    fn list(&mut self, _: Option<usize>) -> usize {
        self.depth += 1;
        0
    }

    fn list_end(&mut self, _: usize, _: usize) {
        self.depth -= 1;
    }

    fn dict(&mut self, _: Option<usize>) -> usize {
        self.depth += 1;
        0
    }

    fn dict_end(&mut self, _: usize, _: usize) {
        self.depth -= 1;
        self.matched = self.matched.min(self.depth);
    }

    fn item(&mut self, _: bool) {
        self.item = true;
    }

    fn key(&mut self, _: bool) {
        self.key = true;
        self.matched = self.matched.min(self.depth - 1);
    }

    fn value(&mut self) {
        self.key = false;
        self.item = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_by_the_way_to_it() {
        let json = br#"{"a":{"b":[{"b":1}],"c":{"d":true,"e":"x"}},"c":{"d":false},"l":["bus","d"],"d":2}"#;
        let find = |path: &[&str]| pick(Serializer::Json, json, path);
        assert_eq!(find(&["a", "c", "d"]), Some(Found::Bool(true)));
        assert_eq!(find(&["a", "c", "e"]), Some(Found::Text("x".to_owned())));
        assert_eq!(find(&["c", "d"]), Some(Found::Bool(false)));
        assert_eq!(find(&["d"]), Some(Found::Unsigned(2)));
        for path in [&["a"][..], &["a", "b"], &["a", "b", "b"], &["a", "d"], &["l"], &["e"], &[]] {
            assert_eq!(find(path), None, "{path:?}");
        }
        assert_eq!(pick(Serializer::Json, b"\"\\u0041\"", &[]), Some(Found::Text("A".to_owned())));
        let has = |path: &[&str], element| list_has(Serializer::Json, json, path, element);
        assert!(has(&["l"], "bus") && has(&["l"], "d"));
        assert!(!has(&["l"], "l") && !has(&["a", "c"], "x") && !has(&["a", "c", "e"], "x"));
    }

    #[test]
    fn of_a_key_that_comes_twice_the_last_value_counts() {
        let find = |json: &[u8]| pick(Serializer::Json, json, &["a", "b"]);
        assert_eq!(find(br#"{"a":{"b":1,"b":2}}"#), Some(Found::Unsigned(2)));
        assert_eq!(find(br#"{"a":{"b":1,"b":null}}"#), None);
        assert_eq!(find(br#"{"a":{"b":1},"a":{"c":1}}"#), None);
        assert_eq!(find(br#"{"a":{"b":1},"a":3}"#), None);
        assert_eq!(find(br#"{"a":{"b":1},"c":{"b":3}}"#), Some(Found::Unsigned(1)));
    }
}
