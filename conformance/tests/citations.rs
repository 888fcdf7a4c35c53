//! The list, PROTOCOL.md, the sources and the tests agree; and the check that says so finds every kind of mistake.

use std::path::{Path, PathBuf};

use petasus_conformance::citations::{Problem, check, sources};
use petasus_conformance::{Requirements, RequirementsError};

/// Whose requirements this release promises.
const THIS_RELEASE: [&str; 5] = ["ws", "mercury", "pinghub", "petasus", "wamp"];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn problems_of(root: &Path, list: &Requirements) -> Vec<Problem> {
    check(list, &sources(root).unwrap(), &THIS_RELEASE)
}

#[test]
fn every_promise_of_this_release_is_documented_and_tested() {
    let crate_root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let list = Requirements::load(crate_root.join("spec/requirements.toml")).unwrap();
    let workspace = crate_root.parent().expect("the crate stands in the workspace");
    let problems: Vec<String> = problems_of(workspace, &list).iter().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn the_list_has_all_families() {
    let list = Requirements::built_in();
    let families = "WS ORG TOP SUB BUS RR ORD PAY HTTP PING FLOW LIF CRS LIVE LIM HOOK DRAIN LST ADM \
                    RPC ACK RET CAS LCK WIL FLT WAMP";
    for family in families.split_whitespace() {
        assert!(list.iter().any(|requirement| requirement.id.family() == family), "{family}");
    }
    assert_eq!(list.spec(), "1");
}

#[test]
fn a_workspace_without_mistakes_has_no_problems() {
    let root = fixtures().join("clean");
    let list = Requirements::load(root.join("requirements.toml")).unwrap();
    assert_eq!(problems_of(&root, &list), []);
}

#[test]
fn each_mistake_is_named_with_its_place() {
    let root = fixtures().join("broken");
    let list = Requirements::load(root.join("requirements.toml")).unwrap();
    let found: Vec<String> = problems_of(&root, &list).iter().map(ToString::to_string).collect();
    let expected = [
        "PROTOCOL.md:2: `REQ|-ONE-0001` is no id",
        "PROTOCOL.md:2: `REQ|-ONE-6` is no id",
        "PROTOCOL.md:1: REQ|-ONE-999 is not in requirements.toml",
        "src/lib.rs:1: REQ|-TWO-001 is not in requirements.toml",
        "REQ|-ONE-007: PROTOCOL.md does not cite it",
        "REQ|-ONE-001: no test cites it",
        "REQ|-ONE-006: no test cites it",
        "REQ|-ONE-005: a test cites it",
    ];
    // The bar keeps the made-up ids of this file out of the check of the workspace.
    let mut missing = expected.map(|text| text.replace('|', "")).to_vec();
    missing.retain(|text| !found.iter().any(|line| line.starts_with(text)));
    assert!(missing.is_empty(), "not found: {missing:#?}\nfound: {found:#?}");
    assert_eq!(found.len(), expected.len(), "{found:#?}");
}

#[test]
fn a_bad_list_is_refused_with_the_reason() {
    let load = |name: &str| Requirements::load(fixtures().join("lists").join(name)).unwrap_err();
    for (name, says) in [
        ("id.toml", "is no requirement id"),
        ("level.toml", "unknown variant `must`"),
        ("testable.toml", "unknown variant `perhaps`"),
        ("no-source.toml", "missing field `source`"),
        ("unknown-key.toml", "unknown field `tests`"),
        ("feature.toml", "is no feature"),
    ] {
        let error = load(name);
        assert!(matches!(error, RequirementsError::Toml(_)), "{name}: {error:?}");
        assert!(error.to_string().contains(says), "{name}: {error}");
    }
    for (name, empty) in [
        ("text.toml", "text"),
        ("source.toml", "source"),
        ("profiles.toml", "profiles"),
        ("empty-reason.toml", "untested"),
    ] {
        let error = load(name);
        assert!(matches!(error, RequirementsError::Empty { key, .. } if key == empty), "{name}: {error:?}");
    }
    assert!(matches!(load("twice.toml"), RequirementsError::Twice(_)));
    assert!(matches!(load("no-reason.toml"), RequirementsError::NoReason(_)));
    assert!(matches!(load("missing.toml"), RequirementsError::Read { .. }));
}

#[test]
fn a_wrapped_text_becomes_one_line() {
    let list = Requirements::load(fixtures().join("clean/requirements.toml")).unwrap();
    let text: Vec<&str> = list.iter().map(|requirement| requirement.text.as_str()).take(1).collect();
    assert!(text[0].starts_with("The rule of "), "{text:?}");
}
