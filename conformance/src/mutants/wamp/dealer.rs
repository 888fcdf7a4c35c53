//! Calls: registrations, invocations, and answers.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::Defect;
use super::groups::Kind;
use super::router::{Rest, Router};
use super::session::{Able, ROLE, Shared, authid, lock};
use crate::raw::wamp::{Value, code};

/// A callee of a procedure.
pub(super) struct Callee {
    pub(super) session: u64,
    /// How many calls it takes at once.
    concurrency: Option<usize>,
    /// What it says of itself.
    able: Able,
}

/// A procedure.
pub(super) struct Registration {
    pub(super) id: u64,
    pub(super) matching: String,
    pub(super) procedure: String,
    pub(super) policy: String,
    pub(super) callees: Vec<Callee>,
    /// Whose turn it is.
    pub(super) turn: usize,
    pub(super) waiting: VecDeque<Call>,
}

/// A call that waits for a callee.
#[derive(Clone)]
pub(super) struct Call {
    pub(super) caller: u64,
    pub(super) number: Value,
    progress: bool,
    args: Vec<Value>,
    procedure: String,
    /// Whether its callee may know who calls.
    disclose: bool,
    /// Whether more pieces follow.
    more: bool,
    /// Who had no time for it.
    pub(super) tried: Vec<u64>,
}

/// A call that has one.
pub(super) struct Running {
    pub(super) caller: u64,
    pub(super) number: Value,
    pub(super) callee: u64,
    pub(super) invocation: u64,
    pub(super) registration: u64,
    /// Whether more pieces follow.
    pub(super) more: bool,
    /// What the next callee is asked, if this one has no time and may say so.
    pub(super) again: Option<Call>,
    /// The caller has its answer.
    is_over: bool,
    /// A part that a defect holds back.
    held: Option<Vec<Value>>,
}

/// All of it.
#[derive(Default)]
pub(super) struct Dealer {
    pub(super) registrations: Vec<Registration>,
    pub(super) running: Vec<Running>,
    /// The last invocation of each callee.
    pub(super) invocations: BTreeMap<u64, u64>,
}

impl Router {
    pub(super) fn register(&mut self, from: u64, number: Value, options: &Value, procedure: &str) {
        let policy = options.at("invoke").and_then(Value::text).unwrap_or("single").to_owned();
        let concurrency = options.at("concurrency").and_then(Value::int).map(|n| n as usize);
        let able = self.sessions.get(&from).map(|session| session.able).unwrap_or_default();
        let callee = Callee { session: from, concurrency, able };
        let matching = options.at("match").and_then(Value::text).unwrap_or("exact").to_owned();
        let defect = self.defect;
        let is_it = |known: &&mut Registration| known.procedure == procedure && known.matching == matching;
        let known = self.dealer.registrations.iter_mut().find(is_it);
        let mut created = false;
        let id = match known {
            Some(known) if known.policy == "single" && defect != Some(Defect::RegisteredTwice) => {
                return self.error(from, code::REGISTER, number, "wamp.error.procedure_already_exists");
            }
            Some(known) if known.policy != policy && defect != Some(Defect::AnyPolicy) => {
                let uri = "wamp.error.procedure_exists_with_different_invocation_policy";
                return self.error(from, code::REGISTER, number, uri);
            }
            Some(known) => {
                known.callees.push(callee);
                known.id
            }
            None => {
                created = true;
                let id = self.fresh();
                self.dealer.registrations.push(Registration {
                    id,
                    matching,
                    procedure: procedure.to_owned(),
                    policy,
                    callees: vec![callee],
                    turn: 0,
                    waiting: VecDeque::new(),
                });
                id
            }
        };
        let granted = vec![Value::Int(code::REGISTERED), number, Value::from(id)];
        self.grant(from, procedure, Defect::RegisteredLate, granted);
        self.added(Kind::Registration, id, from, created);
    }

    pub(super) fn unregister(&mut self, from: u64, number: Value, id: u64) {
        let mine = |known: &&mut Registration| {
            known.id == id && known.callees.iter().any(|callee| callee.session == from)
        };
        let Some(known) = self.dealer.registrations.iter_mut().find(mine) else {
            return self.error(from, code::UNREGISTER, number, "wamp.error.no_such_registration");
        };
        let stays = self.defect == Some(Defect::UnregisteredStays);
        if !stays {
            known.leave(from);
        }
        self.send(from, [Value::Int(code::UNREGISTERED), number]);
        if !stays {
            self.left(Kind::Registration, id, from);
        }
    }

