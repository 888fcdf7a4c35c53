//! Plays a script on a queue, and comes back with the history.

use std::time::Duration;

use petasus_broker::hub::{Pushed, QueueRules};
use petasus_protocol::Message;

use crate::history::{Event, JobQueue, Log, Recorded, TOPICS};
use crate::outbox::{Tray, job_message};
use crate::script::{Op, Script};

/// Rounds of writing after a script, before it counts as never coming to an end.
const ROUNDS: usize = 200;

/// Everybody around the queue under test.
struct Stage<Q> {
    queue: Recorded<Q>,
    log: Log,
    now: Duration,
    hold_age: Duration,
    eager: bool,
    pullers: Vec<(usize, Tray)>,
    pushers: Vec<Pusher>,
    /// Jobs whose pushers may wait until they are done.
    asked: Vec<usize>,
    /// The next number for a puller or pusher, and for a job.
    next_name: usize,
    next_job: usize,
}

/// A pusher that waits with its job.
struct Pusher {
    place: Tray,
    topic: usize,
    job: usize,
    message: Message,
}

/// Plays a script and then lets everything come to its end: all sockets take what waits for them, all pullers
/// leave, and one more takes what was held.
pub(crate) fn play<Q: JobQueue>(script: &Script, queue: impl FnOnce(QueueRules) -> Q) -> Vec<Event> {
    let log = Log::default();
    let mut stage = Stage {
        queue: Recorded::new(queue(script.rules), &log),
        log: log.clone(),
        now: Duration::ZERO,
        hold_age: script.rules.hold_age,
        eager: script.eager,
        pullers: Vec::new(),
        pushers: Vec::new(),
        asked: Vec::new(),
        next_name: 0,
        next_job: 0,
    };
    script.start.iter().for_each(|&(capacity, concurrency)| stage.join(0, capacity, concurrency));
    for op in &script.ops {
        stage.act(op);
        stage.react();
    }
    stage.finish(script.rules.hold);
    log.take()
}

impl<Q: JobQueue> Stage<Q> {
    fn act(&mut self, op: &Op) {
        let puller =
            |who: usize| who.checked_rem(self.pullers.len()).map(|place| self.pullers[place].1.clone());
        match *op {
            Op::Join { topic, capacity, concurrency } => self.join(topic, capacity, concurrency),
            Op::Leave { who } => {
                if let Some(place) = who.checked_rem(self.pullers.len()) {
                    self.leave(place);
                }
            }
            Op::AllLeave => {
                while !self.pullers.is_empty() {
                    self.leave(0);
                }
            }
            Op::Push { topic, size, patient } => self.push(topic, size, patient),
            Op::Write { who, count, tell } => {
                if let Some(tray) = puller(who) {
                    tray.write(count);
                    if tell && tray.take_refused() {
                        self.queue.ready(tray.name());
                    }
                }
            }
            Op::Tell { who } => {
                if let Some(tray) = puller(who) {
                    tray.take_refused();
                    self.queue.ready(tray.name());
                }
            }
            Op::Ask { topic, size } => self.ask(topic, size),
            Op::Answer { who, job } => {
                if let Some(tray) = puller(who) {
                    let open = tray.open();
                    if let Some(place) = job.checked_rem(open.len()) {
                        self.queue.answer(&tray, open[place]);
                    }
                }
            }
            Op::Cancel { who } => {
                if let Some(place) = who.checked_rem(self.asked.len()) {
                    let job = self.asked.swap_remove(place);
                    self.queue.cancel(job);
                }
            }
            Op::GiveUp { who } => {
                if let Some(place) = who.checked_rem(self.pushers.len()) {
                    let pusher = self.pushers.remove(place);
                    self.queue.stop_waiting(pusher.topic, &pusher.place);
                }
            }
            Op::Wait { halves, ms } => self.now += self.hold_age * halves / 2 + Duration::from_millis(ms),
            Op::Expire => self.queue.expire(self.now),
        }
    }

    fn join(&mut self, topic: usize, capacity: usize, concurrency: Option<usize>) {
        let tray = Tray::with(self.name(), capacity, concurrency, &self.log);
        self.queue.pull(topic, &tray, self.now);
        self.pullers.push((topic, tray));
    }

    fn leave(&mut self, place: usize) {
        let (_, tray) = self.pullers.remove(place);
        self.queue.leave(tray.name(), self.now);
    }

    fn push(&mut self, topic: usize, size: usize, patient: bool) {
        let job = self.next_job;
        self.next_job += 1;
        let message = job_message(job, size);
        if patient {
            let place = Tray::new(self.name(), 0, &self.log);
            self.try_push(Pusher { place, topic, job, message });
        } else {
            self.queue.push(topic, (job, &message), self.now, None);
        }
    }

    fn ask(&mut self, topic: usize, size: usize) {
        let job = self.next_job;
        self.next_job += 1;
        self.queue.push_and_wait(topic, (job, &job_message(job, size)), self.now);
        self.asked.push(job);
    }

    fn try_push(&mut self, pusher: Pusher) {
        let Pusher { topic, job, .. } = pusher;
        if self.queue.push(topic, (job, &pusher.message), self.now, Some(&pusher.place)) == Pushed::Full {
            self.pushers.push(pusher);
        }
    }

    /// What the others do of their own accord: pushers that were resumed push again, quick sockets take all.
    fn react(&mut self) {
        let (again, waiting) = std::mem::take(&mut self.pushers)
            .into_iter()
            .partition(|pusher: &Pusher| pusher.place.take_resumed());
        self.pushers = waiting;
        let again: Vec<Pusher> = again;
        for pusher in again {
            self.try_push(pusher);
        }
        if self.eager {
            self.write_all();
        }
    }

    /// Whether anything moved.
    fn write_all(&mut self) -> bool {
        let mut moved = false;
        for (_, tray) in self.pullers.clone() {
            moved |= tray.write(usize::MAX) > 0;
            if tray.take_refused() && tray.capacity() > 0 {
                moved = true;
                self.queue.ready(tray.name());
            }
        }
        moved
    }

    /// Whether there was something to answer.
    fn answer_all(&mut self) -> bool {
        let mut moved = false;
        for (_, tray) in self.pullers.clone() {
            for job in tray.open() {
                moved = true;
                self.queue.answer(&tray, job);
            }
        }
        moved
    }

    fn work_until_quiet(&mut self) {
        for _ in 0..ROUNDS {
            let wrote = self.write_all();
            if !(self.answer_all() || wrote) {
                break;
            }
            self.react();
        }
    }

    fn finish(&mut self, hold: bool) {
        while let Some(place) = self.pullers.iter().position(|(_, tray)| tray.capacity() == 0) {
            self.leave(place);
            self.react();
        }
        self.work_until_quiet();
        while !self.pullers.is_empty() {
            self.leave(0);
            self.react();
        }
        for topic in 0..if hold { TOPICS.len() } else { 0 } {
            self.join(topic, usize::MAX, Some(usize::MAX));
            self.react();
            self.work_until_quiet();
            self.leave(0);
        }
        for pusher in std::mem::take(&mut self.pushers) {
            self.queue.stop_waiting(pusher.topic, &pusher.place);
        }
    }

    fn name(&mut self) -> usize {
        self.next_name += 1;
        self.next_name
    }
}
