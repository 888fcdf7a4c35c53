//! The ring of one topic: its pullers, whose turn it is, and what waits.

use std::collections::VecDeque;
use std::time::Duration;

use petasus_protocol::Topic;

use super::clients::Clients;
use super::puller::{OVERHEAD, Puller, Task, To, Work};
use super::{Ended, JobEnd, Load, Offered, Pushed, QueueRules};

/// What became of a job that looked for a puller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Search {
    Taken,
    NoneReady,
    /// Everybody says that it is too large.
    NobodyCan,
}

pub(super) struct Ring<O: JobEnd> {
    topic: Topic,
    /// In the order in which they joined, but for those who took a job that others were passed over for.
    pullers: Vec<Puller<O>>,
    /// The place in `pullers` whose turn is next; 0 while there are none.
    cursor: usize,
    /// How many of `pullers` answer.
    answering: usize,
    /// How many are ready, of those who do not answer and of those who do.
    ready: [usize; 2],
    /// What waits for any puller, and for one that answers.
    lanes: [Lane<O::Job>; 2],
    /// The numbers of the first and of the next waiting job: lower ones came earlier.
    numbers: std::ops::Range<i64>,
    /// Payload bytes of both lanes.
    backlog_bytes: usize,
    /// What is not answered, in bytes.
    running_cost: usize,
    /// Pushers that were told [`Pushed::Full`].
    waiting: Vec<O>,
}

struct Lane<J> {
    jobs: VecDeque<Held<J>>,
    /// When the last of those who take them left: waiting for a puller begins then at the earliest.
    deserted: Duration,
}

struct Held<J> {
    task: Task<J>,
    since: Duration,
    number: i64,
}

impl<O: JobEnd> Ring<O> {
    pub(super) fn new(topic: Topic) -> Self {
        let lane = || Lane { jobs: VecDeque::new(), deserted: Duration::ZERO };
        Self {
            topic,
            pullers: Vec::new(),
            cursor: 0,
            answering: 0,
            ready: [0; 2],
            lanes: [lane(), lane()],
            numbers: 0..0,
            backlog_bytes: 0,
            running_cost: 0,
            waiting: Vec::new(),
        }
    }

    pub(super) fn topic(&self) -> &Topic {
        &self.topic
    }

    pub(super) fn held(&self) -> usize {
        self.lanes.iter().map(|lane| lane.jobs.len()).sum()
    }

    /// What waits here and what is not answered, in bytes, as it counts against `hold_total`.
    pub(super) fn cost(&self) -> usize {
        self.backlog_bytes + self.held() * OVERHEAD + self.running_cost
    }

    pub(super) fn is_idle(&self) -> bool {
        self.pullers.is_empty() && self.held() == 0 && self.waiting.is_empty()
    }

    /// Whether somebody is there who takes such jobs, ready or not.
    pub(super) fn has_takers(&self, task: &Task<O::Job>) -> bool {
        self.takers(task.to()) > 0
    }

    fn takers(&self, to: To) -> usize {
        match to {
            To::All => self.pullers.len(),
            To::Answering => self.answering,
            To::Silent => self.pullers.len() - self.answering,
        }
    }

    fn ready(&self, to: To) -> usize {
        match to {
            To::All => self.ready[0] + self.ready[1],
            To::Answering => self.ready[1],
            To::Silent => self.ready[0],
        }
    }

    pub(super) fn join(&mut self, id: usize, outbox: O, work: Option<Work<O::Job>>) {
        let puller = Puller { id, outbox, room: true, work };
        self.answering += usize::from(puller.answers());
        self.ready[usize::from(puller.answers())] += usize::from(puller.is_ready());
        self.pullers.push(puller);
    }

    /// Changes a puller, and counts whether it is ready then.
    fn change<R>(&mut self, place: usize, change: impl FnOnce(&mut Puller<O>) -> R) -> R {
        let puller = &mut self.pullers[place];
        let ready = &mut self.ready[usize::from(puller.answers())];
        *ready -= usize::from(puller.is_ready());
        let result = change(puller);
        *ready += usize::from(puller.is_ready());
        result
    }

    fn place(&self, id: usize) -> Option<usize> {
        self.pullers.iter().position(|puller| puller.id == id)
    }

    /// A puller's outbox has room again; whether that is news.
    pub(super) fn has_room_again(&mut self, id: usize) -> bool {
        let Some(place) = self.place(id) else { return false };
        self.change(place, |puller| !std::mem::replace(&mut puller.room, true))
    }

    /// A puller has answered a job.
    pub(super) fn answered(&mut self, id: usize, invocation: u64) -> Option<Task<O::Job>> {
        let place = self.place(id)?;
        let task = self.change(place, |puller| puller.work.as_mut()?.running.remove(&invocation))?;
        self.running_cost -= task.cost();
        Some(task)
    }

