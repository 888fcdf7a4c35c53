//! The judge of a history: nothing lost, doubled, skipped or starved, the backlog in order and in its bounds, and
//! waiting pushers woken. It knows the rules of PROTOCOL.md, section 8, and nothing of how a queue works.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use petasus_broker::hub::{Pushed, QueueRules};

use crate::history::{Answer, Event, How, Sizes};
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
    /// What pushers must be told before the call returns.
    due: Vec<(usize, How)>,
    breaches: Vec<Breach>,
}

#[derive(Default)]
struct Ring {
    rotation: Rotation,
    waiting: VecDeque<usize>,
    /// When the last puller left, and the last that answers.
    deserted: [Duration; 2],
}

impl Ring {
    /// Whether somebody is there who may have such a job.
    fn has_takers(&self, done: bool) -> bool {
        if done { self.rotation.has_answering() } else { !self.rotation.is_empty() }
    }
}

struct Puller {
    topic: usize,
    capacity: usize,
    /// Assigned and not yet written.
    pending: VecDeque<usize>,
    /// How many it has not answered at most, if it answers.
    concurrency: Option<usize>,
    /// Assigned and not answered, if it answers.
    unanswered: VecDeque<usize>,
    /// It refused a job, and the queue was not told since that there is room.
    refused: bool,
}

