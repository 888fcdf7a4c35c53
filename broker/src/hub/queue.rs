//! Push and pull: exactly one puller receives, in strict rotation (REQ-RR-001 to -007).
//!
//! One ring per topic: its pullers in the order in which they joined, and a cursor that all pushers share.
//! A puller that is not ready (its outbox is full) is passed over; a job that finds no ready puller waits,
//! and so does everything behind it.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use petasus_protocol::{Message, Topic};
use slab::Slab;

use super::Outbox;

/// The number of a puller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PullerId(usize);

/// The bounds of the backlog of each topic.
#[derive(Debug, Clone, Copy)]
pub struct QueueRules {
    /// Whether a job that finds no puller connected waits for one, or is dropped.
    pub hold: bool,
    /// How many jobs wait at most.
    pub hold_messages: usize,
    /// How many payload bytes wait at most.
    pub hold_bytes: usize,
    /// How long a job waits at most while no puller is connected.
    pub hold_age: Duration,
    /// How many bytes wait at most in all queues together; each job counts 64 more than its payload.
    pub hold_total: usize,
}

/// What a waiting job costs beside its payload, in bytes.
const OVERHEAD: usize = 64;

/// What became of a pushed job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// A puller has it in its outbox.
    Handed,
    /// It waits: no puller is connected (and the rules say to hold), or none is ready.
    Held,
    /// It was dropped: no puller is connected.
    NoPuller,
    /// It was not taken: the backlog is full. The caller still has it.
    Full,
}

/// All queues. A queue exists while it has a puller, a waiting job or a waiting pusher.
pub struct Queue<O> {
    rules: QueueRules,
    by_topic: HashMap<Topic, usize>,
    rings: Slab<Ring<O>>,
    /// The ring of each puller.
    pullers: Slab<usize>,
    /// What waits in all rings, in bytes, against `hold_total`.
    total: usize,
    /// A pusher waits because of `hold_total`.
    short: bool,
}

struct Ring<O> {
    topic: Topic,
    /// In the order in which they joined.
    pullers: Vec<Puller<O>>,
    /// The place in `pullers` whose turn is next; 0 while there are none.
    cursor: usize,
    /// How many of `pullers` are marked ready.
    ready: usize,
    backlog: VecDeque<Held>,
    backlog_bytes: usize,
    /// When the last puller left: waiting for a puller begins then at the earliest.
    deserted: Duration,
    /// Pushers that were told [`Pushed::Full`].
    waiting: Vec<O>,
}

struct Puller<O> {
    id: usize,
    outbox: O,
    /// Cleared when the outbox refuses a job, set when its owner says that there is room again.
    ready: bool,
}

struct Held {
    message: Message,
    since: Duration,
}

impl<O: Outbox> Queue<O> {
    /// No queue yet.
    pub fn new(rules: QueueRules) -> Self {
        Self {
            rules,
            by_topic: HashMap::new(),
            rings: Slab::new(),
            pullers: Slab::new(),
            total: 0,
            short: false,
        }
    }

    /// Joins the rotation behind those who are there; waiting jobs are handed over at once.
    pub fn pull(
        &mut self,
        topic: &Topic,
        outbox: O,
        now: Duration,
        batch: &mut O::Batch,
    ) -> (PullerId, usize) {
        let number = self.ring(topic);
        let id = self.pullers.insert(number);
        let rules = self.rules;
        let expired = self.change(number, |ring| {
            let expired = ring.expire(&rules, now);
            ring.pullers.push(Puller { id, outbox, ready: true });
            ring.ready += 1;
            ring.hand_out(&rules, batch);
            expired
        });
        (PullerId(id), expired)
    }

    /// Leaves the rotation. What was not yet written to the leaving puller goes back to the head of the
    /// queue. Returns how many jobs were dropped because nobody is left to take them.
    pub fn leave(&mut self, puller: PullerId, now: Duration, batch: &mut O::Batch) -> usize {
        let Some(number) = self.pullers.try_remove(puller.0) else { return 0 };
        let rules = self.rules;
        let dropped = self.change(number, |ring| {
            ring.remove(puller.0, now);
            ring.hand_out(&rules, batch);
            ring.drop_if_deserted(&rules)
        });
        self.tidy(number);
        dropped
    }

