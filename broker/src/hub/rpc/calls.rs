//! CALL: what becomes a call, and what is the next piece of one.

use std::collections::VecDeque;
use std::time::Duration;

use super::dispatch::Placed;
use super::keeping::Kept;
use super::{CallError, CallFailure, Dealer, MatchPolicy, Member, MemberId, Party};

/// How many of the calls that had ended too early for their caller to know are remembered for it.
const CUT_OFF: usize = 256;

/// What a caller asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CallOptions {
    /// `receive_progress`: it takes progressive results.
    pub receive_progress: bool,
    /// `progress`: more pieces of this call will follow, with the same request id.
    pub progress: bool,
    /// `timeout`: how long to wait for an answer, and then for each next progressive result. `None` or zero: for
    /// ever.
    pub timeout: Option<Duration>,
    /// Whether the callee is to know who calls.
    pub disclose: bool,
}

/// What is wrong with a CALL itself; all else the caller is told by ERROR.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallProblem {
    /// A protocol violation: a call with this id is not yet answered, and has announced no further pieces.
    #[error("a call with this request id is not answered yet; count request ids up from 1")]
    RequestInUse,
    /// The session has left.
    #[error("the session has ended; open a new one")]
    Gone,
}

/// A call that has no final answer yet.
pub(super) struct Call<T> {
    pub(super) caller: usize,
    pub(super) request: u64,
    pub(super) registration: u64,
    /// Its place among all calls, in the order of arrival.
    pub(super) ticket: u64,
    pub(super) random: u64,
    /// The URI, if the registration is for a pattern and a callee is still to be told.
    pub(super) procedure: Option<Box<str>>,
    /// As they were in the first piece (WAMP, Freezing of Options in Progressive Call Invocations).
    pub(super) options: CallOptions,
    /// Whether more pieces are announced.
    pub(super) unfinished: bool,
    /// What the callee does not have yet.
    pub(super) pieces: VecDeque<Piece<T>>,
    /// What the pieces take up together, in bytes.
    pub(super) pieces_size: usize,
    /// What the callee has, as long as another one could begin with it.
    pub(super) again: Option<Piece<T>>,
    /// What it is counted with.
    pub(super) booked: Kept,
    /// When the dealer ends it.
    pub(super) deadline: Option<Duration>,
    /// The seats of those who have sent it on, or take no message that is so long.
    pub(super) tried: Vec<u64>,
    /// Some callee takes no message that is so long.
    pub(super) too_long: bool,
    pub(super) stage: Stage,
}

pub(super) struct Piece<T> {
    pub(super) payload: T,
    pub(super) progress: bool,
    /// In bytes.
    pub(super) size: usize,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Stage {
    /// For a callee.
    Waiting,
    Running(Run),
}

/// Who works on a call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub(super) callee: usize,
    pub(super) seat: u64,
    pub(super) invocation: u64,
    /// The callee was told to stop, and its answer goes to the caller (`kill`).
    pub(super) killed: bool,
    /// The callee watches over the timeout.
    pub(super) forwarded: bool,
}

impl<T> Call<T> {
    pub(super) fn is_running(&self, callee: usize, invocation: u64) -> bool {
        matches!(self.stage, Stage::Running(run) if run.callee == callee && run.invocation == invocation)
    }

    /// Whether not every callee may take it.
    pub(super) fn is_choosy(&self) -> bool {
        self.options.progress || !self.tried.is_empty()
    }

    /// Whether this callee may take it.
    pub(super) fn suits<P>(&self, seat: u64, callee: &Member<P>) -> bool {
        let features = callee.features;
        let takes_pieces = features.progressive_invocations && features.canceling;
        (takes_pieces || !self.options.progress) && !self.tried.contains(&seat)
    }

    pub(super) fn push_piece(&mut self, piece: Piece<T>) {
        self.pieces_size += piece.size;
        self.pieces.push_back(piece);
    }

    /// Puts a first piece back.
    pub(super) fn return_piece(&mut self, piece: Piece<T>) {
        self.pieces_size += piece.size;
        self.pieces.push_front(piece);
    }

    pub(super) fn pop_piece(&mut self) -> Option<Piece<T>> {
        let piece = self.pieces.pop_front()?;
        self.pieces_size -= piece.size;
        Some(piece)
    }

    /// Why it ends when no callee may take it.
    pub(super) fn why_hopeless(&self) -> CallFailure {
        match (self.too_long, self.tried.is_empty()) {
            (true, _) => CallFailure::CallTooLong,
            (false, false) => CallFailure::NoAvailableCallee,
            (false, true) => CallFailure::FeatureNotSupported,
        }
    }
}

