//! The router: publications, and what all messages share. Calls are in the room next door.

use std::collections::BTreeMap;

use tokio::sync::mpsc::UnboundedSender;

use super::Defect;
use super::dealer::Dealer;
use super::session::{Able, Out, Shared, lock};
use crate::raw::wamp::{Value, code};

/// Somebody who is connected.
pub(super) struct Session {
    pub(super) out: UnboundedSender<Out>,
    /// What it says of itself.
    pub(super) able: Able,
}

/// A topic or pattern, and who subscribed to it.
struct Subscription {
    id: u64,
    matching: String,
    topic: String,
    members: Vec<u64>,
}

/// Everything that there is.
pub(super) struct Router {
    pub(super) defect: Option<Defect>,
    pub(super) sessions: BTreeMap<u64, Session>,
    subscriptions: Vec<Subscription>,
    pub(super) dealer: Dealer,
    /// The last id that was given out.
    last: u64,
    publications: u64,
}

/// The end of a message: arguments as they came.
pub(super) type Rest<'a> = &'a [Value];

impl Router {
    pub(super) fn new(defect: Option<Defect>) -> Self {
        Self {
            defect,
            sessions: BTreeMap::new(),
            subscriptions: Vec::new(),
            dealer: Dealer::default(),
            last: 0,
            publications: 0,
        }
    }

    /// A message of a session. False: it is none.
    pub(super) fn hear(shared: &Shared, from: u64, message: &[Value]) -> bool {
        let [Value::Int(kind), Value::Int(number), rest @ ..] = message else { return false };
        let mut router = lock(shared);
        let number = Value::Int(*number);
        match (*kind, rest) {
            (code::SUBSCRIBE, [options, Value::Text(topic)]) => {
                router.subscribe(from, number, options, topic);
            }
            (code::UNSUBSCRIBE, [id]) => router.unsubscribe(from, number, id.id().unwrap_or_default()),
            (code::PUBLISH, [options, Value::Text(topic), args @ ..]) => {
                router.publish(from, number, options, topic, args);
            }
            (code::REGISTER, [options, Value::Text(procedure)]) => {
                router.register(from, number, options, procedure);
            }
            (code::UNREGISTER, [id]) => router.unregister(from, number, id.id().unwrap_or_default()),
            (code::CALL, [options, Value::Text(procedure), args @ ..]) => {
                let timeout = options.at("timeout").and_then(Value::int).filter(|ms| *ms > 0);
                router.call(from, number.clone(), options, procedure, args);
                if let Some(ms) = timeout.filter(|_| router.defect != Some(Defect::NeverTimesOut)) {
                    Self::time_out(shared, from, number, ms as u64);
                }
            }
            (code::CANCEL, [options]) => router.cancel(from, &number, options),
            (code::YIELD, [options, args @ ..]) => router.answered(from, &number, Some(options), None, args),
            (code::ERROR, [invocation, _details, uri, args @ ..]) => {
                router.answered(from, invocation, None, Some(uri), args);
            }
            _ => return false,
        }
        true
    }

