//! One look at a realm.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use petasus::{Client, Error};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Sessions and subscriptions that are asked about one by one; there may be very many.
const ASKED: usize = 500;

/// What the meta API said, each part of it or why not.
pub(super) struct Look {
    pub(super) sessions: Result<u64, String>,
    /// Of the first [`ASKED`].
    pub(super) roles: Result<BTreeMap<String, u64>, String>,
    pub(super) subscriptions: Result<Counts, String>,
    pub(super) registrations: Result<Counts, String>,
    /// Topics and their subscribers, most first, of the first [`ASKED`].
    pub(super) topics: Result<Vec<(String, u64)>, String>,
}

/// How many there are of each kind of match.
pub(super) struct Counts {
    pub(super) exact: usize,
    pub(super) prefix: usize,
    pub(super) wildcard: usize,
}

/// What `wamp.subscription.list` and `wamp.registration.list` answer.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Ids {
    exact: Vec<u64>,
    prefix: Vec<u64>,
    wildcard: Vec<u64>,
}

#[derive(Deserialize)]
struct SessionDetails {
    #[serde(default)]
    authrole: Option<String>,
}

#[derive(Deserialize)]
struct SubscriptionDetails {
    uri: String,
    #[serde(default, rename = "match")]
    matching: Option<String>,
}

impl Look {
    /// Asks for everything; what the router refuses is left out, and why.
    pub(super) async fn take(client: &Client) -> Result<Self, Error> {
        let sessions = part(ask::<u64>(client, "wamp.session.count", None).await)?;
        let roles = part(roles(client).await)?;
        let ids = part(ask::<Ids>(client, "wamp.subscription.list", None).await)?;
        let topics = match &ids {
            Ok(ids) => part(topics(client, ids).await)?,
            Err(reason) => Err(reason.clone()),
        };
        let registrations = part(ask::<Ids>(client, "wamp.registration.list", None).await)?;
        Ok(Look {
            sessions,
            roles,
            subscriptions: ids.map(|ids| ids.counts()),
            registrations: registrations.map(|ids| ids.counts()),
            topics,
        })
    }
}

impl Ids {
    fn counts(&self) -> Counts {
        Counts { exact: self.exact.len(), prefix: self.prefix.len(), wildcard: self.wildcard.len() }
    }
}

impl Counts {
    pub(super) fn all(&self) -> usize {
        self.exact + self.prefix + self.wildcard
    }
}

async fn ask<T: DeserializeOwned>(client: &Client, procedure: &str, id: Option<u64>) -> Result<T, Error> {
    let call = client.call(procedure);
    let call = match id {
        Some(id) => call.args((id,)),
        None => call,
    };
    Ok(call.await?.args::<(T,)>()?.0)
}

/// A refusal is a part of the picture; everything else is the end.
fn part<T>(answer: Result<T, Error>) -> Result<Result<T, String>, Error> {
    match answer {
        Ok(value) => Ok(Ok(value)),
        Err(Error::Refused(refusal)) => Ok(Err(refusal.to_string())),
        // A router of another kind may answer something else.
        Err(error @ Error::Content { .. }) => Ok(Err(error.to_string())),
        Err(error) => Err(error),
    }
}

async fn roles(client: &Client) -> Result<BTreeMap<String, u64>, Error> {
    let ids: Vec<u64> = ask(client, "wamp.session.list", None).await?;
    let asked = ids.into_iter().take(ASKED);
    let details = join_all(asked.map(|id| ask::<SessionDetails>(client, "wamp.session.get", Some(id)))).await;
    let mut roles = BTreeMap::new();
    // Who has left meanwhile is not there.
    for details in details.into_iter().flatten() {
        *roles.entry(details.authrole.unwrap_or_else(|| "none".to_owned())).or_default() += 1;
    }
    Ok(roles)
}

async fn topics(client: &Client, ids: &Ids) -> Result<Vec<(String, u64)>, Error> {
    let asked = ids.exact.iter().chain(&ids.prefix).chain(&ids.wildcard).take(ASKED);
    let found = join_all(asked.map(|&id| topic(client, id))).await;
    let mut topics: Vec<(String, u64)> = found.into_iter().flatten().collect();
    topics.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    Ok(topics)
}

async fn topic(client: &Client, id: u64) -> Result<(String, u64), Error> {
    let details: SubscriptionDetails = ask(client, "wamp.subscription.get", Some(id)).await?;
    let subscribers = ask(client, "wamp.subscription.count_subscribers", Some(id)).await?;
    let kind = match details.matching.as_deref() {
        None | Some("exact") => String::new(),
        Some(kind) => format!(" ({kind})"),
    };
    Ok((format!("{}{kind}", details.uri), subscribers))
}