    /// Takes in a new job. `fits`: there is room for it among all that is kept.
    pub(super) fn put(
        &mut self,
        task: Task<O::Job>,
        fits: bool,
        rules: &QueueRules,
        now: Duration,
        clients: &mut Clients<O>,
        batch: &mut O::Batch,
    ) -> Pushed {
        let lane = lane_of(&task);
        if self.lanes[lane].jobs.is_empty() {
            let search = match (fits, task.to()) {
                (true, to) => self.hand(&task, to, clients, batch),
                (false, To::All) => self.hand(&task, To::Silent, clients, batch),
                (false, _) => Search::NoneReady,
            };
            match search {
                Search::Taken => return Pushed::Handed,
                Search::NobodyCan => return Pushed::NoPuller,
                Search::NoneReady => {}
            }
        }
        if !fits || !self.has_room(rules, &task) {
            return Pushed::Full;
        }
        self.backlog_bytes += task.job.size();
        let number = self.numbers.end;
        self.numbers.end += 1;
        self.lanes[lane].jobs.push_back(Held { task, since: now, number });
        Pushed::Held
    }

    /// Hands a job to the puller whose turn it is among those who may take it. A puller that refuses is not ready
    /// any more.
    fn hand(
        &mut self,
        task: &Task<O::Job>,
        to: To,
        clients: &mut Clients<O>,
        batch: &mut O::Batch,
    ) -> Search {
        let count = self.pullers.len();
        let (mut passed, mut never) = (false, 0);
        for step in 0..count {
            if self.ready(to) == 0 {
                break;
            }
            let place = (self.cursor + step) % count;
            let puller = &self.pullers[place];
            if !puller.is_ready() {
                continue;
            }
            if !puller.takes(to) {
                passed = true;
                continue;
            }
            let offered = self.change(place, |puller| {
                let offered = puller.offer(task, clients, batch);
                puller.room = offered != Offered::Full;
                offered
            });
            match offered {
                Offered::Taken => {
                    self.running_cost += if self.pullers[place].answers() { task.cost() } else { 0 };
                    self.turn_after(place, passed);
                    return Search::Taken;
                }
                Offered::Full => {}
                Offered::Never => {
                    never += 1;
                    passed = true;
                }
            }
        }
        let nobody_can = never > 0 && never == self.takers(to) && to != To::Silent;
        if nobody_can { Search::NobodyCan } else { Search::NoneReady }
    }

    /// The turn goes on. If somebody who is ready was `passed` over, that one keeps the turn, and who was served
    /// goes behind everybody.
    fn turn_after(&mut self, place: usize, passed: bool) {
        if !passed {
            self.cursor = (place + 1) % self.pullers.len();
            return;
        }
        let puller = self.pullers.remove(place);
        if place < self.cursor {
            self.cursor -= 1;
        }
        if self.cursor == 0 {
            self.pullers.push(puller);
        } else {
            self.pullers.insert(self.cursor, puller);
            self.cursor += 1;
        }
    }

    /// Hands over waiting jobs as long as somebody takes them, then wakes the pushers that wait for room.
    pub(super) fn hand_out(&mut self, rules: &QueueRules, clients: &mut Clients<O>, batch: &mut O::Batch) {
        while self.hand_out_one(clients, batch) {}
        self.resume_if_room(rules);
    }

    /// Whether a job found its end; the older of the two that wait longest is tried first.
    fn hand_out_one(&mut self, clients: &mut Clients<O>, batch: &mut O::Batch) -> bool {
        let number = |lane: &Lane<O::Job>| lane.jobs.front().map_or(i64::MAX, |held| held.number);
        let first = usize::from(number(&self.lanes[1]) < number(&self.lanes[0]));
        for lane in [first, 1 - first] {
            let Some(held) = self.lanes[lane].jobs.pop_front() else { continue };
            match self.hand(&held.task, held.task.to(), clients, batch) {
                Search::NoneReady => {
                    self.lanes[lane].jobs.push_front(held);
                    continue;
                }
                Search::Taken => {}
                Search::NobodyCan => clients.settle(&held.task, Ended::NoPuller, batch),
            }
            self.backlog_bytes -= held.task.job.size();
            return true;
        }
        false
    }

    /// Remembers a pusher that was told that there is no room.
    pub(super) fn wait(&mut self, waiter: &O) {
        if !self.waiting.iter().any(|known| known.is(waiter)) {
            self.waiting.push(waiter.clone());
        }
    }

    pub(super) fn stop_waiting(&mut self, waiter: &O) {
        self.waiting.retain(|known| !known.is(waiter));
    }

