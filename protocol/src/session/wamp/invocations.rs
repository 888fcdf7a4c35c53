//! Calls and jobs that came and are not answered yet.

use std::collections::VecDeque;

use super::super::core::Core;
use super::super::table::Table;
use super::super::{Answer, Content, Error, Event, Incoming, InvocationId, RegistrationId};
use super::link::Link;
use super::registrations::{Owner, Registrations};
use super::sending;
use crate::wamp::message::{self, Yield};
use crate::wamp::uri::{self, Match, Rule, error::CANCELED, error::UNAVAILABLE};
use crate::wamp::{Dict, Payload};

/// So many calls that were answered before all their arguments had come are remembered, so that the rest of these is
/// not taken for a new call.
const ANSWERED_EARLY: usize = 64;

#[derive(Debug)]
struct Invocation {
    /// The router's number of it.
    wire: u64,
    registration: u64,
    /// Whether the caller takes the result in parts.
    progress: bool,
    /// Whether more arguments will come.
    more: bool,
    job: bool,
}

/// All that is not answered yet.
#[derive(Debug)]
pub(super) struct Invocations {
    open: Table<Invocation>,
    /// The number of each, by the router's.
    wires: Table<u64>,
    /// The router's numbers of calls that were answered before all their arguments had come.
    early: VecDeque<u64>,
}

impl Invocations {
    pub(super) fn new() -> Self {
        Invocations { open: Table::new(), wires: Table::new(), early: VecDeque::new() }
    }

    /// INVOCATION.
    pub(super) fn handle_invocation(
        &mut self,
        core: &mut Core,
        link: &Link,
        registrations: &Registrations,
        invocation: message::Invocation,
    ) {
        let message::Invocation { request: wire, registration, details, payload } = invocation;
        let flag = |key| details.bool(key).ok().flatten().unwrap_or(false);
        let more = flag("progress");
        if self.piece(core, wire, more, &payload) {
            return;
        }
        let (id, job) = match registrations.owner(registration) {
            Owner::Registration { id, job } => (id, job),
            Owner::GoesBack => return,
            Owner::Nobody => {
                self.remember(wire, more);
                return refuse(core, link, wire, UNAVAILABLE);
            }
        };
        let number = core.invocation();
        let progress = flag("receive_progress");
        let incoming = Incoming {
            content: payload.into(),
            procedure: details.text("procedure").ok().flatten().map(str::to_owned),
            progress,
            more,
            answerable: true,
            caller: details.id("caller").ok().flatten(),
        };
        self.open.insert(number.0, Invocation { wire, registration: id, progress, more, job });
        self.wires.insert(wire, number.0);
        core.event(Event::Invocation { registration: RegistrationId(id), invocation: number, incoming });
    }

    /// Whether these are more arguments of a call that came before.
    fn piece(&mut self, core: &mut Core, wire: u64, more: bool, payload: &Payload) -> bool {
        if let Some(number) = self.wires.get(wire).copied() {
            if let Some(invocation) = self.open.get_mut(number) {
                invocation.more = more;
            }
            let (invocation, content) = (InvocationId(number), Content::from(payload.clone()));
            core.event(Event::InvocationMore { invocation, content, more });
            return true;
        }
        let Some(place) = self.early.iter().position(|&early| early == wire) else { return false };
        if !more {
            self.early.remove(place);
        }
        true
    }

    /// INTERRUPT.
    pub(super) fn handle_interrupt(&mut self, core: &mut Core, link: &Link, interrupt: &message::Interrupt) {
        let Some(number) = self.wires.get(interrupt.request).copied() else { return };
        self.forget(number);
        core.event(Event::Interrupted { invocation: InvocationId(number) });
        // In the other modes the router has forgotten the call already (WAMP Advanced Profile, "Call Canceling").
        if !matches!(interrupt.options.text("mode"), Ok(Some("killnowait" | "skip"))) {
            refuse(core, link, interrupt.request, CANCELED);
        }
    }

    /// Answers a call or a job.
    pub(super) fn answer(
        &mut self,
        core: &mut Core,
        link: &Link,
        invocation: InvocationId,
        answer: Answer,
    ) -> Result<(), Error> {
        let open = self.open.get(invocation.0).ok_or(Error::Stale)?;
        let serializer = link.serializer;
        let none = Dict::new().encode(serializer);
        let last = !matches!(answer, Answer::Progress(_));
        let bytes = match answer {
            Answer::Progress(_) if !open.progress => {
                let why = "this caller takes the result in one piece only";
                return Err(Error::Unsupported { what: "a part of a result", why });
            }
            Answer::Progress(content) => {
                let options = Dict::new().with("progress", true).encode(serializer);
                sending::encode(serializer, &[Yield::CODE, open.wire], &options, None, &content)
            }
            Answer::Result(content) => {
                sending::encode(serializer, &[Yield::CODE, open.wire], &none, None, &content)
            }
            Answer::Failed { uri, content } => {
                uri::check(&uri, Rule::Loose, Match::Exact)?;
                let numbers = [message::Error::CODE, message::Invocation::CODE, open.wire];
                sending::encode(serializer, &numbers, &none, Some(&uri), &content)
            }
        };
        let (len, limit) = (bytes.len(), core.config.message_bytes);
        if len > limit {
            return Err(Error::TooLarge { len, limit });
        }
        link.send_bytes(core, bytes);
        if last {
            self.forget(invocation.0);
        }
        Ok(())
    }

    /// Ends the open jobs of a registration, which the router gives to another puller.
    pub(super) fn take_back(&mut self, core: &mut Core, registration: u64) {
        for number in self.open.numbers(|open| open.job && open.registration == registration) {
            self.forget(number);
            core.event(Event::Interrupted { invocation: InvocationId(number) });
        }
    }

    /// The connection is lost.
    pub(super) fn handle_lost(&mut self, core: &mut Core) {
        for number in self.open.numbers(|_| true) {
            core.event(Event::Interrupted { invocation: InvocationId(number) });
        }
        self.open.clear();
        self.wires.clear();
        self.early.clear();
    }

    /// Whether all of a registration is answered.
    pub(super) fn has_none_of(&self, registration: u64) -> bool {
        self.open.numbers(|open| open.registration == registration).is_empty()
    }

    /// Whether all is answered.
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    fn forget(&mut self, number: u64) {
        let Some(open) = self.open.remove(number) else { return };
        self.wires.remove(open.wire);
        self.remember(open.wire, open.more);
    }

    /// Remembers a call that is answered, if more of its arguments will come: the rest is not answered again.
    fn remember(&mut self, wire: u64, more: bool) {
        if more {
            self.early.push_back(wire);
            if self.early.len() > ANSWERED_EARLY {
                self.early.pop_front();
            }
        }
    }
}

/// Answers an INVOCATION by an ERROR of this session's own.
fn refuse(core: &mut Core, link: &Link, request: u64, error: &str) {
    let (kind, details, payload) = (message::Invocation::CODE, Dict::new(), Payload::empty());
    link.send(core, &message::Error { kind, request, details, error: error.to_owned(), payload });
}
