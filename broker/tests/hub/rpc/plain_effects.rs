//! The plain dealer, second half: how calls end, and who gets what.

use petasus_broker::hub::{
    CallError, CallFailure, CancelMode, Invocation, InvokePolicy, NoSuchInvocation, Offered, Party,
};

use super::faults::Fault;
use super::log::{Act, RULES, SIZE, UNAVAILABLE};
use super::plain::{Call, PlainDealer, Run, Seat};

impl Call {
    fn has_more(&self) -> bool {
        self.unfinished || !self.pieces.is_empty()
    }

    pub(super) fn uri_len(&self) -> usize {
        if self.pattern { self.uri.len() } else { 0 }
    }

    pub(super) fn queued(&self) -> usize {
        self.pieces.len() * SIZE + if self.has_more() { self.uri_len() } else { 0 }
    }

    pub(super) fn spare(&self) -> usize {
        let uri = if self.has_more() { 0 } else { self.uri_len() };
        self.first.map_or(0, |_| SIZE + uri)
    }

    pub(super) fn why_tried_in_vain(&self) -> CallFailure {
        if self.too_long { CallFailure::CallTooLong } else { CallFailure::NoAvailableCallee }
    }
}

impl PlainDealer {
    /// What waits for callees that have no room: pieces, and the URIs that somebody is still to hear.
    pub(super) fn queued(&self, who: Option<usize>) -> usize {
        let calls = self.calls.iter().filter(|call| who.is_none_or(|who| call.who == who));
        calls.map(Call::queued).sum()
    }

    pub(super) fn spare(&self, who: Option<usize>) -> usize {
        let calls = self.calls.iter().filter(|call| who.is_none_or(|who| call.who == who));
        calls.map(Call::spare).sum()
    }

    pub(super) fn keeps_too_much(&self, call: &Call) -> bool {
        let own = self.queued(Some(call.who)) > RULES.max_caller_bytes;
        let all = self.queued(None) > RULES.max_queued_bytes;
        call.queued() > 0 && (all || (own && !self.has(Fault::CallerTakesAll)))
    }

    pub(super) fn answer(&mut self, act: &Act) -> Result<(), NoSuchInvocation> {
        let (who, invocation, progress, payload, uri) = match *act {
            Act::Yield { who, invocation, progress, payload } => (who, invocation, progress, payload, None),
            Act::Fail { who, invocation, payload, uri } => (who, invocation, false, payload, Some(uri)),
            _ => unreachable!(),
        };
        let payload = if self.has(Fault::MixesPayloads) {
            std::mem::replace(&mut self.last_payload, payload)
        } else {
            payload
        };
        let is_own = |run: Run| run.who == who && run.invocation == invocation;
        let Some(call) = self.calls.iter().find(|call| call.run.is_some_and(is_own)).cloned() else {
            let person = self.people.get_mut(&who).expect("a callee");
            if invocation == 0 || invocation >= person.next_invocation {
                return Err(NoSuchInvocation);
            }
            if !progress {
                person.abandoned.retain(|task| task.0 != invocation);
            }
            return Ok(());
        };
        let run = call.run.expect("it was found by it");
        let caller = self.people[&call.who].desk.clone();
        let (now, stays, unasked) =
            (self.now, self.has(Fault::TimeoutGoesOn), self.has(Fault::PassesProgressUnasked));
        let frees = self.has(Fault::ProgressFreesThePlace);
        if progress {
            let wanted = call.options.receive_progress;
            let told = !(wanted || unasked) || caller.result(call.request, true, &payload, &mut ());
            if wanted && !told {
                self.call(call.key).first = None;
                self.forsake(call.key, CallFailure::ResultTooLong);
                return Ok(());
            }
            let call = self.call(call.key);
            call.first = None;
            call.run.as_mut().expect("it runs").freed |= frees;
            if !run.forwarded && !stays {
                call.deadline = call.options.timeout.map(|timeout| now + timeout);
            }
            return Ok(());
        }
        let reroute = uri == Some(UNAVAILABLE) && self.people[&who].features.reroute && !run.killed;
        if reroute && !self.has(Fault::UnavailableIsVerbatim) {
            self.send_on(&call, run);
            return Ok(());
        }
        self.remove(call.key);
        match uri {
            None => {
                let told = caller.result(call.request, false, &payload, &mut ());
                if !told && !self.has(Fault::LongResultsAreLost) {
                    let error = CallError::Dealer(CallFailure::ResultTooLong);
                    caller.error(call.request, &error, &mut ());
                }
            }
            Some(uri) => {
                caller.error(call.request, &CallError::Callee { uri, payload: &payload }, &mut ());
            }
        }
        Ok(())
    }

