//! From HELLO to WELCOME: the realm, who the client is, and how it proves that (WAMP 4.1, Authentication).

use std::net::SocketAddr;
use std::sync::Arc;

use petasus_protocol::wamp::uri::{self, Match};
use petasus_protocol::wamp::{Dict, Message, Serializer, Value, message};

use super::jobs::Jobs;
use super::places::Places;
use super::pubsub::Collected;
use super::testament::Testaments;
use super::{End, Identity, Joined, Received, Session, State, meta};
use crate::auth::{Challenge, Greeting, Opening, Who};
use crate::config::Mode;
use crate::connection::Batch;
use crate::dialect::wamp::announced;
use crate::hub::CalleeFeatures;
use crate::realm::Realm;

/// How a session's bytes travel, as others see it.
#[derive(Debug, Clone)]
pub(crate) struct Transport {
    /// `websocket`, `rawsocket`, `longpoll` or `internal`.
    pub(crate) kind: &'static str,
    pub(crate) serializer: Serializer,
    /// Where the client is; `None` over a UNIX socket, or inside the program.
    pub(crate) remote: Option<SocketAddr>,
}

/// A session whose client was asked to prove who it is.
pub(super) struct Challenged {
    realm: Arc<Realm>,
    session: u64,
    challenge: Challenge,
    abilities: Abilities,
}

impl Transport {
    pub(crate) const WEBSOCKET: &'static str = "websocket";
    pub(crate) const RAWSOCKET: &'static str = "rawsocket";
    pub(crate) const LONGPOLL: &'static str = "longpoll";
    pub(crate) const INTERNAL: &'static str = "internal";

    fn details(&self) -> Dict {
        let mut details = Dict::default();
        details.set("type", self.kind);
        details.set("serializer", self.serializer.as_str());
        if let Some(remote) = self.remote {
            details.set("peer", remote.to_string());
        }
        details
    }
}

impl Session {
    pub(super) fn on_hello(&mut self, message: Message, batch: &mut Batch) -> Received {
        let hello = match message {
            Message::Hello(hello) => hello,
            Message::Abort(_) | Message::Goodbye(_) => return Received::End(End::LEFT),
            other => return self.violation(&format!("{} before HELLO", other.name()), batch),
        };
        match self.greet(&hello) {
            Ok((realm, session, abilities, Opening::Welcome(who))) => {
                self.welcome(realm, session, abilities, who, batch);
                Received::Done
            }
            Ok((realm, session, abilities, Opening::Challenge(challenge))) => {
                let asked =
                    message::Challenge { method: challenge.method().to_owned(), extra: challenge.extra() };
                self.say(&Message::Challenge(asked), batch);
                self.state = State::Challenged(Box::new(Challenged { realm, session, challenge, abilities }));
                Received::Done
            }
            Err(Refused::Violation(text)) => self.violation(&text, batch),
            Err(Refused::With(reason, text)) => self.refuse_session(reason, &text, batch),
        }
    }

    pub(super) fn on_authenticate(&mut self, message: Message, batch: &mut Batch) -> Received {
        let answer = match message {
            Message::Authenticate(answer) => answer,
            Message::Abort(_) | Message::Goodbye(_) => {
                self.state = State::Over;
                return Received::End(End::LEFT);
            }
            other => return self.violation(&format!("{} instead of AUTHENTICATE", other.name()), batch),
        };
        let State::Challenged(challenged) = std::mem::replace(&mut self.state, State::Over) else {
            return Received::Done;
        };
        let Challenged { realm, session, challenge, abilities } = *challenged;
        match challenge.check(&answer.signature, &answer.extra) {
            Ok(who) => {
                self.welcome(realm, session, abilities, who, batch);
                Received::Done
            }
            Err(text) => self.refuse_session(uri::error::AUTHENTICATION_DENIED, &text.to_string(), batch),
        }
    }

    fn refuse_session(&mut self, reason: &str, text: &str, batch: &mut Batch) -> Received {
        self.core.metrics.refused();
        tracing::info!(remote = ?self.transport.remote, reason, text, "session refused");
        self.abort(reason, text, batch);
        Received::End(End::REFUSED)
    }

