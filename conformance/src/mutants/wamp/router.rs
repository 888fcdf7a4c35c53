//! The router: publications, and what all messages share. Calls are in the room next door.

use std::collections::BTreeMap;

use tokio::sync::mpsc::UnboundedSender;

use super::Defect;
use super::dealer::Dealer;
use super::groups::Kind;
use super::late::Held;
use super::meta::Testament;
use super::session::{Able, Out, Shared, lock};
use crate::raw::wamp::{Value, code};

/// Somebody who is connected.
pub(super) struct Session {
    pub(super) out: UnboundedSender<Out>,
    /// What it says of itself.
    pub(super) able: Able,
}

/// A topic or pattern, and who subscribed to it.
pub(super) struct Subscription {
    pub(super) id: u64,
    pub(super) matching: String,
    pub(super) topic: String,
    pub(super) members: Vec<u64>,
}

/// Everything that there is.
pub(super) struct Router {
    pub(super) defect: Option<Defect>,
    pub(super) sessions: BTreeMap<u64, Session>,
    pub(super) subscriptions: Vec<Subscription>,
    pub(super) dealer: Dealer,
    pub(super) testaments: Vec<Testament>,
    /// Events that a defect holds back.
    pub(super) held: Vec<Held>,
    /// How many calls there were.
    pub(super) calls: u64,
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
            testaments: Vec::new(),
            held: Vec::new(),
            calls: 0,
            last: 0,
            publications: 0,
        }
    }

    /// Everybody is told to go.
    pub(super) fn stop(&mut self) {
        let why = Value::from("wamp.close.system_shutdown");
        let goodbye = Value::List(vec![Value::Int(code::GOODBYE), Value::map([]), why]);
        let code = if self.defect == Some(Defect::StopCloses1000) { 1000 } else { 1001 };
        for session in self.sessions.values() {
            if self.defect != Some(Defect::StopSilent) {
                let _ = session.out.send(Out::Message(goodbye.clone()));
            }
            let _ = session.out.send(Out::Fail(code));
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
                if procedure.starts_with("wamp.") {
                    router.meta(from, number, procedure, args);
                    return true;
                }
                if router.calls_later(shared, from, &number, options, procedure, args) {
                    return true;
                }
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
        for group in self.groups_of(Kind::Subscription, id) {
            let its = self.subscriptions.iter_mut().filter(|one| one.id == group.id);
            its.for_each(|one| one.members.retain(|member| *member != id));
            self.left(Kind::Subscription, group.id, id);
        }
        self.part(id);
        self.parted(id);
    }

    fn subscribe(&mut self, from: u64, number: Value, options: &Value, topic: &str) {
        let matching = options.at("match").and_then(Value::text).unwrap_or("exact").to_owned();
        let is_apart = self.defect == Some(Defect::IdForEach);
        let known = self.subscriptions.iter_mut().find(|subscription| {
            let same = subscription.matching == matching && subscription.topic == topic;
            same && (!is_apart || subscription.members.contains(&from))
        });
        let (mut is_new, mut created) = (true, false);
        let id = if let Some(subscription) = known {
            is_new = !subscription.members.contains(&from);
            if is_new {
                subscription.members.push(from);
            }
            subscription.id
        } else {
            created = true;
            let id = self.fresh();
            let topic = topic.to_owned();
            self.subscriptions.push(Subscription { id, matching, topic, members: vec![from] });
            id
        };
        let granted = vec![Value::Int(code::SUBSCRIBED), number, Value::from(id)];
        self.grant(from, topic, Defect::SubscribedLate, granted);
        if is_new {
            self.added(Kind::Subscription, id, from, created);
        }
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
                self.send(from, [Value::Int(code::UNSUBSCRIBED), number]);
                if !keeps {
                    self.left(Kind::Subscription, id, from);
                }
            }
        }
    }

    pub(super) fn publish(&mut self, from: u64, number: Value, options: &Value, topic: &str, args: Rest<'_>) {
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
        let mut had: BTreeMap<u64, usize> = BTreeMap::new();
        let mut events = Vec::new();
        for subscription in self.subscriptions.iter().filter(|one| self.takes(one, topic)) {
            for &to in subscription.members.iter().filter(|to| self.admits(options, from, **to)) {
                let place = had.entry(to).or_default();
                let all = self.event(subscription, (from, publication), options, topic, args);
                events.extend(all.into_iter().map(|event| (to, *place, event)));
                *place += 1;
            }
        }
        for (to, place, event) in events {
            self.deliver(to, topic, place, event);
        }
        if wants_answer {
            self.release();
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

    /// The messages of a publication for one subscriber.
    fn event(
        &self,
        subscription: &Subscription,
        (from, publication): (u64, u64),
        options: &Value,
        topic: &str,
        args: Rest<'_>,
    ) -> Vec<Vec<Value>> {
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
        let is_lost = self.defect == Some(Defect::EventLost) && self.publications.is_multiple_of(5);
        let times = if is_lost { 0 } else { 1 + usize::from(is_doubled) };
        vec![event; times]
    }

    pub(super) fn takes(&self, subscription: &Subscription, topic: &str) -> bool {
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
