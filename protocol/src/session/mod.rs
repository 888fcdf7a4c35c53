//! The client's side of a conversation with a broker, as a value: no sockets, no clock, no threads.
//!
//! **Every mutation is followed by draining [`Session::poll_output`], then [`Session::poll_event`], then by looking at
//! [`Session::poll_timeout`].** A driver, in whatever language, owns the sockets and the timer. It tells the session
//! what happened (`handle_*`) and what the program wants (`subscribe`, `publish`, `call` and so on), does what
//! `poll_output` says, passes on what `poll_event` says, and calls [`Session::handle_timeout`] when the time that
//! `poll_timeout` named has come. Time is in milliseconds of any clock that never goes back; `now` is an argument.
//!
//! What the session does: handshake and log-in; subscriptions and registrations, which survive the loss of the
//! connection; calls and acknowledgements, each answered once or reported lost; a bounded queue; reconnection with
//! full jitter; signs of life; an orderly end. It speaks WAMP over one socket or Mercury over one per topic
//! ([`Dialect`]), with the same calls: what a wire or router can not do is [`Error::Unsupported`].
//!
//! What is promised, whatever comes when:
//!
//! * Each request ends by one [`Event::Done`], or none if the program canceled it; never by the answer to another.
//! * What was sent and not answered when the connection is lost is [`Error::Lost`], and is not sent again.
//! * A subscription gets each message once, and none after [`Session::unsubscribe`]. After a loss it is made again,
//!   and [`Event::Subscribed`] says so; what was published meanwhile is missing.
//! * Nothing waits without bound: not in the queue, and not for an answer.
//! * What comes from a socket that was given up is ignored.

mod backoff;
mod config;
mod content;
mod core;
mod error;
mod event;
mod id;
mod line;
#[cfg(feature = "mercury")]
mod mercury;
mod quick;
mod request;
mod table;
mod url;
mod wamp;

use self::core::{Core, Phase};
use crate::Message;
use crate::wamp::RawDict;

pub use backoff::Backoff;
pub use config::{Config, Dialect, Heartbeat, Identity, Probe};
pub use content::Content;
pub use error::{Error, Failure, Fault, Refusal, Retry, readable};
pub use event::{Delivery, Event, Incoming, Outcome, Output, Status, Welcome};
pub use id::{ExchangeId, InvocationId, RegistrationId, RequestId, SocketId, SubscriptionId};
pub use quick::Begun;
pub use request::{
    Answer, Call, CancelMode, DeliveryMode, Destination, Filter, Invoke, Publish, Push, Register, Until,
};
pub use url::{ServerUrl, UrlError};

/// A conversation with a broker. See the [module](self) for how to drive it.
#[derive(Debug)]
pub struct Session {
    core: Core,
    wire: Wire,
}

#[derive(Debug)]
enum Wire {
    Wamp(Box<wamp::Wamp>),
    #[cfg(feature = "mercury")]
    Mercury(Box<mercury::Mercury>),
}

/// The same call on whichever wire it is.
macro_rules! on_wire {
    ($session:expr, $method:ident($($argument:expr),*)) => {
        match &mut $session.wire {
            Wire::Wamp(wire) => wire.$method(&mut $session.core $(, $argument)*),
            #[cfg(feature = "mercury")]
            Wire::Mercury(wire) => wire.$method(&mut $session.core $(, $argument)*),
        }
    };
}

impl Session {
    /// A session that has not begun. `seed` makes its waits differ from those of other clients: any number that
    /// differs between them.
    pub fn new(config: Config, seed: u64) -> Session {
        let wire = match config.dialect {
            Dialect::Wamp => Wire::Wamp(Box::new(wamp::Wamp::new())),
            #[cfg(feature = "mercury")]
            Dialect::Mercury => Wire::Mercury(Box::new(mercury::Mercury::new())),
        };
        Session { core: Core::new(config, seed), wire }
    }

    /// Begins to connect. Everything else may be asked for before, and waits.
    pub fn connect(&mut self, now: u64) {
        on_wire!(self, connect(now));
    }

