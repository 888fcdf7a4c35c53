//! Plays a script on a dealer, and comes back with the log of what was done and what followed.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use petasus_broker::hub::{
    CallOptions, CalleeFeatures, CancelMode, Dealer, InvokePolicy, MemberId, RegisterOptions,
};

use super::log::{Act, Desk, Event, Invoked, RULES, Sizes, Switchboard, UNAVAILABLE};
use super::script::{Op, PATTERNS, Script, URIS};

/// The one that is shipped.
pub(crate) struct RealDealer {
    dealer: Dealer<Desk>,
    ids: BTreeMap<usize, MemberId>,
}

impl RealDealer {
    pub(crate) fn new() -> Self {
        Self { dealer: Dealer::new(RULES), ids: BTreeMap::new() }
    }
}

impl Switchboard for RealDealer {
    fn act(&mut self, act: &Act, desk: &Desk, now: Duration) -> String {
        let (dealer, batch) = (&mut self.dealer, &mut ());
        let id = self.ids.get(&desk.name).copied();
        let id = || id.expect("a session that is there");
        match *act {
            Act::Join { who, features } => {
                self.ids.insert(who, dealer.join(desk.clone(), features));
                String::new()
            }
            Act::Leave { .. } => format!("{:?}", dealer.leave(id(), batch)),
            Act::Register { request, uri, ref options, .. } => {
                format!("{:?}", dealer.register(id(), request, uri, options, batch))
            }
            Act::Unregister { registration, .. } => {
                format!("{:?}", dealer.unregister(id(), registration, batch))
            }
            Act::Revoke { registration, callee } => {
                let callee = callee.map(|name| self.ids[&name]);
                format!("{:?}", dealer.revoke(registration, callee, batch).map(|revoked| revoked.deleted))
            }
            Act::Call { request, uri, options, payload, random, .. } => {
                format!("{:?}", dealer.call(id(), request, uri, options, payload, now, random, batch))
            }
            Act::Cancel { request, mode, .. } => {
                dealer.cancel(id(), request, mode, batch);
                String::new()
            }
            Act::Yield { invocation, progress, ref payload, .. } => {
                format!("{:?}", dealer.yield_(id(), invocation, progress, payload, now, batch))
            }
            Act::Fail { invocation, uri, ref payload, .. } => {
                format!("{:?}", dealer.fail(id(), invocation, uri, payload, now, batch))
            }
            Act::Expire => {
                dealer.expire(now, batch);
                String::new()
            }
            Act::Ready { .. } => {
                dealer.ready(id(), batch);
                String::new()
            }
        }
    }

    fn sizes(&self) -> Sizes {
        let dealer = &self.dealer;
        let ids = dealer.list();
        let mut ids = [ids.exact, ids.prefix, ids.wildcard].concat();
        ids.sort_unstable();
        let name = |id: MemberId| dealer.party(id).expect("a callee is a member").name;
        let callees = |id| dealer.callees(id).expect("it is on the list").into_iter().map(name).collect();
        Sizes {
            members: dealer.members(),
            registrations: dealer.registrations(),
            calls: dealer.calls(),
            waiting: dealer.waiting(),
            kept: dealer.kept_bytes(),
            deadline: dealer.next_deadline(),
            best: URIS.iter().map(|uri| dealer.best_match(uri)).collect(),
            callees: ids.into_iter().map(|id| (id, callees(id))).collect(),
        }
    }
}

/// Everybody around the dealer.
struct Stage<D> {
    dealer: D,
    log: Rc<RefCell<Vec<Event>>>,
    /// How much of the log the stage has seen.
    seen: usize,
    now: Duration,
    live: Vec<Desk>,
    /// A desk for acts of nobody.
    nobody: Desk,
    next_name: usize,
    next_payload: u32,
    next_request: u64,
    calls: Vec<Made>,
    /// Invocations that their callees have not answered, also if nobody waits for them.
    tasks: Vec<(usize, u64)>,
}

/// A call, until its caller has its answer and has sent all of it.
struct Made {
    who: usize,
    request: u64,
    uri: &'static str,
    unfinished: bool,
    answered: bool,
}

