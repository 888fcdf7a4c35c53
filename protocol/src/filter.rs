//! Topic filters: which topics a subscription wants.
//!
//! [`TopicFilter::matches`] is the definition of each form, plain and slow. A broker with many subscriptions keeps
//! them in a trie of segments instead, and [`TopicFilter::steps`], [`TopicFilter::end`] and
//! [`TopicFilter::hides_dollar`] tell it the way: take the steps one segment at a time, and where they are used up,
//! the end says which rest of the topic matches.

use std::fmt;
use std::sync::Arc;

use crate::topic::{Topic, TopicError, TopicLimits};
use crate::wamp_uri;

/// Which topics a subscription wants.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TopicFilter {
    /// The topic itself: WAMP's `match: exact`.
    Exact(Topic),
    /// The topic and everything below it, as Mercury's `/sub/T` (REQ-SUB-001, REQ-SUB-002): T itself, and every
    /// topic of which T is a proper prefix once that topic's trailing empty segments are dropped. So `a` takes
    /// `a/b`, `a//b` and `a/b/`, but not `a/`.
    Tree(Topic),
    /// An MQTT filter with `+` and `#` (MQTT 4.7).
    Mqtt(MqttFilter),
    /// WAMP's `match: prefix` (WAMP 14.2.1): every topic whose URI begins with this text.
    WampPrefix(WampPrefix),
    /// WAMP's `match: wildcard` (WAMP 14.2.2): empty components stand for any one.
    WampWildcard(WampWildcard),
}

/// An MQTT topic filter that follows the rules of MQTT 4.7.1.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MqttFilter {
    text: Arc<str>,
}

/// The beginning of a WAMP URI.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WampPrefix {
    uri: Arc<str>,
    /// The slash form of the components.
    path: Topic,
    /// Whether the last segment of `path` is only the beginning of one. It is not if its component is the escape
    /// of the empty segment, which nothing can follow within the component.
    open: bool,
}

/// A WAMP URI with empty components.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WampWildcard {
    uri: Arc<str>,
    /// The segments; `None` is any one.
    segments: Arc<[Option<Box<str>>]>,
}

/// What a filter asks of one segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step<'a> {
    /// This very segment.
    Literal(&'a str),
    /// Any segment, also an empty one.
    Any,
}

/// What a filter asks of the segments that follow its steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End<'a> {
    /// There is none.
    Exact,
    /// There is none, or at least one of them is not empty ([`TopicFilter::Tree`]).
    Tree,
    /// Anything, also none (MQTT's `#`).
    Hash,
    /// There is one that begins with this text, which may be empty; anything may follow.
    Prefix(&'a str),
}

/// Why a text is not a topic filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FilterError {
    /// An MQTT filter is empty (MQTT-4.7.3-1).
    #[error("the topic filter is empty: write # to receive everything")]
    Empty,
    /// An MQTT filter holds the character NUL (MQTT-4.7.3-2).
    #[error("the topic filter holds a NUL character: remove it")]
    Nul,
    /// A `+` that is not a whole level (MQTT-4.7.1-2).
    #[error("a + in the topic filter stands beside other characters: it must be a whole level, as in a/+/b")]
    Plus,
    /// A `#` that is not the whole last level (MQTT-4.7.1-1).
    #[error("a # in the topic filter is not the whole last level: write it only at the end, as in a/#")]
    Hash,
    /// The filter is over its limits, or not a WAMP URI.
    #[error(transparent)]
    Topic(#[from] TopicError),
}

impl TopicFilter {
    /// Reads an MQTT filter. The limits count its characters and levels. `$share` is not looked at: taking it
    /// off is up to the dialect.
    pub fn mqtt(text: &str, limits: &TopicLimits) -> Result<TopicFilter, FilterError> {
        if text.is_empty() {
            return Err(FilterError::Empty);
        }
        if text.contains('\0') {
            return Err(FilterError::Nul);
        }
        limits.check(text)?;
        let mut levels = text.split('/');
        let last = levels.next_back().unwrap_or_default();
        if levels.any(|level| level.contains('#')) || (last.contains('#') && last != "#") {
            return Err(FilterError::Hash);
        }
        if text.split('/').any(|level| level.contains('+') && level != "+") {
            return Err(FilterError::Plus);
        }
        Ok(TopicFilter::Mqtt(MqttFilter { text: Arc::from(text) }))
    }

    /// Reads a WAMP prefix: the beginning of a URI as [`Topic::to_wamp`] writes it. The empty text takes every
    /// topic, `a.` everything below `a`, and `a.b` also `a.bc`. It may not end within an escape.
    pub fn wamp_prefix(uri: &str, limits: &TopicLimits) -> Result<TopicFilter, FilterError> {
        let (whole, last) = match uri.rsplit_once('.') {
            Some((whole, last)) => (Some(whole), last),
            None => (None, uri),
        };
        let mut path = String::with_capacity(uri.len());
        for component in whole.into_iter().flat_map(|whole| whole.split('.')) {
            path.push_str(&wamp_uri::unescape(component)?);
            path.push('/');
        }
        let open = last != wamp_uri::EMPTY;
        if open {
            path.push_str(&wamp_uri::unescape_part(last)?);
        }
        let path = Topic::parse(&path, limits)?;
        Ok(TopicFilter::WampPrefix(WampPrefix { uri: Arc::from(uri), path, open }))
    }

