//! A dealer of our own, plain and slow, with a switch for each fault that dealers have had or might have. Without a
//! fault it must do just what the shipped one does.
//!
//! It keeps lists and searches them. Nothing is counted: who is busy is looked up among the calls.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use petasus_broker::hub::{
    CallError, CallFailure, CallOptions, CallProblem, CalleeFeatures, CancelMode, InvokePolicy, MatchPolicy,
    NoSuchRegistration, Party, RegisterError, RegisterOptions, Registered, RemovedCallee, Unregistered,
};

use super::faults::Fault;
use super::log::{Act, Desk, RULES, Sizes, Switchboard};
use super::plain_effects::after;
use super::script::URIS;

pub(crate) struct PlainDealer {
    pub(super) fault: Fault,
    pub(super) people: BTreeMap<usize, Person>,
    pub(super) registrations: Vec<Registration>,
    /// In the order of arrival.
    pub(super) calls: Vec<Call>,
    pub(super) last_registration: u64,
    pub(super) next_seat: u64,
    pub(super) next_call: u64,
    pub(super) now: Duration,
    pub(super) last_payload: u32,
}

pub(super) struct Person {
    pub(super) desk: Desk,
    pub(super) features: CalleeFeatures,
    pub(super) ready: bool,
    pub(super) next_invocation: u64,
    pub(super) cut_off: Vec<u64>,
    /// Invocations and seats of what it still works on in vain.
    pub(super) abandoned: Vec<(u64, u64)>,
}

pub(super) struct Registration {
    pub(super) id: u64,
    pub(super) uri: &'static str,
    pub(super) options: RegisterOptions,
    pub(super) seats: Vec<Seat>,
    /// The seat whose turn it is.
    pub(super) turn: Option<u64>,
}

#[derive(Clone, Copy)]
pub(super) struct Seat {
    pub(super) key: u64,
    pub(super) who: usize,
    pub(super) limit: Option<u64>,
    pub(super) forward: bool,
}

#[derive(Clone)]
pub(super) struct Call {
    pub(super) key: u64,
    pub(super) who: usize,
    pub(super) request: u64,
    pub(super) registration: u64,
    pub(super) pattern: bool,
    pub(super) uri: &'static str,
    pub(super) options: CallOptions,
    pub(super) random: u64,
    pub(super) unfinished: bool,
    pub(super) pieces: VecDeque<(u32, bool)>,
    pub(super) first: Option<(u32, bool)>,
    pub(super) deadline: Option<Duration>,
    pub(super) tried: Vec<u64>,
    pub(super) too_long: bool,
    pub(super) run: Option<Run>,
}

#[derive(Clone, Copy)]
pub(super) struct Run {
    pub(super) who: usize,
    pub(super) seat: u64,
    pub(super) invocation: u64,
    pub(super) killed: bool,
    pub(super) forwarded: bool,
    /// Counts no more (a fault).
    pub(super) freed: bool,
}

impl PlainDealer {
    pub(crate) fn new(fault: Fault) -> Self {
        Self {
            fault,
            people: BTreeMap::new(),
            registrations: Vec::new(),
            calls: Vec::new(),
            last_registration: 0,
            next_seat: 0,
            next_call: 0,
            now: Duration::ZERO,
            last_payload: 0,
        }
    }

    pub(super) fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    /// By the words of the specification: exact, longest prefix, longest literal portions.
    fn best(&self, uri: &str) -> Option<&Registration> {
        let of = |matching| self.registrations.iter().filter(move |r| r.options.matching == matching);
        let exact = of(MatchPolicy::Exact).find(|r| r.uri == uri);
        let prefixes = of(MatchPolicy::Prefix).filter(|r| uri.starts_with(r.uri));
        let prefix = if self.has(Fault::ShortestPrefix) {
            prefixes.min_by_key(|r| r.uri.len())
        } else {
            prefixes.max_by_key(|r| r.uri.len())
        };
        let wildcards = of(MatchPolicy::Wildcard).filter(|r| {
            let (pattern, uri): (Vec<_>, Vec<_>) = (r.uri.split('.').collect(), uri.split('.').collect());
            let same = |(own, called): (&&str, &&str)| own.is_empty() || own == called;
            pattern.len() == uri.len() && pattern.iter().zip(&uri).all(same)
        });
        let wildcard = wildcards.max_by_key(|r| portions(r.uri));
        if self.has(Fault::WildcardBeforePrefix) {
            return exact.or(wildcard).or(prefix);
        }
        exact.or(prefix).or(wildcard)
    }

    pub(super) fn registration(&self, id: u64) -> Option<&Registration> {
        self.registrations.iter().find(|r| r.id == id)
    }

