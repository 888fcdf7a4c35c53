//! The program's registrations: procedures that it offers, and queues that it pulls from.

use std::borrow::Cow;

use super::super::backoff::Backoff;
use super::super::core::{Core, Timer};
use super::super::table::Table;
use super::super::{Error, Event, Invoke, Register, RegistrationId};
use super::link::{Link, Pending, Violation};
use super::sending::Element::{Number, Options, Text};
use crate::wamp::error::words;
use crate::wamp::message;
use crate::wamp::options::Setting;
use crate::wamp::uri::{self, Match, Rule};

/// How long after WELCOME a procedure that this client had may still be taken by its own former session, whose loss
/// the router has not noticed yet; in milliseconds.
const GHOST: u64 = 30_000;

/// The waits between attempts to get it back.
const GHOST_BACKOFF: Backoff = Backoff { base: 250, cap: 8_000, stable: 0 };

/// The shortest of these waits.
const GHOST_WAIT: u64 = 100;

#[derive(Debug)]
struct Registration {
    register: Register,
    state: State,
    /// Whether it has ever stood.
    stood: bool,
    fate: Fate,
    /// The attempts to get it back from the client's own former session.
    attempt: u32,
    due: Option<u64>,
}

/// What is to become of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It is to stand.
    Wanted,
    /// A drain ends it; the program learns when it is over.
    Drained,
    /// The program ended it, and learns when that is confirmed.
    Left,
    /// The program knows that it is over: nothing is told of it any more.
    Told,
}

/// What the router knows of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    /// REGISTER is under way.
    Registering,
    /// It has this registration id.
    Active(u64),
    /// UNREGISTER of this registration id is under way.
    Unregistering(u64),
    /// The next REGISTER comes after a while.
    Resting,
}

/// All registrations.
#[derive(Debug)]
pub(super) struct Registrations {
    all: Table<Registration>,
    /// The number of each, by the router's registration id.
    active: Table<u64>,
    draining: bool,
}

/// What is to be done with an INVOCATION.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// It is for this registration; `job` if it comes from a queue.
    Registration { id: u64, job: bool },
    /// It is a job that goes back to its queue by itself, when the registration ends.
    GoesBack,
    /// It is for nobody, and has to be answered.
    Nobody,
}

impl Registrations {
    pub(super) fn new() -> Self {
        Registrations { all: Table::new(), active: Table::new(), draining: false }
    }

    pub(super) fn register(
        &mut self,
        core: &mut Core,
        link: &mut Link,
        register: Register,
        now: u64,
    ) -> Result<RegistrationId, Error> {
        if let Register::Procedure { uri, matching, .. } = &register {
            uri::check(uri, Rule::Loose, *matching)?;
        }
        if link.is_welcome() {
            link.router.check_register(&register)?;
        }
        let registration = core.registration();
        let new = Registration {
            register,
            state: State::Idle,
            stood: false,
            fate: Fate::Wanted,
            attempt: 0,
            due: None,
        };
        self.all.insert(registration.0, new);
        self.step(core, link, registration.0, now);
        Ok(registration)
    }

    /// Ends a registration. `true` if it was a queue's whose jobs the router takes back.
    pub(super) fn unregister(
        &mut self,
        core: &mut Core,
        link: &mut Link,
        id: RegistrationId,
        now: u64,
    ) -> bool {
        let Some(registration) = self.all.get_mut(id.0) else { return false };
        if matches!(registration.fate, Fate::Left | Fate::Told) {
            return false;
        }
        registration.fate = Fate::Left;
        let queue = matches!(registration.register, Register::Queue { .. });
        self.step(core, link, id.0, now);
        queue
    }

    // What the router says.

    /// REGISTERED.
    pub(super) fn handle_registered(
        &mut self,
        core: &mut Core,
        link: &mut Link,
        id: u64,
        wire: u64,
        now: u64,
    ) -> Result<(), Violation> {
        let Some(registration) = self.all.get_mut(id) else { return Ok(()) };
        if registration.state != State::Registering {
            return Err(words("REGISTERED answers an UNREGISTER"));
        }
        link.schedule(&mut registration.due, None, Timer::Registration(id));
        registration.state = State::Active(wire);
        registration.attempt = 0;
        self.active.insert(wire, id);
        if registration.fate == Fate::Wanted {
            let again = std::mem::replace(&mut registration.stood, true);
            core.event(Event::Registered { registration: RegistrationId(id), again });
        }
        self.step(core, link, id, now);
        Ok(())
    }