/// Plays a script and then lets everything come to its end: all tasks are answered, all registrations revoked, and
/// everybody leaves.
pub(crate) fn play<D: Switchboard>(script: &Script, dealer: D) -> Vec<Event> {
    let log = Rc::new(RefCell::new(Vec::new()));
    let mut stage = Stage {
        dealer,
        seen: 0,
        now: Duration::ZERO,
        live: Vec::new(),
        nobody: Desk::new(usize::MAX, 0, &log),
        log,
        next_name: 0,
        next_payload: 0,
        next_request: 0,
        calls: Vec::new(),
        tasks: Vec::new(),
    };
    for (who, &(features, room, concurrency)) in script.start.iter().enumerate() {
        stage.step(&Op::Join { features, room });
        let (pattern, invoke, forward) = (0, script.invoke, who % 2 == 0);
        stage.step(&Op::Register { who, pattern, invoke, concurrency, forward });
    }
    script.ops.iter().for_each(|op| stage.step(op));
    stage.finish();
    stage.log.take()
}

const POLICIES: [InvokePolicy; 5] = [
    InvokePolicy::Single,
    InvokePolicy::First,
    InvokePolicy::Last,
    InvokePolicy::Random,
    InvokePolicy::RoundRobin,
];

const MODES: [CancelMode; 3] = [CancelMode::Skip, CancelMode::Kill, CancelMode::KillNoWait];

impl<D: Switchboard> Stage<D> {
    fn step(&mut self, op: &Op) {
        match *op {
            Op::Wait { ms, expire } => {
                self.now += Duration::from_millis(ms);
                if expire {
                    self.act(Act::Expire);
                }
            }
            Op::Join { features, room } => {
                let who = self.next_name;
                self.next_name += 1;
                let bit = |place: u8| features & (1 << place) != 0;
                self.live.push(Desk::new(who, room, &self.log).taking_short_ones(bit(5)));
                let features = CalleeFeatures {
                    canceling: bit(0),
                    progressive_results: bit(1),
                    progressive_invocations: bit(2),
                    timeout: bit(3),
                    reroute: bit(4),
                };
                self.act(Act::Join { who, features });
            }
            Op::Revoke { which, callee } => self.revoke(which, callee),
            Op::Piece { which, count, last } => {
                for done in 1..=count {
                    if let Some(place) = which.checked_rem(self.calls.len()) {
                        self.piece(place, last && done == count);
                    }
                }
            }
            Op::Cancel { which, mode } => {
                if let Some(place) = which.checked_rem(self.calls.len()) {
                    let Made { who, request, .. } = self.calls[place];
                    self.act(Act::Cancel { who, request, mode: MODES[mode] });
                }
            }
            Op::Yield { which, progress } => self.answer(which, |who, invocation, payload| Act::Yield {
                who,
                invocation,
                progress,
                payload,
            }),
            Op::Fail { which, unavailable } => self.answer(which, |who, invocation, payload| {
                let uri = if unavailable { UNAVAILABLE } else { "app.error" };
                Act::Fail { who, invocation, uri, payload }
            }),
            Op::Leave { who }
            | Op::Register { who, .. }
            | Op::Unregister { who, .. }
            | Op::Call { who, .. }
            | Op::Stray { who, .. }
            | Op::Room { who, .. } => {
                if let Some(place) = who.checked_rem(self.live.len()) {
                    self.personal(op, self.live[place].name);
                }
            }
        }
    }

    /// What somebody does.
    fn personal(&mut self, op: &Op, who: usize) {
        match *op {
            Op::Leave { .. } => self.act(Act::Leave { who }),
            Op::Register { pattern, invoke, concurrency, forward, .. } => {
                let (matching, uri) = PATTERNS[pattern];
                let (invoke, concurrency) = (POLICIES[invoke], Some(concurrency));
                let options = RegisterOptions {
                    matching,
                    invoke,
                    concurrency,
                    forward_timeout: forward,
                    created: self.now,
                };
                let request = self.request();
                self.act(Act::Register { who, request, uri, options });
            }
            Op::Unregister { which, .. } => {
                let registration = self.registrations().get(which % 4).copied().unwrap_or(99);
                self.act(Act::Unregister { who, registration });
            }
            Op::Call { uri, receive, progress, timeout, disclose, random, .. } => {
                let timeout = timeout.map(Duration::from_millis);
                let options = CallOptions { receive_progress: receive, progress, timeout, disclose };
                let (request, payload, uri) = (self.request(), self.payload(), URIS[uri]);
                self.calls.push(Made { who, request, uri, unfinished: progress, answered: false });
                self.act(Act::Call { who, request, uri, options, payload, random });
            }
            Op::Stray { invocation, .. } => {
                self.tasks.retain(|task| *task != (who, invocation));
                let payload = self.payload();
                self.act(Act::Yield { who, invocation, progress: false, payload });
            }
            Op::Room { more, .. } => {
                self.desk(who).add_room(more);
                self.act(Act::Ready { who });
            }
            _ => unreachable!("not personal"),
        }
    }

