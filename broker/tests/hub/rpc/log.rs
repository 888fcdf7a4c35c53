//! What is done to a dealer, what follows from it, and the sessions that note it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use petasus_broker::hub::{
    CallError, CallFailure, CallOptions, CalleeFeatures, CancelMode, DealerRules, Invocation, Offered, Party,
    RegisterOptions,
};

/// The bounds of every dealer in a script.
pub(crate) const RULES: DealerRules = DealerRules {
    max_queued: 5,
    max_queued_bytes: 40,
    max_caller_bytes: 14,
    max_spare_bytes: 17,
    max_calls: 12,
    max_registrations: 4,
    max_concurrency: 2,
};

/// What each payload takes up, in bytes.
pub(crate) const SIZE: usize = 4;

/// Whether a payload is too long for the sessions that take only short ones.
pub(crate) fn is_long(payload: u32) -> bool {
    payload % 5 == 3
}

pub(crate) const UNAVAILABLE: &str = "wamp.error.unavailable";

/// What is done to a dealer. Sessions have names that are never used twice, and so have payloads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Act {
    Join { who: usize, features: CalleeFeatures },
    Leave { who: usize },
    Register { who: usize, request: u64, uri: &'static str, options: RegisterOptions },
    Unregister { who: usize, registration: u64 },
    Revoke { registration: u64, callee: Option<usize> },
    Call { who: usize, request: u64, uri: &'static str, options: CallOptions, payload: u32, random: u64 },
    Cancel { who: usize, request: u64, mode: CancelMode },
    Yield { who: usize, invocation: u64, progress: bool, payload: u32 },
    Fail { who: usize, invocation: u64, uri: &'static str, payload: u32 },
    Expire,
    Ready { who: usize },
}

/// What was done, or followed from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    Act(Act),
    Registered {
        who: usize,
        request: u64,
        registration: u64,
    },
    Invoked(Invoked),
    Refused {
        who: usize,
    },
    /// A piece of a call is too long for a callee.
    Unfit {
        who: usize,
        payload: u32,
    },
    Interrupted {
        who: usize,
        invocation: u64,
        mode: CancelMode,
        reason: &'static str,
    },
    Result {
        who: usize,
        request: u64,
        progress: bool,
        payload: u32,
    },
    Error {
        who: usize,
        request: u64,
        uri: String,
        payload: Option<u32>,
    },
    /// All tasks are answered and all registrations revoked; now everybody leaves.
    Settled,
    /// What the act came to, and what the dealer says of itself.
    Answered {
        answer: String,
        sizes: Sizes,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Invoked {
    pub(crate) who: usize,
    pub(crate) invocation: u64,
    pub(crate) registration: u64,
    pub(crate) procedure: Option<String>,
    pub(crate) caller: Option<usize>,
    pub(crate) receive_progress: bool,
    pub(crate) progress: bool,
    pub(crate) timeout: Option<Duration>,
    pub(crate) payload: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Sizes {
    pub(crate) members: usize,
    pub(crate) registrations: usize,
    pub(crate) calls: usize,
    pub(crate) waiting: usize,
    pub(crate) kept: usize,
    pub(crate) deadline: Option<Duration>,
    /// The registration that a call of each of [`URIS`] would reach.
    pub(crate) best: Vec<Option<u64>>,
    /// The callees of all registrations, by id.
    pub(crate) callees: Vec<(u64, Vec<usize>)>,
}

impl Event {
    /// Who gets it, if it is an effect.
    pub(crate) fn to(&self) -> Option<usize> {
        match self {
            Self::Registered { who, .. }
            | Self::Refused { who }
            | Self::Unfit { who, .. }
            | Self::Interrupted { who, .. }
            | Self::Result { who, .. }
            | Self::Error { who, .. } => Some(*who),
            Self::Invoked(invoked) => Some(invoked.who),
            Self::Act(_) | Self::Settled | Self::Answered { .. } => None,
        }
    }
}

/// A session in memory. Clones are the same session.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) name: usize,
    room: Rc<Cell<usize>>,
    /// It takes only short payloads.
    short: bool,
    log: Rc<RefCell<Vec<Event>>>,
}

impl Desk {
    pub(crate) fn new(name: usize, room: usize, log: &Rc<RefCell<Vec<Event>>>) -> Self {
        Self { name, room: Rc::new(Cell::new(room)), short: false, log: Rc::clone(log) }
    }

    /// The same, taking only short payloads or any.
    pub(crate) fn taking_short_ones(self, short: bool) -> Self {
        Self { short, ..self }
    }

    fn takes(&self, payload: u32) -> bool {
        !self.short || !is_long(payload)
    }

    fn note(&self, event: Event) {
        self.log.borrow_mut().push(event);
    }

    /// More room for invocations.
    pub(crate) fn add_room(&self, more: usize) {
        self.room.set(self.room.get() + more);
    }
}

impl Party for Desk {
    type Batch = ();
    type Payload = u32;

    fn size(_payload: &u32) -> usize {
        SIZE
    }

    fn registered(&self, request: u64, registration: u64, (): &mut ()) {
        self.note(Event::Registered { who: self.name, request, registration });
    }

    fn invoke(&self, invocation: &Invocation<'_, Self>, (): &mut ()) -> Offered {
        if !self.takes(*invocation.payload) {
            self.note(Event::Unfit { who: self.name, payload: *invocation.payload });
            return Offered::Never;
        }
        let Some(room) = self.room.get().checked_sub(1) else {
            self.note(Event::Refused { who: self.name });
            return Offered::Full;
        };
        self.room.set(room);
        self.note(Event::Invoked(Invoked {
            who: self.name,
            invocation: invocation.id,
            registration: invocation.registration,
            procedure: invocation.procedure.map(str::to_owned),
            caller: invocation.caller.map(|caller| caller.name),
            receive_progress: invocation.receive_progress,
            progress: invocation.progress,
            timeout: invocation.timeout,
            payload: *invocation.payload,
        }));
        Offered::Taken
    }

    fn interrupt(&self, invocation: u64, mode: CancelMode, reason: &'static str, (): &mut ()) {
        self.note(Event::Interrupted { who: self.name, invocation, mode, reason });
    }

    fn result(&self, request: u64, progress: bool, payload: &u32, (): &mut ()) -> bool {
        let takes = self.takes(*payload);
        if takes {
            self.note(Event::Result { who: self.name, request, progress, payload: *payload });
        }
        takes
    }

    fn error(&self, request: u64, error: &CallError<'_, u32>, (): &mut ()) {
        let (uri, payload) = match error {
            CallError::Callee { payload, .. } if !self.takes(**payload) => {
                (CallFailure::ResultTooLong.uri().to_owned(), None)
            }
            CallError::Callee { uri, payload } => ((*uri).to_owned(), Some(**payload)),
            CallError::Dealer(failure) => (failure.uri().to_owned(), None),
        };
        self.note(Event::Error { who: self.name, request, uri, payload });
    }
}

/// A dealer under test.
pub(crate) trait Switchboard {
    /// Does it, and says what came of it.
    fn act(&mut self, act: &Act, desk: &Desk, now: Duration) -> String;
    fn sizes(&self) -> Sizes;
}
