//! A small broker of the Mercury dialect, and a small WAMP router, with switchable defects: proof that each check can
//! fail, and fails for the right reason.
//!
//! They share no code with any broker; of this crate they use the codecs. [`Mutant::Clean`] and [`Defect::Clean`] must pass everything.

mod broker;
mod close;
mod connection;
mod http;
pub mod matrix;
mod rooms;
mod wamp;

pub use broker::Running;
pub use wamp::Defect;

/// A defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the table below says what each is")]
pub enum Mutant {
    Clean,
    StringPrefix,
    ChildrenHearParents,
    NoHierarchy,
    DropEvery13th,
    DoubleEvery7th,
    HoldAndSwap,
    Every11thToStranger,
    LateToStranger,
    BusEchoes,
    LastPeerMissed,
    RandomPuller,
    StickyTwice,
    CopyToSecond,
    ResetOnJoin,
    SkipOnLeave,
    DropAfterLeave,
    PerlCursor,
    ToAllPullers,
    CaseFolded,
    CutAt40,
    BusHierarchy,
    EchoTwice,
    InvalidRelayed,
    BinaryAsText,
    LimitOffByOne,
    PiecesApart,
    OneMapForAll,
    QueueHierarchy,
    JoinsLate,
    OrderDiffers,
    PushersApart,
    EmptyDropped,
    StallsWithoutPuller,
    NewPullersFirst,
    SilentAfterLeave,
    BadEscapesTaken,
    PingUnanswered,
    CaseSensitive,
    ClosesWith1000,
    AnyVersionTaken,
    ChoosesAlone,
    PongsLater,
    CloseAlways1000,
    PlainGetJoins,
    AnyCloseCode,
    Utf8AtEnd,
    AnyKeyTaken,
    SendsFragments,
    HugeIsTooLong,
    GoesOnAfterFail,
    PongEnds,
    Http10Upgraded,
    ReceiversUnchecked,
    InsideTaken,
    EmptyPostDropped,
    PostNeedsReceiver,
    LargePostCut,
    UnknownIsWelcome,
    NoPuller500,
    ErrorEnds,
    PlainGet404,
    PostLatin1,
    PostSparesEcho,
    PinghubClean,
    PinghubEarly,
    AtRandom,
    Lopsided,
    Wamp(Defect),
}

impl Mutant {
    /// The one of this number, or of this name, in which case and `-` do not count: `17`, `perl-cursor`, `clean`.
    pub fn named(name: &str) -> Option<Self> {
        let plain = name.to_lowercase().replace('-', "");
        let is = |mutant: Self| format!("{mutant:?}").to_lowercase() == plain;
        let found = ALL.iter().find(|entry| is(entry.mutant) || entry.number.to_string() == name);
        found.map(|entry| entry.mutant).or_else(|| {
            [Self::Clean, Self::PinghubClean, Self::AtRandom].into_iter().find(|&clean| is(clean))
        })
    }
}

impl Mutant {
    /// Whether it speaks Pinghub: every path is a bus whose peers hear themselves.
    pub fn is_pinghub(self) -> bool {
        matches!(self, Self::PinghubClean | Self::PinghubEarly)
    }

    /// Whether it promises no strict turns.
    pub fn is_loose(self) -> bool {
        matches!(self, Self::AtRandom | Self::Lopsided)
    }
}

/// What a mutant is and how it dies.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its number in the list of defects; those from 100 on are of this crate.
    pub number: u32,
    /// Which.
    pub mutant: Mutant,
    /// In words.
    pub about: &'static str,
    /// It counts as killed if one of these is found broken.
    pub killed_by: &'static [&'static str],
    /// What it breaks besides: more may not be found.
    pub also: &'static [&'static str],
}

const fn entry(
    number: u32,
    mutant: Mutant,
    about: &'static str,
    killed_by: &'static [&'static str],
    also: &'static [&'static str],
) -> Entry {
    Entry { number, mutant, about, killed_by, also }
}

