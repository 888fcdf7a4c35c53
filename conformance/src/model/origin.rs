//! Which pages may come in: patterns against the Origin of a request (PROTOCOL.md, section 4).

/// Whether an Origin passes. None: brokers differ there, and nothing is judged (REQ-ORG-009).
///
/// `as_substring`: as the original matches, anywhere in the Origin and by case (REQ-ORG-010).
pub fn passes(patterns: &[String], as_substring: bool, origin: Option<&str>) -> Option<bool> {
    if patterns.is_empty() {
        return Some(true);
    }
    let Some(origin) = origin.filter(|origin| !origin.is_empty()) else { return Some(false) };
    if patterns.iter().any(|pattern| pattern == "*") {
        return Some(true);
    }
    if as_substring {
        return Some(patterns.iter().any(|pattern| is_found(pattern, origin)));
    }
    let (scheme, host, port) = parts(origin)?;
    let mut is_open = false;
    for pattern in patterns {
        match matches(pattern, scheme, host, port) {
            Some(true) => return Some(true),
            Some(false) => {}
            None => is_open = true,
        }
    }
    (!is_open).then_some(false)
}

/// Scheme, host and port of `SCHEME://HOST[:PORT]` and what may stand behind it.
fn parts(origin: &str) -> Option<(&str, &str, Option<&str>)> {
    let (scheme, rest) = origin.split_once("://")?;
    match rest.split_once(':') {
        Some((host, port)) => Some((scheme, host, Some(port))),
        None => Some((scheme, rest, None)),
    }
}

/// One pattern, `[SCHEME "://"] HOST [":" PORT]`.
fn matches(pattern: &str, scheme: &str, host: &str, port: Option<&str>) -> Option<bool> {
    let (wanted, rest) = match pattern.split_once("://") {
        Some((scheme, rest)) => (Some(scheme), rest),
        None => (None, pattern),
    };
    let (name, wanted_port) = match rest.rsplit_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (rest, None),
    };
    let is_bare = wanted.is_none() && !name.contains('*');
    let covers_below = || host.len() > name.len() && is_below(name, host);
    if !wanted.is_none_or(|wanted| is_whole(wanted, scheme))
        || !(is_whole(name, host) || is_bare && covers_below())
    {
        return Some(false);
    }
    match (wanted_port, port) {
        (None, _) | (Some("*"), Some(_)) => Some(true),
        (Some(wanted), Some(port)) => Some(wanted == port),
        (Some(_), None) => None,
    }
}

/// Whether a host lies below a name, on the border of a label.
fn is_below(name: &str, host: &str) -> bool {
    let (front, end) = host.split_at(host.len() - name.len());
    end.eq_ignore_ascii_case(name) && front.ends_with('.')
}

/// Whether a pattern is a whole text, in any case; `*` is any run of characters.
fn is_whole(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_ascii_lowercase(), text.to_ascii_lowercase());
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    text.strip_prefix(first).is_some_and(|text| {
        (0..=text.len()).filter(|&at| text.is_char_boundary(at)).any(|at| is_whole(rest, &text[at..]))
    })
}

/// Whether a pattern is found anywhere.
fn is_found(pattern: &str, text: &str) -> bool {
    let mut rest = text;
    pattern.split('*').all(|part| match rest.find(part) {
        Some(at) => {
            rest = &rest[at + part.len()..];
            true
        }
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATTERNS: [&str; 5] =
        ["example.com", "*.example.com", "*://www.example.com", "http://www.example.com:*", "*"];

    fn row(origin: &str, as_substring: bool) -> Vec<Option<bool>> {
        PATTERNS.map(|pattern| passes(&[pattern.to_owned()], as_substring, Some(origin))).to_vec()
    }

    /// The table of PROTOCOL.md. REQ-ORG-003, REQ-ORG-005, REQ-ORG-006, REQ-ORG-007
    #[test]
    fn whole_labels_are_matched_in_any_case() {
        let (yes, no) = (Some(true), Some(false));
        for (origin, row_wanted) in [
            ("http://example.com", [yes, no, no, no, yes]),
            ("http://www.example.com", [yes, yes, yes, None, yes]),
            ("http://www.example.com:3000", [yes; 5]),
            ("https://www.example.com:8443", [yes, yes, yes, no, yes]),
            ("http://WWW.EXAMPLE.COM:3000", [yes; 5]),
            ("http://a.b.example.com", [yes, yes, no, no, yes]),
            ("http://notexample.com", [no, no, no, no, yes]),
            ("http://example.com.evil.org", [no, no, no, no, yes]),
            ("http://www.example.com.evil.org:3000", [no, no, no, no, yes]),
            ("http://evil.org/example.com", [no, no, no, no, yes]),
            ("ftp://www.example.com", [yes, yes, yes, no, yes]),
            ("", [no; 5]),
        ] {
            assert_eq!(row(origin, false), row_wanted, "{origin}");
        }
    }

    /// The table of the original. REQ-ORG-010
    #[test]
    fn the_original_finds_a_pattern_anywhere_and_by_case() {
        let (yes, no) = (Some(true), Some(false));
        for (origin, row_wanted) in [
            ("http://www.example.com", [yes, yes, yes, no, yes]),
            ("http://WWW.EXAMPLE.COM:3000", [no, no, no, no, yes]),
            ("http://notexample.com", [yes, no, no, no, yes]),
            ("http://www.example.com.evil.org:3000", [yes, yes, yes, no, yes]),
            ("http://evil.org/example.com", [yes, no, no, no, yes]),
        ] {
            assert_eq!(row(origin, true), row_wanted, "{origin}");
        }
    }
}
