//! The judge of a dealer's log: what callers and callees may rely on, whatever the dealer looks like inside.

use std::collections::{BTreeMap, BTreeSet};

use petasus_broker::hub::{CallOptions, CancelMode, InvokePolicy};

use super::log::{Act, Event, Invoked, RULES, Sizes, UNAVAILABLE};
use crate::planted::Breach;

/// Everything that the judge looks at.
pub(crate) const JUDGED: [&str; 11] = [
    // Every call has exactly one final answer, unless its caller has left.
    "one answer",
    // It is the callee's answer to this very call.
    "verbatim",
    // Progressive results are for those who asked for them.
    "progress",
    // Whoever has left gets nothing.
    "gone",
    // No callee has more calls than it takes.
    "concurrency",
    // Calls of one registration come in the order in which they were made.
    "order",
    // Everybody in turn.
    "rotation",
    // All pieces of a call are one invocation.
    "pieces",
    // Invocations count up from 1.
    "numbers",
    // Only who wants it is disclosed.
    "disclosed",
    // When all have left, nothing is left.
    "leftovers",
];

/// Err: what the first event breaks that breaks anything.
pub(crate) fn judge(log: &[Event]) -> Result<(), Vec<Breach>> {
    let mut judge = Judge::default();
    for event in log {
        judge.see(event);
        if !judge.breaches.is_empty() {
            return Err(judge.breaches);
        }
    }
    let Sizes { members, registrations, calls, waiting, kept, deadline, .. } = judge.sizes;
    if (members, registrations, calls, waiting, kept, deadline) == (0, 0, 0, 0, 0, None) {
        Ok(())
    } else {
        Err(vec![Breach::new("leftovers", format!("{calls} calls, {waiting} waiting, {deadline:?}"))])
    }
}

type CallName = (usize, u64);

#[derive(Default)]
struct Judge {
    live: BTreeSet<usize>,
    unready: BTreeSet<usize>,
    calls: BTreeMap<CallName, Call>,
    /// The call of which a payload is a piece.
    pieces: BTreeMap<u32, CallName>,
    /// By callee and invocation.
    runs: BTreeMap<(usize, u64), Run>,
    /// The last invocation of each callee.
    last: BTreeMap<usize, u64>,
    /// By callee and registration.
    limits: BTreeMap<(usize, u64), Option<u64>>,
    registrations: BTreeMap<u64, Registration>,
    act: Option<Act>,
    sizes: Sizes,
    breaches: Vec<Breach>,
}

struct Call {
    number: usize,
    options: CallOptions,
    answers: usize,
    /// Who works on it.
    at: Option<(usize, u64)>,
    /// It may be overtaken: not everybody takes it.
    choosy: bool,
}

struct Run {
    call: CallName,
    registration: u64,
    /// The callee's place is taken.
    counts: bool,
}

struct Registration {
    invoke: InvokePolicy,
    /// The last call that was handed out.
    last: Option<usize>,
    /// Who was served, since anything else has happened.
    window: Vec<usize>,
}

impl Judge {
    fn breach(&mut self, rule: &'static str, what: impl Into<String>) {
        self.breaches.push(Breach::new(rule, what));
    }

    fn see(&mut self, event: &Event) {
        if event.to().is_some_and(|who| !self.live.contains(&who)) {
            self.breach("gone", format!("{event:?}"));
        }
        match event {
            Event::Act(act) => self.acts(act),
            Event::Registered { who, registration, .. } => self.registered(*who, *registration),
            Event::Invoked(invoked) => self.invoked(invoked),
            Event::Refused { who } => drop(self.unready.insert(*who)),
            Event::Unfit { payload, .. } => {
                let call = self.pieces.get(payload).and_then(|name| self.calls.get_mut(name));
                if let Some(call) = call {
                    call.choosy = true;
                }
            }
            Event::Interrupted { who, invocation, mode, .. } => {
                if *mode == CancelMode::KillNoWait {
                    self.free(*who, *invocation);
                }
            }
            Event::Result { who, request, progress, payload } => {
                self.answered((*who, *request), *progress, Some((None, *payload)));
            }
            Event::Error { who, request, uri, payload } => {
                self.answered((*who, *request), false, payload.map(|payload| (Some(uri.as_str()), payload)));
            }
            Event::Settled => {
                let open = self.calls.iter().find(|(_, call)| call.answers == 0);
                if let Some((name, _)) = open {
                    self.breach("one answer", format!("{name:?} has none"));
                }
            }
            Event::Answered { sizes, .. } => self.sized(sizes),
        }
    }

