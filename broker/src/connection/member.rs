//! A connection with one role on one topic: the dialects whose messages are bare.

use std::sync::Arc;
use std::task::{Context, Poll};

use petasus_protocol::Message;
use tokio::time::Instant;

use super::Batch;
use super::closing::{Ending, QUEUE_FULL, REFUSED};
use super::decoder::Violation;
use super::inbox::{Entry, Inbox, Step};
use super::outbox::Outbox;
use super::parcel::Parcel;
use crate::auth::Client;
use crate::core::Core;
use crate::dialect::{Dialect, Received};
use crate::hub::Via;
use crate::realm::Membership;

pub(crate) struct Member {
    core: Arc<Core>,
    membership: Membership,
    /// Messages that were read and could not go to the hub at once. Nothing is read while there are any.
    inbox: Option<Box<Inbox>>,
    /// Who is connected, if a hook wants to know.
    client: Option<Arc<Client>>,
    dialect: Dialect,
}

impl Member {
    pub(super) fn new(
        core: Arc<Core>,
        dialect: Dialect,
        membership: Membership,
        client: Option<Arc<Client>>,
    ) -> Self {
        Self { core, membership, inbox: None, client, dialect }
    }

    pub(super) fn outbox(&self) -> &Outbox {
        self.membership.outbox()
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.dialect
    }

    pub(super) fn on_message(&mut self, message: Message, batch: &mut Batch) -> Option<Ending> {
        batch.counts.received(self.membership.role().pattern(), message.len());
        match self.dialect.receive(self.membership.role(), message) {
            Received::Send(message) => {
                if self.core.hooks.wants(self.membership.role()) {
                    self.inbox.get_or_insert_default().push(Entry::Message(message));
                    self.ask_hook();
                } else {
                    batch.messages.push(message);
                }
            }
            Received::Reply(message) => {
                // In the order in which they came.
                self.send(batch);
                if let Some(inbox) = &mut self.inbox {
                    inbox.push(Entry::Reply(message));
                } else {
                    self.reply(message, batch);
                }
            }
            Received::Ignore => batch.counts.ignored += 1,
            Received::NotText => return Some(Violation::NotUtf8.into()),
        }
        None
    }

    /// Answers the sender itself.
    fn reply(&self, message: Message, batch: &mut Batch) {
        if let Some(topic) = self.membership.role().own_topic() {
            let parcel = Parcel::one(topic.clone(), message);
            crate::hub::Outbox::append(self.outbox(), &parcel, Via::NONE, batch);
        }
    }

    pub(super) fn on_read(&mut self, ending: Option<Ending>, batch: &mut Batch) -> Option<Ending> {
        self.send(batch);
        match (&mut self.inbox, ending) {
            // What was sent before the end is not lost with it.
            (Some(inbox), Some(ending)) => {
                inbox.end(ending);
                None
            }
            (_, ending) => ending,
        }
    }

    /// Sends what was read to the hub; what finds its queue full goes to the inbox.
    fn send(&mut self, batch: &mut Batch) {
        if batch.messages.is_empty() {
            return;
        }
        let mut messages = std::mem::take(&mut batch.messages);
        if self.inbox.is_none() {
            self.membership.send(&mut messages, batch);
        }
        if !messages.is_empty() {
            let inbox = self.inbox.get_or_insert_with(|| Box::new(Inbox::waiting(Instant::now())));
            messages.drain(..).for_each(|message| inbox.push(Entry::Message(message)));
        }
        batch.messages = messages;
    }

    /// Asks the hook about the next message in the inbox, unless it is being asked already.
    fn ask_hook(&mut self) {
        let Some(inbox) = &mut self.inbox else { return };
        let (core, client, role) = (&self.core, &self.client, self.membership.role());
        inbox.ask(|message| core.hooks.about_message(role, message, client.as_ref()));
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.inbox.is_some()
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        match &mut self.inbox {
            Some(inbox) => inbox.poll(cx),
            None => Poll::Pending,
        }
    }

    /// The next message of the inbox may go on, or may not.
    pub(super) fn on_step(&mut self, step: Step, batch: &mut Batch) -> Option<Ending> {
        let mut messages = Vec::new();
        match step {
            Step::Refused(denied) => return Some(Ending::Close(Some(REFUSED), denied.reason().into())),
            Step::Allowed(message) => {
                messages.push(message);
                self.membership.send(&mut messages, batch);
            }
            Step::Reply(message) => self.reply(message, batch),
            // Only sessions park anything.
            Step::Answered(_) => {}
        }
        let inbox = self.inbox.as_mut()?;
        if let Some(message) = messages.pop() {
            inbox.wait(message, Instant::now());
        } else if inbox.is_empty() {
            return self.inbox.take().and_then(|inbox| inbox.into_ending());
        } else {
            inbox.taken();
            if self.core.hooks.wants(self.membership.role()) {
                self.ask_hook();
            }
        }
        None
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let since = self.inbox.as_ref().and_then(|inbox| inbox.waiting_since());
        since.map(|since| since + self.core.push_patience)
    }

    pub(super) fn on_deadline(&mut self, now: Instant) -> Option<Ending> {
        let patience = self.core.push_patience;
        let too_long = self.inbox.as_ref().is_some_and(|inbox| inbox.waits_longer_than(patience, now));
        too_long.then(|| QUEUE_FULL.into())
    }

    pub(super) fn resume(&mut self) {
        if let Some(inbox) = &mut self.inbox {
            inbox.resume();
        }
    }

    pub(super) fn ready(&self, batch: &mut Batch) {
        self.membership.ready(batch);
    }

    pub(super) fn leave(&mut self, batch: &mut Batch) -> usize {
        let unsent = self.inbox.take().map_or(0, |inbox| inbox.messages());
        self.membership.leave(batch);
        unsent
    }
}
