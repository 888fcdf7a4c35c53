//! Names that keep cases apart.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The first topic segment of everything that one run of a script does, and the begin of its payloads.
///
/// Of fixed width and with an end mark, so that no namespace is the beginning of another: `z1` + `ab` and `z1a` + `b`
/// would be one topic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Namespace(String);

/// Gives out namespaces that nobody else has: a number drawn at random for this source, and one that counts.
#[derive(Debug)]
pub struct Namespaces {
    source: u32,
    next: u32,
}

impl Namespaces {
    /// A source of its own.
    pub fn new() -> Self {
        Self { source: fastrand::u32(..), next: 0 }
    }

    /// The next one.
    pub fn fresh(&mut self) -> Namespace {
        self.next += 1;
        Namespace::numbered(self.source, self.next)
    }
}

impl Default for Namespaces {
    fn default() -> Self {
        Self::new()
    }
}

impl Namespace {
    /// How many characters every namespace has.
    pub const WIDTH: usize = 16;

    /// That of a number of a source.
    pub fn numbered(source: u32, number: u32) -> Self {
        Self(format!("z{source:08x}{:06x}.", number & 0x00ff_ffff))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_namespace_begins_another() {
        let numbers = [0, 1, 10, 0x1a, 0xffff, 0x00ff_ffff];
        let all: Vec<_> = numbers.iter().flat_map(|&a| numbers.map(|b| Namespace::numbered(a, b))).collect();
        for (i, one) in all.iter().enumerate() {
            assert_eq!(one.as_str().len(), Namespace::WIDTH);
            for (j, other) in all.iter().enumerate() {
                assert_eq!(i == j, other.as_str().starts_with(one.as_str()), "{one} {other}");
            }
        }
    }
}
