//! Origin patterns: the table measured on the original, what strict patterns do with it, and how the two relate.

use petasus_protocol::{OriginError, OriginMatch, OriginPattern, OriginPolicy};
use proptest::prelude::*;

const PATTERNS: [&str; 6] = [
    "example.com",
    "*.example.com",
    "*://www.example.com",
    "http://www.example.com:*",
    "http://www.example.com",
    "*",
];

fn covers(mode: OriginMatch, pattern: &str, origin: &str) -> bool {
    let pattern = OriginPattern::parse(pattern, mode).unwrap_or_else(|error| panic!("{error}"));
    pattern.matches(origin)
}

fn strict(pattern: &str, origin: &str) -> bool {
    covers(OriginMatch::Strict, pattern, origin)
}

fn mercury(pattern: &str, origin: &str) -> bool {
    covers(OriginMatch::Mercury, pattern, origin)
}

/// Each row: an origin, and for each of `PATTERNS` what Mercury does, then what strict does (`x` accepts).
const TABLE: [(&str, &str, &str); 15] = [
    ("", "......", "......"),
    ("0", "......", "......"),
    ("null", ".....x", ".....x"),
    ("file://", ".....x", ".....x"),
    ("http://example.com", "x....x", "x....x"),
    ("http://www.example.com", "xxx.xx", "xxxxxx"),
    ("http://www.example.com:3000", "xxxxxx", "xxxxxx"),
    ("https://www.example.com:8443", "xxx..x", "xxx..x"),
    ("http://WWW.EXAMPLE.COM:3000", ".....x", "xxxxxx"),
    ("http://a.b.example.com", "xx...x", "xx...x"),
    // The five holes: open in the original, closed when strict (REQ-ORG-006).
    ("http://notexample.com", "x....x", ".....x"),
    ("http://example.com.evil.org", "x....x", ".....x"),
    ("http://www.example.com.evil.org:3000", "xxx.xx", ".....x"),
    ("http://evil.org/example.com", "x....x", ".....x"),
    ("ftp://www.example.com", "xxx..x", "xxx..x"),
];

#[test]
fn both_modes_answer_the_measured_table() {
    // REQ-ORG-003, REQ-ORG-004, REQ-ORG-005, REQ-ORG-006, REQ-ORG-007, REQ-ORG-009
    for (origin, by_mercury, by_strict) in TABLE {
        for (mode, row) in [(OriginMatch::Mercury, by_mercury), (OriginMatch::Strict, by_strict)] {
            for (pattern, expected) in PATTERNS.iter().zip(row.chars()) {
                assert_eq!(
                    covers(mode, pattern, origin),
                    expected == 'x',
                    "{mode:?} {pattern} on {origin:?}"
                );
            }
        }
    }
}

#[test]
fn the_four_documented_forms_cover_the_documented_origin() {
    // REQ-ORG-003
    for pattern in &PATTERNS[..4] {
        assert!(
            strict(pattern, "http://www.example.com:3000") && mercury(pattern, "http://www.example.com:3000")
        );
    }
}

#[test]
fn a_policy_is_any_of_its_patterns() {
    // REQ-ORG-001, REQ-ORG-002, REQ-ORG-005
    for mode in [OriginMatch::Strict, OriginMatch::Mercury] {
        let open = OriginPolicy::new(&[], mode).expect("no patterns are no rule");
        assert_eq!(open, OriginPolicy::any());
        assert!(
            open.is_open() && open.allows(None) && open.allows(Some("")) && open.allows(Some("http://x"))
        );

        let patterns = ["http://a.com".to_owned(), "b.com".to_owned()];
        let policy = OriginPolicy::new(&patterns, mode).expect("valid");
        assert!(!policy.is_open());
        assert!(policy.allows(Some("http://a.com")) && policy.allows(Some("https://www.b.com")));
        assert!(!policy.allows(Some("http://c.com")));
        assert!(!policy.allows(None), "a missing origin is refused");

        let star = OriginPolicy::new(&["*".to_owned()], mode).expect("valid");
        assert!(star.allows(Some("null")) && star.allows(Some("http://a.com")));
        assert!(!star.allows(None) && !star.allows(Some("")) && !star.allows(Some("0")));
    }
    assert!(OriginPolicy::new(&["*".to_owned(), String::new()], OriginMatch::Strict).is_err());
}

#[test]
fn only_a_bare_name_covers_its_sub_domains() {
    // REQ-ORG-006
    assert!(strict("example.com", "https://a.b.example.com:1"));
    assert!(strict("localhost", "http://localhost:5173"));
    assert!(strict("example.com:3000", "http://www.example.com:3000"));
    assert!(!strict("http://example.com", "http://www.example.com"));
    assert!(!strict("*://example.com", "http://www.example.com"));
    assert!(!strict("www.*.com", "http://x.www.a.com"));
    assert!(!strict("example.com", "http://example.com."));
}

