//! What a question about groups should be answered, and what should be told of them.

use super::expected::{Known, Walk};
use super::groups::WATCHER;
use super::told;
use crate::check::Violation;
use crate::check::asking::conn_of;
use crate::check::talk::{Ask, Talk};
use crate::model::{Group, Look, Match, Notice, Of, Told, Watched};

/// What an answer should be, if it is not.
pub(super) fn wrong(talk: &Talk, walk: &Walk, ask: &Ask, look: &Look) -> Option<String> {
    let answer = told(ask).map(|(_, told)| told);
    let of = |of: &Of| walk.of(talk.asks.get(&(of.conn, of.number)));
    match look {
        Look::Groups(_) => {
            let Some(Told::Groups { exact, prefix, wildcard }) = answer else {
                return Some("three lists".to_owned());
            };
            let list = |matching| match matching {
                Match::Exact => exact,
                Match::Prefix => prefix,
                Match::Wildcard => wildcard,
            };
            let missing =
                walk.groups.iter().find(|group| group.is_sure() && !list(group.matching).contains(&group.id));
            let all = || [exact, prefix, wildcard].into_iter().flatten();
            let is_there = |id: &u64| walk.groups.iter().any(|group| group.id == *id);
            let stale = walk.ids.iter().find(|id| !is_there(id) && all().any(|other| other == *id));
            let missing = missing.map(|group| format!("lists with {}", group.id));
            missing.or_else(|| stale.map(|id| format!("lists without {id}")))
        }
        Look::Lookup(_, name, matching) => {
            let found = walk.groups.iter().find(|group| group.name == *name && group.matching == *matching);
            match found {
                Some(group) if !group.is_sure() => None,
                Some(group) => (answer != Some(&Told::Number(group.id))).then(|| group.id.to_string()),
                None => (answer != Some(&Told::Nothing)).then(|| "nothing".to_owned()),
            }
        }
        Look::Match(kind, name) => matches(walk, *kind, name, answer),
        Look::Group(kind, at) => group(
            ask,
            of(at),
            *kind,
            |group| answer == Some(&group.told()),
            |group| format!("{:?}", group.told()),
        ),
        Look::Members(kind, at) => group(
            ask,
            of(at),
            *kind,
            |group| matches!(answer, Some(Told::Ids(ids)) if sorted(ids) == members(talk, group)),
            |group| format!("{:?}", members(talk, group)),
        ),
        Look::CountMembers(kind, at) => group(
            ask,
            of(at),
            *kind,
            |group| answer == Some(&Told::Number(group.members.len() as u64)),
            |group| group.members.len().to_string(),
        ),
        _ => None,
    }
}

/// An answer about one group, or that there is none.
fn group(
    ask: &Ask,
    group: Option<&Known>,
    kind: Group,
    is_right: impl Fn(&Known) -> bool,
    wanted: impl Fn(&Known) -> String,
) -> Option<String> {
    let unknown = match kind {
        Group::Subscription => "wamp.error.no_such_subscription",
        Group::Registration => "wamp.error.no_such_registration",
    };
    match group {
        None => (ask.refused() != Some(unknown)).then(|| unknown.to_owned()),
        Some(group) if !group.maybe.is_empty() || is_right(group) => None,
        Some(group) => Some(wanted(group)),
    }
}

fn members(talk: &Talk, group: &Known) -> Vec<u64> {
    sorted(&group.members.iter().filter_map(|conn| talk.sessions.get(conn).copied()).collect::<Vec<_>>())
}

fn sorted(ids: &[u64]) -> Vec<u64> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids
}

/// All subscriptions that take a name; of registrations the one that is called.
fn matches(walk: &Walk, kind: Group, name: &str, answer: Option<&Told>) -> Option<String> {
    let takes = |group: &&Known| group.matching.takes(&group.name, name);
    if walk.groups.iter().any(|group| !group.is_sure()) {
        return None;
    }
    match kind {
        Group::Subscription => {
            let wanted = sorted(&walk.groups.iter().filter(takes).map(|group| group.id).collect::<Vec<_>>());
            let is = match answer {
                Some(Told::Ids(ids)) => Some(sorted(ids)),
                Some(Told::Nothing) => Some(Vec::new()),
                _ => None,
            };
            (is.as_ref() != Some(&wanted)).then(|| format!("{wanted:?}"))
        }
        Group::Registration => {
            // Two wildcards never take the same name here; two prefixes differ by their length.
            let rank = |group: &&Known| {
                (group.matching == Match::Exact, group.matching == Match::Prefix, group.name.len())
            };
            let wanted = walk.groups.iter().filter(takes).max_by_key(rank);
            let wanted = wanted.map_or(Told::Nothing, |group| Told::Number(group.id));
            let is_tie = name == "a.b"
                && !walk.groups.iter().any(|group| group.matching != Match::Wildcard && takes(&group));
            (!is_tie && answer != Some(&wanted)).then(|| format!("{wanted:?}"))
        }
    }
}

/// All that happened is told, once, and nothing else.
pub(super) fn notices(talk: &Talk, kind: Group, rule: &'static str) -> Vec<Violation> {
    let walk = Walk::until(talk, kind, usize::MAX);
    let mut violations = Vec::new();
    let mut told: Vec<_> = talk
        .noticed
        .iter()
        .filter(|(by, _, notice)| {
            *by == conn_of(WATCHER) && notice.id.is_some_and(|id| walk.ids.contains(&id))
        })
        .map(|(_, _, notice)| notice)
        .collect();
    for id in &walk.ids {
        let first = told.iter().find(|notice| notice.id == Some(*id));
        if let Some(first) = first
            && first.what != Watched::Created(kind)
        {
            violations
                .push(Violation::safety(rule, format!("the first that is told of {id} is {:?}", first.what)));
        }
    }
    for due in &walk.due {
        let is_it = |notice: &&Notice| {
            notice.what == due.what && notice.id == Some(due.id) && notice.session == due.session
        };
        let Some(place) = told.iter().position(is_it) else {
            let text = format!("{:?} of {} by {} is not told", due.what, due.id, due.session);
            violations.push(Violation::liveness(rule, text));
            continue;
        };
        let notice = told.remove(place);
        if notice.told != due.told {
            let text =
                format!("{:?} of {} is told as {:?}, not {:?}", due.what, due.id, notice.told, due.told);
            violations.push(Violation::safety(rule, text));
        }
    }
    violations.extend(told.into_iter().map(|notice| {
        let text = format!(
            "{:?} of {:?} by {} is told, and was not or was before",
            notice.what, notice.id, notice.session
        );
        Violation::safety(rule, text)
    }));
    violations
}
