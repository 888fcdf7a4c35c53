//! Topic filters: the tables of their sources, and the steps against the definitions.

use petasus_protocol::{End, FilterError, Step, Topic, TopicError, TopicFilter, TopicLimits};
use proptest::prelude::*;

const NO_LIMITS: TopicLimits = TopicLimits::UNLIMITED;

fn tree(text: &str) -> TopicFilter {
    TopicFilter::Tree(Topic::new(text))
}

fn mqtt(text: &str) -> TopicFilter {
    TopicFilter::mqtt(text, &NO_LIMITS).expect("the test writes a valid filter")
}

/// What a trie does with a filter: one step for each segment, then the end. Shares no code with `matches`.
fn walk(filter: &TopicFilter, topic: &Topic) -> bool {
    if filter.hides_dollar() && topic.as_str().starts_with('$') {
        return false;
    }
    let segments: Vec<&str> = topic.segments().collect();
    let steps: Vec<Step<'_>> = filter.steps().collect();
    if segments.len() < steps.len() {
        return false;
    }
    let (first, rest) = segments.split_at(steps.len());
    let steps_fit = steps.iter().zip(first).all(|(step, segment)| match step {
        Step::Literal(text) => text == segment,
        Step::Any => true,
    });
    steps_fit
        && match filter.end() {
            End::Exact => rest.is_empty(),
            End::Tree => rest.is_empty() || rest.iter().any(|segment| !segment.is_empty()),
            End::Hash => true,
            End::Prefix(text) => rest.first().is_some_and(|segment| segment.starts_with(text)),
        }
}

fn assert_table(filter: &TopicFilter, table: &[(&str, bool)]) {
    for &(text, expected) in table {
        let topic = Topic::new(text);
        assert_eq!(filter.matches(&topic), expected, "{filter:?} on {topic:?}");
        assert_eq!(walk(filter, &topic), expected, "the steps of {filter:?} on {topic:?}");
    }
}

#[test]
fn a_tree_is_mercurys_hierarchy() {
    // REQ-SUB-001 (true) and REQ-SUB-002 (false): measured on the original.
    let own_and_below = [("a", true), ("a/b", true), ("a/b/c/d/e/f", true), ("a//b", true), ("a/b/", true)];
    assert_table(&tree("a"), &own_and_below);
    assert_table(&tree("a"), &[("ab", false), ("A", false), ("a/", false), ("a//", false), ("/a", false)]);
    assert_table(&tree("a/b"), &[("a", false), ("a/c", false), ("a/b/c", true), ("a/b/", false)]);
    assert_table(&tree("a/"), &[("a", false), ("a/", true), ("a/b", false), ("a//b", true)]);
    assert_table(&tree("a//"), &[("a//b", false)]);
    assert_table(&tree("/a"), &[("a", false), ("/a", true), ("/a/b", true)]);
    assert_table(&tree("0"), &[("0/1", true)]);
    assert_table(&tree("/"), &[("/", true), ("//", false), ("a", false), ("a/", false)]);
    assert_table(&tree("*"), &[("a", false)]);
    assert_table(&tree("#"), &[("a", false), ("#", true)]);
}

#[test]
fn exact_is_the_topic_itself() {
    // REQ-TOP-001
    let filter = TopicFilter::Exact(Topic::new("a/b"));
    assert_table(&filter, &[("a/b", true), ("a", false), ("a/b/", false), ("a/b/c", false), ("a/B", false)]);
}

