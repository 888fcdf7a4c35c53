//! The judge of a history: nothing lost, doubled, skipped or starved, the backlog in order and in its bounds, and
//! waiting pushers woken. It knows the rules of PROTOCOL.md, section 8, and nothing of how a queue works.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use petasus_broker::hub::{Pushed, QueueRules};

use crate::history::{Answer, Event, Sizes};
use crate::planted::Breach;
use crate::rotation::Rotation;

/// Judges a history. Err: what the first event breaks that breaks anything.
pub(crate) fn judge(rules: &QueueRules, history: &[Event]) -> Result<(), Vec<Breach>> {
    let mut judge = Judge { rules: *rules, ..Judge::default() };
    for event in history {
        judge.see(event);
        if !judge.breaches.is_empty() {
            return Err(judge.breaches);
        }
    }
    judge.end();
    if judge.breaches.is_empty() { Ok(()) } else { Err(judge.breaches) }
}

struct Judge {
    rules: QueueRules,
    rings: BTreeMap<usize, Ring>,
    pullers: BTreeMap<usize, Puller>,
    jobs: BTreeMap<usize, Job>,
    /// Pushers that were told that there is no room: their topics and the sizes of their jobs.
    waiters: BTreeMap<usize, (usize, usize)>,
    /// The call that has not returned.
    call: Option<Event>,
    /// How many jobs the call must say it dropped.
    dropped: usize,
    breaches: Vec<Breach>,
}

#[derive(Default)]
struct Ring {
    rotation: Rotation,
    waiting: VecDeque<usize>,
    /// When the last puller left.
    deserted: Duration,
}

struct Puller {
    topic: usize,
    capacity: usize,
    /// Assigned and not yet written.
    pending: VecDeque<usize>,
    /// It refused a job, and the queue was not told since that there is room.
    refused: bool,
}

struct Job {
    topic: usize,
    size: usize,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The push has not returned.
    Offered,
    /// The pusher still has it.
    Returned,
    /// In the backlog, maybe because it was taken back from a puller that left.
    Waiting {
        since: Duration,
        again: bool,
    },
    Assigned,
    Written,
    Dropped,
    Expired,
}

impl Default for Judge {
    fn default() -> Self {
        let rules = QueueRules {
            hold: false,
            hold_messages: 0,
            hold_bytes: 0,
            hold_age: Duration::ZERO,
            hold_total: usize::MAX,
        };
        let (rings, pullers, jobs, waiters) = Default::default();
        Self { rules, rings, pullers, jobs, waiters, call: None, dropped: 0, breaches: Vec::new() }
    }
}

impl Judge {
    fn breach(&mut self, requirement: &'static str, what: impl Into<String>) {
        self.breaches.push(Breach::new(requirement, what));
    }

    fn see(&mut self, event: &Event) {
        match event {
            Event::Assigned { puller, job } => self.assigned(*puller, *job),
            Event::Refused { puller } => self.change(*puller, |puller| puller.refused = true),
            Event::Wrote { puller, job } => {
                self.change(*puller, |puller| puller.pending.retain(|pending| pending != job));
                self.job(*job).state = State::Written;
            }
            Event::Resumed { pusher } => {
                if self.waiters.remove(pusher).is_none() {
                    self.breach("REQ-RR-014", format!("pusher {pusher} is resumed, but does not wait"));
                }
            }
            Event::Return { answer, sizes } => self.returned(*answer, *sizes),
            call => self.called(call),
        }
    }

    fn called(&mut self, call: &Event) {
        self.dropped = 0;
        self.call = Some(call.clone());
        match *call {
            Event::Join { puller, topic, capacity, now } => {
                self.expire(topic, now);
                let (pending, refused) = (VecDeque::new(), false);
                self.pullers.insert(puller, Puller { topic, capacity, pending, refused });
                self.ring(topic).rotation.join(puller, capacity > 0);
            }
            Event::Leave { puller, now } => self.leaves(puller, now),
            Event::Push { job, size, topic, .. } => {
                let known = self.jobs.insert(job, Job { topic, size, state: State::Offered });
                assert!(known.is_none_or(|known| known.state == State::Returned), "a job is pushed twice");
            }
            Event::Ready { puller } => self.change(puller, |puller| puller.refused = false),
            Event::GiveUp { pusher } => drop(self.waiters.remove(&pusher)),
            Event::Expire { now } => {
                let topics: Vec<usize> = self.rings.keys().copied().collect();
                for topic in topics {
                    self.expire(topic, now);
                }
            }
            _ => unreachable!("an effect is no call"),
        }
    }