    /// UNREGISTERED.
    pub(super) fn handle_unregistered(
        &mut self,
        core: &mut Core,
        link: &mut Link,
        id: u64,
        now: u64,
    ) -> Result<(), Violation> {
        if matches!(self.all.get(id), Some(Registration { state: State::Registering, .. })) {
            return Err(words("UNREGISTERED answers a REGISTER"));
        }
        let other = self.same_at_router(id);
        self.is_gone(id);
        self.step(core, link, id, now);
        if let Some(other) = other {
            self.is_gone(other);
            self.step(core, link, other, now);
        }
        Ok(())
    }

    /// The registration that the router took back in place of this one: a revocation crossed our UNREGISTER, and the
    /// id went to our next REGISTER of the same name before that arrived.
    fn same_at_router(&self, id: u64) -> Option<u64> {
        let State::Unregistering(wire) = self.all.get(id)?.state else { return None };
        let other = *self.active.get(wire)?;
        (other != id && matches!(self.all.get(other)?.state, State::Active(_))).then_some(other)
    }

    /// The ERROR for REGISTER, or for UNREGISTER.
    pub(super) fn handle_error(&mut self, core: &mut Core, link: &mut Link, id: u64, error: Error, now: u64) {
        let Some(registration) = self.all.get_mut(id) else { return };
        link.schedule(&mut registration.due, None, Timer::Registration(id));
        if let State::Unregistering(_) = registration.state {
            self.is_gone(id);
            return self.step(core, link, id, now);
        }
        let taken =
            matches!(&error, Error::Refused(refusal) if refusal.uri == uri::error::PROCEDURE_ALREADY_EXISTS);
        if taken && registration.stood && registration.fate == Fate::Wanted {
            let wait = GHOST_WAIT + GHOST_BACKOFF.draw(registration.attempt, &mut core.random);
            let at = now.saturating_add(wait);
            if at < link.since.saturating_add(GHOST) {
                registration.attempt += 1;
                registration.state = State::Resting;
                link.schedule(&mut registration.due, Some(at), Timer::Registration(id));
                return;
            }
        }
        registration.state = State::Idle;
        self.end(core, link, id, error);
    }

    /// UNREGISTERED with request 0 (WAMP Advanced Profile, "Registration Revocation").
    pub(super) fn handle_revoked(&mut self, core: &mut Core, link: &mut Link, wire: u64, error: Error) {
        let Some(&id) = self.active.get(wire) else { return };
        // An UNREGISTER that is under way will be answered, by an ERROR.
        if matches!(self.all.get(id), Some(Registration { state: State::Active(_), .. })) {
            self.is_gone(id);
            self.end(core, link, id, error);
        }
    }

    /// Whose an INVOCATION is.
    pub(super) fn owner(&self, wire: u64) -> Owner {
        let Some(&id) = self.active.get(wire) else { return Owner::Nobody };
        let Some(registration) = self.all.get(id) else { return Owner::Nobody };
        let job = matches!(registration.register, Register::Queue { .. });
        match registration.fate {
            // A job that would be begun now is better left to others.
            _ if job && (self.draining || registration.fate != Fate::Wanted) => Owner::GoesBack,
            // It was called before the router knew.
            Fate::Wanted | Fate::Drained if registration.stood => Owner::Registration { id, job },
            _ => Owner::Nobody,
        }
    }

    /// WELCOME: all that is wanted is registered again.
    pub(super) fn handle_welcome(&mut self, core: &mut Core, link: &mut Link, now: u64) {
        for id in self.all.numbers() {
            let Some(registration) = self.all.get(id) else { continue };
            match link.router.check_register(&registration.register) {
                Ok(()) => self.step(core, link, id, now),
                Err(error) => self.end(core, link, id, error),
            }
        }
    }

    /// The connection is lost.
    pub(super) fn handle_lost(&mut self, core: &mut Core, link: &mut Link, now: u64) {
        self.active.clear();
        for id in self.all.numbers() {
            let Some(registration) = self.all.get_mut(id) else { continue };
            registration.state = State::Idle;
            registration.attempt = 0;
            link.schedule(&mut registration.due, None, Timer::Registration(id));
            self.step(core, link, id, now);
        }
        if self.draining {
            self.end_all(core, link);
        }
    }

    /// An answer did not come in time, or it is time for another attempt.
    pub(super) fn handle_due(&mut self, core: &mut Core, link: &mut Link, id: u64, now: u64) {
        let Some(registration) = self.all.get_mut(id) else { return };
        match registration.state {
            State::Resting => {
                registration.state = State::Idle;
                self.step(core, link, id, now);
            }
            State::Registering => self.tell(core, id, Error::TimedOut),
            State::Unregistering(_) => self.tell(core, id, Error::Closed),
            _ => {}
        }
    }

    /// Ends all registrations. Those of queues wait until no job of theirs is open ([`Registrations::let_go`]), as
    /// the router would give it to another puller.
    pub(super) fn drain(&mut self, core: &mut Core, link: &mut Link, now: u64) {
        self.draining = true;
        if !link.is_welcome() {
            return self.end_all(core, link);
        }
        for id in self.all.numbers() {
            if !self.is_queue(id) {
                self.let_go(core, link, id, now);
            }
        }
    }