#[test]
fn mqtt_wildcards_follow_the_specification() {
    // MQTT 4.7.1.2 and 4.7.1.3
    let player = "sport/tennis/player1";
    assert_table(
        &mqtt("sport/tennis/player1/#"),
        &[(player, true), ("sport/tennis/player1/ranking", true), ("sport/tennis/player1/score/x", true)],
    );
    assert_table(&mqtt("sport/#"), &[("sport", true), ("sport/", true), ("sports", false)]);
    assert_table(&mqtt("#"), &[("", true), ("a", true), ("/a//b", true)]);
    assert_table(
        &mqtt("sport/tennis/+"),
        &[(player, true), ("sport/tennis/player1/ranking", false), ("sport/tennis", false)],
    );
    assert_table(&mqtt("sport/+"), &[("sport", false), ("sport/", true)]);
    assert_table(&mqtt("+"), &[("finance", true), ("/finance", false), ("", true)]);
    assert_table(&mqtt("+/+"), &[("/finance", true), ("finance", false)]);
    assert_table(&mqtt("/+"), &[("/finance", true)]);
    assert_table(&mqtt("+/tennis/#"), &[("sport/tennis", true), ("/tennis/x", true), ("a/golf", false)]);
    assert_table(&mqtt("a//b"), &[("a//b", true), ("a/x/b", false)]);
}

#[test]
fn a_leading_wildcard_does_not_see_dollar_topics() {
    // MQTT-4.7.2-1
    assert_table(&mqtt("#"), &[("$SYS/x", false), ("$", false), ("a/$SYS", true)]);
    assert_table(&mqtt("+/monitor/Clients"), &[("$SYS/monitor/Clients", false)]);
    assert_table(&mqtt("$SYS/#"), &[("$SYS", true), ("$SYS/monitor", true)]);
    assert_table(&mqtt("$SYS/monitor/+"), &[("$SYS/monitor/Clients", true)]);
    // No other form knows of it.
    let everything = TopicFilter::wamp_prefix("", &NO_LIMITS).expect("the empty prefix is one");
    assert_table(&everything, &[("$SYS/x", true), ("", true)]);
    assert_table(&TopicFilter::wamp_wildcard(".x", &NO_LIMITS).expect("valid"), &[("$SYS/x", true)]);
    assert_table(&tree("$SYS"), &[("$SYS/x", true)]);
}

#[test]
fn mqtt_filters_are_checked() {
    // MQTT-4.7.1-1, MQTT-4.7.1-2, MQTT-4.7.3-1, MQTT-4.7.3-2
    for (text, error) in [
        ("", FilterError::Empty),
        ("a\0b", FilterError::Nul),
        ("sport/tennis#", FilterError::Hash),
        ("sport/tennis/#/ranking", FilterError::Hash),
        ("##", FilterError::Hash),
        ("sport+", FilterError::Plus),
        ("+a/b", FilterError::Plus),
        ("a/b+", FilterError::Plus),
    ] {
        assert_eq!(TopicFilter::mqtt(text, &NO_LIMITS), Err(error), "{text:?}");
    }
    let limits = TopicLimits { max_chars: 5, max_depth: 2 };
    assert!(TopicFilter::mqtt("ééé/#", &limits).is_ok());
    assert_eq!(
        TopicFilter::mqtt("abcd/#", &limits),
        Err(FilterError::Topic(TopicError::TooLong { max_chars: 5 }))
    );
    assert_eq!(
        TopicFilter::mqtt("+/+/+", &limits),
        Err(FilterError::Topic(TopicError::TooDeep { max_depth: 2 }))
    );
}

/// REQ-WAMP-022.
#[test]
fn a_wamp_prefix_is_a_prefix_of_the_uri() {
    // WAMP 14.2.1
    let prefix = |uri| TopicFilter::wamp_prefix(uri, &NO_LIMITS).expect("valid");
    assert_table(
        &prefix("com.myapp.topic.emergency"),
        &[
            ("com/myapp/topic/emergency", true),
            ("com/myapp/topic/emergency/11", true),
            ("com/myapp/topic/emergency-low", true),
            ("com/myapp/topic/emergency/", true),
            ("com/myapp/topic/emerge", false),
        ],
    );
    assert_table(&prefix("a."), &[("a", false), ("a/", true), ("a/b", true), ("ab/c", false)]);
    assert_table(&prefix("a.%FF"), &[("a/", true), ("a//b", true), ("a/b", false)]);
    assert_table(&prefix("%FF"), &[("", true), ("/a", true), ("a", false)]);
    assert_table(&prefix("a%2E"), &[("a.b", true), ("a/b", false)]);
}

