//! Every announced feature has its requirements, every requirement its tests, and PROTOCOL.md says so.
//!
//! With `UPDATE=1` in the environment the table in PROTOCOL.md is written anew.

use std::path::Path;
use std::{env, fs};

use petasus_conformance::citations::{Source, sources};
use petasus_conformance::features::{
    BEGIN, BESIDE_WELCOME, END, FeatureProblem, check, check_document, table, written,
};
use petasus_conformance::proofs::proofs;
use petasus_conformance::{Feature, Requirements};

fn feature(role: &str, name: &str) -> Feature {
    format!("{role}.{name}").parse().expect("the broker announces names")
}

/// What this broker announces, and what it promises beside that.
fn announced() -> Vec<Feature> {
    let beside = BESIDE_WELCOME.into_iter();
    petasus_broker::wamp_features().chain(beside).map(|(role, name)| feature(role, name)).collect()
}

#[test]
fn every_announced_feature_is_proved_and_the_table_is_up_to_date() {
    let crate_root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let workspace = crate_root.parent().expect("the crate stands in the workspace");
    let list = Requirements::load(crate_root.join("spec/requirements.toml")).unwrap();
    let proofs = proofs(&list, &sources(workspace).unwrap());
    let announced = announced();
    let mut problems = check(&list, &proofs, &announced);
    let table = table(&list, &proofs, &announced);
    let path = workspace.join("PROTOCOL.md");
    let document = fs::read_to_string(&path).unwrap();
    match check_document(&document, &table) {
        Err(FeatureProblem::Stale) if env::var_os("UPDATE").is_some() => {
            fs::write(&path, written(&document, &table).unwrap()).unwrap();
        }
        Err(problem) => problems.push(problem),
        Ok(()) => {}
    }
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}

/// A list of one requirement about `dealer.fly`, and one test that cites it.
fn small() -> (Requirements, Vec<Source>) {
    let list = "spec = \"1\"\n[[requirement]]\nid = \"REQ|-ONE-001\"\nlevel = \"MUST\"\ntext = \"It flies.\"\n\
                source = \"a tale\"\ncaps = []\nprofiles = [\"wamp\"]\ntestable = \"history\"\nsince = \"1\"\n\
                features = [\"dealer.fly\"]\n";
    let text = "/// REQ|-ONE-001\n#[test]\nfn it_flies() {}\n".replace('|', "");
    let source = Source { path: "broker/tests/air.rs".into(), text };
    (Requirements::parse(&list.replace('|', "")).unwrap(), vec![source])
}

#[test]
fn each_mistake_is_found() {
    let (list, sources) = small();
    let fly = feature("dealer", "fly");
    let (proved, unproved) = (proofs(&list, &sources), proofs(&list, &[]));
    assert_eq!(check(&list, &proved, std::slice::from_ref(&fly)), []);
    let found = |features: &[Feature], proofs| {
        let found: Vec<String> = check(&list, proofs, features).iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 1, "{found:?}");
        found.into_iter().next().unwrap()
    };
    assert!(
        found(&[fly.clone(), feature("dealer", "swim")], &proved).starts_with("dealer.swim is announced")
    );
    assert!(found(&[], &proved).contains("dealer.fly is not announced"));
    assert!(found(&[fly], &unproved).contains("no test proves it"));
}

#[test]
fn the_table_names_the_tests_and_a_stale_one_is_found() {
    let (list, sources) = small();
    let proofs = proofs(&list, &sources);
    let table = table(&list, &proofs, &[feature("dealer", "fly")]);
    let line = "| dealer | `fly` | REQ|-ONE-001 | broker/tests/air.rs: `it_flies` |".replace("REQ|", "REQ");
    assert!(table.contains(&line), "{table}");
    let document = format!("Before.\n{BEGIN}\nold\n{END}\nAfter.\n");
    assert_eq!(check_document(&document, &table), Err(FeatureProblem::Stale));
    let new = written(&document, &table).unwrap();
    assert_eq!(check_document(&new, &table), Ok(()));
    assert!(new.starts_with("Before.\n") && new.ends_with("After.\n") && !new.contains("old"), "{new}");
    assert_eq!(check_document("nothing", &table), Err(FeatureProblem::NoPlace));
}
