//! The dealer: procedures, who has registered them, and the calls on their way (WAMP, Remote Procedure Calls).
//!
//! An operation is a call; what follows from it is appended to the parties before it returns. Time and chance are
//! arguments. A session is a *member*, a callee's place in a registration a *seat*. A call lives until its caller
//! has its final answer; it is found from its caller by request id, from its callee by invocation id, from its
//! registration by ticket while it waits, and from the deadlines. So whoever leaves finds all that is its own
//! without a search.
//!
//! A call that finds no callee with room waits; so does everything behind it, in the order of arrival. Tickets
//! count for all registrations together: a callee that has room again gets what waits for it in the order in which
//! it was called, whatever the procedure. Some calls may be overtaken: progressive ones that wait for a
//! callee which takes such, those that a callee has sent on (WAMP, Call Re-Routing), and those that are longer than
//! the messages that some callee takes.
//!
//! A callee's place for a call (`concurrency`) is free again when it has answered, or when it was interrupted with
//! `killnowait`, after which no answer need come. If a call ends without the callee being told (`skip`, or a callee
//! that cannot be interrupted), the place stays taken until it answers: it is still at work.

mod answers;
mod calls;
mod dispatch;
mod endings;
mod keeping;
mod party;
mod patterns;
mod registering;
mod registrations;

pub use answers::NoSuchInvocation;
pub use calls::{CallOptions, CallProblem};
pub use party::{CallError, CallFailure, CalleeFeatures, CancelMode, Invocation, Party};
pub use patterns::MatchPolicy;
pub use registering::{
    NoSuchRegistration, RegisterError, Registered, RegistrationIds, RegistrationView, Revoked, Unregistered,
};
pub use registrations::{InvokePolicy, RegisterOptions};

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use slab::Slab;

use calls::Call;
use keeping::Kept;
use patterns::Patterns;
use registrations::Registration;

/// The number of a session at the dealer. It is given out again only after its session has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MemberId(usize);

/// The bounds of what sessions can make the dealer keep.
#[derive(Debug, Clone, Copy)]
pub struct DealerRules {
    /// How many calls, and pieces of progressive calls, wait in each registration at most.
    pub max_queued: usize,
    /// How many bytes of payload and of URIs the dealer keeps at most for callees that have no room, in all
    /// registrations together. A call that is handed over at once, as a whole, is not refused for it.
    pub max_queued_bytes: usize,
    /// How many of these bytes one caller may have: nobody shuts the others out alone.
    pub max_caller_bytes: usize,
    /// How many bytes of what a callee has are kept for each caller, lest the callee sends the call on (WAMP, Call
    /// Re-Routing). No call is refused for it: one that is not kept is not sent on, but ends with
    /// `wamp.error.no_available_callee`. For all callers together, `max_queued_bytes` are kept at most.
    pub max_spare_bytes: usize,
    /// How many calls of one caller may be unanswered.
    pub max_calls: usize,
    /// How many registrations one callee may have.
    pub max_registrations: usize,
    /// The most that counts of what a callee asks for as `concurrency`.
    pub max_concurrency: u64,
}

impl Default for DealerRules {
    fn default() -> Self {
        Self {
            max_queued: 10_000,
            max_queued_bytes: 64 << 20,
            max_caller_bytes: 16 << 20,
            max_spare_bytes: 4 << 20,
            max_calls: 65_536,
            max_registrations: 65_536,
            max_concurrency: 65_536,
        }
    }
}

/// What was removed with a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RemovedCallee {
    /// The registration in which it was a callee.
    pub registration: u64,
    /// Whether it was the last one there.
    pub deleted: bool,
}

/// All registrations and calls of one namespace.
pub struct Dealer<P: Party> {
    rules: DealerRules,
    members: Slab<Member<P>>,
    patterns: Patterns,
    registrations: HashMap<u64, Registration>,
    /// The id of the last registration; they count up from 1.
    last_registration: u64,
    calls: Slab<Call<P::Payload>>,
    next_ticket: u64,
    /// What all calls keep: what their callees do not have yet, and what another one could begin with.
    kept: Kept,
    /// When which call runs out of time: by deadline and ticket.
    deadlines: BTreeMap<(Duration, u64), usize>,
}

