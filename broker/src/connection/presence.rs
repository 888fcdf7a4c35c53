//! What others know of the session on a connection, and what they want it to know.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

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
    /// The session may hear one event by several of its subscriptions. Read and written while pub/sub is locked,
    /// which orders it.
    pub(super) overlapping: AtomicBool,
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
        Self { longest, overlapping: AtomicBool::new(false), said: Mutex::default() }
    }

    /// The session that is open; `None` while there is none.
    pub(super) fn identity(&self) -> Option<Arc<Identity>> {
        self.said.lock().identity.clone()
    }

    pub(super) fn set_identity(&self, identity: Option<Arc<Identity>>) {
        *self.said.lock() = Said { identity, ..Said::default() };
    }

    /// Sends the session away, if it is the one that is meant. The first reason counts.
    pub(super) fn dismiss(&self, session: u64, farewell: Farewell) {
        let mut said = self.said.lock();
        if said.is_of(session) {
            said.farewell.get_or_insert(farewell);
        }
    }

    /// Takes a subscription from the session, if it is the one that is meant.
    pub(super) fn revoke(&self, session: u64, revoked: Revoked) {
        let mut said = self.said.lock();
        if said.is_of(session) {
            said.revoked.push(revoked);
        }
    }

    /// What the session has to act upon.
    pub(super) fn take(&self) -> (Option<Farewell>, Vec<Revoked>) {
        let mut said = self.said.lock();
        (said.farewell.take(), std::mem::take(&mut said.revoked))
    }
}

impl Said {
    /// Whether this session is still open: its client may have opened another one by now.
    fn is_of(&self, session: u64) -> bool {
        self.identity.as_ref().is_some_and(|identity| identity.session == session)
    }
}

#[cfg(test)]
mod tests {
    use petasus_protocol::wamp::Dict;

    use super::*;

    fn identity(session: u64) -> Arc<Identity> {
        Arc::new(Identity {
            session,
            authid: String::new(),
            authrole: String::new(),
            authmethod: "anonymous",
            authprovider: "static",
            knows_revocation: false,
            transport: Dict::new(),
        })
    }

    /// REQ-WAMP-014, REQ-WAMP-030, REQ-WAMP-033: the next session on a connection is another one.
    #[test]
    fn only_the_session_that_is_meant_is_told() {
        let presence = Presence::new(usize::MAX);
        let farewell = |reason: &str| Farewell { reason: reason.to_owned(), message: None };
        let revoked = || Revoked { subscription: 1, reason: None };
        let tell = |session, reason| {
            presence.dismiss(session, farewell(reason));
            presence.revoke(session, revoked());
        };
        tell(7, "none is open");
        presence.set_identity(Some(identity(7)));
        tell(8, "another one");
        assert_eq!(presence.take(), (None, vec![]));
        tell(7, "first");
        tell(7, "second");
        assert_eq!(presence.take(), (Some(farewell("first")), vec![revoked(), revoked()]));
        tell(7, "not yet taken");
        presence.set_identity(None);
        tell(7, "it has left");
        presence.set_identity(Some(identity(8)));
        assert_eq!(presence.take(), (None, vec![]));
    }
}
