//! A queue of our own, plain and slow, with a switch for each fault that brokers have had or might have. Without a
//! fault it must please the judge too: what the judge says of the others is then about their faults.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use petasus_broker::hub::{Ended, JobEnd, Offered, Outbox, Pushed, QueueRules};
use petasus_protocol::Message;

use crate::history::{JobQueue, Sizes, waits};
use crate::outbox::{Tray, job_of};
use crate::ring_parts::{Fault, Member, Ring, Waiting};

pub(crate) struct FaultyQueue {
    fault: Fault,
    rules: QueueRules,
    rings: BTreeMap<usize, Ring>,
    /// Calls of `push` and turns so far: faults that strike now and then count on them.
    pushes: usize,
    turns: usize,
    /// A puller has left and nothing was pushed since.
    just_left: bool,
    /// The cursor, if all topics share one.
    shared: usize,
    /// Who left last, and still gets one.
    gone: Option<(usize, Tray)>,
    /// Who waits for the end of which job.
    askers: BTreeMap<usize, Tray>,
    /// What was taken back by its pusher, and is there still.
    canceled: BTreeSet<usize>,
}

impl FaultyQueue {
    pub(crate) fn new(fault: Fault, rules: QueueRules) -> Self {
        let (rings, askers, canceled) = Default::default();
        let (pushes, turns, shared, just_left, gone) = Default::default();
        Self { fault, rules, rings, pushes, turns, just_left, shared, gone, askers, canceled }
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    /// The fault strikes at every `n`th turn.
    fn strikes(&self, fault: Fault, n: usize) -> bool {
        self.fault == fault && self.turns % n == n - 1
    }

    fn ring(&mut self, topic: usize) -> &mut Ring {
        self.rings.entry(topic).or_default()
    }

    fn hold(&self) -> bool {
        (self.rules.hold || self.has(Fault::HoldsAlways)) && !self.has(Fault::DropsAlways)
    }

    /// Hands a job to whose turn it is.
    fn give(&mut self, topic: usize, job: &Waiting, post: bool) -> bool {
        let (fault, shared, turns) = (self.fault, self.shared, self.turns);
        let skips = self.strikes(Fault::SkipsAReadyOne, 7);
        let doubles = self.strikes(Fault::Doubles, 9);
        let first_is_ready =
            self.rings.get(&0).is_some_and(|ring| ring.members.iter().any(|member| member.ready));
        let topic = if fault == Fault::MixesTopics && first_is_ready { 0 } else { topic };
        let ring = self.ring(topic);
        let count = ring.members.len();
        let own = fault == Fault::OwnCursorForPosts && post;
        let mut next = if own { ring.next_of_posts } else { ring.next };
        match fault {
            Fault::OneCursorForAllTopics => next = shared % count.max(1),
            Fault::TakesAnyone => next = turns * turns / 3 % count.max(1),
            Fault::MercuryIndex if next >= count => return count > 0,
            _ => {}
        }
        if skips {
            next = (next + 1) % count.max(1);
        }
        let more = usize::from(fault == Fault::GivesOneTooMany);
        let (start, mut passed) = (next, false);
        for _ in 0..count {
            let place = next;
            next = (place + 1) % count;
            let member = &mut ring.members[place];
            let starves = fault == Fault::Starves && place + 1 == count && count > 2;
            if !member.is_ready(more) || starves {
                continue;
            }
            if job.asked && !member.answers() && fault != Fault::AsksAnybody {
                passed = fault != Fault::AskedCostsTheTurn;
                continue;
            }
            if !member.take(job) {
                member.ready = false;
                continue;
            }
            if fault == Fault::Sticky && turns.is_multiple_of(2) {
                next = place;
            }
            let others = match fault {
                Fault::Broadcasts => count,
                Fault::Doubles if doubles => 2,
                _ => 1,
            };
            for step in 1..others {
                ring.members[(place + step) % count].take(job);
            }
            if passed {
                let served = ring.members.remove(place);
                let before = start - usize::from(place < start);
                if before == 0 {
                    ring.members.push(served);
                } else {
                    ring.members.insert(before, served);
                }
                next = (before + usize::from(before > 0)) % count;
            }
            *(if own { &mut ring.next_of_posts } else { &mut ring.next }) = next;
            self.shared = next;
            self.turns += 1;
            return true;
        }
        false
    }

    fn hand_out(&mut self, topic: usize) {
        loop {
            let (newest, blocks) = (self.has(Fault::NewestFirst), self.has(Fault::AskedBlocks));
            let backlog = &self.ring(topic).backlog;
            let first = |asked: bool| {
                let mut places: Vec<usize> =
                    (0..backlog.len()).filter(|&place| backlog[place].asked == asked).collect();
                if newest { places.pop() } else { places.drain(..).next() }
            };
            let mut places: Vec<usize> = first(false).into_iter().chain(first(true)).collect();
            places.sort_unstable();
            if newest {
                places.reverse();
            }
            places.truncate(if blocks { 1 } else { 2 });
            let jobs: Vec<(usize, Waiting)> =
                places.into_iter().map(|place| (place, backlog[place].clone())).collect();
            let Some((place, _)) = jobs.into_iter().find(|(_, job)| self.give(topic, job, false)) else {
                break;
            };
            self.ring(topic).backlog.remove(place);
        }
        self.resume(topic);
    }

    fn resume(&mut self, topic: usize) {
        let (rules, fault) = (self.rules, self.fault);
        let ring = self.ring(topic);
        let bytes: usize = ring.backlog.iter().map(|waiting| waiting.job.len()).sum();
        let room = ring.backlog.len() < rules.hold_messages && bytes <= rules.hold_bytes;
        let would_go = ring.members.iter().any(|member| member.is_ready(0))
            && ring.backlog.iter().all(|waiting| waiting.asked);
        if (room || would_go || ring.backlog.is_empty()) && fault != Fault::NeverResumes {
            let count = if fault == Fault::ResumesOnlyTheFirst { 1 } else { ring.waiting.len() };
            let woken = ring.waiting.drain(..count.min(ring.waiting.len()));
            woken.for_each(|pusher| pusher.resume());
        }
    }

    fn fits(&mut self, topic: usize, size: usize) -> bool {
        let (rules, fault) = (self.rules, self.fault);
        let ring = self.ring(topic);
        let bytes: usize = ring.backlog.iter().map(|waiting| waiting.job.len()).sum();
        let count = match fault {
            Fault::TakesOneTooMany => ring.backlog.len().saturating_sub(1),
            Fault::RefusesEarly => ring.backlog.len() + 1,
            _ => ring.backlog.len(),
        };
        let bytes_fit = bytes + size <= rules.hold_bytes || fault == Fault::CountsNoBytes;
        ring.backlog.is_empty() || (count < rules.hold_messages && bytes_fit)
    }

    fn expire_topic(&mut self, topic: usize, now: Duration) -> usize {
        let (age, fault) = (self.rules.hold_age, self.fault);
        if fault == Fault::NeverExpires {
            return 0;
        }
        let busy = fault == Fault::ExpiresTheBusy;
        self.drop_where(topic, Ended::Expired, |ring, waiting| {
            let deserted = ring.deserted[usize::from(waiting.asked)];
            let since = if busy { waiting.since } else { deserted.max(waiting.since) };
            let old = now.saturating_sub(since);
            let keep = old < age || (old == age && fault != Fault::ExpiresAMomentEarly);
            !keep && !ring.has_takers(waiting.asked)
        })
    }

    /// Drops what waits and is to go, and tells those who wait for it; returns how much that is.
    fn drop_where(
        &mut self,
        topic: usize,
        ended: Ended<'_, ()>,
        is_to_go: impl Fn(&Ring, &Waiting) -> bool,
    ) -> usize {
        let ring = self.ring(topic);
        let backlog = std::mem::take(&mut ring.backlog);
        let (gone, kept): (Vec<Waiting>, Vec<Waiting>) =
            backlog.into_iter().partition(|waiting| is_to_go(ring, waiting));
        ring.backlog = kept.into();
        for waiting in &gone {
            if !self.has(Fault::DropsInSilence) {
                self.tell(job_of(&waiting.job), ended);
            }
        }
        self.resume(topic);
        gone.len()
    }

    fn tell(&mut self, job: usize, ended: Ended<'_, ()>) {
        if let Some(asker) = self.askers.remove(&job) {
            asker.settle(job as u64, ended, &mut ());
        }
    }

    fn tidy(&mut self) {
        if self.has(Fault::KeepsEmptyTopics) {
            return;
        }
        let in_use = |ring: &Ring| {
            !ring.members.is_empty() || !ring.backlog.is_empty() || !ring.waiting.is_empty() || ring.next > 0
        };
        self.rings.retain(|_, ring| in_use(ring));
    }

    /// Takes a member out, and gives back what was not written.
    fn remove(&mut self, topic: usize, place: usize, now: Duration) {
        let fault = self.fault;
        let ring = self.ring(topic);
        let member = ring.members.remove(place);
        ring.deserted[0] = now;
        if member.answers() {
            ring.deserted[1] = now;
        }
        match fault {
            Fault::MercuryIndex => ring.next -= usize::from(place > 0 && ring.next >= place && ring.next > 0),
            Fault::SkipsOneOnLeave => {}
            Fault::ResetsOnLeave => ring.next = 0,
            _ => ring.next -= usize::from(place < ring.next),
        }
        if fault != Fault::MercuryIndex && ring.next >= ring.members.len() {
            ring.next = 0;
        }
        if ring.next_of_posts >= ring.members.len() {
            ring.next_of_posts = 0;
        }
        let answers = member.answers();
        let mut back: Vec<Waiting> = if answers {
            let unwritten: Vec<usize> = member.tray.reclaim().iter().map(job_of).collect();
            let lost = |waiting: &Waiting| !unwritten.contains(&job_of(&waiting.job));
            let all = member.running.into_iter().chain(member.answered);
            all.filter(|waiting| fault != Fault::LosesUnanswered || !lost(waiting)).collect()
        } else if fault == Fault::ReclaimsCopies {
            Vec::new()
        } else {
            let unwritten = member.tray.reclaim().into_iter();
            unwritten.map(|job| Waiting { job, asked: false, since: now }).collect()
        };
        match fault {
            Fault::LosesUnwritten if !answers => back.clear(),
            Fault::UnwrittenReversed if !answers => back.reverse(),
            Fault::UnansweredReversed if answers => back.reverse(),
            Fault::LosesBacklogOnLeave => ring.backlog.clear(),
            _ => {}
        }
        for waiting in back.into_iter().rev() {
            let waiting = Waiting { since: now, ..waiting };
            match fault {
                Fault::UnwrittenToTheTail if !answers => ring.backlog.push_back(waiting),
                Fault::UnansweredToTheTail if answers => ring.backlog.push_back(waiting),
                _ => ring.backlog.push_front(waiting),
            }
        }
    }

    fn place_of(&self, puller: usize) -> (usize, usize) {
        let place = |ring: &Ring| ring.members.iter().position(|member| member.tray.name() == puller);
        let found = self.rings.iter().find_map(|(&topic, ring)| Some((topic, place(ring)?)));
        found.expect("a puller that is there")
    }
}

impl JobQueue for FaultyQueue {
    fn pull(&mut self, topic: usize, tray: &Tray, now: Duration) -> usize {
        let expired = self.expire_topic(topic, now);
        let fault = self.fault;
        let ring = self.ring(topic);
        let member = Member { tray: tray.clone(), ready: true, running: Vec::new(), answered: Vec::new() };
        match fault {
            Fault::NewcomersFirst => ring.members.insert(ring.next, member),
            _ => ring.members.push(member),
        }
        if fault == Fault::ResetsOnJoin {
            ring.next = 0;
        }
        self.hand_out(topic);
        expired
    }

