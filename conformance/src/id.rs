//! The ids of requirements.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, de};

/// What every id begins with.
pub(crate) const PREFIX: &str = "REQ-";

/// `REQ-`, a family of 2 to 5 capital letters, `-`, three digits: `REQ-BUS-002`. Ordered as text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequirementId(String);

/// A text that is no id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no requirement id: write REQ-, a family of 2 to 5 capital letters, - and three digits")]
pub struct IdError(String);

impl RequirementId {
    /// The family: `BUS` of `REQ-BUS-002`.
    pub fn family(&self) -> &str {
        let rest = &self.0[PREFIX.len()..];
        rest.split_once('-').map_or(rest, |(family, _)| family)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RequirementId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let is_id = text.strip_prefix(PREFIX).and_then(|rest| rest.split_once('-')).is_some_and(
            |(family, number)| {
                (2..=5).contains(&family.len())
                    && family.bytes().all(|byte| byte.is_ascii_uppercase())
                    && number.len() == 3
                    && number.bytes().all(|byte| byte.is_ascii_digit())
            },
        );
        if is_id { Ok(Self(text.to_owned())) } else { Err(IdError(text.to_owned())) }
    }
}

impl<'de> Deserialize<'de> for RequirementId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl Borrow<str> for RequirementId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequirementId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_one_form_is_an_id() {
        assert_eq!("REQ-BUS-002".parse::<RequirementId>().unwrap().family(), "BUS");
        let families = ["B", "BUSSES", "bus", "B2", ""].map(|family| format!("{PREFIX}{family}-001"));
        let numbers = ["1", "01", "0001", "00a", ""].map(|number| format!("{PREFIX}BUS-{number}"));
        for bad in families.into_iter().chain(numbers).chain(["BUS-001".into(), String::new()]) {
            assert!(bad.parse::<RequirementId>().is_err(), "{bad}");
        }
    }
}