    /// Ends one registration of those that are drained.
    pub(super) fn let_go(&mut self, core: &mut Core, link: &mut Link, id: u64, now: u64) {
        if let Some(registration) = self.all.get_mut(id) {
            if registration.fate == Fate::Wanted {
                registration.fate = Fate::Drained;
            }
            self.step(core, link, id, now);
        }
    }

    /// The registrations of queues that wait to be let go.
    pub(super) fn queues(&self) -> Vec<u64> {
        let mut queues = self.all.numbers();
        queues.retain(|&id| self.is_queue(id) && self.all.get(id).is_some_and(|it| it.fate == Fate::Wanted));
        queues
    }

    fn is_queue(&self, id: u64) -> bool {
        matches!(self.all.get(id), Some(Registration { register: Register::Queue { .. }, .. }))
    }

    /// Ends all registrations at once.
    pub(super) fn end_all(&mut self, core: &mut Core, link: &mut Link) {
        self.active.clear();
        for id in self.all.numbers() {
            let error = core.over();
            self.end(core, link, id, error);
        }
    }

    /// Whether there is nothing left that the program waits for.
    pub(super) fn is_empty(&self) -> bool {
        self.all.iter().all(|(_, registration)| registration.fate == Fate::Told)
    }

    /// Does the next thing that brings a registration from what it is to what it should be.
    fn step(&mut self, core: &mut Core, link: &mut Link, id: u64, now: u64) {
        let Some(registration) = self.all.get_mut(id) else { return };
        let at = now.saturating_add(core.config.request_timeout);
        let wanted = registration.fate == Fate::Wanted;
        match registration.state {
            State::Idle if wanted && link.is_welcome() => {
                registration.state = State::Registering;
                link.schedule(&mut registration.due, Some(at), Timer::Registration(id));
                let request = link.request(Pending::Registration(id));
                send_register(core, link, &registration.register, request);
            }
            State::Active(wire) if !wanted => {
                registration.state = State::Unregistering(wire);
                link.schedule(&mut registration.due, Some(at), Timer::Registration(id));
                let request = link.request(Pending::Registration(id));
                link.send(core, &[Number(message::Unregister::CODE), Number(request), Number(wire)]);
            }
            State::Idle | State::Resting if !wanted => self.end(core, link, id, Error::Closed),
            _ => {}
        }
    }

    /// The router has it no more.
    fn is_gone(&mut self, id: u64) {
        let Some(registration) = self.all.get_mut(id) else { return };
        if let State::Active(wire) | State::Unregistering(wire) = registration.state
            && self.active.get(wire) == Some(&id)
        {
            self.active.remove(wire);
        }
        registration.state = State::Idle;
    }

    /// Forgets a registration of which the router has nothing, and tells the program in the way it expects.
    fn end(&mut self, core: &mut Core, link: &mut Link, id: u64, error: Error) {
        self.tell(core, id, error);
        if let Some(mut registration) = self.all.remove(id) {
            link.schedule(&mut registration.due, None, Timer::Registration(id));
        }
    }

    /// Tells the program that a registration is over: once.
    fn tell(&mut self, core: &mut Core, id: u64, error: Error) {
        let Some(old) = self.all.get_mut(id) else { return };
        let registration = RegistrationId(id);
        let told = match std::mem::replace(&mut old.fate, Fate::Told) {
            Fate::Told => return,
            Fate::Left => Event::Unregistered { registration },
            Fate::Wanted | Fate::Drained => Event::RegistrationEnded { registration, error },
        };
        core.event(told);
    }
}

/// Sends REGISTER.
fn send_register(core: &mut Core, link: &mut Link, register: &Register, request: u64) {
    let mut options = Vec::with_capacity(3);
    let uri = match register {
        Register::Procedure { uri, matching, invoke, concurrency } => {
            if *matching != Match::Exact {
                options.push(("match", Setting::Text(matching.as_str())));
            }
            if *invoke != Invoke::Single {
                options.push(("invoke", Setting::Text(invoke.as_str())));
            }
            if let Some(concurrency) = concurrency {
                options.push(("concurrency", Setting::Number((*concurrency).into())));
            }
            Cow::Borrowed(uri)
        }
        Register::Queue { topic, concurrency } => {
            let concurrency = Setting::Number((*concurrency).max(1).into());
            options.extend([("_pattern", Setting::Text("queue")), ("concurrency", concurrency)]);
            Cow::Owned(topic.to_wamp())
        }
    };
    let code = Number(message::Register::CODE);
    link.send(core, &[code, Number(request), Options(&options), Text(&uri)]);
}
