//! Queues: pushes, pullers, and what becomes of jobs.

use std::collections::{BTreeMap, VecDeque};

use petasus_protocol::wamp::message::{Call, CallResult, Error, Invocation, Register, Registered, Yield};
use petasus_protocol::wamp::{Dict, Payload, Serializer};

use super::Router;
use crate::history::{Truth, Wire, WireProcedure, token};

/// Registrations of queues are numbered from here on.
const FIRST: u64 = 1 << 40;

#[derive(Debug, Default)]
pub(super) struct Queues {
    rings: BTreeMap<String, Ring>,
    /// The jobs that pullers have, by puller and invocation.
    tasks: BTreeMap<(Wire, u64), Job>,
    last: u64,
    jobs: u64,
}

#[derive(Debug)]
struct Ring {
    id: u64,
    pullers: VecDeque<Puller>,
    held: VecDeque<Job>,
}

#[derive(Debug)]
struct Puller {
    wire: Wire,
    room: usize,
}

#[derive(Clone, Debug)]
struct Job {
    topic: String,
    payload: Payload,
    /// Who waits until it is done.
    pusher: Option<(Wire, u64)>,
    /// Its place among all jobs.
    number: u64,
}

impl Queues {
    fn ring(&mut self, topic: &str) -> &mut Ring {
        let last = &mut self.last;
        self.rings.entry(topic.to_owned()).or_insert_with(|| {
            *last += 1;
            Ring { id: FIRST + *last, pullers: VecDeque::new(), held: VecDeque::new() }
        })
    }

    pub(super) fn ids(&self, wire: Wire) -> Vec<u64> {
        let with = |ring: &&Ring| ring.pullers.iter().any(|puller| puller.wire == wire);
        self.rings.values().filter(with).map(|ring| ring.id).collect()
    }

    pub(super) fn of(&self, wire: Wire) -> Vec<WireProcedure> {
        let with = |(_, ring): &(&String, &Ring)| ring.pullers.iter().any(|puller| puller.wire == wire);
        let procedure = |topic: &String| WireProcedure { queue: true, matching: "exact", uri: topic.clone() };
        self.rings.iter().filter(with).map(|(topic, _)| procedure(topic)).collect()
    }

    pub(super) fn unanswered(&self, wire: Wire) -> usize {
        self.tasks.keys().filter(|(puller, _)| *puller == wire).count()
    }

    /// The tokens of what waits, and of what pullers have.
    pub(super) fn jobs(&self) -> (Vec<String>, Vec<String>) {
        let held = self.rings.values().flat_map(|ring| &ring.held);
        let tokens = |job: &Job| token(&job.payload);
        (held.map(tokens).collect(), self.tasks.values().map(tokens).collect())
    }

    pub(super) fn tokens(&self) -> Vec<String> {
        let (held, running) = self.jobs();
        held.into_iter().chain(running).collect()
    }

    /// Puts a puller's unanswered jobs back at the head, in their order.
    fn put_back(&mut self, wire: Wire, topic: &str) {
        let there = self.tasks.iter().filter(|((puller, _), job)| *puller == wire && job.topic == topic);
        let keys: Vec<(Wire, u64)> = there.map(|(key, _)| *key).collect();
        let mut back: Vec<Job> = keys.iter().filter_map(|key| self.tasks.remove(key)).collect();
        let held = &mut self.ring(topic).held;
        back.extend(held.drain(..));
        back.sort_by_key(|job| job.number);
        held.extend(back);
    }
}

impl Router {
    pub(super) fn pull(&mut self, wire: Wire, register: &Register) {
        let request = register.request;
        let topic = register.procedure.as_str();
        let room = register.options.id("concurrency").ok().flatten().unwrap_or(1) as usize;
        let ring = self.queues.ring(topic);
        if ring.pullers.iter().any(|puller| puller.wire == wire) {
            return self.refuse(wire, Register::CODE, request, "wamp.error.procedure_already_exists");
        }
        ring.pullers.push_back(Puller { wire, room });
        let registration = ring.id;
        self.say(wire, Registered { request, registration });
        self.hand_out(topic);
    }

    pub(super) fn stop_pulling(&mut self, wire: Wire, id: u64) -> bool {
        let Some((topic, ring)) = self.queues.rings.iter_mut().find(|(_, ring)| ring.id == id) else {
            return false;
        };
        let before = ring.pullers.len();
        ring.pullers.retain(|puller| puller.wire != wire);
        if ring.pullers.len() == before {
            return false;
        }
        let topic = topic.clone();
        self.queues.put_back(wire, &topic);
        self.hand_out(&topic);
        true
    }

