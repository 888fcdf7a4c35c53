//! The session core behind a few plain functions, so that nothing of it is left out by the linker: `cargo xtask test
//! wasm` builds this for browsers and prints what it weighs. It is for nothing else; the package for browsers has
//! an interface of its own.
//!
//! Bytes go in by [`session_give`] and come out by [`session_take`], one at a time, because a pointer would need
//! `unsafe`.

// `no_mangle` is unsafe because another function of that name would be replaced; this module has no other code.
#![allow(unsafe_code)]

mod told;

use std::cell::RefCell;

use petasus_protocol::session::{
    Answer, Call, CancelMode, Config, Content, DeliveryMode, Destination, Dialect, Error, ExchangeId,
    Failure, Filter, Identity, InvocationId, Invoke, Publish, Push, Register, RegistrationId, RequestId,
    ServerUrl, Session, SocketId, SubscriptionId, Until,
};
use petasus_protocol::wamp::uri::Match;
use petasus_protocol::wamp::{Dict, Payload, Serializer};
use petasus_protocol::{Message, Topic};

use crate::told::{said, told, wanted};

/// The number of no number.
pub(crate) const NOTHING: u64 = u64::MAX;

thread_local! {
    static SESSION: RefCell<Option<Session>> = const { RefCell::new(None) };
    static GIVEN: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    pub(crate) static TAKEN: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// One more byte of what the next call is about.
#[unsafe(no_mangle)]
pub extern "C" fn session_give(byte: u32) {
    GIVEN.with_borrow_mut(|given| given.push(byte as u8));
}

/// The next byte of what the last call was about, or -1.
#[unsafe(no_mangle)]
pub extern "C" fn session_take() -> i32 {
    TAKEN.with_borrow_mut(|taken| taken.pop().map_or(-1, i32::from))
}

/// A session with the URL that was given.
#[unsafe(no_mangle)]
pub extern "C" fn session_begin(mercury: u32, seed: u64) -> u64 {
    let url = match ServerUrl::parse(&text()) {
        Ok(url) => url,
        Err(error) => return said(&error),
    };
    let mut config = Config::new(url);
    config.dialect = if mercury == 1 { Dialect::Mercury } else { Dialect::Wamp };
    config.identity = Identity { authid: Some(text()), methods: vec![text()], extra: Dict::new() };
    SESSION.set(Some(Session::new(config, seed)));
    0
}

/// Something happened: which thing, to which number, when.
#[unsafe(no_mangle)]
pub extern "C" fn session_happened(what: u32, number: u64, more: u32, now: u64) {
    with(|session| {
        let socket = SocketId::of(number);
        match what {
            0 => session.connect(now),
            1 => session.handle_opened(socket, Some(&text()), now),
            2 => session.handle_message(socket, message(more), now),
            3 => session.handle_pong(socket, now),
            4 => session.handle_closed(socket, Failure::Closed { code: more as u16, reason: text() }, now),
            5 => session.handle_blocked(socket, more == 1, now),
            6 => session.handle_answer(ExchangeId::of(number), more as u16, &text(), now),
            7 => {
                let failure = Failure::Broken { reason: text() };
                session.handle_unanswered(ExchangeId::of(number), more == 1, failure, now);
            }
            8 => session.handle_timeout(now),
            _ => session.check(now),
        }
    });
}

/// The program asks for something; the answer is a number, or [`NOTHING`] with the error's text in [`session_give`].
#[unsafe(no_mangle)]
pub extern "C" fn session_ask(what: u32, number: u64, more: u32, now: u64) -> u64 {
    with(|session| {
        let asked = asked(session, what, number, more, now);
        asked.unwrap_or_else(|error| said(&error))
    })
    .unwrap_or(NOTHING)
}

fn asked(session: &mut Session, what: u32, number: u64, more: u32, now: u64) -> Result<u64, Error> {
    let topic = Topic::new(&text());
    match what {
        0 => session.authenticate(text(), Dict::new(), now),
        1 => session.refuse_challenge(text(), now),
        2 => return session.subscribe(filter(topic, more), now).map(SubscriptionId::as_u64),
        3 => session.unsubscribe(SubscriptionId::of(number), now),
        4 => {
            let to = if number == 0 {
                Destination::Topic(topic)
            } else {
                Destination::Bus(SubscriptionId::of(number))
            };
            let delivery = match more {
                0 => DeliveryMode::Fire,
                1 => DeliveryMode::Queued,
                _ => DeliveryMode::Acknowledged { timeout: None },
            };
            let publish = Publish { to, content: content(more), delivery, to_self: more == 3 };
            return session.publish(publish, now).map(|id| id.map_or(0, RequestId::as_u64));
        }
        5 => {
            let until = if more == 1 { Until::Done } else { Until::Handed };
            let push = Push { topic, content: content(more), until, timeout: None };
            return session.push(push, now).map(RequestId::as_u64);
        }
        6 => {
            let call = Call {
                procedure: text(),
                content: content(more),
                timeout: Some(number),
                progress: more & 1 == 1,
                more: more & 2 == 2,
                disclose: more & 4 == 4,
            };
            return session.call(call, now).map(RequestId::as_u64);
        }
        7 => session.call_more(RequestId::of(number), content(more), more == 1, now)?,
        8 => {
            let mode = if more == 1 { CancelMode::Skip } else { CancelMode::Kill };
            session.cancel(RequestId::of(number), mode, now);
        }
        9 => return session.register(register(topic, more), now).map(RegistrationId::as_u64),
        10 => session.unregister(RegistrationId::of(number), now),
        11 => {
            let answer = match more {
                0 => Answer::Progress(content(more)),
                1 => Answer::Result(content(more)),
                _ => Answer::Failed { uri: text(), content: content(more) },
            };
            session.answer(InvocationId::of(number), answer, now)?;
        }
        12 => session.drain(number, now),
        _ => session.close(now),
    }
    Ok(0)
}

/// What the session wants; 1 if there was something.
#[unsafe(no_mangle)]
pub extern "C" fn session_poll() -> u32 {
    with(|session| {
        if let Some(output) = session.poll_output() {
            wanted(output);
            return 1;
        }
        let Some(event) = session.poll_event() else { return 0 };
        told(event);
        1
    })
    .unwrap_or(0)
}

/// When to come back, or [`NOTHING`].
#[unsafe(no_mangle)]
pub extern "C" fn session_timeout() -> u64 {
    with(|session| session.poll_timeout().map_or(NOTHING, |at| at + session.waiting() as u64))
        .unwrap_or(NOTHING)
}

fn with<T>(act: impl FnOnce(&mut Session) -> T) -> Option<T> {
    SESSION.with_borrow_mut(|session| session.as_mut().map(act))
}

fn filter(topic: Topic, more: u32) -> Filter {
    match more {
        0 => Filter::Tree(topic),
        1 => Filter::Exact(topic),
        2 => Filter::Prefix(text()),
        3 => Filter::Wildcard(text()),
        _ => Filter::Bus { topic, echo: more == 5 },
    }
}

fn register(topic: Topic, more: u32) -> Register {
    if more == 0 {
        return Register::Queue { topic, concurrency: 1 };
    }
    let matching = if more == 1 { Match::Exact } else { Match::Prefix };
    Register::Procedure { uri: text(), matching, invoke: Invoke::RoundRobin, concurrency: Some(more) }
}

/// What was given, as a text: what is no UTF-8 is cut off.
fn text() -> String {
    String::from_utf8(GIVEN.take()).unwrap_or_default()
}

fn message(kind: u32) -> Message {
    if kind == 1 { Message::from(text()) } else { Message::binary(GIVEN.take()) }
}

/// A text, bytes, or arguments that the host has serialized.
fn content(kind: u32) -> Content {
    if kind < 2 {
        return Content::Plain(message(kind));
    }
    let serializer = match kind {
        2 => Serializer::Json,
        3 => Serializer::MsgPack,
        _ => Serializer::Cbor,
    };
    Content::Arguments(Payload { serializer, args: Some(GIVEN.take().into()), kwargs: None })
}