    /// F5: what was not written goes to the head of the queue, in its old order.
    fn leaves(&mut self, puller: usize, now: Duration) {
        let Some(Puller { topic, pending, .. }) = self.pullers.remove(&puller) else { return };
        for &job in &pending {
            self.job(job).state = State::Waiting { since: now, again: true };
        }
        let hold = self.rules.hold;
        let ring = self.ring(topic);
        ring.rotation.leave(puller);
        for job in pending.into_iter().rev() {
            ring.waiting.push_front(job);
        }
        if ring.rotation.is_empty() {
            ring.deserted = now;
            if !hold {
                let dropped = std::mem::take(&mut ring.waiting);
                self.dropped = dropped.len();
                for job in dropped {
                    self.job(job).state = State::Dropped;
                }
            }
        }
    }

    /// What waits longer than it may while nobody is there is dropped.
    fn expire(&mut self, topic: usize, now: Duration) {
        let Some(ring) = self.rings.get_mut(&topic).filter(|ring| ring.rotation.is_empty()) else { return };
        for job in std::mem::take(&mut ring.waiting) {
            let job_state = &mut self.jobs.get_mut(&job).expect("a known job").state;
            let State::Waiting { since, .. } = *job_state else { unreachable!("it waits") };
            if now.saturating_sub(since.max(ring.deserted)) > self.rules.hold_age {
                *job_state = State::Expired;
                self.dropped += 1;
            } else {
                ring.waiting.push_back(job);
            }
        }
    }

    fn assigned(&mut self, puller: usize, job: usize) {
        let Job { topic, state, .. } = *self.job(job);
        let Some(of) = self.pullers.get(&puller).map(|puller| puller.topic) else {
            return self.breach("REQ-LIF-004", format!("job {job} for puller {puller}, which has left"));
        };
        if of != topic {
            return self
                .breach("REQ-RR-007", format!("job {job} of topic {topic} for a puller of topic {of}"));
        }
        match state {
            State::Offered | State::Waiting { .. } => self.check_first(job),
            State::Returned | State::Assigned | State::Written => {
                return self
                    .breach("REQ-RR-002", format!("job {job} for puller {puller} though it is {state:?}"));
            }
            State::Dropped => self.breach("REQ-RR-008", format!("job {job} was dropped, and comes")),
            State::Expired => self.breach("REQ-RR-013", format!("job {job} was too old, and comes")),
        }
        let ring = self.ring(topic);
        ring.waiting.retain(|&waiting| waiting != job);
        let breaches = ring.rotation.serve(puller);
        self.breaches.extend(breaches);
        self.job(job).state = State::Assigned;
        self.change(puller, |puller| puller.pending.push_back(job));
    }

    /// Whether a job is the one to be handed over next: the oldest that waits, or the new one if none does.
    fn check_first(&mut self, job: usize) {
        let topic = self.job(job).topic;
        if let Some(&first) = self.ring(topic).waiting.front()
            && first != job
        {
            self.breach(self.backlog_rule(topic), format!("job {job} overtakes {first}"));
        }
    }

