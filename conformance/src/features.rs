//! The features of WAMP that a broker announces, and what proves that it has them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};

use crate::proofs::Proof;
use crate::{Feature, RequirementId, Requirements};

/// The line before the table in the protocol document.
pub const BEGIN: &str = "<!-- features: begin (generated) -->";

/// The line behind it.
pub const END: &str = "<!-- features: end -->";

/// What is promised beside the roles of WELCOME, which has no place for it.
pub const BESIDE_WELCOME: [(&str, &str); 8] = [
    ("transport", "rawsocket"),
    ("transport", "batched_websocket"),
    ("transport", "longpoll"),
    ("authentication", "anonymous"),
    ("authentication", "ticket"),
    ("authentication", "wampcra"),
    ("authentication", "scram"),
    ("authentication", "cryptosign"),
];

/// One thing to mend.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FeatureProblem {
    /// The broker announces it, and no requirement says what that means.
    NoRequirement(Feature),
    /// A requirement is about it, and the broker does not announce it.
    NotAnnounced(RequirementId, Feature),
    /// No test cites a requirement of an announced feature.
    NoTest(RequirementId, Feature),
    /// The document has no place for the table.
    NoPlace,
    /// The document has another table.
    Stale,
}

impl fmt::Display for FeatureProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRequirement(feature) => {
                write!(
                    f,
                    "{feature} is announced; add features = [\"{feature}\"] to the requirement that defines it"
                )
            }
            Self::NotAnnounced(id, feature) => {
                write!(
                    f,
                    "{id}: {feature} is not announced; have the broker announce it, or take it out of `features`"
                )
            }
            Self::NoTest(id, feature) => {
                write!(f, "{id}: no test proves it, but {feature} is announced; write one")
            }
            Self::NoPlace => {
                write!(f, "the document has no table of features; add the lines\n{BEGIN}\n{END}")
            }
            Self::Stale => {
                f.write_str("the table of features is not up to date; CONTRIBUTING.md says how to write it")
            }
        }
    }
}

/// Holds what is announced against the list and the tests.
pub fn check(
    list: &Requirements,
    proofs: &BTreeMap<RequirementId, BTreeSet<Proof>>,
    announced: &[Feature],
) -> Vec<FeatureProblem> {
    let mut problems = Vec::new();
    for feature in announced {
        let mut requirements = list.about(feature).peekable();
        if requirements.peek().is_none() {
            problems.push(FeatureProblem::NoRequirement(feature.clone()));
        }
        let untested = requirements.filter(|requirement| !proofs.contains_key(&requirement.id));
        problems.extend(
            untested.map(|requirement| FeatureProblem::NoTest(requirement.id.clone(), feature.clone())),
        );
    }
    for requirement in list.iter() {
        let strange = requirement.features.iter().filter(|feature| !announced.contains(feature));
        problems.extend(
            strange.map(|feature| FeatureProblem::NotAnnounced(requirement.id.clone(), feature.clone())),
        );
    }
    problems.sort();
    problems
}

/// The table: a line for each feature, in the order given.
pub fn table(
    list: &Requirements,
    proofs: &BTreeMap<RequirementId, BTreeSet<Proof>>,
    announced: &[Feature],
) -> String {
    let mut table = String::from("| role | feature | requirements | tests |\n|---|---|---|---|\n");
    for feature in announced {
        let ids: Vec<&str> = list.about(feature).map(|requirement| requirement.id.as_str()).collect();
        let tests: BTreeSet<&Proof> =
            list.about(feature).filter_map(|requirement| proofs.get(&requirement.id)).flatten().collect();
        let (role, name, ids) = (feature.role(), feature.name(), ids.join(", "));
        writeln!(table, "| {role} | `{name}` | {ids} | {} |", by_file(&tests)).expect("a string takes all");
    }
    table
}

/// `file: test, test; file: test`.
fn by_file(tests: &BTreeSet<&Proof>) -> String {
    let mut files: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for test in tests {
        let names = files.entry(test.path.display().to_string()).or_default();
        if !test.name.is_empty() {
            names.push(format!("`{}`", test.name));
        }
    }
    let files = files
        .into_iter()
        .map(|(file, names)| if names.is_empty() { file } else { format!("{file}: {}", names.join(", ")) });
    files.collect::<Vec<_>>().join("; ")
}

/// The document with this table; an error if it has no place for one.
pub fn written(document: &str, table: &str) -> Result<String, FeatureProblem> {
    let begin = document.find(BEGIN).ok_or(FeatureProblem::NoPlace)? + BEGIN.len();
    let end = document[begin..].find(END).ok_or(FeatureProblem::NoPlace)? + begin;
    Ok(format!("{}\n\n{table}\n{}", &document[..begin], &document[end..]))
}

/// Whether the document has this table.
pub fn check_document(document: &str, table: &str) -> Result<(), FeatureProblem> {
    if written(document, table)? == document { Ok(()) } else { Err(FeatureProblem::Stale) }
}