    fn acts(&mut self, act: &Act) {
        self.act = Some(act.clone());
        match *act {
            Act::Join { who, .. } => drop(self.live.insert(who)),
            Act::Leave { who } => {
                self.live.remove(&who);
                self.calls.retain(|name, _| name.0 != who);
            }
            Act::Call { who, request, options, payload, .. } => {
                let number = self.pieces.len();
                let choosy = options.progress;
                let call = Call { number, options, answers: 0, at: None, choosy };
                self.calls.entry((who, request)).or_insert(call);
                self.pieces.insert(payload, (who, request));
            }
            Act::Yield { who, invocation, progress: false, .. } => self.free(who, invocation),
            Act::Fail { who, invocation, uri, .. } => {
                self.free(who, invocation);
                let call = self.runs.get(&(who, invocation)).and_then(|run| self.calls.get_mut(&run.call));
                if let Some(call) = call.filter(|_| uri == UNAVAILABLE) {
                    call.at = None;
                    call.choosy = true;
                }
            }
            Act::Ready { who } => drop(self.unready.remove(&who)),
            _ => {}
        }
    }

    fn free(&mut self, who: usize, invocation: u64) {
        if let Some(run) = self.runs.get_mut(&(who, invocation)) {
            run.counts = false;
        }
    }

    fn registered(&mut self, who: usize, registration: u64) {
        let Some(Act::Register { options, .. }) = &self.act else { return };
        let limit = options.concurrency.filter(|&n| n > 0).map(|n| n.min(RULES.max_concurrency));
        let invoke = options.invoke;
        if self.limits.insert((who, registration), limit) == Some(None) {
            // What it had while it had no limit counts as long as somebody waits for it.
            let unanswered = |name| self.calls.get(name).is_some_and(|call: &Call| call.answers == 0);
            let runs = self.runs.range_mut((who, 0)..=(who, u64::MAX)).map(|(_, run)| run);
            runs.for_each(|run| run.counts &= unanswered(&run.call));
        }
        let fresh = Registration { invoke, last: None, window: Vec::new() };
        self.registrations.entry(registration).or_insert(fresh).window.clear();
    }

    fn invoked(&mut self, invoked: &Invoked) {
        let place = (invoked.who, invoked.invocation);
        let Some(&name) = self.pieces.get(&invoked.payload) else {
            return self.breach("verbatim", "a payload that nobody sent");
        };
        let Some(call) = self.calls.get(&name) else {
            return self.breach("gone", format!("a call of {name:?} who has left"));
        };
        if (invoked.caller.is_some() && !call.options.disclose)
            || invoked.caller.is_some_and(|who| who != name.0)
        {
            self.breach("disclosed", format!("{name:?}"));
        } else if invoked.receive_progress && !call.options.receive_progress {
            self.breach("progress", format!("{name:?} wants none"));
        } else if call.at.is_some_and(|at| at != place) {
            self.breach("pieces", format!("{name:?} is at {:?} and at {place:?}", call.at));
        } else if call.at.is_none() {
            self.begins(invoked, name);
        }
    }

