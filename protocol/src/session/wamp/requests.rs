//! Calls, pushes and publications: what waits to be sent, and what waits for its answer.

use std::collections::VecDeque;

use super::super::core::{Core, Timer};
use super::super::table::Table;
use super::super::{
    Begun, CancelMode, Content, DeliveryMode, Error, Event, Outcome, Refusal, RequestId, Until,
};
use super::link::{Link, Pending, Violation};
use super::sending::Element::{Number, Options};
use super::sending::{How, Outgoing, Prepared, Shape};
use crate::wamp::error::words;
use crate::wamp::heard::Heard;
use crate::wamp::message::Cancel;
use crate::wamp::options::Setting;
use crate::wamp::{MAX_ID, Payload};

/// A request of the program that is not over.
#[derive(Debug)]
struct Request {
    how: How,
    /// The procedure, if more arguments may follow.
    procedure: Option<String>,
    /// The request id, once it was sent.
    wire: Option<u64>,
    /// The bytes of its longest message, once it was sent.
    len: usize,
    timeout: u64,
    due: Option<u64>,
}

/// A message that waits to be sent.
#[derive(Debug)]
struct Queued {
    outgoing: Outgoing,
    /// Whose it is, if anybody waits for an answer.
    request: Option<RequestId>,
}

/// All requests.
#[derive(Debug)]
pub(super) struct Requests {
    open: Table<Request>,
    queue: VecDeque<Queued>,
    prepared: Prepared,
}

impl Requests {
    pub(super) fn new() -> Self {
        Requests { open: Table::new(), queue: VecDeque::new(), prepared: Prepared::default() }
    }

    /// Sends what nobody waits for, at once or not at all.
    pub(super) fn fire(
        &mut self,
        core: &mut Core,
        link: &mut Link,
        outgoing: &Outgoing,
        now: u64,
    ) -> Result<(), Error> {
        if !link.takes() {
            return Err(Error::NotConnected);
        }
        self.dispatch(core, link, outgoing, None, now)
    }

    /// Sends a message in its turn: now if it can be, else it waits.
    pub(super) fn send(
        &mut self,
        core: &mut Core,
        link: &mut Link,
        outgoing: Outgoing,
        request: Option<RequestId>,
        now: u64,
    ) -> Result<(), Error> {
        if link.takes() && self.queue.is_empty() {
            return self.dispatch(core, link, &outgoing, request, now);
        }
        if link.is_welcome() {
            outgoing.check(link.router)?;
        }
        let limit = core.config.message_bytes;
        let len = outgoing.longest(&core.config.serializers, limit);
        if len > limit {
            return Err(Error::TooLarge { len, limit });
        }
        core.reserve(Core::weight(&outgoing.content))?;
        self.queue.push_back(Queued { outgoing, request });
        Ok(())
    }

    /// Sends what is answered.
    pub(super) fn ask(
        &mut self,
        core: &mut Core,
        link: &mut Link,
        outgoing: Outgoing,
        timeout: Option<u64>,
        now: u64,
    ) -> Result<RequestId, Error> {
        let id = core.request();
        let timeout = timeout.unwrap_or(core.config.request_timeout);
        let procedure = match &outgoing.how {
            How::Call(Shape { more: Some(_), .. }) => Some(outgoing.uri.clone()),
            _ => None,
        };
        let mut request = Request { how: outgoing.how, procedure, wire: None, len: 0, timeout, due: None };
        link.schedule(&mut request.due, Some(now.saturating_add(timeout)), Timer::Request(id.0));
        self.open.insert(id.0, request);
        let sent = self.send(core, link, outgoing, Some(id), now);
        if sent.is_err() {
            self.forget(core, link, id);
        }
        sent.map(|()| id)
    }

    /// Takes the number of a PUBLISH that somebody else writes and sends, if it can go now and nothing waits before it.
    pub(super) fn begin_publish(
        &mut self,
        core: &mut Core,
        link: &mut Link,
        delivery: DeliveryMode,
        len: usize,
        now: u64,
    ) -> Option<Begun> {
        if !link.takes() || !self.queue.is_empty() {
            return None;
        }
        link.longest = link.longest.max(len);
        let DeliveryMode::Acknowledged { timeout } = delivery else {
            return Some(Begun { number: link.number(), request: None });
        };
        let id = core.request();
        let number = link.request(Pending::Request(id));
        let timeout = timeout.unwrap_or(core.config.request_timeout);
        let how = How::Publish { acknowledge: true, exclude_me: false, bus: false };
        let mut request = Request { how, procedure: None, wire: Some(number), len, timeout, due: None };
        link.schedule(&mut request.due, Some(now.saturating_add(timeout)), Timer::Request(id.0));
        self.open.insert(id.0, request);
        Some(Begun { number, request: Some(id) })
    }

