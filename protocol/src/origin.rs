//! Which web pages may connect: the check of the `Origin` header.
//!
//! A policy is a list of patterns, and one that matches is enough (REQ-ORG-005). There are two readings of a
//! pattern, see [`OriginMatch`].

use std::fmt;

/// How patterns are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OriginMatch {
    /// `[scheme "://"] host [":" port]`, compared part by part: the default.
    ///
    /// * Scheme and host are compared whole and without regard to case (REQ-ORG-007); `*` in them is any run of
    ///   characters of that part; everything else is literal (REQ-ORG-008).
    /// * A bare name, one with neither a scheme nor a `*`, also covers its sub-domains: `example.com` covers
    ///   `www.example.com`, never `notexample.com` or `example.com.evil.org` (REQ-ORG-006).
    /// * No scheme, or no port, is any; port `*` is any, also none. A port that the origin leaves out is its
    ///   scheme's default port, which browsers never send (REQ-ORG-009).
    /// * `*` alone covers every origin, even `null` or one that is no URL; `null` covers exactly the origin `null`.
    #[default]
    Strict,
    /// Perl Mercury's reading: the pattern is found anywhere in the origin, by case, with `*` for any run of
    /// characters. `example.com` lets `http://notexample.com` and `http://example.com.evil.org` in: use it only
    /// where an old configuration needs it.
    Mercury,
}

/// Why a text is not an origin pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OriginError {
    /// The pattern is empty.
    #[error("an origin pattern is empty: remove it, or write * to accept every origin")]
    Empty,
    /// The scheme before `://` is empty or holds a character that no scheme has.
    #[error("the scheme of origin pattern {pattern:?} is not one: write http://, https:// or *://")]
    Scheme {
        /// The pattern at fault.
        pattern: String,
    },
    /// The host is empty or holds a character that no origin has there.
    #[error(
        "the host of origin pattern {pattern:?} is not one: write a name such as *.example.com, in ASCII \
             (xn--) and without path, slash or spaces"
    )]
    Host {
        /// The pattern at fault.
        pattern: String,
    },
    /// The port is neither `*` nor a number.
    #[error("the port of origin pattern {pattern:?} is not one: write a number from 1 to 65535, or *")]
    Port {
        /// The pattern at fault.
        pattern: String,
    },
}

/// One pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginPattern {
    text: String,
    rule: Rule,
}

/// A pattern, read.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Rule {
    /// Strict `*`.
    Any,
    /// Strict `null`.
    Null,
    /// Everything else that is strict.
    Parts { scheme: Option<Glob>, host: HostRule, port: Option<u16> },
    /// Mercury's: found in the origin in this order, without overlap. Stands for `*PIECE*PIECE*`.
    Pieces(Vec<String>),
}

/// What a strict pattern says of the host; in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
enum HostRule {
    /// This name and its sub-domains.
    Domain(String),
    /// Hosts of this form.
    Glob(Glob),
}

impl OriginPattern {
    /// Reads a pattern.
    pub fn parse(text: &str, mode: OriginMatch) -> Result<OriginPattern, OriginError> {
        if text.is_empty() {
            return Err(OriginError::Empty);
        }
        let rule = match (mode, text) {
            (OriginMatch::Mercury, _) => Rule::Pieces(text.split('*').map(str::to_owned).collect()),
            (OriginMatch::Strict, "*") => Rule::Any,
            (OriginMatch::Strict, "null") => Rule::Null,
            (OriginMatch::Strict, _) => parse_parts(text)?,
        };
        Ok(OriginPattern { text: text.to_owned(), rule })
    }

    /// Whether the pattern covers this origin. Takes time in proportion to the lengths of both, whatever they hold.
    ///
    /// An empty origin and the origin `0` are no origins: Mercury refuses them even for `*`, and so does this.
    pub fn matches(&self, origin: &str) -> bool {
        if matches!(origin, "" | "0") {
            return false;
        }
        match &self.rule {
            Rule::Any => true,
            Rule::Null => origin == "null",
            Rule::Parts { scheme, host, port } => {
                Origin::parse(&origin.to_ascii_lowercase()).is_some_and(|origin| {
                    scheme.as_ref().is_none_or(|glob| glob.matches(origin.scheme))
                        && host.matches(origin.host)
                        && port.is_none_or(|port| origin.port == Some(port))
                })
            }
            Rule::Pieces(pieces) => find_in_order(pieces, origin).is_some(),
        }
    }
}

impl fmt::Display for OriginPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

/// The patterns of a listener. The default is [`OriginPolicy::any`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OriginPolicy {
    /// Empty: no rule.
    patterns: Vec<OriginPattern>,
}

impl OriginPolicy {
    /// The policy that accepts one of these patterns. No patterns are no rule, as with [`OriginPolicy::any`].
    pub fn new(patterns: &[String], mode: OriginMatch) -> Result<OriginPolicy, OriginError> {
        let patterns = patterns.iter().map(|text| OriginPattern::parse(text, mode));
        Ok(OriginPolicy { patterns: patterns.collect::<Result<_, _>>()? })
    }

