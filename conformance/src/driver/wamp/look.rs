//! Questions about others as calls of the meta procedures, and their answers and events.

use super::names::{self, Names};
use super::payload;
use crate::driver::Asking;
use crate::history::Conn;
use crate::model::{Group, Identity, Look, Match, Notice, Of, Policy, Scope, Told, Watched, Whom};
use crate::raw::wamp::Value;

/// An id that no session, no subscription and no registration has.
pub(super) const NOBODYS: u64 = 4_503_599_627_370_495;

/// A call: the procedure, `args` and `kwargs`.
pub(super) type Call = (String, Vec<Value>, Value);

/// The call that asks this.
pub(super) fn call(look: &Look, names: &Names, asking: &Asking<'_>) -> Call {
    let session = |conn: &Conn| Value::from(asking.sessions.get(conn).map_or(NOBODYS, |known| known.session));
    let group = |of: &Of| Value::from(asking.granted.get(&(of.conn, of.number)).copied().unwrap_or(NOBODYS));
    let role = |like: &Option<Conn>| {
        let known = like.and_then(|conn| asking.sessions.get(&conn)?.role.clone());
        known.into_iter().map(|role| Value::List(vec![Value::Text(role)])).collect()
    };
    let of_session = |name: &str, args| (format!("wamp.session.{name}"), args, Value::map([]));
    match look {
        Look::Count(like) => of_session("count", role(like)),
        Look::List(like) => of_session("list", role(like)),
        Look::Session(conn) => of_session("get", vec![session(conn)]),
        Look::Groups(kind) => of_group(*kind, "list", vec![]),
        Look::Lookup(kind, name, matching) => {
            let options = Value::map([("match", names::policy(*matching))]);
            of_group(*kind, "lookup", vec![Value::Text(names.uri(name)), options])
        }
        Look::Match(kind, name) => of_group(*kind, "match", vec![Value::Text(names.uri(name))]),
        Look::Group(kind, of) => of_group(*kind, "get", vec![group(of)]),
        Look::Members(kind, of) => of_group(*kind, &format!("list_{}s", member(*kind)), vec![group(of)]),
        Look::CountMembers(kind, of) => {
            of_group(*kind, &format!("count_{}s", member(*kind)), vec![group(of)])
        }
        Look::Remove(kind, of, whom, reason) => {
            let name = format!("remove_{}", member(*kind));
            let (procedure, args, _) = of_group(*kind, &name, vec![group(of), session(whom)]);
            (procedure, args, Value::map([("reason", Value::from(&**reason))]))
        }
        Look::Dismiss(whom, reason) => {
            let (procedure, args, _) = dismissal(*whom, asking);
            let message = reason.as_ref().map(|_| ("message", Value::from("begone")));
            let reason = reason.as_ref().map(|reason| ("reason", Value::from(&**reason)));
            (procedure, args, Value::map(reason.into_iter().chain(message)))
        }
        Look::Leave(topic, scope) => {
            let (args, kwargs) = payload::rich(asking.payload);
            let (procedure, ..) = of_session("add_testament", vec![]);
            (procedure, vec![Value::Text(names.uri(topic)), args, kwargs], scoped(*scope))
        }
        Look::TakeBack(scope) => {
            let (procedure, args, _) = of_session("flush_testaments", vec![]);
            (procedure, args, scoped(*scope))
        }
    }
}

fn of_group(kind: Group, name: &str, args: Vec<Value>) -> Call {
    let kind = match kind {
        Group::Subscription => "subscription",
        Group::Registration => "registration",
    };
    (format!("wamp.{kind}.{name}"), args, Value::map([]))
}

fn member(kind: Group) -> &'static str {
    match kind {
        Group::Subscription => "subscriber",
        Group::Registration => "callee",
    }
}

fn dismissal(whom: Whom, asking: &Asking<'_>) -> Call {
    let known = |conn: Conn| asking.sessions.get(&conn).cloned().unwrap_or_default();
    let text = |text: Option<String>| vec![Value::Text(text.unwrap_or_default())];
    let (name, args) = match whom {
        Whom::One(conn) => {
            let id = asking.sessions.get(&conn).map_or(NOBODYS, |known| known.session);
            ("kill", vec![Value::from(id)])
        }
        Whom::Named(conn) => ("kill_by_authid", text(known(conn).name)),
        Whom::OfRole(conn) => ("kill_by_authrole", text(known(conn).role)),
        Whom::All => ("kill_all", vec![]),
    };
    (format!("wamp.session.{name}"), args, Value::map([]))
}