    /// Procedures without a callee; who waits for one hears of it.
    pub(super) fn drop_empty(&mut self) {
        let (gone, stay) = std::mem::take(&mut self.dealer.registrations)
            .into_iter()
            .partition(|known: &Registration| known.callees.is_empty());
        self.dealer.registrations = stay;
        for call in gone.into_iter().flat_map(|known: Registration| known.waiting) {
            self.error(call.caller, code::CALL, call.number, "wamp.error.canceled");
        }
    }

    /// Somebody is gone: calls to it fail, and its own are nobody's.
    pub(super) fn part(&mut self, id: u64) {
        let its = self.groups_of(Kind::Registration, id);
        for known in &mut self.dealer.registrations {
            known.leave(id);
            known.waiting.retain(|call| call.caller != id);
        }
        let running = std::mem::take(&mut self.dealer.running);
        for call in running {
            if call.callee != id {
                let is_over = call.is_over || call.caller == id;
                self.dealer.running.push(Running { is_over, ..call });
            } else if !call.is_over && self.defect != Some(Defect::DeadCalleeSilent) {
                self.error(call.caller, code::CALL, call.number, "wamp.error.canceled");
            }
        }
        self.drop_empty();
        for group in its {
            self.left(Kind::Registration, group.id, id);
        }
        self.next();
    }

    pub(super) fn call(
        &mut self,
        from: u64,
        number: Value,
        options: &Value,
        procedure: &str,
        args: Rest<'_>,
    ) {
        if self.piece(from, &number, options, args) {
            return;
        }
        let Some(place) = self.dealer.best(procedure, self.defect) else {
            if self.defect != Some(Defect::NobodySilent) {
                self.error(from, code::CALL, number, "wamp.error.no_such_procedure");
            }
            return;
        };
        let progress = options.has("receive_progress") || self.defect == Some(Defect::AlwaysParts);
        let (disclose, more) = (options.has("disclose_me"), options.has("progress"));
        let known = &mut self.dealer.registrations[place];
        let takes_pieces = known.callees.iter().any(|callee| callee.able.pieces);
        if more && !takes_pieces && self.defect != Some(Defect::PiecesForAll) {
            return self.error(from, code::CALL, number, "wamp.error.feature_not_supported");
        }
        let (args, procedure) = (args.to_vec(), procedure.to_owned());
        let call =
            Call { caller: from, number, progress, args, procedure, disclose, more, tried: Vec::new() };
        known.waiting.push_back(call);
        self.next();
    }

    /// Gives out calls while somebody takes them.
    pub(super) fn next(&mut self) {
        for index in 0..self.dealer.registrations.len() {
            while let Some((place, call)) = self.dealer.turn(index, self.defect) {
                self.invoke(index, place, call);
            }
        }
    }

    fn invoke(&mut self, index: usize, place: usize, call: Call) {
        let known = &self.dealer.registrations[index];
        let (callee, able) = (known.callees[place].session, known.callees[place].able);
        let registration = known.id;
        let is_named = known.matching != "exact" && self.defect != Some(Defect::ProcedureUntold);
        let details = self.invocation_details(&call, is_named);
        let last = self.dealer.invocations.entry(callee).or_default();
        *last += if self.defect == Some(Defect::InvocationsJump) { 3 } else { 1 };
        let invocation = *last;
        let mut message =
            vec![Value::Int(code::INVOCATION), Value::from(invocation), Value::from(registration), details];
        message.extend(call.args.iter().cloned());
        self.send(callee, message);
        self.dealer.running.push(Running {
            caller: call.caller,
            number: call.number.clone(),
            callee,
            invocation,
            registration,
            more: call.more,
            again: able.reroutes.then_some(call),
            is_over: false,
            held: None,
        });
    }

    fn invocation_details(&self, call: &Call, is_named: bool) -> Value {
        let yes = |key, is_so: bool| is_so.then_some((key, Value::from(true)));
        let mut details = vec![yes("receive_progress", call.progress), yes("progress", call.more)];
        details.push(is_named.then(|| ("procedure", Value::from(&*call.procedure))));
        if call.disclose || self.defect == Some(Defect::CallerAlwaysTold) {
            details.push(Some(("caller", Value::from(call.caller))));
            if self.defect != Some(Defect::CallerHalfTold) {
                details.push(Some(("caller_authid", Value::Text(authid(call.caller)))));
                details.push(Some(("caller_authrole", Value::from(ROLE))));
            }
        }
        Value::map(details.into_iter().flatten())
    }

