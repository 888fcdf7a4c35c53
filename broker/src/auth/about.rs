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
        Some(Self { action, pattern, name, authrole: &who.authrole })
    }
}

#[cfg(test)]
mod tests {
    use petasus_protocol::TopicLimits;
    use petasus_protocol::wamp::uri::Rule;
    use petasus_protocol::wamp::{Dict, Limits, Message, Serializer};

    use super::*;
    use crate::dialect::wamp::Naming;

    /// The question that a message is: action, namespace, name.
    fn question(message: &str) -> Option<(Action, Pattern, String)> {
        let bytes = message.to_owned().into();
        let message = Message::decode(Serializer::Json, &bytes, &Limits::default()).unwrap();
        let mut naming = Naming { topics: TopicLimits::default(), rule: Rule::Loose, last: None };
        let operation = Operation::read(message, &mut naming).unwrap();
        let who = Identity {
            session: 1,
            authid: "joe".to_owned(),
            authrole: "user".to_owned(),
            authmethod: "ticket",
            authprovider: "static",
            knows_revocation: false,
            transport: Dict::new(),
        };
        let question = Question::about(&operation, &who)?;
        assert_eq!(question.authrole, "user");
        Some((question.action, question.pattern, question.uri().into_owned()))
    }

    #[test]
    fn every_message_that_begins_something_is_asked_about() {
        for (message, action, pattern, name) in [
            (r#"[32,1,{},"a.b"]"#, Action::Subscribe, Pattern::PubSub, "a.b"),
            (r#"[32,1,{"match":"prefix"},"a."]"#, Action::Subscribe, Pattern::PubSub, "a."),
            (r#"[32,1,{"match":"wildcard"},"a..c"]"#, Action::Subscribe, Pattern::PubSub, "a..c"),
            (r#"[32,1,{"_pattern":"bus"},"a.b"]"#, Action::Join, Pattern::Bus, "a.b"),
            (r#"[16,1,{},"a.b"]"#, Action::Publish, Pattern::PubSub, "a.b"),
            (r#"[16,1,{"_pattern":"bus"},"a.b"]"#, Action::Send, Pattern::Bus, "a.b"),
            (r#"[16,1,{"_pattern":"queue"},"a.b"]"#, Action::Push, Pattern::Queue, "a.b"),
            (r#"[64,1,{},"a.b"]"#, Action::Register, Pattern::Rpc, "a.b"),
            (r#"[64,1,{"match":"prefix"},"a."]"#, Action::Register, Pattern::Rpc, "a."),
            (r#"[64,1,{"_pattern":"queue"},"a.b"]"#, Action::Pull, Pattern::Queue, "a.b"),
            (r#"[48,1,{},"a.b"]"#, Action::Call, Pattern::Rpc, "a.b"),
            (r#"[48,1,{},"wamp.session.kill"]"#, Action::Call, Pattern::Rpc, "wamp.session.kill"),
            (r#"[48,1,{"_pattern":"queue"},"a.b"]"#, Action::Push, Pattern::Queue, "a.b"),
        ] {
            assert_eq!(question(message), Some((action, pattern, name.to_owned())), "{message}");
        }
    }

    #[test]
    fn what_goes_on_with_or_gives_up_something_is_not_asked_about() {
        for message in [
            "[34,1,7]",
            "[66,1,7]",
            "[49,1,{}]",
            "[70,1,{}]",
            r#"[8,68,1,{},"a.b"]"#,
            r#"[6,{},"wamp.close.normal"]"#,
        ] {
            assert_eq!(question(message), None, "{message}");
        }
    }
}