    /// No rule: any origin is allowed, and none (REQ-ORG-001).
    pub fn any() -> OriginPolicy {
        OriginPolicy::default()
    }

    /// Whether there is no rule.
    pub fn is_open(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Whether a request with this `Origin` header, or without one, is allowed. With a rule, a missing origin is
    /// refused (REQ-ORG-002). Give the header's value as it came; several headers are joined by `, `.
    pub fn allows(&self, origin: Option<&str>) -> bool {
        self.is_open()
            || origin.is_some_and(|origin| self.patterns.iter().any(|pattern| pattern.matches(origin)))
    }
}

/// An origin (RFC 6454 6.2), in lower case.
struct Origin<'a> {
    scheme: &'a str,
    host: &'a str,
    /// The scheme's own if the origin leaves it out; `None` if that is unknown.
    port: Option<u16>,
}

impl<'a> Origin<'a> {
    /// `None` for `null` and everything else that does not name a host.
    fn parse(text: &'a str) -> Option<Origin<'a>> {
        let (scheme, authority) = text.split_once("://")?;
        let (host, port) = split_port(authority);
        if !is_scheme(scheme) || !is_host(host) || host.contains('*') {
            return None;
        }
        let port = match port {
            Some(digits) => Some(parse_port(digits)?),
            None => default_port(scheme),
        };
        Some(Origin { scheme, host, port })
    }
}

/// Reads a strict pattern that is not a lone `*` or `null`.
fn parse_parts(text: &str) -> Result<Rule, OriginError> {
    let pattern = || text.to_owned();
    let lower = text.to_ascii_lowercase();
    let (scheme, authority) = match lower.split_once("://") {
        Some((scheme, authority)) => (Some(scheme), authority),
        None => (None, lower.as_str()),
    };
    let (host, port) = split_port(authority);
    if scheme.is_some_and(|scheme| !is_scheme(&scheme.replace('*', "a"))) {
        return Err(OriginError::Scheme { pattern: pattern() });
    }
    // A name that begins with a dot equals no host; whoever writes it means `*.example.com`.
    if !is_host(host) || host.starts_with('.') {
        return Err(OriginError::Host { pattern: pattern() });
    }
    let port = match port {
        None | Some("*") => None,
        Some(digits) => Some(parse_port(digits).ok_or_else(|| OriginError::Port { pattern: pattern() })?),
    };
    let host = if scheme.is_some() || host.contains('*') {
        HostRule::Glob(Glob::new(host))
    } else {
        HostRule::Domain(host.to_owned())
    };
    Ok(Rule::Parts { scheme: scheme.map(Glob::new), host, port })
}

/// Cuts `host:port`; the colons of an IPv6 address in brackets are not taken for the port's.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

/// RFC 3986 3.1, except that upper case is already gone.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// Whether a text may be the host of an origin or (with `*`) of a pattern: a name, an IPv4 address, or an IPv6
/// address in brackets. Browsers write international names in ASCII.
fn is_host(text: &str) -> bool {
    let (inside, bracketed) = match text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        Some(inside) => (inside, true),
        None => (text, false),
    };
    !inside.is_empty()
        && inside.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || b"-._~*".contains(&byte) || (bracketed && byte == b':')
        })
}

/// A port in its only spelling: 1 to 65535, no leading zero.
fn parse_port(digits: &str) -> Option<u16> {
    if !digits.starts_with(|first: char| matches!(first, '1'..='9')) {
        return None;
    }
    digits.parse().ok()
}

/// The port that browsers leave out of an origin.
fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        _ => None,
    }
}

impl HostRule {
    fn matches(&self, host: &str) -> bool {
        match self {
            HostRule::Domain(name) => {
                host.strip_suffix(name.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }
            HostRule::Glob(glob) => glob.matches(host),
        }
    }
}

/// A text in which each `*` stands for any run of characters, compared whole.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Glob {
    /// What stands before the first `*`; the whole text if there is none.
    head: String,
    /// What stands between the stars, and what stands after the last one; `None` without a `*`.
    middle_and_tail: Option<(Vec<String>, String)>,
}

impl Glob {
    fn new(text: &str) -> Glob {
        let mut pieces = text.split('*').map(str::to_owned);
        let head = pieces.next().unwrap_or_default();
        let mut middle: Vec<String> = pieces.collect();
        Glob { head, middle_and_tail: middle.pop().map(|tail| (middle, tail)) }
    }

    fn matches(&self, text: &str) -> bool {
        let Some((middle, tail)) = &self.middle_and_tail else {
            return text == self.head;
        };
        text.strip_prefix(self.head.as_str())
            .and_then(|rest| find_in_order(middle, rest))
            .is_some_and(|rest| rest.ends_with(tail.as_str()))
    }
}

/// Finds the pieces in `text`, each after the end of the one before, and returns what follows the last. Taking the
/// first place for each is enough, since it leaves the most room for the rest; so nothing is ever tried twice.
fn find_in_order<'a>(pieces: &[String], text: &'a str) -> Option<&'a str> {
    pieces.iter().try_fold(text, |rest, piece| {
        let start = rest.find(piece.as_str())?;
        Some(&rest[start + piece.len()..])
    })
}
