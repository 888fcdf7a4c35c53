//! What each defect is that shows when connections are disturbed or the broker is stopped, and how it dies.

use super::list::entry;
use super::{Defect, Entry, Mutant};

/// All of them.
pub(super) const LIST: &[Entry] = &[
    entry(
        49,
        Mutant::FrozenBlocks,
        "a subscriber that does not read holds up its publisher",
        &["REQ-FLOW-001"],
        &[],
    ),
    entry(
        50,
        Mutant::OverflowSilent,
        "what does not fit is dropped, and nobody is told",
        &["REQ-FLOW-002"],
        &[],
    ),
    entry(
        320,
        Mutant::OverflowOther,
        "a reader that is too slow is ended with another code",
        &["REQ-FLOW-004"],
        &[],
    ),
    entry(
        52,
        Mutant::DeadKeepsSlot,
        "who answers no ping is dropped, and keeps its turns",
        &["REQ-LIF-002"],
        &[],
    ),
    entry(54, Mutant::ReplaysOld, "what was sent before a restart is sent again", &["REQ-CRS-001"], &[]),
    entry(321, Mutant::NeverPings, "nobody is pinged", &["REQ-LIF-001"], &[]),
    entry(
        322,
        Mutant::DropsTheLiving,
        "who answers pings is dropped too",
        &["REQ-LIF-001"],
        &["REQ-LIF-002"],
    ),
    entry(323, Mutant::DeadStays, "who answers no ping stays", &["REQ-LIF-002"], &[]),
    entry(324, Mutant::GoneKeepsSlot, "who is cut off keeps its turns", &["REQ-LIF-005"], &["REQ-RR-001"]),
    entry(325, Mutant::StopCuts, "a stop cuts all connections", &["REQ-CRS-002"], &[]),
    entry(326, Mutant::StopForgets, "what waits is dropped by a stop", &["REQ-CRS-002"], &[]),
    entry(
        327,
        Mutant::Wamp(Defect::StopSilent),
        "a router that stops says no GOODBYE",
        &["REQ-WAMP-018"],
        &[],
    ),
    entry(
        328,
        Mutant::Wamp(Defect::StopCloses1000),
        "a router that stops closes with 1000",
        &["REQ-WAMP-018"],
        &[],
    ),
    entry(
        29,
        Mutant::AnswersOvertake,
        "one receiver has an answer before what it answers",
        &["REQ-ORD-003"],
        &[
            "REQ-BUS-001",
            "REQ-BUS-002",
            "REQ-BUS-004",
            "REQ-BUS-005",
            "REQ-FLOW-001",
            "REQ-LIF-003",
            "REQ-ORD-002",
            "REQ-PAY-001",
            "REQ-PAY-002",
            "REQ-PAY-003",
            "REQ-PAY-004",
            "REQ-PAY-005",
            "REQ-SUB-001",
            "REQ-SUB-008",
            "REQ-TOP-001",
        ],
    ),
    entry(
        53,
        Mutant::OneCursorForAll,
        "all queues share whose turn it is",
        &["REQ-RR-007"],
        &["REQ-RR-003", "REQ-RR-004", "REQ-RR-005", "REQ-RR-006", "REQ-RR-009", "REQ-RR-010"],
    ),
];
