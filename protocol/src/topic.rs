//! Topics: lists of segments, and their two text forms.
//!
//! A topic has one or more segments. A segment may be empty and may hold any character but `/`. The slash form
//! (`a/b`) is the canonical text: every text is the slash form of exactly one topic, the empty text being one
//! empty segment. Topics differ by case and by every code point; nothing is normalised (REQ-TOP-001).
//!
//! The dot form (`a.b`) is for WAMP. What a WAMP component may not hold is escaped, see [`Topic::to_wamp`].

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use crate::wamp_uri;

/// How long and how deep a topic may be (REQ-TOP-002).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopicLimits {
    /// The most characters (Unicode scalar values, not bytes) of the slash form.
    pub max_chars: usize,
    /// The most segments.
    pub max_depth: usize,
}

impl TopicLimits {
    /// No limits at all: for texts that were checked before.
    pub const UNLIMITED: TopicLimits = TopicLimits { max_chars: usize::MAX, max_depth: usize::MAX };

    /// Checks `text`, the slash form of a topic or filter.
    pub(crate) fn check(&self, text: &str) -> Result<(), TopicError> {
        // A character has at least one byte, so short texts need no count.
        if text.len() > self.max_chars && text.chars().count() > self.max_chars {
            return Err(TopicError::TooLong { max_chars: self.max_chars });
        }
        if depth(text) > self.max_depth {
            return Err(TopicError::TooDeep { max_depth: self.max_depth });
        }
        Ok(())
    }
}

impl Default for TopicLimits {
    /// 1024 characters and 64 segments.
    fn default() -> Self {
        TopicLimits { max_chars: 1024, max_depth: 64 }
    }
}

/// Why a text is not a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TopicError {
    /// More characters than [`TopicLimits::max_chars`].
    #[error("the topic is too long: use at most {max_chars} characters")]
    TooLong {
        /// The limit that was exceeded.
        max_chars: usize,
    },
    /// More segments than [`TopicLimits::max_depth`].
    #[error("the topic is too deep: use at most {max_depth} segments")]
    TooDeep {
        /// The limit that was exceeded.
        max_depth: usize,
    },
    /// A component of a WAMP URI is empty.
    #[error("a component of the URI is empty: write %FF for an empty segment")]
    EmptyComponent,
    /// A component of a WAMP URI holds a `/`, which no segment can.
    #[error("the URI holds a slash: separate its components with dots")]
    Slash,
    /// A component of a WAMP URI holds a character that must be escaped there.
    #[error("the URI holds {character:?}: write it as a percent escape")]
    Unescaped {
        /// The first such character.
        character: char,
    },
    /// A `%` in a WAMP URI that does not begin an escape which [`Topic::to_wamp`] writes.
    #[error(
        "a % in the URI begins no escape that stands here: escape only what needs it, in upper case, \
         and write % itself as %25"
    )]
    BadEscape,
}

/// A topic. Cloning is cheap: the text is shared.
///
/// `Eq`, `Ord` and `Hash` are those of the slash form, so that a map with `Topic` keys can be asked with a `&str`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Topic {
    /// The slash form.
    text: Arc<str>,
}

impl Topic {
    /// The topic with this slash form, without any limit: for texts that are trusted or were checked before.
    pub fn new(text: &str) -> Topic {
        Topic { text: Arc::from(text) }
    }

    /// The topic with this slash form, if it is within the limits (REQ-TOP-002).
    pub fn parse(text: &str, limits: &TopicLimits) -> Result<Topic, TopicError> {
        limits.check(text)?;
        Ok(Topic::new(text))
    }

    /// The topic with this dot form: the inverse of [`Topic::to_wamp`]. The limits apply to the slash form.
    ///
    /// What `to_wamp` never writes is refused, so two URIs never name the same topic: empty components, a `/`, an
    /// unescaped `#`, white space or control character, and any `%` that does not begin a canonical escape.
    pub fn from_wamp(uri: &str, limits: &TopicLimits) -> Result<Topic, TopicError> {
        let mut text = String::with_capacity(uri.len());
        for (index, component) in uri.split('.').enumerate() {
            if index > 0 {
                text.push('/');
            }
            text.push_str(&wamp_uri::unescape(component)?);
        }
        Topic::parse(&text, limits)
    }

    /// The dot form: segments are joined by `.`, and what may not stand in a component of a WAMP URI (WAMP 5.1.1)
    /// is escaped. Reversible, and canonical: one topic, one URI.
    ///
    /// Escaped are `.`, `%`, `#`, white space and control characters: each byte of their UTF-8 becomes `%` and two
    /// upper-case hexadecimal digits. An empty segment becomes `%FF`, a byte that no UTF-8 text holds.
    ///
    /// ```
    /// # use petasus_protocol::Topic;
    /// assert_eq!(Topic::new("wong/amy").to_wamp(), "wong.amy");
    /// assert_eq!(Topic::new("v1.0//100%").to_wamp(), "v1%2E0.%FF.100%25");
    /// ```
    pub fn to_wamp(&self) -> String {
        let mut uri = String::with_capacity(self.text.len());
        for (index, segment) in self.segments().enumerate() {
            if index > 0 {
                uri.push('.');
            }
            wamp_uri::escape_into(segment, &mut uri);
        }
        uri
    }

    /// The slash form.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The segments, from the root down. There is at least one; any may be empty.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.text.split('/')
    }

    /// The number of segments: 1 or more.
    pub fn depth(&self) -> usize {
        depth(&self.text)
    }

    /// The slash forms of the topics above this one whose Mercury subscribers receive what is published here,
    /// the root first; the topic itself is not among them (REQ-SUB-001).
    ///
    /// Mercury drops trailing empty segments before it walks up, so `a/` has no ancestor, while `a//b` has `a` and
    /// `a/`.
    pub fn ancestors(&self) -> impl Iterator<Item = &str> {
        let trimmed = self.text.trim_end_matches('/');
        trimmed.match_indices('/').map(|(index, _)| &trimmed[..index])
    }
}

/// The number of segments of a slash form.
fn depth(text: &str) -> usize {
    text.bytes().filter(|&byte| byte == b'/').count() + 1
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl AsRef<str> for Topic {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl Borrow<str> for Topic {
    fn borrow(&self) -> &str {
        &self.text
    }
}
