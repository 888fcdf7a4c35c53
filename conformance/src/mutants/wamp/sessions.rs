//! Defects of sessions, what carries them, and payloads, and how each dies.

use super::Defect;
use crate::mutants::{Entry, Mutant};

const fn entry(
    number: u32,
    defect: Defect,
    about: &'static str,
    killed_by: &'static [&'static str],
    also: &'static [&'static str],
) -> Entry {
    Entry { number, mutant: Mutant::Wamp(defect), about, killed_by, also }
}

/// All of them.
pub(in crate::mutants) const LIST: &[Entry] = &[
    entry(350, Defect::GarbageTaken, "what cannot be read is passed over", &["REQ-WAMP-003"], &[]),
    entry(351, Defect::FormsUnchecked, "messages of a wrong form are passed over", &["REQ-WAMP-003"], &[]),
    entry(
        352,
        Defect::AbortUnsaid,
        "a violation ends the connection without ABORT",
        &["REQ-WAMP-003", "REQ-WAMP-013", "REQ-WAMP-015", "REQ-WAMP-019", "REQ-WAMP-057"],
        &[],
    ),
    entry(353, Defect::OrderUnchecked, "messages out of order are passed over", &["REQ-WAMP-015"], &[]),
    entry(354, Defect::CallsAgain, "a call may have the number of another", &["REQ-WAMP-057"], &[]),
    entry(355, Defect::ReservedTaken, "names of the broker's own are taken", &["REQ-WAMP-006"], &[]),
    entry(356, Defect::OptionsUnchecked, "options are not checked", &["REQ-WAMP-008"], &[]),
    entry(357, Defect::UnknownOptionRefused, "options nobody knows are refused", &["REQ-WAMP-008"], &[]),
    entry(358, Defect::RolesUnchecked, "HELLO may announce no role", &["REQ-WAMP-013"], &[]),
    entry(
        359,
        Defect::GoodbyeStays,
        "a session outlives its GOODBYE",
        &["REQ-WAMP-014"],
        &["REQ-WAMP-056", "REQ-WAMP-031", "REQ-WAMP-032", "REQ-WAMP-034"],
    ),
    entry(360, Defect::AbortAnswered, "ABORT is answered by GOODBYE", &["REQ-WAMP-014"], &[]),
    entry(361, Defect::KindsUnchecked, "text and binary messages are the same", &["REQ-WAMP-019"], &[]),
    entry(362, Defect::OffersInOurOrder, "the router's first subprotocol is chosen", &["REQ-WAMP-010"], &[]),
    entry(363, Defect::AnyOfferTaken, "an unknown subprotocol is taken for JSON", &["REQ-WAMP-010"], &[]),
    entry(
        364,
        Defect::WelcomeBare,
        "WELCOME tells nothing but roles",
        &["REQ-WAMP-011"],
        &["REQ-WAMP-051", "REQ-WAMP-031", "REQ-WAMP-032", "REQ-WAMP-033"],
    ),
    entry(365, Defect::SessionsCounted, "session ids are counted", &["REQ-WAMP-011"], &[]),
    entry(366, Defect::RealmsShared, "all realms are one", &["REQ-WAMP-016"], &[]),
    entry(
        367,
        Defect::GarbageEndsAll,
        "depth and lengths end everybody",
        &["REQ-WAMP-004"],
        &["REQ-WAMP-003"],
    ),
    entry(368, Defect::BytesRewritten, "payloads are written anew", &["REQ-WAMP-072"], &[]),
    entry(369, Defect::KeysSorted, "names are sorted", &["REQ-WAMP-073"], &[]),
    entry(370, Defect::FloatsBecomeInts, "1.0 becomes 1", &["REQ-WAMP-073"], &[]),
    entry(371, Defect::IntsAreFloats, "large integers become floats", &["REQ-WAMP-073"], &[]),
    entry(372, Defect::BinaryIsText, "binary becomes text", &["REQ-WAMP-074"], &[]),
    entry(373, Defect::BatchesOfOne, "of a batch one message is read", &["REQ-WAMP-085"], &[]),
    entry(374, Defect::RawReservedTaken, "reserved octets are passed over", &["REQ-WAMP-080"], &[]),
    entry(375, Defect::RawErrorsAlike, "every refusal of rawsocket is the same", &["REQ-WAMP-080"], &[]),
    entry(376, Defect::RawPingsUnanswered, "pings of rawsocket are not answered", &["REQ-WAMP-081"], &[]),
    entry(377, Defect::RawUnknownTaken, "frames of unknown types are passed over", &["REQ-WAMP-081"], &[]),
    entry(378, Defect::RawLengthIgnored, "the length that a client said is ignored", &["REQ-WAMP-088"], &[]),
];
