//! Which callee gets which call, and when.

use std::collections::BTreeMap;

use super::calls::{Run, Stage};
use super::{CallFailure, Dealer, Invocation, InvokePolicy, MemberId, Party};
use crate::hub::Offered;

/// What came of the search for a callee.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Placed {
    /// One has it.
    Begun,
    /// One may have it later.
    Waits,
    /// It is too long for all that could have had it, and must end.
    Hopeless,
}

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
            // Should the call end, then whatever it leaves room for is handed out below.
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
            let placed = self.place(key, batch);
            if placed == Placed::Hopeless {
                self.end(key, self.calls[key].why_hopeless(), batch);
            }
            let choosy = placed == Placed::Waits && self.calls[key].is_choosy();
            let Some(registration) = self.registrations.get_mut(&id) else { continue };
            match placed {
                Placed::Begun => registration.dequeue(ticket, pieces),
                Placed::Hopeless => {}
                // One that only some callees take holds nobody up.
                Placed::Waits if choosy && registration.let_pass(ticket) => {}
                Placed::Waits => continue,
            }
            calls.extend(registration.candidates(ticket + 1));
        }
    }

    /// Whether any callee may take a call, be it busy or not.
    pub(super) fn has_hope(&self, key: usize) -> bool {
        let call = &self.calls[key];
        self.registrations.get(&call.registration).is_some_and(|registration| {
            registration.seats().iter().any(|seat| call.suits(seat.number, &self.members[seat.member]))
        })
    }

    /// Gives a call to the callee whose turn it is. A callee that has no room is not ready any more; one for which
    /// the call is too long is passed over.
    pub(super) fn place(&mut self, key: usize, batch: &mut P::Batch) -> Placed {
        loop {
            let call = &self.calls[key];
            let Some(registration) = self.registrations.get(&call.registration) else { return Placed::Waits };
            let suits = |seat: &super::registrations::Seat| {
                let callee = &self.members[seat.member];
                callee.ready && call.suits(seat.number, callee)
            };
            let Some(place) = registration.pick(call.random, suits) else {
                let ends = call.too_long && !self.has_hope(key);
                return if ends { Placed::Hopeless } else { Placed::Waits };
            };
            let seat = &registration.seats()[place];
            let callee = &self.members[seat.member];
            let run = Run {
                callee: seat.member,
                seat: seat.number,
                invocation: callee.next_invocation,
                killed: false,
                forwarded: seat.forward_timeout && callee.features.timeout && call.options.timeout.is_some(),
            };
            match self.offer(key, &run, batch) {
                Offered::Taken => {
                    self.set_off(key, place, run);
                    self.send_pieces(key, batch);
                    return Placed::Begun;
                }
                Offered::Full => self.members[run.callee].ready = false,
                Offered::Never => {
                    let call = &mut self.calls[key];
                    call.tried.push(run.seat);
                    call.too_long = true;
                }
            }
        }
    }

    /// Offers the next piece of a call to its callee.
    fn offer(&self, key: usize, run: &Run, batch: &mut P::Batch) -> Offered {
        let call = &self.calls[key];
        let Some(piece) = call.pieces.front() else { return Offered::Taken };
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
        let first = call.pop_piece();
        let callee = &mut self.members[run.callee];
        callee.next_invocation += 1;
        callee.invocations.insert(run.invocation, key);
        if let Some(registration) = self.registrations.get_mut(&call.registration) {
            registration.occupy(place);
            let others = registration.invoke != InvokePolicy::Single;
            let again = first.filter(|_| callee.features.reroute && others);
            let again = again.filter(|piece| self.has_room_to_spare(key, piece.size));
            self.calls[key].again = again;
        }
        self.book(key);
        let call = &mut self.calls[key];
        if run.forwarded
            && let Some(deadline) = call.deadline.take()
        {
            self.deadlines.remove(&(deadline, call.ticket));
        }
    }

    /// Sends a running call's callee what it does not have yet, as long as it has room. A call with a piece that is
    /// too long for it ends; then this is the registration, in which there may be room now.
    pub(super) fn send_pieces(&mut self, key: usize, batch: &mut P::Batch) -> Option<u64> {
        let Stage::Running(run) = self.calls[key].stage else { return None };
        while !self.calls[key].pieces.is_empty() {
            let ready = self.members[run.callee].ready;
            match if ready { self.offer(key, &run, batch) } else { Offered::Full } {
                Offered::Taken => {
                    let call = &mut self.calls[key];
                    call.pop_piece();
                    call.again = None;
                    self.book(key);
                }
                Offered::Full => {
                    let ticket = self.calls[key].ticket;
                    let callee = &mut self.members[run.callee];
                    callee.ready = false;
                    callee.stalled.insert(ticket, key);
                    return None;
                }
                Offered::Never => return Some(self.forsake(key, CallFailure::CallTooLong, batch)),
            }
        }
        None
    }
}
