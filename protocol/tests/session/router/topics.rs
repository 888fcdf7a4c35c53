//! Subscriptions and publications, of topics and buses.

use std::collections::BTreeMap;

use petasus_protocol::wamp::Dict;
use petasus_protocol::wamp::message::{
    Event, Publish, Published, Subscribe, Subscribed, Unsubscribe, Unsubscribed,
};

use super::{Router, Said};
use crate::history::{Truth, Wire, WireFilter, token};

#[derive(Debug, Default)]
pub(super) struct Topics {
    /// By their number. A topic has one, as long as anybody is subscribed, and later another.
    subscriptions: BTreeMap<u64, Subscription>,
    last: u64,
}

#[derive(Debug)]
struct Subscription {
    filter: WireFilter,
    members: Vec<Wire>,
}

impl Topics {
    fn join(&mut self, wire: Wire, filter: WireFilter) -> u64 {
        let found = self.subscriptions.iter().find(|(_, there)| there.filter == filter).map(|(id, _)| *id);
        let id = found.unwrap_or_else(|| {
            self.last += 1;
            self.subscriptions.insert(self.last, Subscription { filter, members: Vec::new() });
            self.last
        });
        let members = &mut self.subscriptions.get_mut(&id).expect("it is there now").members;
        if !members.contains(&wire) {
            members.push(wire);
        }
        id
    }

    /// What it was subscribed to.
    fn part(&mut self, wire: Wire, id: u64) -> Option<WireFilter> {
        let subscription = self.subscriptions.get_mut(&id)?;
        let place = subscription.members.iter().position(|member| *member == wire)?;
        subscription.members.remove(place);
        let filter = subscription.filter.clone();
        self.subscriptions.retain(|_, subscription| !subscription.members.is_empty());
        Some(filter)
    }

    pub(super) fn leave(&mut self, wire: Wire) {
        for id in self.ids(wire) {
            self.part(wire, id);
        }
    }

    pub(super) fn of(&self, wire: Wire) -> Vec<WireFilter> {
        self.ids(wire).into_iter().map(|id| self.subscriptions[&id].filter.clone()).collect()
    }

    fn ids(&self, wire: Wire) -> Vec<u64> {
        let with = |(_, there): &(&u64, &Subscription)| there.members.contains(&wire);
        self.subscriptions.iter().filter(with).map(|(id, _)| *id).collect()
    }
}

impl WireFilter {
    fn of(options: &Dict, uri: &str) -> WireFilter {
        let bus = options.text("_pattern").ok().flatten() == Some("bus");
        let matching = match options.text("match").ok().flatten() {
            Some("prefix") => "prefix",
            Some("wildcard") => "wildcard",
            _ => "exact",
        };
        WireFilter { bus, matching, uri: uri.to_owned() }
    }

    fn matches(&self, bus: bool, topic: &str) -> bool {
        self.bus == bus && fits(self.matching, &self.uri, topic)
    }
}

/// Whether a URI fits a pattern (WAMP, "Pattern-based Subscriptions").
pub(super) fn fits(matching: &str, pattern: &str, uri: &str) -> bool {
    match matching {
        "prefix" => uri.starts_with(pattern),
        "wildcard" => {
            let (wanted, parts): (Vec<&str>, Vec<&str>) =
                (pattern.split('.').collect(), uri.split('.').collect());
            let pairs = || wanted.iter().zip(&parts);
            wanted.len() == parts.len() && pairs().all(|(wanted, part)| wanted.is_empty() || wanted == part)
        }
        _ => pattern == uri,
    }
}

impl Router {
    pub(super) fn subscribe(&mut self, wire: Wire, subscribe: &Subscribe) {
        let request = subscribe.request;
        if self.begin(wire, Subscribe::CODE, request, true) {
            let filter = WireFilter::of(&subscribe.options, &subscribe.topic);
            self.truths.push(Truth::Subscribed { wire, filter: filter.clone() });
            let subscription = self.topics.join(wire, filter);
            self.say(wire, Subscribed { request, subscription });
        }
    }

    pub(super) fn unsubscribe(&mut self, wire: Wire, unsubscribe: &Unsubscribe) {
        let request = unsubscribe.request;
        self.begin(wire, Unsubscribe::CODE, request, false);
        if let Some(filter) = self.topics.part(wire, unsubscribe.subscription) {
            self.truths.push(Truth::Unsubscribed { wire, filter });
            self.say(wire, Unsubscribed { request, details: Dict::new() });
        } else {
            self.refuse(wire, Unsubscribe::CODE, request, "wamp.error.no_such_subscription");
        }
    }

    pub(super) fn publish(&mut self, wire: Wire, publish: &Publish) {
        let acknowledge = publish.options.bool("acknowledge").ok().flatten().unwrap_or(false);
        if !self.begin(wire, Publish::CODE, publish.request, acknowledge) {
            return;
        }
        let exclude_me = publish.options.bool("exclude_me").ok().flatten().unwrap_or(true);
        self.publications += 1;
        let publication = self.publications;
        self.truths.push(Truth::Published { wire, token: token(&publish.payload), publication });
        let bus = publish.options.text("_pattern").ok().flatten() == Some("bus");
        self.spread(publish, bus, publication, exclude_me.then_some(wire));
        if acknowledge {
            self.say(wire, Published { request: publish.request, publication });
        }
    }

    fn spread(&mut self, publish: &Publish, bus: bool, publication: u64, without: Option<Wire>) {
        for (&subscription, there) in &self.topics.subscriptions {
            if !there.filter.matches(bus, &publish.topic) {
                continue;
            }
            let mut details = Dict::new();
            if there.filter.matching != "exact" {
                details.set("topic", publish.topic.as_str());
            }
            let payload = publish.payload.clone();
            let event = Event { subscription, publication, details, payload };
            for &wire in there.members.iter().filter(|wire| Some(**wire) != without) {
                let message = Some(event.clone().into());
                self.said.push(Said { wire, message, about: Some(there.filter.clone()), last: false });
            }
        }
    }

    /// Takes one of a session's subscriptions away.
    pub(crate) fn revoke_subscription(&mut self, wire: Wire, which: usize) {
        let ids = self.topics.ids(wire);
        if ids.is_empty() || !self.is_joined(wire) {
            return;
        }
        let subscription = ids[which % ids.len()];
        let filter = self.topics.part(wire, subscription).expect("it has it");
        self.truths.push(Truth::Unsubscribed { wire, filter });
        let details = Dict::new().with("subscription", subscription).with("reason", "com.model.revoked");
        self.say(wire, Unsubscribed { request: 0, details });
    }
}
