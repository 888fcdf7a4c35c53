//! What the session wants done and tells, as records: a number for the kind, then what belongs to it.
//!
//! A content is the end of its record: one text or bytes, or the message of the router that JavaScript has kept.

use petasus_protocol::session::{Content, Event, Outcome, Output, Session, Status, Welcome};

use crate::sink::{self, begin, number, text};
use crate::wrong::{of_error, of_failure};

/// The kinds, and what follows each.
pub(crate) mod kind {
    /// An error.
    pub(crate) const WRONG: u32 = 0;
    /// When to act next, or -1; the bytes that wait.
    pub(crate) const TIMER: u32 = 1;
    /// A socket, its URL, subprotocols.
    pub(crate) const OPEN: u32 = 2;
    /// A socket, a text or bytes.
    pub(crate) const SEND: u32 = 3;
    /// A socket, a close code, a reason.
    pub(crate) const CLOSE: u32 = 4;
    /// A socket.
    pub(crate) const DROP: u32 = 5;
    /// An exchange, its URL, a text or bytes.
    #[cfg(feature = "mercury")]
    pub(crate) const POST: u32 = 6;
    /// A state: 0 connecting and the attempt; 1 connected, session or -1, realm; 2 waiting, how long,
    /// a failure; 3 draining; 4 closed, maybe a failure.
    pub(crate) const STATUS: u32 = 7;
    /// A method.
    pub(crate) const CHALLENGE: u32 = 8;
    /// A subscription or registration, whether again.
    pub(crate) const STANDS: u32 = 9;
    /// A subscription or registration, an error.
    pub(crate) const ENDED: u32 = 10;
    /// A subscription or registration.
    pub(crate) const LEFT: u32 = 11;
    /// A subscription, topic or -1, publisher or -1, publication or -1, a content.
    pub(crate) const MESSAGE: u32 = 12;
    /// A registration, an invocation, flags (1 in parts, 2 more comes, 4 answerable), procedure or -1, caller or -1, a
    /// content.
    pub(crate) const INVOCATION: u32 = 13;
    /// An invocation, whether more comes, a content.
    pub(crate) const MORE: u32 = 14;
    /// An invocation.
    pub(crate) const INTERRUPTED: u32 = 15;
    /// A request, a content.
    pub(crate) const PROGRESS: u32 = 16;
    /// A request, what came of it: 0 published, 1 handed, 2 held, 3 a result and its content.
    pub(crate) const DONE: u32 = 17;
    /// A request, an error.
    pub(crate) const FAILED: u32 = 18;
    /// What was asked for, at once: see [`op`](crate::op).
    pub(crate) const TOLD: u32 = 19;
}

/// Everything, until the session wants nothing more.
pub(crate) fn all(session: &mut Session) {
    loop {
        if let Some(output) = session.poll_output() {
            of_output(output);
        } else if let Some(event) = session.poll_event() {
            of_event(event);
        } else {
            break;
        }
    }
    begin(kind::TIMER);
    sink::maybe(session.poll_timeout());
    number(session.waiting() as f64);
}

pub(crate) fn content(content: &Content) {
    match content {
        Content::Plain(message) => sink::message(message),
        Content::Arguments(payload) => sink::kept(payload.args.as_deref().unwrap_or_default()),
    }
}

/// Begins a record that is about something.
fn about(kind: u32, id: u64) {
    begin(kind);
    number(id as f64);
}

fn of_output(output: Output) {
    match output {
        Output::Open { socket, url, subprotocols } => {
            about(kind::OPEN, socket.as_u64());
            text(&url);
            for name in subprotocols {
                text(name);
            }
        }
        Output::Send { socket, message } => {
            about(kind::SEND, socket.as_u64());
            sink::message(&message);
        }
        Output::Close { socket, code, reason } => {
            about(kind::CLOSE, socket.as_u64());
            number(f64::from(code));
            text(reason);
        }
        Output::Drop { socket } => about(kind::DROP, socket.as_u64()),
        #[cfg(feature = "mercury")]
        Output::Post { exchange, url, message } => {
            about(kind::POST, exchange.as_u64());
            text(&url);
            sink::message(&message);
        }
        #[cfg(feature = "mercury")]
        Output::Abandon { exchange } => about(kind::DROP, exchange.as_u64()),
        _ => {}
    }
}

fn of_event(event: Event) {
    match event {
        Event::Status(status) => of_status(status),
        Event::Challenge { method, .. } => {
            begin(kind::CHALLENGE);
            text(&method);
        }
        Event::Subscribed { subscription, again } => stands(subscription.as_u64(), again),
        Event::Registered { registration, again } => stands(registration.as_u64(), again),
        Event::SubscriptionEnded { subscription, error } => {
            about(kind::ENDED, subscription.as_u64());
            of_error(&error);
        }
        Event::RegistrationEnded { registration, error } => {
            about(kind::ENDED, registration.as_u64());
            of_error(&error);
        }
        Event::Unsubscribed { subscription } => about(kind::LEFT, subscription.as_u64()),
        Event::Unregistered { registration } => about(kind::LEFT, registration.as_u64()),
        Event::Message { subscription, delivery } => {
            about(kind::MESSAGE, subscription.as_u64());
            sink::maybe_text(delivery.topic.as_ref().map(petasus_protocol::Topic::as_str));
            sink::maybe(delivery.publisher);
            sink::maybe(delivery.publication);
            content(&delivery.content);
        }
        Event::Invocation { registration, invocation, incoming } => {
            about(kind::INVOCATION, registration.as_u64());
            number(invocation.as_u64() as f64);
            let flags = u32::from(incoming.progress)
                | u32::from(incoming.more) << 1
                | u32::from(incoming.answerable) << 2;
            number(f64::from(flags));
            sink::maybe_text(incoming.procedure.as_deref());
            sink::maybe(incoming.caller);
            content(&incoming.content);
        }
        Event::InvocationMore { invocation, content: piece, more } => {
            about(kind::MORE, invocation.as_u64());
            number(f64::from(u8::from(more)));
            content(&piece);
        }
        Event::Interrupted { invocation } => about(kind::INTERRUPTED, invocation.as_u64()),
        Event::Progress { request, content: part } => {
            about(kind::PROGRESS, request.as_u64());
            content(&part);
        }
        Event::Done { request, outcome: Ok(outcome) } => {
            about(kind::DONE, request.as_u64());
            of_outcome(&outcome);
        }
        Event::Done { request, outcome: Err(error) } => {
            about(kind::FAILED, request.as_u64());
            of_error(&error);
        }
        _ => {}
    }
}

fn of_outcome(outcome: &Outcome) {
    match outcome {
        Outcome::Handed => number(1.0),
        Outcome::Held => number(2.0),
        Outcome::Result(result) => {
            number(3.0);
            content(result);
        }
        _ => number(0.0),
    }
}

fn of_status(status: Status) {
    begin(kind::STATUS);
    match status {
        Status::Connecting { attempt } => {
            number(0.0);
            number(f64::from(attempt));
        }
        Status::Connected(Welcome { session, realm, .. }) => {
            number(1.0);
            sink::maybe(session);
            text(&realm);
        }
        Status::Waiting { failure, wait } => {
            number(2.0);
            number(wait as f64);
            of_failure(&failure);
        }
        Status::Draining => number(3.0),
        Status::Closed { failure } => {
            number(4.0);
            if let Some(failure) = failure {
                of_failure(&failure);
            }
        }
        _ => number(0.0),
    }
}

fn stands(id: u64, again: bool) {
    about(kind::STANDS, id);
    number(f64::from(u8::from(again)));
}