    /// Reads a WAMP wildcard: a URI as [`Topic::to_wamp`] writes it, in which components may be empty.
    pub fn wamp_wildcard(uri: &str, limits: &TopicLimits) -> Result<TopicFilter, FilterError> {
        let segment = |component: &str| match component {
            "" => Ok(None),
            literal => wamp_uri::unescape(literal).map(|segment| Some(Box::from(segment.as_ref()))),
        };
        let segments: Arc<[Option<Box<str>>]> = uri.split('.').map(segment).collect::<Result<_, _>>()?;
        let path: Vec<&str> = segments.iter().map(|segment| segment.as_deref().unwrap_or_default()).collect();
        limits.check(&path.join("/"))?;
        Ok(TopicFilter::WampWildcard(WampWildcard { uri: Arc::from(uri), segments }))
    }

    /// Whether the filter takes a topic: the definition of each form.
    pub fn matches(&self, topic: &Topic) -> bool {
        match self {
            TopicFilter::Exact(wanted) => wanted == topic,
            TopicFilter::Tree(root) => {
                root == topic || topic.ancestors().any(|ancestor| ancestor == root.as_str())
            }
            TopicFilter::Mqtt(filter) => filter.matches(topic),
            TopicFilter::WampPrefix(prefix) => topic.to_wamp().starts_with(prefix.uri.as_ref()),
            TopicFilter::WampWildcard(wildcard) => {
                let uri = topic.to_wamp();
                let same = |(wanted, component): (&str, &str)| wanted.is_empty() || wanted == component;
                wildcard.uri.split('.').count() == topic.depth()
                    && wildcard.uri.split('.').zip(uri.split('.')).all(same)
            }
        }
    }

    /// What the filter asks of the first segments, one step for each. A topic with fewer segments does not match.
    pub fn steps(&self) -> impl Iterator<Item = Step<'_>> {
        let (path, wildcard): (Option<&str>, &[Option<Box<str>>]) = match self {
            TopicFilter::Exact(topic) | TopicFilter::Tree(topic) => (Some(topic.as_str()), &[]),
            TopicFilter::Mqtt(filter) => (filter.before_hash(), &[]),
            TopicFilter::WampPrefix(prefix) => (prefix.whole_segments(), &[]),
            TopicFilter::WampWildcard(wildcard) => (None, &wildcard.segments),
        };
        let has_plus = matches!(self, TopicFilter::Mqtt(_));
        let of_path = path.into_iter().flat_map(|path| path.split('/')).map(move |segment| match segment {
            "+" if has_plus => Step::Any,
            literal => Step::Literal(literal),
        });
        let of_wildcard = wildcard.iter().map(|segment| segment.as_deref().map_or(Step::Any, Step::Literal));
        of_path.chain(of_wildcard)
    }

    /// What the filter asks of the segments after the steps.
    pub fn end(&self) -> End<'_> {
        match self {
            TopicFilter::Tree(_) => End::Tree,
            TopicFilter::Mqtt(filter) if filter.has_hash() => End::Hash,
            TopicFilter::Exact(_) | TopicFilter::WampWildcard(_) | TopicFilter::Mqtt(_) => End::Exact,
            TopicFilter::WampPrefix(prefix) if prefix.open => {
                End::Prefix(prefix.path.segments().next_back().unwrap_or_default())
            }
            TopicFilter::WampPrefix(_) => End::Hash,
        }
    }

    /// Whether topics whose text begins with `$` never match, although steps and end let them pass: so it is for
    /// MQTT filters that begin with a wildcard (MQTT-4.7.2-1).
    pub fn hides_dollar(&self) -> bool {
        matches!(self, TopicFilter::Mqtt(filter) if filter.text.starts_with(['+', '#']))
    }
}

impl fmt::Display for TopicFilter {
    /// The text of the filter in its own form.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            TopicFilter::Exact(topic) | TopicFilter::Tree(topic) => topic.as_str(),
            TopicFilter::Mqtt(filter) => &filter.text,
            TopicFilter::WampPrefix(prefix) => &prefix.uri,
            TopicFilter::WampWildcard(wildcard) => &wildcard.uri,
        })
    }
}

impl MqttFilter {
    /// The text of the filter.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// MQTT 4.7, level by level.
    fn matches(&self, topic: &Topic) -> bool {
        if self.text.starts_with(['+', '#']) && topic.as_str().starts_with('$') {
            return false;
        }
        let mut segments = topic.segments();
        for level in self.text.split('/') {
            if level == "#" {
                return true;
            }
            match segments.next() {
                Some(segment) if level == "+" || level == segment => {}
                _ => return false,
            }
        }
        segments.next().is_none()
    }

    fn has_hash(&self) -> bool {
        self.text.ends_with('#')
    }

    /// The levels before the `#`; all of them if there is none. `None`: there are no levels before it.
    fn before_hash(&self) -> Option<&str> {
        match self.text.strip_suffix('#') {
            Some(levels) => levels.strip_suffix('/'),
            None => Some(&self.text),
        }
    }
}

impl WampPrefix {
    /// The beginning of the URIs that match.
    pub fn as_str(&self) -> &str {
        &self.uri
    }

    /// The slash form of the segments that are whole. `None`: there are none.
    fn whole_segments(&self) -> Option<&str> {
        if !self.open {
            return Some(self.path.as_str());
        }
        self.path.as_str().rsplit_once('/').map(|(whole, _)| whole)
    }
}

impl WampWildcard {
    /// The URI with its empty components.
    pub fn as_str(&self) -> &str {
        &self.uri
    }
}
