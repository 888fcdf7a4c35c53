//! A small WAMP router with switchable defects.

use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};

mod dealer;
mod groups;
mod late;
mod list;
mod meta;
mod more;
mod patterns;
mod pieces;
mod router;
mod session;
mod sessions;

pub(super) use list::LIST;
pub(super) use more::MORE;
pub(super) use sessions::LIST as SESSIONS;

/// A defect of the router.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the list says what each is")]
pub enum Defect {
    Clean,
    RefusedDelivered,
    AnswersAll,
    LateAnswers,
    AnswersTwice,
    NullForAbsent,
    BadNamesTaken,
    AnswersUnasked,
    OtherPublication,
    EventTwice,
    EventLost,
    HearsItself,
    PrefixOfComponents,
    WildcardTakesMore,
    ExcludeIgnored,
    NobodyIsAll,
    AlwaysTells,
    IdForEach,
    UnsubscribedHears,
    NamesLost,
    InvocationsJump,
    ErrorBare,
    NobodySilent,
    RegisteredTwice,
    UnregisteredStays,
    AnyPolicy,
    TurnsStick,
    LastIsFirst,
    CrowdsCallees,
    LastWaitsLeast,
    PartsSwapped,
    AlwaysParts,
    SkipTells,
    KillsAtOnce,
    NeverInterrupts,
    NeverTimesOut,
    DeadCalleeSilent,
    // Sessions and what they are made of.
    GarbageTaken,
    FormsUnchecked,
    AbortUnsaid,
    OrderUnchecked,
    CallsAgain,
    ReservedTaken,
    OptionsUnchecked,
    UnknownOptionRefused,
    OffersInOurOrder,
    AnyOfferTaken,
    WelcomeBare,
    SessionsCounted,
    RolesUnchecked,
    GoodbyeStays,
    AbortAnswered,
    RealmsShared,
    KindsUnchecked,
    BytesRewritten,
    KeysSorted,
    FloatsBecomeInts,
    IntsAreFloats,
    BinaryIsText,
    BatchesOfOne,
    // Those of `more.rs`.
    OldestPattern,
    ShortPrefix,
    AnyWildcard,
    ProcedureUntold,
    CallerAlwaysTold,
    CallerHalfTold,
    PieceIsACall,
    PiecesForAll,
    UnavailableEnds,
    ReroutedBack,
    AllUnavailable,
    TopicsApart,
    SubscriptionsApart,
    SubscribedLate,
    RegisteredLate,
    CallsOvertake,
    CountIsOff,
    UnknownIsNull,
    JoinedTwice,
    LeavesSilently,
    KillsItself,
    ReasonLost,
    SubscribersOff,
    LookupAnyMatch,
    SubscriptionMadeAgain,
    ModestTold,
    RevokedForNothing,
    RemovedHears,
    CalleesOff,
    RegistrationMadeAgain,
    ModestCalleeTold,
    TestamentsReversed,
    TestamentsStay,
    GarbageEndsAll,
    RawReservedTaken,
    RawErrorsAlike,
    RawPingsUnanswered,
    RawUnknownTaken,
    RawLengthIgnored,
    // How it stops.
    StopSilent,
    StopCloses1000,
}

/// A router that can be stopped.
pub(super) struct Room {
    realms: Arc<session::Realms>,
    stop: Arc<Notify>,
}

/// Starts one.
pub(super) fn serve(listener: TcpListener, defect: Defect) -> (Room, JoinHandle<()>) {
    let defect = (defect != Defect::Clean).then_some(defect);
    let realms = Arc::new(session::Realms::new(defect));
    let stop = Arc::new(Notify::new());
    let room = Room { realms: Arc::clone(&realms), stop: Arc::clone(&stop) };
    let task = tokio::spawn(async move {
        let mut sessions = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = stop.notified() => break,
            };
            let Ok((socket, _)) = accepted else { continue };
            sessions.spawn(session::serve(socket, Arc::clone(&realms)));
            while sessions.try_join_next().is_some() {}
        }
        drop(listener);
        while sessions.join_next().await.is_some() {}
    });
    (room, task)
}

impl Room {
    /// Asks it to stop.
    pub(super) fn stop(&self) {
        self.realms.stop();
        self.stop.notify_one();
    }
}