/// All of them.
pub const ALL: [Entry; 65] = [
    entry(191, Mutant::Lopsided, "no strict turns, and one puller has twice its share", &["REQ-RR-015"], &[]),
    entry(
        190,
        Mutant::PinghubEarly,
        "Pinghub's 101 comes 20 ms before the subscription",
        &["REQ-BUS-005", "REQ-LIF-003"],
        &[
            "REQ-BUS-001",
            "REQ-BUS-002",
            "REQ-BUS-004",
            "REQ-TOP-001",
            "REQ-PAY-001",
            "REQ-PAY-003",
            "REQ-PAY-005",
        ],
    ),
    entry(
        1,
        Mutant::StringPrefix,
        "string prefix instead of path prefix",
        &["REQ-SUB-002"],
        &["REQ-TOP-001"],
    ),
    entry(2, Mutant::ChildrenHearParents, "children get their parent's messages", &["REQ-SUB-002"], &[]),
    entry(3, Mutant::NoHierarchy, "no hierarchy", &["REQ-SUB-001"], &["REQ-SUB-008"]),
    entry(
        4,
        Mutant::DropEvery13th,
        "drops every 13th",
        &["REQ-SUB-001"],
        &[
            "REQ-SUB-008",
            "REQ-BUS-001",
            "REQ-BUS-002",
            "REQ-BUS-004",
            "REQ-BUS-005",
            "REQ-LIF-003",
            "REQ-RR-001",
            "REQ-TOP-001",
            "REQ-PAY-001",
            "REQ-PAY-002",
            "REQ-PAY-003",
            "REQ-PAY-004",
            "REQ-PAY-005",
        ],
    ),
    entry(
        5,
        Mutant::DoubleEvery7th,
        "doubles every 7th",
        &["REQ-SUB-003"],
        &["REQ-BUS-001", "REQ-BUS-002", "REQ-RR-002"],
    ),
    entry(
        6,
        Mutant::HoldAndSwap,
        "holds back and swaps",
        &["REQ-ORD-001"],
        &[
            "REQ-ORD-002",
            "REQ-ORD-003",
            "REQ-RR-001",
            "REQ-SUB-001",
            "REQ-SUB-008",
            "REQ-BUS-001",
            "REQ-BUS-002",
            "REQ-BUS-004",
            "REQ-BUS-005",
            "REQ-LIF-003",
            "REQ-TOP-001",
            "REQ-PAY-001",
            "REQ-PAY-002",
            "REQ-PAY-003",
            "REQ-PAY-004",
            "REQ-PAY-005",
        ],
    ),
    entry(
        7,
        Mutant::Every11thToStranger,
        "every 11th to a stranger too",
        &["REQ-SUB-002", "REQ-SUB-005"],
        &[
            "REQ-BUS-002",
            "REQ-BUS-003",
            "REQ-SUB-003",
            "REQ-SUB-005",
            "REQ-SUB-006",
            "REQ-TOP-001",
            "REQ-TOP-003",
        ],
    ),
    entry(
        8,
        Mutant::LateToStranger,
        "misdelivers 30 ms late",
        &["REQ-SUB-006"],
        &[
            "REQ-HTTP-001",
            "REQ-BUS-003",
            "REQ-PAY-001",
            "REQ-SUB-002",
            "REQ-SUB-003",
            "REQ-SUB-005",
            "REQ-TOP-001",
            "REQ-TOP-003",
        ],
    ),
    entry(9, Mutant::BusEchoes, "the bus echoes to its sender", &["REQ-BUS-002"], &[]),
    entry(
        10,
        Mutant::LastPeerMissed,
        "the last of more than three peers is missed",
        &["REQ-BUS-001"],
        &["REQ-BUS-002", "REQ-BUS-004", "REQ-BUS-005", "REQ-LIF-003", "REQ-PAY-004"],
    ),
    entry(
        11,
        Mutant::RandomPuller,
        "a puller at random",
        &["REQ-RR-003", "REQ-RR-004"],
        &["REQ-RR-005", "REQ-RR-006", "REQ-RR-009", "REQ-RR-010"],
    ),
    entry(
        12,
        Mutant::StickyTwice,
        "each puller twice in a row",
        &["REQ-RR-003", "REQ-RR-005"],
        &["REQ-RR-004", "REQ-RR-006", "REQ-RR-009", "REQ-RR-010"],
    ),
    entry(13, Mutant::CopyToSecond, "a second puller gets a copy of every 9th", &["REQ-RR-002"], &[]),
    entry(14, Mutant::ResetOnJoin, "the cursor is reset when somebody joins", &["REQ-RR-005"], &[]),
    entry(15, Mutant::SkipOnLeave, "one is skipped when somebody leaves", &["REQ-RR-005"], &["REQ-RR-006"]),
    entry(16, Mutant::DropAfterLeave, "a message is lost after somebody left", &["REQ-RR-001"], &[]),
    entry(
        17,
        Mutant::PerlCursor,
        "the cursor of the original",
        &["REQ-RR-001", "REQ-RR-005"],
        &["REQ-RR-006"],
    ),
    entry(18, Mutant::ToAllPullers, "to all pullers", &["REQ-RR-002"], &[]),
    entry(19, Mutant::CaseFolded, "topics folded to small letters", &["REQ-TOP-001", "REQ-SUB-002"], &[]),
    entry(
        20,
        Mutant::CutAt40,
        "payloads cut at 40 bytes",
        &["REQ-PAY-001"],
        &["REQ-PAY-002", "REQ-PAY-003", "REQ-PAY-005", "REQ-SUB-005", "REQ-WS-007", "REQ-WS-012"],
    ),
    entry(26, Mutant::BusHierarchy, "the bus has a hierarchy", &["REQ-BUS-003"], &[]),
    entry(27, Mutant::EchoTwice, "the echo comes twice", &["REQ-BUS-002"], &[]),
    entry(
        30,
        Mutant::InvalidRelayed,
        "text that is not UTF-8 is relayed",
        &["REQ-WS-007"],
        &["REQ-PAY-006", "REQ-WS-010", "REQ-WS-012"],
    ),
    entry(
        31,
        Mutant::BinaryAsText,
        "binary messages become text",
        &["REQ-PAY-002"],
        &["REQ-PAY-003", "REQ-PAY-004", "REQ-PAY-005"],
    ),
    entry(32, Mutant::LimitOffByOne, "the limit is one byte higher", &["REQ-PAY-003"], &["REQ-PAY-006"]),
    entry(
        33,
        Mutant::PiecesApart,
        "fragments become messages",
        &["REQ-PAY-005"],
        &[
            "REQ-BUS-001",
            "REQ-BUS-002",
            "REQ-BUS-004",
            "REQ-PAY-001",
            "REQ-PAY-002",
            "REQ-PAY-003",
            "REQ-PAY-004",
            "REQ-RR-001",
            "REQ-RR-002",
            "REQ-RR-003",
            "REQ-RR-004",
            "REQ-RR-006",
            "REQ-RR-009",
            "REQ-SUB-001",
            "REQ-SUB-003",
            "REQ-SUB-005",
            "REQ-WS-003",
            "REQ-WS-007",
            "REQ-WS-012",
        ],
    ),
    entry(51, Mutant::OneMapForAll, "the bus and pub/sub share their topics", &["REQ-TOP-003"], &[]),
    entry(
        106,
        Mutant::QueueHierarchy,
        "a queue without pullers falls back to the one above",
        &["REQ-RR-007"],
        &["REQ-RR-003", "REQ-RR-004", "REQ-RR-005", "REQ-RR-006", "REQ-RR-009"],
    ),
    entry(
        56,
        Mutant::JoinsLate,
        "membership begins 20 ms after the 101",
        &["REQ-BUS-005", "REQ-LIF-003"],
        &[
            "REQ-HTTP-001",
            "REQ-BUS-007",
            "REQ-BUS-001",
            "REQ-BUS-002",
            "REQ-BUS-004",
            "REQ-SUB-001",
            "REQ-SUB-008",
            "REQ-RR-001",
            "REQ-TOP-001",
            "REQ-PAY-001",
            "REQ-PAY-002",
            "REQ-PAY-003",
            "REQ-PAY-004",
            "REQ-PAY-005",
            "REQ-RR-005",
            "REQ-RR-006",
            "REQ-RR-003",
            "REQ-RR-004",
            "REQ-RR-009",
        ],
    ),
    entry(
        28,
        Mutant::OrderDiffers,
        "two receivers see two orders",
        &["REQ-ORD-002"],
        &[
            "REQ-BUS-001",
            "REQ-BUS-002",
            "REQ-BUS-004",
            "REQ-BUS-005",
            "REQ-LIF-003",
            "REQ-ORD-003",
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
        100,
        Mutant::PushersApart,
        "each pusher has its own cursor",
        &["REQ-RR-010"],
        &["REQ-RR-003", "REQ-RR-004", "REQ-RR-005", "REQ-RR-006"],
    ),
    entry(101, Mutant::EmptyDropped, "empty messages are dropped", &["REQ-PAY-004"], &["REQ-HTTP-001"]),
    entry(
        102,
        Mutant::StallsWithoutPuller,
        "a pusher without pullers is not read any more",
        &["REQ-RR-008"],
        &["REQ-LIVE-001", "REQ-RR-001"],
    ),
    entry(
        103,
        Mutant::NewPullersFirst,
        "a new puller takes the first place",
        &["REQ-RR-009"],
        &["REQ-RR-005", "REQ-RR-006"],
    ),
    entry(
        104,
        Mutant::SilentAfterLeave,
        "after somebody left, others get nothing",
        &["REQ-SUB-008"],
        &["REQ-SUB-001", "REQ-BUS-001", "REQ-BUS-002", "REQ-BUS-004"],
    ),
    entry(105, Mutant::BadEscapesTaken, "wrong escapes are taken as they are", &["REQ-TOP-002"], &[]),
    entry(
        34,
        Mutant::PingUnanswered,
        "pings on /sub are not answered",
        &["REQ-WS-005"],
        &["REQ-WS-004", "REQ-LIVE-001"],
    ),
    entry(35, Mutant::CaseSensitive, "handshake tokens are compared by case", &["REQ-WS-001"], &[]),
    entry(
        36,
        Mutant::ClosesWith1000,
        "what is forbidden is answered with 1000",
        &["REQ-WS-003"],
        &["REQ-WS-009", "REQ-WS-013"],
    ),
    entry(110, Mutant::AnyVersionTaken, "any version is taken", &["REQ-WS-002"], &[]),
    entry(111, Mutant::ChoosesAlone, "a subprotocol is chosen that nobody offered", &["REQ-WS-002"], &[]),
    entry(112, Mutant::PongsLater, "pings inside a message are answered behind it", &["REQ-WS-004"], &[]),
    entry(
        113,
        Mutant::CloseAlways1000,
        "every Close is answered with 1000",
        &["REQ-WS-006"],
        &["REQ-WS-009"],
    ),
    entry(114, Mutant::PlainGetJoins, "a plain GET joins", &["REQ-WS-008"], &[]),
    entry(115, Mutant::AnyCloseCode, "wrong Close frames come back", &["REQ-WS-009"], &[]),
    entry(116, Mutant::Utf8AtEnd, "text is checked when its message ends", &["REQ-WS-010"], &[]),
    entry(117, Mutant::AnyKeyTaken, "any key is taken", &["REQ-WS-011"], &[]),
    entry(118, Mutant::SendsFragments, "messages are sent in fragments", &["REQ-WS-012"], &[]),
    entry(119, Mutant::HugeIsTooLong, "a length with its highest bit set is too long", &["REQ-WS-013"], &[]),
    entry(120, Mutant::GoesOnAfterFail, "goes on after it failed a connection", &["REQ-WS-014"], &[]),
    entry(121, Mutant::PongEnds, "a pong ends its sender", &["REQ-WS-015"], &[]),
    entry(122, Mutant::Http10Upgraded, "HTTP/1.0 is upgraded", &["REQ-WS-016"], &[]),
    entry(123, Mutant::ReceiversUnchecked, "receivers may send anything", &["REQ-PAY-006"], &[]),
    entry(124, Mutant::InsideTaken, "a message inside another is taken", &["REQ-WS-003"], &[]),
    entry(125, Mutant::EmptyPostDropped, "an empty POST is no message", &["REQ-HTTP-001"], &[]),
    entry(126, Mutant::PostNeedsReceiver, "a POST that nobody receives is 404", &["REQ-HTTP-002"], &[]),
    entry(127, Mutant::LargePostCut, "a POST that is too long is cut", &["REQ-HTTP-003"], &[]),
    entry(128, Mutant::UnknownIsWelcome, "unknown paths are answered 200", &["REQ-HTTP-006"], &[]),
    entry(129, Mutant::NoPuller500, "a POST that nobody pulls is 500", &["REQ-HTTP-007"], &[]),
    entry(130, Mutant::ErrorEnds, "every error ends its connection", &["REQ-HTTP-014"], &[]),
    entry(131, Mutant::PostSparesEcho, "a POST to a bus spares peers with echo", &["REQ-BUS-007"], &[]),
    entry(132, Mutant::PlainGet404, "a plain GET of a topic is 404", &["REQ-HTTP-004"], &["REQ-WS-016"]),
    entry(133, Mutant::PostLatin1, "a posted body is taken for Latin-1", &["REQ-HTTP-009"], &[]),
];
