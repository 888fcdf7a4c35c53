//! What the router is subscribed to for this session: filters, each with the subscriptions of the program that share
//! it.

use super::super::core::Core;
use super::super::table::{Names, Table};
use super::super::{Error, Filter};
use super::link::{Link, Pending};
use super::router::Router;
use super::sending::Element::{Number, Options, Text};
use crate::Topic;
use crate::wamp::message::{Subscribe, Unsubscribe};
use crate::wamp::options::Setting;
use crate::wamp::uri::{self, Match, Rule};

/// What a filter asks of topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Topics(Match),
    Bus,
}

/// A filter as the router has it. Equal ones of one session have one subscription id there, so they are one here.
#[derive(Debug)]
pub(super) struct WireFilter {
    pub(super) kind: Kind,
    pub(super) uri: String,
    /// The topic, if it is one only.
    pub(super) topic: Option<Topic>,
    /// The subscriptions that hear it.
    pub(super) members: Vec<u64>,
    /// The subscriptions that left and wait until the router has confirmed it.
    pub(super) leavers: Vec<u64>,
    pub(super) state: State,
}

/// What the router knows of a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Idle,
    /// SUBSCRIBE is under way.
    Subscribing,
    /// It has this subscription id.
    Active(u64),
    /// UNSUBSCRIBE of this subscription id is under way.
    Unsubscribing(u64),
}

/// All filters.
#[derive(Debug)]
pub(super) struct Filters {
    pub(super) all: Table<WireFilter>,
    /// The number of each, by its name: its kind and URI.
    names: Names<String>,
    /// The number of each, by the router's subscription id.
    active: Table<u64>,
    last: u64,
    /// Whether none is wanted any more.
    pub(super) draining: bool,
}

/// A part of a subscription.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) kind: Kind,
    pub(super) uri: String,
    pub(super) topic: Option<Topic>,
}

impl Part {
    /// What a subscription consists of: one filter, or two.
    pub(super) fn of(filter: &Filter) -> Result<(Part, Option<Part>), Error> {
        let exact = |kind, topic: &Topic| Part { kind, uri: topic.to_wamp(), topic: Some(topic.clone()) };
        let pattern = |matching, uri: &String| -> Result<Part, Error> {
            uri::check(uri, Rule::Loose, matching)?;
            Ok(Part { kind: Kind::Topics(matching), uri: uri.clone(), topic: None })
        };
        Ok(match filter {
            Filter::Tree(topic) => {
                let above = exact(Kind::Topics(Match::Exact), topic);
                let below = Part {
                    kind: Kind::Topics(Match::Prefix),
                    uri: [above.uri.as_str(), "."].concat(),
                    topic: None,
                };
                (above, Some(below))
            }
            Filter::Exact(topic) => (exact(Kind::Topics(Match::Exact), topic), None),
            Filter::Bus { topic, .. } => (exact(Kind::Bus, topic), None),
            Filter::Prefix(uri) => (pattern(Match::Prefix, uri)?, None),
            Filter::Wildcard(uri) => (pattern(Match::Wildcard, uri)?, None),
        })
    }

    pub(super) fn check(&self, router: Router) -> Result<(), Error> {
        self.kind.check(router)
    }

    /// What no other kind with another URI has.
    fn name(&self) -> String {
        let kind = match self.kind {
            Kind::Topics(matching) => matching.as_str(),
            Kind::Bus => "bus",
        };
        [kind, " ", &self.uri].concat()
    }
}

impl Kind {
    /// Whether the router can do it.
    pub(super) fn check(self, router: Router) -> Result<(), Error> {
        match self {
            Kind::Topics(Match::Exact) => Ok(()),
            Kind::Topics(_) => router.check_patterns(),
            Kind::Bus => router.check_bus(),
        }
    }
}

impl Filters {
    pub(super) fn new() -> Self {
        Filters { all: Table::new(), names: Names::new(), active: Table::new(), last: 0, draining: false }
    }

