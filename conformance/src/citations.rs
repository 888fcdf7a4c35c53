//! Who cites which requirement, and what is wrong with it.
//!
//! An id counts as *documented* where the protocol document cites it and as *tested* where a test does. A test is
//! what stands in a folder `tests`, in a file `tests.rs`, behind the first `#[cfg(test)]` of another file, or in the
//! crate that drives browsers and foreign suites (`xtask`).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use crate::id::PREFIX;
use crate::{Level, Requirement, RequirementId, Requirements, Testable};

/// Folders that hold nothing of ours, or mistakes made on purpose.
const SKIPPED: [&str; 6] = ["target", "node_modules", "fixtures", ".git", ".venv", "__pycache__"];

/// The documents whose citations must exist, at the root of the workspace.
const DOCUMENTS: [&str; 3] = [PROTOCOL, "ARCHITECTURE.md", "README.md"];

/// The document that must cite everything.
const PROTOCOL: &str = "PROTOCOL.md";

/// A text that may cite requirements.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its path, from the root of the workspace.
    pub path: PathBuf,
    /// What it says.
    pub text: String,
}

/// One thing to mend.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Problem {
    /// Something that begins like an id but is none.
    Malformed {
        /// Where: path and line.
        place: String,
        /// As it stands there.
        text: String,
    },
    /// An id that the list does not hold.
    Unknown {
        /// Where: path and line.
        place: String,
        /// The id.
        id: RequirementId,
    },
    /// A promise that the protocol document does not mention.
    Undocumented(RequirementId),
    /// A promise that no test cites.
    Untested(RequirementId),
    /// A promise whose entry says that no test cites it, but one does.
    TestedAfterAll(RequirementId),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { place, text } => {
                write!(f, "{place}: `{text}` is no id; write {PREFIX}FAMILY-NNN")
            }
            Self::Unknown { place, id } => {
                write!(f, "{place}: {id} is not in requirements.toml; add it or mend it")
            }
            Self::Undocumented(id) => write!(f, "{id}: {PROTOCOL} does not cite it"),
            Self::Untested(id) => {
                write!(f, "{id}: no test cites it; write one, or say why by untested = \"REASON\"")
            }
            Self::TestedAfterAll(id) => write!(f, "{id}: a test cites it; remove `untested` from its entry"),
        }
    }
}

/// Reads the documents and the sources (`rs`, `mjs`, `py`) below `root`.
pub fn sources(root: &Path) -> io::Result<Vec<Source>> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let path = entry.path();
            let name = entry.file_name();
            let skipped = name.to_str().is_none_or(|name| SKIPPED.contains(&name));
            if entry.file_type()?.is_dir() {
                if !skipped {
                    folders.push(path);
                }
            } else if is_source(&path)
                || (folder == root && DOCUMENTS.iter().any(|document| name == *document))
            {
                let text = fs::read_to_string(&path)?;
                let path = path.strip_prefix(root).unwrap_or(&path).to_owned();
                found.push(Source { path, text });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// Holds the citations of `sources` against the list. Every testable MUST for one of `profiles` must be documented
/// and tested; every citation, of any profile, must exist.
pub fn check(list: &Requirements, sources: &[Source], profiles: &[&str]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut documented = BTreeSet::new();
    let mut tested = BTreeSet::new();
    for source in sources {
        let tests_from = first_test_line(source);
        for (line, citation) in cited(&source.text) {
            let place = format!("{}:{line}", source.path.display());
            let Ok(id) = citation.parse::<RequirementId>() else {
                problems.push(Problem::Malformed { place, text: citation.to_owned() });
                continue;
            };
            if list.get(id.as_str()).is_none() {
                problems.push(Problem::Unknown { place, id });
                continue;
            }
            if source.path == Path::new(PROTOCOL) {
                documented.insert(id.clone());
            }
            if tests_from.is_some_and(|from| line >= from) {
                tested.insert(id);
            }
        }
    }
    for requirement in list.iter().filter(|requirement| requirement.is_for(profiles)) {
        problems.extend(gaps(requirement, &documented, &tested));
    }
    problems.sort();
    problems
}

/// What is missing for one requirement.
fn gaps(
    requirement: &Requirement,
    documented: &BTreeSet<RequirementId>,
    tested: &BTreeSet<RequirementId>,
) -> Vec<Problem> {
    let id = &requirement.id;
    let is_tested = tested.contains(id);
    if requirement.untested.is_some() {
        return if is_tested { vec![Problem::TestedAfterAll(id.clone())] } else { Vec::new() };
    }
    if requirement.level != Level::Must || requirement.testable == Testable::No {
        return Vec::new();
    }
    let mut problems = Vec::new();
    if !documented.contains(id) {
        problems.push(Problem::Undocumented(id.clone()));
    }
    if !is_tested {
        problems.push(Problem::Untested(id.clone()));
    }
    problems
}

/// What looks like an id, with its line (from 1): the prefix, then capitals, digits and hyphens. The bare prefix is
/// not one.
pub(crate) fn cited(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().zip(1..).flat_map(|(line, number)| {
        line.match_indices(PREFIX).filter_map(move |(start, _)| {
            let rest = &line[start..];
            let end = rest
                .find(|c: char| !c.is_ascii_uppercase() && !c.is_ascii_digit() && c != '-')
                .unwrap_or(rest.len());
            let citation = rest[..end].trim_end_matches('-');
            (citation.len() >= PREFIX.len()).then_some((number, citation))
        })
    })
}

/// The line from which a citation counts as a test's; `None` if the source has no tests.
pub(crate) fn first_test_line(source: &Source) -> Option<usize> {
    if !is_source(&source.path) {
        return None;
    }
    let is_test_file =
        source.path.iter().any(|part| part == "tests" || part == "xtask" || part == "tests.rs");
    if is_test_file {
        return Some(1);
    }
    source.text.lines().position(|line| line.trim() == "#[cfg(test)]").map(|index| index + 1)
}

fn is_source(path: &Path) -> bool {
    path.extension().is_some_and(|extension| ["rs", "mjs", "py"].iter().any(|known| extension == *known))
}
