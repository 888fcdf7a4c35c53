//! The question that an operation of a session is.

use petasus_protocol::wamp::uri::Match;

use super::Action;
use super::question::{Name, Question};
use crate::dialect::Pattern;
use crate::dialect::wamp::{Destination, Interest, Offer, Operation, Wish};
use crate::session::Identity;

impl<'a> Question<'a> {
    /// What is to be asked before an operation; `None`: nothing, as it only goes on with, or gives up, what was asked
    /// about before.
    pub(crate) fn about(operation: &'a Operation, who: &'a Identity) -> Option<Self> {
        let (action, pattern, name) = match operation {
            Operation::Subscribe { to: Interest::Topics(filter), .. } => {
                (Action::Subscribe, Pattern::PubSub, Name::Filter(filter))
            }
            Operation::Subscribe { to: Interest::Bus(topic), .. } => {
                (Action::Join, Pattern::Bus, Name::Topic(topic))
            }
            Operation::Publish(publish) => match &publish.to {
                Destination::Topic(topic) => (Action::Publish, Pattern::PubSub, Name::Topic(topic)),
                Destination::Bus(topic) => (Action::Send, Pattern::Bus, Name::Topic(topic)),
                Destination::Queue(topic) => (Action::Push, Pattern::Queue, Name::Topic(topic)),
            },
            Operation::Register { what: Offer::Procedure { uri, options }, .. } => {
                (Action::Register, Pattern::Rpc, Name::Procedure(uri, options.matching))
            }
            Operation::Register { what: Offer::Jobs { topic, .. }, .. } => {
                (Action::Pull, Pattern::Queue, Name::Topic(topic))
            }
            Operation::Call { what: Wish::Procedure { uri, .. } | Wish::Meta { uri }, .. } => {
                (Action::Call, Pattern::Rpc, Name::Procedure(uri, Match::Exact))
            }
            Operation::Call { what: Wish::Job { topic, .. }, .. } => {
                (Action::Push, Pattern::Queue, Name::Topic(topic))
            }
            Operation::Unsubscribe { .. }
            | Operation::Unregister { .. }
            | Operation::Cancel { .. }
            | Operation::Yield { .. }
            | Operation::Fail(_)
            | Operation::Goodbye => return None,
        };
        Some(Self { action, pattern, name, authid: &who.authid, authrole: &who.authrole })
    }
}
