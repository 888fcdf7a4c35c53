//! WAMP sessions: what a client may do on one connection, from HELLO to GOODBYE.
//!
//! A session reads its client's messages (`dialect::wamp` says what they mean), asks whether it may, and does it in
//! its realm. It never touches a socket: what it has to say it puts into its connection's outbox.

mod authorizer;
mod identity;
mod jobs;
mod meta;
mod opening;
mod party;
mod permission;
mod places;
mod procedures;
mod pubsub;
mod testament;

use std::sync::Arc;

use petasus_protocol::wamp::{Dict, Message, Payload, Serializer, message, uri};

pub(crate) use authorizer::Authorizers;
pub(crate) use identity::Identity;
pub(crate) use opening::Transport;

use crate::auth::{Asking, Client, Who};
use crate::connection::{Batch, Outbox};
use crate::core::Core;
use crate::dialect::wamp::{Naming, Operation, Unread};
use crate::hub::MemberId;
use crate::local::TRUSTED;
use crate::realm::Realm;
use jobs::Jobs;
use opening::Challenged;
use places::Places;
use pubsub::Collected;
use testament::Testaments;

/// One WAMP session after another on one connection.
pub(crate) struct Session {
    core: Arc<Core>,
    outbox: Outbox,
    transport: Transport,
    /// Who is connected, if a hook wants to know.
    client: Option<Arc<Client>>,
    /// Who it is, if that need not be asked.
    known: Option<Who>,
    naming: Naming,
    state: State,
    /// An operation about which a hook is being asked.
    parked: Option<Box<Operation>>,
}

enum State {
    /// No HELLO yet, or not again after GOODBYE.
    New,
    /// HELLO was answered by CHALLENGE.
    Challenged(Box<Challenged>),
    Joined(Box<Joined>),
    /// Nothing is read any more.
    Over,
}

/// A session that has joined its realm.
struct Joined {
    realm: Arc<Realm>,
    identity: Arc<Identity>,
    /// The dealer's number for this session.
    member: MemberId,
    places: Places,
    jobs: Jobs,
    testaments: Testaments,
    /// Publications of one read that go to the hub together.
    collected: Collected,
}

/// What a message came to.
pub(crate) enum Received {
    Done,
    /// A hook is to be asked before the session goes on; [`Session::answered`] takes its answer.
    Ask(Asking),
    /// The connection ends.
    End(End),
}

/// Why and how the connection ends; what is to be said in WAMP has been said.
#[derive(Debug)]
pub(crate) struct End {
    /// The WebSocket close code.
    pub(crate) code: u16,
    pub(crate) reason: &'static str,
}

impl End {
    const VIOLATION: Self = Self { code: 1002, reason: "WAMP protocol violation" };
    const REFUSED: Self = Self { code: 3000, reason: "the session was refused" };
    const LEFT: Self = Self { code: 1000, reason: "" };
    const KILLED: Self = Self { code: 1000, reason: "the session was killed" };
}

impl Session {
    pub(crate) fn new(
        core: Arc<Core>,
        outbox: Outbox,
        transport: Transport,
        client: Option<Arc<Client>>,
    ) -> Self {
        let naming = core.naming();
        Self { core, outbox, transport, client, known: None, naming, state: State::New, parked: None }
    }

    /// Says who the client is: nothing it offers in HELLO is looked at.
    pub(crate) fn known_as(mut self, known: Option<Who>) -> Self {
        self.known = known;
        self
    }

    /// Whether it is part of the program that the broker is part of.
    pub(crate) fn is_internal(&self) -> bool {
        self.transport.kind == Transport::INTERNAL
    }

    pub(crate) fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    pub(crate) fn serializer(&self) -> Serializer {
        self.transport.serializer
    }

    /// Whether its messages are neither text nor binary: rawsocket, and what is built on it.
    pub(crate) fn is_raw(&self) -> bool {
        self.transport.kind != Transport::WEBSOCKET
    }

    /// Whether it is this program that acts, for itself: nobody has to allow what it does.
    pub(crate) fn is_trusted(&self) -> bool {
        let State::Joined(joined) = &self.state else { return false };
        self.is_internal() && joined.identity.authrole == TRUSTED
    }

    /// A WAMP message. Publications may wait for [`Session::flush`], which the caller calls at the end of each read.
    pub(crate) fn receive(&mut self, bytes: &bytes::Bytes, batch: &mut Batch) -> Received {
        let message = match Message::decode(self.serializer(), bytes, &self.core.wamp_limits()) {
            Ok(message) => message,
            Err(error) => return self.violation(&error.to_string(), batch),
        };
        match self.state {
            State::New => self.on_hello(message, batch),
            State::Challenged(_) => self.on_authenticate(message, batch),
            State::Joined(_) if matches!(message, Message::Abort(_)) => {
                // The client gives up, which takes no answer (WAMP: ABORT).
                self.leave(batch);
                Received::End(End::LEFT)
            }
            State::Joined(_) => self.on_operation(message, batch),
            State::Over => Received::Done,
        }
    }

