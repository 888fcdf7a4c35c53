//! A small WAMP router with switchable defects.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

mod dealer;
mod list;
mod router;
mod session;

pub(super) use list::LIST;

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
}

/// Starts one.
pub(super) fn serve(listener: TcpListener, defect: Defect) -> io::Result<(SocketAddr, JoinHandle<()>)> {
    let address = listener.local_addr()?;
    let defect = (defect != Defect::Clean).then_some(defect);
    let router = Arc::new(Mutex::new(router::Router::new(defect)));
    let task = tokio::spawn(async move {
        let ids = AtomicU64::new(1);
        let mut sessions = JoinSet::new();
        loop {
            let Ok((socket, _)) = listener.accept().await else { continue };
            let id = ids.fetch_add(1, Ordering::Relaxed);
            sessions.spawn(session::serve(socket, id, Arc::clone(&router)));
            while sessions.try_join_next().is_some() {}
        }
    });
    Ok((address, task))
}
