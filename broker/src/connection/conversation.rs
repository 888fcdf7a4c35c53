//! What is said on a connection: one topic in one role, or WAMP sessions with everything at once.

use std::sync::Arc;
use std::task::{Context, Poll};

use petasus_protocol::Message;
use tokio::time::Instant;

use super::Batch;
use super::closing::{Ending, OVERFLOW};
use super::inbox::Step;
use super::keepalive::Pace;
use super::member::Member;
use super::outbox::Outbox;
use super::talk::Talk;
use crate::auth::Client;
use crate::core::Core;
use crate::dialect::Dialect;
use crate::realm::Membership;
use crate::session::Session;

/// The two kinds of conversation. The bare one is by far the most frequent, and idle most of its time.
pub(crate) enum Conversation {
    Member(Member),
    Session(Box<Talk>),
}

impl Conversation {
    /// One socket, one topic, one role.
    pub(crate) fn member(
        core: Arc<Core>,
        dialect: Dialect,
        membership: Membership,
        client: Option<Arc<Client>>,
    ) -> Self {
        Self::Member(Member::new(core, dialect, membership, client))
    }

    /// WAMP; `batched`: a WebSocket message holds any number of WAMP messages.
    pub(crate) fn session(core: &Arc<Core>, session: Session, batched: bool) -> Self {
        Self::Session(Box::new(Talk::new(core, session, batched)))
    }

    pub(super) fn outbox(&self) -> &Outbox {
        match self {
            Self::Member(member) => member.outbox(),
            Self::Session(talk) => talk.outbox(),
        }
    }

    pub(super) fn pace<'a>(&self, core: &'a Core) -> &'a Pace {
        match self {
            Self::Member(member) => core.pace(member.dialect()),
            Self::Session(talk) => talk.pace(core),
        }
    }

    /// Bytes of one message.
    pub(super) fn message_limit(&self, core: &Core) -> usize {
        match self {
            Self::Member(member) => core.message_limit(member.dialect()),
            Self::Session(_) => core.message_limit(Dialect::Mercury),
        }
    }

    /// A message was read.
    pub(super) fn on_message(&mut self, message: Message, batch: &mut Batch) -> Option<Ending> {
        match self {
            Self::Member(member) => member.on_message(message, batch),
            Self::Session(talk) => talk.on_message(message, batch),
        }
    }

    /// All messages of a read were taken. An ending waits for messages that still wait themselves.
    pub(super) fn on_read(&mut self, ending: Option<Ending>, batch: &mut Batch) -> Option<Ending> {
        match self {
            Self::Member(member) => member.on_read(ending, batch),
            Self::Session(talk) => talk.on_read(ending, batch),
        }
    }

    /// Whether messages wait: for a hook, or for room. Nothing is read meanwhile.
    pub(super) fn is_waiting(&self) -> bool {
        match self {
            Self::Member(member) => member.is_waiting(),
            Self::Session(talk) => talk.is_waiting(),
        }
    }

    /// What became of the message that waits.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        match self {
            Self::Member(member) => member.poll(cx),
            Self::Session(talk) => talk.poll(cx),
        }
    }

    /// Goes on with the messages that waited.
    pub(super) fn on_step(&mut self, step: Step, batch: &mut Batch) -> Option<Ending> {
        match self {
            Self::Member(member) => member.on_step(step, batch),
            Self::Session(talk) => talk.on_step(step, batch),
        }
    }

    /// Something has to happen by then at the latest; see [`Conversation::on_deadline`].
    pub(super) fn deadline(&self) -> Option<Instant> {
        match self {
            Self::Member(member) => member.deadline(),
            Self::Session(talk) => talk.deadline(),
        }
    }

    /// Whether time is up.
    pub(super) fn on_deadline(&mut self, now: Instant) -> Option<Ending> {
        match self {
            Self::Member(member) => member.on_deadline(now),
            Self::Session(talk) => talk.on_deadline(now),
        }
    }

    /// There is room again in a queue on which a push waited.
    pub(super) fn resume(&mut self) {
        if let Self::Member(member) = self {
            member.resume();
        }
    }

    /// There is room again in the outbox, which had refused a job.
    pub(super) fn ready(&mut self, batch: &mut Batch) {
        match self {
            Self::Member(member) => member.ready(batch),
            Self::Session(talk) => talk.ready(batch),
        }
    }

    /// Others have told this session something.
    pub(super) fn on_told(&mut self, batch: &mut Batch) -> Option<Ending> {
        match self {
            Self::Member(_) => None,
            Self::Session(talk) => talk.on_told(batch),
        }
    }

    /// The broker shuts down: what is to be said before the connection closes.
    pub(super) fn on_drain(&mut self, batch: &mut Batch) {
        if let Self::Session(talk) = self {
            talk.on_drain(batch);
        }
    }

    /// How a reader that is too slow is closed.
    pub(super) fn overflow(&self) -> Ending {
        match self {
            Self::Member(member) if !member.dialect().names_overflow() => Ending::Close(None, "".into()),
            _ => OVERFLOW.into(),
        }
    }

    /// What the reply to a close frame repeats of its reason.
    pub(super) fn close_reason<'a>(&self, reason: &'a str) -> &'a str {
        match self {
            Self::Member(member) => member.dialect().close_reason(reason),
            Self::Session(_) => reason,
        }
    }

    /// Leaves the hub. Returns how many messages were read and never went on.
    pub(super) fn leave(&mut self, batch: &mut Batch) -> usize {
        match self {
            Self::Member(member) => member.leave(batch),
            Self::Session(talk) => talk.leave(batch),
        }
    }
}