    // What happened to the sockets.

    /// A socket is open; `subprotocol` is the one that the server chose.
    pub fn handle_opened(&mut self, socket: SocketId, subprotocol: Option<&str>, now: u64) {
        on_wire!(self, handle_opened(socket, subprotocol, now));
    }

    /// A message came.
    pub fn handle_message(&mut self, socket: SocketId, message: Message, now: u64) {
        on_wire!(self, handle_message(socket, message, now));
    }

    /// A pong came, or anything else that shows that the server is alive.
    pub fn handle_pong(&mut self, socket: SocketId, now: u64) {
        on_wire!(self, handle_pong(socket, now));
    }

    /// A socket is closed, or could not be opened.
    pub fn handle_closed(&mut self, socket: SocketId, failure: Failure, now: u64) {
        on_wire!(self, handle_closed(socket, failure, now));
    }

    /// A socket takes no more for the moment (`true`), or takes more again (`false`). While it takes none, what can
    /// wait does, within [`Config::queue_bytes`]. Answers and the like go out all the same.
    pub fn handle_blocked(&mut self, socket: SocketId, blocked: bool, now: u64) {
        on_wire!(self, handle_blocked(socket, blocked, now));
    }

    /// A POST was answered with this status, and this first line of text.
    pub fn handle_answer(&mut self, exchange: ExchangeId, status: u16, text: &str, now: u64) {
        on_wire!(self, handle_answer(exchange, status, text, now));
    }

    /// A POST was not answered. `sent` says whether the server may have it.
    pub fn handle_unanswered(&mut self, exchange: ExchangeId, sent: bool, failure: Failure, now: u64) {
        on_wire!(self, handle_unanswered(exchange, sent, failure, now));
    }

    /// The time that [`Session::poll_timeout`] named has come. Any earlier or later time does no harm.
    pub fn handle_timeout(&mut self, now: u64) {
        on_wire!(self, handle_timeout(now));
    }

    /// The network may have changed, or the program slept: asks for a sign of life now, and does not wait with the
    /// next attempt to connect.
    pub fn check(&mut self, now: u64) {
        on_wire!(self, check(now));
    }

    // What the program wants.

    /// Who the program says it is from the next connection on, such as with a nonce of its own.
    pub fn identify(&mut self, identity: Identity) {
        self.core.config.identity = identity;
    }

    /// Answers [`Event::Challenge`]. `extra` is what the method sends along.
    pub fn authenticate(&mut self, signature: String, extra: RawDict, now: u64) {
        on_wire!(self, authenticate(signature, extra, now));
    }

    /// Gives up the session, because the program can not answer a challenge.
    pub fn refuse_challenge(&mut self, reason: String, now: u64) {
        on_wire!(self, refuse_challenge(reason, now));
    }

    /// Subscribes, or joins a bus. [`Event::Subscribed`] follows, or [`Event::SubscriptionEnded`].
    pub fn subscribe(&mut self, filter: Filter, now: u64) -> Result<SubscriptionId, Error> {
        self.core.check_running()?;
        on_wire!(self, subscribe(filter, now))
    }

    /// Ends a subscription. Nothing more comes for it but [`Event::Unsubscribed`].
    pub fn unsubscribe(&mut self, subscription: SubscriptionId, now: u64) {
        on_wire!(self, unsubscribe(subscription, now));
    }

    /// Publishes. The id, and later [`Event::Done`], is for [`DeliveryMode::Acknowledged`] alone.
    pub fn publish(&mut self, publish: Publish, now: u64) -> Result<Option<RequestId>, Error> {
        self.core.check_running()?;
        self.check_size(&publish.content)?;
        on_wire!(self, publish(publish, now))
    }

    /// Pushes a job. [`Event::Done`] follows.
    pub fn push(&mut self, push: Push, now: u64) -> Result<RequestId, Error> {
        self.core.check_running()?;
        self.check_size(&push.content)?;
        on_wire!(self, push(push, now))
    }

