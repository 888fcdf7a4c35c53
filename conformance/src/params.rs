//! What is declared of the broker under test.

use serde::{Deserialize, Serialize};

use crate::caps::Caps;
use crate::model::Role;

/// Limits, for checks at them, and the patterns that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// The longest message, in bytes.
    pub max_message: usize,
    /// Whether it knows binary messages; if not, checks send text in their place.
    #[serde(skip_serializing_if = "is_true")]
    pub binary: bool,
    /// How messages find receivers.
    #[serde(skip_serializing_if = "Patterns::is_all")]
    pub patterns: Patterns,
}

/// The patterns that a broker has: checks of what holds for each of them are made with those that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools, reason = "each is there or not, apart from the others")]
pub struct Patterns {
    /// Buses.
    pub bus: bool,
    /// Peers of a bus that may ask to hear themselves.
    pub echo: bool,
    /// Publishers and subscribers.
    pub pubsub: bool,
    /// Subscribers hear what is below their topic.
    pub hierarchy: bool,
    /// Queues.
    pub queue: bool,
    /// Queues take strict turns, and are not only fair.
    pub strict: bool,
}

impl Default for Params {
    fn default() -> Self {
        Self { max_message: 262_144, binary: true, patterns: Patterns::default() }
    }
}

impl Default for Patterns {
    fn default() -> Self {
        Self { bus: true, echo: true, pubsub: true, hierarchy: true, queue: true, strict: true }
    }
}

impl Patterns {
    /// Those among a broker's capabilities.
    pub fn of(caps: &Caps) -> Self {
        let has = |name| caps.lacks(&[name]).is_none();
        Self {
            bus: has("bus"),
            echo: has("bus.echo"),
            pubsub: has("pubsub"),
            hierarchy: has("pubsub.hierarchy"),
            queue: has("pushpull"),
            strict: has("pushpull.strict"),
        }
    }

    /// Who sends and who receives, for each pattern: the bus, topics, queues. None, if the broker has no pattern at all.
    pub fn pairs(&self) -> Vec<(Role, Role)> {
        let all = [
            (self.bus, Role::Bus, Role::Bus),
            (self.pubsub, Role::Pub, Role::Sub),
            (self.queue, Role::Push, Role::Pull),
        ];
        all.into_iter().filter(|(is_there, ..)| *is_there).map(|(_, from, to)| (from, to)).collect()
    }

    /// The pair that is meant by a number of the list of all three; another one if that is not there.
    pub fn pair(&self, number: usize) -> (Role, Role) {
        let all = [(Role::Bus, Role::Bus), (Role::Pub, Role::Sub), (Role::Push, Role::Pull)];
        let (meant, pairs) = (all[number % all.len()], self.pairs());
        match pairs.len() {
            // Nothing is checked then.
            0 => meant,
            _ if pairs.contains(&meant) => meant,
            there => pairs[number % there],
        }
    }

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this form")]
    fn is_all(&self) -> bool {
        *self == Self::default()
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this form")]
fn is_true(value: &bool) -> bool {
    *value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_that_is_not_there_is_replaced_by_one_that_is() {
        let lean = Patterns::of(&Caps::of(["pubsub", "pushpull"]));
        assert!(!lean.bus && !lean.hierarchy);
        assert_eq!(lean.pair(0).0, Role::Pub);
        assert_eq!(lean.pair(1).0, Role::Pub);
        assert_eq!(lean.pair(2).0, Role::Push);
        assert_eq!(Patterns::default().pair(0).0, Role::Bus);
    }

    #[test]
    fn a_token_of_a_broker_with_everything_says_nothing_of_patterns() {
        assert_eq!(serde_json::to_string(&Params::default()).unwrap(), r#"{"max_message":262144}"#);
        assert_eq!(serde_json::from_str::<Params>("{}").unwrap(), Params::default());
    }
}
