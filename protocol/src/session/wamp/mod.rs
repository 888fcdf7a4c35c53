//! The wire of WAMP: one socket, on it one WAMP session after another.
//!
//! [`link`] is the session that is open now; [`subscriptions`], [`registrations`], [`invocations`] and [`requests`]
//! are what the program has asked for, which outlives it. [`opening`] and [`ending`] lead from one to the
//! next, and [`incoming`] passes on what the router says.

mod ending;
mod filters;
mod incoming;
mod invocations;
mod link;
mod opening;
mod quick;
mod registrations;
mod requests;
mod router;
mod sending;
mod subscriptions;

use self::invocations::Invocations;
use self::link::{Link, Pending, Stage};
use self::registrations::Registrations;
use self::requests::Requests;
use self::sending::Element::{Number, Options, Text};
use self::sending::{How, Outgoing, Shape};
use self::subscriptions::Subscriptions;
use super::core::{Core, Phase, Timer, earliest};
use super::line::{Due, Line};
use super::{
    Answer, Call, CancelMode, Content, DeliveryMode, Destination, Error, ExchangeId, Failure, Filter,
    InvocationId, Output, Publish, Push, Register, RegistrationId, RequestId, SocketId, SubscriptionId,
};
use bytes::Bytes;

use crate::Message;
#[cfg(feature = "readers")]
use crate::wamp::Limits;
use crate::wamp::error::words;
use crate::wamp::heard::Heard;
use crate::wamp::message;
use crate::wamp::uri::{self, Match, Rule};
use crate::wamp::{DecodeError, RawDict};

/// A router's messages may be as long and deep as we can read at all.
#[cfg(feature = "readers")]
const LIMITS: Limits = Limits { max_depth: Limits::MAX_DEPTH, max_bytes: Limits::MAX_BYTES };

#[derive(Debug)]
pub(super) struct Wamp {
    line: Line,
    link: Link,
    subscriptions: Subscriptions,
    registrations: Registrations,
    invocations: Invocations,
    requests: Requests,
    /// Whether the program has a challenge to answer.
    challenged: bool,
    /// When GOODBYE has to be answered.
    goodbye: Option<u64>,
    /// Sockets that were given up by a Close frame, and when they are dropped.
    closing: Vec<(u64, SocketId)>,
    /// Whether the end has been told.
    finished: bool,
}

impl Wamp {
    pub(super) fn new() -> Self {
        Wamp {
            line: Line::new(),
            link: Link::new(),
            subscriptions: Subscriptions::new(),
            registrations: Registrations::new(),
            invocations: Invocations::new(),
            requests: Requests::new(),
            challenged: false,
            goodbye: None,
            closing: Vec::new(),
            finished: false,
        }
    }

    pub(super) fn connect(&mut self, core: &mut Core, now: u64) {
        if self.line.is_idle() && !matches!(core.phase, Phase::Closed { .. }) {
            self.open(core, now);
        }
    }

    pub(super) fn handle_opened(
        &mut self,
        core: &mut Core,
        socket: SocketId,
        subprotocol: Option<&str>,
        now: u64,
    ) {
        if self.line.is(socket) && self.line.is_opening() && self.link.stage == Stage::Nothing {
            self.opened(core, socket, subprotocol, now);
        }
    }

    #[expect(clippy::needless_pass_by_value, reason = "both wires have the same methods")]
    pub(super) fn handle_message(&mut self, core: &mut Core, socket: SocketId, message: Message, now: u64) {
        if !self.is_spoken_on(socket) {
            return;
        }
        self.line.heard(now);
        if message.is_text() != self.link.serializer.is_text() {
            return self.violation(
                core,
                words("a text frame where binary ones were agreed on, or the reverse"),
                now,
            );
        }
        #[cfg(feature = "readers")]
        self.handle_read(core, Heard::read(self.link.serializer, message.payload(), &LIMITS), now);
        #[cfg(not(feature = "readers"))]
        self.handle_read(core, Err(DecodeError::NotAMessage), now);
    }

    pub(super) fn handle_outline(&mut self, core: &mut Core, socket: SocketId, outline: &Bytes, now: u64) {
        if self.is_spoken_on(socket) {
            self.line.heard(now);
            self.handle_read(core, Heard::of_outline(outline), now);
        }
    }

    /// Whether this is the socket of a WAMP session, or of what may become one.
    fn is_spoken_on(&self, socket: SocketId) -> bool {
        self.line.is(socket) && self.link.stage != Stage::Nothing && !self.line.is_closing()
    }