#[test]
fn scheme_and_host_ignore_case() {
    // REQ-ORG-007
    assert!(strict("HTTP://Example.COM", "http://example.com"));
    assert!(strict("http://example.com", "HTTP://eXample.com"));
    assert!(!mercury("http://example.com", "http://eXample.com"));
}

#[test]
fn only_the_star_is_special() {
    // REQ-ORG-008
    for covers in [strict, mercury] {
        assert!(!covers("example.com", "http://exampleXcom"));
        assert!(!covers("http://www.example.com", "http://wwwXexample.com"));
    }
    for pattern in ["ex?mple.com", "ex(a)mple", "^example", "example$", "[e]xample"] {
        assert!(!mercury(pattern, "http://example.com"), "{pattern}");
    }
    assert!(mercury("e*e.c*m", "http://example.com") && strict("e*e.c*m", "http://example.com"));
}

#[test]
fn a_star_stays_within_its_part() {
    // REQ-ORG-006
    assert!(strict("http://*.com", "http://a.com:80"));
    assert!(!strict("http://*.com", "http://evil.org/a.com"));
    assert!(!strict("http://*.com", "http://evil.org:80.com"));
    assert!(!strict("*.example.com", "http://evil.org/?.example.com"));
    assert!(!strict("*.example.com", "http://evil.org@www.example.com"));
    assert!(!strict("*.example.com", "http://evil.org#.example.com"));
    assert!(!strict("*.example.com", "http://evil.org, http://www.example.com"));
    assert!(mercury("*.example.com", "http://evil.org, http://www.example.com"));
    for origin in
        ["http://*.example.com", "x y://www.example.com", "://www.example.com", "1://www.example.com"]
    {
        assert!(!strict("*.example.com", origin), "{origin} is no origin");
    }
    assert!(strict("http*://a.com", "https://a.com") && !strict("http*://a.com", "ftp://a.com"));
}

#[test]
fn the_port_may_be_a_number_a_star_or_absent() {
    // REQ-ORG-009
    assert!(strict("http://a.com", "http://a.com:8080"));
    assert!(strict("http://a.com:*", "http://a.com") && strict("http://a.com:*", "http://a.com:1"));
    assert!(strict("http://a.com:80", "http://a.com") && strict("https://a.com:443", "https://a.com"));
    assert!(!strict("http://a.com:443", "http://a.com") && !strict("http://a.com:80", "http://a.com:8080"));
    assert!(!strict("gopher://a.com:70", "gopher://a.com"));
    assert!(strict("a.com:443", "https://a.com") && !strict("a.com:443", "http://a.com"));
    for origin in
        ["http://a.com:", "http://a.com:0", "http://a.com:080", "http://a.com:65536", "http://a.com:+80"]
    {
        assert!(!strict("a.com", origin), "{origin}");
    }
}

#[test]
fn addresses_are_hosts() {
    assert!(strict("127.0.0.1:3000", "http://127.0.0.1:3000"));
    assert!(strict("http://[::1]:3000", "http://[::1]:3000") && strict("[::1]", "http://[::1]:3000"));
    assert!(!strict("[::1]", "http://[::2]:3000") && !strict("[::1]:3000", "http://[::1]"));
}

#[test]
fn null_is_covered_by_name() {
    // REQ-ORG-009
    assert!(strict("null", "null") && mercury("null", "null"));
    assert!(!strict("null", "NULL") && !strict("null", "http://null") && !strict("example.com", "null"));
}

#[test]
fn patterns_are_checked() {
    let error = |text: &str| OriginPattern::parse(text, OriginMatch::Strict).expect_err(text);
    assert_eq!(error(""), OriginError::Empty);
    assert_eq!(OriginPattern::parse("", OriginMatch::Mercury), Err(OriginError::Empty));
    for text in ["://a.com", "1http://a.com", "ht tp://a.com"] {
        assert_eq!(error(text), OriginError::Scheme { pattern: text.to_owned() });
    }
    for text in [
        "http://",
        "http://a.com/",
        "a.com/x",
        ".a.com",
        "a b",
        "user@a.com",
        "a.com,b.com",
        "bücher.example",
        ":80",
        "::1",
        "[]",
        "[::1",
    ] {
        assert_eq!(error(text), OriginError::Host { pattern: text.to_owned() }, "{text}");
    }
    for text in ["a.com:", "a.com:x", "a.com:0", "a.com:080", "a.com:65536", "a.com:8*", "a.com:+80"] {
        assert_eq!(error(text), OriginError::Port { pattern: text.to_owned() }, "{text}");
    }
}

