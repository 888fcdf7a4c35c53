//! Who may do what: a table of cases, and a plain model that counts names one by one.

use std::fmt::Write;
use std::sync::LazyLock;

use petasus_protocol::wamp::uri::Match;
use petasus_protocol::{Topic, TopicFilter, TopicLimits};
use proptest::prelude::*;

use super::access;
use crate::auth::access::Access;
use crate::auth::question::Name;
use crate::auth::rules::Disclose;
use crate::auth::{Action, Question};
use crate::dialect::{Pattern, Role};

/// Asks about a name, which is a topic, or for `Register` and `Call` a procedure.
fn may(access: &Access, authrole: &str, action: Action, name: &str) -> bool {
    may_in(access, "realm1", authrole, action, name)
}

fn may_in(access: &Access, realm: &str, authrole: &str, action: Action, name: &str) -> bool {
    let (pattern, procedure) = match action {
        Action::Join | Action::Send => (Pattern::Bus, false),
        Action::Subscribe | Action::Publish => (Pattern::PubSub, false),
        Action::Pull | Action::Push => (Pattern::Queue, false),
        Action::Register | Action::Call => (Pattern::Rpc, true),
    };
    let topic = Topic::from_wamp(name, &TopicLimits::default()).unwrap();
    let name = if procedure { Name::Procedure(name, Match::Exact) } else { Name::Topic(&topic) };
    access.may(&Question { action, pattern, name, authrole }, realm).is_ok()
}

fn publishing<'a>(topic: &'a Topic, authrole: &'a str) -> Question<'a> {
    let (action, pattern) = (Action::Publish, Pattern::PubSub);
    Question { action, pattern, name: Name::Topic(topic), authrole }
}

const ACTIONS: [Action; 8] = [
    Action::Join,
    Action::Send,
    Action::Subscribe,
    Action::Publish,
    Action::Pull,
    Action::Push,
    Action::Register,
    Action::Call,
];

/// REQ-WAMP-067.
#[test]
fn without_rules_everything_is_allowed() {
    for access in [Access::default(), access("anonymous = \"guest\"")] {
        assert!(ACTIONS.iter().all(|&action| may(&access, "x", action, "a.b")));
    }
}

/// REQ-WAMP-067.
#[test]
fn each_verb_allows_its_actions() {
    use Action::{Call, Join, Publish, Pull, Push, Register, Send, Subscribe};
    for (verb, allowed) in [
        ("subscribe", &[Join, Subscribe][..]),
        ("publish", &[Send, Publish, Push]),
        ("call", &[Push, Call]),
        ("register", &[Pull, Register]),
    ] {
        let access = access(&format!("[[rules]]\nuri = \"a\"\nallow = [\"{verb}\"]"));
        for action in ACTIONS {
            assert_eq!(may(&access, "x", action, "a"), allowed.contains(&action), "{verb}: {action:?}");
            assert!(!may(&access, "x", action, "b"));
        }
    }
}

/// REQ-WAMP-067.
#[test]
fn a_rule_is_for_its_role_realm_and_namespace() {
    for (key, matching) in [
        ("role = \"joe's\"", true),
        ("role = \"ann's\"", false),
        ("role = \"*\"", true),
        ("realm = \"realm1\"", true),
        ("realm = \"realm2\"", false),
        ("realm = \"*\"", true),
        ("pattern = \"pubsub\"", true),
        ("pattern = \"bus\"", false),
        ("pattern = \"queue\"", false),
        ("pattern = \"rpc\"", false),
        ("pattern = \"*\"", true),
    ] {
        let access = access(&format!("[[rules]]\nuri = \"a\"\nallow = [\"publish\"]\n{key}"));
        assert_eq!(may(&access, "joe's", Action::Publish, "a"), matching, "{key}");
    }
}

