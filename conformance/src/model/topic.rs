//! Topics and their hierarchy.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A topic within the namespace of its case: segments joined by `/`, which may be empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Topic(String);

impl Topic {
    /// The topic of a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its segments, at least one.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// The topics whose subscribers receive what is published here, itself not counted: made of its first
    /// segments, trailing empty segments dropped before (REQ-SUB-009).
    pub fn ancestors(&self) -> Vec<Topic> {
        let mut segments: Vec<&str> = self.segments().collect();
        while segments.last().is_some_and(|last| last.is_empty()) {
            segments.pop();
        }
        (1..segments.len()).map(|length| Topic(segments[..length].join("/"))).collect()
    }

    /// Whether a subscription to this topic receives what is published to `published`.
    pub fn covers(&self, published: &Topic) -> bool {
        self == published || published.ancestors().contains(self)
    }

    /// Whether a broker that folds case, or decodes twice, takes the two for one (REQ-TOP-001).
    pub fn is_twin_of(&self, other: &Topic) -> bool {
        self != other && fold(&self.0) == fold(&other.0)
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text without what such a broker overlooks: case, the accents of one letter, an escape.
fn fold(text: &str) -> String {
    text.to_lowercase().replace("%2f", "/").replace("e\u{301}", "é").replace("%61", "a")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of PROTOCOL.md, section 2.
    #[test]
    fn the_hierarchy_is_that_of_the_table() {
        for (subscribed, published, delivered) in [
            ("a", "a", true),
            ("a", "a/b", true),
            ("a", "a/b/c/d/e/f", true),
            ("a", "a//b", true),
            ("a", "a/b/", true),
            ("a", "ab", false),
            ("a", "A", false),
            ("a", "a/", false),
            ("a", "a//", false),
            ("a/b", "a", false),
            ("a/b", "a/c", false),
            ("a/b", "a/b/c", true),
            ("a/b", "a/b/", false),
            ("a/", "a/", true),
            ("a/", "a", false),
            ("a/", "a/b", false),
            ("a/", "a//b", true),
            ("a//", "a//b", false),
            ("/a", "/a", true),
            ("/a", "/a/b", true),
            ("/a", "a", false),
            ("0", "0/1", true),
        ] {
            let covers = Topic::new(subscribed).covers(&Topic::new(published));
            assert_eq!(covers, delivered, "{subscribed} {published}");
        }
    }

    #[test]
    fn twins_differ_by_what_must_count() {
        let twins = |a: &str, b: &str| Topic::new(a).is_twin_of(&Topic::new(b));
        assert!(twins("a/b", "A/b") && twins("é", "e\u{301}") && twins("a%2Fb", "a/b"));
        assert!(!twins("a", "a") && !twins("a", "ab"));
    }
}
