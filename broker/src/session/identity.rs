//! Who a session is: what others may learn of it.

use petasus_protocol::wamp::{Dict, Value};

use crate::dialect::wamp::Receiver;

/// A session that has joined a realm.
#[derive(Debug)]
pub(crate) struct Identity {
    /// Random, in 1..=2^53 (WAMP: IDs in the global scope).
    pub(crate) session: u64,
    pub(crate) authid: String,
    pub(crate) authrole: String,
    pub(crate) authmethod: &'static str,
    pub(crate) authprovider: &'static str,
    /// It understands that a subscription or registration is taken from it.
    pub(crate) knows_revocation: bool,
    /// What `wamp.session.get` shows of the connection.
    pub(crate) transport: Dict,
}

impl Identity {
    /// As the lists of an audience know it.
    pub(crate) fn receiver(&self) -> Receiver<'_> {
        Receiver { session: self.session, authid: &self.authid, authrole: &self.authrole }
    }

    /// What `wamp.session.on_join` and `wamp.session.get` tell (WAMP: session meta API).
    pub(crate) fn details(&self) -> Dict {
        let mut details = Dict::default();
        details.set("session", self.session);
        details.set("authid", self.authid.as_str());
        details.set("authrole", self.authrole.as_str());
        details.set("authmethod", self.authmethod);
        details.set("authprovider", self.authprovider);
        details.set("transport", Value::Dict(self.transport.clone()));
        details
    }
}
