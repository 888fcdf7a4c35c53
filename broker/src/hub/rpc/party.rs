//! What the dealer and the sessions say to each other.

use std::time::Duration;

use crate::hub::Offered;

/// A session, as the dealer knows it.
///
/// Every method is called while the hub is locked, so none may block, do I/O or call back into the hub. Only
/// [`invoke`](Self::invoke) may say that there is no room; a party that cannot take one of the others any more
/// marks itself, and its owner leaves the dealer later.
pub trait Party: Sized {
    /// What one turn of the caller collects over all its operations.
    type Batch;

    /// Arguments, keyword arguments and whatever goes with them. The dealer does not look into it.
    type Payload: Clone;

    /// What a payload takes up while it waits, in bytes.
    fn size(payload: &Self::Payload) -> usize;

    /// Appends REGISTERED. It comes before the first invocation of that registration
    /// (WAMP, Ordering Guarantees).
    fn registered(&self, request: u64, registration: u64, batch: &mut Self::Batch);

    /// Appends INVOCATION if there is room; whatever else it says leaves the party as it was. `Full`: the dealer
    /// keeps the call until it hears that this party is ready. `Never`: the message is longer than the party takes,
    /// which says nothing of other messages.
    fn invoke(&self, invocation: &Invocation<'_, Self>, batch: &mut Self::Batch) -> Offered;

    /// Appends INTERRUPT. `mode` is `Kill` or `KillNoWait`, `reason` the URI of the error that the caller gets.
    fn interrupt(&self, invocation: u64, mode: CancelMode, reason: &'static str, batch: &mut Self::Batch);

    /// Appends RESULT to the call with this request id; `false` if it is longer than the party takes, and nothing
    /// was appended.
    #[must_use]
    fn result(&self, request: u64, progress: bool, payload: &Self::Payload, batch: &mut Self::Batch) -> bool;

    /// Appends ERROR to the call with this request id. One that is longer than the party takes is replaced by a
    /// short `wamp.error.payload_size_exceeded`.
    fn error(&self, request: u64, error: &CallError<'_, Self::Payload>, batch: &mut Self::Batch);
}

/// What a callee is told with INVOCATION.
pub struct Invocation<'a, P: Party> {
    /// `INVOCATION.Request`: counts up from 1 for each callee; the same for all pieces of a progressive call.
    pub id: u64,
    /// The registration by which the callee was found.
    pub registration: u64,
    /// The procedure that was called, if the registration is for a prefix or a wildcard pattern.
    pub procedure: Option<&'a str>,
    /// The caller, if it is to be disclosed.
    pub caller: Option<&'a P>,
    /// Whether the caller wants progressive results, and the callee has announced them.
    pub receive_progress: bool,
    /// Whether more pieces of the call will follow.
    pub progress: bool,
    /// The timeout, if it is the callee's to watch over (`REGISTER.Options.forward_timeout`).
    pub timeout: Option<Duration>,
    /// What the caller sent.
    pub payload: &'a P::Payload,
}

/// What a caller is told with ERROR.
#[derive(Debug)]
pub enum CallError<'a, T> {
    /// The callee's ERROR, to be passed on verbatim.
    Callee {
        /// The error URI.
        uri: &'a str,
        /// The error's arguments.
        payload: &'a T,
    },
    /// The dealer's own.
    Dealer(CallFailure),
}

/// Why the dealer itself ends a call. The text may go to the caller as the first argument of ERROR.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallFailure {
    /// No registration matches, or the last callee unregistered before the call's turn came.
    #[error("no callee has registered this procedure; register it first")]
    NoSuchProcedure,
    /// The caller has cancelled it.
    #[error("the call was cancelled by its caller")]
    Canceled,
    /// The callee left before it answered (WAMP, Callee Leaving During an RPC Invocation).
    #[error("the callee has left before it answered; call again to reach another one")]
    CalleeLeft,
    /// No answer came in time (WAMP, Call Timeouts).
    #[error("no answer came within the timeout of the call; call again or allow more time")]
    Timeout,
    /// All callees have said that they are unavailable (WAMP, Call Re-Routing).
    #[error("all callees of this procedure say that they are unavailable; call again later")]
    NoAvailableCallee,
    /// All callees are busy, and the queue of calls is full.
    #[error("all callees are busy and too many calls wait already; call again later")]
    QueueFull,
    /// The caller has too many calls that are not answered.
    #[error("too many of your calls are not answered yet; wait for some of them")]
    TooManyCalls,
    /// The call, or a piece of it, is longer than the messages that its callee takes, or all that it could go to.
    #[error("no callee of this procedure takes messages as long as this call; send less at a time")]
    CallTooLong,
    /// The result is longer than the messages that the caller takes.
    #[error(
        "the result is longer than the messages that you take; allow longer ones in your handshake, or ask for less"
    )]
    ResultTooLong,
    /// No callee supports progressive call invocations.
    #[error("no callee of this procedure takes progressive calls; send one CALL without progress")]
    FeatureNotSupported,
}

impl CallFailure {
    /// The error URI (WAMP, Basic and Advanced Profile URIs).
    pub const fn uri(self) -> &'static str {
        match self {
            Self::NoSuchProcedure => "wamp.error.no_such_procedure",
            Self::Canceled | Self::CalleeLeft => "wamp.error.canceled",
            Self::Timeout => "wamp.error.timeout",
            Self::NoAvailableCallee => "wamp.error.no_available_callee",
            Self::QueueFull | Self::TooManyCalls => UNAVAILABLE,
            Self::CallTooLong | Self::ResultTooLong => "wamp.error.payload_size_exceeded",
            Self::FeatureNotSupported => "wamp.error.feature_not_supported",
        }
    }
}

/// With this error a callee sends a call on to the next one.
pub(super) const UNAVAILABLE: &str = "wamp.error.unavailable";

/// `CANCEL.Options.mode` (WAMP, Call Canceling).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelMode {
    /// The caller gets its error at once; the callee is not told.
    Skip,
    /// The callee is interrupted, and its answer goes to the caller.
    Kill,
    /// The callee is interrupted and the caller gets its error at once.
    KillNoWait,
}

/// What a session has announced for its role `callee`. All `false` for one that announced nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "HELLO announces each by itself")]
pub struct CalleeFeatures {
    /// `call_canceling`: without it nothing is interrupted, and every cancelling is a skip.
    pub canceling: bool,
    /// `progressive_call_results`: without it the callee is not told that its caller would take some. (The
    /// specification wants `call_canceling` beside it; clients in wide use do not announce that, so the dealer
    /// asks for this one only.)
    pub progressive_results: bool,
    /// `progressive_call_invocations`: counts only together with `canceling`.
    pub progressive_invocations: bool,
    /// `call_timeout`: it may watch over timeouts itself.
    pub timeout: bool,
    /// `call_reroute`: its `wamp.error.unavailable` sends the call to the next callee.
    pub reroute: bool,
}
