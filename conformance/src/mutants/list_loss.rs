//! Defects that show only when somebody goes without a word, and much is excused.

use super::list::entry;
use super::{Entry, Mutant};

/// All of them.
pub(super) const LIST: &[Entry] = &[entry(
    300,
    Mutant::LeaksAfterVanish,
    "a queue loses every second message for ever once a puller went without a word",
    &["REQ-RR-001"],
    &["REQ-LIF-005"],
)];