    pub(super) fn registration_mut(&mut self, id: u64) -> Option<&mut Registration> {
        self.registrations.iter_mut().find(|r| r.id == id)
    }

    pub(super) fn seat(&self, key: u64) -> Option<Seat> {
        self.registrations.iter().flat_map(|r| &r.seats).find(|seat| seat.key == key).copied()
    }

    pub(super) fn call(&mut self, key: u64) -> &mut Call {
        self.calls.iter_mut().find(|call| call.key == key).expect("a call")
    }

    fn busy(&self, seat: u64) -> u64 {
        let runs = self.calls.iter().filter_map(|call| call.run);
        let abandoned = self.people.values().flat_map(|person| &person.abandoned);
        let abandoned = abandoned.filter(|(_, place)| *place == seat);
        (runs.filter(|run| run.seat == seat && !run.freed).count() + abandoned.count()) as u64
    }

    pub(super) fn is_open(&self, seat: Seat) -> bool {
        self.has(Fault::IgnoresConcurrency) || seat.limit.is_none_or(|limit| self.busy(seat.key) < limit)
    }

    pub(super) fn suits(&self, call: &Call, seat: Seat) -> bool {
        let features = self.people[&seat.who].features;
        let pieces = features.progressive_invocations && features.canceling;
        (pieces || !call.options.progress) && !call.tried.contains(&seat.key)
    }

    pub(super) fn hope(&self, call: &Call) -> bool {
        let registration = self.registration(call.registration);
        registration.is_some_and(|r| r.seats.iter().any(|&seat| self.suits(call, seat)))
    }

    fn waiting(&self, registration: u64) -> usize {
        let waiting = self.calls.iter().filter(|c| c.run.is_none() && c.registration == registration);
        waiting.map(|call| call.pieces.len()).sum()
    }

    fn register(
        &mut self,
        who: usize,
        uri: &'static str,
        options: RegisterOptions,
    ) -> Result<Registered, RegisterError> {
        let limit = options.concurrency.filter(|&n| n > 0).map(|n| n.min(RULES.max_concurrency));
        let known =
            self.registrations.iter().position(|r| r.uri == uri && r.options.matching == options.matching);
        if let Some(place) = known {
            let invoke = self.registrations[place].options.invoke;
            if invoke == InvokePolicy::Single {
                return Err(RegisterError::AlreadyExists);
            }
            if invoke != options.invoke {
                return Err(RegisterError::OtherPolicy);
            }
            let own = self.registrations[place].seats.iter_mut().find(|seat| seat.who == who);
            if let Some(seat) = own {
                seat.limit = limit;
                seat.forward = options.forward_timeout;
                return Ok(Registered { id: self.registrations[place].id, created: false, joined: false });
            }
        }
        let seats = self.registrations.iter().flat_map(|r| &r.seats);
        if seats.filter(|seat| seat.who == who).count() >= RULES.max_registrations {
            return Err(RegisterError::TooMany);
        }
        let place = known.unwrap_or_else(|| {
            self.last_registration += 1;
            let (id, seats) = (self.last_registration, Vec::new());
            self.registrations.push(Registration { id, uri, options, seats, turn: None });
            self.registrations.len() - 1
        });
        let key = self.next_seat;
        self.next_seat += 1;
        let registration = &mut self.registrations[place];
        registration.seats.push(Seat { key, who, limit, forward: options.forward_timeout });
        registration.turn.get_or_insert(key);
        Ok(Registered { id: registration.id, created: known.is_none(), joined: true })
    }

    /// The registration is gone.
    fn unseat(&mut self, who: usize, id: u64) -> Result<bool, NoSuchRegistration> {
        let resets = self.has(Fault::ResetsTurnOnLeave);
        let registration = self.registration_mut(id).ok_or(NoSuchRegistration)?;
        let place = registration.seats.iter().position(|s| s.who == who).ok_or(NoSuchRegistration)?;
        let seat = registration.seats[place];
        if registration.turn == Some(seat.key) || resets {
            registration.turn = after(&registration.seats, seat.key).filter(|&next| next != seat.key);
        }
        registration.seats.remove(place);
        if resets {
            registration.turn = registration.seats.first().map(|seat| seat.key);
        }
        let deleted = registration.seats.is_empty();
        if self.has(Fault::LosesTheQueueOnLeave) {
            self.calls.retain(|call| call.run.is_some() || call.registration != id);
        }
        if deleted {
            self.registrations.retain(|r| r.id != id);
        }
        Ok(deleted)
    }