    /// Wakes all who wait.
    pub(super) fn resume(&mut self) {
        self.waiting.drain(..).for_each(|pusher| pusher.resume());
    }

    /// Wakes all who wait if a job might go on: never fewer than [`Self::has_room`] would take one of.
    fn resume_if_room(&mut self, rules: &QueueRules) {
        let in_bounds = self.held() < rules.hold_messages && self.backlog_bytes <= rules.hold_bytes;
        let would_go = self.lanes[0].jobs.is_empty() && self.ready(To::All) > 0;
        if self.held() == 0 || in_bounds || would_go {
            self.resume();
        }
    }

    /// A single job always fits into an empty backlog, whatever its size.
    fn has_room(&self, rules: &QueueRules, task: &Task<O::Job>) -> bool {
        self.held() == 0
            || (self.held() < rules.hold_messages && self.backlog_bytes + task.job.size() <= rules.hold_bytes)
    }

    /// Takes a puller out; what it has not written or not answered goes to the head of the queue.
    pub(super) fn remove(&mut self, id: usize, now: Duration, clients: &mut Clients<O>) {
        let Some(place) = self.place(id) else { return };
        let puller = self.pullers.remove(place);
        self.ready[usize::from(puller.answers())] -= usize::from(puller.is_ready());
        self.lanes[0].deserted = now;
        // The turn stays with whoever had it; a leaving puller's turn falls to its successor.
        if place < self.cursor {
            self.cursor -= 1;
        }
        if self.cursor >= self.pullers.len() {
            self.cursor = 0;
        }
        let back: Vec<Task<O::Job>> = match puller.work {
            None => puller.outbox.reclaim().into_iter().map(|job| Task { job, errand: None }).collect(),
            Some(work) => {
                self.answering -= 1;
                self.lanes[1].deserted = now;
                puller.outbox.retract(work.registration);
                clients.left(&work, id);
                let running: Vec<Task<O::Job>> = work.running.into_values().collect();
                self.running_cost -= running.iter().map(Task::cost).sum::<usize>();
                running
            }
        };
        for task in back.into_iter().rev() {
            self.backlog_bytes += task.job.size();
            self.numbers.start -= 1;
            let number = self.numbers.start;
            self.lanes[lane_of(&task)].jobs.push_front(Held { task, since: now, number });
        }
    }

    /// Takes a job out of the backlog; whether it was there.
    pub(super) fn take_out(&mut self, errand: u64, rules: &QueueRules) -> bool {
        let jobs = &mut self.lanes[1].jobs;
        let place = jobs.iter().position(|held| held.task.errand == Some(errand));
        let Some(held) = place.and_then(|place| jobs.remove(place)) else { return false };
        self.backlog_bytes -= held.task.job.size();
        self.resume_if_room(rules);
        true
    }

    /// Without a puller and without holding, nobody would ever take what waits.
    pub(super) fn drop_if_deserted(
        &mut self,
        rules: &QueueRules,
        clients: &mut Clients<O>,
        batch: &mut O::Batch,
    ) -> usize {
        if rules.hold {
            return 0;
        }
        let mut dropped = 0;
        for (lane, to) in [To::All, To::Answering].into_iter().enumerate() {
            if self.takers(to) > 0 {
                continue;
            }
            for held in std::mem::take(&mut self.lanes[lane].jobs) {
                self.backlog_bytes -= held.task.job.size();
                clients.settle(&held.task, Ended::NoPuller, batch);
                dropped += 1;
            }
        }
        if dropped > 0 {
            self.resume_if_room(rules);
        }
        dropped
    }

    /// Drops what waited too long while nobody was there who takes it; returns how many.
    pub(super) fn expire(
        &mut self,
        rules: &QueueRules,
        now: Duration,
        clients: &mut Clients<O>,
        batch: &mut O::Batch,
    ) -> usize {
        let mut expired = 0;
        for (lane, to) in [To::All, To::Answering].into_iter().enumerate() {
            let deserted = self.lanes[lane].deserted;
            let is_old =
                |held: &mut Held<O::Job>| now.saturating_sub(held.since.max(deserted)) > rules.hold_age;
            while self.takers(to) == 0
                && let Some(held) = self.lanes[lane].jobs.pop_front_if(is_old)
            {
                self.backlog_bytes -= held.task.job.size();
                clients.settle(&held.task, Ended::Expired, batch);
                expired += 1;
            }
        }
        if expired > 0 {
            self.resume_if_room(rules);
        }
        expired
    }
}

/// Where a job waits.
fn lane_of<J>(task: &Task<J>) -> usize {
    usize::from(task.errand.is_some())
}