    /// Sends more arguments of a call.
    pub(super) fn more(
        &mut self,
        core: &mut Core,
        link: &mut Link,
        id: RequestId,
        content: Content,
        more: bool,
        now: u64,
    ) -> Result<(), Error> {
        let request = self.open.get_mut(id.0).ok_or(Error::Stale)?;
        let (How::Call(shape @ Shape { more: Some(true), .. }), Some(uri)) =
            (request.how, &request.procedure)
        else {
            return Err(Error::Stale);
        };
        let how = How::Call(Shape { more: Some(more), ..shape });
        let outgoing = Outgoing { uri: uri.clone(), content, how };
        self.send(core, link, outgoing, Some(id), now)?;
        if let Some(request) = self.open.get_mut(id.0) {
            request.how = how;
        }
        Ok(())
    }

    /// Gives up a request, without a word to the program.
    pub(super) fn cancel(&mut self, core: &mut Core, link: &mut Link, id: RequestId, mode: CancelMode) {
        let mode = match mode {
            CancelMode::Skip => "skip",
            CancelMode::Kill => "killnowait",
        };
        self.cancel_at_router(core, link, id, mode);
        self.forget(core, link, id);
    }

    /// Sends what waits, as long as the socket takes it.
    pub(super) fn flush(&mut self, core: &mut Core, link: &mut Link, now: u64) {
        while link.takes() {
            let Some(Queued { outgoing, request }) = self.queue.pop_front() else { return };
            core.release(Core::weight(&outgoing.content));
            if let Err(error) = self.dispatch(core, link, &outgoing, request, now)
                && let Some(id) = request
            {
                self.finish(core, link, id, Err(error));
            }
        }
    }

    /// Writes a message and sends it.
    fn dispatch(
        &mut self,
        core: &mut Core,
        link: &mut Link,
        outgoing: &Outgoing,
        id: Option<RequestId>,
        now: u64,
    ) -> Result<(), Error> {
        outgoing.check(link.router)?;
        let mut request = id.and_then(|id| self.open.get_mut(id.0));
        let timeout = match (&request, outgoing.how) {
            (Some(Request { due: Some(due), .. }), How::Call(_)) if link.router.call_timeout => {
                Some(due.saturating_sub(now).clamp(1, MAX_ID))
            }
            _ => None,
        };
        let wire = request.as_ref().and_then(|request| request.wire);
        let number = wire.unwrap_or_else(|| link.next_number());
        let bytes = outgoing.encode(&mut self.prepared, link.serializer, number, timeout);
        let (len, limit) = (bytes.len(), core.config.message_bytes);
        if len > limit {
            return Err(Error::TooLarge { len, limit });
        }
        if let Some(request) = &mut request {
            request.len = request.len.max(len);
        }
        match (id, &mut request) {
            (Some(id), Some(request)) if wire.is_none() => {
                request.wire = Some(link.request(Pending::Request(id)));
            }
            (Some(_), _) => {}
            (None, _) => {
                link.number();
            }
        }
        link.send_bytes(core, bytes);
        Ok(())
    }

    // What the router says.

    /// PUBLISHED.
    pub(super) fn handle_published(&mut self, core: &mut Core, link: &mut Link, wire: u64) {
        let Some(Pending::Request(id)) = link.pending.get(wire).copied() else { return };
        if matches!(self.open.get(id.0), None | Some(Request { how: How::Publish { .. }, .. })) {
            link.pending.remove(wire);
            self.finish(core, link, id, Ok(Outcome::Published));
        }
    }

    /// RESULT.
    pub(super) fn handle_result(
        &mut self,
        core: &mut Core,
        link: &mut Link,
        result: &Heard<'_>,
        now: u64,
    ) -> Result<(), Violation> {
        let wire = result.number(1);
        let id = match link.pending.get(wire).copied() {
            Some(Pending::Request(id)) => id,
            Some(Pending::Probe) => {
                link.pending.remove(wire);
                return Ok(());
            }
            Some(_) => return Err(words("a RESULT answers what is no call")),
            None => return Ok(()),
        };
        let part = result.details(2).is_true(&["progress"]);
        if !part {
            link.pending.remove(wire);
        }
        let Some(request) = self.open.get_mut(id.0) else { return Ok(()) };
        let content = Content::from(result.payload(3));
        let outcome = match request.how {
            How::Publish { .. } => return Err(words("a RESULT answers a PUBLISH")),
            How::Push(Until::Handed) => pushed(result.first_text(3))
                .ok_or(words("the RESULT of a push says neither handed nor held"))?,
            How::Push(Until::Done) | How::Call(_) if !part => Outcome::Result(content),
            How::Call(Shape { progress: true, .. }) => {
                let at = now.saturating_add(request.timeout);
                link.schedule(&mut request.due, Some(at), Timer::Request(id.0));
                core.event(Event::Progress { request: id, content });
                return Ok(());
            }
            // Nobody asked for parts.
            How::Push(Until::Done) | How::Call(_) => return Ok(()),
        };
        self.finish(core, link, id, Ok(outcome));
        Ok(())
    }

