//! Mercury's endpoint URLs: `/bus/T`, `/pub/T`, `/sub/T`, `/push/T` and `/pull/T`.
//!
//! The path is percent-decoded first, as a whole and once, and then routed: `/s%75b/a` is `/sub/a`, `%2F` is a
//! separator, `%252F` is the text `%2F`, and `+` is a plus. The topic is everything after the second slash, empty
//! segments included. Nothing is normalised, and the prefix is case-sensitive (REQ-TOP-001, REQ-TOP-004).

use std::borrow::Cow;
use std::fmt;

use http_percent::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use crate::topic::{Topic, TopicError, TopicLimits};

/// What is escaped in a path beside everything outside ASCII: all that RFC 3986 3.3 does not allow in a path
/// segment.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// What a connection or POST does on its topic.
///
/// Buses, publishing and queues are separate namespaces: the same topic names three unrelated things (REQ-TOP-003).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// A peer: sends to, and receives from, every other peer.
    Bus,
    /// A publisher.
    Pub,
    /// A subscriber of the topic and everything below it.
    Sub,
    /// Puts messages on a queue.
    Push,
    /// Takes messages from a queue, in turn with the others.
    Pull,
}

impl Role {
    /// All roles.
    pub const ALL: [Role; 5] = [Role::Bus, Role::Pub, Role::Sub, Role::Push, Role::Pull];

    /// The first part of the path, without slashes: `bus`, `pub`, `sub`, `push` or `pull`.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Bus => "bus",
            Role::Pub => "pub",
            Role::Sub => "sub",
            Role::Push => "push",
            Role::Pull => "pull",
        }
    }

    /// Whether this role sends messages, by WebSocket or by POST: bus, pub and push (REQ-HTTP-001).
    pub fn sends(self) -> bool {
        matches!(self, Role::Bus | Role::Pub | Role::Push)
    }

    /// Whether this role receives messages: bus, sub and pull.
    pub fn receives(self) -> bool {
        matches!(self, Role::Bus | Role::Sub | Role::Pull)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why the target of a request names no endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// The path begins with none of the five prefixes (HTTP 404).
    #[error("nothing is here: use /bus/TOPIC, /pub/TOPIC, /sub/TOPIC, /push/TOPIC or /pull/TOPIC")]
    NotFound,
    /// The prefix stands alone (HTTP 404).
    #[error("the path names no topic: add one after the second slash")]
    NoTopic,
    /// A `%` without two hexadecimal digits (HTTP 400).
    #[error("the path holds a % without two hexadecimal digits: write % itself as %25")]
    BadEscape,
    /// The decoded path is not UTF-8 (HTTP 400).
    #[error("the path is not UTF-8: percent-encode the bytes of its UTF-8 form")]
    NotUtf8,
    /// The topic is over its limits (HTTP 400).
    #[error(transparent)]
    Topic(#[from] TopicError),
}

impl From<PathError> for EndpointError {
    fn from(error: PathError) -> Self {
        match error {
            PathError::BadEscape => EndpointError::BadEscape,
            PathError::NotUtf8 => EndpointError::NotUtf8,
        }
    }
}

/// Why a path cannot be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// A `%` without two hexadecimal digits.
    #[error("the path holds a % without two hexadecimal digits: write % itself as %25")]
    BadEscape,
    /// The decoded path is not UTF-8 (REQ-TOP-002).
    #[error("the path is not UTF-8: percent-encode the bytes of its UTF-8 form")]
    NotUtf8,
}

/// What a Mercury URL names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// What is done on the topic.
    pub role: Role,
    /// The topic; its text is never empty if it came from [`Endpoint::new`] or [`Endpoint::parse`].
    pub topic: Topic,
    /// Whether a bus peer hears itself (`?echo=1`); `false` for the other roles (REQ-BUS-002).
    pub echo: bool,
}

impl Endpoint {
    /// The endpoint of a topic, without echo. [`EndpointError::NoTopic`] if the topic's text is empty: Mercury's
    /// URLs cannot name that one.
    pub fn new(role: Role, topic: Topic) -> Result<Endpoint, EndpointError> {
        if topic.as_str().is_empty() {
            return Err(EndpointError::NoTopic);
        }
        Ok(Endpoint { role, topic, echo: false })
    }

    /// Reads the target of a request in origin form (RFC 9112 3.2.1), such as `/bus/a/b?echo=1`. The query is no
    /// part of the topic.
    pub fn parse(path_and_query: &str, limits: &TopicLimits) -> Result<Endpoint, EndpointError> {
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        let path = decode_path(path)?;
        let rest = path.strip_prefix('/').ok_or(EndpointError::NotFound)?;
        let (prefix, topic) = rest.split_once('/').unwrap_or((rest, ""));
        let role =
            Role::ALL.into_iter().find(|role| role.as_str() == prefix).ok_or(EndpointError::NotFound)?;
        let mut endpoint = Endpoint::new(role, Topic::parse(topic, limits)?)?;
        endpoint.echo = role == Role::Bus && echo(query);
        Ok(endpoint)
    }

    /// The path, with `?echo=1` if this is a bus with echo, escaped so that [`Endpoint::parse`] gives the same
    /// endpoint back.
    ///
    /// Browsers take `.` and `..` segments out of every URL, escaped or not; no URL can carry such topics from
    /// there.
    pub fn to_path_and_query(&self) -> String {
        let topic = encode_path(self.topic.as_str());
        let query = if self.echo && self.role == Role::Bus { "?echo=1" } else { "" };
        ["/", self.role.as_str(), "/", &topic, query].concat()
    }
}

/// Percent-decodes a whole path, once. `+` stays a plus (REQ-TOP-001).
///
/// Every `%` must begin an escape, and the result must be UTF-8 (REQ-TOP-002).
pub fn decode_path(path: &str) -> Result<String, PathError> {
    let mut escapes = path.split('%');
    // What stands before the first `%` is no escape.
    escapes.next();
    let is_escape = |text: &str| text.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
    if !escapes.all(is_escape) {
        return Err(PathError::BadEscape);
    }
    percent_decode_str(path).decode_utf8().map(Cow::into_owned).map_err(|_| PathError::NotUtf8)
}

/// Percent-encodes a path so that [`decode_path`] gives it back. Slashes stay.
pub fn encode_path(path: &str) -> String {
    // Formatting would do the same, with more code.
    utf8_percent_encode(path, PATH).collect()
}

/// Whether a query asks for echo, by Mercury's rule: of several `echo` the last one counts, and it is true unless
/// it is empty or `0`. So `false`, `no`, `00` and a space are true.
fn echo(query: &str) -> bool {
    let mut values = query.split('&').filter_map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (form_decode(name).as_slice() == b"echo").then_some(value)
    });
    values.next_back().is_some_and(|value| !matches!(form_decode(value).as_slice(), b"" | b"0"))
}

/// Decodes a name or value of a query as forms write them: `+` is a space; a `%` that begins no escape is itself.
fn form_decode(text: &str) -> Vec<u8> {
    percent_decode_str(&text.replace('+', " ")).collect()
}
