//! The operations of messages that JavaScript reads and writes itself: see `petasus_protocol::session::Session::handle_event`.
//!
//! They are most of all messages. Numbers alone cross, and nothing has to be polled for it.

use petasus_protocol::session::{DeliveryMode, Session, SocketId};
use petasus_protocol::{Topic, TopicLimits};

use crate::given::Given;
use crate::sink::{begin, maybe_text, number};
use crate::told::kind;
use crate::wrong::Wrong;
use crate::{op, settings};

/// What [`op::HEAR`] gives if there are several.
const SEVERAL: f64 = -1.0;
/// What it gives if the message is none of these.
const OTHER: f64 = -2.0;

pub(crate) fn act(
    session: &mut Session,
    op: u32,
    [a, b, c]: [f64; 3],
    mut given: Given,
    now: u64,
) -> Result<f64, Wrong> {
    let socket = SocketId::of(a as u64);
    match op {
        op::HEAR => return Ok(hear(session, socket, b as u64, now)),
        op::PUBLISHED => return Ok(f64::from(session.handle_published(socket, b as u64, now))),
        op::BEGIN => return Ok(begin_publish(session, [a, b, c], now)),
        op::TOPIC => {
            let uri = given.text();
            let named = Topic::from_wamp(&uri, &TopicLimits::UNLIMITED).ok();
            let topic = if uri.is_empty() { session.topic_of(socket, b as u64) } else { named.as_ref() };
            begin(kind::TOLD);
            maybe_text(topic.map(Topic::as_str));
        }
        _ => {
            let uri = given.topic()?.to_wamp();
            begin(kind::TOLD);
            maybe_text(Some(&uri));
        }
    }
    Ok(0.0)
}

fn hear(session: &mut Session, socket: SocketId, id: u64, now: u64) -> f64 {
    let mut heard = 0.0;
    let is_known = session.handle_event(socket, id, now, &mut |subscription| {
        let subscription = subscription.as_u64() as f64;
        if heard == 0.0 {
            heard = subscription;
            return;
        }
        if heard != SEVERAL {
            begin(kind::TOLD);
            number(heard);
            heard = SEVERAL;
        }
        number(subscription);
    });
    if is_known { heard } else { OTHER }
}

fn begin_publish(session: &mut Session, [mode, timeout, len]: [f64; 3], now: u64) -> f64 {
    let delivery = match mode as u8 {
        0 => DeliveryMode::Fire,
        1 => DeliveryMode::Queued,
        _ => DeliveryMode::Acknowledged { timeout: (timeout >= 0.0).then_some(settings::millis(timeout)) },
    };
    let Some(begun) = session.begin_publish(delivery, len as usize, now) else { return 0.0 };
    if let Some(request) = begun.request {
        begin(kind::TOLD);
        number(request.as_u64() as f64);
    }
    begun.number as f64
}
