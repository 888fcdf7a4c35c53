//! What is declared of the broker under test.

use serde::{Deserialize, Serialize};

/// Limits, for checks at them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// The longest message, in bytes.
    pub max_message: usize,
}

impl Default for Params {
    fn default() -> Self {
        Self { max_message: 262_144 }
    }
}
