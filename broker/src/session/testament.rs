//! What a session has left to be published when it is gone (WAMP: Testament).

use crate::connection::{Batch, Outbox, Publication};
use crate::dialect::wamp::Publish;
use crate::realm::Realm;

use super::Identity;
use super::pubsub::send;

/// When a testament is published. Sessions are not resumed, so both are published one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    Detached,
    Destroyed,
}

/// In the order in which they were made.
#[derive(Default)]
pub(super) struct Testaments(Vec<(Scope, Publish)>);

impl Testaments {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Bytes of all their payloads.
    pub(super) fn bytes(&self) -> usize {
        self.0.iter().map(|(_, publish)| publish.payload.len()).sum()
    }

    pub(super) fn add(&mut self, scope: Scope, publish: Publish) {
        self.0.push((scope, publish));
    }

    /// Forgets those for a scope; how many there were.
    pub(super) fn flush(&mut self, scope: Scope) -> usize {
        let before = self.0.len();
        self.0.retain(|(of, _)| *of != scope);
        before - self.0.len()
    }

    /// Publishes all: what is for the detached session first.
    pub(super) fn publish(
        self,
        realm: &Realm,
        identity: &std::sync::Arc<Identity>,
        me: &Outbox,
        batch: &mut Batch,
    ) {
        let (detached, destroyed): (Vec<_>, Vec<_>) =
            self.0.into_iter().partition(|(scope, _)| *scope == Scope::Detached);
        for (_, publish) in detached.into_iter().chain(destroyed) {
            let publisher = publish.disclose.then(|| identity.clone());
            let publication = Publication::new(publish.payload, publisher);
            send(realm, &publish.to, vec![publication], &publish.audience, me, batch);
        }
    }
}
