//! From a socket that is open to a WAMP session that is: HELLO, CHALLENGE, AUTHENTICATE, WELCOME.

use super::super::config::Config;
use super::super::core::Core;
use super::super::{Event, Failure, SocketId, Status, Welcome};
use super::Wamp;
use super::link::Stage;
use super::router::Router;
use crate::wamp::message::{self, Abort, Authenticate, Hello};
use crate::wamp::uri::error;
use crate::wamp::{Dict, Payload, Serializer, Value};

/// What the program is called to the router.
const AGENT: &str = concat!("petasus/", env!("CARGO_PKG_VERSION"));

/// The roles of a client, and of each the features that it uses. A callee does not announce `call_timeout`: then the
/// router keeps the time, which is what its callers expect.
const ROLES: [(&str, &[&str]); 4] = [
    ("publisher", &["publisher_exclusion"]),
    ("subscriber", &["pattern_based_subscription", "publisher_identification", "subscription_revocation"]),
    (
        "caller",
        &[
            "call_canceling",
            "call_timeout",
            "caller_identification",
            "progressive_call_invocations",
            "progressive_call_results",
        ],
    ),
    (
        "callee",
        &[
            "call_canceling",
            "call_reroute",
            "caller_identification",
            "pattern_based_registration",
            "progressive_call_invocations",
            "progressive_call_results",
            "registration_revocation",
            "shared_registration",
        ],
    ),
];

impl Wamp {
    /// Begins an attempt to connect.
    pub(super) fn open(&mut self, core: &mut Core, now: u64) {
        core.status(Status::Connecting { attempt: self.line.attempt() });
        let subprotocols =
            core.config.serializers.iter().map(|serializer| serializer.subprotocol(false)).collect();
        let url = core.config.url.wamp();
        self.line.open(core, url, subprotocols, now);
    }

    /// The socket is open.
    pub(super) fn opened(&mut self, core: &mut Core, socket: SocketId, subprotocol: Option<&str>, now: u64) {
        let chosen = subprotocol.and_then(Serializer::from_subprotocol);
        let Some((serializer, false)) = chosen else {
            return self.fail(core, Failure::NoSubprotocol, "no subprotocol of WAMP", now);
        };
        self.link.begin(socket, serializer);
        self.link.stage = Stage::Hello;
        self.link.send(core, &hello(&core.config));
    }

    pub(super) fn answer_challenge(&mut self, core: &mut Core, signature: String, extra: Dict) {
        if std::mem::take(&mut self.challenged) {
            self.link.send(core, &Authenticate { signature, extra });
        }
    }

    pub(super) fn give_up_challenge(&mut self, core: &mut Core, reason: String, now: u64) {
        if !std::mem::take(&mut self.challenged) {
            return;
        }
        self.abort(core, error::AUTHENTICATION_FAILED);
        self.fail(core, Failure::Challenge { reason }, "the challenge was not answered", now);
    }

    /// Sends ABORT.
    pub(super) fn abort(&mut self, core: &mut Core, reason: &str) {
        let (details, payload) = (Dict::new(), Payload::empty());
        self.link.send(core, &Abort { details, reason: reason.to_owned(), payload });
    }

    /// CHALLENGE.
    pub(super) fn handle_challenge(&mut self, core: &mut Core, challenge: message::Challenge, now: u64) {
        let message::Challenge { method, extra } = challenge;
        // To answer one may cost much.
        if std::mem::replace(&mut self.challenged, true) {
            return self.violation(core, "a CHALLENGE before the last one was answered", now);
        }
        core.event(Event::Challenge { method, extra });
    }

    /// WELCOME: what waited goes out, in order.
    pub(super) fn handle_welcome(&mut self, core: &mut Core, welcome: message::Welcome, now: u64) {
        let message::Welcome { session, details } = welcome;
        self.challenged = false;
        self.line.ready(now);
        self.link.stage = Stage::Welcome;
        self.link.since = now;
        self.link.router = Router::new(&details);
        let text = |key| details.text(key).ok().flatten().unwrap_or_default().to_owned();
        let realm = if details.has("realm") { text("realm") } else { core.config.realm.clone() };
        core.status(Status::Connected(Welcome {
            session: Some(session),
            realm,
            authid: text("authid"),
            authrole: text("authrole"),
            authmethod: text("authmethod"),
            agent: text("agent"),
            details,
        }));
        self.registrations.handle_welcome(core, &mut self.link, now);
        self.subscriptions.handle_welcome(core, &mut self.link, now);
        self.requests.flush(core, &mut self.link, now);
    }
}

fn hello(config: &Config) -> Hello {
    let mut roles = Dict::new();
    for (role, features) in ROLES {
        let features: Dict = features.iter().map(|&feature| (feature, true)).collect();
        roles.set(role, Dict::new().with("features", features));
    }
    let mut details = Dict::new().with("roles", roles).with("agent", AGENT);
    let identity = &config.identity;
    if let Some(authid) = &identity.authid {
        details.set("authid", authid.as_str());
    }
    if !identity.methods.is_empty() {
        details.set("authmethods", Value::from(identity.methods.clone()));
    }
    if !identity.extra.is_empty() {
        details.set("authextra", identity.extra.clone());
    }
    Hello { realm: config.realm.clone(), details }
}