/// REQ-WAMP-023.
#[test]
fn a_wamp_wildcard_takes_any_component() {
    // WAMP 14.2.2
    let wildcard = |uri| TopicFilter::wamp_wildcard(uri, &NO_LIMITS).expect("valid");
    assert_table(
        &wildcard("com.myapp..userevent"),
        &[
            ("com/myapp/foo/userevent", true),
            ("com/myapp//userevent", true),
            ("com/myapp/foo/userevent/bar", false),
            ("com/myapp/foo/user", false),
            ("com/myapp2/foo/userevent", false),
        ],
    );
    assert_table(&wildcard(""), &[("a", true), ("", true), ("a/b", false)]);
    assert_table(&wildcard(".%FF"), &[("a/", true), ("a/b", false)]);
    assert_table(&wildcard("a%2Eb."), &[("a.b/x", true), ("a/b/x", false)]);
}

/// REQ-WAMP-005.
#[test]
fn wamp_patterns_are_checked() {
    let error = |error| Err(FilterError::Topic(error));
    assert_eq!(TopicFilter::wamp_prefix("a..b", &NO_LIMITS), error(TopicError::EmptyComponent));
    assert_eq!(TopicFilter::wamp_prefix("a%2", &NO_LIMITS), error(TopicError::BadEscape));
    assert_eq!(TopicFilter::wamp_prefix("a/", &NO_LIMITS), error(TopicError::Slash));
    assert_eq!(TopicFilter::wamp_wildcard("a..%61", &NO_LIMITS), error(TopicError::BadEscape));
    assert_eq!(TopicFilter::wamp_wildcard(".#", &NO_LIMITS), error(TopicError::Unescaped { character: '#' }));
    let limits = TopicLimits { max_chars: 5, max_depth: 2 };
    assert_eq!(TopicFilter::wamp_wildcard("..", &limits), error(TopicError::TooDeep { max_depth: 2 }));
    assert_eq!(TopicFilter::wamp_prefix("a.b.", &limits), error(TopicError::TooDeep { max_depth: 2 }));
    assert_eq!(TopicFilter::wamp_prefix("abcdef", &limits), error(TopicError::TooLong { max_chars: 5 }));
}

#[test]
fn a_filter_shows_its_own_text() {
    for text in ["a/+/#", "#"] {
        assert_eq!(mqtt(text).to_string(), text);
    }
    assert_eq!(TopicFilter::wamp_prefix("a.%2E", &NO_LIMITS).expect("valid").to_string(), "a.%2E");
    assert_eq!(TopicFilter::wamp_wildcard("a..", &NO_LIMITS).expect("valid").to_string(), "a..");
    assert_eq!(tree("a/b").to_string(), "a/b");
}

/// Topics over so few segments that filters often match them.
fn topic() -> impl Strategy<Value = Topic> {
    let segment =
        prop::sample::select(vec!["", "", "a", "a", "b", "ab", "+", "$", "a.b", "%", "é", "\u{2003}"]);
    prop::collection::vec(segment, 1..5).prop_map(|segments| Topic::new(&segments.join("/")))
}

/// Valid MQTT filters.
fn mqtt_text() -> impl Strategy<Value = String> {
    let level = prop::sample::select(vec!["", "a", "b", "ab", "+", "+", "$"]);
    let end = prop::sample::select(vec!["", "#", "/#"]);
    (prop::collection::vec(level, 0..4), end)
        .prop_map(|(levels, end)| match (levels.is_empty(), end) {
            (true, _) => "#".to_owned(),
            (false, "#") => format!("{}/#", levels.join("/")),
            (false, end) => format!("{}{end}", levels.join("/")),
        })
        .prop_filter("an empty filter is none", |text| !text.is_empty())
}