    fn leave(&mut self, puller: usize, now: Duration) -> usize {
        let (topic, place) = self.place_of(puller);
        self.just_left = true;
        if self.has(Fault::ServesTheGone) {
            self.gone = Some((topic, self.ring(topic).members[place].tray.clone()));
        }
        self.remove(topic, place, now);
        self.hand_out(topic);
        let hold = self.hold();
        let is_to_go = |ring: &Ring, waiting: &Waiting| !hold && !ring.has_takers(waiting.asked);
        let dropped = self.drop_where(topic, Ended::NoPuller, is_to_go);
        self.tidy();
        dropped
    }

    fn push_and_wait(
        &mut self,
        topic: usize,
        job: usize,
        message: &Message,
        now: Duration,
        asker: &Tray,
    ) -> Pushed {
        let pushed = self.take_in(topic, Waiting { job: message.clone(), asked: true, since: now }, None);
        if matches!(pushed, Pushed::Handed | Pushed::Held) {
            self.askers.insert(job, asker.clone());
        }
        if pushed == Pushed::Handed && self.has(Fault::TellsTooEarly) {
            self.tell(job, Ended::Answered(&()));
        }
        pushed
    }

    fn answer(&mut self, puller: &Tray, job: usize) {
        puller.close(job);
        let (topic, place) = self.place_of(puller.name());
        let (back, frees) = (self.has(Fault::AnsweredComesBack), !self.has(Fault::AnswerFreesNobody));
        let member = &mut self.ring(topic).members[place];
        let running = std::mem::take(&mut member.running);
        let (answered, others) = running.into_iter().partition(|waiting| job_of(&waiting.job) == job);
        member.running = others;
        if back {
            member.answered = answered;
        }
        if self.has(Fault::TellsTwice)
            && let Some(asker) = self.askers.get(&job)
        {
            asker.settle(job as u64, Ended::Answered(&()), &mut ());
        }
        if !self.has(Fault::KeepsAnswers) {
            self.tell(job, Ended::Answered(&()));
        }
        if frees {
            self.hand_out(topic);
        }
    }