    fn send_on(&mut self, call: &Call, run: Run) {
        let (now, again) = (self.now, self.has(Fault::TriesTheSameAgain));
        let call = self.call(call.key);
        call.run = None;
        if !again {
            call.tried.push(run.seat);
        }
        if run.forwarded {
            call.deadline = call.options.timeout.map(|timeout| now + timeout);
        }
        let first = call.first.take();
        call.pieces.extend(first);
        call.pieces.rotate_right(usize::from(first.is_some()));
        let call = call.clone();
        if first.is_none() {
            self.end(call.key, CallFailure::NoAvailableCallee);
        } else if !self.hope(&call) {
            self.end(call.key, call.why_tried_in_vain());
        }
    }

    /// Ends a call: whoever works on it is told, if that is possible.
    pub(super) fn forsake(&mut self, key: u64, failure: CallFailure) {
        if let Some(run) = self.call(key).run
            && let Some(callee) = self.people.get(&run.who)
        {
            if callee.features.canceling && !run.killed {
                callee.desk.interrupt(run.invocation, CancelMode::KillNoWait, failure.uri(), &mut ());
            } else {
                self.abandon(run);
            }
        }
        self.end(key, failure);
    }

    pub(super) fn abandon(&mut self, run: Run) {
        let limited = self.seat(run.seat).is_some_and(|seat| seat.limit.is_some());
        if limited && !self.has(Fault::SkipFreesThePlace) {
            let callee = self.people.get_mut(&run.who).expect("a callee");
            callee.abandoned.push((run.invocation, run.seat));
        }
    }

    pub(super) fn end(&mut self, key: u64, failure: CallFailure) {
        let call = self.remove(key);
        if let Some(caller) = self.people.get(&call.who) {
            caller.desk.error(call.request, &CallError::Dealer(failure), &mut ());
        }
    }

    pub(super) fn remove(&mut self, key: u64) -> Call {
        let place = self.calls.iter().position(|call| call.key == key).expect("a call");
        let call = self.calls.remove(place);
        if call.unfinished
            && let Some(caller) = self.people.get_mut(&call.who)
        {
            caller.cut_off.push(call.request);
        }
        call
    }

    /// Gives everybody what there is room for, first come first served.
    pub(super) fn sweep(&mut self) {
        let running: Vec<u64> = self.calls.iter().filter(|c| c.run.is_some()).map(|c| c.key).collect();
        for key in running {
            self.send_pieces(key);
        }
        let mut waiting: Vec<u64> = self.calls.iter().filter(|c| c.run.is_none()).map(|c| c.key).collect();
        if self.has(Fault::NewestFirst) {
            waiting.reverse();
        }
        for key in waiting {
            self.place(key);
        }
    }

