//! What the sending and the receiving side of a session share.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::model::Watched;
use crate::raw::wamp::Serialization;

/// What waits for an answer, or has had it: answers that come twice are told.
pub(super) enum Pending {
    /// HELLO, which has no number: 0.
    Welcome(oneshot::Sender<Result<crate::raw::wamp::Value, String>>),
    /// What has to be granted before the connection is open.
    Opening(oneshot::Sender<Result<u64, String>>),
    /// A barrier.
    Mark(u64),
    /// What a script asks for, by number, and the type of the answer.
    Ask(u32, i128),
    /// A question about others, by number.
    Look(u32),
    /// Something that was answered.
    Over,
}

/// The state of a session.
pub(super) struct State {
    /// By the number of the request.
    pub(super) pending: BTreeMap<u64, Pending>,
    /// The number of the last request.
    last: u64,
    /// The subscriptions and registrations whose payloads are bare.
    pub(super) plain: BTreeSet<u64>,
    /// The ids that were granted, by the script's number.
    pub(super) granted: BTreeMap<u32, u64>,
    /// The numbers of requests, by the script's number.
    pub(super) requests: BTreeMap<u32, u64>,
    /// What is to be told, by the number of the request that asks for it.
    pub(super) watching: BTreeMap<u32, Watched>,
    /// The subscriptions whose events tell it.
    pub(super) watched: BTreeMap<u64, Watched>,
    /// Whether the connection counts as open: only then its end is told.
    is_open: bool,
    /// Whether it said goodbye: a job that comes now is not begun, and is another's.
    pub(super) is_leaving: bool,
    /// Whether it ended.
    pub(super) is_over: bool,
}

/// The same for both sides.
#[derive(Clone)]
pub(super) struct Shared {
    state: Arc<Mutex<State>>,
    pub(super) serialization: Serialization,
}

impl Shared {
    pub(super) fn new(serialization: Serialization) -> Self {
        let state = State {
            pending: BTreeMap::new(),
            last: 0,
            plain: BTreeSet::new(),
            granted: BTreeMap::new(),
            requests: BTreeMap::new(),
            watching: BTreeMap::new(),
            watched: BTreeMap::new(),
            is_open: false,
            is_leaving: false,
            is_over: false,
        };
        Self { state: Arc::new(Mutex::new(state)), serialization }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The next number of a request (WAMP, IDs: one after the other, from 1).
    pub(super) fn number(&mut self, pending: Pending) -> u64 {
        self.last += 1;
        self.pending.insert(self.last, pending);
        self.last
    }

    /// From now on the end is told.
    pub(super) fn opened(&mut self) {
        self.is_open = true;
    }

    /// The end. Nobody is answered any more; whether it is to be told.
    pub(super) fn over(&mut self) -> bool {
        self.is_over = true;
        self.pending.clear();
        self.is_open
    }
}
