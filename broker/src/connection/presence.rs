//! What others know of the session on a connection, and what they want it to know.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::session::Identity;

/// Why and how a session is sent away: what its GOODBYE says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Farewell {
    /// A URI.
    pub(crate) reason: String,
    pub(crate) message: Option<String>,
}

/// A subscription that was taken away, and perhaps why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Revoked {
    pub(crate) subscription: u64,
    pub(crate) reason: Option<String>,
}

/// The part of an outbox that only WAMP needs.
pub(super) struct Presence {
    /// The longest message that the client takes, in bytes; rawsocket clients say so.
    pub(super) longest: usize,
    said: Mutex<Said>,
}

#[derive(Default)]
struct Said {
    identity: Option<Arc<Identity>>,
    farewell: Option<Farewell>,
    revoked: Vec<Revoked>,
}

impl Presence {
    pub(super) fn new(longest: usize) -> Self {
        Self { longest, said: Mutex::default() }
    }

    /// The session that is open; `None` while there is none.
    pub(super) fn identity(&self) -> Option<Arc<Identity>> {
        self.said.lock().identity.clone()
    }

    pub(super) fn set_identity(&self, identity: Option<Arc<Identity>>) {
        *self.said.lock() = Said { identity, ..Said::default() };
    }

    /// Sends the session away, if it is the one that is meant. The first reason counts.
    pub(super) fn dismiss(&self, farewell: Farewell) {
        self.said.lock().farewell.get_or_insert(farewell);
    }

    pub(super) fn revoke(&self, revoked: Revoked) {
        self.said.lock().revoked.push(revoked);
    }

    /// What the session has to act upon.
    pub(super) fn take(&self) -> (Option<Farewell>, Vec<Revoked>) {
        let mut said = self.said.lock();
        (said.farewell.take(), std::mem::take(&mut said.revoked))
    }
}
