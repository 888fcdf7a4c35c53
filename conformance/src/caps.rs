//! What a broker can do, by name.

use std::collections::BTreeSet;
use std::fmt;

/// A set of capabilities: `bus`, `pubsub.hierarchy`, `payload.binary` and so on, as in `caps` of the list of
/// requirements.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caps(BTreeSet<String>);

impl Caps {
    /// Those of these names.
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self(names.into_iter().map(str::to_owned).collect())
    }

    /// Takes some away, and adds some.
    #[must_use]
    pub fn changed(mut self, without: &[String], with: &[String]) -> Self {
        self.0.retain(|name| !without.contains(name));
        self.0.extend(with.iter().cloned());
        self
    }

    /// The first of these names that is missing.
    pub fn lacks<'a, S: AsRef<str>>(&self, names: &'a [S]) -> Option<&'a str> {
        names.iter().map(AsRef::as_ref).find(|name| !self.0.contains(*name))
    }

    /// In the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl fmt::Display for Caps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.iter().collect::<Vec<_>>().join(" "))
    }
}
