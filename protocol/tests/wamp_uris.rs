//! WAMP URIs: the loose and the strict rule, for names and for patterns.

use petasus_protocol::wamp::uri::{self, Match, Rule, UriError};
use proptest::prelude::*;

/// What is checked, and whether it is right as a name, a prefix and a wildcard pattern.
const LOOSE: &[(&str, [bool; 3])] = &[
    ("com.myapp.topic1", [true, true, true]),
    ("a", [true, true, true]),
    ("Größe.%2E.$x.a/b.\u{1}", [true, true, true]),
    ("com.myapp.", [false, true, true]),
    ("", [false, true, true]),
    (".", [false, false, true]),
    ("..", [false, false, true]),
    ("com..topic", [false, false, true]),
    (".com", [false, false, true]),
    ("com..", [false, false, true]),
    ("com.my app", [false, false, false]),
    ("com.a#b", [false, false, false]),
    ("#", [false, false, false]),
    ("com.a\n", [false, false, false]),
    ("\u{A0}", [false, false, false]),
    ("a.\u{2003}", [false, false, false]),
    ("a\u{1C}", [false, false, false]),
    ("a\u{1F}", [false, false, false]),
    ("\u{FEFF}a", [false, false, false]),
];

const POLICIES: [Match; 3] = [Match::Exact, Match::Prefix, Match::Wildcard];

/// REQ-WAMP-005.
#[test]
fn the_loose_rule() {
    for (text, wanted) in LOOSE {
        let got = POLICIES.map(|policy| uri::check(text, Rule::Loose, policy).is_ok());
        assert_eq!(&got, wanted, "{text:?}");
    }
}

/// REQ-WAMP-005.
#[test]
fn the_strict_rule() {
    for (text, wanted) in [
        ("com.my_app.topic1", [true, true, true]),
        ("0", [true, true, true]),
        ("com.myapp.", [false, true, true]),
        ("com..topic", [false, false, true]),
        ("", [false, true, true]),
        ("Com", [false, false, false]),
        ("com.a-b", [false, false, false]),
        ("é", [false, false, false]),
        ("com.%2E", [false, false, false]),
        ("$x", [false, false, false]),
        ("a b", [false, false, false]),
    ] {
        assert_eq!(POLICIES.map(|policy| uri::check(text, Rule::Strict, policy).is_ok()), wanted, "{text:?}");
    }
}

#[test]
fn errors_say_where_and_what() {
    assert_eq!(uri::check("a.b..c", Rule::Loose, Match::Exact), Err(UriError::EmptyComponent { index: 2 }),);
    assert_eq!(
        uri::check("a.b#", Rule::Loose, Match::Wildcard),
        Err(UriError::Forbidden { character: '#', rule: Rule::Loose }),
    );
    let text = uri::check("A", Rule::Strict, Match::Exact).unwrap_err().to_string();
    assert_eq!(text, "the URI holds 'A': use only a-z, 0-9 and _ between the dots");
}

/// REQ-WAMP-006.
#[test]
fn reserved_uris() {
    for text in ["wamp", "wamp.", "wamp.error.x", "wamp..x", "$", "$SYS", "$a.b"] {
        assert!(uri::is_reserved(text), "{text:?}");
    }
    for text in ["", ".", "wam", "wampx", "wampx.y", "com.wamp", "com.$x", "Wamp.x", ".wamp"] {
        assert!(!uri::is_reserved(text), "{text:?}");
    }
}

#[test]
fn match_policies_have_names() {
    for policy in POLICIES {
        assert_eq!(Match::parse(policy.as_str()), Some(policy));
    }
    assert_eq!((Match::parse("Exact"), Match::parse("")), (None, None));
    assert_eq!(Match::default(), Match::Exact);
}

#[test]
fn the_constants_are_uris_themselves() {
    for text in
        [uri::error::INVALID_URI, uri::error::OPTION_DISALLOWED_DISCLOSE_ME, uri::close::GOODBYE_AND_OUT]
    {
        assert_eq!(uri::check(text, Rule::Strict, Match::Exact), Ok(()), "{text}");
        assert!(uri::is_reserved(text));
    }
}

/// The expressions of the specification, read one character at a time: state by state as a regular expression would.
fn by_the_expression(text: &str, rule: Rule, empty_allowed: bool) -> bool {
    let fits = |character: char| match rule {
        Rule::Loose => {
            !(character.is_whitespace() || matches!(character, '#' | '\u{1C}'..='\u{1F}' | '\u{FEFF}'))
        }
        Rule::Strict => matches!(character, '0'..='9' | 'a'..='z' | '_'),
    };
    let mut in_component = false;
    for character in text.chars() {
        match character {
            '.' if in_component || empty_allowed => in_component = false,
            '.' => return false,
            _ if !fits(character) => return false,
            _ => in_component = true,
        }
    }
    in_component || empty_allowed
}

proptest! {
    /// REQ-WAMP-005.
    #[test]
    fn the_rules_are_the_expressions(text in "[a-c.. #_A\u{1D}é]{0,8}") {
        for rule in [Rule::Loose, Rule::Strict] {
            prop_assert_eq!(uri::check(&text, rule, Match::Exact).is_ok(), by_the_expression(&text, rule, false));
            prop_assert_eq!(uri::check(&text, rule, Match::Wildcard).is_ok(), by_the_expression(&text, rule, true));
            // A prefix is a name, a name and a dot, or nothing.
            let name = text.strip_suffix('.').unwrap_or(&text);
            let prefix = text.is_empty() || by_the_expression(name, rule, false);
            prop_assert_eq!(uri::check(&text, rule, Match::Prefix).is_ok(), prefix);
        }
    }
}
