//! The names of features.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, de};

/// A feature of a role, as WELCOME announces it: `dealer.call_timeout`. What WELCOME has no place for is under
/// `transport` and `authentication`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Feature {
    role: String,
    name: String,
}

/// A text that is no name of a feature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no feature: write ROLE.NAME in small letters and _, such as dealer.call_timeout")]
pub struct FeatureError(String);

impl Feature {
    /// `broker`, `dealer`, `transport` or `authentication`.
    pub fn role(&self) -> &str {
        &self.role
    }

    /// Its name under the role.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl FromStr for Feature {
    type Err = FeatureError;

    fn from_str(text: &str) -> Result<Self, FeatureError> {
        let is_word = |word: &str| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        };
        match text.split_once('.') {
            Some((role, name)) if is_word(role) && is_word(name) => {
                Ok(Self { role: role.to_owned(), name: name.to_owned() })
            }
            _ => Err(FeatureError(text.to_owned())),
        }
    }
}

impl<'de> Deserialize<'de> for Feature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.role, self.name)
    }
}