impl<P: Party> Dealer<P> {
    /// Calls a procedure, or sends the next piece of a progressive call. The caller gets exactly one final RESULT or
    /// ERROR for each call, as long as it is there; the dealer's own errors come this way too, and may come before
    /// this returns. A piece of a call that has ended is dropped (WAMP, Continuations on Completed Calls).
    ///
    /// `random` decides for [`InvokePolicy::Random`](super::InvokePolicy::Random).
    #[expect(
        clippy::too_many_arguments,
        reason = "CALL has so many parts, and time and chance are arguments"
    )]
    pub fn call(
        &mut self,
        member: MemberId,
        request: u64,
        uri: &str,
        options: CallOptions,
        payload: P::Payload,
        now: Duration,
        random: u64,
        batch: &mut P::Batch,
    ) -> Result<(), CallProblem> {
        let caller = self.members.get_mut(member.0).ok_or(CallProblem::Gone)?;
        let piece = Piece { progress: options.progress, size: P::size(&payload), payload };
        if let Some(&key) = caller.calls.get(&request) {
            return self.continue_call(key, piece, batch);
        }
        if let Some(place) = caller.cut_off.iter().position(|&known| known == request) {
            if !piece.progress {
                caller.cut_off.remove(place);
            }
            return Ok(());
        }
        match self.admit(member.0, request, uri, options, piece, random) {
            Ok(key) => self.start(key, now, batch),
            Err(failure) => {
                let caller = &mut self.members[member.0];
                caller.party.error(request, &CallError::Dealer(failure), batch);
                if options.progress {
                    caller.cut_off(request);
                }
            }
        }
        Ok(())
    }

    fn admit(
        &mut self,
        caller: usize,
        request: u64,
        uri: &str,
        options: CallOptions,
        piece: Piece<P::Payload>,
        random: u64,
    ) -> Result<usize, CallFailure> {
        let registration = self.patterns.best(uri).ok_or(CallFailure::NoSuchProcedure)?;
        if self.members[caller].calls.len() >= self.rules.max_calls {
            return Err(CallFailure::TooManyCalls);
        }
        let exact = self.registrations[&registration].matching == MatchPolicy::Exact;
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        let key = self.calls.insert(Call {
            caller,
            request,
            registration,
            ticket,
            random,
            procedure: (!exact).then(|| uri.into()),
            options: CallOptions { timeout: options.timeout.filter(|time| !time.is_zero()), ..options },
            unfinished: options.progress,
            pieces_size: piece.size,
            pieces: VecDeque::from([piece]),
            again: None,
            booked: Kept::default(),
            deadline: None,
            tried: Vec::new(),
            too_long: false,
            stage: Stage::Waiting,
        });
        self.members[caller].calls.insert(request, key);
        self.book(key);
        Ok(key)
    }

    /// A new call goes to a callee, or waits for one.
    fn start(&mut self, key: usize, now: Duration, batch: &mut P::Batch) {
        self.restart_timer(key, now);
        let call = &self.calls[key];
        let (id, ticket, choosy) = (call.registration, call.ticket, call.is_choosy());
        if choosy && !self.has_hope(key) {
            return self.end(key, CallFailure::FeatureNotSupported, batch);
        }
        // Whatever waits already goes first.
        let placed = if self.registrations[&id].has_queue() || choosy {
            Placed::Waits
        } else {
            self.place(key, batch)
        };
        match placed {
            Placed::Begun => {}
            Placed::Hopeless => return self.end(key, self.calls[key].why_hopeless(), batch),
            Placed::Waits => {
                let now_choosy = self.calls[key].is_choosy();
                let registration = self.registrations.get_mut(&id);
                let registration = registration.expect("a call's registration while it waits");
                registration.enqueue(ticket, key, now_choosy, 1);
            }
        }
        if choosy {
            self.hand_out(id, batch);
        }
        self.bound(key, batch);
    }

    /// Ends a call that is still there but for which there is no room.
    fn bound(&mut self, key: usize, batch: &mut P::Batch) {
        let Some(call) = self.calls.get(key) else { return };
        let waiting = match call.stage {
            Stage::Waiting => self.registrations.get(&call.registration).map_or(0, |r| r.waiting),
            Stage::Running(_) => call.pieces.len(),
        };
        if waiting > self.rules.max_queued || self.keeps_too_much(key) {
            let registration = self.forsake(key, CallFailure::QueueFull, batch);
            self.hand_out(registration, batch);
        }
    }

    fn continue_call(
        &mut self,
        key: usize,
        piece: Piece<P::Payload>,
        batch: &mut P::Batch,
    ) -> Result<(), CallProblem> {
        let call = &mut self.calls[key];
        if !call.unfinished {
            return Err(CallProblem::RequestInUse);
        }
        call.unfinished = piece.progress;
        call.push_piece(piece);
        let (stage, registration) = (call.stage, call.registration);
        self.book(key);
        match stage {
            Stage::Waiting => {
                let registration = self.registrations.get_mut(&registration);
                registration.expect("a call's registration while it waits").waiting += 1;
            }
            Stage::Running(_) => {
                if let Some(registration) = self.send_pieces(key, batch) {
                    self.hand_out(registration, batch);
                    return Ok(());
                }
            }
        }
        self.bound(key, batch);
        Ok(())
    }
}

impl<P> Member<P> {
    /// Remembers a call that has ended before its caller had sent all of it.
    pub(super) fn cut_off(&mut self, request: u64) {
        if self.cut_off.len() == CUT_OFF {
            self.cut_off.pop_front();
        }
        self.cut_off.push_back(request);
    }
}