/// REQ-WAMP-067.
#[test]
fn rules_add_up_and_their_order_means_nothing() {
    let rule = |uri: &str, allow: &str| format!("[[rules]]\nuri = \"{uri}\"\nallow = [{allow}]\n");
    let (one, two, none) = (rule("a", "\"call\""), rule("a", "\"publish\""), rule("a", ""));
    for text in [format!("{one}{two}{none}"), format!("{none}{two}{one}")] {
        let access = access(&text);
        let allowed = ACTIONS.into_iter().filter(|&action| may(&access, "x", action, "a"));
        let expected = [Action::Send, Action::Publish, Action::Push, Action::Call];
        assert_eq!(allowed.collect::<Vec<_>>(), expected);
    }
}

#[test]
fn whoever_is_refused_learns_why() {
    let access = access("[[rules]]\nuri = \"a\"\nallow = []");
    let topic = Topic::new("wong/amy");
    let question = publishing(&topic, "frontend");
    let denied = access.may(&question, "realm1").unwrap_err();
    assert_eq!(denied.reason(), "role `frontend` may not publish wong.amy");
}

/// REQ-WAMP-068.
#[test]
fn disclosing_takes_the_strictest_of_the_rules_that_allow() {
    let rule = |uri: &str, disclose: &str| {
        format!(
            "[[rules]]\nuri = \"{uri}\"\nmatch = \"prefix\"\nallow = [\"publish\"]\ndisclose = \"{disclose}\"\n"
        )
    };
    let access = access(&[rule("a", "client"), rule("ab", "always"), rule("abc", "never")].concat());
    for (name, disclose) in
        [("a", Disclose::Client), ("ab", Disclose::Always), ("abc", Disclose::Never), ("x", Disclose::Client)]
    {
        let topic = Topic::new(name);
        let question = publishing(&topic, "x");
        assert_eq!(access.disclose(&question, "realm1"), disclose, "{name}");
    }
}

#[test]
fn sockets_without_a_session_are_anonymous_in_the_default_realm() {
    let topic = Topic::new("wong/amy");
    let roles = || {
        let filter = TopicFilter::Tree(topic.clone());
        [
            Role::Bus { topic: topic.clone(), echo: false },
            Role::Publish { topic: topic.clone() },
            Role::Subscribe { filter },
            Role::Push { topic: topic.clone() },
            Role::Pull { topic: topic.clone() },
        ]
    };
    let allowed = |text: &str| {
        let access = access(text);
        roles().map(|role| (access.may_role(&role).is_ok(), access.may_post(&role).is_ok()))
    };
    let (yes, no, send) = ((true, true), (false, false), (false, true));
    // A subscription and a pull post nothing: nothing is asked of their POST.
    assert_eq!(allowed(""), [yes; 5]);
    assert_eq!(allowed("anonymous = \"\""), [no; 5]);
    let rule = |verbs: &str, rest: &str| {
        format!(
            "anonymous = \"guest\"\n[[rules]]\nrole = \"guest\"\nuri = \"wong.amy\"\nallow = [{verbs}]\n{rest}"
        )
    };
    let prefix = "match = \"prefix\"";
    assert_eq!(allowed(&rule("\"publish\"", "")), [send, yes, send, yes, send]);
    assert_eq!(allowed(&rule("\"subscribe\"", prefix)), [no, no, yes, no, send]);
    assert_eq!(allowed(&rule("\"subscribe\"", "")), [no, no, send, no, send], "what is below is more");
    assert_eq!(allowed(&rule("\"subscribe\", \"publish\"", prefix)), [yes, yes, yes, yes, send]);
    assert_eq!(allowed(&rule("\"register\", \"call\"", "")), [no, no, send, yes, yes]);
    assert_eq!(allowed(&rule("\"publish\"", "realm = \"realm1\"")), [no, no, send, no, send]);
    assert_eq!(allowed(&rule("\"publish\"", "realm = \"default\"")), [send, yes, send, yes, send]);
}

