//! Topics, their limits and their two text forms.

use petasus_protocol::{Topic, TopicError, TopicLimits};
use proptest::prelude::*;

const NO_LIMITS: TopicLimits = TopicLimits::UNLIMITED;

/// Texts in which everything that the dot form treats specially is frequent.
fn tricky_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "", "/", ".", "%", "#", " ", "%FF", "%2E", "2E", "FF", "\0", "\u{1C}", "\u{85}", "\u{FEFF}",
            "\u{2003}", "é", "𝄞", "a", "$", "+", "*",
        ])
        .prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

#[test]
fn every_text_is_a_topic() {
    // REQ-TOP-004: the empty text, empty segments, control characters and dots are all ordinary.
    for (text, segments) in [
        ("", vec![""]),
        ("a", vec!["a"]),
        ("/", vec!["", ""]),
        ("a/", vec!["a", ""]),
        ("/a", vec!["", "a"]),
        ("a//b", vec!["a", "", "b"]),
        ("a/../.", vec!["a", "..", "."]),
        ("a.html;x=1\n\0", vec!["a.html;x=1\n\0"]),
    ] {
        let topic = Topic::parse(text, &TopicLimits::default()).expect("it is short");
        assert_eq!(topic.segments().collect::<Vec<_>>(), segments, "{text:?}");
        assert_eq!((topic.depth(), topic.as_str()), (segments.len(), text));
    }
}

#[test]
fn topics_differ_by_every_code_point() {
    // REQ-TOP-001: by case, and without Unicode normalisation.
    assert_ne!(Topic::new("a"), Topic::new("A"));
    assert_ne!(Topic::new("\u{E9}"), Topic::new("e\u{301}"));
    assert_ne!(Topic::new("a"), Topic::new("a/"));
}

#[test]
fn limits_count_characters_and_segments() {
    // REQ-TOP-002
    let limits = TopicLimits { max_chars: 5, max_depth: 3 };
    assert!(Topic::parse("ééééé", &limits).is_ok(), "five characters, ten bytes");
    assert_eq!(Topic::parse("éééééé", &limits), Err(TopicError::TooLong { max_chars: 5 }));
    assert_eq!(Topic::parse("abcdef", &limits), Err(TopicError::TooLong { max_chars: 5 }));
    assert!(Topic::parse("a/b/c", &limits).is_ok());
    assert_eq!(Topic::parse("a///", &limits), Err(TopicError::TooDeep { max_depth: 3 }));
    assert!(Topic::from_wamp("%2E.%2E.%2E", &limits).is_ok(), "the slash form counts");
    assert_eq!(Topic::from_wamp("a.b.c.d", &limits), Err(TopicError::TooLong { max_chars: 5 }));
    assert_eq!(TopicLimits::default(), TopicLimits { max_chars: 1024, max_depth: 64 });
}

#[test]
fn ancestors_are_mercurys_proper_prefixes() {
    // REQ-SUB-001
    for (text, ancestors) in [
        ("a", vec![]),
        ("a/b/c", vec!["a", "a/b"]),
        ("a/", vec![]),
        ("a/b/", vec!["a"]),
        ("a/b//", vec!["a"]),
        ("a//b", vec!["a", "a/"]),
        ("/a", vec![""]),
        ("", vec![]),
        ("//", vec![]),
    ] {
        assert_eq!(Topic::new(text).ancestors().collect::<Vec<_>>(), ancestors, "{text:?}");
    }
}

/// REQ-WAMP-007.
#[test]
fn the_dot_form_escapes_what_wamp_forbids() {
    for (text, uri) in [
        ("wong/amy", "wong.amy"),
        ("v1.0/x", "v1%2E0.x"),
        ("", "%FF"),
        ("a//b/", "a.%FF.b.%FF"),
        ("%FF", "%25FF"),
        ("a b#c", "a%20b%23c"),
        ("\u{2003}\0", "%E2%80%83%00"),
        ("$é+", "$é+"),
    ] {
        assert_eq!(Topic::new(text).to_wamp(), uri);
        assert_eq!(Topic::from_wamp(uri, &NO_LIMITS), Ok(Topic::new(text)));
    }
}

#[test]
fn a_dot_form_that_is_not_canonical_is_refused() {
    for (uri, error) in [
        ("", TopicError::EmptyComponent),
        ("a..b", TopicError::EmptyComponent),
        ("a.", TopicError::EmptyComponent),
        ("a/b", TopicError::Slash),
        ("a%2Fb", TopicError::BadEscape),
        ("a#b", TopicError::Unescaped { character: '#' }),
        ("a b", TopicError::Unescaped { character: ' ' }),
        ("a.\0", TopicError::Unescaped { character: '\0' }),
        ("%", TopicError::BadEscape),
        ("%2", TopicError::BadEscape),
        ("%zz", TopicError::BadEscape),
        ("%2e", TopicError::BadEscape),
        ("%61", TopicError::BadEscape),
        ("%FFa", TopicError::BadEscape),
        ("%C3", TopicError::BadEscape),
    ] {
        assert_eq!(Topic::from_wamp(uri, &NO_LIMITS), Err(error), "{uri:?}");
    }
}

proptest! {
    #[test]
    fn the_dot_form_gives_the_topic_back(text in tricky_text()) {
        let topic = Topic::new(&text);
        let uri = topic.to_wamp();
        prop_assert_eq!(Topic::from_wamp(&uri, &NO_LIMITS), Ok(topic.clone()));
        // WAMP's loose rule: ^([^\s\.#]+\.)*([^\s\.#]+)$
        prop_assert_eq!(uri.split('.').count(), topic.depth());
        for component in uri.split('.') {
            prop_assert!(!component.is_empty());
            prop_assert!(!component.contains(|c: char| c.is_whitespace() || c == '#' || c == '/'));
        }
    }

    #[test]
    fn no_two_dot_forms_name_one_topic(uri in tricky_text()) {
        if let Ok(topic) = Topic::from_wamp(&uri, &NO_LIMITS) {
            prop_assert_eq!(topic.to_wamp(), uri);
        }
    }

    #[test]
    fn segments_are_the_topic(text in tricky_text()) {
        let topic = Topic::new(&text);
        prop_assert_eq!(topic.segments().collect::<Vec<_>>().join("/"), text.as_str());
        prop_assert_eq!(topic.segments().count(), topic.depth());
        prop_assert_eq!(topic.to_string(), text);
    }

    #[test]
    fn parse_keeps_exactly_what_is_within_the_limits(text in tricky_text(), chars in 0usize..12, depth in 1usize..5) {
        let limits = TopicLimits { max_chars: chars, max_depth: depth };
        let within = text.chars().count() <= chars && text.split('/').count() <= depth;
        prop_assert_eq!(Topic::parse(&text, &limits).is_ok(), within);
    }
}
