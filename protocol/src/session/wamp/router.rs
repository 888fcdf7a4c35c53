//! What the router can do, as its WELCOME says.

use super::super::{Error, Invoke, Register};
use crate::wamp::RawDict;
use crate::wamp::uri::Match;

/// The features that change what is sent.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one that the router announces or not")]
pub(super) struct Router {
    pub(super) call_timeout: bool,
    pub(super) call_canceling: bool,
    pieces: bool,
    patterns: bool,
    procedure_patterns: bool,
    shared: bool,
    bus: bool,
    queue: bool,
}

impl Router {
    /// Reads `WELCOME.Details`. What is not there, or of another type, is not announced.
    pub(super) fn new(details: &RawDict) -> Router {
        let has = |role, feature| details.is_true(&["roles", role, "features", feature]);
        Router {
            call_timeout: has("dealer", "call_timeout"),
            call_canceling: has("dealer", "call_canceling"),
            pieces: has("dealer", "progressive_call_invocations"),
            patterns: has("broker", "pattern_based_subscription"),
            procedure_patterns: has("dealer", "pattern_based_registration"),
            shared: has("dealer", "shared_registration"),
            bus: details.list_has("_pattern", "bus"),
            queue: details.list_has("_pattern", "queue"),
        }
    }

    /// Whether it knows patterns of topics.
    pub(super) fn check_patterns(self) -> Result<(), Error> {
        check(
            self.patterns,
            "a pattern of topics",
            lacks("the router does not announce `pattern_based_subscription`"),
        )
    }

    /// Whether it has a bus.
    pub(super) fn check_bus(self) -> Result<(), Error> {
        check(self.bus, "a bus", lacks("the router does not announce it: use Petasus"))
    }

    /// Whether it has queues.
    pub(super) fn check_queue(self) -> Result<(), Error> {
        check(self.queue, "a queue", lacks("the router does not announce it: use Petasus"))
    }

    /// Whether it takes calls in pieces.
    pub(super) fn check_pieces(self) -> Result<(), Error> {
        check(
            self.pieces,
            "a call in pieces",
            lacks("the router does not announce `progressive_call_invocations`"),
        )
    }

    /// Whether it takes this registration.
    pub(super) fn check_register(self, register: &Register) -> Result<(), Error> {
        let Register::Procedure { matching, invoke, .. } = register else { return self.check_queue() };
        if *matching != Match::Exact {
            let why = lacks("the router does not announce `pattern_based_registration`");
            check(self.procedure_patterns, "a pattern of procedures", why)?;
        }
        if *invoke != Invoke::Single {
            check(
                self.shared,
                "a shared procedure",
                lacks("the router does not announce `shared_registration`"),
            )?;
        }
        Ok(())
    }
}

fn check(announced: bool, what: &'static str, why: &'static str) -> Result<(), Error> {
    if announced { Ok(()) } else { Err(Error::Unsupported { what, why }) }
}

/// Why it can not be had; a page has no room for more (feature `texts`).
const fn lacks(why: &'static str) -> &'static str {
    if cfg!(feature = "texts") { why } else { "the router does not announce it" }
}