    /// Says that a puller's outbox has room again.
    pub fn ready(&mut self, puller: PullerId, batch: &mut O::Batch) {
        let Some(&number) = self.pullers.get(puller.0) else { return };
        let rules = self.rules;
        self.change(number, |ring| {
            if let Some(puller) = ring.pullers.iter_mut().find(|p| p.id == puller.0 && !p.ready) {
                puller.ready = true;
                ring.ready += 1;
                ring.hand_out(&rules, batch);
            }
        });
    }

    /// Pushes a job. On [`Pushed::Full`] the `waiter`, if there is one, is resumed when there is room.
    pub fn push(
        &mut self,
        topic: &Topic,
        message: &Message,
        now: Duration,
        waiter: Option<&O>,
        batch: &mut O::Batch,
    ) -> Pushed {
        let deserted = self.by_topic.get(topic).is_none_or(|&number| self.rings[number].pullers.is_empty());
        if deserted && !self.rules.hold {
            return Pushed::NoPuller;
        }
        let number = self.ring(topic);
        let ring = &mut self.rings[number];
        if ring.backlog.is_empty() && ring.hand(message, batch) {
            return Pushed::Handed;
        }
        let fits = self.total + message.len() + OVERHEAD <= self.rules.hold_total;
        if fits && ring.has_room(&self.rules, message) {
            self.total += message.len() + OVERHEAD;
            ring.backlog_bytes += message.len();
            ring.backlog.push_back(Held { message: message.clone(), since: now });
            return Pushed::Held;
        }
        self.short |= !fits;
        if let Some(waiter) = waiter
            && !ring.waiting.iter().any(|known| known.is(waiter))
        {
            ring.waiting.push(waiter.clone());
        }
        Pushed::Full
    }

    /// Forgets a waiting pusher.
    pub fn stop_waiting(&mut self, topic: &Topic, waiter: &O) {
        let Some(&number) = self.by_topic.get(topic) else { return };
        self.rings[number].waiting.retain(|known| !known.is(waiter));
        self.tidy(number);
    }

    /// Drops jobs that waited too long while no puller was connected; returns how many.
    pub fn expire(&mut self, now: Duration) -> usize {
        let numbers: Vec<usize> = self.rings.iter().map(|(number, _)| number).collect();
        let mut expired = 0;
        for number in numbers {
            let rules = self.rules;
            expired += self.change(number, |ring| ring.expire(&rules, now));
            self.tidy(number);
        }
        expired
    }

    /// How many topics have a puller or something that waits.
    pub fn topics(&self) -> usize {
        self.rings.len()
    }

    /// How many pullers there are.
    pub fn pullers(&self) -> usize {
        self.pullers.len()
    }

    /// How many jobs wait.
    pub fn held(&self) -> usize {
        self.rings.iter().map(|(_, ring)| ring.backlog.len()).sum()
    }

    fn ring(&mut self, topic: &Topic) -> usize {
        if let Some(&number) = self.by_topic.get(topic) {
            return number;
        }
        let number = self.rings.insert(Ring {
            topic: topic.clone(),
            pullers: Vec::new(),
            cursor: 0,
            ready: 0,
            backlog: VecDeque::new(),
            backlog_bytes: 0,
            deserted: Duration::ZERO,
            waiting: Vec::new(),
        });
        self.by_topic.insert(topic.clone(), number);
        number
    }

    /// Changes a ring and keeps the total right. If it falls and somebody waits for that, all who wait are woken.
    fn change<R>(&mut self, number: usize, change: impl FnOnce(&mut Ring<O>) -> R) -> R {
        let ring = &mut self.rings[number];
        let before = ring.waiting_cost();
        let result = change(ring);
        let after = ring.waiting_cost();
        self.total = self.total + after - before;
        if after < before && std::mem::take(&mut self.short) {
            for (_, ring) in &mut self.rings {
                ring.waiting.drain(..).for_each(|pusher| pusher.resume());
            }
        }
        result
    }