fn scoped(scope: Scope) -> Value {
    let name = match scope {
        Scope::Detached => "detached",
        Scope::Destroyed => "destroyed",
    };
    Value::map([("scope", Value::from(name))])
}

/// The topic of events of this kind.
pub(super) fn topic(watched: Watched) -> String {
    let (kind, name) = match watched {
        Watched::Joined => return "wamp.session.on_join".to_owned(),
        Watched::Left => return "wamp.session.on_leave".to_owned(),
        Watched::Created(kind) => (kind, "on_create"),
        Watched::Added(Group::Subscription) => (Group::Subscription, "on_subscribe"),
        Watched::Added(Group::Registration) => (Group::Registration, "on_register"),
        Watched::Removed(Group::Subscription) => (Group::Subscription, "on_unsubscribe"),
        Watched::Removed(Group::Registration) => (Group::Registration, "on_unregister"),
        Watched::Deleted(kind) => (kind, "on_delete"),
    };
    of_group(kind, name, vec![]).0
}

/// The answer to a question.
pub(super) fn told(args: Option<&Value>, names: &Names) -> Told {
    let first = args.and_then(Value::items).and_then(|args| args.first());
    first.map_or(Told::Nothing, |value| read(value, names))
}

fn read(value: &Value, names: &Names) -> Told {
    let found = match value {
        Value::Null => Some(Told::Nothing),
        Value::Int(number) => u64::try_from(*number).ok().map(Told::Number),
        Value::List(_) => ids(value).map(Told::Ids),
        Value::Map(_) => groups(value).or_else(|| identity(value)).or_else(|| group(value, names)),
        _ => None,
    };
    found.unwrap_or_else(|| Told::Other(format!("{value:?}")))
}

fn ids(value: &Value) -> Option<Vec<u64>> {
    value.items()?.iter().map(Value::id).collect()
}

fn groups(value: &Value) -> Option<Told> {
    let list = |name| value.at(name).and_then(ids);
    Some(Told::Groups { exact: list("exact")?, prefix: list("prefix")?, wildcard: list("wildcard")? })
}

/// Who somebody is, as WELCOME, `wamp.session.get` and `on_join` say it.
fn identity(value: &Value) -> Option<Told> {
    Some(Told::Session(self::known(value.at("session")?.id()?, value)))
}

/// The session and what its details say.
pub(super) fn known(session: u64, details: &Value) -> Identity {
    let text = |name| details.at(name).and_then(Value::text).map(str::to_owned);
    Identity { session, name: text("authid"), role: text("authrole") }
}

/// Who called, if INVOCATION says anything of that.
pub(super) fn caller(details: &Value) -> Option<Identity> {
    let text = |name| details.at(name).and_then(Value::text).map(str::to_owned);
    let session = details.at("caller").and_then(Value::id).unwrap_or_default();
    let found = Identity { session, name: text("caller_authid"), role: text("caller_authrole") };
    (found != Identity::default()).then_some(found)
}

fn group(value: &Value, names: &Names) -> Option<Told> {
    let text = |name| value.at(name).and_then(Value::text);
    let matching = match text("match")? {
        "exact" => Match::Exact,
        "prefix" => Match::Prefix,
        "wildcard" => Match::Wildcard,
        _ => return None,
    };
    let policy = match text("invoke") {
        None => None,
        Some("single") => Some(Policy::Single),
        Some("first") => Some(Policy::First),
        Some("last") => Some(Policy::Last),
        Some("roundrobin") => Some(Policy::RoundRobin),
        Some("random") => Some(Policy::Random),
        Some(_) => return None,
    };
    Some(Told::Group { id: value.at("id")?.id()?, name: names.name(text("uri")?), matching, policy })
}

/// What an event tells; None: it has another form than its clause lays down.
pub(super) fn notice(what: Watched, args: Option<&Value>, names: &Names) -> Option<Notice> {
    let args = args?.items()?;
    let told = || args.get(1).map(|value| read(value, names));
    Some(match what {
        Watched::Joined => {
            let Told::Session(identity) = read(args.first()?, names) else { return None };
            let session = identity.session;
            Notice { what, session, id: None, told: Some(Told::Session(identity)) }
        }
        Watched::Left => Notice { what, session: args.first()?.id()?, id: None, told: None },
        Watched::Created(_) => {
            let told = told()?;
            let Told::Group { id, .. } = told else { return None };
            Notice { what, session: args.first()?.id()?, id: Some(id), told: Some(told) }
        }
        _ => Notice { what, session: args.first()?.id()?, id: Some(args.get(1)?.id()?), told: None },
    })
}
