//! `wamp.registration.*`: what can be called, and who answers (WAMP: Registration Meta API, Registration Revocation).

use petasus_protocol::wamp::uri::{self, Match};
use petasus_protocol::wamp::{Dict, Value, message};

use super::{Arguments, Failed, Outcome};
use crate::clock;
use crate::connection::Batch;
use crate::hub::InvokePolicy;
use crate::realm::Realm;

pub(super) fn call(realm: &Realm, name: &str, arguments: &Arguments, batch: &mut Batch) -> Outcome {
    Some(match name {
        "list" => Ok(list(realm)),
        "lookup" => lookup(realm, arguments),
        "match" => arguments.text(0, "a procedure").map(|procedure| {
            let found = realm.dealer.lock().best_match(procedure);
            vec![found.map_or(Value::Null, Value::from)]
        }),
        "get" => arguments
            .id(0, "registration")
            .and_then(|id| details(realm, id).ok_or_else(|| no_such(id)))
            .map(|details| vec![details.into()]),
        "list_callees" => callees(realm, arguments).map(|ids| vec![Value::List(ids)]),
        "count_callees" => callees(realm, arguments).map(|ids| vec![(ids.len() as u64).into()]),
        "remove_callee" => remove(realm, arguments, batch),
        _ => return None,
    })
}

fn no_such(id: u64) -> Failed {
    Failed { uri: uri::error::NO_SUCH_REGISTRATION, text: format!("there is no registration {id}") }
}

fn list(realm: &Realm) -> Vec<Value> {
    let ids = realm.dealer.lock().list();
    let list = |ids: Vec<u64>| Value::List(ids.into_iter().map(Value::from).collect());
    let lists = Dict::new()
        .with("exact", list(ids.exact))
        .with("prefix", list(ids.prefix))
        .with("wildcard", list(ids.wildcard));
    vec![lists.into()]
}

fn lookup(realm: &Realm, arguments: &Arguments) -> Result<Vec<Value>, Failed> {
    let procedure = arguments.text(0, "a procedure")?;
    let options = arguments.dict(1)?;
    let policy =
        options.text("match").map_err(|wrong| Failed::argument(wrong.to_string()))?.unwrap_or("exact");
    let policy = Match::parse(policy)
        .ok_or_else(|| Failed::argument(format!("there is no match policy {policy:?}")))?;
    let found = realm.dealer.lock().lookup(procedure, policy);
    Ok(vec![found.map_or(Value::Null, Value::from)])
}

/// What `wamp.registration.get` and `on_create` tell.
pub(super) fn details(realm: &Realm, id: u64) -> Option<Dict> {
    let dealer = realm.dealer.lock();
    let found = dealer.registration(id)?;
    let invoke = match found.invoke {
        InvokePolicy::Single => "single",
        InvokePolicy::First => "first",
        InvokePolicy::Last => "last",
        InvokePolicy::Random => "random",
        InvokePolicy::RoundRobin => "roundrobin",
    };
    let details = Dict::new()
        .with("id", id)
        .with("created", clock::iso_8601(found.created))
        .with("uri", found.uri)
        .with("match", found.matching.as_str())
        .with("invoke", invoke);
    Some(details)
}

fn callees(realm: &Realm, arguments: &Arguments) -> Result<Vec<Value>, Failed> {
    let id = arguments.id(0, "registration")?;
    let dealer = realm.dealer.lock();
    let members = dealer.callees(id).ok_or_else(|| no_such(id))?;
    let sessions = members.into_iter().filter_map(|member| dealer.party(member)?.identity());
    Ok(sessions.map(|identity| identity.session.into()).collect())
}

/// Takes a callee out of a registration, and tells it if it has announced that it understands.
fn remove(realm: &Realm, arguments: &Arguments, batch: &mut Batch) -> Result<Vec<Value>, Failed> {
    let id = arguments.id(0, "registration")?;
    let session = arguments.id(1, "session")?;
    let reason = arguments.kwargs.text("reason").map_err(|wrong| Failed::argument(wrong.to_string()))?;
    let mut dealer = realm.dealer.lock();
    let members = dealer.callees(id).ok_or_else(|| no_such(id))?;
    let is_meant = |outbox: &crate::connection::Outbox| {
        outbox.identity().is_some_and(|identity| identity.session == session)
    };
    let callee = members.into_iter().find(|member| dealer.party(*member).is_some_and(is_meant));
    let no_session = || Failed {
        uri: uri::error::NO_SUCH_SESSION,
        text: format!("session {session} is no callee of registration {id}"),
    };
    let callee = callee.ok_or_else(no_session)?;
    let outbox = dealer.party(callee).cloned();
    let revoked = dealer.revoke(id, Some(callee), batch).map_err(|_| no_such(id))?;
    if let Some(outbox) =
        outbox.filter(|outbox| outbox.identity().is_some_and(|identity| identity.knows_revocation))
    {
        let mut details = Dict::new().with("registration", id);
        if let Some(reason) = reason {
            details.set("reason", reason);
        }
        outbox.say(&message::Unregistered { request: 0, details }.into(), batch);
    }
    drop(dealer);
    super::on_unregister(realm, session, id, revoked.deleted, batch);
    Ok(Vec::new())
}
