//! Where a connection stands, and whom it is tied to.

use serde::{Deserialize, Serialize};

use super::Topic;

/// What a connection is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// A peer of a bus: sends and receives.
    Bus,
    /// Publishes.
    Pub,
    /// Subscribes to a topic, and to what is below it.
    Sub,
    /// Pushes to a queue.
    Push,
    /// Takes its turns at a queue.
    Pull,
    /// Says later what it wants, by requests; what it sends without one is heard by all others of its kind.
    Session,
}

/// The three ways in which messages find receivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pattern {
    /// To all others.
    Bus,
    /// To all subscribers.
    PubSub,
    /// To one puller.
    Queue,
    /// To those whom requests name.
    Session,
}

/// A role at a topic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Door {
    /// What for.
    pub role: Role,
    /// Where.
    pub topic: Topic,
    /// A peer of a bus that asked to hear itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub echo: bool,
    /// Somebody who says of itself that it understands nothing but the basics.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub modest: bool,
}

/// Whether what is sent at one door is due at another, and if not, why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tie {
    /// It is due there: at all of these doors, or at one of them if the pattern is the queue.
    Due,
    /// The sender's own, which did not ask for its echo.
    Own,
    /// Another pattern.
    OtherPattern,
    /// A door where nothing is ever received.
    NoReceiver,
    /// The topics differ only by what a careless broker overlooks.
    Twin,
    /// Other topics.
    OtherTopic,
}

impl Role {
    /// Its pattern.
    pub fn pattern(self) -> Pattern {
        match self {
            Self::Bus => Pattern::Bus,
            Self::Session => Pattern::Session,
            Self::Pub | Self::Sub => Pattern::PubSub,
            Self::Push | Self::Pull => Pattern::Queue,
        }
    }

    /// Whether messages arrive there.
    pub fn receives(self) -> bool {
        matches!(self, Self::Bus | Self::Sub | Self::Pull | Self::Session)
    }

    /// Whether messages are sent there.
    pub fn sends(self) -> bool {
        matches!(self, Self::Bus | Self::Pub | Self::Push | Self::Session)
    }
}

impl Door {
    /// A door without echo.
    pub fn new(role: Role, topic: Topic) -> Self {
        Self { role, topic, echo: false, modest: false }
    }

    /// Whether what is sent here is due at `to`. `same`: it is the same connection.
    pub fn tie(&self, to: &Door, same: bool) -> Tie {
        if !to.role.receives() {
            return Tie::NoReceiver;
        }
        if self.role.pattern() != to.role.pattern() {
            return Tie::OtherPattern;
        }
        // What is sent at a door of receivers is ignored.
        if !self.role.sends() {
            return Tie::NoReceiver;
        }
        let matches = match self.role.pattern() {
            Pattern::PubSub => to.topic.covers(&self.topic),
            Pattern::Bus | Pattern::Queue | Pattern::Session => to.topic == self.topic,
        };
        match matches {
            true if same && !to.echo => Tie::Own,
            true => Tie::Due,
            false if self.topic.is_twin_of(&to.topic) => Tie::Twin,
            false => Tie::OtherTopic,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn door(role: Role, topic: &str) -> Door {
        Door::new(role, Topic::new(topic))
    }

    #[test]
    fn each_pattern_has_its_own_ties() {
        let tie = |from: (Role, &str), to: (Role, &str)| door(from.0, from.1).tie(&door(to.0, to.1), false);
        assert_eq!(tie((Role::Pub, "a/b"), (Role::Sub, "a")), Tie::Due);
        assert_eq!(tie((Role::Bus, "a/b"), (Role::Bus, "a")), Tie::OtherTopic);
        assert_eq!(tie((Role::Push, "a/b"), (Role::Pull, "a")), Tie::OtherTopic);
        assert_eq!(tie((Role::Push, "a"), (Role::Pull, "A")), Tie::Twin);
        assert_eq!(tie((Role::Bus, "a"), (Role::Sub, "a")), Tie::OtherPattern);
        assert_eq!(tie((Role::Pub, "a"), (Role::Pub, "a")), Tie::NoReceiver);
        assert_eq!(tie((Role::Sub, "a"), (Role::Sub, "a")), Tie::NoReceiver);
    }

    #[test]
    fn a_peer_hears_itself_only_with_echo() {
        let mut peer = door(Role::Bus, "a");
        assert_eq!(peer.tie(&peer, true), Tie::Own);
        peer.echo = true;
        assert_eq!(peer.tie(&peer, true), Tie::Due);
    }
}