    /// ERROR for a PUBLISH or CALL.
    pub(super) fn handle_error(&mut self, core: &mut Core, link: &mut Link, id: RequestId, error: Error) {
        self.finish(core, link, id, Err(error));
    }

    /// The connection is lost: what was sent may have been done or not. What was not sent still waits.
    ///
    /// `too_long` is the length of the longest message of the connection, if the server ended it because of a message
    /// that was too long (RFC 6455 7.4.1, code 1009). It does not say which one; the longest one is at least as long.
    pub(super) fn handle_lost(&mut self, core: &mut Core, link: &mut Link, too_long: Option<usize>) {
        for id in self.open.numbers() {
            let Some(&Request { wire: Some(_), len, .. }) = self.open.get(id) else { continue };
            let error = match too_long {
                Some(longest) if len == longest => Error::TooLarge { len, limit: len.saturating_sub(1) },
                _ => Error::Lost,
            };
            self.finish(core, link, RequestId(id), Err(error));
        }
    }

    /// An answer did not come in time.
    pub(super) fn handle_due(&mut self, core: &mut Core, link: &mut Link, id: u64) {
        let id = RequestId(id);
        self.cancel_at_router(core, link, id, "killnowait");
        let sent = matches!(self.open.get(id.0), Some(Request { wire: Some(_), .. }));
        // What was never sent has not happened, which is more than that there was no answer.
        let error = if sent { Error::TimedOut } else { Error::NotConnected };
        self.finish(core, link, id, Err(error));
    }

    /// Ends all requests.
    pub(super) fn close(&mut self, core: &mut Core, link: &mut Link) {
        for Queued { outgoing, .. } in std::mem::take(&mut self.queue) {
            core.release(Core::weight(&outgoing.content));
        }
        for id in self.open.numbers() {
            let error = core.over();
            self.finish(core, link, RequestId(id), Err(error));
        }
    }

    /// Whether nothing waits, neither to be sent nor for an answer.
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty() && self.queue.is_empty()
    }

    /// Tells the program how a request ended, once.
    fn finish(&mut self, core: &mut Core, link: &mut Link, id: RequestId, outcome: Result<Outcome, Error>) {
        if self.forget(core, link, id) {
            core.done(id, outcome);
        }
    }

    /// Forgets a request, and what of it was not sent yet. The router's answer will be ignored.
    fn forget(&mut self, core: &mut Core, link: &mut Link, id: RequestId) -> bool {
        let Some(mut request) = self.open.remove(id.0) else { return false };
        link.schedule(&mut request.due, None, Timer::Request(id.0));
        // Of most requests nothing waits any more.
        if request.wire.is_none() || request.procedure.is_some() {
            self.queue.retain(|queued| {
                let keep = queued.request != Some(id);
                if !keep {
                    core.release(Core::weight(&queued.outgoing.content));
                }
                keep
            });
        }
        true
    }

    /// Tells the router that nobody waits for a call or push any more.
    fn cancel_at_router(&self, core: &mut Core, link: &mut Link, id: RequestId, mode: &str) {
        let Some(Request { wire: Some(wire), how, .. }) = self.open.get(id.0) else { return };
        if link.is_welcome() && link.router.call_canceling && !matches!(how, How::Publish { .. }) {
            let options = [("mode", Setting::Text(mode))];
            link.send(core, &[Number(Cancel::CODE), Number(*wire), Options(&options)]);
        }
    }
}

/// What the broker says of a push.
fn pushed(said: Option<String>) -> Option<Outcome> {
    match said?.as_str() {
        "handed" => Some(Outcome::Handed),
        "held" => Some(Outcome::Held),
        _ => None,
    }
}

/// What an ERROR says.
pub(super) fn refusal(uri: String, text: Option<String>, payload: Payload) -> Error {
    Error::Refused(Refusal { uri, text: text.unwrap_or_default(), content: payload.into() })
}
