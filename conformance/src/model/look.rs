//! What a session asks of the broker about others, and is told of them: who is there, who subscribed to what and registered
//! what. In the words of no dialect; a dialect that has no such questions refuses them.

use serde::{Deserialize, Serialize};

use super::{Match, Policy};
use crate::history::Conn;

/// Who somebody is to the broker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The id of the session; 0: it is not told.
    pub session: u64,
    /// Who it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it may do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}

/// What sessions are members of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// Subscriptions and their subscribers.
    Subscription,
    /// Registrations and their callees.
    Registration,
}

/// A group, by the request that was granted it. Of a request that was not, an id that nobody has is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Of {
    /// Who asked.
    pub conn: Conn,
    /// The number of the request.
    pub number: u32,
}

/// Who is sent away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whom {
    /// This one.
    One(Conn),
    /// All that have the name of this one.
    Named(Conn),
    /// All that have its role.
    OfRole(Conn),
    /// All.
    All,
}

/// When what is left behind is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// When the session is detached from its transport.
    Detached,
    /// When it is gone.
    Destroyed,
}

/// A question, or a change of others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Look {
    /// How many sessions there are, or have the role of this one.
    Count(Option<Conn>),
    /// Which.
    List(Option<Conn>),
    /// Who somebody is.
    Session(Conn),
    /// All groups.
    Groups(Group),
    /// The group of this name and policy.
    Lookup(Group, String, Match),
    /// The groups that take this name; of registrations the one that is called.
    Match(Group, String),
    /// What a group is.
    Group(Group, Of),
    /// Who is in it.
    Members(Group, Of),
    /// How many are.
    CountMembers(Group, Of),
    /// Somebody is taken out of it, for this reason.
    Remove(Group, Of, Conn, String),
    /// Sessions are sent away, for this reason if one is told.
    Dismiss(Whom, Option<String>),
    /// An event is left behind: its topic, and when it is published.
    Leave(String, Scope),
    /// What was left behind is taken back.
    TakeBack(Scope),
}

/// What is told to who wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Watched {
    /// A session came.
    Joined,
    /// One is gone.
    Left,
    /// A group was made.
    Created(Group),
    /// Somebody joined it.
    Added(Group),
    /// Somebody left it.
    Removed(Group),
    /// It is gone.
    Deleted(Group),
}

/// An answer to a [`Look`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// There is none, or nothing to tell.
    Nothing,
    /// A number or an id.
    Number(u64),
    /// Several ids.
    Ids(Vec<u64>),
    /// The ids of groups, by policy.
    Groups {
        /// Of exact names.
        exact: Vec<u64>,
        /// Of prefixes.
        prefix: Vec<u64>,
        /// Of wildcards.
        wildcard: Vec<u64>,
    },
    /// Who somebody is.
    Session(Identity),
    /// What a group is.
    Group {
        /// Its id.
        id: u64,
        /// Its name, behind the namespace.
        name: String,
        /// How it chooses names.
        matching: Match,
        /// Who of several is called.
        policy: Option<Policy>,
    },
    /// Something else, in words.
    Other(String),
}

/// Something that happened to others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// What.
    pub what: Watched,
    /// To whom, or by whom.
    pub session: u64,
    /// In which group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    /// What else is told of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Told>,
}
