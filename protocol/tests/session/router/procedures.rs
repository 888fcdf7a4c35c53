//! Registrations and calls.

use std::collections::BTreeMap;

use petasus_protocol::wamp::message::{
    Call, CallResult, Cancel, Error, Interrupt, Invocation, Register, Registered, Unregister, Unregistered,
    Yield,
};
use petasus_protocol::wamp::{Dict, Payload};

use super::Router;
use super::topics::fits;
use crate::history::{Wire, WireProcedure};

#[derive(Debug, Default)]
pub(super) struct Procedures {
    registrations: BTreeMap<u64, Registration>,
    last: u64,
    /// The calls that wait, by caller and request.
    calls: BTreeMap<(Wire, u64), Called>,
    /// The invocations that are not answered, by callee and number, with the call if it still waits.
    tasks: BTreeMap<(Wire, u64), Option<(Wire, u64)>>,
    /// The last result, for the planted fault [`Manners::swap`](super::Manners::swap).
    before: Option<Payload>,
}

#[derive(Debug)]
struct Registration {
    procedure: WireProcedure,
    invoke: String,
    callees: Vec<Wire>,
    turn: usize,
}

#[derive(Debug)]
struct Called {
    callee: Wire,
    invocation: u64,
    registration: u64,
}

impl Procedures {
    /// The registration for a URI: exact before the longest prefix before a wildcard.
    fn find(&self, uri: &str) -> Option<u64> {
        let rank = |registration: &Registration| match registration.procedure.matching {
            "exact" => (2, 0),
            "prefix" => (1, registration.procedure.uri.len()),
            _ => (0, 0),
        };
        let fit = |there: &Registration| fits(there.procedure.matching, &there.procedure.uri, uri);
        let fitting = self.registrations.iter().filter(|(_, there)| fit(there));
        fitting.max_by_key(|(_, there)| rank(there)).map(|(id, _)| *id)
    }

    fn part(&mut self, wire: Wire, id: u64) -> bool {
        let Some(registration) = self.registrations.get_mut(&id) else { return false };
        let before = registration.callees.len();
        registration.callees.retain(|callee| *callee != wire);
        let after = registration.callees.len();
        self.registrations.retain(|_, registration| !registration.callees.is_empty());
        after < before
    }

    fn ids(&self, wire: Wire) -> Vec<u64> {
        let with = |(_, there): &(&u64, &Registration)| there.callees.contains(&wire);
        self.registrations.iter().filter(with).map(|(id, _)| *id).collect()
    }

    pub(super) fn of(&self, wire: Wire) -> Vec<WireProcedure> {
        self.ids(wire).into_iter().map(|id| self.registrations[&id].procedure.clone()).collect()
    }

    /// How many invocations this callee has not answered.
    pub(super) fn unanswered(&self, wire: Wire) -> usize {
        self.tasks.keys().filter(|(callee, _)| *callee == wire).count()
    }
}

impl Router {
    pub(super) fn register(&mut self, wire: Wire, register: &Register) {
        let request = register.request;
        if !self.begin(wire, Register::CODE, request, true) {
            return;
        }
        if register.options.text("_pattern").ok().flatten() == Some("queue") {
            return self.pull(wire, register);
        }
        let matching = match register.options.text("match").ok().flatten() {
            Some("prefix") => "prefix",
            Some("wildcard") => "wildcard",
            _ => "exact",
        };
        let invoke = register.options.text("invoke").ok().flatten().unwrap_or("single").to_owned();
        let procedure = WireProcedure { queue: false, matching, uri: register.procedure.clone() };
        let all = &mut self.procedures;
        let found = all.registrations.iter_mut().find(|(_, there)| there.procedure == procedure);
        let id = match found {
            Some((id, there))
                if there.invoke == invoke && invoke != "single" && !there.callees.contains(&wire) =>
            {
                there.callees.push(wire);
                *id
            }
            Some(_) => {
                return self.refuse(wire, Register::CODE, request, "wamp.error.procedure_already_exists");
            }
            None => {
                all.last += 1;
                let registration = Registration { procedure, invoke, callees: vec![wire], turn: 0 };
                all.registrations.insert(all.last, registration);
                all.last
            }
        };
        self.say(wire, Registered { request, registration: id });
    }

    pub(super) fn unregister(&mut self, wire: Wire, unregister: &Unregister) {
        let request = unregister.request;
        self.begin(wire, Unregister::CODE, request, false);
        let registration = unregister.registration;
        if self.procedures.part(wire, registration) || self.stop_pulling(wire, registration) {
            self.say(wire, Unregistered { request, details: Dict::new() });
        } else {
            self.refuse(wire, Unregister::CODE, request, "wamp.error.no_such_registration");
        }
    }

    pub(super) fn call(&mut self, wire: Wire, call: &Call) {
        if call.request <= self.seat(wire).request {
            return self.call_goes_on(wire, call);
        }
        if !self.begin(wire, Call::CODE, call.request, true) {
            return;
        }
        if call.options.text("_pattern").ok().flatten() == Some("queue") {
            return self.push(wire, call);
        }
        let Some(id) = self.procedures.find(&call.procedure) else {
            return self.refuse(wire, Call::CODE, call.request, "wamp.error.no_such_procedure");
        };
        let registration = self.procedures.registrations.get_mut(&id).expect("it was found");
        let callee = match registration.invoke.as_str() {
            "last" => *registration.callees.last().expect("a registration has callees"),
            "roundrobin" => {
                registration.turn += 1;
                registration.callees[registration.turn % registration.callees.len()]
            }
            _ => registration.callees[0],
        };
        let invocation = self.next_invocation(callee);
        let called = Called { callee, invocation, registration: id };
        self.procedures.calls.insert((wire, call.request), called);
        self.procedures.tasks.insert((callee, invocation), Some((wire, call.request)));
        self.invoke(wire, call);
    }