#[test]
fn many_stars_cost_no_more_than_few() {
    // A matcher that tries again would not come back from this within a lifetime.
    let pattern = "*a".repeat(60) + "b";
    let origin = format!("http://{}", "a".repeat(20_000));
    assert!(!strict(&pattern, &origin) && !mercury(&pattern, &origin));
    assert!(strict(&pattern, &format!("{origin}b")) && mercury(&pattern, &format!("{origin}b")));
}

/// `*` is any run of characters, everything else itself: by trying everything.
fn naive_glob(pattern: &[u8], text: &[u8]) -> bool {
    match pattern {
        [] => text.is_empty(),
        [b'*', rest @ ..] => (0..=text.len()).any(|skip| naive_glob(rest, &text[skip..])),
        [first, rest @ ..] => text.first() == Some(first) && naive_glob(rest, &text[1..]),
    }
}

/// Patterns and origins whose parts come from one small stock, so that they often meet.
fn pattern_text() -> impl Strategy<Value = String> {
    let scheme = prop::sample::select(vec!["", "", "http://", "https://", "*://", "HTTP://", "http*://"]);
    let host = prop_oneof![
        prop::sample::select(vec![
            "a.com",
            "A.com",
            "*.a.com",
            "www.a.com",
            "*",
            "*a.com",
            "a.*",
            "com",
            "[::1]"
        ])
        .prop_map(str::to_owned),
        "[ab*.]{1,6}",
    ];
    let port = prop::sample::select(vec!["", "", ":*", ":80", ":443", ":3000", ":8"]);
    (scheme, host, port).prop_map(|(scheme, host, port)| format!("{scheme}{host}{port}"))
}

fn origin_text() -> impl Strategy<Value = String> {
    let scheme = prop::sample::select(vec!["http://", "http://", "https://", "HTTP://", "ftp://", ""]);
    let host = prop_oneof![
        prop::sample::select(vec![
            "a.com",
            "www.a.com",
            "WWW.A.COM",
            "x.www.a.com",
            "nota.com",
            "a.com.evil.org",
            "evil.org/a.com",
            "evil.org?a.com",
            "a.com@evil.org",
            "[::1]",
            "com",
            "*",
            "",
        ])
        .prop_map(str::to_owned),
        "[ab.]{1,6}",
    ];
    let port = prop::sample::select(vec!["", "", ":80", ":443", ":3000", ":08", ":", ":80.com", "/"]);
    (scheme, host, port).prop_map(|(scheme, host, port)| format!("{scheme}{host}{port}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn strict_accepts_nothing_that_mercury_refuses(pattern in pattern_text(), origin in origin_text()) {
        // REQ-ORG-006: but for case, and for a port that the origin leaves out.
        let lower = |text: &str| text.to_ascii_lowercase();
        let accepted = OriginPattern::parse(&pattern, OriginMatch::Strict).is_ok_and(|p| p.matches(&origin));
        if accepted {
            let (pattern, origin) = (lower(&pattern), lower(&origin));
            let same = |port: &str| mercury(&pattern, &format!("{origin}{port}"));
            let default = if origin.starts_with("https:") { ":443" } else { ":80" };
            prop_assert!(same("") || same(default), "{} on {}", pattern, origin);
        }
    }

    #[test]
    fn a_strict_host_is_compared_whole(pattern in "[ab*][ab*.]{0,8}", host in "[ab.]{1,10}") {
        prop_assert_eq!(
            strict(&format!("http://{pattern}"), &format!("http://{host}")),
            naive_glob(pattern.as_bytes(), host.as_bytes())
        );
    }

    #[test]
    fn a_bare_name_is_compared_by_labels(name in "[ab][ab.]{0,4}", host in "[ab.]{1,10}") {
        // REQ-ORG-006
        let below = format!("*.{name}");
        let expected = host == name || naive_glob(below.as_bytes(), host.as_bytes());
        prop_assert_eq!(strict(&name, &format!("http://{host}")), expected);
    }

    #[test]
    fn mercury_searches_everywhere(pattern in "[ab*:/]{1,8}", origin in "[ab:/]{1,12}") {
        let anywhere = format!("*{pattern}*");
        prop_assert_eq!(mercury(&pattern, &origin), naive_glob(anywhere.as_bytes(), origin.as_bytes()));
    }

    #[test]
    fn no_text_makes_a_pattern_panic(pattern in any::<String>(), origin in any::<String>()) {
        for mode in [OriginMatch::Strict, OriginMatch::Mercury] {
            if let Ok(pattern) = OriginPattern::parse(&pattern, mode) {
                pattern.matches(&origin);
                prop_assert!(!pattern.matches(""));
            }
        }
    }
}
