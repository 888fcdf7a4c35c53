//! `wamp.subscription.*`: what is subscribed to, and by whom (WAMP: Subscriptions Meta API, Subscription Revocation).

use petasus_protocol::wamp::{Dict, Value, uri};
use petasus_protocol::{Topic, TopicFilter, TopicLimits};

use super::{Arguments, Failed, Outcome};
use crate::clock;
use crate::connection::{Batch, Outbox};
use crate::hub::Subscription;
use crate::realm::Realm;

pub(super) fn call(realm: &Realm, name: &str, arguments: &Arguments, _: &mut Batch) -> Outcome {
    Some(match name {
        "list" => Ok(list(realm)),
        "lookup" => lookup(realm, arguments),
        "match" => matching(realm, arguments),
        "get" => known(realm, arguments)
            .and_then(|number| details(realm, number).ok_or_else(|| no_such(number)))
            .map(|details| vec![details.into()]),
        "list_subscribers" => {
            known(realm, arguments).map(|number| vec![Value::List(subscribers(realm, number))])
        }
        "count_subscribers" => {
            known(realm, arguments).map(|number| vec![(subscribers(realm, number).len() as u64).into()])
        }
        "remove_subscriber" => remove(realm, arguments),
        _ => return None,
    })
}

/// WAMP's name for the form of a filter, and the URI; `None` for the forms that other dialects have.
fn shown(filter: &TopicFilter) -> Option<(&'static str, String)> {
    match filter {
        TopicFilter::Exact(topic) => Some(("exact", topic.to_wamp())),
        TopicFilter::WampPrefix(prefix) => Some(("prefix", prefix.as_str().to_owned())),
        TopicFilter::WampWildcard(wildcard) => Some(("wildcard", wildcard.as_str().to_owned())),
        _ => None,
    }
}

fn list(realm: &Realm) -> Vec<Value> {
    let mut lists: [(&str, Vec<Value>); 3] = [("exact", vec![]), ("prefix", vec![]), ("wildcard", vec![])];
    for subscription in realm.pubsub.lock().all() {
        let Some((policy, _)) = shown(subscription.filter) else { continue };
        if let Some((_, list)) = lists.iter_mut().find(|(name, _)| *name == policy) {
            list.push(subscription.number.into());
        }
    }
    vec![Value::Dict(
        lists.into_iter().fold(Dict::new(), |dict, (name, list)| dict.with(name, Value::List(list))),
    )]
}

fn lookup(realm: &Realm, arguments: &Arguments) -> Result<Vec<Value>, Failed> {
    let name = arguments.text(0, "a topic")?;
    let options = arguments.dict(1)?;
    let policy = options.text("match").map_err(|wrong| Failed::argument(wrong.to_string()))?;
    let limits = TopicLimits::UNLIMITED;
    let filter = match policy {
        None | Some("exact") => Topic::from_wamp(name, &limits).map(TopicFilter::Exact).map_err(Into::into),
        Some("prefix") => TopicFilter::wamp_prefix(name, &limits),
        Some("wildcard") => TopicFilter::wamp_wildcard(name, &limits),
        Some(other) => return Err(Failed::argument(format!("there is no match policy {other:?}"))),
    };
    let filter = filter.map_err(|error| Failed { uri: uri::error::INVALID_URI, text: error.to_string() })?;
    let found = realm.pubsub.lock().lookup(&filter);
    Ok(vec![found.map_or(Value::Null, Value::from)])
}

fn matching(realm: &Realm, arguments: &Arguments) -> Result<Vec<Value>, Failed> {
    let name = arguments.text(0, "a topic")?;
    let topic = Topic::from_wamp(name, &TopicLimits::UNLIMITED)
        .map_err(|error| Failed { uri: uri::error::INVALID_URI, text: error.to_string() })?;
    let pubsub = realm.pubsub.lock();
    let is_ours = |number: &u64| pubsub.get(*number).is_some_and(|found| shown(found.filter).is_some());
    let numbers: Vec<Value> = pubsub.matching(&topic).into_iter().filter(is_ours).map(Value::from).collect();
    Ok(vec![if numbers.is_empty() { Value::Null } else { Value::List(numbers) }])
}

fn no_such(number: u64) -> Failed {
    Failed { uri: uri::error::NO_SUCH_SUBSCRIPTION, text: format!("there is no subscription {number}") }
}

fn known(realm: &Realm, arguments: &Arguments) -> Result<u64, Failed> {
    let number = arguments.id(0, "subscription")?;
    match realm.pubsub.lock().get(number) {
        Some(found) if shown(found.filter).is_some() => Ok(number),
        _ => Err(no_such(number)),
    }
}

/// What `wamp.subscription.get` and `on_create` tell.
pub(super) fn details(realm: &Realm, number: u64) -> Option<Dict> {
    let pubsub = realm.pubsub.lock();
    let Subscription { number, filter, created } = pubsub.get(number)?;
    let (policy, uri) = shown(filter)?;
    Some(
        Dict::new()
            .with("id", number)
            .with("created", clock::iso_8601(created))
            .with("uri", uri)
            .with("match", policy),
    )
}

fn subscribers(realm: &Realm, number: u64) -> Vec<Value> {
    let pubsub = realm.pubsub.lock();
    let sessions = pubsub.subscribers(number).filter_map(Outbox::identity);
    sessions.map(|identity| identity.session.into()).collect()
}

/// Takes a session out of a subscription; it is told, and does the rest itself.
fn remove(realm: &Realm, arguments: &Arguments) -> Result<Vec<Value>, Failed> {
    let number = known(realm, arguments)?;
    let session = arguments.id(1, "session")?;
    let reason = arguments.kwargs.text("reason").map_err(|wrong| Failed::argument(wrong.to_string()))?;
    let pubsub = realm.pubsub.lock();
    let found = pubsub
        .subscribers(number)
        .find(|outbox| outbox.identity().is_some_and(|identity| identity.session == session))
        .cloned();
    drop(pubsub);
    let outbox = found.ok_or_else(|| Failed {
        uri: uri::error::NO_SUCH_SESSION,
        text: format!("session {session} has no part in subscription {number}"),
    })?;
    outbox.revoke(session, number, reason.map(str::to_owned));
    Ok(Vec::new())
}
