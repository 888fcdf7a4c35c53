//! Mercury's endpoint URLs.

use petasus_protocol::{
    Endpoint, EndpointError, PathError, Role, Topic, TopicError, TopicLimits, decode_path,
};
use proptest::prelude::*;

const NO_LIMITS: TopicLimits = TopicLimits::UNLIMITED;

fn parse(target: &str) -> Result<Endpoint, EndpointError> {
    Endpoint::parse(target, &TopicLimits::default())
}

/// Role and topic of a target that must be valid.
fn routed(target: &str) -> (Role, String) {
    let endpoint = parse(target).unwrap_or_else(|error| panic!("{target}: {error}"));
    (endpoint.role, endpoint.topic.to_string())
}

#[test]
fn the_prefix_is_the_role() {
    // REQ-TOP-003
    for (target, role) in [
        ("/bus/a", Role::Bus),
        ("/pub/a", Role::Pub),
        ("/sub/a", Role::Sub),
        ("/push/a", Role::Push),
        ("/pull/a", Role::Pull),
    ] {
        assert_eq!(routed(target), (role, "a".to_owned()));
    }
    assert_eq!(Role::ALL.map(Role::sends), [true, true, false, true, false]);
    assert_eq!(Role::ALL.map(Role::receives), [true, false, true, false, true]);
}

#[test]
fn the_path_is_decoded_once_and_then_routed() {
    // REQ-TOP-001, REQ-TOP-004
    for (target, topic) in [
        ("/s%75b/a", "a"),
        ("/sub%2Fa", "a"),
        ("%2fsub/a", "a"),
        ("/sub/%61", "a"),
        ("/sub/a%2Fb", "a/b"),
        ("/sub/a%252Fb", "a%2Fb"),
        ("/sub/a+b", "a+b"),
        ("/sub/a%2Bb", "a+b"),
        ("/sub/%C3%A9", "é"),
        ("/sub/é", "é"),
        ("/sub/e%CC%81", "e\u{301}"),
        ("/sub/a?x=1", "a"),
        ("/sub/a%3Fx", "a?x"),
        ("/sub/a?b?c", "a"),
        ("/sub/a/", "a/"),
        ("/sub//a", "/a"),
        ("/sub//", "/"),
        ("/sub/a/../b", "a/../b"),
        ("/sub/.", "."),
        ("/sub/a.html", "a.html"),
        ("/sub/a;b%0A%00", "a;b\n\0"),
        ("/sub/*/#", "*/#"),
    ] {
        assert_eq!(routed(target), (Role::Sub, topic.to_owned()), "{target}");
    }
}

#[test]
fn everything_else_is_refused() {
    // REQ-TOP-002
    for (target, error) in [
        ("", EndpointError::NotFound),
        ("/", EndpointError::NotFound),
        ("*", EndpointError::NotFound),
        ("sub/a", EndpointError::NotFound),
        ("//sub/a", EndpointError::NotFound),
        ("/./pub/a", EndpointError::NotFound),
        ("/x/../pub/a", EndpointError::NotFound),
        ("/SUB/x", EndpointError::NotFound),
        ("/subs/x", EndpointError::NotFound),
        ("/favicon.ico", EndpointError::NotFound),
        ("/bus", EndpointError::NoTopic),
        ("/bus/", EndpointError::NoTopic),
        ("/bus?echo=1", EndpointError::NoTopic),
        ("/sub/?a", EndpointError::NoTopic),
        ("/sub/%", EndpointError::BadEscape),
        ("/sub/%4", EndpointError::BadEscape),
        ("/sub/%4%31", EndpointError::BadEscape),
        ("/sub/%zz", EndpointError::BadEscape),
        ("/sub/%+1", EndpointError::BadEscape),
        ("/%/x", EndpointError::BadEscape),
        ("/sub/%E9", EndpointError::NotUtf8),
        ("/sub/%ED%A0%80", EndpointError::NotUtf8),
    ] {
        assert_eq!(parse(target), Err(error), "{target}");
    }
}

#[test]
fn the_limits_count_the_decoded_topic() {
    // REQ-TOP-002
    let limits = TopicLimits { max_chars: 3, max_depth: 2 };
    assert!(Endpoint::parse("/push/%C3%A9/%C3%A9?echo=1", &limits).is_ok());
    let too_long = EndpointError::Topic(TopicError::TooLong { max_chars: 3 });
    assert_eq!(Endpoint::parse("/push/abcd", &limits), Err(too_long));
    let too_deep = EndpointError::Topic(TopicError::TooDeep { max_depth: 2 });
    assert_eq!(Endpoint::parse("/push/a%2F%2F", &limits), Err(too_deep));
}

