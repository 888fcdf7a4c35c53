//! Push and pull: exactly one puller receives, in strict rotation (REQ-RR-001 to -007).
//!
//! One ring per topic: its pullers in the order in which they joined, and a cursor that all pushers share.
//! A puller that is not ready (its outbox is full, or it has as many unanswered jobs as it takes) is passed
//! over; a job that finds no ready puller waits, and so does everything behind it that the same pullers take.
//!
//! Some pullers answer their jobs, others just take them. A job whose pusher waits until it is done goes only to
//! those who answer. The others are passed over without losing their turn: who takes such a job goes behind
//! everybody in the ring. While it waits, the jobs behind it go to whom it may not go to.

mod clients;
mod puller;
mod ring;

use std::collections::HashMap;
use std::time::Duration;

use petasus_protocol::{Message, Topic};
use slab::Slab;

use super::Outbox;
use clients::Clients;
pub use clients::{ClientId, ClientLimits, PullRefused, PushRefused};
use puller::{Task, Work};
use ring::Ring;

/// The first number of a registration and of an assigned job: those of the dealer count from 1.
pub const FIRST_JOB: u64 = 1 << 52;

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
    /// How many bytes wait at most in all queues together, for a puller or for the answer of one; each job counts
    /// 64 more than its payload.
    pub hold_total: usize,
}

/// What became of a pushed job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// A puller has it in its outbox.
    Handed,
    /// It waits: no puller is connected (and the rules say to hold), or none is ready.
    Held,
    /// It was dropped: no puller is connected that could take it.
    NoPuller,
    /// It was not taken: the backlog is full. The caller still has it.
    Full,
}

/// What is pushed.
pub trait Load: Clone {
    /// Payload bytes.
    fn size(&self) -> usize;
}

impl Load for Message {
    fn size(&self) -> usize {
        self.len()
    }
}

/// What a queue needs of those at its ends: pullers take jobs, pushers hear what became of theirs.
///
/// As for [`Outbox`]: called while the hub is locked.
pub trait JobEnd: Outbox {
    /// What is pushed.
    type Job: Load;

    /// What a puller answers.
    type Answer;

    /// Appends a job if the receiver is ready for one; anything but [`Offered::Taken`] leaves the receiver as it
    /// was. With an assignment, it will be answered.
    fn offer(&self, job: &Self::Job, assignment: Option<Assignment>, batch: &mut Self::Batch) -> Offered;

    /// Takes back, oldest first, the jobs that were offered without an assignment and are not yet written.
    fn reclaim(&self) -> Vec<Self::Job>;

    /// Forgets the jobs of a registration that are not yet written; the queue has them still.
    fn retract(&self, registration: u64);

    /// Tells a waiting pusher that its queue has room again.
    fn resume(&self);

    /// Tells a pusher what became of the job that it pushed with `request`.
    fn settle(&self, request: u64, ended: Ended<'_, Self::Answer>, batch: &mut Self::Batch);
}

/// How a job is known between the queue and a puller that answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assignment {
    /// The number of the puller's registration, from [`FIRST_JOB`] on.
    pub registration: u64,
    /// The number of the job among those of the same client, from [`FIRST_JOB`] on.
    pub invocation: u64,
}

/// What a puller says to a job that it is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offered {
    /// It has it.
    Taken,
    /// It has no room now, and the queue will hear when it has.
    Full,
    /// It can never take this one: it is too large for it.
    Never,
}

/// How a job ended whose pusher waits for that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended<'a, A> {
    /// A puller has answered.
    Answered(&'a A),
    /// Nobody is left who could take it.
    NoPuller,
    /// It waited too long for a puller to come.
    Expired,
    /// Its pusher took it back.
    Canceled,
}

/// All queues. A queue exists while it has a puller, a waiting job or a waiting pusher.
pub struct Queue<O: JobEnd> {
    rules: QueueRules,
    by_topic: HashMap<Topic, usize>,
    rings: Slab<Ring<O>>,
    /// The ring of each puller.
    pullers: Slab<usize>,
    clients: Clients<O>,
    next_registration: u64,
    /// What waits in all rings, and what is not answered, in bytes, against `hold_total`.
    total: usize,
    /// A pusher waits because of `hold_total`.
    short: bool,
}

impl<O: JobEnd> Queue<O> {
    /// No queue yet.
    pub fn new(rules: QueueRules) -> Self {
        Self {
            rules,
            by_topic: HashMap::new(),
            rings: Slab::new(),
            pullers: Slab::new(),
            clients: Clients::new(),
            next_registration: FIRST_JOB,
            total: 0,
            short: false,
        }
    }

    /// Joins the rotation behind those who are there; waiting jobs are handed over at once. What is written counts
    /// as done. Returns also how many jobs had waited too long.
    pub fn pull(
        &mut self,
        topic: &Topic,
        outbox: O,
        now: Duration,
        batch: &mut O::Batch,
    ) -> (PullerId, usize) {
        let number = self.ring(topic);
        let (puller, expired) = self.join(number, outbox, None, now, batch);
        (PullerId(puller), expired)
    }

