//! A connection on which WAMP sessions are held.

use std::collections::VecDeque;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use petasus_protocol::Message;
use petasus_protocol::wamp::{batched, uri};
use tokio::time::Instant;

use super::Batch;
use super::closing::{Ending, NOT_JOINED};
use super::inbox::Step;
use super::keepalive::Pace;
use super::outbox::Outbox;
use crate::auth::Asking;
use crate::core::Core;
use crate::dialect::Dialect;
use crate::session::{End, Received, Session};

pub(crate) struct Talk {
    session: Session,
    batched: bool,
    /// Messages that wait until a hook has answered about the one before them.
    waiting: Option<Waiting>,
    /// A client that has not joined by then is sent away.
    join_by: Instant,
    /// How long it may take to join: at first, and again after each GOODBYE.
    patience: Duration,
    /// Whether it had joined when it was last looked at.
    joined: bool,
}

struct Waiting {
    asking: Asking,
    messages: VecDeque<Taken>,
    ending: Option<Ending>,
}

/// A WAMP message, or why something is none. That too waits behind the messages before it.
type Taken = Result<Bytes, String>;

impl Talk {
    pub(super) fn new(core: &Core, session: Session, batched: bool) -> Self {
        let patience = core.config.timeouts.head.duration();
        Self { session, batched, waiting: None, join_by: Instant::now() + patience, patience, joined: false }
    }

    pub(super) fn outbox(&self) -> &Outbox {
        self.session.outbox()
    }

    /// The program that the broker is part of is there, or nobody is.
    pub(super) fn pace<'a>(&self, core: &'a Core) -> &'a Pace {
        if self.session.is_internal() { &core.internal } else { core.pace(Dialect::Mercury) }
    }

    pub(super) fn on_message(&mut self, message: Message, batch: &mut Batch) -> Option<Ending> {
        let serializer = self.session.serializer();
        if message.is_text() != serializer.is_text() && !self.session.is_raw() {
            let text = format!(
                "{} is spoken in {} messages",
                serializer.as_str(),
                if serializer.is_text() { "text" } else { "binary" }
            );
            return self.take(Err(text), batch);
        }
        if !self.batched {
            return self.take(Ok(message.into_payload()), batch);
        }
        for message in batched::split(serializer, message.into_payload()) {
            let ending = self.take(message.map_err(|error| error.to_string()), batch);
            if ending.is_some() {
                return ending;
            }
        }
        None
    }

    /// Takes a WAMP message, unless others wait before it.
    fn take(&mut self, message: Taken, batch: &mut Batch) -> Option<Ending> {
        if let Some(waiting) = &mut self.waiting {
            waiting.messages.push_back(message);
            return None;
        }
        let received = self.receive(message, batch);
        self.go_on(received)
    }

    fn receive(&mut self, message: Taken, batch: &mut Batch) -> Received {
        match message {
            Ok(message) => self.session.receive(&message, batch),
            Err(text) => self.session.violation(&text, batch),
        }
    }

    fn go_on(&mut self, received: Received) -> Option<Ending> {
        match received {
            Received::Done => None,
            Received::Ask(asking) => {
                self.waiting = Some(Waiting { asking, messages: VecDeque::new(), ending: None });
                None
            }
            Received::End(ended) => Some(ended.into()),
        }
    }

    pub(super) fn on_read(&mut self, ending: Option<Ending>, batch: &mut Batch) -> Option<Ending> {
        self.session.flush(batch);
        self.look_at_session();
        match (&mut self.waiting, ending) {
            // What was sent before the end is not lost with it.
            (Some(waiting), Some(ending)) => {
                waiting.ending = Some(ending);
                None
            }
            (_, ending) => ending,
        }
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        let Some(waiting) = &mut self.waiting else { return Poll::Pending };
        Poll::Ready(Step::Answered(ready!(waiting.asking.as_mut().poll(cx))))
    }

    /// A hook has answered: the session goes on, until the next question.
    pub(super) fn on_step(&mut self, step: Step, batch: &mut Batch) -> Option<Ending> {
        let (Step::Answered(answer), Some(waiting)) = (step, self.waiting.take()) else { return None };
        let Waiting { mut messages, ending, .. } = waiting;
        let mut received = self.session.answered(answer, batch);
        loop {
            match received {
                Received::Done => {}
                Received::Ask(asking) => {
                    self.waiting = Some(Waiting { asking, messages, ending });
                    return None;
                }
                Received::End(ended) => return Some(ended.into()),
            }
            let Some(message) = messages.pop_front() else { break };
            received = self.receive(message, batch);
        }
        self.session.flush(batch);
        self.look_at_session();
        ending
    }

    /// A client that has left may open another session, and has as much time for that as for its first.
    fn look_at_session(&mut self) {
        let joined = self.session.has_joined();
        if self.joined && !joined {
            self.join_by = Instant::now() + self.patience;
        }
        self.joined = joined;
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        (!self.session.has_joined()).then_some(self.join_by)
    }

    pub(super) fn on_deadline(&mut self, now: Instant) -> Option<Ending> {
        let too_late = !self.session.has_joined() && now >= self.join_by;
        too_late.then(|| NOT_JOINED.into())
    }

    pub(super) fn ready(&mut self, batch: &mut Batch) {
        self.session.ready(batch);
    }

    pub(super) fn on_told(&mut self, batch: &mut Batch) -> Option<Ending> {
        let (farewell, revoked) = self.session.outbox().take_told();
        for revoked in revoked {
            self.session.revoked(revoked, batch);
        }
        let farewell = farewell?;
        Some(self.session.dismiss(&farewell.reason, farewell.message.as_deref(), batch).into())
    }

    pub(super) fn on_drain(&mut self, batch: &mut Batch) {
        self.session.dismiss(uri::close::SYSTEM_SHUTDOWN, Some("the broker is shutting down"), batch);
    }

    pub(super) fn leave(&mut self, batch: &mut Batch) -> usize {
        self.session.leave(batch);
        self.waiting.take().map_or(0, |waiting| waiting.messages.len())
    }
}

impl From<End> for Ending {
    fn from(end: End) -> Self {
        Self::Close(Some(end.code), end.reason.into())
    }
}
