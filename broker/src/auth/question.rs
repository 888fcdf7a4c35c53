//! What a client is about to do, as the rules and the authorizer are asked about it.

use std::borrow::Cow;

use petasus_protocol::wamp::uri::{self, Match};
use petasus_protocol::{End, Step, Topic, TopicFilter};

use super::Action;
use crate::dialect::Pattern;

/// May somebody do this? Borrows everything: where there is nothing to ask, asking costs nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question<'a> {
    pub(crate) action: Action,
    /// The namespace that the name belongs to.
    pub(crate) pattern: Pattern,
    pub(crate) name: Name<'a>,
    pub(crate) authrole: &'a str,
}

/// What an action is about.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Name<'a> {
    /// One topic.
    Topic(&'a Topic),
    /// The topics of a subscription.
    Filter(&'a TopicFilter),
    /// A procedure, or with another policy than exact all those that it matches.
    Procedure(&'a str, Match),
}

/// The names that an action is about. A rule has to allow all of them.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reach<'a> {
    /// This URI.
    One(Cow<'a, str>),
    /// The URIs with as many components as this, and the same ones where this has one.
    Wildcard(Cow<'a, str>),
    /// Any number of URIs that begin with this text.
    Below(Cow<'a, str>),
}

impl<'a> Question<'a> {
    /// The URI of the question, for people and for the authorizer.
    pub(crate) fn uri(&self) -> Cow<'a, str> {
        match self.name {
            Name::Topic(topic) | Name::Filter(TopicFilter::Exact(topic) | TopicFilter::Tree(topic)) => {
                Cow::Owned(topic.to_wamp())
            }
            Name::Procedure(uri, _) => Cow::Borrowed(uri),
            Name::Filter(TopicFilter::WampPrefix(prefix)) => Cow::Borrowed(prefix.as_str()),
            Name::Filter(TopicFilter::WampWildcard(wildcard)) => Cow::Borrowed(wildcard.as_str()),
            Name::Filter(other) => Cow::Owned(other.to_string()),
        }
    }

    /// What the question is about in its own syntax, as hooks are told: a topic in slash form, a filter, or a URI.
    pub(crate) fn text(&self) -> String {
        match self.name {
            Name::Topic(topic) => topic.to_string(),
            Name::Filter(filter) => filter.to_string(),
            Name::Procedure(uri, _) => uri.to_owned(),
        }
    }

    /// The word of WAMP for the action: what the authorizer is asked, and what rules allow. A queue is pushed to by
    /// CALL and by PUBLISH; `call` stands for both.
    pub(crate) const fn word(&self) -> &'static str {
        match self.action {
            Action::Join | Action::Subscribe => "subscribe",
            Action::Send | Action::Publish => "publish",
            Action::Call | Action::Push => "call",
            Action::Register | Action::Pull => "register",
        }
    }
}

impl<'a> Name<'a> {
    pub(super) fn reach(self) -> Reach<'a> {
        match self {
            Self::Topic(topic) | Self::Filter(TopicFilter::Exact(topic)) => {
                Reach::One(Cow::Owned(topic.to_wamp()))
            }
            Self::Procedure(uri, Match::Exact) => Reach::One(Cow::Borrowed(uri)),
            Self::Procedure(uri, Match::Prefix) => Reach::Below(Cow::Borrowed(uri)),
            Self::Procedure(uri, Match::Wildcard) => Reach::Wildcard(Cow::Borrowed(uri)),
            Self::Filter(TopicFilter::Tree(topic)) => Reach::Below(Cow::Owned(topic.to_wamp())),
            Self::Filter(TopicFilter::WampPrefix(prefix)) => Reach::Below(Cow::Borrowed(prefix.as_str())),
            Self::Filter(TopicFilter::WampWildcard(wildcard)) => {
                Reach::Wildcard(Cow::Borrowed(wildcard.as_str()))
            }
            Self::Filter(other) => of_steps(other),
        }
    }
}

/// The reach of an MQTT filter, or of one that is invented later: steps, then an end.
fn of_steps(filter: &TopicFilter) -> Reach<'static> {
    let component = |step: Step<'_>| match step {
        Step::Literal(segment) => Topic::new(segment).to_wamp(),
        Step::Any => String::new(),
    };
    let components: Vec<String> = filter.steps().map(component).collect();
    if filter.end() == End::Exact {
        return Reach::Wildcard(Cow::Owned(components.join(".")));
    }
    let literal: Vec<&str> =
        components.iter().map(String::as_str).take_while(|component| !component.is_empty()).collect();
    let mut head = literal.join(".");
    if literal.len() < components.len() && !literal.is_empty() {
        head.push('.');
    }
    Reach::Below(Cow::Owned(head))
}

impl Reach<'_> {
    /// Whether all names within this are matched by a rule's URI.
    pub(super) fn is_within(&self, uri: &str, policy: Match) -> bool {
        match (self, policy) {
            (Self::One(name), Match::Exact) => name == uri,
            (Self::One(name), Match::Prefix) => name.starts_with(uri),
            (Self::One(name), Match::Wildcard) => same_shape(name, uri, |own, rule| own == rule),
            // Without an empty component it is one name only.
            (Self::Wildcard(wildcard), Match::Exact) => wildcard == uri && !has_gap(wildcard),
            // No prefix has an empty component inside, so what it has in common with the wildcard is literal.
            (Self::Wildcard(wildcard), Match::Prefix) => wildcard.starts_with(uri),
            (Self::Wildcard(wildcard), Match::Wildcard) => same_shape(wildcard, uri, |own, rule| own == rule),
            (Self::Below(head), Match::Prefix) => head.starts_with(uri),
            (Self::Below(_), Match::Exact | Match::Wildcard) => false,
        }
    }

    /// Whether this name is among them.
    pub(super) fn holds(&self, name: &str) -> bool {
        match self {
            Self::One(own) => own == name,
            Self::Wildcard(wildcard) => same_shape(name, wildcard, |own, wanted| own == wanted),
            Self::Below(head) => name.starts_with(head.as_ref()),
        }
    }
}

/// Whether two URIs have as many components, and `same` ones where `wildcard` has one.
fn same_shape(uri: &str, wildcard: &str, same: impl Fn(&str, &str) -> bool) -> bool {
    let mut components = uri.split('.');
    let mut wanted = wildcard.split('.');
    loop {
        match (components.next(), wanted.next()) {
            (None, None) => return true,
            (Some(own), Some(rule)) if rule.is_empty() || same(own, rule) => {}
            _ => return false,
        }
    }
}

fn has_gap(wildcard: &str) -> bool {
    wildcard.split('.').any(str::is_empty)
}

/// Checks the URI of a rule.
pub(super) fn check_pattern(uri: &str, policy: Match) -> Result<(), uri::UriError> {
    uri::check(uri, uri::Rule::Loose, policy)
}