    fn revoke(&mut self, which: usize, callee: Option<usize>) {
        let registrations = self.registrations();
        let Some(place) = which.checked_rem(registrations.len()) else { return };
        let callee = callee.and_then(|who| Some(self.live[who.checked_rem(self.live.len())?].name));
        self.act(Act::Revoke { registration: registrations[place], callee });
    }

    fn piece(&mut self, place: usize, last: bool) {
        let payload = self.payload();
        let made = &mut self.calls[place];
        let Made { who, request, uri, .. } = *made;
        if made.unfinished {
            made.unfinished = !last;
        }
        let options = CallOptions { progress: !last, ..CallOptions::default() };
        self.act(Act::Call { who, request, uri, options, payload, random: 0 });
    }

    fn answer(&mut self, which: usize, act: impl Fn(usize, u64, u32) -> Act) {
        let Some(place) = which.checked_rem(self.tasks.len()) else { return };
        let (who, invocation) = self.tasks[place];
        let act = act(who, invocation, self.payload());
        if !matches!(act, Act::Yield { progress: true, .. }) {
            self.tasks.remove(place);
        }
        self.act(act);
    }

    /// Does something, notes what came of it, and learns from what the sessions got.
    fn act(&mut self, act: Act) {
        let who = match act {
            Act::Revoke { .. } | Act::Expire => None,
            Act::Join { who, .. }
            | Act::Leave { who }
            | Act::Register { who, .. }
            | Act::Unregister { who, .. }
            | Act::Call { who, .. }
            | Act::Cancel { who, .. }
            | Act::Yield { who, .. }
            | Act::Fail { who, .. }
            | Act::Ready { who } => Some(who),
        };
        let leaves = matches!(act, Act::Leave { .. });
        let desk = who.map_or_else(|| self.nobody.clone(), |who| self.desk(who));
        let doing = act.clone();
        self.log.borrow_mut().push(Event::Act(act));
        let answer = self.dealer.act(&doing, &desk, self.now);
        if let (true, Some(who)) = (leaves, who) {
            self.live.retain(|desk| desk.name != who);
            self.calls.retain(|made| made.who != who);
            self.tasks.retain(|task| task.0 != who);
        }
        let sizes = self.dealer.sizes();
        self.log.borrow_mut().push(Event::Answered { answer, sizes });
        self.learn();
    }

    fn learn(&mut self) {
        let log = self.log.borrow();
        for event in &log[self.seen..] {
            match event {
                Event::Invoked(Invoked { who, invocation, .. })
                    if !self.tasks.contains(&(*who, *invocation))
                        && self.live.iter().any(|desk| desk.name == *who) =>
                {
                    self.tasks.push((*who, *invocation));
                }
                Event::Result { who, request, progress: false, .. } | Event::Error { who, request, .. } => {
                    let made =
                        self.calls.iter_mut().find(|made| made.who == *who && made.request == *request);
                    if let Some(made) = made {
                        made.answered = true;
                    }
                }
                _ => {}
            }
        }
        self.seen = log.len();
        self.calls.retain(|made| made.unfinished || !made.answered);
    }

    fn finish(&mut self) {
        for _ in 0..100 {
            for desk in self.live.clone() {
                desk.add_room(1000);
                self.act(Act::Ready { who: desk.name });
            }
            if self.tasks.is_empty() {
                break;
            }
            self.step(&Op::Yield { which: 0, progress: false });
        }
        for registration in self.registrations() {
            self.act(Act::Revoke { registration, callee: None });
        }
        self.log.borrow_mut().push(Event::Settled);
        for desk in self.live.clone() {
            self.act(Act::Leave { who: desk.name });
        }
    }

    fn registrations(&self) -> Vec<u64> {
        self.dealer.sizes().callees.into_iter().map(|(id, _)| id).collect()
    }

    fn desk(&self, who: usize) -> Desk {
        self.live.iter().find(|desk| desk.name == who).expect("somebody who is there").clone()
    }

    fn payload(&mut self) -> u32 {
        self.next_payload += 1;
        self.next_payload
    }

    fn request(&mut self) -> u64 {
        self.next_request += 1;
        self.next_request
    }
}