    /// The first piece of a call goes to a callee.
    fn begins(&mut self, invoked: &Invoked, name: CallName) {
        let Invoked { who, invocation, registration, .. } = *invoked;
        let last = self.last.insert(who, invocation).unwrap_or(0);
        if invocation != last + 1 {
            self.breach("numbers", format!("{who} has {invocation} after {last}"));
        }
        self.runs.insert((who, invocation), Run { call: name, registration, counts: true });
        let call = self.calls.get_mut(&name).expect("the call was found above");
        call.at = Some((who, invocation));
        let (number, choosy) = (call.number, call.choosy);
        let own = |run: &(&(usize, u64), &Run)| {
            run.0.0 == who && run.1.registration == registration && run.1.counts
        };
        let running = self.runs.iter().filter(own).count() as u64;
        if self.limits.get(&(who, registration)).copied().flatten().is_some_and(|limit| running > limit) {
            self.breach("concurrency", format!("{who} has {running} calls of registration {registration}"));
        }
        let Some(place) = self.registrations.get_mut(&registration) else { return };
        if choosy {
            return place.window.clear();
        }
        if place.last.replace(number).is_some_and(|last| last > number) {
            self.breach("order", format!("{name:?} is late"));
        }
        self.rotates(registration, who);
    }

    /// As long as all have room and nobody comes or goes, the rounds are all alike.
    fn rotates(&mut self, id: u64, who: usize) {
        let seats: Vec<usize> =
            self.limits.keys().filter(|(_, other)| *other == id).map(|(who, _)| *who).collect();
        let limited =
            seats.iter().any(|&who| self.limits[&(who, id)].is_some() || self.unready.contains(&who));
        let registration = self.registrations.get_mut(&id).expect("the registration was found above");
        if limited || registration.invoke != InvokePolicy::RoundRobin {
            return registration.window.clear();
        }
        let window = &mut registration.window;
        let round = &window[window.len().saturating_sub(seats.len() - 1)..];
        let again = round.contains(&who);
        window.push(who);
        if again {
            let what = format!("{who} is served before its turn: {window:?} of {seats:?}");
            self.breach("rotation", what);
        }
    }

    /// `what`: what a callee has answered, with the URI of an error. None for an error of the dealer's own.
    fn answered(&mut self, name: CallName, progress: bool, what: Option<(Option<&str>, u32)>) {
        let said = match (&self.act, what) {
            (_, None) => None,
            (Some(Act::Yield { who, invocation, payload, .. }), Some((None, _))) => {
                Some((*who, *invocation, None, *payload))
            }
            (Some(Act::Fail { who, invocation, uri, payload }), Some((Some(_), _))) => {
                Some((*who, *invocation, Some(*uri), *payload))
            }
            _ => return self.breach("verbatim", format!("{name:?} has an answer that nobody gave")),
        };
        if let Some((who, invocation, uri, payload)) = said {
            let call = self.runs.get(&(who, invocation)).map(|run| run.call);
            if call != Some(name) || what != Some((uri, payload)) {
                return self.breach("verbatim", format!("{name:?} gets {what:?} of {call:?}"));
            }
        }
        let Some(call) = self.calls.get_mut(&name) else { return };
        let asked = call.options.receive_progress;
        call.answers += usize::from(!progress);
        if call.answers + usize::from(progress) > 1 {
            self.breach("one answer", format!("{name:?} has another one"));
        } else if progress && !asked {
            self.breach("progress", format!("{name:?} has not asked for it"));
        }
    }

    fn sized(&mut self, sizes: &Sizes) {
        let seated = |&(who, id): &(usize, u64)| {
            sizes.callees.iter().any(|(other, callees)| *other == id && callees.contains(&who))
        };
        let gone: Vec<(usize, u64)> = self.limits.keys().filter(|seat| !seated(seat)).copied().collect();
        for (who, id) in gone {
            self.limits.remove(&(who, id));
            let own = |run: &&mut Run| run.registration == id;
            let runs = self.runs.range_mut((who, 0)..=(who, u64::MAX)).map(|(_, run)| run);
            runs.filter(own).for_each(|run| run.counts = false);
            self.registrations.entry(id).and_modify(|registration| registration.window.clear());
        }
        self.sizes = sizes.clone();
    }
}