    fn place(&mut self, key: u64) {
        loop {
            let call = self.call(key).clone();
            let Some(seat) = self.whose_turn(&call) else {
                if call.too_long && !self.hope(&call) {
                    self.end(key, CallFailure::CallTooLong);
                }
                return;
            };
            let callee = &self.people[&seat.who];
            let timeout = call.options.timeout.is_some();
            let run = Run {
                who: seat.who,
                seat: seat.key,
                invocation: callee.next_invocation,
                killed: false,
                forwarded: seat.forward && callee.features.timeout && timeout,
                freed: false,
            };
            match self.offer(&call, run) {
                Offered::Taken => {}
                Offered::Full => {
                    self.people.get_mut(&seat.who).expect("a callee").ready = false;
                    continue;
                }
                Offered::Never => {
                    let call = self.call(key);
                    call.tried.push(seat.key);
                    call.too_long = true;
                    continue;
                }
            }
            let callee = self.people.get_mut(&seat.who).expect("a callee");
            callee.next_invocation += 1;
            let reroutes = callee.features.reroute;
            let sticky = self.has(Fault::SticksToOne);
            let registration = self.registration_mut(call.registration).expect("it has a seat there");
            if !sticky {
                registration.turn = after(&registration.seats, seat.key);
            }
            let shared = registration.options.invoke != InvokePolicy::Single;
            let cost = SIZE + call.uri_len();
            let own = self.spare(Some(call.who)) + cost <= RULES.max_spare_bytes;
            let all = self.spare(None) + cost <= RULES.max_queued_bytes;
            let kept = reroutes && shared && ((own && all) || self.has(Fault::SparesAll));
            let call = self.call(key);
            call.run = Some(run);
            call.first = call.pieces.pop_front().filter(|_| kept);
            if run.forwarded {
                call.deadline = None;
            }
            return self.send_pieces(key);
        }
    }

    fn whose_turn(&self, call: &Call) -> Option<Seat> {
        let registration = self.registration(call.registration)?;
        let fits =
            |seat: &&Seat| self.is_open(**seat) && self.people[&seat.who].ready && self.suits(call, **seat);
        let seats = &registration.seats;
        let mut round = seats.iter().filter(|s| Some(s.key) >= registration.turn).chain(seats);
        let fitting: Vec<Seat> = seats.iter().filter(fits).copied().collect();
        match registration.options.invoke {
            InvokePolicy::Single | InvokePolicy::First => fitting.first().copied(),
            InvokePolicy::Last => fitting.last().copied(),
            InvokePolicy::RoundRobin => round.find(fits).copied(),
            InvokePolicy::Random => {
                let place = call.random.checked_rem(fitting.len() as u64)?;
                Some(fitting[place as usize])
            }
        }
    }

    pub(super) fn send_pieces(&mut self, key: u64) {
        let call = self.call(key).clone();
        let Some(run) = call.run else { return };
        if call.pieces.is_empty() {
            return;
        }
        let ready = self.people[&run.who].ready;
        match if ready { self.offer(&call, run) } else { Offered::Full } {
            Offered::Taken => {}
            Offered::Full => {
                self.people.get_mut(&run.who).expect("a callee").ready = false;
                return;
            }
            Offered::Never => return self.forsake(key, CallFailure::CallTooLong),
        }
        let call = self.call(key);
        call.pieces.pop_front();
        call.first = None;
        self.send_pieces(key);
    }

    fn offer(&self, call: &Call, run: Run) -> Offered {
        let callee = &self.people[&run.who];
        let (payload, progress) = call.pieces[0];
        let disclose = call.options.disclose || self.has(Fault::DisclosesAll);
        let renumber = self.has(Fault::NewNumberForEachPiece);
        let invocation = Invocation {
            id: if renumber { u64::from(payload) } else { run.invocation },
            registration: call.registration,
            procedure: call.pattern.then_some(call.uri),
            caller: self.people.get(&call.who).filter(|_| disclose).map(|caller| &caller.desk),
            receive_progress: call.options.receive_progress && callee.features.progressive_results,
            progress,
            timeout: call.options.timeout.filter(|_| run.forwarded),
            payload: &payload,
        };
        match callee.desk.invoke(&invocation, &mut ()) {
            Offered::Never if self.has(Fault::TooLongIsFull) => Offered::Full,
            offered => offered,
        }
    }
}

/// The seat after this one, in a round.
pub(super) fn after(seats: &[Seat], key: u64) -> Option<u64> {
    seats.iter().find(|seat| seat.key > key).or(seats.first()).map(|seat| seat.key)
}