    /// YIELD, or ERROR with its URI.
    pub(super) fn answered(
        &mut self,
        from: u64,
        invocation: &Value,
        options: Option<&Value>,
        uri: Option<&Value>,
        args: Rest<'_>,
    ) {
        let is_its = |call: &Running| call.callee == from && Some(call.invocation) == invocation.id();
        let Some(index) = self.dealer.running.iter().position(is_its) else { return };
        if self.rerouted(index, uri) {
            return;
        }
        let is_part = options.is_some_and(|options| options.has("progress"));
        let call = &mut self.dealer.running[index];
        let (caller, number) = (call.caller, call.number.clone());
        let mut message = if let Some(uri) = uri {
            let kind = Value::Int(code::CALL);
            vec![Value::Int(code::ERROR), kind, number, Value::map([]), uri.clone()]
        } else {
            let part = is_part.then_some(("progress", Value::from(true)));
            vec![Value::Int(code::RESULT), number, Value::map(part)]
        };
        match self.defect {
            Some(Defect::NamesLost) if uri.is_none() => message.extend(args.first().cloned()),
            Some(Defect::ErrorBare) if uri.is_some() => {}
            _ => message.extend_from_slice(args),
        }
        if is_part && self.defect == Some(Defect::PartsSwapped) && call.held.is_none() {
            call.held = Some(message);
            return;
        }
        let held = call.held.take();
        let is_dropped = call.is_over && self.defect != Some(Defect::LateAnswers);
        if !is_part {
            self.dealer.running.remove(index);
        }
        if !is_dropped {
            if self.defect == Some(Defect::AnswersAll) && !is_part {
                let others: Vec<u64> = self.sessions.keys().copied().filter(|id| *id != caller).collect();
                for other in others {
                    self.send(other, message.clone());
                }
            }
            self.send(caller, message);
            if let Some(held) = held {
                self.send(caller, held);
            }
        }
        self.next();
    }

    pub(super) fn cancel(&mut self, from: u64, number: &Value, options: &Value) {
        let mode = options.at("mode").and_then(Value::text).unwrap_or("killnowait").to_owned();
        let is_its = |call: &&mut Running| call.caller == from && call.number == *number && !call.is_over;
        let Some(call) = self.dealer.running.iter_mut().find(is_its) else { return };
        let (callee, invocation) = (call.callee, call.invocation);
        let waits = mode == "kill" && self.defect != Some(Defect::KillsAtOnce);
        call.is_over = !waits;
        let tells = mode != "skip" || self.defect == Some(Defect::SkipTells);
        if tells && self.defect != Some(Defect::NeverInterrupts) {
            let options = Value::map([("mode", Value::from(&*mode))]);
            self.send(callee, [Value::Int(code::INTERRUPT), Value::from(invocation), options]);
        }
        if !waits {
            self.error(from, code::CALL, number.clone(), "wamp.error.canceled");
        }
    }

    /// Ends a call that has no answer in time.
    pub(super) fn time_out(shared: &Shared, from: u64, number: Value, ms: u64) {
        let shared = Shared::clone(shared);
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            let mut router = lock(&shared);
            let is_its = |call: &&mut Running| call.caller == from && call.number == number && !call.is_over;
            let Some(call) = router.dealer.running.iter_mut().find(is_its) else { return };
            call.is_over = true;
            let (callee, invocation) = (call.callee, call.invocation);
            router.send(callee, [Value::Int(code::INTERRUPT), Value::from(invocation), Value::map([])]);
            router.error(from, code::CALL, number, "wamp.error.timeout");
        });
    }
}

impl Dealer {
    /// The next call of a procedure and the place of whoever takes it.
    fn turn(&mut self, index: usize, defect: Option<Defect>) -> Option<(usize, Call)> {
        let running = &self.running;
        let known = &mut self.registrations[index];
        let next = known.waiting.front()?;
        let n = known.callees.len();
        let is_free = |callee: &Callee| {
            let is_fit = callee.able.pieces || !next.more || defect == Some(Defect::PiecesForAll);
            if next.tried.contains(&callee.session) || !is_fit {
                return false;
            }
            let busy = running.iter().filter(|c| c.callee == callee.session && c.registration == known.id);
            defect == Some(Defect::CrowdsCallees) || callee.concurrency.is_none_or(|most| busy.count() < most)
        };
        let first = match known.policy.as_str() {
            "last" if defect != Some(Defect::LastIsFirst) => n - 1,
            "roundrobin" => known.turn % n,
            "random" => fastrand::usize(..n),
            _ => 0,
        };
        let place = (0..n).map(|step| (first + step) % n).find(|&place| is_free(&known.callees[place]))?;
        known.turn = if defect == Some(Defect::TurnsStick) { place } else { place + 1 };
        let call = match defect {
            Some(Defect::LastWaitsLeast) => known.waiting.pop_back(),
            _ => known.waiting.pop_front(),
        };
        Some((place, call?))
    }
}

impl Registration {
    pub(super) fn leave(&mut self, session: u64) {
        while let Some(place) = self.callees.iter().position(|callee| callee.session == session) {
            self.callees.remove(place);
            // Whoever's turn it was keeps it.
            self.turn -= usize::from(self.turn > place);
        }
    }
}