    fn cancel(&mut self, job: usize) {
        if self.has(Fault::CancelSaysNothing) {
            self.askers.remove(&job);
        } else if self.has(Fault::CanceledIsToldTwice)
            && let Some(asker) = self.askers.get(&job)
        {
            asker.settle(job as u64, Ended::Canceled, &mut ());
        } else if self.askers.contains_key(&job) {
            self.tell(job, Ended::Canceled);
        } else {
            return;
        }
        if self.has(Fault::CanceledComesStill) {
            let waits = |ring: &Ring| ring.backlog.iter().any(|waiting| job_of(&waiting.job) == job);
            if self.rings.values().any(waits) {
                self.canceled.insert(job);
            }
            return;
        }
        for topic in 0..2 {
            self.ring(topic).backlog.retain(|waiting| job_of(&waiting.job) != job);
            self.resume(topic);
        }
        self.tidy();
    }

    fn ready(&mut self, puller: usize) {
        if self.has(Fault::ForgetsReady) {
            return;
        }
        let (topic, place) = self.place_of(puller);
        self.ring(topic).members[place].ready = true;
        if !self.has(Fault::ReadyWaitsForAPush) {
            self.hand_out(topic);
        }
    }

    fn push(&mut self, topic: usize, job: &Message, now: Duration, waiter: Option<&Tray>) -> Pushed {
        self.take_in(topic, Waiting { job: job.clone(), asked: false, since: now }, waiter)
    }

