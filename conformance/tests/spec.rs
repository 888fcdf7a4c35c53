//! What is generated is up to date, and checks and list fit each other.
//!
//! With `UPDATE=1` in the environment SPEC.md is written anew.

use std::path::Path;
use std::{env, fs};

use petasus_conformance::{Requirements, check, spec};

#[test]
fn the_document_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("SPEC.md");
    let document = spec::document(&Requirements::built_in());
    if env::var_os("UPDATE").is_some() {
        fs::write(&path, &document).unwrap();
    }
    let is_same = fs::read_to_string(&path).is_ok_and(|text| text == document);
    assert!(is_same, "SPEC.md is stale: UPDATE=1 cargo test -p petasus-conformance --test spec");
}

#[test]
fn each_check_has_a_name_of_its_own_and_names_requirements_that_exist() {
    let list = Requirements::built_in();
    let mut names = Vec::new();
    for card in check::all().iter().map(|check| check.card()) {
        assert!(!card.requirements.is_empty() && card.weight > 0, "{}", card.name);
        assert!(
            card.name.split_once('.').is_some_and(|(family, name)| !family.is_empty() && !name.is_empty())
        );
        for id in card.requirements {
            assert!(list.get(id).is_some(), "{} names {id}", card.name);
        }
        names.push(card.name);
    }
    names.sort_unstable();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all);
}
