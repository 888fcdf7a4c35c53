//! Who a session is, and what it says of itself.

use crate::raw::wamp::Value;

/// What a client says that it understands.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is said or not, apart from the others")]
pub(in crate::mutants::wamp) struct Able {
    /// As a callee, pieces of calls.
    pub(in crate::mutants::wamp) pieces: bool,
    /// As a callee, that its calls go on to others.
    pub(in crate::mutants::wamp) reroutes: bool,
    /// As a callee, that it is taken out of a registration.
    pub(in crate::mutants::wamp) unregistered: bool,
    /// As a subscriber, that it is taken out of a subscription.
    pub(in crate::mutants::wamp) revoked: bool,
}

/// What everybody may do.
pub(in crate::mutants::wamp) const ROLE: &str = "anonymous";

/// The name of a session.
pub(in crate::mutants::wamp) fn authid(session: u64) -> String {
    format!("guest-{session}")
}

impl Able {
    /// As the details of HELLO say it.
    pub(super) fn of(details: &Value) -> Self {
        let has = |role, feature| {
            let features = details.at("roles").and_then(|roles| roles.at(role)?.at("features"));
            features.is_some_and(|features| features.has(feature))
        };
        Self {
            pieces: has("callee", "progressive_call_invocations"),
            reroutes: has("callee", "call_reroute"),
            unregistered: has("callee", "registration_revocation"),
            revoked: has("subscriber", "subscription_revocation"),
        }
    }
}
