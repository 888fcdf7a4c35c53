//! Calls that come in pieces, and calls that go on to the next callee.

use super::Defect;
use super::dealer::Running;
use super::router::{Rest, Router};
use crate::raw::wamp::{Value, code};

impl Router {
    /// A further piece of a call that is under way. False: there is none.
    pub(super) fn piece(&mut self, from: u64, number: &Value, options: &Value, args: Rest<'_>) -> bool {
        let is_its = |call: &&mut Running| call.caller == from && call.number == *number && call.more;
        let Some(call) = self.dealer.running.iter_mut().find(is_its) else { return false };
        call.more = options.has("progress");
        let (callee, registration, more) = (call.callee, call.registration, call.more);
        let mut invocation = call.invocation;
        if self.defect == Some(Defect::PieceIsACall) {
            let last = self.dealer.invocations.entry(callee).or_default();
            *last += 1;
            invocation = *last;
        }
        let details = Value::map(more.then_some(("progress", Value::from(true))));
        let mut message =
            vec![Value::Int(code::INVOCATION), Value::from(invocation), Value::from(registration), details];
        message.extend_from_slice(args);
        self.send(callee, message);
        true
    }

    /// A callee that has no time: the next one is asked. False: the caller is told what the callee said.
    pub(super) fn rerouted(&mut self, index: usize, uri: Option<&Value>) -> bool {
        if uri.and_then(Value::text) != Some("wamp.error.unavailable")
            || self.defect == Some(Defect::UnavailableEnds)
        {
            return false;
        }
        let call = &self.dealer.running[index];
        let Some(mut again) = call.again.clone() else { return false };
        let (callee, registration) = (call.callee, call.registration);
        self.dealer.running.remove(index);
        again.tried.push(callee);
        let known = self.dealer.registrations.iter_mut().find(|known| known.id == registration);
        let left = known.filter(|known| known.callees.iter().any(|one| !again.tried.contains(&one.session)));
        let Some(known) = left else {
            let name = match self.defect {
                Some(Defect::AllUnavailable) => "unavailable",
                _ => "no_available_callee",
            };
            self.error(again.caller, code::CALL, again.number, &format!("wamp.error.{name}"));
            return true;
        };
        if self.defect == Some(Defect::ReroutedBack) && again.tried.len() == 1 {
            again.tried.clear();
            known.turn = known.callees.iter().position(|one| one.session == callee).unwrap_or_default();
        }
        known.waiting.push_front(again);
        self.next();
        true
    }
}
