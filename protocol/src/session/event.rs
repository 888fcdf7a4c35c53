//! What a session wants of its driver ([`Output`]), and tells the program ([`Event`]).

use super::{
    Content, Error, ExchangeId, Failure, InvocationId, RegistrationId, RequestId, SocketId, SubscriptionId,
};
use crate::wamp::RawDict;
use crate::{Message, Topic};

/// What the driver is to do, in this order.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Output {
    /// Open a WebSocket, and then call [`handle_opened`](super::Session::handle_opened) or
    /// [`handle_closed`](super::Session::handle_closed).
    Open {
        /// What to call it.
        socket: SocketId,
        /// Its URL, `ws://` or `wss://`.
        url: String,
        /// The subprotocols to offer, the dearest first; none over Mercury.
        subprotocols: Vec<&'static str>,
    },
    /// Send a message.
    Send {
        /// Where.
        socket: SocketId,
        /// A text or binary message.
        message: Message,
    },
    /// Send a ping. Any pong, like any message, is a sign of life: [`handle_pong`](super::Session::handle_pong).
    Ping {
        /// Where.
        socket: SocketId,
    },
    /// Send what is left, then a Close frame, and wait for that of the server; then call
    /// [`handle_closed`](super::Session::handle_closed). Also for a socket that is still being opened.
    Close {
        /// Which one.
        socket: SocketId,
        /// The close code.
        code: u16,
        /// The reason, at most 123 bytes.
        reason: &'static str,
    },
    /// Forget a socket at once, without a word: it is dead, or was never opened. Nothing more is heard of it.
    Drop {
        /// Which one.
        socket: SocketId,
    },
    /// POST a message, and then call [`handle_answer`](super::Session::handle_answer) or
    /// [`handle_unanswered`](super::Session::handle_unanswered). Text goes as `text/plain; charset=utf-8`, binary as
    /// `application/octet-stream`.
    Post {
        /// What to call it.
        exchange: ExchangeId,
        /// Its URL, `ws://` or `wss://` for `http://` and `https://`.
        url: String,
        /// The body.
        message: Message,
    },
    /// The answer to a POST is not waited for any more.
    Abandon {
        /// Which one.
        exchange: ExchangeId,
    },
}

/// What the program is told.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The connection changed.
    Status(Status),
    /// The router wants a proof (WAMP, CHALLENGE): answer with [`authenticate`](super::Session::authenticate) or
    /// [`refuse_challenge`](super::Session::refuse_challenge).
    Challenge {
        /// The method, one of those in [`Identity::methods`](super::Identity::methods).
        method: String,
        /// What the method needs.
        extra: RawDict,
    },
    /// A subscription stands: what is published from now on comes.
    Subscribed {
        /// Which one.
        subscription: SubscriptionId,
        /// Whether it stood before, on a connection that was lost: what was published meanwhile is missing.
        again: bool,
    },
    /// A subscription is over; nothing comes any more. Not told of one that the program ended itself by
    /// [`unsubscribe`](super::Session::unsubscribe).
    SubscriptionEnded {
        /// Which one.
        subscription: SubscriptionId,
        /// Why.
        error: Error,
    },
    /// The broker confirmed the end of a subscription, or there is no connection and so none to confirm it.
    Unsubscribed {
        /// Which one.
        subscription: SubscriptionId,
    },
    /// A message for a subscription.
    Message {
        /// Which one.
        subscription: SubscriptionId,
        /// The message.
        delivery: Delivery,
    },
    /// A registration stands: calls, or jobs, come.
    Registered {
        /// Which one.
        registration: RegistrationId,
        /// Whether it stood before, on a connection that was lost.
        again: bool,
    },
    /// A registration is over. Not told of one that the program ended itself by
    /// [`unregister`](super::Session::unregister).
    RegistrationEnded {
        /// Which one.
        registration: RegistrationId,
        /// Why.
        error: Error,
    },
    /// The broker confirmed the end of a registration, or there is no connection and so none to confirm it.
    Unregistered {
        /// Which one.
        registration: RegistrationId,
    },
    /// A call or a job to be answered by [`answer`](super::Session::answer).
    Invocation {
        /// Of which registration.
        registration: RegistrationId,
        /// What to answer.
        invocation: InvocationId,
        /// What is asked.
        incoming: Incoming,
    },
    /// More of a call whose arguments come in pieces (WAMP, "Progressive Call Invocations").
    InvocationMore {
        /// Which one.
        invocation: InvocationId,
        /// The next arguments.
        content: Content,
        /// Whether still more will come.
        more: bool,
    },
    /// Nobody waits for the answer any more: it was canceled, timed out, or the connection is lost.
    Interrupted {
        /// Which one.
        invocation: InvocationId,
    },
    /// A part of the result of a call.
    Progress {
        /// Which one.
        request: RequestId,
        /// The part.
        content: Content,
    },
    /// The end of a request. It comes once for each, unless the program canceled it.
    Done {
        /// Which one.
        request: RequestId,
        /// What came of it.
        outcome: Result<Outcome, Error>,
    },
}

/// How the connection stands. Over Mercury, where each topic has a socket, it is that of the worst one that is wanted.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Status {
    /// An attempt to connect is under way.
    Connecting {
        /// How many failed, or were lost, since a connection last stood: 0 at the very first.
        attempt: u32,
    },
    /// Connected.
    Connected(Welcome),
    /// There is no connection; the next attempt comes.
    Waiting {
        /// Why the last one ended.
        failure: Failure,
        /// When, in milliseconds from now.
        wait: u64,
    },
    /// The program drains the session: what is under way is finished, nothing new is taken.
    Draining,
    /// The session is over, for good.
    Closed {
        /// Why, unless the program closed it itself.
        failure: Option<Failure>,
    },
}

/// What the router said of the session in its WELCOME; all empty over Mercury.
#[derive(Clone, Debug, PartialEq, Default)]
#[non_exhaustive]
pub struct Welcome {
    /// The number of the WAMP session.
    pub session: Option<u64>,
    /// The realm.
    pub realm: String,
    /// Who the router found the program to be.
    pub authid: String,
    /// The role that it gave it.
    pub authrole: String,
    /// How it found out.
    pub authmethod: String,
    /// What the router calls itself.
    pub agent: String,
    /// Everything it said, such as `roles`.
    pub details: RawDict,
}

/// A message that came.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Delivery {
    /// What it carries.
    pub content: Content,
    /// What it was published to: `None` where the wire does not say it (Mercury, below a topic).
    pub topic: Option<Topic>,
    /// The WAMP session of its publisher, if that was disclosed.
    pub publisher: Option<u64>,
    /// The number of the publication (WAMP).
    pub publication: Option<u64>,
}

/// A call or a job that came.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Incoming {
    /// The arguments.
    pub content: Content,
    /// The procedure that was called, where a registration stands for many.
    pub procedure: Option<String>,
    /// Whether the caller takes results in parts.
    pub progress: bool,
    /// Whether more arguments will come.
    pub more: bool,
    /// Whether an answer reaches anybody: not over Mercury, where jobs are handed and forgotten.
    pub answerable: bool,
    /// The WAMP session of the caller, if that was disclosed.
    pub caller: Option<u64>,
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// The broker has published it to everybody who is subscribed.
    Published,
    /// A puller has the job (WAMP) or it is in its outbox (Mercury).
    Handed,
    /// The job waits in the broker for a puller.
    Held,
    /// The answer of a call, or of a job that was waited for until it was done.
    Result(Content),
}