/// REQ-WAMP-071.
#[test]
fn only_the_named_role_may_register_the_authorizer() {
    let access = access(
        "authorizer = \"com.example.authorize\"\n\
         [[rules]]\nrole = \"backend\"\nuri = \"com.example.authorize\"\nallow = [\"register\"]\n\
         [[rules]]\nuri = \"\"\nmatch = \"prefix\"\nallow = [\"register\", \"call\"]",
    );
    let register = |authrole: &str, uri: &str, policy: Match| {
        let name = Name::Procedure(uri, policy);
        let question = Question { action: Action::Register, pattern: Pattern::Rpc, name, authrole };
        access.may(&question, "realm1").is_ok()
    };
    for (uri, policy, takes_over) in [
        ("com.example.authorize", Match::Exact, true),
        ("com.example.", Match::Prefix, true),
        ("", Match::Prefix, true),
        ("com..authorize", Match::Wildcard, true),
        ("com..other", Match::Wildcard, false),
        ("com.example.authorize.", Match::Prefix, false),
        ("com.example.other", Match::Exact, false),
    ] {
        assert_eq!(register("frontend", uri, policy), !takes_over, "{uri:?} {policy}");
    }
    assert!(register("backend", "com.example.authorize", Match::Exact));
    assert!(may(&access, "frontend", Action::Call, "com.example.authorize"));
}

/// REQ-WAMP-067.
#[test]
fn a_subscription_needs_a_rule_for_all_of_it() {
    let limits = TopicLimits::default();
    let mqtt = |text: &str| TopicFilter::mqtt(text, &limits).unwrap();
    let tree = |text: &str| TopicFilter::Tree(Topic::new(text));
    for (wanted, rule, policy, allowed) in [
        (tree("a/b"), "a.b", Match::Prefix, true),
        (tree("a/b"), "a.", Match::Prefix, true),
        (tree("a/b"), "a.b", Match::Exact, false),
        (tree("a/b"), "a.b.", Match::Prefix, false),
        (mqtt("a/+/#"), "a.", Match::Prefix, true),
        (mqtt("a/#"), "a.", Match::Prefix, false),
        (mqtt("a/#"), "a", Match::Prefix, true),
        (mqtt("#"), "", Match::Prefix, true),
        (mqtt("+/a"), ".a", Match::Wildcard, true),
        (mqtt("+/a"), ".", Match::Wildcard, true),
        (mqtt("+/+"), ".a", Match::Wildcard, false),
        (mqtt("v1.0/x"), "v1%2E0.", Match::Prefix, true),
        (filter("a..b", Match::Wildcard), "a.", Match::Prefix, true),
        (filter("a..b", Match::Wildcard), "a..", Match::Wildcard, true),
        (filter("a..b", Match::Wildcard), "a.x.b", Match::Exact, false),
        (filter("a.", Match::Prefix), "a.", Match::Wildcard, false),
        (filter("", Match::Prefix), "a", Match::Prefix, false),
    ] {
        let text = format!("[[rules]]\nuri = \"{rule}\"\nmatch = \"{policy}\"\nallow = [\"subscribe\"]");
        let (action, pattern) = (Action::Subscribe, Pattern::PubSub);
        let question = Question { action, pattern, name: Name::Filter(&wanted), authrole: "x" };
        assert_eq!(access(&text).may(&question, "realm1").is_ok(), allowed, "{wanted} by {rule} ({policy})");
    }
}

/// Every URI of up to four of these components.
static UNIVERSE: LazyLock<Vec<Topic>> = LazyLock::new(|| {
    let mut all: Vec<Vec<String>> = vec![Vec::new()];
    let mut longest = all.clone();
    for _ in 0..4 {
        let longer = |uri: &Vec<String>| {
            ["a", "b", "ab", "%FF"].map(|component| [uri.as_slice(), &[component.to_owned()]].concat())
        };
        longest = longest.iter().flat_map(longer).collect();
        all.extend(longest.clone());
    }
    let limits = TopicLimits::default();
    all[1..].iter().map(|uri| Topic::from_wamp(&uri.join("."), &limits).unwrap()).collect()
});