struct Job {
    topic: usize,
    size: usize,
    state: State,
    /// Its pusher wants it to be answered.
    done: bool,
    /// And waits for that still.
    awaited: bool,
    canceled: bool,
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
        /// The requirement by which it has its place.
        rule: &'static str,
    },
    Assigned,
    Written,
    Answered,
    Canceled,
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
        let (due, breaches) = Default::default();
        Self { rules, rings, pullers, jobs, waiters, call: None, dropped: 0, due, breaches }
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
                if self.job(*job).state == State::Assigned {
                    self.job(*job).state = State::Written;
                }
            }
            Event::Settled { job, how } => self.settled(*job, *how),
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
            Event::Join { puller, topic, capacity, concurrency, now } => {
                self.expire(topic, now);
                let (pending, unanswered, refused) = Default::default();
                let joined = Puller { topic, capacity, pending, concurrency, unanswered, refused };
                self.pullers.insert(puller, joined);
                self.ring(topic).rotation.join(puller, capacity > 0, concurrency.is_some());
            }
            Event::Leave { puller, now } => self.leaves(puller, now),
            Event::Push { job, size, topic, done, .. } => {
                let (state, awaited, canceled) = (State::Offered, false, false);
                let known = self.jobs.insert(job, Job { topic, size, state, done, awaited, canceled });
                assert!(known.is_none_or(|known| known.state == State::Returned), "a job is pushed twice");
            }
            Event::Ready { puller } => self.change(puller, |puller| puller.refused = false),
            Event::Answered { puller, job } => self.answered(puller, job),
            Event::Cancel { job } => self.canceled(job),
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
        let Some(gone) = self.pullers.remove(&puller) else { return };
        let Puller { topic, pending, concurrency, unanswered, .. } = gone;
        let (pending, rule) =
            if concurrency.is_some() { (unanswered, "REQ-WAMP-096") } else { (pending, "REQ-RR-011") };
        for &job in &pending {
            self.job(job).state = State::Waiting { since: now, rule };
        }
        let ring = self.ring(topic);
        ring.rotation.leave(puller);
        for job in pending.into_iter().rev() {
            ring.waiting.push_front(job);
        }
        ring.deserted[0] = now;
        if concurrency.is_some() {
            ring.deserted[1] = now;
        }
        if !self.rules.hold {
            self.drop_where(topic, State::Dropped, How::NoPuller, |ring, job| !ring.has_takers(job.done));
        }
    }

    /// Takes jobs out of the backlog of a topic; whoever waits for them is to be told.
    fn drop_where(&mut self, topic: usize, state: State, how: How, is_to_go: impl Fn(&Ring, &Job) -> bool) {
        let Some(ring) = self.rings.get(&topic) else { return };
        let waiting = ring.waiting.iter().copied();
        let gone: Vec<usize> = waiting.filter(|job| is_to_go(ring, &self.jobs[job])).collect();
        self.ring(topic).waiting.retain(|job| !gone.contains(job));
        self.dropped += gone.len();
        for job in gone {
            self.job(job).state = state;
            self.is_due(job, how);
        }
    }

    /// If somebody waits for a job, it is told now.
    fn is_due(&mut self, job: usize, how: How) {
        if std::mem::take(&mut self.job(job).awaited) {
            self.due.push((job, how));
        }
    }

    fn settled(&mut self, job: usize, how: How) {
        if let Some(place) = self.due.iter().position(|due| *due == (job, how)) {
            self.due.remove(place);
            return;
        }
        let rule = if self.job(job).canceled { "REQ-WAMP-100" } else { "REQ-WAMP-099" };
        self.breach(rule, format!("the pusher of job {job} is told {how:?}"));
    }

    fn answered(&mut self, puller: usize, job: usize) {
        self.change(puller, |puller| puller.unanswered.retain(|unanswered| *unanswered != job));
        self.job(job).state = State::Answered;
        self.is_due(job, How::Answered);
    }

    fn canceled(&mut self, job: usize) {
        let Job { topic, state, awaited, .. } = *self.job(job);
        if !awaited {
            return;
        }
        self.job(job).canceled = true;
        self.is_due(job, How::Canceled);
        if let State::Waiting { .. } = state {
            self.job(job).state = State::Canceled;
            self.ring(topic).waiting.retain(|waiting| *waiting != job);
        }
    }

    /// What waits longer than it may while nobody is there is dropped.
    fn expire(&mut self, topic: usize, now: Duration) {
        let age = self.rules.hold_age;
        self.drop_where(topic, State::Expired, How::Expired, |ring, job| {
            let State::Waiting { since, .. } = job.state else { unreachable!("it waits") };
            let deserted = ring.deserted[usize::from(job.done)];
            !ring.has_takers(job.done) && now.saturating_sub(since.max(deserted)) > age
        });
    }

    fn assigned(&mut self, puller: usize, job: usize) {
        let Job { topic, state, done, .. } = *self.job(job);
        let known = self.pullers.get(&puller).map(|puller| (puller.topic, puller.concurrency));
        let Some((of, concurrency)) = known else {
            return self.breach("REQ-LIF-004", format!("job {job} for puller {puller}, which has left"));
        };
        if of != topic {
            return self
                .breach("REQ-RR-007", format!("job {job} of topic {topic} for a puller of topic {of}"));
        }
        if done && concurrency.is_none() {
            return self
                .breach("REQ-WAMP-099", format!("job {job} for puller {puller}, which never answers"));
        }
        match state {
            State::Offered | State::Waiting { .. } => self.check_first(job, concurrency.is_some()),
            State::Canceled => self.breach("REQ-WAMP-100", format!("job {job} was canceled, and comes")),
            State::Returned | State::Assigned | State::Written | State::Answered => {
                return self
                    .breach("REQ-RR-002", format!("job {job} for puller {puller} though it is {state:?}"));
            }
            State::Dropped => self.breach("REQ-RR-008", format!("job {job} was dropped, and comes")),
            State::Expired => self.breach("REQ-RR-013", format!("job {job} was too old, and comes")),
        }
        let ring = self.ring(topic);
        ring.waiting.retain(|&waiting| waiting != job);
        let breaches = ring.rotation.serve(puller, done);
        self.breaches.extend(breaches);
        self.job(job).state = State::Assigned;
        self.change(puller, |puller| {
            puller.pending.push_back(job);
            if puller.concurrency.is_some() {
                puller.unanswered.push_back(job);
            }
        });
        let unanswered = self.pullers[&puller].unanswered.len();
        if concurrency.is_some_and(|most| unanswered > most) {
            self.breach("REQ-WAMP-094", format!("puller {puller} has {unanswered} jobs to answer"));
        }
    }

    /// Whether a job is the one to be handed over next: the oldest that waits for such a puller, or the new one if
    /// none does.
    fn check_first(&mut self, job: usize, answers: bool) {
        let topic = self.job(job).topic;
        let mut waiting = self.rings.get(&topic).into_iter().flat_map(|ring| &ring.waiting);
        if let Some(&first) = waiting.find(|job| answers || !self.jobs[job].done)
            && first != job
        {
            let State::Waiting { rule, .. } = self.jobs[&first].state else { unreachable!("it waits") };
            self.breach(rule, format!("job {job} overtakes {first}"));
        }
    }

    /// The requirement by which the head of the backlog comes first.
    fn backlog_rule(&self, topic: usize) -> &'static str {
        let head = self.rings[&topic].waiting.front().map(|job| self.jobs[job].state);
        match head {
            Some(State::Waiting { rule, .. }) => rule,
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
        if let Some((job, how)) = self.due.pop() {
            let rule = if how == How::Canceled { "REQ-WAMP-100" } else { "REQ-WAMP-099" };
            self.breach(rule, format!("the pusher of job {job} is not told {how:?}"));
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
        let Job { topic, size, state, done, .. } = *self.job(job);
        self.job(job).awaited = done && matches!(answer, Pushed::Handed | Pushed::Held);
        if state != State::Offered {
            if answer != Pushed::Handed {
                self.breach("REQ-RR-002", format!("job {job} was handed over, and the answer is {answer:?}"));
            }
            return;
        }
        let fits = self.fits(topic, size);
        let hold = self.rules.hold;
        let ring = self.ring(topic);
        let nobody = !ring.has_takers(done);
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
                self.job(job).state = State::Waiting { since: now, rule: "REQ-RR-013" };
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
            let again =
                self.rings.keys().map(|&topic| self.backlog_rule(topic)).find(|&rule| rule != "REQ-RR-013");
            let rule = again.unwrap_or("REQ-RR-001");
            self.breach(rule, format!("{} jobs wait instead of {held}", sizes.held));
        }
    }

    /// Nothing waits that could go on.
    fn check_rest(&mut self, _: Sizes) {
        let topics: Vec<usize> = self.rings.keys().copied().collect();
        for topic in topics {
            let ring = &self.rings[&topic];
            let waits = |done: bool| ring.waiting.iter().any(|job| self.jobs[job].done == done);
            let (any, answered) = (waits(false), waits(true));
            if any && ring.rotation.has_ready() || answered && ring.rotation.has_ready_answering() {
                self.breach("REQ-RR-001", format!("jobs of topic {topic} wait though a puller is ready"));
            } else if any || answered {
                self.ring(topic).rotation.nobody_was_ready();
            }
        }
        let would_go = |topic: &usize| {
            let ring = &self.rings[topic];
            ring.rotation.has_ready() && ring.waiting.iter().all(|job| self.jobs[job].done)
        };
        let has_room = |topic: &usize, size: &usize| self.fits(*topic, *size) || would_go(topic);
        let forgotten = self.waiters.iter().find(|(_, (topic, size))| has_room(topic, size));
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
        let running = self.pullers.values().map(|puller| puller.unanswered.len()).sum();
        let expected = Sizes { topics, pullers: self.pullers.len(), held: self.held(), running };
        if sizes != expected {
            self.breach("REQ-LIF-005", format!("{sizes:?} instead of {expected:?}"));
        }
    }

    fn end(&mut self) {
        let settled = [
            State::Written,
            State::Answered,
            State::Canceled,
            State::Returned,
            State::Dropped,
            State::Expired,
        ];
        let is_lost = |job: &Job| !settled.contains(&job.state) || job.done && job.state == State::Written;
        let lost = self.jobs.iter().find(|(_, job)| is_lost(job));
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
        let free = puller.concurrency.is_none_or(|most| puller.unanswered.len() < most);
        let ready = !puller.refused && puller.pending.len() < puller.capacity && free;
        let (topic, refused) = (puller.topic, puller.refused);
        self.ring(topic).rotation.set_ready(name, ready, refused);
    }

    fn ring(&mut self, topic: usize) -> &mut Ring {
        self.rings.entry(topic).or_default()
    }

    fn job(&mut self, job: usize) -> &mut Job {
        self.jobs.get_mut(&job).expect("a job that was pushed")
    }
}
