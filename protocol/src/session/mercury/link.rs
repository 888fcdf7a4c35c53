//! An endpoint and the socket to it.

use std::collections::VecDeque;

use super::super::core::{Core, earliest};
use super::super::line::Line;
use super::super::{Content, Error, Event, Failure, RegistrationId, SubscriptionId};
use crate::{Endpoint, Message, Role, Topic};

/// How long a socket that only publishes is kept open after its last message, in milliseconds.
pub(super) const IDLE: u64 = 60_000;

/// What a socket is for. Pushing has none: jobs go by POST, which says what became of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Sub,
    Bus,
    /// A bus, hearing oneself.
    Echo,
    Pull,
    Pub,
}

/// An endpoint, as a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    pub(super) kind: Kind,
    pub(super) topic: Topic,
}

impl Name {
    /// [`Error::Endpoint`] if the topic is empty: no URL names that one.
    pub(super) fn new(kind: Kind, topic: Topic) -> Result<Name, Error> {
        let name = Name { kind, topic };
        Endpoint::new(name.role(), name.topic.clone())?;
        Ok(name)
    }

    fn role(&self) -> Role {
        match self.kind {
            Kind::Sub => Role::Sub,
            Kind::Bus | Kind::Echo => Role::Bus,
            Kind::Pull => Role::Pull,
            Kind::Pub => Role::Pub,
        }
    }

    pub(super) fn endpoint(&self) -> Endpoint {
        Endpoint { role: self.role(), topic: self.topic.clone(), echo: self.kind == Kind::Echo }
    }
}

/// Who of the program wants a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    Subscription(SubscriptionId),
    Registration(RegistrationId),
}

impl Holder {
    /// Its number: subscriptions and registrations draw from one row.
    pub(super) fn number(self) -> u64 {
        match self {
            Holder::Subscription(id) => id.0,
            Holder::Registration(id) => id.0,
        }
    }

    /// It stands.
    pub(super) fn stands(self, again: bool) -> Event {
        match self {
            Holder::Subscription(subscription) => Event::Subscribed { subscription, again },
            Holder::Registration(registration) => Event::Registered { registration, again },
        }
    }

    /// It was ended by the program, and that is confirmed.
    pub(super) fn left(self) -> Event {
        match self {
            Holder::Subscription(subscription) => Event::Unsubscribed { subscription },
            Holder::Registration(registration) => Event::Unregistered { registration },
        }
    }

    /// It came to an end by itself.
    pub(super) fn ended(self, error: Error) -> Event {
        match self {
            Holder::Subscription(subscription) => Event::SubscriptionEnded { subscription, error },
            Holder::Registration(registration) => Event::RegistrationEnded { registration, error },
        }
    }
}

/// A [`Holder`] that shares a socket with others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    pub(super) holder: Holder,
    /// Whether the program was told that it stands.
    pub(super) stood: bool,
}

/// How a socket that is wanted stands, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Waiting,
    Opening,
    Ready,
}

/// An endpoint and the socket to it.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) name: Name,
    pub(super) line: Line,
    /// Who shares it, in the order in which they came.
    pub(super) members: Vec<Member>,
    /// Who left, and is told when the socket is closed.
    pub(super) leavers: Vec<Holder>,
    /// Whether it is held to see that the broker is there, while the program wants no other one.
    pub(super) presence: bool,
    /// What waits to be sent, each message counted by [`weight`].
    pub(super) queue: VecDeque<Message>,
    /// Whether the socket takes no more for the moment.
    pub(super) blocked: bool,
    /// When the program last sent something.
    pub(super) used: u64,
    /// Why the socket went while something that was sent by it may have been on the way: told by drain.
    pub(super) cut: Option<Failure>,
    /// How it is counted in [`Board`](super::board::Board).
    pub(super) counted: Option<Stage>,
    /// The time at which it is looked at again; this may be too early, never too late.
    pub(super) alarm: Option<u64>,
}

impl Link {
    pub(super) fn new(name: Name, now: u64) -> Link {
        Link {
            name,
            line: Line::new(),
            members: Vec::new(),
            leavers: Vec::new(),
            presence: false,
            queue: VecDeque::new(),
            blocked: false,
            used: now,
            cut: None,
            counted: None,
            alarm: None,
        }
    }

    /// How it counts for the status: sockets that only publish do not, nor those that are on their way out.
    pub(super) fn stage(&self) -> Option<Stage> {
        if (self.members.is_empty() && !self.presence) || self.line.is_closing() {
            None
        } else if self.line.ready_socket().is_some() {
            Some(Stage::Ready)
        } else if self.line.is_opening() || self.line.is_idle() {
            Some(Stage::Opening)
        } else {
            Some(Stage::Waiting)
        }
    }

    /// When it is to be closed for want of use.
    pub(super) fn idle_at(&self) -> Option<u64> {
        let idle = self.name.kind == Kind::Pub && self.queue.is_empty() && !self.line.is_closing();
        idle.then(|| self.used.saturating_add(IDLE))
    }

    /// When something is due.
    pub(super) fn next_alarm(&self, core: &Core) -> Option<u64> {
        earliest(&[self.line.next_timeout(core), self.idle_at()])
    }
}

/// What a message counts while it waits.
pub(super) fn weight(message: &Message) -> usize {
    Core::weight(&Content::Plain(message.clone()))
}
