//! What both wires have in common: settings, numbers, what waits to be polled, and the bound of the queue.

use std::collections::VecDeque;

use super::backoff::Random;
use super::id::Numbers;
use super::{Config, Content, Error, Event, Failure, InvocationId, Output, RegistrationId, RequestId};
use super::{Outcome, SocketId, Status, SubscriptionId};

/// Whether the program may still ask for something.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Phase {
    /// Yes.
    Running,
    /// No: what is under way is finished, until this time at the latest.
    Draining { until: u64 },
    /// No: the end is on its way, or is there. With the failure, if it was not the program that ended it.
    Closed { failure: Option<Failure> },
}

/// What both wires have in common.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) config: Config,
    pub(super) phase: Phase,
    pub(super) random: Random,
    numbers: Numbers,
    outputs: VecDeque<Output>,
    events: VecDeque<Event>,
    /// The bytes of all contents that wait to be sent.
    waiting: usize,
}

impl Core {
    pub(super) fn new(config: Config, seed: u64) -> Core {
        Core {
            config,
            phase: Phase::Running,
            random: Random::new(seed),
            numbers: Numbers::default(),
            outputs: VecDeque::new(),
            events: VecDeque::new(),
            waiting: 0,
        }
    }

    pub(super) fn output(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    pub(super) fn event(&mut self, event: Event) {
        self.events.push_back(event);
    }

    pub(super) fn status(&mut self, status: Status) {
        self.event(Event::Status(status));
    }

    pub(super) fn done(&mut self, request: RequestId, outcome: Result<Outcome, Error>) {
        self.event(Event::Done { request, outcome });
    }

    pub(super) fn next_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    pub(super) fn next_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Takes room in the queue for a content that waits; what [`Core::weight`] says.
    pub(super) fn reserve(&mut self, weight: usize) -> Result<(), Error> {
        // One always fits, so that none can never be sent.
        if self.waiting > 0 && self.waiting + weight > self.config.queue_bytes {
            return Err(Error::QueueFull { waiting: self.waiting });
        }
        self.waiting += weight;
        Ok(())
    }

    /// Gives the room back.
    pub(super) fn release(&mut self, weight: usize) {
        self.waiting -= weight;
    }

    /// The bytes that wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// What a waiting content counts: its bytes, and some for its place in the queue.
    pub(super) fn weight(content: &Content) -> usize {
        content.len() + 64
    }

    /// The error of everything that is asked for too late.
    pub(super) fn check_running(&self) -> Result<(), Error> {
        match &self.phase {
            Phase::Running => Ok(()),
            Phase::Closed { failure: Some(failure) } => Err(Error::GaveUp(failure.clone())),
            Phase::Draining { .. } | Phase::Closed { failure: None } => Err(Error::Closed),
        }
    }

    /// The error of what is still there when all is over.
    pub(super) fn over(&self) -> Error {
        match &self.phase {
            Phase::Closed { failure: Some(failure) } => Error::GaveUp(failure.clone()),
            _ => Error::Closed,
        }
    }

    pub(super) fn socket(&mut self) -> SocketId {
        SocketId(self.numbers.draw())
    }

    #[cfg(feature = "mercury")]
    pub(super) fn exchange(&mut self) -> super::ExchangeId {
        super::ExchangeId(self.numbers.draw())
    }

    pub(super) fn subscription(&mut self) -> SubscriptionId {
        SubscriptionId(self.numbers.draw())
    }

    pub(super) fn registration(&mut self) -> RegistrationId {
        RegistrationId(self.numbers.draw())
    }

    pub(super) fn request(&mut self) -> RequestId {
        RequestId(self.numbers.draw())
    }

    pub(super) fn invocation(&mut self) -> InvocationId {
        InvocationId(self.numbers.draw())
    }
}

/// The earliest of these times, if there is any.
pub(super) fn earliest(times: &[Option<u64>]) -> Option<u64> {
    let mut first = None;
    for time in times.iter().flatten() {
        if first.is_none_or(|first| *time < first) {
            first = Some(*time);
        }
    }
    first
}

/// What can be due. The numbers are those of ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// A subscription that does not stand yet.
    Subscription(u64),
    /// The confirmation that a subscription is over.
    Leaving(u64),
    /// A registration: its answer, or its next attempt.
    Registration(u64),
    /// The answer to a request.
    Request(u64),
    /// What is due on one of the sockets of Mercury.
    #[cfg(feature = "mercury")]
    Link(u64),
}

/// Timers in order, each at one time only. New ones are mostly the last, and old ones mostly the first.
#[derive(Debug, Default)]
pub(super) struct Deadlines(VecDeque<(u64, Timer)>);

impl Deadlines {
    pub(super) fn insert(&mut self, at: u64, timer: Timer) {
        if let Err(place) = self.0.binary_search(&(at, timer)) {
            self.0.insert(place, (at, timer));
        }
    }

    pub(super) fn remove(&mut self, at: u64, timer: Timer) {
        if let Ok(place) = self.0.binary_search(&(at, timer)) {
            self.0.remove(place);
        }
    }

    /// When the next one is due.
    pub(super) fn next(&self) -> Option<u64> {
        self.0.front().map(|(at, _)| *at)
    }

    /// Takes one that is due.
    pub(super) fn pop_due(&mut self, now: u64) -> Option<Timer> {
        if self.next()? > now {
            return None;
        }
        self.0.pop_front().map(|(_, timer)| timer)
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
