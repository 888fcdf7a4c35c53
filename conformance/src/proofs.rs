//! Which tests prove which requirement, by name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::citations::{Source, cited, first_test_line};
use crate::{RequirementId, Requirements};

/// A test that cites a requirement.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Proof {
    /// Its file, from the root of the workspace.
    pub path: PathBuf,
    /// What it is called there; empty for a citation that stands for the whole file.
    pub name: String,
}

/// The tests that cite each requirement of the list.
pub fn proofs(list: &Requirements, sources: &[Source]) -> BTreeMap<RequirementId, BTreeSet<Proof>> {
    let mut proofs: BTreeMap<RequirementId, BTreeSet<Proof>> = BTreeMap::new();
    for source in sources {
        let Some(from) = first_test_line(source) else { continue };
        let lines: Vec<&str> = source.text.lines().collect();
        for (line, citation) in cited(&source.text).filter(|&(line, _)| line >= from) {
            let Some(requirement) = list.get(citation) else { continue };
            let name = name_at(&lines, line - 1).unwrap_or_default().to_owned();
            let proof = Proof { path: source.path.clone(), name };
            proofs.entry(requirement.id.clone()).or_default().insert(proof);
        }
    }
    proofs
}

/// The name of the test that a citation belongs to: the one that begins below its comment, or else the one in which
/// it stands.
fn name_at<'a>(lines: &[&'a str], index: usize) -> Option<&'a str> {
    let line = lines.get(index)?.trim_start();
    if line.starts_with("//!") {
        return None;
    }
    let below = lines[index + 1..].iter().find(|line| !is_between(line)).and_then(|line| named(line));
    below.or_else(|| lines[..=index].iter().rev().find_map(|line| named(line)))
}

/// Whether a line may stand between a citation and the begin of its test.
fn is_between(line: &str) -> bool {
    let line = line.trim_start();
    line.is_empty() || ["//", "#", "\"\"\""].iter().any(|begin| line.starts_with(begin))
}

/// The name of the test that begins on this line: a function in Rust, a case of the suites in Python and JavaScript,
/// a test of Playwright.
fn named(line: &str) -> Option<&str> {
    let line = line.trim_start();
    for begin in ["@case(", "define(", "test("] {
        if let Some(rest) = line.strip_prefix(begin) {
            let quote = rest.chars().next().filter(|quote| "\"'`".contains(*quote))?;
            return rest[1..].split(quote).next();
        }
    }
    let line = line.strip_prefix("async ").unwrap_or(line);
    let rest = line.strip_prefix("fn ")?;
    rest.split(['(', '<']).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_citation_belongs_to_the_test_below_it_or_around_it() {
        let text = "//! all\nfn one() {\n    // inside\n    more();\n}\n\n/// above\n#[test]\nasync fn two<T>() {}\n\
                    # python\n@case(\"three\", each=False)\nasync def three(world):\n\
                    // script\ndefine(`four.${x}`, async () => {\n";
        let lines: Vec<&str> = text.lines().collect();
        let names: Vec<_> = [0, 2, 6, 9, 12].map(|index| name_at(&lines, index)).to_vec();
        assert_eq!(names, [None, Some("one"), Some("two"), Some("three"), Some("four.${x}")]);
    }
}
