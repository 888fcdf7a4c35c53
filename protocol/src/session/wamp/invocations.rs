//! Calls and jobs that came and are not answered yet.

use std::collections::VecDeque;

use super::super::core::Core;
use super::super::table::Table;
use super::super::{Answer, Content, Error, Event, Incoming, InvocationId, RegistrationId};
use super::link::Link;
use super::registrations::{Owner, Registrations};
use super::sending::{
    self, Element,
    Element::{Number, Options, Text},
};
use crate::wamp::heard::Heard;
use crate::wamp::message::{self, Yield};
use crate::wamp::options::Setting;
use crate::wamp::uri::{self, Match, Rule, error::CANCELED, error::UNAVAILABLE};

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
        link: &mut Link,
        registrations: &Registrations,
        invocation: &Heard<'_>,
    ) {
        let (wire, registration, details) =
            (invocation.number(1), invocation.number(2), invocation.details(3));
        let more = details.is_true(&["progress"]);
        if self.piece(core, wire, more, invocation) {
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
        let progress = details.is_true(&["receive_progress"]);
        let incoming = Incoming {
            content: invocation.payload(4).into(),
            procedure: details.text("procedure"),
            progress,
            more,
            answerable: true,
            caller: details.id("caller"),
        };
        self.open.insert(number.0, Invocation { wire, registration: id, progress, more, job });
        self.wires.insert(wire, number.0);
        core.event(Event::Invocation { registration: RegistrationId(id), invocation: number, incoming });
    }

    /// Whether these are more arguments of a call that came before.
    fn piece(&mut self, core: &mut Core, wire: u64, more: bool, message: &Heard<'_>) -> bool {
        if let Some(number) = self.wires.get(wire).copied() {
            if let Some(invocation) = self.open.get_mut(number) {
                invocation.more = more;
            }
            let (invocation, content) = (InvocationId(number), Content::from(message.payload(4)));
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
    pub(super) fn handle_interrupt(&mut self, core: &mut Core, link: &mut Link, interrupt: &Heard<'_>) {
        let wire = interrupt.number(1);
        let Some(number) = self.wires.get(wire).copied() else { return };
        self.forget(number);
        core.event(Event::Interrupted { invocation: InvocationId(number) });
        // In the other modes the router has forgotten the call already (WAMP Advanced Profile, "Call Canceling").
        if !matches!(interrupt.details(2).text("mode").as_deref(), Some("killnowait" | "skip")) {
            refuse(core, link, wire, CANCELED);
        }
    }

    /// Answers a call or a job.
    pub(super) fn answer(
        &mut self,
        core: &mut Core,
        link: &mut Link,
        invocation: InvocationId,
        answer: &Answer,
    ) -> Result<(), Error> {
        let open = self.open.get(invocation.0).ok_or(Error::Stale)?;
        let answered = |options| [Number(Yield::CODE), Number(open.wire), Options(options)];
        let encode =
            |elements: &[Element<'_>], content| sending::encode(link.serializer, elements, Some(content));
        let last = !matches!(answer, Answer::Progress(_));
        let bytes = match answer {
            Answer::Progress(_) if !open.progress => {
                let why = "this caller takes the result in one piece only";
                return Err(Error::Unsupported { what: "a part of a result", why });
            }
            Answer::Progress(content) => encode(&answered(&[("progress", Setting::Bool(true))]), content),
            Answer::Result(content) => encode(&answered(&[]), content),
            Answer::Failed { uri, content } => {
                uri::check(uri, Rule::Loose, Match::Exact)?;
                encode(&failed(open.wire, uri), content)
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
        for number in self.open.numbers() {
            if self.open.get(number).is_some_and(|open| open.job && open.registration == registration) {
                self.forget(number);
                core.event(Event::Interrupted { invocation: InvocationId(number) });
            }
        }
    }

    /// The connection is lost.
    pub(super) fn handle_lost(&mut self, core: &mut Core) {
        for number in self.open.numbers() {
            core.event(Event::Interrupted { invocation: InvocationId(number) });
        }
        self.open.clear();
        self.wires.clear();
        self.early.clear();
    }

    /// Whether all of a registration is answered.
    pub(super) fn has_none_of(&self, registration: u64) -> bool {
        self.open.iter().all(|(_, open)| open.registration != registration)
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
fn refuse(core: &mut Core, link: &mut Link, request: u64, error: &str) {
    link.send(core, &failed(request, error));
}

/// The elements of an ERROR for an INVOCATION.
fn failed(request: u64, error: &str) -> [Element<'_>; 5] {
    let (code, kind) = (message::Error::CODE, message::Invocation::CODE);
    [Number(code), Number(kind), Number(request), Options(&[]), Text(error)]
}