    pub(super) fn push(&mut self, wire: Wire, call: &Call) {
        let done = call.options.text("_ack").ok().flatten() == Some("done");
        let (manners_hold, topic) = (self.manners.hold, call.procedure.clone());
        let ring = self.queues.ring(&topic);
        if ring.pullers.is_empty() && !manners_hold {
            return self.refuse(wire, Call::CODE, call.request, "wamp.error.unavailable");
        }
        self.queues.jobs += 1;
        let number = self.queues.jobs;
        let payload = call.payload.clone();
        let pusher = done.then_some((wire, call.request));
        self.truths.push(Truth::JobTaken { token: token(&payload) });
        let job = Job { topic: topic.clone(), payload, pusher, number };
        self.queues.ring(&topic).held.push_back(job);
        self.hand_out(&topic);
        if !done {
            let held = self.queues.ring(&topic).held.iter().any(|job| job.number == number);
            let answer = if held { "held" } else { "handed" };
            let payload = Payload::of_args(Serializer::Json, &[answer]).expect("a text is an argument");
            self.say(wire, CallResult { request: call.request, details: Dict::new(), payload });
        }
    }

    /// Gives jobs to pullers in turn, as long as there are both; without any puller, what is not held is gone.
    fn hand_out(&mut self, topic: &str) {
        if self.queues.ring(topic).pullers.is_empty() && !self.manners.hold {
            return self.drop_all(topic);
        }
        while !self.queues.ring(topic).held.is_empty() {
            let Some(wire) = self.ready(topic) else { return };
            let request = self.next_invocation(wire);
            let ring = self.queues.ring(topic);
            let registration = ring.id;
            let job = ring.held.pop_front().expect("it is not empty");
            let payload = job.payload.clone();
            self.queues.tasks.insert((wire, request), job);
            self.say(wire, Invocation { request, registration, details: Dict::new(), payload });
        }
    }

    /// The next puller that has room; it goes to the end of the ring.
    fn ready(&mut self, topic: &str) -> Option<Wire> {
        let tasks = &self.queues.tasks;
        let busy = |wire: Wire| tasks.iter().filter(|(key, job)| key.0 == wire && job.topic == topic).count();
        let ring = self.queues.rings.get(topic)?;
        let place = ring.pullers.iter().position(|puller| busy(puller.wire) < puller.room)?;
        let ring = self.queues.ring(topic);
        let puller = ring.pullers.remove(place)?;
        let wire = puller.wire;
        ring.pullers.push_back(puller);
        Some(wire)
    }

    fn drop_all(&mut self, topic: &str) {
        let jobs: Vec<Job> = self.queues.ring(topic).held.drain(..).collect();
        for job in jobs {
            self.truths.push(Truth::JobGone { token: token(&job.payload) });
            if let Some((pusher, request)) = job.pusher {
                self.refuse(pusher, Call::CODE, request, "wamp.error.unavailable");
            }
        }
    }

    /// CANCEL of a push takes it back while it waits.
    pub(super) fn take_back(&mut self, wire: Wire, request: u64) {
        for ring in self.queues.rings.values_mut() {
            let Some(place) = ring.held.iter().position(|job| job.pusher == Some((wire, request))) else {
                continue;
            };
            let job = ring.held.remove(place).expect("it was found");
            self.truths.push(Truth::JobGone { token: token(&job.payload) });
            return self.refuse(wire, Call::CODE, request, "wamp.error.canceled");
        }
    }

    pub(super) fn job_answered(
        &mut self,
        wire: Wire,
        invocation: u64,
        answer: &Result<Yield, Error>,
        last: bool,
    ) {
        if !last {
            return;
        }
        let Some(job) = self.queues.tasks.remove(&(wire, invocation)) else { return };
        self.truths.push(Truth::JobDone { token: token(&job.payload), by: wire });
        if let Some((pusher, request)) = job.pusher {
            self.pass_on(pusher, request, answer, true);
        }
        self.hand_out(&job.topic);
    }

    /// A session is gone: its jobs are others', its pushes go on without it.
    pub(super) fn puller_left(&mut self, wire: Wire) {
        for id in self.queues.ids(wire) {
            self.stop_pulling(wire, id);
        }
        let held = self.queues.rings.values_mut().flat_map(|ring| &mut ring.held);
        for job in held.chain(self.queues.tasks.values_mut()) {
            job.pusher = job.pusher.filter(|(pusher, _)| *pusher != wire);
        }
    }
}
