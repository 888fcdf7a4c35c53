//! What a session asks of a broker, and what comes back: the vocabulary of pub/sub with options and of calls, in the words of
//! no dialect.

use serde::{Deserialize, Serialize};

use super::{Look, Payload, Told, Watched};
use crate::history::Conn;

/// How a subscription or a registration chooses names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Match {
    /// The name itself.
    #[default]
    Exact,
    /// All that begin with the text.
    Prefix,
    /// An empty component stands for any one.
    Wildcard,
}

/// Who of several callees gets a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// There is one only.
    #[default]
    Single,
    /// Who registered first.
    First,
    /// Who registered last.
    Last,
    /// In turns.
    RoundRobin,
    /// Anyone.
    Random,
}

/// How a call is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CancelMode {
    /// The callee is not told.
    Skip,
    /// The callee is told, and answers.
    Kill,
    /// The callee is told, and the caller is answered at once.
    KillNoWait,
}

/// What is asked for. Names are URIs behind the namespace of the case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Request {
    /// Events.
    Subscribe {
        /// Which.
        topic: String,
        /// How they are chosen.
        matching: Match,
    },
    /// None of a subscription any more.
    Unsubscribe {
        /// The number of the request that asked for it; of one that did not, an id that nobody has is named.
        of: u32,
    },
    /// An event for others.
    Publish(Publish),
    /// Calls.
    Register {
        /// Which.
        procedure: String,
        /// How they are chosen.
        matching: Match,
        /// Who gets them, of several.
        policy: Policy,
        /// How many at once.
        concurrency: Option<u32>,
    },
    /// None of a registration any more.
    Unregister {
        /// As in `Unsubscribe`.
        of: u32,
    },
    /// An answer of a callee.
    Call {
        /// Whose.
        procedure: String,
        /// Whether parts of it are welcome before all is there.
        progress: bool,
        /// How long it may take, in milliseconds.
        timeout_ms: Option<u64>,
    },
    /// A call of which more is said.
    CallWith(Calling),
    /// That a call is taken back.
    Cancel {
        /// The number of the request.
        of: u32,
        /// How.
        mode: CancelMode,
    },
    /// What there is to know of others, or a change of them.
    Look(Look),
    /// To be told what happens.
    Watch(Watched),
}

/// A call and what is said of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calling {
    /// Whose answer.
    pub procedure: String,
    /// Whether its callee may know who calls.
    pub disclose: bool,
    /// Whether it comes in pieces.
    pub piece: Option<Piece>,
}

/// A piece of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// The number of the request that was the first piece; none: this one is.
    pub of: Option<u32>,
    /// Whether more follow.
    pub more: bool,
}

/// A publication and who may have it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publish {
    /// Its topic.
    pub topic: String,
    /// Whether it is to be answered.
    pub acknowledge: bool,
    /// Whether the publisher may have it too.
    pub to_itself: bool,
    /// Only these.
    pub eligible: Option<Vec<Conn>>,
    /// Not these.
    pub exclude: Vec<Conn>,
    /// Whether receivers may know who published.
    pub disclose: bool,
}

/// What comes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Answer {
    /// Yes, under this id, if there is one.
    Granted {
        /// Of the subscription, registration or publication.
        id: Option<u64>,
    },
    /// No, or a call failed.
    Refused {
        /// Why.
        uri: String,
        /// What the callee said, if it was one.
        payload: Option<Payload>,
    },
    /// A part of the result of a call.
    Progress {
        /// What.
        payload: Payload,
    },
    /// The result of a call.
    Result {
        /// What.
        payload: Payload,
    },
    /// What there is to know.
    Told {
        /// What.
        told: Told,
    },
}

/// What a callee answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Give {
    /// A part.
    Progress,
    /// The result.
    Result,
    /// The error [`CALLEE_ERROR`].
    Error,
    /// That it has no time, and another may have.
    Unavailable,
}

/// What callees fail with.
pub const CALLEE_ERROR: &str = "com.example.broken";

impl Answer {
    /// Whether nothing may follow it.
    pub fn is_final(&self) -> bool {
        !matches!(self, Self::Progress { .. })
    }
}

impl Match {
    /// Whether a pattern takes a name (WAMP, Pattern-based Subscriptions).
    pub fn takes(self, pattern: &str, name: &str) -> bool {
        match self {
            Self::Exact => pattern == name,
            Self::Prefix => name.starts_with(pattern),
            Self::Wildcard => {
                let (pattern, name): (Vec<_>, Vec<_>) =
                    (pattern.split('.').collect(), name.split('.').collect());
                pattern.len() == name.len()
                    && pattern.iter().zip(name).all(|(wanted, is)| wanted.is_empty() || *wanted == is)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Match;

    /// REQ-WAMP-022, REQ-WAMP-023: the examples of the specification.
    #[test]
    fn patterns_take_what_the_specification_says() {
        for (matching, pattern, name, takes) in [
            (Match::Exact, "a.b", "a.b", true),
            (Match::Exact, "a", "a.b", false),
            (Match::Prefix, "com.myapp.topic.emergency", "com.myapp.topic.emergency.11", true),
            (Match::Prefix, "com.myapp.topic.emergency", "com.myapp.topic.emergency-low", true),
            (Match::Prefix, "com.myapp.topic.emergency", "com.myapp.topic.emergency", true),
            (Match::Prefix, "com.myapp.topic.emergency", "com.myapp.topic.emerge", false),
            (Match::Wildcard, "com.myapp..userevent", "com.myapp.foo.userevent", true),
            (Match::Wildcard, "com.myapp..userevent", "com.myapp.foo.userevent.bar", false),
            (Match::Wildcard, "com.myapp..userevent", "com.myapp2.foo.userevent", false),
            (Match::Wildcard, ".b.", "a.b.c", true),
            (Match::Wildcard, ".b.", "a.b", false),
        ] {
            assert_eq!(matching.takes(pattern, name), takes, "{matching:?} {pattern} {name}");
        }
    }
}
