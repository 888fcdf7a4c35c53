//! One registration: its callees, whose turn it is, and the calls that wait for one of them.

use std::collections::BTreeMap;
use std::time::Duration;

use super::patterns::MatchPolicy;

/// `REGISTER.Options.invoke` (WAMP, Shared Registration): who of several callees gets a call. Callees that are busy
/// are passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum InvokePolicy {
    /// There is only one.
    #[default]
    Single,
    /// The one who registered first.
    First,
    /// The one who registered last.
    Last,
    /// Any one, by the random number of the call.
    Random,
    /// All in turn, in the order in which they registered.
    RoundRobin,
}

/// What a callee asks for when it registers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RegisterOptions {
    /// How the URI is meant.
    pub matching: MatchPolicy,
    /// Who gets a call, if several register. The first one to register decides.
    pub invoke: InvokePolicy,
    /// How many calls this callee takes at a time; `None` or 0 for any number. No more than
    /// [`max_concurrency`](super::DealerRules::max_concurrency) are counted.
    pub concurrency: Option<u64>,
    /// Whether this callee watches over timeouts itself.
    pub forward_timeout: bool,
    /// What time it is, since the epoch: for the registration's details.
    pub created: Duration,
}

/// How many of the calls that not every callee may take are tried at a time.
const LOOK_AHEAD: usize = 32;

pub(super) struct Registration {
    pub(super) uri: Box<str>,
    pub(super) matching: MatchPolicy,
    pub(super) invoke: InvokePolicy,
    pub(super) created: Duration,
    /// In the order in which they registered, which is the order of their numbers.
    seats: Vec<Seat>,
    next_seat: u64,
    /// The place in `seats` whose turn is next; 0 while there are none.
    cursor: usize,
    /// How many seats have room for a call.
    open: usize,
    /// Calls that any callee may take, by ticket: the number of the call.
    queue: BTreeMap<u64, usize>,
    /// Calls that not every callee may take: progressive ones, those that some have sent on, and those that are too
    /// long for some.
    choosy: BTreeMap<u64, usize>,
    /// How many payloads wait in both.
    pub(super) waiting: usize,
}

/// A callee of a registration.
pub(super) struct Seat {
    pub(super) number: u64,
    pub(super) member: usize,
    pub(super) forward_timeout: bool,
    /// `u64::MAX` for no limit.
    limit: u64,
    running: u64,
}

impl Seat {
    fn is_open(&self) -> bool {
        self.running < self.limit
    }

    /// Whether it matters how many calls it has.
    pub(super) fn is_limited(&self) -> bool {
        self.limit < u64::MAX
    }
}

impl Registration {
    pub(super) fn new(uri: &str, options: &RegisterOptions) -> Self {
        Self {
            uri: uri.into(),
            matching: options.matching,
            invoke: options.invoke,
            created: options.created,
            seats: Vec::new(),
            next_seat: 0,
            cursor: 0,
            open: 0,
            queue: BTreeMap::new(),
            choosy: BTreeMap::new(),
            waiting: 0,
        }
    }

    /// Seats a callee behind the others.
    pub(super) fn join(&mut self, member: usize, limit: u64, forward_timeout: bool) -> u64 {
        let number = self.next_seat;
        self.next_seat += 1;
        self.seats.push(Seat { number, member, forward_timeout, limit, running: 0 });
        self.open += 1;
        number
    }

    /// Changes what a callee has asked for; it keeps its place.
    pub(super) fn reseat(&mut self, number: u64, limit: u64, forward_timeout: bool) {
        let Some(place) = self.place(number) else { return };
        let seat = &mut self.seats[place];
        self.open -= usize::from(seat.is_open());
        seat.limit = limit;
        seat.forward_timeout = forward_timeout;
        self.open += usize::from(seat.is_open());
    }

    /// The turn stays with whoever had it; a leaving callee's turn falls to its successor.
    pub(super) fn leave(&mut self, number: u64) {
        let Some(place) = self.place(number) else { return };
        let seat = self.seats.remove(place);
        self.open -= usize::from(seat.is_open());
        if place < self.cursor {
            self.cursor -= 1;
        }
        if self.cursor >= self.seats.len() {
            self.cursor = 0;
        }
    }