#[test]
fn echo_is_true_when_perl_says_so() {
    // REQ-BUS-002
    let truths =
        ["echo=1", "echo=true", "echo=no", "echo=00", "echo=0.0", "echo=false", "echo=%20", "echo=+"];
    let more_truths = ["echo=0&echo=1", "x=0&echo=1&y", "%65cho=1", "echo=0=", "echo=%FF", "echo=%"];
    for query in truths.iter().chain(&more_truths) {
        assert!(parse(&format!("/bus/a?{query}")).expect("valid").echo, "{query}");
    }
    let falses =
        ["echo=0", "echo=", "echo", "", "ECHO=1", "echo=1&echo=0", "echo=1&echo", "x=echo=1", "echo=%30"];
    for query in falses {
        assert!(!parse(&format!("/bus/a?{query}")).expect("valid").echo, "{query}");
    }
    assert!(!parse("/bus/a").expect("valid").echo);
    assert!(!parse("/sub/a?echo=1").expect("valid").echo, "only a bus echoes");
}

#[test]
fn a_client_writes_what_the_broker_reads() {
    for (role, topic, echo, target) in [
        (Role::Bus, "a/b", true, "/bus/a/b?echo=1"),
        (Role::Pub, "a b", false, "/pub/a%20b"),
        (Role::Sub, "é?#%", false, "/sub/%C3%A9%3F%23%25"),
        (Role::Push, "/", false, "/push//"),
        (Role::Pull, "x+y", true, "/pull/x+y"),
    ] {
        let endpoint = Endpoint { role, topic: Topic::new(topic), echo };
        assert_eq!(endpoint.to_path_and_query(), target);
    }
    assert_eq!(Endpoint::new(Role::Bus, Topic::new("")), Err(EndpointError::NoTopic));
}

#[test]
fn a_path_is_decoded_whole() {
    // REQ-TOP-002: as Pinghub needs it, leading slash included.
    assert_eq!(decode_path("/a%2Fb+%e9%9b%aa"), Ok("/a/b+雪".to_owned()));
    assert_eq!(decode_path("/%zz"), Err(PathError::BadEscape));
    assert_eq!(decode_path("/%FF"), Err(PathError::NotUtf8));
    assert_eq!(decode_path(""), Ok(String::new()));
}

/// Texts in which what URLs treat specially is frequent.
fn url_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "/", "%", "%2", "%2F", "%C3", "%A9", "?", "#", "&", "=", "+", "\0", "é", "a", "bus", "sub",
            "echo=1"
        ])
        .prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn an_endpoint_survives_its_url(role in prop::sample::select(Role::ALL.to_vec()), text in url_text(), echo: bool) {
        prop_assume!(!text.is_empty());
        let endpoint = Endpoint { role, topic: Topic::new(&text), echo: echo && role == Role::Bus };
        let target = endpoint.to_path_and_query();
        prop_assert!(target.bytes().all(|byte| byte.is_ascii_graphic()), "{}", target);
        prop_assert_eq!(Endpoint::parse(&target, &NO_LIMITS), Ok(endpoint));
    }

    #[test]
    fn no_target_makes_the_parser_panic(text in url_text(), prefix in prop::sample::select(vec!["", "/sub/", "/bus/"])) {
        if let Ok(endpoint) = parse(&format!("{prefix}{text}")) {
            prop_assert!(!endpoint.topic.as_str().is_empty());
            prop_assert_eq!(Endpoint::parse(&endpoint.to_path_and_query(), &NO_LIMITS), Ok(endpoint));
        }
    }

    #[test]
    fn a_path_without_escapes_is_itself(text in "[^%]{0,20}") {
        prop_assert_eq!(decode_path(&text), Ok(text));
    }

    #[test]
    fn every_byte_can_be_escaped(text in any::<String>()) {
        // REQ-TOP-001: percent-encoded UTF-8 equals raw UTF-8.
        let escapes: Vec<String> = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
        prop_assert_eq!(decode_path(&escapes.concat()), Ok(text));
    }
}
