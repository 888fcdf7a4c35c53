//! Which callee gets which call, and when.

use std::collections::BTreeMap;

use super::calls::{Run, Stage};
use super::{Dealer, Invocation, InvokePolicy, MemberId, Party};

impl<P: Party> Dealer<P> {
    /// Says that a party has room for invocations again. It gets what waits for it: first the pieces of what it works
    /// on, then new calls of all its registrations in the order of their arrival.
    pub fn ready(&mut self, member: MemberId, batch: &mut P::Batch) {
        let Some(callee) = self.members.get_mut(member.0) else { return };
        if callee.ready {
            return;
        }
        callee.ready = true;
        while let Some((_, key)) = self.members[member.0].stalled.pop_first() {
            self.send_pieces(key, batch);
            if !self.members[member.0].ready {
                return;
            }
        }
        let registrations: Vec<u64> = self.members[member.0].registrations.keys().copied().collect();
        self.hand_out_all(registrations.into_iter(), batch);
    }

    /// Hands out what waits in one registration, as long as somebody takes it.
    pub(super) fn hand_out(&mut self, registration: u64, batch: &mut P::Batch) {
        self.hand_out_all(std::iter::once(registration), batch);
    }

    /// The same for several, in the order in which the calls came. A call that nobody takes now need not be tried
    /// again: giving others away makes no room.
    pub(super) fn hand_out_all(&mut self, registrations: impl Iterator<Item = u64>, batch: &mut P::Batch) {
        let mut calls = BTreeMap::new();
        for id in registrations {
            calls.extend(self.registrations.get(&id).into_iter().flat_map(|r| r.candidates(0)));
        }
        while let Some((ticket, key)) = calls.pop_first() {
            let call = &self.calls[key];
            let (id, pieces) = (call.registration, call.pieces.len());
            if self.place(key, batch)
                && let Some(registration) = self.registrations.get_mut(&id)
            {
                registration.dequeue(ticket, pieces);
                calls.extend(registration.candidates(ticket));
            }
        }
    }

    /// Whether any callee may take a call, be it busy or not.
    pub(super) fn has_hope(&self, key: usize) -> bool {
        let call = &self.calls[key];
        self.registrations.get(&call.registration).is_some_and(|registration| {
            registration.seats().iter().any(|seat| call.suits(seat.number, &self.members[seat.member]))
        })
    }

    /// Gives a call to the callee whose turn it is. A callee that refuses is not ready any more.
    pub(super) fn place(&mut self, key: usize, batch: &mut P::Batch) -> bool {
        loop {
            let call = &self.calls[key];
            let Some(registration) = self.registrations.get(&call.registration) else { return false };
            let suits = |seat: &super::registrations::Seat| {
                let callee = &self.members[seat.member];
                callee.ready && call.suits(seat.number, callee)
            };
            let Some(place) = registration.pick(call.random, suits) else { return false };
            let seat = &registration.seats()[place];
            let callee = &self.members[seat.member];
            let run = Run {
                callee: seat.member,
                seat: seat.number,
                invocation: callee.next_invocation,
                killed: false,
                forwarded: seat.forward_timeout && callee.features.timeout && call.options.timeout.is_some(),
            };
            if self.offer(key, &run, batch) {
                self.set_off(key, place, run);
                self.send_pieces(key, batch);
                return true;
            }
            self.members[run.callee].ready = false;
        }
    }

    /// Offers the next piece of a call to its callee.
    fn offer(&self, key: usize, run: &Run, batch: &mut P::Batch) -> bool {
        let call = &self.calls[key];
        let Some(piece) = call.pieces.front() else { return true };
        let callee = &self.members[run.callee];
        let invocation = Invocation {
            id: run.invocation,
            registration: call.registration,
            procedure: call.procedure.as_deref(),
            caller: call.options.disclose.then(|| &self.members[call.caller].party),
            receive_progress: call.options.receive_progress && callee.features.progressive_results,
            progress: piece.progress,
            timeout: call.options.timeout.filter(|_| run.forwarded),
            payload: &piece.payload,
        };
        callee.party.invoke(&invocation, batch)
    }

    /// The callee at this place has the first piece.
    fn set_off(&mut self, key: usize, place: usize, run: Run) {
        let call = &mut self.calls[key];
        call.stage = Stage::Running(run);
        let first = call.pieces.pop_front();
        let callee = &mut self.members[run.callee];
        callee.next_invocation += 1;
        callee.invocations.insert(run.invocation, key);
        if let Some(registration) = self.registrations.get_mut(&call.registration) {
            registration.occupy(place);
            let others = registration.invoke != InvokePolicy::Single;
            let kept = callee.features.reroute && others;
            self.kept -= first.as_ref().filter(|_| !kept).map_or(0, |piece| piece.size);
            call.again = first.filter(|_| kept);
        }
        if run.forwarded
            && let Some(deadline) = call.deadline.take()
        {
            self.deadlines.remove(&(deadline, call.ticket));
        }
    }

    /// Sends a running call's callee what it does not have yet, as long as it has room.
    pub(super) fn send_pieces(&mut self, key: usize, batch: &mut P::Batch) {
        let Stage::Running(run) = self.calls[key].stage else { return };
        while !self.calls[key].pieces.is_empty() {
            if !self.members[run.callee].ready || !self.offer(key, &run, batch) {
                let ticket = self.calls[key].ticket;
                let callee = &mut self.members[run.callee];
                callee.ready = false;
                callee.stalled.insert(ticket, key);
                return;
            }
            let call = &mut self.calls[key];
            let sent = call.pieces.pop_front().into_iter().chain(call.again.take());
            self.kept -= sent.map(|piece| piece.size).sum::<usize>();
        }
    }
}