    /// Calls. [`Event::Done`] follows, before it maybe [`Event::Progress`].
    pub fn call(&mut self, call: Call, now: u64) -> Result<RequestId, Error> {
        self.core.check_running()?;
        self.check_size(&call.content)?;
        on_wire!(self, call(call, now))
    }

    /// More arguments of a call that was begun with `more`; `more` says whether still more follow.
    /// [`Error::Stale`] if the call is over.
    pub fn call_more(
        &mut self,
        request: RequestId,
        content: Content,
        more: bool,
        now: u64,
    ) -> Result<(), Error> {
        self.check_size(&content)?;
        on_wire!(self, call_more(request, content, more, now))
    }

    /// Gives up a call, a push or a publication: no [`Event::Done`] comes any more. What was not sent yet is not sent;
    /// a call that was is canceled at its callee, a job of which nobody has taken charge is taken back.
    pub fn cancel(&mut self, request: RequestId, mode: CancelMode, now: u64) {
        on_wire!(self, cancel(request, mode, now));
    }

    /// Offers a procedure, or pulls from a queue. [`Event::Registered`] follows, or [`Event::RegistrationEnded`].
    pub fn register(&mut self, register: Register, now: u64) -> Result<RegistrationId, Error> {
        self.core.check_running()?;
        on_wire!(self, register(register, now))
    }

    /// Takes it back. What was invoked before may still be answered (procedures), or goes to another puller (jobs).
    /// [`Event::Unregistered`] follows.
    pub fn unregister(&mut self, registration: RegistrationId, now: u64) {
        on_wire!(self, unregister(registration, now));
    }

    /// Answers a call or a job. [`Error::Stale`] if nobody waits any more.
    pub fn answer(&mut self, invocation: InvocationId, answer: Answer, now: u64) -> Result<(), Error> {
        let (Answer::Progress(content) | Answer::Result(content) | Answer::Failed { content, .. }) = &answer;
        self.check_size(content)?;
        on_wire!(self, answer(invocation, answer, now))
    }

    /// Ends the session when all that was asked for is finished, within `timeout` milliseconds: takes back
    /// subscriptions and registrations, sends what waits, waits for answers and for the program's own, says goodbye.
    /// [`Status::Closed`] follows.
    pub fn drain(&mut self, timeout: u64, now: u64) {
        if self.core.phase == Phase::Running {
            self.core.phase = Phase::Draining { until: now.saturating_add(timeout) };
            on_wire!(self, drain(now));
        }
    }

    /// Ends the session: what was sent is delivered, what waits is not sent, what is not answered is
    /// [`Error::Closed`]. [`Status::Closed`] follows.
    pub fn close(&mut self, now: u64) {
        if !matches!(self.core.phase, Phase::Closed { .. }) {
            self.core.phase = Phase::Closed { failure: None };
            on_wire!(self, close(now));
        }
    }

    // What is to be done.

    /// What the driver is to do next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.core.next_output()
    }

    /// What the program is to be told next.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.core.next_event()
    }

    /// When to call [`Session::handle_timeout`], if at all.
    pub fn poll_timeout(&self) -> Option<u64> {
        match &self.wire {
            Wire::Wamp(wire) => wire.next_timeout(&self.core),
            #[cfg(feature = "mercury")]
            Wire::Mercury(wire) => wire.next_timeout(&self.core),
        }
    }

    /// The bytes that wait to be sent, of [`Config::queue_bytes`] at most.
    pub fn waiting(&self) -> usize {
        self.core.waiting()
    }

    /// Whether the queue has room for a content now: if not, and it has to wait, it is [`Error::QueueFull`].
    pub fn has_room(&self, content: &Content) -> bool {
        self.core.waiting() == 0
            || self.core.waiting() + Core::weight(content) <= self.core.config.queue_bytes
    }

    /// What is too long for any message is refused before it waits.
    fn check_size(&self, content: &Content) -> Result<(), Error> {
        let limit = self.core.config.message_bytes;
        if content.len() > limit { Err(Error::TooLarge { len: content.len(), limit }) } else { Ok(()) }
    }
}