/// The hierarchy as the original computes it: on texts, with what Perl's `split` leaves of them.
fn perl_delivers(subscribed: &str, published: &str) -> bool {
    let mut parts: Vec<&str> = published.split('/').collect();
    while parts.last().is_some_and(|part| part.is_empty()) {
        parts.pop();
    }
    subscribed == published || (1..parts.len()).any(|count| parts[..count].join("/") == subscribed)
}

/// MQTT 4.7 as a recursion over lists.
fn mqtt_accepts(levels: &[&str], segments: &[&str]) -> bool {
    match (levels, segments) {
        ([], []) | (["#"], _) => true,
        (["+", levels @ ..], [_, segments @ ..]) => mqtt_accepts(levels, segments),
        ([level, levels @ ..], [segment, segments @ ..]) if level == segment => {
            mqtt_accepts(levels, segments)
        }
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_tree_agrees_with_perl(root in topic(), topic in topic()) {
        // REQ-SUB-001, REQ-SUB-002
        let filter = TopicFilter::Tree(root.clone());
        let expected = perl_delivers(root.as_str(), topic.as_str());
        prop_assert_eq!(filter.matches(&topic), expected);
        prop_assert_eq!(walk(&filter, &topic), expected);
        let exact = TopicFilter::Exact(root.clone());
        prop_assert_eq!((exact.matches(&topic), walk(&exact, &topic)), (root == topic, root == topic));
    }

    #[test]
    fn an_mqtt_filter_agrees_with_the_recursion(text in mqtt_text(), topic in topic()) {
        let filter = mqtt(&text);
        let levels: Vec<&str> = text.split('/').collect();
        let segments: Vec<&str> = topic.segments().collect();
        let hidden = segments[0].starts_with('$') && matches!(levels[0], "+" | "#");
        let expected = !hidden && mqtt_accepts(&levels, &segments);
        prop_assert_eq!(filter.matches(&topic), expected);
        prop_assert_eq!(walk(&filter, &topic), expected);
    }

    /// REQ-WAMP-022.
    #[test]
    fn a_wamp_prefix_agrees_with_the_text(source in topic(), cut in 0usize..20, topic in topic()) {
        let uri: String = source.to_wamp().chars().take(cut).collect();
        // A cut within an escape is refused; everywhere else the steps say what the text says.
        if let Ok(filter) = TopicFilter::wamp_prefix(&uri, &NO_LIMITS) {
            for topic in [topic, source] {
                let expected = topic.to_wamp().starts_with(&uri);
                prop_assert_eq!((filter.matches(&topic), walk(&filter, &topic)), (expected, expected));
            }
        } else {
            prop_assert!(uri.rsplit('%').next().is_some_and(|tail| tail.len() < 2) || uri.contains("%E2"));
        }
    }

    /// REQ-WAMP-023.
    #[test]
    fn a_wamp_wildcard_agrees_with_the_components(
        source in topic(), blanks in prop::collection::vec(any::<bool>(), 4), topic in topic()
    ) {
        let wamp = source.to_wamp();
        let components: Vec<&str> =
            wamp.split('.').zip(&blanks).map(|(text, &blank)| if blank { "" } else { text }).collect();
        let filter = TopicFilter::wamp_wildcard(&components.join("."), &NO_LIMITS).expect("valid");
        prop_assert!(filter.matches(&source) && walk(&filter, &source));
        let uri = topic.to_wamp();
        let expected = uri.split('.').count() == components.len()
            && uri.split('.').zip(&components).all(|(text, &wanted)| wanted.is_empty() || wanted == text);
        prop_assert_eq!((filter.matches(&topic), walk(&filter, &topic)), (expected, expected));
    }

    #[test]
    fn no_text_makes_a_filter_panic(text in any::<String>(), topic in any::<String>()) {
        let topic = Topic::new(&topic);
        let limits = TopicLimits::default();
        for filter in [
            TopicFilter::mqtt(&text, &limits),
            TopicFilter::wamp_prefix(&text, &limits),
            TopicFilter::wamp_wildcard(&text, &limits),
        ].into_iter().flatten() {
            prop_assert_eq!(filter.matches(&topic), walk(&filter, &topic));
        }
    }
}
