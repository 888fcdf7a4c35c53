//! How calls end otherwise than by an answer.

use std::collections::BTreeSet;
use std::time::Duration;

use super::calls::{Call, Run, Stage};
use super::keeping::Kept;
use super::{CallError, CallFailure, CancelMode, Dealer, MemberId, Party};

impl<P: Party> Dealer<P> {
    /// A caller cancels its call (WAMP, Call Canceling). What waits ends at once, whatever the mode; a callee that
    /// has not announced the feature is not told. A call that has ended is no error: the two have crossed.
    pub fn cancel(&mut self, member: MemberId, request: u64, mode: CancelMode, batch: &mut P::Batch) {
        let Some(&key) = self.members.get(member.0).and_then(|caller| caller.calls.get(&request)) else {
            return;
        };
        if let Stage::Running(run) = &mut self.calls[key].stage {
            let callee = &self.members[run.callee];
            if mode == CancelMode::Kill && callee.features.canceling {
                if !std::mem::replace(&mut run.killed, true) {
                    callee.party.interrupt(run.invocation, mode, CallFailure::Canceled.uri(), batch);
                }
                return;
            }
        }
        let registration = if mode == CancelMode::Skip {
            self.skip(key, CallFailure::Canceled, batch)
        } else {
            self.forsake(key, CallFailure::Canceled, batch)
        };
        self.hand_out(registration, batch);
    }

    /// Ends the calls whose time is up: their callers get ERROR `wamp.error.timeout`.
    pub fn expire(&mut self, now: Duration, batch: &mut P::Batch) {
        let mut touched = BTreeSet::new();
        while let Some((&(deadline, _), &key)) = self.deadlines.first_key_value() {
            if deadline > now {
                break;
            }
            touched.insert(self.forsake(key, CallFailure::Timeout, batch));
        }
        self.hand_out_all(touched.into_iter(), batch);
    }

    /// Ends a call: the callee is interrupted if it can be, the caller gets its error. Returns the registration, in
    /// which there may be room now.
    pub(super) fn forsake(&mut self, key: usize, failure: CallFailure, batch: &mut P::Batch) -> u64 {
        let call = self.remove_call(key);
        if let Stage::Running(run) = call.stage
            && let Some(callee) = self.members.get(run.callee)
        {
            // Who was killed is stopping already, and will answer.
            if callee.features.canceling && !run.killed {
                callee.party.interrupt(run.invocation, CancelMode::KillNoWait, failure.uri(), batch);
                self.release(call.registration, run.seat);
            } else {
                self.abandon(call.registration, run);
            }
        }
        self.send_failure(&call, failure, batch);
        call.registration
    }

    /// Ends a call without a word to the callee.
    fn skip(&mut self, key: usize, failure: CallFailure, batch: &mut P::Batch) -> u64 {
        let call = self.remove_call(key);
        if let Stage::Running(run) = call.stage {
            self.abandon(call.registration, run);
        }
        self.send_failure(&call, failure, batch);
        call.registration
    }

    /// The callee goes on with something that nobody waits for. That is only worth remembering if there is a limit
    /// to how much it does at a time.
    fn abandon(&mut self, registration: u64, run: Run) {
        let seat = self.registrations.get(&registration).and_then(|registration| registration.seat(run.seat));
        let Some(seat) = seat else { return };
        if seat.is_limited()
            && let Some(callee) = self.members.get_mut(run.callee)
        {
            callee.abandoned.insert(run.invocation, (registration, run.seat));
        } else {
            self.release(registration, run.seat);
        }
    }

    /// Ends a call that waits.
    pub(super) fn end(&mut self, key: usize, failure: CallFailure, batch: &mut P::Batch) {
        let call = self.remove_call(key);
        self.send_failure(&call, failure, batch);
    }

    pub(super) fn send_failure(&self, call: &Call<P::Payload>, failure: CallFailure, batch: &mut P::Batch) {
        if let Some(caller) = self.members.get(call.caller) {
            caller.party.error(call.request, &CallError::Dealer(failure), batch);
        }
    }

    /// Takes a call out of every place where it is known. Its callee's place stays taken.
    pub(super) fn remove_call(&mut self, key: usize) -> Call<P::Payload> {
        let call = self.calls.remove(key);
        self.rebook(call.caller, call.booked, Kept::default());
        if let Some(caller) = self.members.get_mut(call.caller) {
            caller.calls.remove(&call.request);
            if call.unfinished {
                caller.cut_off(call.request);
            }
        }
        if let Some(deadline) = call.deadline {
            self.deadlines.remove(&(deadline, call.ticket));
        }
        match call.stage {
            Stage::Waiting => {
                if let Some(registration) = self.registrations.get_mut(&call.registration) {
                    registration.dequeue(call.ticket, call.pieces.len());
                }
            }
            Stage::Running(run) => {
                if let Some(callee) = self.members.get_mut(run.callee) {
                    callee.invocations.remove(&run.invocation);
                    callee.stalled.remove(&call.ticket);
                }
            }
        }
        call
    }
}