    fn join(
        &mut self,
        number: usize,
        outbox: O,
        work: Option<Work<O::Job>>,
        now: Duration,
        batch: &mut O::Batch,
    ) -> (usize, usize) {
        let id = self.pullers.insert(number);
        let rules = self.rules;
        let expired = self.change(number, |ring, clients| {
            let expired = ring.expire(&rules, now, clients, batch);
            ring.join(id, outbox, work);
            ring.hand_out(&rules, clients, batch);
            expired
        });
        (id, expired)
    }

    /// Leaves the rotation. What was not yet written to the leaving puller goes back to the head of the
    /// queue. Returns how many jobs were dropped because nobody is left to take them.
    pub fn leave(&mut self, puller: PullerId, now: Duration, batch: &mut O::Batch) -> usize {
        let Some(number) = self.pullers.try_remove(puller.0) else { return 0 };
        let rules = self.rules;
        let dropped = self.change(number, |ring, clients| {
            ring.remove(puller.0, now, clients);
            ring.hand_out(&rules, clients, batch);
            ring.drop_if_deserted(&rules, clients, batch)
        });
        self.tidy(number);
        dropped
    }

    /// Says that a puller's outbox has room again.
    pub fn ready(&mut self, puller: PullerId, batch: &mut O::Batch) {
        let Some(&number) = self.pullers.get(puller.0) else { return };
        let rules = self.rules;
        self.change(number, |ring, clients| {
            if ring.has_room_again(puller.0) {
                ring.hand_out(&rules, clients, batch);
            }
        });
    }

    /// Pushes a job. On [`Pushed::Full`] the `waiter`, if there is one, is resumed when there is room.
    pub fn push(
        &mut self,
        topic: &Topic,
        job: &O::Job,
        now: Duration,
        waiter: Option<&O>,
        batch: &mut O::Batch,
    ) -> Pushed {
        self.put(topic, Task { job: job.clone(), errand: None }, now, waiter, batch)
    }

    fn put(
        &mut self,
        topic: &Topic,
        task: Task<O::Job>,
        now: Duration,
        waiter: Option<&O>,
        batch: &mut O::Batch,
    ) -> Pushed {
        let known = self.by_topic.get(topic).copied();
        if known.is_none_or(|number| !self.rings[number].has_takers(&task)) && !self.rules.hold {
            return Pushed::NoPuller;
        }
        let number = known.unwrap_or_else(|| self.ring(topic));
        let fits = self.total + task.cost() <= self.rules.hold_total;
        let rules = self.rules;
        let pushed = self.change(number, |ring, clients| ring.put(task, fits, &rules, now, clients, batch));
        if pushed == Pushed::Full {
            self.short |= !fits;
            if let Some(waiter) = waiter {
                self.rings[number].wait(waiter);
            }
        }
        self.tidy(number);
        pushed
    }

    /// Forgets a waiting pusher.
    pub fn stop_waiting(&mut self, topic: &Topic, waiter: &O) {
        let Some(&number) = self.by_topic.get(topic) else { return };
        self.rings[number].stop_waiting(waiter);
        self.tidy(number);
    }

    /// Drops jobs that waited too long while no puller was connected; returns how many.
    pub fn expire(&mut self, now: Duration, batch: &mut O::Batch) -> usize {
        let numbers: Vec<usize> = self.rings.iter().map(|(number, _)| number).collect();
        let mut expired = 0;
        for number in numbers {
            let rules = self.rules;
            expired += self.change(number, |ring, clients| ring.expire(&rules, now, clients, batch));
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

    /// How many jobs wait for a puller.
    pub fn held(&self) -> usize {
        self.rings.iter().map(|(_, ring)| ring.held()).sum()
    }

    /// How many jobs are not answered yet.
    pub fn running(&self) -> usize {
        self.clients.running()
    }

    /// How many bytes count against `hold_total`.
    pub fn kept_bytes(&self) -> usize {
        self.total
    }

    fn ring(&mut self, topic: &Topic) -> usize {
        if let Some(&number) = self.by_topic.get(topic) {
            return number;
        }
        let number = self.rings.insert(Ring::new(topic.clone()));
        self.by_topic.insert(topic.clone(), number);
        number
    }

    /// Changes a ring and keeps the total right. If it falls and somebody waits for that, all who wait are woken.
    fn change<R>(&mut self, number: usize, change: impl FnOnce(&mut Ring<O>, &mut Clients<O>) -> R) -> R {
        let ring = &mut self.rings[number];
        let before = ring.cost();
        let result = change(ring, &mut self.clients);
        let after = ring.cost();
        self.total = self.total + after - before;
        if after < before && std::mem::take(&mut self.short) {
            for (_, ring) in &mut self.rings {
                ring.resume();
            }
        }
        result
    }

    fn tidy(&mut self, number: usize) {
        if self.rings[number].is_idle() {
            let ring = self.rings.remove(number);
            self.by_topic.remove(ring.topic());
        }
    }
}