    fn on_operation(&mut self, message: Message, batch: &mut Batch) -> Received {
        let operation = match Operation::read(message, &mut self.naming) {
            Ok(operation) => operation,
            Err(Unread::Violation(text)) => return self.violation(&text, batch),
            Err(Unread::Refused { kind, request, error, text, answer }) => {
                if answer {
                    self.refuse(kind, request, error, &text, batch);
                } else {
                    batch.counts.ignored += 1;
                }
                return Received::Done;
            }
        };
        self.permit(operation, batch)
    }

    fn carry_out(&mut self, operation: Operation, batch: &mut Batch) -> Received {
        if !matches!(operation, Operation::Publish(_)) {
            self.flush(batch);
        }
        match operation {
            Operation::Subscribe { request, to } => self.subscribe(request, &to, batch),
            Operation::Unsubscribe { request, subscription } => {
                self.unsubscribe(request, subscription, batch);
            }
            Operation::Publish(publish) => self.publish(publish, batch),
            Operation::Register { request, what } => self.register(request, what, batch),
            Operation::Unregister { request, registration } => self.unregister(request, registration, batch),
            Operation::Call { request, what, payload } => return self.call(request, what, payload, batch),
            Operation::Cancel { request, mode } => self.cancel(request, mode, batch),
            Operation::Yield { invocation, progress, payload } => {
                return self.yielded(invocation, progress, &payload, batch);
            }
            Operation::Fail(error) => return self.failed(&error, batch),
            Operation::Goodbye => return self.on_goodbye(batch),
        }
        Received::Done
    }

    /// Sends a message to this session's client.
    fn say(&self, message: &Message, batch: &mut Batch) {
        self.outbox.say(message, batch);
    }

    fn refuse(&self, kind: u64, request: u64, error: &str, text: &str, batch: &mut Batch) {
        self.say(&error_message(kind, request, error, text), batch);
    }

    /// The client broke the protocol: it is told, and the session is over (WAMP: ABORT after a protocol violation).
    pub(crate) fn violation(&mut self, text: &str, batch: &mut Batch) -> Received {
        self.abort(uri::error::PROTOCOL_VIOLATION, text, batch);
        Received::End(End::VIOLATION)
    }

    fn abort(&mut self, reason: &str, text: &str, batch: &mut Batch) {
        self.leave(batch);
        let mut details = Dict::default();
        details.set("message", text);
        let abort = message::Abort { details, reason: reason.to_owned(), payload: Payload::empty() };
        self.say(&Message::Abort(abort), batch);
        self.state = State::Over;
    }

    fn on_goodbye(&mut self, batch: &mut Batch) -> Received {
        self.leave(batch);
        self.goodbye(uri::close::GOODBYE_AND_OUT, None, batch);
        // The client may open another session on the same connection (WAMP 4.2).
        self.state = State::New;
        Received::Done
    }

    fn goodbye(&self, reason: &str, text: Option<&str>, batch: &mut Batch) {
        let mut details = Dict::default();
        if let Some(text) = text {
            details.set("message", text);
        }
        let goodbye = message::Goodbye { details, reason: reason.to_owned() };
        self.say(&Message::Goodbye(goodbye), batch);
    }

    /// Ends the session from the broker's side: a kill, or a shutdown.
    pub(crate) fn dismiss(&mut self, reason: &str, text: Option<&str>, batch: &mut Batch) -> End {
        if let State::Joined(_) = self.state {
            self.leave(batch);
            self.goodbye(reason, text, batch);
        }
        self.state = State::Over;
        End::KILLED
    }

    /// Whether the client has joined a realm. One that has not may be sent away.
    pub(crate) fn has_joined(&self) -> bool {
        matches!(self.state, State::Joined(_))
    }

    /// Leaves the realm: subscriptions, registrations, calls, jobs; then testaments and meta events are published.
    pub(crate) fn leave(&mut self, batch: &mut Batch) {
        self.flush(batch);
        let State::Joined(joined) = std::mem::replace(&mut self.state, State::Over) else { return };
        let Joined { realm, identity, member, places, jobs, testaments, .. } = *joined;
        realm.exit(identity.session);
        for left in places.leave(&realm, &self.outbox) {
            meta::on_unsubscribe(&realm, identity.session, left, batch);
        }
        jobs.leave(&realm, self.core.clock, batch);
        procedures::leave(&realm, member, &identity, batch);
        testaments.publish(&realm, &identity, &self.outbox, batch);
        self.outbox.set_identity(None);
        meta::on_leave(&realm, &identity, batch);
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.has_joined() {
            let mut batch = Batch::new();
            self.leave(&mut batch);
            batch.flush_now(&self.core.metrics);
        }
    }
}

fn error_message(kind: u64, request: u64, error: &str, text: &str) -> Message {
    Message::Error(message::Error {
        kind,
        request,
        details: Dict::default(),
        error: error.to_owned(),
        payload: party::text(text),
    })
}
