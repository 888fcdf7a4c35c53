//! The defects of the router in what the Advanced Profile adds.

use super::Defect;
use super::list::entry;
use crate::mutants::Entry;

/// All of them.
pub(in crate::mutants) const MORE: &[Entry] = &[
    entry(
        400,
        Defect::OldestPattern,
        "the oldest registration that matches is called",
        &["REQ-WAMP-044"],
        &[],
    ),
    entry(401, Defect::ShortPrefix, "the shortest prefix is called", &["REQ-WAMP-044"], &[]),
    entry(402, Defect::AnyWildcard, "the youngest wildcard is called", &["REQ-WAMP-044"], &[]),
    entry(403, Defect::ProcedureUntold, "INVOCATION names no procedure", &["REQ-WAMP-044"], &[]),
    entry(404, Defect::CallerAlwaysTold, "the caller is always told", &["REQ-WAMP-051"], &[]),
    entry(405, Defect::CallerHalfTold, "who the caller is, is not told", &["REQ-WAMP-051"], &[]),
    entry(406, Defect::PieceIsACall, "each piece of a call is a call", &["REQ-WAMP-048"], &[]),
    entry(407, Defect::PiecesForAll, "pieces reach callees that take none", &["REQ-WAMP-048"], &[]),
    entry(408, Defect::UnavailableEnds, "`unavailable` ends a call", &["REQ-WAMP-052"], &[]),
    entry(409, Defect::ReroutedBack, "a call goes back to who had no time", &["REQ-WAMP-052"], &[]),
    entry(
        410,
        Defect::AllUnavailable,
        "when nobody has time the last one's error is told",
        &["REQ-WAMP-052"],
        &[],
    ),
];