    pub(super) fn fresh(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    pub(super) fn send(&self, to: u64, message: impl Into<Vec<Value>>) {
        if let Some(session) = self.sessions.get(&to) {
            let _ = session.out.send(Out::Message(Value::List(message.into())));
        }
    }

    pub(super) fn error(&self, to: u64, of: i128, number: Value, uri: &str) {
        self.send(to, [Value::Int(code::ERROR), Value::Int(of), number, Value::map([]), Value::from(uri)]);
    }

    /// Somebody is gone.
    pub(super) fn leave(&mut self, id: u64) {
        if self.sessions.remove(&id).is_none() {
            return;
        }
        for subscription in &mut self.subscriptions {
            subscription.members.retain(|member| *member != id);
        }
        self.subscriptions.retain(|subscription| !subscription.members.is_empty());
        self.part(id);
    }

    fn subscribe(&mut self, from: u64, number: Value, options: &Value, topic: &str) {
        let matching = options.at("match").and_then(Value::text).unwrap_or("exact").to_owned();
        let is_apart = self.defect == Some(Defect::IdForEach);
        let known = self.subscriptions.iter_mut().find(|subscription| {
            let same = subscription.matching == matching && subscription.topic == topic;
            same && (!is_apart || subscription.members.contains(&from))
        });
        let id = if let Some(subscription) = known {
            if !subscription.members.contains(&from) {
                subscription.members.push(from);
            }
            subscription.id
        } else {
            let id = self.fresh();
            let topic = topic.to_owned();
            self.subscriptions.push(Subscription { id, matching, topic, members: vec![from] });
            id
        };
        self.send(from, [Value::Int(code::SUBSCRIBED), number, Value::from(id)]);
    }

    fn unsubscribe(&mut self, from: u64, number: Value, id: u64) {
        let keeps = self.defect == Some(Defect::UnsubscribedHears);
        let mine =
            |subscription: &&mut Subscription| subscription.id == id && subscription.members.contains(&from);
        match self.subscriptions.iter_mut().find(mine) {
            None => self.error(from, code::UNSUBSCRIBE, number, "wamp.error.no_such_subscription"),
            Some(subscription) => {
                if !keeps {
                    subscription.members.retain(|member| *member != from);
                }
                self.subscriptions.retain(|subscription| !subscription.members.is_empty());
                self.send(from, [Value::Int(code::UNSUBSCRIBED), number]);
            }
        }
    }

    fn publish(&mut self, from: u64, number: Value, options: &Value, topic: &str, args: Rest<'_>) {
        let defect = self.defect;
        let wants_answer = options.has("acknowledge");
        let is_refused = !is_name(topic) && defect != Some(Defect::BadNamesTaken);
        if is_refused && wants_answer {
            self.error(from, code::PUBLISH, number.clone(), "wamp.error.invalid_uri");
        }
        if is_refused && !(wants_answer && defect == Some(Defect::RefusedDelivered)) {
            return;
        }
        self.publications += 1;
        let publication = self.fresh();
        for subscription in &self.subscriptions {
            if self.takes(subscription, topic) {
                for &to in &subscription.members {
                    if self.admits(options, from, to) {
                        self.event(subscription, to, (from, publication), options, topic, args);
                    }
                }
            }
        }
        if is_refused || !wants_answer && defect != Some(Defect::AnswersUnasked) {
            return;
        }
        let told = publication + u64::from(defect == Some(Defect::OtherPublication));
        let published = [Value::Int(code::PUBLISHED), number, Value::from(told)];
        if defect == Some(Defect::AnswersTwice) {
            self.send(from, published.clone());
        }
        self.send(from, published);
    }

    fn event(
        &self,
        subscription: &Subscription,
        to: u64,
        (from, publication): (u64, u64),
        options: &Value,
        topic: &str,
        args: Rest<'_>,
    ) {
        let tells = options.has("disclose_me") || self.defect == Some(Defect::AlwaysTells);
        let publisher = tells.then_some(("publisher", Value::from(from)));
        let named = (subscription.matching != "exact").then_some(("topic", Value::from(topic)));
        let mut event = vec![
            Value::Int(code::EVENT),
            Value::from(subscription.id),
            Value::from(publication),
            Value::map(publisher.into_iter().chain(named)),
        ];
        event.extend_from_slice(args);
        if self.defect == Some(Defect::NullForAbsent) {
            event.resize(6, Value::Null);
        }
        let is_doubled = self.defect == Some(Defect::EventTwice) && self.publications.is_multiple_of(7);
        if is_doubled {
            self.send(to, event.clone());
        }
        if self.defect != Some(Defect::EventLost) || !self.publications.is_multiple_of(5) {
            self.send(to, event);
        }
    }

    fn takes(&self, subscription: &Subscription, topic: &str) -> bool {
        let pattern = subscription.topic.as_str();
        match subscription.matching.as_str() {
            "prefix" if self.defect == Some(Defect::PrefixOfComponents) => {
                let pattern = pattern.trim_end_matches('.');
                topic == pattern || topic.strip_prefix(pattern).is_some_and(|rest| rest.starts_with('.'))
            }
            "prefix" => topic.starts_with(pattern),
            "wildcard" => {
                let (wanted, is): (Vec<_>, Vec<_>) =
                    (pattern.split('.').collect(), topic.split('.').collect());
                let fits = wanted.len() == is.len()
                    || self.defect == Some(Defect::WildcardTakesMore) && wanted.len() < is.len();
                fits && wanted.iter().zip(is).all(|(wanted, is)| wanted.is_empty() || *wanted == is)
            }
            _ => pattern == topic,
        }
    }

    fn admits(&self, options: &Value, from: u64, to: u64) -> bool {
        let defect = self.defect;
        let list = |key: &str| options.at(key).and_then(Value::items);
        let eligible = match list("eligible") {
            Some([]) if defect == Some(Defect::NobodyIsAll) => true,
            Some(only) => only.contains(&Value::from(to)),
            None => true,
        };
        let is_excluded = list("exclude").is_some_and(|not| not.contains(&Value::from(to)));
        let own =
            options.at("exclude_me") == Some(&Value::Bool(false)) || defect == Some(Defect::HearsItself);
        (to != from || own) && eligible && (!is_excluded || defect == Some(Defect::ExcludeIgnored))
    }
}

fn is_name(uri: &str) -> bool {
    !uri.contains([' ', '#']) && uri.split('.').all(|component| !component.is_empty())
}
