//! The meta API of subscriptions and registrations, which is the same for both.

use super::Defect;
use super::meta::Outcome;
use super::router::Router;
use crate::raw::wamp::{Value, code};

/// Subscriptions or registrations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Subscription,
    Registration,
}

/// One of them, with all that the meta API tells.
pub(super) struct Group {
    pub(super) id: u64,
    matching: String,
    uri: String,
    invoke: Option<String>,
    pub(super) members: Vec<u64>,
}

impl Router {
    fn groups(&self, kind: Kind) -> Vec<Group> {
        let subscription = |one: &super::router::Subscription| Group {
            id: one.id,
            matching: one.matching.clone(),
            uri: one.topic.clone(),
            invoke: None,
            members: one.members.clone(),
        };
        let registration = |one: &super::dealer::Registration| Group {
            id: one.id,
            matching: one.matching.clone(),
            uri: one.procedure.clone(),
            invoke: Some(one.policy.clone()),
            members: one.callees.iter().map(|callee| callee.session).collect(),
        };
        match kind {
            Kind::Subscription => self.subscriptions.iter().map(subscription).collect(),
            Kind::Registration => self.dealer.registrations.iter().map(registration).collect(),
        }
    }

    /// The groups that somebody is a member of.
    pub(super) fn groups_of(&self, kind: Kind, member: u64) -> Vec<Group> {
        self.groups(kind).into_iter().filter(|group| group.members.contains(&member)).collect()
    }

    pub(super) fn of_groups(&mut self, kind: Kind, name: &str, args: &[Value], kwargs: &Value) -> Outcome {
        let groups = self.groups(kind);
        let text = || args.first().and_then(Value::text).ok_or("invalid_argument");
        let unknown = match kind {
            Kind::Subscription => "no_such_subscription",
            Kind::Registration => "no_such_registration",
        };
        let known = || {
            let id = args.first().and_then(Value::id);
            groups.iter().find(|group| Some(group.id) == id).ok_or(unknown)
        };
        let off = match kind {
            Kind::Subscription => self.defect == Some(Defect::SubscribersOff),
            Kind::Registration => self.defect == Some(Defect::CalleesOff),
        };
        match name.trim_end_matches("_subscribers").trim_end_matches("_callees") {
            "list" if !name.contains('_') => Ok(lists(&groups)),
            "lookup" => {
                let matching = args.get(1).and_then(|options| options.at("match")?.text()).unwrap_or("exact");
                let uri = text()?;
                let any = self.defect == Some(Defect::LookupAnyMatch) && kind == Kind::Subscription;
                let found =
                    groups.iter().find(|group| group.uri == uri && (any || group.matching == matching));
                Ok(found.map_or(Value::Null, |group| Value::from(group.id)))
            }
            "match" => {
                let uri = text()?;
                Ok(match kind {
                    Kind::Subscription => {
                        let fits = |one: &&super::router::Subscription| self.takes(one, uri);
                        let ids = self.subscriptions.iter().filter(fits).map(|one| Value::from(one.id));
                        Value::List(ids.collect())
                    }
                    Kind::Registration => {
                        let place = self.dealer.best(uri, self.defect);
                        place.map_or(Value::Null, |place| self.dealer.registrations[place].id.into())
                    }
                })
            }
            "get" => Ok(known()?.about()),
            "list" => {
                let shown = known()?.members.iter().skip(usize::from(off));
                Ok(Value::List(shown.map(|id| Value::from(*id)).collect()))
            }
            "count" => Ok(Value::from(known()?.members.len() as u64 + u64::from(off))),
            "remove_subscriber" | "remove_callee" => {
                let (id, member) = (known()?.id, args.get(1).and_then(Value::id).unwrap_or_default());
                if !known()?.members.contains(&member) {
                    return Err("no_such_session");
                }
                self.revoke(kind, id, member, kwargs);
                Ok(Value::Null)
            }
            _ => Err("no_such_procedure"),
        }
    }

    fn revoke(&mut self, kind: Kind, id: u64, member: u64, kwargs: &Value) {
        let able = self.sessions.get(&member).map(|session| session.able).unwrap_or_default();
        let (code, name, told, defect) = match kind {
            Kind::Subscription => {
                let subscription = self.subscriptions.iter_mut().find(|one| one.id == id);
                if let Some(one) = subscription.filter(|_| self.defect != Some(Defect::RemovedHears)) {
                    one.members.retain(|one| *one != member);
                }
                (code::UNSUBSCRIBED, "subscription", able.revoked, Defect::ModestTold)
            }
            Kind::Registration => {
                let registration = self.dealer.registrations.iter_mut().find(|one| one.id == id);
                if let Some(one) = registration {
                    one.leave(member);
                }
                (code::UNREGISTERED, "registration", able.unregistered, Defect::ModestCalleeTold)
            }
        };
        if told || self.defect == Some(defect) {
            let lost = self.defect == Some(Defect::RevokedForNothing);
            let reason = kwargs.at("reason").filter(|_| !lost).map(|reason| ("reason", reason.clone()));
            let details = Value::map([(name, Value::from(id))].into_iter().chain(reason));
            self.send(member, [Value::Int(code), Value::Int(0), details]);
        }
        self.left(kind, id, member);
    }

    /// Somebody became a member; `created`: the group is new.
    pub(super) fn added(&mut self, kind: Kind, id: u64, member: u64, created: bool) {
        let (family, name, again) = match kind {
            Kind::Subscription => ("subscription", "subscribe", Defect::SubscriptionMadeAgain),
            Kind::Registration => ("registration", "register", Defect::RegistrationMadeAgain),
        };
        if created || self.defect == Some(again) {
            let about = self.groups(kind).iter().find(|group| group.id == id).map(Group::about);
            self.tell(&format!("wamp.{family}.on_create"), &[member.into(), about.unwrap_or(Value::Null)]);
        }
        self.tell(&format!("wamp.{family}.on_{name}"), &[member.into(), id.into()]);
    }

    /// Somebody is a member no more; nobody: the group is gone.
    pub(super) fn left(&mut self, kind: Kind, id: u64, member: u64) {
        let (family, name) = match kind {
            Kind::Subscription => ("subscription", "unsubscribe"),
            Kind::Registration => ("registration", "unregister"),
        };
        self.subscriptions.retain(|subscription| !subscription.members.is_empty());
        self.drop_empty();
        self.tell(&format!("wamp.{family}.on_{name}"), &[member.into(), id.into()]);
        if self.groups(kind).iter().all(|group| group.id != id) {
            self.tell(&format!("wamp.{family}.on_delete"), &[member.into(), id.into()]);
        }
    }
}

impl Group {
    fn about(&self) -> Value {
        let invoke = self.invoke.as_ref().map(|invoke| ("invoke", Value::from(&**invoke)));
        let about = [
            ("id", Value::from(self.id)),
            ("uri", Value::from(&*self.uri)),
            ("match", Value::from(&*self.matching)),
        ];
        Value::map(about.into_iter().chain(invoke))
    }
}

fn lists(groups: &[Group]) -> Value {
    let of = |matching: &str| {
        let ids = groups.iter().filter(|group| group.matching == matching).map(|group| group.id.into());
        Value::List(ids.collect())
    };
    Value::map([("exact", of("exact")), ("prefix", of("prefix")), ("wildcard", of("wildcard"))])
}
