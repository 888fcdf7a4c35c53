//! A queue of our own, plain and slow, with a switch for each fault that brokers have had or might have. Without a
//! fault it must please the judge too: what the judge says of the others is then about their faults.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use petasus_broker::hub::{Outbox, Pushed, QueueRules};
use petasus_protocol::Message;

use crate::history::{JobQueue, Sizes, waits};
use crate::outbox::Tray;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    LosesOneAfterLeave,
    LosesBacklogOnLeave,
    SaysHandedAndForgets,
    Doubles,
    Broadcasts,
    ReclaimsCopies,
    /// Mercury 0.017, `PushPull.pm`: the cursor is moved for every place but the first, and never checked.
    MercuryIndex,
    SkipsOneOnLeave,
    ResetsOnJoin,
    ResetsOnLeave,
    Sticky,
    Starves,
    SkipsAReadyOne,
    TakesAnyone,
    NewcomersFirst,
    OneCursorForAllTopics,
    OwnCursorForPosts,
    MixesTopics,
    ServesTheGone,
    LosesUnwritten,
    UnwrittenToTheTail,
    UnwrittenReversed,
    ForgetsReady,
    ReadyWaitsForAPush,
    NewestFirst,
    TakesOneTooMany,
    CountsNoBytes,
    RefusesEarly,
    NeverExpires,
    ExpiresTheBusy,
    ExpiresAMomentEarly,
    HoldsAlways,
    DropsAlways,
    NeverResumes,
    ResumesOnlyTheFirst,
    KeepsEmptyTopics,
}

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
}

#[derive(Default)]
struct Ring {
    members: Vec<Member>,
    next: usize,
    /// The cursor of POSTs, if they have one of their own.
    next_of_posts: usize,
    backlog: VecDeque<(Message, Duration)>,
    deserted: Duration,
    waiting: Vec<Tray>,
}

struct Member {
    tray: Tray,
    ready: bool,
}

impl FaultyQueue {
    pub(crate) fn new(fault: Fault, rules: QueueRules) -> Self {
        let (rings, shared) = (BTreeMap::new(), 0);
        Self { fault, rules, rings, pushes: 0, turns: 0, just_left: false, shared, gone: None }
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
    fn give(&mut self, topic: usize, job: &Message, post: bool) -> bool {
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
        for _ in 0..count {
            let place = next;
            next = (place + 1) % count;
            let member = &mut ring.members[place];
            let starves = fault == Fault::Starves && place + 1 == count && count > 2;
            if !member.ready || starves {
                continue;
            }
            if !member.tray.offer(job, &mut ()) {
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
                ring.members[(place + step) % count].tray.offer(job, &mut ());
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
            let newest = self.has(Fault::NewestFirst);
            let ring = self.ring(topic);
            let job = if newest { ring.backlog.pop_back() } else { ring.backlog.pop_front() };
            let Some((job, since)) = job else { break };
            if !self.give(topic, &job, false) {
                let ring = self.ring(topic);
                let back = (job, since);
                if newest {
                    ring.backlog.push_back(back);
                } else {
                    ring.backlog.push_front(back);
                }
                break;
            }
        }
        self.resume(topic);
    }

    fn resume(&mut self, topic: usize) {
        let (rules, fault) = (self.rules, self.fault);
        let ring = self.ring(topic);
        let bytes: usize = ring.backlog.iter().map(|(job, _)| job.len()).sum();
        let room = ring.backlog.len() < rules.hold_messages && bytes <= rules.hold_bytes;
        if (room || ring.backlog.is_empty()) && fault != Fault::NeverResumes {
            let count = if fault == Fault::ResumesOnlyTheFirst { 1 } else { ring.waiting.len() };
            let woken = ring.waiting.drain(..count.min(ring.waiting.len()));
            woken.for_each(|pusher| pusher.resume());
        }
    }

    fn fits(&mut self, topic: usize, size: usize) -> bool {
        let (rules, fault) = (self.rules, self.fault);
        let ring = self.ring(topic);
        let bytes: usize = ring.backlog.iter().map(|(job, _)| job.len()).sum();
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
        let ring = self.ring(topic);
        if !ring.members.is_empty() || fault == Fault::NeverExpires {
            return 0;
        }
        let (before, deserted) = (ring.backlog.len(), ring.deserted);
        let busy = fault == Fault::ExpiresTheBusy;
        ring.backlog.retain(|(_, since)| {
            let since = if busy { *since } else { deserted.max(*since) };
            let old = now.saturating_sub(since);
            old < age || (old == age && fault != Fault::ExpiresAMomentEarly)
        });
        let dropped = before - ring.backlog.len();
        self.resume(topic);
        dropped
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
        ring.deserted = now;
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
        let mut unwritten = if fault == Fault::ReclaimsCopies { Vec::new() } else { member.tray.reclaim() };
        match fault {
            Fault::LosesUnwritten => unwritten.clear(),
            Fault::UnwrittenReversed => unwritten.reverse(),
            Fault::LosesBacklogOnLeave => ring.backlog.clear(),
            _ => {}
        }
        for job in unwritten.into_iter().rev() {
            match fault {
                Fault::UnwrittenToTheTail => ring.backlog.push_back((job, now)),
                _ => ring.backlog.push_front((job, now)),
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
        let member = Member { tray: tray.clone(), ready: true };
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
        let ring = self.ring(topic);
        let mut dropped = 0;
        if ring.members.is_empty() && !hold {
            dropped = std::mem::take(&mut ring.backlog).len();
            self.resume(topic);
        }
        self.tidy();
        dropped
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
        self.pushes += 1;
        let just_left = std::mem::take(&mut self.just_left);
        let hold = self.hold();
        if self.ring(topic).members.is_empty() && !hold {
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
        if gone.is_some_and(|(_, tray)| tray.offer(job, &mut ())) {
            return Pushed::Handed;
        }
        if self.ring(topic).backlog.is_empty() && self.give(topic, job, waiter.is_none()) {
            return Pushed::Handed;
        }
        if self.fits(topic, job.len()) {
            self.ring(topic).backlog.push_back((job.clone(), now));
            return Pushed::Held;
        }
        let ring = self.ring(topic);
        if let Some(pusher) = waiter.filter(|pusher| !waits(&ring.waiting, pusher)) {
            ring.waiting.push(pusher.clone());
        }
        Pushed::Full
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
        Sizes {
            topics: self.rings.values().filter(|ring| !(mercury && empty(ring))).count(),
            pullers: self.rings.values().map(|ring| ring.members.len()).sum(),
            held: self.rings.values().map(|ring| ring.backlog.len()).sum(),
        }
    }
}
