//! From a socket that is open to a WAMP session that is: HELLO, CHALLENGE, AUTHENTICATE, WELCOME.

use super::super::core::Core;
use super::super::{Event, Failure, Identity, SocketId, Status, Welcome};
use super::Wamp;
use super::link::Stage;
use super::router::Router;
use super::sending;
use super::sending::Element::{Number, Options, Raw, Text};
use crate::wamp::error::words;
use crate::wamp::heard::Heard;
use crate::wamp::message::{Abort, Authenticate, Hello};
use crate::wamp::options::{Entry, Setting, Setting::Dict};
use crate::wamp::uri::error;
use crate::wamp::{RawDict, Serializer};

/// What the program is called to the router.
const AGENT: &str = concat!("petasus/", env!("CARGO_PKG_VERSION"));

/// The feature is used.
const YES: Setting<'static> = Setting::Bool(true);

/// The roles of a client, and of each the features that it uses. A callee does not announce `call_timeout`: then the
/// router keeps the time, which is what its callers expect.
const ROLES: &[Entry<'static>] = &[
    ("publisher", Dict(&[("features", Dict(&[("publisher_exclusion", YES)]))])),
    (
        "subscriber",
        Dict(&[(
            "features",
            Dict(&[
                ("pattern_based_subscription", YES),
                ("publisher_identification", YES),
                ("subscription_revocation", YES),
            ]),
        )]),
    ),
    (
        "caller",
        Dict(&[(
            "features",
            Dict(&[
                ("call_canceling", YES),
                ("call_timeout", YES),
                ("caller_identification", YES),
                ("progressive_call_invocations", YES),
                ("progressive_call_results", YES),
            ]),
        )]),
    ),
    (
        "callee",
        Dict(&[(
            "features",
            Dict(&[
                ("call_canceling", YES),
                ("call_reroute", YES),
                ("caller_identification", YES),
                ("pattern_based_registration", YES),
                ("progressive_call_invocations", YES),
                ("progressive_call_results", YES),
                ("registration_revocation", YES),
                ("shared_registration", YES),
            ]),
        )]),
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
        let (serializer, config) = (self.link.serializer, &core.config);
        let details = hello(&config.identity);
        let hello = [Number(Hello::CODE), Text(&config.realm), Options(&details)];
        let bytes = sending::encode(serializer, &hello, None);
        self.link.send_bytes(core, bytes);
    }

    pub(super) fn answer_challenge(&mut self, core: &mut Core, signature: &str, extra: &RawDict) {
        if std::mem::take(&mut self.challenged) {
            let extra = extra.to_bytes(self.link.serializer);
            self.link.send(core, &[Number(Authenticate::CODE), Text(signature), Raw(&extra)]);
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
        self.link.send(core, &[Number(Abort::CODE), Options(&[]), Text(reason)]);
    }

    /// CHALLENGE.
    pub(super) fn handle_challenge(&mut self, core: &mut Core, challenge: &Heard<'_>, now: u64) {
        // To answer one may cost much.
        if std::mem::replace(&mut self.challenged, true) {
            return self.violation(core, words("a CHALLENGE before the last one was answered"), now);
        }
        core.event(Event::Challenge { method: challenge.text(1), extra: challenge.details(2) });
    }

    /// WELCOME: what waited goes out, in order.
    pub(super) fn handle_welcome(&mut self, core: &mut Core, welcome: &Heard<'_>, now: u64) {
        let details = welcome.details(2);
        self.challenged = false;
        self.line.ready(now);
        self.link.stage = Stage::Welcome;
        self.link.since = now;
        self.link.router = Router::new(&details);
        let text = |key| details.text(key).unwrap_or_default();
        let realm = details.text("realm").unwrap_or_else(|| core.config.realm.clone());
        core.status(Status::Connected(Welcome {
            session: Some(welcome.number(1)),
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

/// The details of HELLO.
fn hello(identity: &Identity) -> Vec<Entry<'_>> {
    let mut details = vec![("roles", Dict(ROLES)), ("agent", Setting::Text(AGENT))];
    if let Some(authid) = &identity.authid {
        details.push(("authid", Setting::Text(authid)));
    }
    if !identity.methods.is_empty() {
        details.push(("authmethods", Setting::Texts(&identity.methods)));
    }
    if !identity.extra.is_empty() {
        details.push(("authextra", Setting::Raw(&identity.extra)));
    }
    details
}
