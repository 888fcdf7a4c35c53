//! A small broker of the Mercury dialect, and a small WAMP router, with switchable defects: proof that each check can
//! fail, and fails for the right reason.
//!
//! They share no code with any broker; of this crate they use the codecs. [`Mutant::Clean`] and [`Defect::Clean`] must pass everything.

mod broker;
mod close;
mod connection;
mod ending;
mod faults;
mod http;
mod keepalive;
mod list;
mod list_loss;
pub mod matrix;
mod outbox;
mod rooms;
mod wamp;

pub use broker::Running;
pub use list::ALL;
pub use wamp::Defect;

/// A defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "`ALL` says what each is")]
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
    OriginSubstring,
    OriginDotIsAny,
    OriginMissingTaken,
    OriginOnBusOnly,
    OriginPostUnchecked,
    OriginByCase,
    OriginFirstRuleOnly,
    OriginPortMissed,
    OriginAlwaysRuled,
    OriginRefused403,
    OriginRefusedJoins,
    LeaksAfterVanish,
    // What happens to connections, and to the broker.
    FrozenBlocks,
    OverflowSilent,
    OverflowOther,
    NeverPings,
    DropsTheLiving,
    DeadStays,
    DeadKeepsSlot,
    GoneKeepsSlot,
    ReplaysOld,
    StopCuts,
    StopForgets,
    AnswersOvertake,
    OneCursorForAll,
}

impl Mutant {
    /// The one of this number, or of this name, in which case and `-` do not count: `17`, `perl-cursor`, `clean`.
    pub fn named(name: &str) -> Option<Self> {
        let plain = name.to_lowercase().replace('-', "");
        let is = |mutant: Self| format!("{mutant:?}").to_lowercase() == plain;
        let found = ALL
            .iter()
            .chain(list_loss::LIST)
            .chain(faults::LIST)
            .find(|entry| is(entry.mutant) || entry.number.to_string() == name);
        found.map(|entry| entry.mutant).or_else(|| {
            [Self::Clean, Self::PinghubClean, Self::AtRandom].into_iter().find(|&clean| is(clean))
        })
    }

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
