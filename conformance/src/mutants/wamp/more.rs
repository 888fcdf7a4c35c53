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
    entry(
        411,
        Defect::TopicsApart,
        "events of some topics come behind those of others",
        &["REQ-ORD-004"],
        &["REQ-WAMP-101"],
    ),
    entry(
        412,
        Defect::SubscriptionsApart,
        "what a session has by a second subscription comes behind the next event",
        &["REQ-WAMP-101"],
        &["REQ-ORD-004"],
    ),
    entry(413, Defect::SubscribedLate, "events come before SUBSCRIBED", &["REQ-WAMP-102"], &[]),
    entry(414, Defect::RegisteredLate, "calls come before REGISTERED", &["REQ-WAMP-102"], &[]),
    entry(415, Defect::CallsOvertake, "calls overtake others", &["REQ-WAMP-103"], &[]),
    entry(416, Defect::CountIsOff, "there is one session too many", &["REQ-WAMP-031"], &[]),
    entry(417, Defect::UnknownIsNull, "an unknown session is null", &["REQ-WAMP-031"], &[]),
    entry(418, Defect::JoinedTwice, "`on_join` comes twice", &["REQ-WAMP-032"], &[]),
    entry(
        419,
        Defect::LeavesSilently,
        "`on_leave` never comes",
        &["REQ-WAMP-032"],
        &["REQ-WAMP-031", "REQ-WAMP-033", "REQ-WAMP-034"],
    ),
    entry(420, Defect::KillsItself, "a session sends itself away", &["REQ-WAMP-033"], &[]),
    entry(421, Defect::ReasonLost, "GOODBYE has always the same reason", &["REQ-WAMP-033"], &[]),
    entry(422, Defect::SubscribersOff, "one subscriber is not told", &["REQ-WAMP-028"], &[]),
    entry(423, Defect::LookupAnyMatch, "`lookup` of a subscription takes any policy", &["REQ-WAMP-028"], &[]),
    entry(424, Defect::SubscriptionMadeAgain, "each SUBSCRIBE creates", &["REQ-WAMP-029"], &[]),
    entry(425, Defect::ModestTold, "who does not understand it is told to be out", &["REQ-WAMP-030"], &[]),
    entry(
        426,
        Defect::RevokedForNothing,
        "who is out is not told why",
        &["REQ-WAMP-030", "REQ-WAMP-055"],
        &[],
    ),
    entry(427, Defect::RemovedHears, "who is out hears on", &["REQ-WAMP-030"], &[]),
    entry(428, Defect::CalleesOff, "one callee is not told", &["REQ-WAMP-053"], &[]),
    entry(429, Defect::RegistrationMadeAgain, "each REGISTER creates", &["REQ-WAMP-054"], &[]),
    entry(
        430,
        Defect::ModestCalleeTold,
        "a callee that does not understand it is told",
        &["REQ-WAMP-055"],
        &[],
    ),
    entry(431, Defect::TestamentsReversed, "testaments come the last one first", &["REQ-WAMP-034"], &[]),
    entry(432, Defect::TestamentsStay, "testaments are not taken back", &["REQ-WAMP-034"], &[]),
];