    fn handle_read(&mut self, core: &mut Core, read: Result<Heard<'_>, DecodeError>, now: u64) {
        match read {
            Ok(message) => self.handle(core, &message, now),
            Err(_) if self.link.stage == Stage::Goodbye => {}
            Err(error) => self.violation(core, &reason(&error), now),
        }
        self.go_on_draining(core, now);
    }

    pub(super) fn handle_pong(&mut self, _core: &mut Core, socket: SocketId, now: u64) {
        if self.line.is(socket) {
            self.line.heard(now);
        }
    }

    pub(super) fn handle_closed(&mut self, core: &mut Core, socket: SocketId, failure: Failure, now: u64) {
        self.closing.retain(|(_, other)| *other != socket);
        if self.line.is(socket) {
            self.lost(core, failure, now);
            self.go_on_draining(core, now);
        }
    }

    pub(super) fn handle_blocked(&mut self, core: &mut Core, socket: SocketId, blocked: bool, now: u64) {
        if self.line.is(socket) {
            self.link.blocked = blocked;
            self.requests.flush(core, &mut self.link, now);
            self.go_on_draining(core, now);
        }
    }

    /// There are no POSTs on this wire.
    #[expect(
        clippy::unused_self,
        clippy::needless_pass_by_ref_mut,
        reason = "both wires have the same methods"
    )]
    pub(super) fn handle_answer(
        &mut self,
        _: &mut Core,
        _: ExchangeId,
        _status: u16,
        _text: &str,
        _now: u64,
    ) {
    }

    /// There are no POSTs on this wire.
    #[expect(
        clippy::unused_self,
        clippy::needless_pass_by_ref_mut,
        reason = "both wires have the same methods"
    )]
    pub(super) fn handle_unanswered(
        &mut self,
        _: &mut Core,
        _: ExchangeId,
        _sent: bool,
        _: Failure,
        _now: u64,
    ) {
    }

    pub(super) fn handle_timeout(&mut self, core: &mut Core, now: u64) {
        while let Some(due) = self.line.timeout(core, now) {
            match due {
                Due::Attempt => self.open(core, now),
                Due::Failed => self.lost(core, self.line.failure(), now),
                Due::Call => self.probe(core),
                Due::Closed => self.finish(core),
            }
        }
        while let Some(timer) = self.link.timers.pop_due(now) {
            self.handle_due(core, timer, now);
        }
        self.closing.retain(|&(at, socket)| {
            if at <= now {
                core.output(Output::Drop { socket });
            }
            at > now
        });
        self.stop_waiting(core, now);
        self.go_on_draining(core, now);
    }

    pub(super) fn check(&mut self, core: &mut Core, now: u64) {
        if let Some(Due::Call) = self.line.check(core, now) {
            self.probe(core);
        }
        self.line.hurry(now);
    }

    #[expect(clippy::needless_pass_by_value, reason = "both wires have the same methods")]
    pub(super) fn authenticate(&mut self, core: &mut Core, signature: String, extra: RawDict, _now: u64) {
        self.answer_challenge(core, &signature, &extra);
    }

    pub(super) fn refuse_challenge(&mut self, core: &mut Core, reason: String, now: u64) {
        self.give_up_challenge(core, reason, now);
    }

    #[expect(clippy::needless_pass_by_value, reason = "both wires have the same methods")]
    pub(super) fn subscribe(
        &mut self,
        core: &mut Core,
        filter: Filter,
        now: u64,
    ) -> Result<SubscriptionId, Error> {
        self.subscriptions.subscribe(core, &mut self.link, &filter, now)
    }

    pub(super) fn unsubscribe(&mut self, core: &mut Core, subscription: SubscriptionId, now: u64) {
        self.subscriptions.unsubscribe(core, &mut self.link, subscription, now);
        self.go_on_draining(core, now);
    }

    pub(super) fn publish(
        &mut self,
        core: &mut Core,
        publish: Publish,
        now: u64,
    ) -> Result<Option<RequestId>, Error> {
        let Publish { to, content, delivery, to_self } = publish;
        let acknowledge = matches!(delivery, DeliveryMode::Acknowledged { .. });
        let (uri, exclude_me, bus) = match to {
            Destination::Topic(topic) => (topic.to_wamp(), !to_self, false),
            // A session is one peer of a bus, however many of its subscriptions are on it: the one that sends says
            // whether they hear it, all or none.
            Destination::Bus(subscription) => {
                let (uri, echo) = self.subscriptions.bus(subscription).ok_or(Error::Stale)?;
                (uri.to_owned(), !echo, true)
            }
        };
        let outgoing = Outgoing { uri, content, how: How::Publish { acknowledge, exclude_me, bus } };
        match delivery {
            DeliveryMode::Fire => self.requests.fire(core, &mut self.link, &outgoing, now)?,
            DeliveryMode::Queued => self.requests.send(core, &mut self.link, outgoing, None, now)?,
            DeliveryMode::Acknowledged { timeout } => {
                return self.requests.ask(core, &mut self.link, outgoing, timeout, now).map(Some);
            }
        }
        Ok(None)
    }

    pub(super) fn push(&mut self, core: &mut Core, push: Push, now: u64) -> Result<RequestId, Error> {
        let Push { topic, content, until, timeout } = push;
        let outgoing = Outgoing { uri: topic.to_wamp(), content, how: How::Push(until) };
        self.requests.ask(core, &mut self.link, outgoing, timeout, now)
    }

    pub(super) fn call(&mut self, core: &mut Core, call: Call, now: u64) -> Result<RequestId, Error> {
        let Call { procedure: uri, content, timeout, progress, more, disclose } = call;
        uri::check(&uri, Rule::Loose, Match::Exact)?;
        let how = How::Call(Shape { progress, more: more.then_some(true), disclose });
        self.requests.ask(core, &mut self.link, Outgoing { uri, content, how }, timeout, now)
    }

    pub(super) fn call_more(
        &mut self,
        core: &mut Core,
        request: RequestId,
        content: Content,
        more: bool,
        now: u64,
    ) -> Result<(), Error> {
        self.requests.more(core, &mut self.link, request, content, more, now)
    }

    pub(super) fn cancel(&mut self, core: &mut Core, request: RequestId, mode: CancelMode, now: u64) {
        self.requests.cancel(core, &mut self.link, request, mode);
        self.go_on_draining(core, now);
    }

    pub(super) fn register(
        &mut self,
        core: &mut Core,
        register: Register,
        now: u64,
    ) -> Result<RegistrationId, Error> {
        self.registrations.register(core, &mut self.link, register, now)
    }

    pub(super) fn unregister(&mut self, core: &mut Core, registration: RegistrationId, now: u64) {
        if self.registrations.unregister(core, &mut self.link, registration, now) {
            self.invocations.take_back(core, registration.0);
        }
        self.go_on_draining(core, now);
    }

    #[expect(clippy::needless_pass_by_value, reason = "both wires have the same methods")]
    pub(super) fn answer(
        &mut self,
        core: &mut Core,
        invocation: InvocationId,
        answer: Answer,
        now: u64,
    ) -> Result<(), Error> {
        self.invocations.answer(core, &mut self.link, invocation, &answer)?;
        self.go_on_draining(core, now);
        Ok(())
    }

    pub(super) fn drain(&mut self, core: &mut Core, now: u64) {
        self.begin_to_drain(core, now);
        self.go_on_draining(core, now);
    }

    pub(super) fn close(&mut self, core: &mut Core, now: u64) {
        self.end(core, now);
    }

    pub(super) fn next_timeout(&self, core: &Core) -> Option<u64> {
        let draining = match core.phase {
            Phase::Draining { until } => Some(until),
            _ => None,
        };
        let closing = self.closing.iter().map(|(at, _)| *at).min();
        earliest(&[self.line.next_timeout(core), self.link.timers.next(), self.goodbye, draining, closing])
    }

    fn handle_due(&mut self, core: &mut Core, timer: Timer, now: u64) {
        let link = &mut self.link;
        match timer {
            Timer::Subscription(id) => self.subscriptions.handle_due(core, link, id),
            Timer::Leaving(id) => self.subscriptions.handle_leaving_due(core, id),
            Timer::Registration(id) => self.registrations.handle_due(core, link, id, now),
            Timer::Request(id) => self.requests.handle_due(core, link, id),
            // All is on one socket here.
            #[cfg(feature = "mercury")]
            Timer::Link(_) => {}
        }
    }

    /// Asks for a sign of life: any answer is one.
    fn probe(&mut self, core: &mut Core) {
        if self.link.is_welcome() {
            let request = self.link.request(Pending::Probe);
            let procedure = Text("wamp.session.count");
            self.link.send(core, &[Number(message::Call::CODE), Number(request), Options(&[]), procedure]);
        }
    }
}

/// What the router did wrong.
#[cfg(feature = "texts")]
fn reason(error: &DecodeError) -> String {
    error.to_string()
}

/// What the router did wrong: a page has the words of its own errors elsewhere, and none for this.
#[cfg(not(feature = "texts"))]
fn reason(_: &DecodeError) -> String {
    String::new()
}