    /// Ends waiting calls for which there is no hope any more.
    fn end_hopeless(&mut self) {
        let hopeless = self.calls.iter().filter(|call| call.run.is_none() && !self.hope(call));
        let mut hopeless: Vec<Call> = hopeless.cloned().collect();
        hopeless.sort_by_key(|call| call.registration);
        for call in hopeless {
            let gone = self.registration(call.registration).is_none();
            if gone && self.has(Fault::KeepsTheQueueOfTheDead) {
                continue;
            }
            let failure = match (call.tried.is_empty(), gone) {
                (false, _) => call.why_tried_in_vain(),
                (true, true) => CallFailure::NoSuchProcedure,
                (true, false) => CallFailure::FeatureNotSupported,
            };
            self.end(call.key, failure);
        }
    }

    fn leave(&mut self, who: usize) -> Vec<RemovedCallee> {
        let serving = self.registrations.iter().filter(|r| r.seats.iter().any(|seat| seat.who == who));
        let serving: Vec<u64> = serving.map(|r| r.id).collect();
        let mut removed = Vec::new();
        for registration in serving {
            let deleted = self.unseat(who, registration).expect("it is a callee there");
            removed.push(RemovedCallee { registration, deleted });
        }
        removed.sort_by_key(|removed| removed.registration);
        let gone = if self.has(Fault::AnswersTheGone) {
            self.people[&who].desk.clone()
        } else {
            self.people.remove(&who).expect("somebody who is there").desk
        };
        drop(gone);
        for call in self.calls.clone() {
            if call.who == who && !self.has(Fault::AnswersTheGone) {
                self.forsake(call.key, CallFailure::Canceled);
            }
        }
        let mut orphans: Vec<Call> = self.calls.clone();
        orphans.retain(|call| call.run.is_some_and(|run| run.who == who));
        orphans.sort_by_key(|call| call.run.map(|run| run.invocation));
        for call in orphans {
            if self.has(Fault::ForgetsThatTheCalleeLeft) {
                self.calls.retain(|other| other.key != call.key);
            } else {
                self.end(call.key, CallFailure::CalleeLeft);
            }
        }
        if self.has(Fault::AnswersTheGone) {
            self.people.get_mut(&who).expect("kept").ready = false;
        }
        self.end_hopeless();
        removed
    }

    fn called(&mut self, act: &Act) -> Result<(), CallProblem> {
        let &Act::Call { who, request, uri, options, payload, random } = act else { unreachable!() };
        let piece = (payload, options.progress);
        if let Some(key) = self.calls.iter().find(|c| c.who == who && c.request == request).map(|c| c.key) {
            let call = self.call(key);
            if !call.unfinished {
                return Err(CallProblem::RequestInUse);
            }
            call.unfinished = options.progress;
            call.pieces.push_back(piece);
            self.send_pieces(key);
            self.bound(key);
            return Ok(());
        }
        let person = self.people.get_mut(&who).expect("a caller");
        if person.cut_off.contains(&request) && self.fault != Fault::TakesLatePieces {
            return Ok(());
        }
        let found = self.best(uri).map(|r| (r.id, r.options.matching != MatchPolicy::Exact));
        let many = self.calls.iter().filter(|call| call.who == who).count() >= RULES.max_calls;
        let Some((registration, pattern)) = found.filter(|_| !many) else {
            let failure =
                if found.is_some() { CallFailure::TooManyCalls } else { CallFailure::NoSuchProcedure };
            let person = self.people.get_mut(&who).expect("a caller");
            person.desk.error(request, &CallError::Dealer(failure), &mut ());
            if options.progress {
                person.cut_off.push(request);
            }
            return Ok(());
        };
        let key = self.next_call;
        self.next_call += 1;
        let mut call = Call {
            key,
            who,
            request,
            registration,
            pattern,
            uri,
            options,
            random,
            unfinished: options.progress,
            pieces: VecDeque::from([piece]),
            first: None,
            deadline: None,
            tried: Vec::new(),
            too_long: false,
            run: None,
        };
        call.options.timeout = options.timeout.filter(|timeout| !timeout.is_zero());
        call.deadline = call.options.timeout.map(|timeout| self.now + timeout);
        self.calls.push(call.clone());
        if !self.hope(&call) {
            self.end(key, CallFailure::FeatureNotSupported);
            return Ok(());
        }
        self.sweep();
        if !self.has(Fault::QueuesWithoutEnd) {
            self.bound(key);
        }
        Ok(())
    }

    fn bound(&mut self, key: u64) {
        let Some(call) = self.calls.iter().find(|call| call.key == key).cloned() else { return };
        let full = match call.run {
            None => self.waiting(call.registration) > RULES.max_queued,
            Some(_) => call.pieces.len() > RULES.max_queued,
        };
        if full || self.keeps_too_much(&call) {
            self.forsake(key, CallFailure::QueueFull);
        }
    }