fn filter(uri: &str, policy: Match) -> TopicFilter {
    let limits = TopicLimits::default();
    match policy {
        Match::Exact => TopicFilter::Exact(Topic::from_wamp(uri, &limits).unwrap()),
        Match::Prefix => TopicFilter::wamp_prefix(uri, &limits).unwrap(),
        Match::Wildcard => TopicFilter::wamp_wildcard(uri, &limits).unwrap(),
    }
}

fn components(gaps: bool) -> impl Strategy<Value = String> {
    let component = if gaps { vec!["a", "b", "ab", ""] } else { vec!["a", "b", "ab"] };
    prop::collection::vec(prop::sample::select(component), 1..=3).prop_map(|list| list.join("."))
}

fn pattern() -> impl Strategy<Value = (String, Match)> {
    prop_oneof![
        components(false).prop_map(|uri| (uri, Match::Exact)),
        (components(false), "\\.?").prop_map(|(uri, dot)| (uri + &dot, Match::Prefix)),
        Just((String::new(), Match::Prefix)),
        components(true).prop_map(|uri| (uri, Match::Wildcard)),
    ]
}

/// What a subscriber may ask for, on any wire.
fn interest() -> impl Strategy<Value = TopicFilter> {
    let limits = TopicLimits::default();
    let mqtt = prop::collection::vec(prop::sample::select(vec!["a", "ab", "+"]), 0..=3);
    prop_oneof![
        pattern().prop_map(|(uri, policy)| filter(&uri, policy)),
        components(false).prop_map(|uri| TopicFilter::Tree(Topic::new(&uri.replace('.', "/")))),
        (mqtt, any::<bool>()).prop_filter_map("an empty filter", move |(mut levels, hash)| {
            levels.extend(hash.then_some("#"));
            TopicFilter::mqtt(&levels.join("/"), &limits).ok()
        }),
    ]
}

proptest! {
    /// REQ-WAMP-067:
    /// One rule allows a subscription exactly if it matches every single topic that the subscription does.
    #[test]
    fn a_rule_allows_what_it_matches_all_of(
        rules in prop::collection::vec((pattern(), "[xy*]", any::<bool>()), 0..4),
        wanted in interest(),
    ) {
        let mut text = String::new();
        for ((uri, policy), role, subscribes) in &rules {
            let verb = if *subscribes { "subscribe" } else { "publish" };
            text += "[[rules]]\n";
            let _ = writeln!(
                text,
                "role = \"{role}\"\nuri = \"{uri}\"\nmatch = \"{policy}\"\nallow = [\"{verb}\"]"
            );
        }
        let access = access(&text);
        let name = Name::Filter(&wanted);
        let question =
            Question { action: Action::Subscribe, pattern: Pattern::PubSub, name, authrole: "x" };
        let asked: Vec<&Topic> = UNIVERSE.iter().filter(|topic| wanted.matches(topic)).collect();
        let allows = |((uri, policy), role, subscribes): &((String, Match), String, bool)| {
            let rule = filter(uri, *policy);
            *subscribes && role != "y" && asked.iter().all(|topic| rule.matches(topic))
        };
        let expected = rules.is_empty() || rules.iter().any(allows);
        prop_assert_eq!(access.may(&question, "realm1").is_ok(), expected, "{}{:?}", text, wanted);
    }

    /// REQ-WAMP-067: Registrations are asked like subscriptions.
    #[test]
    fn procedures_reach_as_far_as_topics((uri, policy) in pattern(), (rule, rule_policy) in pattern()) {
        let text = format!(
            "[[rules]]\nuri = \"{rule}\"\nmatch = \"{rule_policy}\"\nallow = [\"subscribe\", \"register\"]"
        );
        let access = access(&text);
        let topics = filter(&uri, policy);
        let ask = |action, name| {
            let pattern = if action == Action::Register { Pattern::Rpc } else { Pattern::PubSub };
            access.may(&Question { action, pattern, name, authrole: "x" }, "realm1").is_ok()
        };
        let registers = ask(Action::Register, Name::Procedure(&uri, policy));
        prop_assert_eq!(registers, ask(Action::Subscribe, Name::Filter(&topics)));
    }
}
