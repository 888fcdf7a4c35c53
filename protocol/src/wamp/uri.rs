//! URIs: what may be written where, and the ones that WAMP itself defines.
//!
//! The rules are the regular expressions of WAMP 5.1.1 ("Relaxed/Loose URIs", "Strict URIs"), written by hand. They
//! say which characters are forbidden by `\s`, which differs between languages; here everything is forbidden that
//! either Python or JavaScript takes for white space, so that no peer sees a URI it would have refused.

use std::fmt;

/// How much a component may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Rule {
    /// Everything but `.`, `#` and white space: what every peer must keep to.
    #[default]
    Loose,
    /// Lower-case ASCII letters, digits and `_` only: what the specification recommends.
    Strict,
}

/// How a subscription or registration is compared with a topic or procedure: the option `match`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Match {
    /// They are the same. No component is empty.
    #[default]
    Exact,
    /// The topic begins with it, as text. Only the last component may be empty: `com.myapp.` and the empty URI.
    Prefix,
    /// An empty component stands for any one component: `com..update`.
    Wildcard,
}

impl Match {
    /// The policy with this name in an option; `None` for an unknown name, which is to be answered with
    /// [`error::INVALID_ARGUMENT`].
    pub fn parse(name: &str) -> Option<Match> {
        [Match::Exact, Match::Prefix, Match::Wildcard].into_iter().find(|policy| policy.as_str() == name)
    }

    /// The name in an option.
    pub const fn as_str(self) -> &'static str {
        match self {
            Match::Exact => "exact",
            Match::Prefix => "prefix",
            Match::Wildcard => "wildcard",
        }
    }
}

