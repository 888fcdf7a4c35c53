//! From the number of an operation to the session.

#[cfg(feature = "mercury")]
use petasus_protocol::session::ExchangeId;
use petasus_protocol::session::{
    Answer, Call, CancelMode, DeliveryMode, Destination, Failure, Filter, Identity, InvocationId, Invoke,
    Publish, Push, Register, RegistrationId, RequestId, Session, SocketId, SubscriptionId, Until,
};
use petasus_protocol::wamp::uri::Match;

use crate::given::Given;
use crate::wrong::Wrong;
use crate::{Core, op, quick, settings};

impl Core {
    /// Does it. What makes no sense now, such as anything before there is a session, does nothing.
    pub(crate) fn ask(
        &mut self,
        op: u32,
        numbers: [f64; 3],
        mut given: Given,
        now: u64,
    ) -> Result<f64, Wrong> {
        let [a, b, _] = numbers;
        if let Some(session) = &mut self.session {
            return session_act(session, op, numbers, given, now);
        }
        if op == op::URL {
            self.plain = a != 0.0;
            self.config = Some(settings::of_url(&given.text(), self.plain)?);
            return Ok(0.0);
        }
        let Some(config) = &mut self.config else { return Ok(0.0) };
        match op {
            op::SET => settings::set(config, a as u64, b),
            op::REALM => config.realm = given.text(),
            op::IDENTIFY => config.identity = identity(a, &mut given),
            op::CONNECT => {
                if let Some(config) = self.config.take() {
                    let session = self.session.insert(Session::new(config, a as u64));
                    session.connect(now);
                }
            }
            _ => {}
        }
        Ok(0.0)
    }
}

fn session_act(
    session: &mut Session,
    op: u32,
    numbers: [f64; 3],
    mut given: Given,
    now: u64,
) -> Result<f64, Wrong> {
    let [a, b, _] = numbers;
    let id = a as u64;
    match op {
        op::OPENED => {
            let subprotocol = given.text();
            let subprotocol = (!subprotocol.is_empty()).then_some(subprotocol.as_str());
            session.handle_opened(SocketId::of(id), subprotocol, now);
        }
        #[cfg(feature = "mercury")]
        op::MESSAGE if given.is_plain() => session.handle_message(SocketId::of(id), given.message(), now),
        op::MESSAGE => session.handle_outline(SocketId::of(id), given.message().payload(), now),
        op::CLOSED => session.handle_closed(SocketId::of(id), failure(b, given.text()), now),
        op::BLOCKED => session.handle_blocked(SocketId::of(id), b != 0.0, now),
        #[cfg(feature = "mercury")]
        op::ANSWERED => session.handle_answer(ExchangeId::of(id), b as u16, &given.text(), now),
        #[cfg(feature = "mercury")]
        op::UNANSWERED => {
            session.handle_unanswered(ExchangeId::of(id), b != 0.0, failure(0.0, given.text()), now);
        }
        op::TIMEOUT => session.handle_timeout(now),
        op::CHECK => session.check(now),
        op::IDENTIFY => session.identify(identity(a, &mut given)),
        op::AUTHENTICATE => {
            let signature = given.text();
            session.authenticate(signature, given.dict(), now);
        }
        op::REFUSE => session.refuse_challenge(given.text(), now),
        op::DRAIN => session.drain(settings::millis(a), now),
        op::CLOSE => session.close(now),
        op::UNSUBSCRIBE => session.unsubscribe(SubscriptionId::of(id), now),
        op::CANCEL => session.cancel(RequestId::of(id), CancelMode::Kill, now),
        op::UNREGISTER => session.unregister(RegistrationId::of(id), now),
        op::HEAR | op::PUBLISHED | op::BEGIN | op::TOPIC | op::NAME => {
            return quick::act(session, op, numbers, given, now);
        }
        _ => return request(session, op, numbers, given, now).map(|number| number as f64),
    }
    Ok(0.0)
}

/// What gives a number, or is refused.
fn request(
    session: &mut Session,
    op: u32,
    [a, b, c]: [f64; 3],
    mut given: Given,
    now: u64,
) -> Result<u64, Wrong> {
    let id = a as u64;
    let is = |flag: u64| id & flag != 0;
    // A negative number is none.
    let timeout = (b >= 0.0).then_some(settings::millis(b));
    Ok(match op {
        op::SUBSCRIBE => session.subscribe(filter(id, &mut given)?, now)?.as_u64(),
        op::PUBLISH => {
            let to = if c > 0.0 {
                Destination::Bus(SubscriptionId::of(c as u64))
            } else {
                Destination::Topic(given.topic()?)
            };
            let delivery = match id & 3 {
                0 => DeliveryMode::Fire,
                1 => DeliveryMode::Queued,
                _ => DeliveryMode::Acknowledged { timeout },
            };
            let publish = Publish { to, content: given.content(), delivery, to_self: !is(4) };
            session.publish(publish, now)?.map_or(0, RequestId::as_u64)
        }
        op::PUSH => {
            let until = if is(1) { Until::Done } else { Until::Handed };
            let push = Push { topic: given.topic()?, content: given.content(), until, timeout };
            session.push(push, now)?.as_u64()
        }
        op::CALL => {
            let (procedure, content) = (given.text(), given.content());
            let call = Call { procedure, content, timeout, progress: is(1), more: is(2), disclose: is(4) };
            session.call(call, now)?.as_u64()
        }
        op::MORE => {
            session.call_more(RequestId::of(id), given.content(), b != 0.0, now)?;
            0
        }
        op::REGISTER | op::PULL => {
            let register = if op == op::PULL {
                Register::Queue { topic: given.topic()?, concurrency: id as u32 }
            } else {
                procedure([a, b, c], given.text())
            };
            session.register(register, now)?.as_u64()
        }
        op::ANSWER => {
            let answer = match b as u8 {
                0 => Answer::Progress(given.content()),
                1 => Answer::Result(given.content()),
                _ => Answer::Failed { uri: given.text(), content: given.content() },
            };
            session.answer(InvocationId::of(id), answer, now)?;
            0
        }
        _ => 0,
    })
}

fn identity(has_authid: f64, given: &mut Given) -> Identity {
    let (authid, extra) = (given.text(), given.dict());
    Identity { authid: (has_authid != 0.0).then_some(authid), methods: given.texts(), extra }
}

/// Why a socket is closed.
fn failure(code: f64, reason: String) -> Failure {
    match code as u16 {
        0 => Failure::Unreachable { reason },
        1 => Failure::Broken { reason },
        code => Failure::Closed { code, reason },
    }
}

fn filter(kind: u64, given: &mut Given) -> Result<Filter, Wrong> {
    Ok(match kind {
        0 => Filter::Tree(given.topic()?),
        1 => Filter::Exact(given.topic()?),
        2 => Filter::Prefix(given.text()),
        3 => Filter::Wildcard(given.text()),
        _ => Filter::Bus { topic: given.topic()?, echo: kind == 5 },
    })
}

fn procedure([matching, invoke, concurrency]: [f64; 3], uri: String) -> Register {
    let matching = match matching as u8 {
        0 => Match::Exact,
        1 => Match::Prefix,
        _ => Match::Wildcard,
    };
    let invoke = match invoke as u8 {
        0 => Invoke::Single,
        1 => Invoke::First,
        2 => Invoke::Last,
        3 => Invoke::RoundRobin,
        _ => Invoke::Random,
    };
    let concurrency = (concurrency >= 1.0).then_some(concurrency as u32);
    Register::Procedure { uri, matching, invoke, concurrency }
}
