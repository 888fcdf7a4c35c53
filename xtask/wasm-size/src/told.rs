//! What the session says, as bytes.

use petasus_protocol::Topic;
use petasus_protocol::session::{Content, Event, Outcome, Output, Status};
use petasus_protocol::wamp::Serializer;

use crate::{NOTHING, TAKEN};

/// An error's text is there for the host.
pub(crate) fn said(error: &impl std::fmt::Display) -> u64 {
    put(error.to_string().as_bytes());
    NOTHING
}

fn put(bytes: &[u8]) {
    TAKEN.with_borrow_mut(|taken| taken.extend_from_slice(bytes));
}

fn number(number: u64) {
    put(&number.to_le_bytes());
}

pub(crate) fn wanted(output: Output) {
    match output {
        Output::Open { socket, url, subprotocols } => {
            number(socket.as_u64());
            put(url.as_bytes());
            for name in subprotocols {
                put(name.as_bytes());
            }
        }
        Output::Send { socket, message } => {
            number(socket.as_u64());
            put(message.payload());
        }
        Output::Post { exchange, url, message } => {
            number(exchange.as_u64());
            put(url.as_bytes());
            put(message.payload());
        }
        Output::Close { socket, code, reason } => {
            number(socket.as_u64() + u64::from(code));
            put(reason.as_bytes());
        }
        Output::Ping { socket } | Output::Drop { socket } => number(socket.as_u64()),
        Output::Abandon { exchange } => number(exchange.as_u64()),
        _ => {}
    }
}

pub(crate) fn told(event: Event) {
    match event {
        Event::Status(status) => shown(status),
        Event::Challenge { method, extra } => {
            put(method.as_bytes());
            put(extra.text("nonce").ok().flatten().unwrap_or_default().as_bytes());
        }
        Event::Subscribed { subscription, again } => number(subscription.as_u64() + u64::from(again)),
        Event::Unsubscribed { subscription } => number(subscription.as_u64()),
        Event::Registered { registration, again } => number(registration.as_u64() + u64::from(again)),
        Event::Unregistered { registration } => number(registration.as_u64()),
        Event::SubscriptionEnded { subscription, error } => {
            number(subscription.as_u64());
            said(&error);
        }
        Event::RegistrationEnded { registration, error } => {
            number(registration.as_u64());
            said(&error);
        }
        Event::Message { subscription, delivery } => {
            number(
                subscription.as_u64() + delivery.publisher.unwrap_or(0) + delivery.publication.unwrap_or(0),
            );
            put(delivery.topic.as_ref().map_or("", Topic::as_str).as_bytes());
            held(&delivery.content);
        }
        Event::Invocation { registration, invocation, incoming } => {
            number(registration.as_u64() + invocation.as_u64());
            put(incoming.procedure.unwrap_or_default().as_bytes());
            held(&incoming.content);
        }
        Event::InvocationMore { invocation, content, more } => {
            number(invocation.as_u64() + u64::from(more));
            held(&content);
        }
        Event::Interrupted { invocation } => number(invocation.as_u64()),
        Event::Progress { request, content } => {
            number(request.as_u64());
            held(&content);
        }
        Event::Done { request, outcome } => {
            number(request.as_u64());
            match outcome {
                Ok(Outcome::Result(content)) => held(&content),
                Ok(outcome) => number(u64::from(outcome == Outcome::Published)),
                Err(error) => {
                    number(error.retry() as u64 + error.fault() as u64);
                    said(&error);
                }
            }
        }
        _ => {}
    }
}

fn shown(status: Status) {
    match status {
        Status::Connecting { attempt } => number(attempt.into()),
        Status::Connected(welcome) => {
            number(welcome.session.unwrap_or(0));
            put([welcome.realm, welcome.authid, welcome.authrole, welcome.agent].concat().as_bytes());
        }
        Status::Waiting { failure, wait } => {
            number(wait);
            said(&failure);
        }
        Status::Closed { failure: Some(failure) } => {
            said(&failure);
        }
        _ => {}
    }
}

/// A content in the forms in which a host wants it: as a raw message, and as JSON.
fn held(content: &Content) {
    put(content.to_message().payload());
    put(content.to_payload(Serializer::Json).args.as_deref().unwrap_or_default());
}