    /// The place of the callee whose turn it is, among those that have room and that `suits` says may have it.
    pub(super) fn pick(&self, random: u64, suits: impl Fn(&Seat) -> bool) -> Option<usize> {
        if self.open == 0 {
            return None;
        }
        let fits = |&place: &usize| self.seats[place].is_open() && suits(&self.seats[place]);
        let places = 0..self.seats.len();
        match self.invoke {
            InvokePolicy::Single | InvokePolicy::First => places.into_iter().find(fits),
            InvokePolicy::Last => places.rev().find(fits),
            InvokePolicy::RoundRobin => (self.cursor..places.end).chain(0..self.cursor).find(fits),
            InvokePolicy::Random => {
                let count = places.clone().filter(fits).count() as u64;
                let chosen = random.checked_rem(count)?;
                places.filter(fits).nth(chosen as usize)
            }
        }
    }

    /// The callee at this place has got a call.
    pub(super) fn occupy(&mut self, place: usize) {
        let seat = &mut self.seats[place];
        seat.running += 1;
        self.open -= usize::from(!seat.is_open());
        self.cursor = (place + 1) % self.seats.len();
    }

    /// A call of this callee has ended.
    pub(super) fn release(&mut self, number: u64) {
        let Some(place) = self.place(number) else { return };
        let seat = &mut self.seats[place];
        self.open += usize::from(!seat.is_open());
        seat.running -= 1;
    }

    /// Puts a call among those that wait. `payloads`: how many wait with it.
    pub(super) fn enqueue(&mut self, ticket: u64, call: usize, choosy: bool, payloads: usize) {
        self.waiting += payloads;
        if choosy { &mut self.choosy } else { &mut self.queue }.insert(ticket, call);
    }

    /// From now on this call may be overtaken, as not every callee may take it; `false` if it may be already.
    pub(super) fn let_pass(&mut self, ticket: u64) -> bool {
        self.queue.remove(&ticket).map(|call| self.choosy.insert(ticket, call)).is_some()
    }

    /// Takes a call out from among those that wait.
    pub(super) fn dequeue(&mut self, ticket: u64, payloads: usize) {
        if self.queue.remove(&ticket).or_else(|| self.choosy.remove(&ticket)).is_some() {
            self.waiting -= payloads;
        }
    }

    /// Who may have the next callee, by ticket and from this ticket on: the first one of the queue, before which
    /// nobody behind it is worth a look, and some of the others. None while all callees are at their limit.
    pub(super) fn candidates(&self, from: u64) -> Vec<(u64, usize)> {
        if self.open == 0 {
            return Vec::new();
        }
        let queued = self.queue.range(from..).take(1);
        let choosy = self.choosy.range(from..).take(LOOK_AHEAD);
        queued.chain(choosy).map(|(&ticket, &call)| (ticket, call)).collect()
    }

    /// All calls that wait, first come first.
    pub(super) fn all_waiting(&self) -> Vec<usize> {
        let mut calls: Vec<(u64, usize)> =
            self.queue.iter().chain(&self.choosy).map(|(&ticket, &call)| (ticket, call)).collect();
        calls.sort_unstable();
        calls.into_iter().map(|(_, call)| call).collect()
    }

    /// The calls that not every callee may take.
    pub(super) fn all_choosy(&self) -> Vec<usize> {
        self.choosy.values().copied().collect()
    }

    pub(super) fn has_queue(&self) -> bool {
        !self.queue.is_empty()
    }

    pub(super) fn seats(&self) -> &[Seat] {
        &self.seats
    }

    pub(super) fn seat(&self, number: u64) -> Option<&Seat> {
        self.place(number).map(|place| &self.seats[place])
    }

    fn place(&self, number: u64) -> Option<usize> {
        self.seats.binary_search_by_key(&number, |seat| seat.number).ok()
    }
}