    /// Adds a member to the filter of `part`, and gives the filter's number.
    pub(super) fn join(&mut self, part: Part, member: u64) -> u64 {
        let name = part.name();
        if let Some(number) = self.names.get(&name)
            && let Some(filter) = self.all.get_mut(number)
        {
            filter.members.push(member);
            return number;
        }
        self.last += 1;
        let Part { kind, uri, topic } = part;
        let (members, leavers) = (vec![member], Vec::new());
        self.all.insert(self.last, WireFilter { kind, uri, topic, members, leavers, state: State::Idle });
        self.names.insert(name, self.last);
        self.last
    }

    /// Takes a member out. `true` if the router has to confirm it: then the member is among the leavers.
    pub(super) fn leave(&mut self, core: &mut Core, link: &mut Link, number: u64, member: u64) -> bool {
        let Some(filter) = self.all.get_mut(number) else { return false };
        filter.members.retain(|&other| other != member);
        let confirm = filter.members.is_empty() && filter.state != State::Idle;
        if confirm {
            filter.leavers.push(member);
        }
        self.step(core, link, number);
        confirm
    }

    /// Does the next thing that brings a filter from what it is to what it should be.
    pub(super) fn step(&mut self, core: &mut Core, link: &mut Link, number: u64) {
        let Some(filter) = self.all.get_mut(number) else { return };
        let wanted = !filter.members.is_empty() && !self.draining;
        match filter.state {
            State::Idle if wanted && link.is_welcome() => {
                let options = match filter.kind {
                    Kind::Topics(Match::Exact) => None,
                    Kind::Topics(matching) => Some(("match", Setting::Text(matching.as_str()))),
                    Kind::Bus => Some(("_pattern", Setting::Text("bus"))),
                };
                filter.state = State::Subscribing;
                let request = link.request(Pending::Filter(number));
                let options = Options(options.as_slice());
                link.send(core, &[Number(Subscribe::CODE), Number(request), options, Text(&filter.uri)]);
            }
            State::Active(subscription) if !wanted => {
                filter.state = State::Unsubscribing(subscription);
                let request = link.request(Pending::Filter(number));
                link.send(core, &[Number(Unsubscribe::CODE), Number(request), Number(subscription)]);
            }
            State::Idle if filter.members.is_empty() && filter.leavers.is_empty() => {
                let Some(WireFilter { kind, uri, topic, .. }) = self.all.remove(number) else { return };
                self.names.remove(&Part { kind, uri, topic }.name());
            }
            _ => {}
        }
    }

    /// The router gave it this subscription id.
    pub(super) fn stands(&mut self, number: u64, subscription: u64) {
        if let Some(filter) = self.all.get_mut(number) {
            filter.state = State::Active(subscription);
            self.active.insert(subscription, number);
        }
    }

    /// The router has it no more.
    pub(super) fn is_gone(&mut self, number: u64) {
        let Some(filter) = self.all.get_mut(number) else { return };
        if let State::Active(subscription) | State::Unsubscribing(subscription) = filter.state
            && self.active.get(subscription) == Some(&number)
        {
            self.active.remove(subscription);
        }
        filter.state = State::Idle;
    }

    /// The router has none any more, because the connection is lost.
    pub(super) fn are_gone(&mut self) {
        self.active.clear();
        for filter in self.all.values_mut() {
            filter.state = State::Idle;
        }
    }

    /// The filter of a subscription id of the router.
    pub(super) fn of_wire(&self, subscription: u64) -> Option<u64> {
        self.active.get(subscription).copied()
    }

    pub(super) fn state(&self, number: u64) -> State {
        self.all.get(number).map_or(State::Idle, |filter| filter.state)
    }

    pub(super) fn is_active(&self, number: u64) -> bool {
        matches!(self.state(number), State::Active(_))
    }
}