    /// The requirement by which the head of the backlog comes first.
    fn backlog_rule(&self, topic: usize) -> &'static str {
        let head = self.rings[&topic].waiting.front().map(|job| self.jobs[job].state);
        match head {
            Some(State::Waiting { again: true, .. }) => "REQ-RR-011",
            _ => "REQ-RR-013",
        }
    }

    fn returned(&mut self, answer: Answer, sizes: Sizes) {
        match (self.call.take(), answer) {
            (Some(Event::Push { job, pusher, now, .. }), Answer::Pushed(pushed)) => {
                self.check_push(job, pusher, now, pushed);
            }
            (Some(call), Answer::Dropped(dropped)) => {
                let rule = if matches!(call, Event::Leave { .. }) { "REQ-RR-008" } else { "REQ-RR-013" };
                if dropped != self.dropped {
                    self.breach(rule, format!("{dropped} jobs dropped instead of {}", self.dropped));
                }
            }
            _ => {}
        }
        // What follows from a breach is none of its own.
        for check in [Self::check_held, Self::check_rest, Self::check_sizes] {
            if self.breaches.is_empty() {
                check(self, sizes);
            }
        }
    }

    /// Whether the answer to a push is true, and the right one.
    fn check_push(&mut self, job: usize, pusher: Option<usize>, now: Duration, answer: Pushed) {
        let Job { topic, size, state } = *self.job(job);
        if state != State::Offered {
            if answer != Pushed::Handed {
                self.breach("REQ-RR-002", format!("job {job} was handed over, and the answer is {answer:?}"));
            }
            return;
        }
        let fits = self.fits(topic, size);
        let hold = self.rules.hold;
        let ring = self.ring(topic);
        let nobody = ring.rotation.is_empty();
        match answer {
            Pushed::Handed => {
                self.breach("REQ-RR-001", format!("job {job} is handed over, but nobody has it"));
            }
            Pushed::NoPuller if !nobody => {
                self.breach("REQ-RR-001", format!("job {job} finds nobody, but somebody is there"));
            }
            Pushed::Held | Pushed::Full if nobody && !hold => {
                self.breach(
                    "REQ-RR-008",
                    format!("job {job}: {answer:?} though nobody is there to wait for"),
                );
            }
            Pushed::NoPuller if hold => self.breach("REQ-RR-008", format!("job {job} should be held")),
            Pushed::NoPuller => self.job(job).state = State::Dropped,
            Pushed::Held if fits => {
                ring.waiting.push_back(job);
                self.job(job).state = State::Waiting { since: now, again: false };
            }
            Pushed::Full if !fits => {
                self.job(job).state = State::Returned;
                if let Some(pusher) = pusher {
                    self.waiters.insert(pusher, (topic, size));
                }
            }
            Pushed::Held | Pushed::Full => {
                self.breach("REQ-RR-013", format!("job {job} is {answer:?}, but fits is {fits}"));
            }
        }
    }

    /// The queue knows of every job that waits.
    fn check_held(&mut self, sizes: Sizes) {
        let held = self.held();
        if sizes.held < held {
            let again = self.rings.keys().any(|&topic| self.backlog_rule(topic) == "REQ-RR-011");
            let rule = if again { "REQ-RR-011" } else { "REQ-RR-001" };
            self.breach(rule, format!("{} jobs wait instead of {held}", sizes.held));
        }
    }

    /// Nothing waits that could go on.
    fn check_rest(&mut self, _: Sizes) {
        let topics: Vec<usize> = self.rings.keys().copied().collect();
        for topic in topics {
            let ring = self.ring(topic);
            if ring.waiting.is_empty() || ring.rotation.is_empty() {
                continue;
            }
            if ring.rotation.has_ready() {
                self.breach("REQ-RR-001", format!("jobs of topic {topic} wait though a puller is ready"));
            } else {
                ring.rotation.nobody_was_ready();
            }
        }
        let forgotten = self.waiters.iter().find(|(_, (topic, size))| self.fits(*topic, *size));
        if let Some((pusher, _)) = forgotten {
            self.breach("REQ-RR-014", format!("pusher {pusher} still waits though there is room"));
        }
    }

    /// The queue knows of nothing that is not there.
    fn check_sizes(&mut self, sizes: Sizes) {
        let in_use = |(topic, ring): &(&usize, &Ring)| {
            let awaited = self.waiters.values().any(|(of, _)| of == *topic);
            awaited || !ring.waiting.is_empty() || !ring.rotation.is_empty()
        };
        let topics = self.rings.iter().filter(in_use).count();
        let expected = Sizes { topics, pullers: self.pullers.len(), held: self.held() };
        if sizes != expected {
            self.breach("REQ-LIF-005", format!("{sizes:?} instead of {expected:?}"));
        }
    }

    fn end(&mut self) {
        let settled = [State::Written, State::Returned, State::Dropped, State::Expired];
        let lost = self.jobs.iter().find(|(_, job)| !settled.contains(&job.state));
        if let Some((number, job)) = lost {
            let what = format!("job {number} is {:?} when all is over", job.state);
            self.breach("REQ-RR-001", what);
        }
    }

    /// Whether there is room for one more. A single job always fits.
    fn fits(&self, topic: usize, size: usize) -> bool {
        let Some(ring) = self.rings.get(&topic) else { return true };
        let bytes: usize = ring.waiting.iter().map(|job| self.jobs[job].size).sum();
        let in_bounds =
            ring.waiting.len() < self.rules.hold_messages && bytes + size <= self.rules.hold_bytes;
        ring.waiting.is_empty() || in_bounds
    }

    /// How many jobs wait.
    fn held(&self) -> usize {
        self.rings.values().map(|ring| ring.waiting.len()).sum()
    }

    /// Changes a puller that is there, and sees whether it is ready then.
    fn change(&mut self, name: usize, change: impl FnOnce(&mut Puller)) {
        let Some(puller) = self.pullers.get_mut(&name) else { return };
        change(puller);
        let (topic, ready) = (puller.topic, !puller.refused && puller.pending.len() < puller.capacity);
        self.ring(topic).rotation.set_ready(name, ready);
    }

    fn ring(&mut self, topic: usize) -> &mut Ring {
        self.rings.entry(topic).or_default()
    }

    fn job(&mut self, job: usize) -> &mut Job {
        self.jobs.get_mut(&job).expect("a job that was pushed")
    }
}