    fn stop_waiting(&mut self, topic: usize, waiter: &Tray) {
        self.ring(topic).waiting.retain(|pusher| !pusher.is(waiter));
        self.tidy();
    }

    fn expire(&mut self, now: Duration) -> usize {
        let topics: Vec<usize> = self.rings.keys().copied().collect();
        let expired = topics.into_iter().map(|topic| self.expire_topic(topic, now)).sum();
        self.tidy();
        expired
    }

    fn sizes(&self) -> Sizes {
        let mercury = self.has(Fault::MercuryIndex);
        let empty =
            |ring: &Ring| ring.members.is_empty() && ring.backlog.is_empty() && ring.waiting.is_empty();
        let held = |ring: &Ring| {
            ring.backlog.iter().filter(|waiting| !self.canceled.contains(&job_of(&waiting.job))).count()
        };
        let running = |ring: &Ring| ring.members.iter().map(|member| member.running.len()).sum::<usize>();
        Sizes {
            topics: self.rings.values().filter(|ring| !(mercury && empty(ring))).count(),
            pullers: self.rings.values().map(|ring| ring.members.len()).sum(),
            held: self.rings.values().map(held).sum(),
            running: self.rings.values().map(running).sum(),
        }
    }
}

impl FaultyQueue {
    fn take_in(&mut self, topic: usize, waiting: Waiting, waiter: Option<&Tray>) -> Pushed {
        self.pushes += 1;
        let just_left = std::mem::take(&mut self.just_left);
        let hold = self.hold() || self.has(Fault::AskedWaitsForNobody) && waiting.asked;
        if !self.ring(topic).has_takers(waiting.asked) && !hold {
            self.tidy();
            return Pushed::NoPuller;
        }
        if self.has(Fault::SaysHandedAndForgets) && self.pushes.is_multiple_of(13) {
            return Pushed::Handed;
        }
        if self.has(Fault::LosesOneAfterLeave) && just_left && !self.ring(topic).members.is_empty() {
            return Pushed::Handed;
        }
        let gone = self.gone.take_if(|(of, _)| *of == topic);
        if gone.is_some_and(|(_, tray)| tray.offer(&waiting.job, None, &mut ()) == Offered::Taken) {
            return Pushed::Handed;
        }
        let blocks = self.has(Fault::AskedBlocks);
        let before = |other: &Waiting| blocks || other.asked == waiting.asked;
        if !self.ring(topic).backlog.iter().any(before) && self.give(topic, &waiting, waiter.is_none()) {
            return Pushed::Handed;
        }
        if self.fits(topic, waiting.job.len()) {
            self.ring(topic).backlog.push_back(waiting);
            return Pushed::Held;
        }
        let ring = self.ring(topic);
        if let Some(pusher) = waiter.filter(|pusher| !waits(&ring.waiting, pusher)) {
            ring.waiting.push(pusher.clone());
        }
        Pushed::Full
    }
}