    fn greet(&self, hello: &message::Hello) -> Result<(Arc<Realm>, u64, Abilities, Opening), Refused> {
        let roles = hello.details.dict("roles").map_err(violation)?.filter(|roles| !roles.is_empty());
        let Some(roles) = roles else {
            return Err(Refused::Violation(
                "HELLO.Details.roles must announce at least one role (WAMP 4.1.1)".into(),
            ));
        };
        if let Err(error) = uri::check(&hello.realm, self.core.naming().rule, Match::Exact) {
            return Err(Refused::With(
                uri::error::NO_SUCH_REALM,
                format!("the realm's name is no URI: {error}"),
            ));
        }
        let Some(realm) = self.core.realm(&hello.realm) else {
            let advice = match self.core.config.mode {
                Mode::Production => "ask the operator to list it in wamp.realms",
                Mode::Development => "its name is too long, or there are too many realms: use another",
            };
            let text = format!("there is no realm {:.64} here: {advice}", hello.realm);
            return Err(Refused::With(uri::error::NO_SUCH_REALM, text));
        };
        let methods = hello.details.texts("authmethods").map_err(violation)?.unwrap_or_default();
        let session = realm.new_session_id();
        let greeting = Greeting {
            realm: realm.name(),
            authid: hello.details.text("authid").map_err(violation)?,
            methods: &methods,
            extra: hello.details.dict("authextra").map_err(violation)?,
            session,
        };
        let opening = match self.known.clone() {
            Some(who) => Opening::Welcome(who),
            None => {
                self.core.access.begin(&greeting).map_err(|refused| Refused::With(refused.0, refused.1))?
            }
        };
        Ok((realm, session, abilities(roles), opening))
    }

    fn welcome(
        &mut self,
        realm: Arc<Realm>,
        session: u64,
        abilities: Abilities,
        who: Who,
        batch: &mut Batch,
    ) {
        let Who { authid, authrole, authmethod, authprovider, extra } = who;
        let transport = self.transport.details();
        let identity = Arc::new(Identity {
            session,
            authid,
            authrole,
            authmethod,
            authprovider,
            knows_revocation: abilities.revocation,
            transport,
        });
        let mut details = Dict::default();
        details.set("realm", realm.name());
        details.set("authid", identity.authid.as_str());
        details.set("authrole", identity.authrole.as_str());
        details.set("authmethod", identity.authmethod);
        details.set("authprovider", identity.authprovider);
        if !extra.is_empty() {
            details.set("authextra", Value::Dict(extra));
        }
        details.set("roles", Value::Dict(announced()));
        details.set("_pattern", Value::List(vec!["bus".into(), "queue".into()]));
        details.set("agent", concat!("petasus/", env!("CARGO_PKG_VERSION")));
        // Nothing reaches the client before its WELCOME: only now do others learn of it.
        self.say(&Message::Welcome(message::Welcome { session, details }), batch);
        self.outbox.set_identity(Some(identity.clone()));
        let member = realm.dealer.lock().join(self.outbox.clone(), abilities.callee);
        realm.enter(session, self.outbox.clone());
        meta::on_join(&realm, &identity, batch);
        self.state = State::Joined(Box::new(Joined {
            realm,
            identity,
            member,
            places: Places::default(),
            jobs: Jobs::default(),
            testaments: Testaments::default(),
            collected: Collected::default(),
        }));
    }
}

/// Why a session is not opened.
enum Refused {
    Violation(String),
    /// An error URI, and a text for people.
    With(&'static str, String),
}

fn violation(wrong: impl std::fmt::Display) -> Refused {
    Refused::Violation(format!("HELLO.Details: {wrong}"))
}

/// What the client's roles can do, where it matters (WAMP: feature announcement).
#[derive(Debug, Clone, Copy)]
struct Abilities {
    callee: CalleeFeatures,
    /// It understands that a subscription or a registration is taken from it.
    revocation: bool,
}

fn abilities(roles: &Dict) -> Abilities {
    let feature = |role: &str, name: &str| {
        let features = roles.dict(role).ok().flatten().and_then(|role| role.dict("features").ok().flatten());
        features.and_then(|features| features.bool(name).ok().flatten()).unwrap_or(false)
    };
    Abilities {
        callee: CalleeFeatures {
            // The specification spells it in both ways.
            canceling: feature("callee", "call_canceling") || feature("callee", "call_cancelling"),
            timeout: feature("callee", "call_timeout"),
            reroute: feature("callee", "call_reroute"),
            progressive_results: feature("callee", "progressive_call_results"),
            progressive_invocations: feature("callee", "progressive_call_invocations"),
        },
        revocation: feature("subscriber", "subscription_revocation")
            || feature("callee", "registration_revocation"),
    }
}