impl fmt::Display for Match {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a text is not a URI: answered with [`error::INVALID_URI`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UriError {
    /// A component has no character, and the match policy gives an empty one no meaning.
    #[error("component {index} of the URI is empty: write something before, between and after the dots")]
    EmptyComponent {
        /// Which component, the first is 0.
        index: usize,
    },
    /// A character that no component may hold under the rule.
    #[error("the URI holds {character:?}: {}", .rule.advice())]
    Forbidden {
        /// The first such character.
        character: char,
        /// The rule that forbids it.
        rule: Rule,
    },
}

impl Rule {
    fn allows(self, character: char) -> bool {
        match self {
            Rule::Loose => character != '#' && !is_space(character),
            Rule::Strict => matches!(character, 'a'..='z' | '0'..='9' | '_'),
        }
    }

    const fn advice(self) -> &'static str {
        match self {
            Rule::Loose => "use no white space and no #",
            Rule::Strict => "use only a-z, 0-9 and _ between the dots",
        }
    }
}

/// White space as `\s` of Python (which has U+001C to U+001F) or JavaScript (which has the byte order mark) sees it.
fn is_space(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\u{1C}'..='\u{1F}' | '\u{FEFF}')
}

/// Checks the URI of a topic, procedure, error or realm (`Match::Exact`) or the pattern of a subscription or
/// registration (WAMP 5.1.1).
pub fn check(uri: &str, rule: Rule, policy: Match) -> Result<(), UriError> {
    let last = uri.bytes().filter(|&byte| byte == b'.').count();
    for (index, component) in uri.split('.').enumerate() {
        let may_be_empty = match policy {
            Match::Exact => false,
            Match::Prefix => index == last,
            Match::Wildcard => true,
        };
        if component.is_empty() && !may_be_empty {
            return Err(UriError::EmptyComponent { index });
        }
        if let Some(character) = component.chars().find(|&character| !rule.allows(character)) {
            return Err(UriError::Forbidden { character, rule });
        }
    }
    Ok(())
}

/// Whether only the router itself may publish to or register this URI: its first component is `wamp` (WAMP 5.1.1,
/// "Reserved URIs"), or it begins with `$`, which Petasus keeps for itself.
///
/// Of a prefix pattern this says whether everything under it is reserved; the prefix `wam` is not.
pub fn is_reserved(uri: &str) -> bool {
    uri.starts_with('$') || uri.split('.').next() == Some("wamp")
}

/// The error URIs of the Basic and the Advanced Profile.
pub mod error {
    /// A URI breaks the rules of [`check`](super::check).
    pub const INVALID_URI: &str = "wamp.error.invalid_uri";
    /// Nothing is registered under the URI of a CALL.
    pub const NO_SUCH_PROCEDURE: &str = "wamp.error.no_such_procedure";
    /// The URI of a REGISTER is taken, and its invocation policy is `single`.
    pub const PROCEDURE_ALREADY_EXISTS: &str = "wamp.error.procedure_already_exists";
    /// The URI of a REGISTER is taken with another invocation policy (Shared Registration).
    pub const PROCEDURE_EXISTS_WITH_DIFFERENT_INVOCATION_POLICY: &str =
        "wamp.error.procedure_exists_with_different_invocation_policy";
    /// UNREGISTER names no registration of this session.
    pub const NO_SUCH_REGISTRATION: &str = "wamp.error.no_such_registration";
    /// UNSUBSCRIBE names no subscription of this session.
    pub const NO_SUCH_SUBSCRIPTION: &str = "wamp.error.no_such_subscription";
    /// No other session has this id (Session Meta API).
    pub const NO_SUCH_SESSION: &str = "wamp.error.no_such_session";
    /// An argument, or an option of a known name, has a type or value that is not acceptable.
    pub const INVALID_ARGUMENT: &str = "wamp.error.invalid_argument";
    /// The router or the callee canceled the call.
    pub const CANCELED: &str = "wamp.error.canceled";
    /// The message is larger than the peer's transport takes.
    pub const PAYLOAD_SIZE_EXCEEDED: &str = "wamp.error.payload_size_exceeded";
    /// Reason of an ABORT: the peer broke the protocol.
    pub const PROTOCOL_VIOLATION: &str = "wamp.error.protocol_violation";
    /// The session may not do this.
    pub const NOT_AUTHORIZED: &str = "wamp.error.not_authorized";
    /// Whether the session may do this could not be found out.
    pub const AUTHORIZATION_FAILED: &str = "wamp.error.authorization_failed";
    /// The principal may not do this (the Advanced Profile's word for [`NOT_AUTHORIZED`]).
    pub const AUTHORIZATION_DENIED: &str = "wamp.error.authorization_denied";
    /// The principal needs an authorization to do this.
    pub const AUTHORIZATION_REQUIRED: &str = "wamp.error.authorization_required";
    /// The realm of the HELLO does not exist.
    pub const NO_SUCH_REALM: &str = "wamp.error.no_such_realm";
    /// The role of the principal does not exist.
    pub const NO_SUCH_ROLE: &str = "wamp.error.no_such_role";
    /// The principal does not exist.
    pub const NO_SUCH_PRINCIPAL: &str = "wamp.error.no_such_principal";
    /// None of the client's authentication methods is accepted.
    pub const NO_MATCHING_AUTH_METHOD: &str = "wamp.error.no_matching_auth_method";
    /// The authentication is wrong (a wrong password, say).
    pub const AUTHENTICATION_DENIED: &str = "wamp.error.authentication_denied";
    /// The authentication could not be checked.
    pub const AUTHENTICATION_FAILED: &str = "wamp.error.authentication_failed";
    /// Anonymous sessions are not accepted.
    pub const AUTHENTICATION_REQUIRED: &str = "wamp.error.authentication_required";
    /// The call timed out.
    pub const TIMEOUT: &str = "wamp.error.timeout";
    /// The router does not allow this option.
    pub const OPTION_NOT_ALLOWED: &str = "wamp.error.option_not_allowed";
    /// The router does not allow the option `disclose_me`.
    pub const OPTION_DISALLOWED_DISCLOSE_ME: &str = "wamp.error.option_disallowed.disclose_me";
    /// The router had a network failure.
    pub const NETWORK_FAILURE: &str = "wamp.error.network_failure";
    /// The callee cannot take this call now: try another one (Call Rerouting).
    pub const UNAVAILABLE: &str = "wamp.error.unavailable";
    /// All callees answered [`UNAVAILABLE`].
    pub const NO_AVAILABLE_CALLEE: &str = "wamp.error.no_available_callee";
    /// The CALL asks for a feature that the callee does not have.
    pub const FEATURE_NOT_SUPPORTED: &str = "wamp.error.feature_not_supported";
}

/// The reasons of GOODBYE.
pub mod close {
    /// The ordinary end; also the reason that a killed session gets when none is given (Session Meta API).
    pub const NORMAL: &str = "wamp.close.normal";
    /// The answer to a GOODBYE.
    pub const GOODBYE_AND_OUT: &str = "wamp.close.goodbye_and_out";
    /// The peer shuts down.
    pub const SYSTEM_SHUTDOWN: &str = "wamp.close.system_shutdown";
    /// The peer leaves the realm.
    pub const CLOSE_REALM: &str = "wamp.close.close_realm";
}
