//! The meta API: procedures and events by which clients learn of sessions, subscriptions and registrations.
//!
//! They belong to the broker: nobody else registers or publishes names that begin with `wamp.`.

mod registrations;
mod sessions;
mod subscriptions;
mod testaments;

use petasus_protocol::Topic;
use petasus_protocol::wamp::{Dict, Payload, Serializer, Value, uri};

use super::places::{Left, Taken};
use super::{Identity, Joined};
use crate::connection::{Batch, Parcel, Publication};
use crate::core::Core;
use crate::hub::Registered;
use crate::realm::Realm;
pub(super) use testaments::wanted as wanted_testament;

/// Why a meta procedure has no result.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Failed {
    pub(super) uri: &'static str,
    pub(super) text: String,
}

impl Failed {
    fn argument(text: impl Into<String>) -> Self {
        Self { uri: uri::error::INVALID_ARGUMENT, text: text.into() }
    }
}

/// The arguments of a call, read one after the other.
struct Arguments {
    args: Vec<Value>,
    kwargs: Dict,
}

impl Arguments {
    fn read(payload: &Payload) -> Result<Self, Failed> {
        let broken = |error: petasus_protocol::wamp::DecodeError| Failed::argument(error.to_string());
        Ok(Self {
            args: payload.arg_values().map_err(broken)?,
            kwargs: payload.kwarg_values().map_err(broken)?,
        })
    }

    fn optional(&self, place: usize) -> Option<&Value> {
        self.args.get(place).filter(|value| !value.is_null())
    }

    fn id(&self, place: usize, what: &str) -> Result<u64, Failed> {
        self.optional(place)
            .and_then(Value::as_id)
            .ok_or_else(|| Failed::argument(format!("argument {} must be the id of a {what}", place + 1)))
    }

    fn text(&self, place: usize, what: &str) -> Result<&str, Failed> {
        self.optional(place)
            .and_then(Value::as_text)
            .ok_or_else(|| Failed::argument(format!("argument {} must be {what}, a string", place + 1)))
    }

    fn dict(&self, place: usize) -> Result<Dict, Failed> {
        match self.optional(place) {
            None => Ok(Dict::new()),
            Some(Value::Dict(dict)) => Ok(dict.clone()),
            Some(_) => Err(Failed::argument(format!("argument {} must be a dict", place + 1))),
        }
    }
}

/// Calls a procedure of the broker's own; `trusted`: for the program that the broker is part of.
pub(super) fn call(
    core: &Core,
    joined: &mut Joined,
    trusted: bool,
    procedure: &str,
    payload: &Payload,
    batch: &mut Batch,
) -> Result<Payload, Failed> {
    let arguments = Arguments::read(payload)?;
    let unknown = || Failed {
        uri: uri::error::NO_SUCH_PROCEDURE,
        text: format!("the broker has no procedure {procedure}"),
    };
    let (family, name) =
        procedure.strip_prefix("wamp.").and_then(|rest| rest.split_once('.')).ok_or_else(unknown)?;
    let result = match family {
        "session" => match testaments::call(joined, name, &arguments, core, trusted) {
            None => sessions::call(joined, name, &arguments),
            result => result,
        },
        "subscription" => subscriptions::call(&joined.realm, name, &arguments, batch),
        "registration" => registrations::call(&joined.realm, name, &arguments, batch),
        _ => None,
    };
    let values = result.ok_or_else(unknown)??;
    Ok(Payload::of_values(payload.serializer, &values, &Dict::new()))
}

/// What a procedure came to; `None` if there is no such procedure.
type Outcome = Option<Result<Vec<Value>, Failed>>;

/// Publishes an event of the broker's own, if anybody listens.
fn publish(realm: &Realm, topic: &str, args: &[Value], batch: &mut Batch) {
    let topic = Topic::new(topic);
    let pubsub = realm.pubsub.lock();
    if pubsub.has_match(&topic) {
        let payload = Payload::of_values(Serializer::Json, args, &Dict::new());
        let parcel = Parcel::publications(topic.clone(), vec![Publication::new(payload, None)]);
        pubsub.publish(&topic, &parcel, |_| true, batch);
    }
}

pub(super) fn on_join(realm: &Realm, identity: &Identity, batch: &mut Batch) {
    publish(realm, "wamp/session/on_join", &[identity.details().into()], batch);
}

pub(super) fn on_leave(realm: &Realm, identity: &Identity, batch: &mut Batch) {
    let args = [identity.session.into(), identity.authid.as_str().into(), identity.authrole.as_str().into()];
    publish(realm, "wamp/session/on_leave", &args, batch);
}

pub(super) fn on_subscribe(realm: &Realm, session: u64, taken: Taken, batch: &mut Batch) {
    let subscription = taken.subscription;
    if taken.created {
        let details = subscriptions::details(realm, subscription);
        if let Some(details) = details {
            publish(realm, "wamp/subscription/on_create", &[session.into(), details.into()], batch);
        }
    }
    publish(realm, "wamp/subscription/on_subscribe", &[session.into(), subscription.into()], batch);
}

pub(super) fn on_unsubscribe(realm: &Realm, session: u64, left: Left, batch: &mut Batch) {
    if !left.topics {
        return;
    }
    let args = [session.into(), left.subscription.into()];
    publish(realm, "wamp/subscription/on_unsubscribe", &args, batch);
    if left.deleted {
        publish(realm, "wamp/subscription/on_delete", &args, batch);
    }
}

pub(super) fn on_register(realm: &Realm, session: u64, registered: Registered, batch: &mut Batch) {
    if registered.created {
        let details = registrations::details(realm, registered.id);
        if let Some(details) = details {
            publish(realm, "wamp/registration/on_create", &[session.into(), details.into()], batch);
        }
    }
    if registered.joined {
        publish(realm, "wamp/registration/on_register", &[session.into(), registered.id.into()], batch);
    }
}

pub(super) fn on_unregister(
    realm: &Realm,
    session: u64,
    registration: u64,
    deleted: bool,
    batch: &mut Batch,
) {
    let args = [session.into(), registration.into()];
    publish(realm, "wamp/registration/on_unregister", &args, batch);
    if deleted {
        publish(realm, "wamp/registration/on_delete", &args, batch);
    }
}