    /// More arguments of a call that is under way; of one that is over they come too late.
    fn call_goes_on(&mut self, wire: Wire, call: &Call) {
        if self.procedures.calls.contains_key(&(wire, call.request)) {
            self.invoke(wire, call);
        }
    }

    fn invoke(&mut self, caller: Wire, call: &Call) {
        let called = &self.procedures.calls[&(caller, call.request)];
        let (callee, request, registration) = (called.callee, called.invocation, called.registration);
        let mut details = Dict::new();
        let pattern = self.procedures.registrations.get(&registration);
        if pattern.is_some_and(|there| there.procedure.matching != "exact") {
            details.set("procedure", call.procedure.as_str());
        }
        for key in ["receive_progress", "progress"] {
            if call.options.bool(key).ok().flatten() == Some(true) {
                details.set(key, true);
            }
        }
        self.say(callee, Invocation { request, registration, details, payload: call.payload.clone() });
    }

    pub(super) fn next_invocation(&mut self, callee: Wire) -> u64 {
        let seat = self.seat(callee);
        seat.invocation += 1;
        seat.invocation
    }

    pub(super) fn cancel(&mut self, wire: Wire, cancel: &Cancel) {
        let key = (wire, cancel.request);
        let Some(called) = self.procedures.calls.get(&key) else {
            return self.take_back(wire, cancel.request);
        };
        let callee = (called.callee, called.invocation);
        let mode = cancel.options.text("mode").ok().flatten().unwrap_or("killnowait").to_owned();
        if mode != "skip" {
            let options = Dict::new().with("mode", mode.as_str());
            self.say(callee.0, Interrupt { request: callee.1, options });
        }
        if mode == "kill" {
            return;
        }
        self.procedures.calls.remove(&key);
        if mode == "skip" {
            self.procedures.tasks.insert(callee, None);
        } else {
            self.procedures.tasks.remove(&callee);
        }
        self.refuse(wire, Call::CODE, cancel.request, "wamp.error.canceled");
    }

    /// YIELD or ERROR of a callee or puller. An answer to nothing comes late, which is no fault.
    pub(super) fn answered(&mut self, wire: Wire, invocation: u64, answer: &Result<Yield, Error>) {
        let progress = |answer: &Yield| answer.options.bool("progress").ok().flatten().unwrap_or(false);
        let last = !answer.as_ref().is_ok_and(progress);
        let Some(task) = self.procedures.tasks.get(&(wire, invocation)).copied() else {
            return self.job_answered(wire, invocation, answer, last);
        };
        if last {
            self.procedures.tasks.remove(&(wire, invocation));
        }
        let Some((caller, request)) = task else { return };
        if last {
            self.procedures.calls.remove(&(caller, request));
        }
        self.pass_on(caller, request, answer, last);
    }

    /// Gives the answer to who waits for it.
    pub(super) fn pass_on(&mut self, to: Wire, request: u64, answer: &Result<Yield, Error>, last: bool) {
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return self.say(to, Error { kind: Call::CODE, request, ..error.clone() }),
        };
        let mut payload = answer.payload.clone();
        if self.manners.swap
            && let Some(before) = self.procedures.before.replace(payload.clone())
        {
            payload = before;
        }
        let details = if last { Dict::new() } else { Dict::new().with("progress", true) };
        let result = CallResult { request, details, payload };
        if last && self.manners.twice {
            self.say(to, result.clone());
        }
        self.say(to, result);
    }

    /// A session is gone: its callers are told, its callees need not go on.
    pub(super) fn callee_left(&mut self, wire: Wire) {
        for id in self.procedures.ids(wire) {
            self.procedures.part(wire, id);
        }
        let orphans: Vec<(Wire, u64)> = self
            .procedures
            .calls
            .iter()
            .filter(|(_, called)| called.callee == wire)
            .map(|(key, _)| *key)
            .collect();
        for (caller, request) in orphans {
            self.procedures.calls.remove(&(caller, request));
            if caller != wire {
                self.refuse(caller, Call::CODE, request, "wamp.error.canceled");
            }
        }
        self.procedures.tasks.retain(|(callee, _), _| *callee != wire);
        let own: Vec<(Wire, u64)> =
            self.procedures.calls.keys().filter(|(caller, _)| *caller == wire).copied().collect();
        for key in own {
            let called = self.procedures.calls.remove(&key).expect("it was found");
            self.procedures.tasks.remove(&(called.callee, called.invocation));
            let options = Dict::new().with("mode", "killnowait");
            self.say(called.callee, Interrupt { request: called.invocation, options });
        }
    }

    /// Takes one of a session's registrations away, be it of a procedure or of a queue.
    pub(crate) fn revoke_registration(&mut self, wire: Wire, which: usize) {
        let mut ids = self.procedures.ids(wire);
        ids.extend(self.queues.ids(wire));
        if ids.is_empty() || !self.is_joined(wire) {
            return;
        }
        let registration = ids[which % ids.len()];
        let details = Dict::new().with("registration", registration).with("reason", "com.model.revoked");
        if self.procedures.part(wire, registration) || self.stop_pulling(wire, registration) {
            self.say(wire, Unregistered { request: 0, details });
        }
    }
}