    fn tidy(&mut self, number: usize) {
        let ring = &self.rings[number];
        if ring.pullers.is_empty() && ring.backlog.is_empty() && ring.waiting.is_empty() {
            self.by_topic.remove(&ring.topic);
            self.rings.remove(number);
        }
    }
}

impl<O: Outbox> Ring<O> {
    /// Hands a job to the puller whose turn it is. A puller that refuses is not ready any more.
    fn hand(&mut self, message: &Message, batch: &mut O::Batch) -> bool {
        for _ in 0..self.pullers.len() {
            if self.ready == 0 {
                return false;
            }
            let place = self.cursor;
            self.cursor = (place + 1) % self.pullers.len();
            let puller = &mut self.pullers[place];
            if !puller.ready {
                continue;
            }
            if puller.outbox.offer(message, batch) {
                return true;
            }
            puller.ready = false;
            self.ready -= 1;
        }
        false
    }

    /// What waits here, in bytes, as it counts against `hold_total`.
    fn waiting_cost(&self) -> usize {
        self.backlog_bytes + self.backlog.len() * OVERHEAD
    }

    /// Hands over waiting jobs as long as somebody takes them, then wakes the pushers that wait for room.
    fn hand_out(&mut self, rules: &QueueRules, batch: &mut O::Batch) {
        while let Some(held) = self.backlog.pop_front() {
            if !self.hand(&held.message, batch) {
                self.backlog.push_front(held);
                break;
            }
            self.backlog_bytes -= held.message.len();
        }
        self.resume_if_room(rules);
    }

    /// Wakes all who wait if a job might fit: never fewer than [`Self::has_room`] would take one of.
    fn resume_if_room(&mut self, rules: &QueueRules) {
        let in_bounds = self.backlog.len() < rules.hold_messages && self.backlog_bytes <= rules.hold_bytes;
        if self.backlog.is_empty() || in_bounds {
            self.waiting.drain(..).for_each(|pusher| pusher.resume());
        }
    }

    /// A single job always fits into an empty backlog, whatever its size.
    fn has_room(&self, rules: &QueueRules, message: &Message) -> bool {
        self.backlog.is_empty()
            || (self.backlog.len() < rules.hold_messages
                && self.backlog_bytes + message.len() <= rules.hold_bytes)
    }

    fn remove(&mut self, id: usize, now: Duration) {
        let Some(place) = self.pullers.iter().position(|p| p.id == id) else { return };
        let puller = self.pullers.remove(place);
        self.ready -= usize::from(puller.ready);
        self.deserted = now;
        // The turn stays with whoever had it; a leaving puller's turn falls to its successor.
        if place < self.cursor {
            self.cursor -= 1;
        }
        if self.cursor >= self.pullers.len() {
            self.cursor = 0;
        }
        for message in puller.outbox.reclaim().into_iter().rev() {
            self.backlog_bytes += message.len();
            self.backlog.push_front(Held { message, since: now });
        }
    }

    /// Without a puller and without holding, nobody would ever take what waits.
    fn drop_if_deserted(&mut self, rules: &QueueRules) -> usize {
        if !self.pullers.is_empty() || rules.hold {
            return 0;
        }
        let dropped = self.backlog.len();
        self.backlog.clear();
        self.backlog_bytes = 0;
        self.resume_if_room(rules);
        dropped
    }

    fn expire(&mut self, rules: &QueueRules, now: Duration) -> usize {
        if !self.pullers.is_empty() {
            return 0;
        }
        let before = self.backlog.len();
        while let Some(held) = self.backlog.front()
            && now.saturating_sub(held.since.max(self.deserted)) > rules.hold_age
        {
            self.backlog_bytes -= held.message.len();
            self.backlog.pop_front();
        }
        self.resume_if_room(rules);
        before - self.backlog.len()
    }
}
