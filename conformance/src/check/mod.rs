//! Checks: what is tried, and how it is judged.
//!
//! A family is one file: a script type that is small and readable, generators that know which choices matter, a
//! lowering of scripts to [`Plan`]s, and a judge that reads a [`History`] and nothing else. [`Family`] is what such a
//! file implements; [`Check`] is the same without the type of the script, for those who run them.
//!
//! A script's operations name connections by their number among those that are there (`Leave(i % live)`): every part
//! of a script is a script, so that shrinking cannot break anything.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::history::{Conn, History, What};
use crate::model::Payload;
pub use crate::params::Params;
use crate::plan::Plan;

pub mod ack;
pub mod apart;
mod asking;
pub mod bus;
pub mod crash;
mod delivery;
mod erased;
mod events;
pub mod fair;
pub mod flow;
pub mod http;
pub mod ledger;
pub mod life;
pub mod order;
pub mod origin;
pub mod payload;
pub mod pubsub;
pub mod pushpull;
pub mod rawsocket;
mod ring;
pub mod rpc;
mod talk;
pub mod topics;
pub mod wamp_calls;
pub mod wamp_meta;
pub mod wamp_order;
pub mod wamp_payload;
pub mod wamp_pubsub;
pub mod wamp_session;
pub mod ws;

pub use delivery::judge as judge_delivery;

use proptest::strategy::BoxedStrategy;

/// What a check is, in short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Card {
    /// `FAMILY.NAME`.
    pub name: &'static str,
    /// What it tries, in one sentence.
    pub about: &'static str,
    /// The requirements that its judge can find broken.
    pub requirements: &'static [&'static str],
    /// What a broker must have for it to make sense.
    pub caps: &'static [&'static str],
    /// Of these, one is enough. Empty: none is asked for.
    pub any_of: &'static [&'static str],
    /// Its share of the cases, in per cent of the usual number.
    pub weight: u32,
}

/// The patterns, for checks that are made with any of them.
pub(crate) const ANY_PATTERN: &[&str] = &["bus", "pubsub", "pushpull"];

/// Whether something happened that must not, or did not happen that must.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Nature {
    /// One history proves it.
    Safety,
    /// It did not happen in time: to be confirmed with more time.
    Liveness,
}

/// A requirement that a history breaks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// Its id.
    pub requirement: &'static str,
    /// By what.
    pub nature: Nature,
    /// What was seen, with the numbers of connections and messages.
    pub text: String,
}

impl Violation {
    /// Something happened that must not.
    pub fn safety(requirement: &'static str, text: impl Into<String>) -> Self {
        Self { requirement, nature: Nature::Safety, text: text.into() }
    }

    /// Something did not happen in time.
    pub fn liveness(requirement: &'static str, text: impl Into<String>) -> Self {
        Self { requirement, nature: Nature::Liveness, text: text.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.requirement, self.text)
    }
}

/// What a family's file gives for each of its checks.
pub trait Family: Send + Sync + 'static {
    /// What is generated, shrunk and kept in tokens.
    type Script: fmt::Debug + Clone + Serialize + DeserializeOwned + 'static;

    /// What it is.
    fn card(&self) -> Card;

    /// The generator.
    fn scripts(&self, params: &Params) -> BoxedStrategy<Self::Script>;

    /// Scripts that always run first: the minimal cases of known defects.
    fn classics(&self, _: &Params) -> Vec<Self::Script> {
        Vec::new()
    }

    /// The steps of a script. The same script gives the same steps.
    fn plan(&self, script: &Self::Script, params: &Params) -> Plan;

    /// What a history breaks.
    fn judge(&self, history: &History) -> Vec<Violation>;
}

/// A check whose scripts are JSON.
pub trait Check: Send + Sync {
    /// What it is.
    fn card(&self) -> Card;

    /// A generator that begins at `seed`: first the classics, if they are wanted.
    fn scripts(&self, seed: u64, params: &Params, classics: bool) -> Box<dyn Scripts>;

    /// The steps of a script.
    ///
    /// # Errors
    /// The script is not one of this check.
    fn plan(&self, script: &Value, params: &Params) -> Result<Plan, ScriptError>;

    /// What a history breaks, without repetition, in the order of the ids.
    fn judge(&self, history: &History) -> Vec<Violation>;
}

/// An endless source of scripts.
pub trait Scripts {
    /// The next one.
    fn next(&mut self) -> Box<dyn Shrink>;
}

/// A script that can be made smaller.
pub trait Shrink {
    /// As it is now.
    fn script(&self) -> Value;
    /// Makes it smaller; false if it cannot be.
    fn simplify(&mut self) -> bool;
    /// Takes back the last step; false if there is none.
    fn complicate(&mut self) -> bool;
}

/// A text that is no script of a check.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no script of {check}: {why}")]
pub struct ScriptError {
    /// The check.
    pub check: &'static str,
    /// What the parser says.
    pub why: String,
}

/// The longest message that was declared, in bytes.
fn limit(history: &History) -> usize {
    history
        .events
        .iter()
        .find_map(|event| match &event.what {
            What::Declared { max_message, .. } => Some(*max_message),
            _ => None,
        })
        .unwrap_or(Params::default().max_message)
}

/// Whether queues were declared to take strict turns.
fn has_strict_turns(history: &History) -> bool {
    let declared = history.events.iter().find_map(|event| match event.what {
        What::Declared { strict_turns, .. } => Some(strict_turns),
        _ => None,
    });
    declared.unwrap_or(true)
}

/// Whether a payload comes from somebody who speaks word by word: tagged so in this case, or without a tag.
fn is_from(speaker: Conn, history: &History, payload: &Payload) -> bool {
    payload.tag().is_none_or(|tag| tag.conn == speaker && tag.namespace == history.namespace)
}

/// The history of all but somebody who speaks word by word, and of what came from there: that has a judge of its own.
fn without(speaker: Conn, history: &History) -> History {
    let mut others = history.clone();
    others.events.retain(|event| match &event.what {
        What::Received { payload, .. } => !is_from(speaker, history, payload),
        _ => event.conn != Some(speaker),
    });
    others
}

/// All checks, by family.
pub fn all() -> Vec<Box<dyn Check>> {
    [
        pubsub::checks(),
        bus::checks(),
        pushpull::checks(),
        fair::checks(),
        order::checks(),
        topics::checks(),
        payload::checks(),
        ws::checks(),
        http::checks(),
        ack::checks(),
        wamp_pubsub::checks(),
        wamp_session::checks(),
        wamp_payload::checks(),
        rawsocket::checks(),
        rpc::checks(),
        wamp_calls::checks(),
        wamp_order::checks(),
        wamp_meta::checks(),
        origin::checks(),
        apart::checks(),
        flow::checks(),
        life::checks(),
        crash::checks(),
        wamp_session::last(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The check of this name.
pub fn named(name: &str) -> Option<Box<dyn Check>> {
    all().into_iter().find(|check| check.card().name == name)
}