    fn cancel(&mut self, who: usize, request: u64, mode: CancelMode) {
        let found = self.calls.iter().find(|call| call.who == who && call.request == request);
        let Some(call) = found.cloned() else { return };
        let can = call.run.is_some_and(|run| self.people[&run.who].features.canceling);
        match (mode, call.run) {
            (CancelMode::Kill, Some(run)) if can => {
                let desk = &self.people[&run.who].desk;
                if !run.killed {
                    desk.interrupt(run.invocation, mode, CallFailure::Canceled.uri(), &mut ());
                }
                if self.has(Fault::KillAnswersAtOnce) && !run.killed {
                    let error = CallError::Dealer(CallFailure::Canceled);
                    self.people[&who].desk.error(request, &error, &mut ());
                }
                self.call(call.key).run.as_mut().expect("it runs").killed = true;
            }
            (CancelMode::Skip, Some(run)) if !self.has(Fault::SkipInterrupts) => {
                self.abandon(run);
                self.end(call.key, CallFailure::Canceled);
            }
            _ => self.forsake(call.key, CallFailure::Canceled),
        }
    }

    fn expire(&mut self) {
        let now = self.now;
        let mut late: Vec<Call> = self.calls.clone();
        late.retain(|call| call.deadline.is_some_and(|deadline| deadline <= now));
        late.sort_by_key(|call| call.deadline);
        for call in late {
            if self.has(Fault::AnswersAfterTimeout) && call.run.is_some() {
                let error = CallError::Dealer(CallFailure::Timeout);
                self.people[&call.who].desk.error(call.request, &error, &mut ());
                self.call(call.key).deadline = None;
            } else {
                self.forsake(call.key, CallFailure::Timeout);
            }
        }
    }
}

/// How many literal components stand before each wildcard, and after the last one.
fn portions(pattern: &str) -> Vec<usize> {
    let mut portions = vec![0];
    for component in pattern.split('.') {
        match portions.last_mut() {
            Some(last) if !component.is_empty() => *last += 1,
            _ => portions.push(0),
        }
    }
    portions
}

impl Switchboard for PlainDealer {
    fn act(&mut self, act: &Act, desk: &Desk, now: Duration) -> String {
        self.now = now;
        let answer = match *act {
            Act::Join { who, features } => {
                let (cut_off, abandoned) = (Vec::new(), Vec::new());
                let desk = desk.clone();
                let person = Person { desk, features, ready: true, next_invocation: 1, cut_off, abandoned };
                self.people.insert(who, person);
                String::new()
            }
            Act::Leave { who } => format!("{:?}", self.leave(who)),
            Act::Register { who, request, uri, options } => {
                let answer = self.register(who, uri, options);
                if let Ok(Registered { id, .. }) = answer {
                    desk.registered(request, id, &mut ());
                }
                format!("{answer:?}")
            }
            Act::Unregister { who, registration } => {
                let answer = self.unseat(who, registration).map(|deleted| Unregistered { deleted });
                self.end_hopeless();
                format!("{answer:?}")
            }
            Act::Revoke { registration, callee } => {
                let seats = self.registration(registration).map(|r| r.seats.clone()).unwrap_or_default();
                let all = seats.iter().map(|seat| seat.who).collect();
                let callees: Vec<usize> = callee.map_or(all, |callee| vec![callee]);
                let mut answer = Err(NoSuchRegistration);
                for who in callees {
                    answer = self.unseat(who, registration);
                }
                self.end_hopeless();
                format!("{answer:?}")
            }
            Act::Call { .. } => format!("{:?}", self.called(act)),
            Act::Cancel { who, request, mode } => {
                self.cancel(who, request, mode);
                String::new()
            }
            Act::Yield { .. } | Act::Fail { .. } => format!("{:?}", self.answer(act)),
            Act::Expire => {
                self.expire();
                String::new()
            }
            Act::Ready { who } => {
                let deaf = self.has(Fault::DeafToReady);
                self.people.get_mut(&who).expect("a member").ready |= !deaf;
                String::new()
            }
        };
        self.sweep();
        answer
    }

    fn sizes(&self) -> Sizes {
        let callees = |r: &Registration| (r.id, r.seats.iter().map(|seat| seat.who).collect());
        Sizes {
            members: self.people.len(),
            registrations: self.registrations.len(),
            calls: self.calls.len(),
            waiting: self.registrations.iter().map(|r| self.waiting(r.id)).sum(),
            kept: self.queued(None) + self.spare(None),
            deadline: self.calls.iter().filter_map(|call| call.deadline).min(),
            best: URIS.iter().map(|uri| self.best(uri).map(|r| r.id)).collect(),
            callees: self.registrations.iter().map(callees).collect(),
        }
    }
}
