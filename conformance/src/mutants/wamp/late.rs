//! Defects of order: what is held back until something else is there, or comes a little later.

use std::time::Duration;

use super::Defect;
use super::router::{Rest, Router};
use super::session::{Out, Shared, lock};
use crate::raw::wamp::Value;

/// How much later: those who do not wait for an answer have gone on by then.
const LATER: Duration = Duration::from_millis(4);

/// An event that a session has not yet.
pub(super) struct Held {
    to: u64,
    topic: String,
    event: Vec<Value>,
}

impl Router {
    /// Sends an event, unless the defect is that it comes behind the next one. `place`: by how many other subscriptions
    /// the session has this publication already.
    pub(super) fn deliver(&mut self, to: u64, topic: &str, place: usize, event: Vec<Value>) {
        let is_held = match self.defect {
            Some(Defect::TopicsApart) => topic.strip_suffix("c.b").is_some(),
            Some(Defect::SubscriptionsApart) => place > 0,
            _ => return self.send(to, event),
        };
        let found = self.held.iter().position(|held| held.to == to);
        let before = found.map(|place| self.held.remove(place));
        let is_of_topics = self.defect == Some(Defect::TopicsApart);
        match before {
            // A sentinel, or what no defect is to change.
            Some(held) if topic.starts_with('s') || is_of_topics && held.topic == topic => {
                self.send(to, held.event);
                self.send(to, event);
            }
            Some(held) => {
                self.send(to, event);
                self.send(to, held.event);
            }
            None if is_held => self.held.push(Held { to, topic: topic.to_owned(), event }),
            None => self.send(to, event),
        }
    }

    /// Whoever asks whether all was routed has it before the answer.
    pub(super) fn release(&mut self) {
        for held in std::mem::take(&mut self.held) {
            self.send(held.to, held.event);
        }
    }

    /// Grants a request, or does so later if that is the defect.
    pub(super) fn grant(&self, to: u64, name: &str, late: Defect, message: Vec<Value>) {
        if self.defect != Some(late) || !name.starts_with('z') {
            return self.send(to, message);
        }
        let Some(out) = self.sessions.get(&to).map(|session| session.out.clone()) else { return };
        tokio::spawn(async move {
            tokio::time::sleep(LATER).await;
            let _ = out.send(Out::Message(Value::List(message)));
        });
    }

    /// Every other call for parts is taken up later, if that is the defect. True: this one is.
    pub(super) fn calls_later(
        &mut self,
        shared: &Shared,
        from: u64,
        number: &Value,
        options: &Value,
        procedure: &str,
        args: Rest<'_>,
    ) -> bool {
        if self.defect != Some(Defect::CallsOvertake) || !options.has("receive_progress") {
            return false;
        }
        self.calls += 1;
        if self.calls.is_multiple_of(2) {
            return false;
        }
        let shared = Shared::clone(shared);
        let (number, options) = (number.clone(), options.clone());
        let (procedure, args) = (procedure.to_owned(), args.to_vec());
        tokio::spawn(async move {
            tokio::time::sleep(LATER).await;
            lock(&shared).call(from, number, &options, &procedure, &args);
        });
        true
    }
}
