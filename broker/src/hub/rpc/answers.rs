//! YIELD and ERROR from callees.

use std::time::Duration;

use super::calls::{Run, Stage};
use super::party::UNAVAILABLE;
use super::{CallError, CallFailure, Dealer, MemberId, Party};

/// A protocol violation: the callee answers an invocation that never was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there was no invocation with this request id; answer with the id that INVOCATION gave")]
pub struct NoSuchInvocation;

impl<P: Party> Dealer<P> {
    /// A callee yields a result, or one of several (`progress`), which its caller gets only if it wants such. The
    /// answer to an invocation that has ended otherwise in the meantime is dropped.
    pub fn yield_(
        &mut self,
        member: MemberId,
        invocation: u64,
        progress: bool,
        payload: &P::Payload,
        now: Duration,
        batch: &mut P::Batch,
    ) -> Result<(), NoSuchInvocation> {
        let Some((key, run)) = self.run(member, invocation) else {
            return self.late(member, invocation, progress, batch);
        };
        if progress {
            let call = &mut self.calls[key];
            call.again = None;
            self.book(key);
            let call = &self.calls[key];
            if call.options.receive_progress
                && !self.members[call.caller].party.result(call.request, true, payload, batch)
            {
                // A caller that misses a part of its result is better told so at once.
                let registration = self.forsake(key, CallFailure::ResultTooLong, batch);
                self.hand_out(registration, batch);
                return Ok(());
            }
            if !run.forwarded {
                self.restart_timer(key, now);
            }
            return Ok(());
        }
        let call = self.remove_call(key);
        if !self.members[call.caller].party.result(call.request, false, payload, batch) {
            self.send_failure(&call, CallFailure::ResultTooLong, batch);
        }
        self.release(call.registration, run.seat);
        self.hand_out(call.registration, batch);
        Ok(())
    }

    /// A callee answers with an error. It goes to the caller verbatim, except that `wamp.error.unavailable` of a
    /// callee that has announced re-routing sends the call to the next one (WAMP, Call Re-Routing), as long as
    /// nothing has come of it: no progressive result, and no second piece sent. It must also have been kept for that,
    /// for which there is room only up to [`max_spare_bytes`](super::DealerRules::max_spare_bytes).
    pub fn fail(
        &mut self,
        member: MemberId,
        invocation: u64,
        uri: &str,
        payload: &P::Payload,
        now: Duration,
        batch: &mut P::Batch,
    ) -> Result<(), NoSuchInvocation> {
        let Some((key, run)) = self.run(member, invocation) else {
            return self.late(member, invocation, false, batch);
        };
        let registration = self.calls[key].registration;
        if uri == UNAVAILABLE && self.members[member.0].features.reroute && !run.killed {
            self.send_on(key, run, now, batch);
        } else {
            let call = self.remove_call(key);
            let error = CallError::Callee { uri, payload };
            self.members[call.caller].party.error(call.request, &error, batch);
            self.release(registration, run.seat);
        }
        self.hand_out(registration, batch);
        Ok(())
    }

    fn run(&self, member: MemberId, invocation: u64) -> Option<(usize, Run)> {
        let &key = self.members.get(member.0)?.invocations.get(&invocation)?;
        match self.calls[key].stage {
            Stage::Running(run) => Some((key, run)),
            Stage::Waiting => None,
        }
    }

    /// The answer to what nobody waits for. A callee counts its invocations from 1, so what is below the next one
    /// did exist.
    fn late(
        &mut self,
        member: MemberId,
        invocation: u64,
        progress: bool,
        batch: &mut P::Batch,
    ) -> Result<(), NoSuchInvocation> {
        let callee = self.members.get_mut(member.0).ok_or(NoSuchInvocation)?;
        if invocation == 0 || invocation >= callee.next_invocation {
            return Err(NoSuchInvocation);
        }
        if !progress && let Some((registration, seat)) = callee.abandoned.remove(&invocation) {
            self.release(registration, seat);
            self.hand_out(registration, batch);
        }
        Ok(())
    }

    /// Puts a call that its callee has sent on back to those that wait, where it was before.
    fn send_on(&mut self, key: usize, run: Run, now: Duration, batch: &mut P::Batch) {
        let callee = &mut self.members[run.callee];
        callee.invocations.remove(&run.invocation);
        callee.stalled.remove(&self.calls[key].ticket);
        let call = &mut self.calls[key];
        call.stage = Stage::Waiting;
        call.tried.push(run.seat);
        let (id, ticket, first) = (call.registration, call.ticket, call.again.take());
        self.release(id, run.seat);
        let Some(first) = first else {
            return self.end(key, CallFailure::NoAvailableCallee, batch);
        };
        self.calls[key].return_piece(first);
        self.book(key);
        if !self.has_hope(key) {
            return self.end(key, self.calls[key].why_hopeless(), batch);
        }
        if run.forwarded {
            self.restart_timer(key, now);
        }
        let payloads = self.calls[key].pieces.len();
        if let Some(registration) = self.registrations.get_mut(&id) {
            registration.enqueue(ticket, key, true, payloads);
        }
    }

    pub(super) fn release(&mut self, registration: u64, seat: u64) {
        if let Some(registration) = self.registrations.get_mut(&registration) {
            registration.release(seat);
        }
    }

    /// Begins to wait for the next answer.
    pub(super) fn restart_timer(&mut self, key: usize, now: Duration) {
        let call = &mut self.calls[key];
        let Some(timeout) = call.options.timeout else { return };
        let deadline = now.saturating_add(timeout);
        if let Some(old) = call.deadline.replace(deadline) {
            self.deadlines.remove(&(old, call.ticket));
        }
        self.deadlines.insert((deadline, call.ticket), key);
    }
}