/// A session, with everything that dies with it.
struct Member<P> {
    party: P,
    features: CalleeFeatures,
    /// Cleared when the party refuses an invocation, set when its owner says that there is room again.
    ready: bool,
    /// Its seat in each of its registrations.
    registrations: BTreeMap<u64, u64>,
    /// The calls it has made, by request id.
    calls: BTreeMap<u64, usize>,
    /// Those of its calls that had ended when more pieces were still to come: these are dropped.
    cut_off: VecDeque<u64>,
    /// What its calls keep.
    kept: Kept,
    /// The calls it has to answer, by invocation id.
    invocations: BTreeMap<u64, usize>,
    /// What it still works on though nobody waits for it: registration and seat, by invocation id.
    abandoned: BTreeMap<u64, (u64, u64)>,
    next_invocation: u64,
    /// Calls of which it has a piece but had no room for the next one, by ticket.
    stalled: BTreeMap<u64, usize>,
}

impl<P: Party> Dealer<P> {
    /// Nobody yet.
    pub fn new(rules: DealerRules) -> Self {
        Self {
            rules,
            members: Slab::new(),
            patterns: Patterns::default(),
            registrations: HashMap::new(),
            last_registration: 0,
            calls: Slab::new(),
            next_ticket: 0,
            kept: Kept::default(),
            deadlines: BTreeMap::new(),
        }
    }

    /// A session begins.
    pub fn join(&mut self, party: P, features: CalleeFeatures) -> MemberId {
        MemberId(self.members.insert(Member {
            party,
            features,
            ready: true,
            registrations: BTreeMap::new(),
            calls: BTreeMap::new(),
            cut_off: VecDeque::new(),
            kept: Kept::default(),
            invocations: BTreeMap::new(),
            abandoned: BTreeMap::new(),
            next_invocation: 1,
            stalled: BTreeMap::new(),
        }))
    }

    /// A session ends. Its callees are interrupted, its callers get ERROR `wamp.error.canceled`, and what waits for
    /// it goes to others, or ends if there are none. Returns its registrations in the order of their ids.
    pub fn leave(&mut self, member: MemberId, batch: &mut P::Batch) -> Vec<RemovedCallee> {
        let Some(gone) = self.members.try_remove(member.0) else { return Vec::new() };
        let mut touched = BTreeSet::new();
        for (&registration, &seat) in &gone.registrations {
            self.unseat(registration, seat);
            touched.insert(registration);
        }
        for &call in gone.calls.values() {
            touched.insert(self.forsake(call, CallFailure::Canceled, batch));
        }
        for (invocation, call) in gone.invocations {
            // A call to itself has ended with its caller.
            if self.calls.get(call).is_some_and(|call| call.is_running(member.0, invocation)) {
                let call = self.remove_call(call);
                touched.insert(call.registration);
                self.send_failure(&call, CallFailure::CalleeLeft, batch);
            }
        }
        self.settle(&touched, batch);
        let removed = gone.registrations.into_keys();
        removed
            .map(|registration| RemovedCallee {
                registration,
                deleted: !self.registrations.contains_key(&registration),
            })
            .collect()
    }

    /// The session of a member, as it was given to [`join`](Self::join).
    pub fn party(&self, member: MemberId) -> Option<&P> {
        self.members.get(member.0).map(|member| &member.party)
    }

    /// How many sessions there are.
    pub fn members(&self) -> usize {
        self.members.len()
    }

    /// How many registrations there are.
    pub fn registrations(&self) -> usize {
        self.registrations.len()
    }

    /// How many calls have no final answer yet.
    pub fn calls(&self) -> usize {
        self.calls.len()
    }

    /// How many calls, and pieces of progressive calls, wait for a callee.
    pub fn waiting(&self) -> usize {
        self.registrations.values().map(|registration| registration.waiting).sum()
    }

    /// How many bytes of payload and of URIs are kept for callees: for those that have no room, and for those to
    /// which a call may be sent on.
    pub fn kept_bytes(&self) -> usize {
        self.kept.queued + self.kept.spare
    }

    /// When [`expire`](Self::expire) has something to do.
    pub fn next_deadline(&self) -> Option<Duration> {
        self.deadlines.first_key_value().map(|(&(deadline, _), _)| deadline)
    }
}
