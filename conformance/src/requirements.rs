//! The list of requirements, read and checked.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::{Deserialize, Deserializer};

use crate::{Feature, RequirementId};

/// The list that this crate was built with.
const BUILT_IN: &str = include_str!("../spec/requirements.toml");

/// All requirements of one version of the specification, by id.
#[derive(Clone, Debug)]
pub struct Requirements {
    spec: String,
    by_id: BTreeMap<RequirementId, Requirement>,
}

/// One requirement.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// Never reused, never renumbered.
    pub id: RequirementId,
    /// How binding it is.
    pub level: Level,
    /// The rule, in one or two sentences, on one line.
    #[serde(deserialize_with = "one_line")]
    pub text: String,
    /// Where the rule comes from: a clause, or a measured behaviour.
    pub source: String,
    /// What a broker must claim before the rule applies to it; empty: nothing.
    pub caps: Vec<String>,
    /// Whom the rule is for: `ws`, `mercury`, `pinghub`, `petasus` and so on. At least one.
    pub profiles: Vec<String>,
    /// How it is judged.
    pub testable: Testable,
    /// The first release whose broker promises it.
    pub since: String,
    /// The announced features of WAMP that it is a part of.
    #[serde(default)]
    pub features: Vec<Feature>,
    /// Why no test of this workspace cites it, if none does.
    pub untested: Option<String>,
}

/// How binding a requirement is (RFC 2119).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// Recorded, not judged.
    May,
    /// There may be a reason not to.
    Should,
    /// Without exception.
    Must,
}

/// How a requirement is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Testable {
    /// By what clients sent and saw.
    History,
    /// By one answer.
    Status,
    /// By a bound on time.
    Timing,
    /// Like `History` or `Status`, on a broker started with a certain configuration.
    Config,
    /// Not at all; [`Requirement::untested`] says why.
    No,
}

/// Why a list cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequirementsError {
    /// The file cannot be read.
    #[error("{}: {source}; give the path of a requirements.toml", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// No TOML, a missing or unknown key, a wrong value, or a text that is no id.
    #[error("the list does not parse, mend it where this says: {0}")]
    Toml(#[from] toml::de::Error),
    /// Two entries have the same id.
    #[error("{0} is there twice: ids are never reused, take the next free number")]
    Twice(RequirementId),
    /// A text, source, profile, capability, release or reason is blank, or there is no profile.
    #[error("{id} has an empty `{key}`: fill it in")]
    Empty {
        /// The entry.
        id: RequirementId,
        /// Its key.
        key: &'static str,
    },
    /// `testable = "no"` without a reason.
    #[error("{0} is not testable and does not say why: add untested = \"REASON\"")]
    NoReason(RequirementId),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    spec: String,
    #[serde(default)]
    requirement: Vec<Requirement>,
}

impl Requirements {
    /// The list that this crate was built with.
    ///
    /// # Panics
    /// Never in a released crate: the crate's own tests parse this list.
    pub fn built_in() -> Self {
        Self::parse(BUILT_IN).expect("the built-in list is valid, as a test of this crate proves")
    }

    /// Reads a list from a file.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, RequirementsError> {
        let path = path.as_ref();
        let text = fs::read_to_string(path)
            .map_err(|source| RequirementsError::Read { path: path.to_owned(), source })?;
        Self::parse(&text)
    }

    /// Reads a list from the text of its file.
    pub fn parse(text: &str) -> Result<Self, RequirementsError> {
        let File { spec, requirement } = toml::from_str(text)?;
        let mut by_id = BTreeMap::new();
        for requirement in requirement {
            requirement.check()?;
            let id = requirement.id.clone();
            if by_id.insert(id.clone(), requirement).is_some() {
                return Err(RequirementsError::Twice(id));
            }
        }
        Ok(Self { spec, by_id })
    }

    /// The major version of the specification.
    pub fn spec(&self) -> &str {
        &self.spec
    }

    /// The requirement with this id.
    pub fn get(&self, id: &str) -> Option<&Requirement> {
        self.by_id.get(id)
    }

    /// Those that are a part of a feature, by id.
    pub fn about(&self, feature: &Feature) -> impl Iterator<Item = &Requirement> {
        self.iter().filter(move |requirement| requirement.features.contains(feature))
    }

    /// All of them, by id.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Requirement> {
        self.by_id.values()
    }
}

impl Requirement {
    /// Whether it is for one of these profiles.
    pub fn is_for(&self, profiles: &[&str]) -> bool {
        self.profiles.iter().any(|profile| profiles.contains(&profile.as_str()))
    }

    fn check(&self) -> Result<(), RequirementsError> {
        let blank = |text: &str| text.trim().is_empty();
        let reason_is_blank = self.untested.as_deref().is_some_and(blank);
        let problem = [
            ("text", blank(&self.text)),
            ("source", blank(&self.source)),
            ("caps", self.caps.iter().any(|cap| blank(cap))),
            ("profiles", self.profiles.is_empty() || self.profiles.iter().any(|profile| blank(profile))),
            ("since", blank(&self.since)),
            ("untested", reason_is_blank),
        ]
        .into_iter()
        .find(|&(_, empty)| empty);
        if let Some((key, _)) = problem {
            return Err(RequirementsError::Empty { id: self.id.clone(), key });
        }
        if self.testable == Testable::No && self.untested.is_none() {
            return Err(RequirementsError::NoReason(self.id.clone()));
        }
        Ok(())
    }
}

/// Joins the lines of a text that the file wraps.
fn one_line<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    Ok(text.split_whitespace().collect::<Vec<_>>().join(" "))
}
