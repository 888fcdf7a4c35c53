//! The outbox as an end of a queue: jobs go to raw pullers and to WAMP ones, each in its own way.

use std::borrow::Cow;

use petasus_protocol::Message;
use petasus_protocol::wamp::{Dict, Payload, Serializer, bridge, message, uri};

use super::{Batch, Intake, Item, Outbox, Peer, Wire};
use crate::dialect::Dialect;
use crate::hub::{Assignment, Ended, JobEnd, Load, Offered};

/// A job as it was pushed.
#[derive(Debug, Clone)]
pub(crate) enum Job {
    /// By a client that speaks no WAMP, or by the program.
    Raw(Message),
    /// By a WAMP session.
    Wamp(Payload),
}

/// What a WAMP session says to a job.
#[derive(Debug)]
pub(crate) enum Answer {
    /// Its YIELD.
    Done(Payload),
    /// Its ERROR.
    Failed { error: String, payload: Payload },
}

impl Load for Job {
    fn size(&self) -> usize {
        match self {
            Self::Raw(message) => message.len(),
            Self::Wamp(payload) => payload.len(),
        }
    }
}

impl Job {
    /// As a WAMP session with this serializer gets it: exactly as another pushed it, or a raw message as its only
    /// argument.
    fn payload(&self, serializer: Serializer) -> Payload {
        match self {
            Self::Raw(message) => bridge::from_raw(message, serializer),
            Self::Wamp(payload) => payload.clone(),
        }
    }

    /// As a client gets it that speaks no WAMP; `None` if its dialect cannot carry it.
    fn item(&self, dialect: Dialect) -> Option<(Item, usize)> {
        let message = match self {
            Self::Raw(message) => Cow::Borrowed(message),
            Self::Wamp(payload) => Cow::Owned(bridge::to_raw(payload)),
        };
        let message = dialect.outgoing(&message)?;
        let len = message.len();
        let item = match self {
            Self::Raw(_) => Item::message(&message, true),
            Self::Wamp(payload) => Item::bridged(message.into_owned(), payload.clone()),
        };
        Some((item, len))
    }
}

impl JobEnd for Outbox {
    type Job = Job;
    type Answer = Answer;

    fn offer(&self, job: &Job, assignment: Option<Assignment>, batch: &mut Batch) -> Offered {
        let framed = match (self.wire(), assignment) {
            (Wire::Bare(dialect), None) => job.item(dialect),
            (Wire::Wamp(serializer, _), Some(Assignment { registration, invocation: request })) => {
                let (details, payload) = (Dict::new(), job.payload(serializer));
                let invocation = message::Invocation { request, registration, details, payload };
                self.frame(&invocation.into()).map(|wire| {
                    let len = wire.len();
                    (Item::job(wire, registration), len)
                })
            }
            _ => None,
        };
        let Some((item, len)) = framed else {
            match self.wire() {
                Wire::Bare(_) => batch.counts.unrepresentable += 1,
                Wire::Wamp(..) => batch.counts.too_long += 1,
            }
            return Offered::Never;
        };
        if self.offer_item(item, len, batch) { Offered::Taken } else { Offered::Full }
    }

    fn reclaim(&self) -> Vec<Job> {
        self.0.take_jobs()
    }

    fn retract(&self, registration: u64) {
        self.0.drop_jobs(registration);
    }

    fn resume(&self) {
        self.0.signal(|signals| signals.resumed = true);
    }

    fn settle(&self, request: u64, ended: Ended<'_, Answer>, batch: &mut Batch) {
        let (error, payload) = match ended {
            Ended::Answered(Answer::Done(payload)) => {
                let (details, payload) = (Dict::new(), payload.clone());
                return self.say(&message::CallResult { request, details, payload }.into(), batch);
            }
            Ended::Answered(Answer::Failed { error, payload }) => (error.as_str(), payload.clone()),
            Ended::NoPuller => {
                (uri::error::UNAVAILABLE, text("no puller is left that answers: push again later"))
            }
            Ended::Expired => {
                (uri::error::UNAVAILABLE, text("no puller came in time (queue.hold_age): push again later"))
            }
            Ended::Canceled => (uri::error::CANCELED, text("the push was canceled")),
        };
        let (kind, error) = (message::Call::CODE, error.to_owned());
        self.say(&message::Error { kind, request, details: Dict::new(), error, payload }.into(), batch);
    }
}

impl Peer {
    /// Takes back the jobs of which no answer is expected and that are not written.
    fn take_jobs(&self) -> Vec<Job> {
        let mut state = self.state.lock();
        let gone = state.intake == Intake::Gone;
        state.pending.take_jobs(gone)
    }

    /// Drops the jobs of a registration that are not written.
    fn drop_jobs(&self, registration: u64) {
        self.state.lock().pending.drop_jobs(registration);
    }

    /// Gives no job back any more: nobody would take it.
    pub(in crate::connection) fn keep_jobs(&self) {
        self.state.lock().pending.keep_jobs();
    }
}

fn text(text: &str) -> Payload {
    Payload::of_values(Serializer::Json, &[text.into()], &Dict::new())
}
