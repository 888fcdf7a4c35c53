//! What happened to a queue: calls, effects and answers, in the order of the queue's lock.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use petasus_broker::hub::{Outbox, PullerId, Pushed, Queue, QueueRules};
use petasus_protocol::{Message, Topic};

use crate::outbox::Tray;

/// The topics of the histories, by number. One lies below the other, which must mean nothing (REQ-RR-007).
pub(crate) const TOPICS: [&str; 2] = ["jobs", "jobs/a"];

/// One thing that happened. Pullers, pushers and jobs have numbers that are never used twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// A call begins: a puller joins, whose outbox takes so many jobs at a time.
    Join { puller: usize, topic: usize, capacity: usize, now: Duration },
    /// A call begins: a puller leaves.
    Leave { puller: usize, now: Duration },
    /// A call begins: a job is pushed, from a POST or by a pusher that waits if there is no room.
    Push { job: usize, size: usize, topic: usize, pusher: Option<usize>, now: Duration },
    /// A call begins: the queue is told that a puller has room.
    Ready { puller: usize },
    /// A call begins: a pusher waits no longer.
    GiveUp { pusher: usize },
    /// A call begins: what waited too long is to go.
    Expire { now: Duration },
    /// The outbox of a puller has the job.
    Assigned { puller: usize, job: usize },
    /// The outbox of a puller did not take a job.
    Refused { puller: usize },
    /// A waiting pusher is told that there is room.
    Resumed { pusher: usize },
    /// A job is on its way to the puller, out of reach. The only event that may stand within a call.
    Wrote { puller: usize, job: usize },
    /// The call ends.
    Return { answer: Answer, sizes: Sizes },
}

/// What a call came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Pushed(Pushed),
    /// So many jobs were dropped.
    Dropped(usize),
    Nothing,
}

/// What the queue says about its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub(crate) topics: usize,
    pub(crate) pullers: usize,
    pub(crate) held: usize,
}

/// The history as it grows.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<Event>>>);

impl Log {
    pub(crate) fn record(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }

    pub(crate) fn take(&self) -> Vec<Event> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// A queue under test. Topics are places in [`TOPICS`], pullers the names of their trays.
pub(crate) trait JobQueue {
    fn pull(&mut self, topic: usize, tray: &Tray, now: Duration) -> usize;
    fn leave(&mut self, puller: usize, now: Duration) -> usize;
    fn ready(&mut self, puller: usize);
    fn push(&mut self, topic: usize, job: &Message, now: Duration, waiter: Option<&Tray>) -> Pushed;
    fn stop_waiting(&mut self, topic: usize, waiter: &Tray);
    fn expire(&mut self, now: Duration) -> usize;
    fn sizes(&self) -> Sizes;
}

/// The queue of the broker.
pub(crate) struct RealQueue {
    queue: Queue<Tray>,
    topics: [Topic; 2],
    ids: Vec<(usize, PullerId)>,
}

impl RealQueue {
    pub(crate) fn new(rules: QueueRules) -> Self {
        Self { queue: Queue::new(rules), topics: TOPICS.map(Topic::new), ids: Vec::new() }
    }

    fn id(&self, puller: usize) -> PullerId {
        self.ids.iter().find(|(name, _)| *name == puller).expect("a puller that is there").1
    }
}

impl JobQueue for RealQueue {
    fn pull(&mut self, topic: usize, tray: &Tray, now: Duration) -> usize {
        let (id, expired) = self.queue.pull(&self.topics[topic], tray.clone(), now, &mut ());
        self.ids.push((tray.name(), id));
        expired
    }

    fn leave(&mut self, puller: usize, now: Duration) -> usize {
        let id = self.id(puller);
        self.ids.retain(|(name, _)| *name != puller);
        self.queue.leave(id, now, &mut ())
    }

    fn ready(&mut self, puller: usize) {
        self.queue.ready(self.id(puller), &mut ());
    }

    fn push(&mut self, topic: usize, job: &Message, now: Duration, waiter: Option<&Tray>) -> Pushed {
        self.queue.push(&self.topics[topic], job, now, waiter, &mut ())
    }

    fn stop_waiting(&mut self, topic: usize, waiter: &Tray) {
        self.queue.stop_waiting(&self.topics[topic], waiter);
    }

    fn expire(&mut self, now: Duration) -> usize {
        self.queue.expire(now)
    }

    fn sizes(&self) -> Sizes {
        Sizes { topics: self.queue.topics(), pullers: self.queue.pullers(), held: self.queue.held() }
    }
}

/// A queue whose calls go into the history.
pub(crate) struct Recorded<Q> {
    queue: Q,
    log: Log,
}

impl<Q: JobQueue> Recorded<Q> {
    pub(crate) fn new(queue: Q, log: &Log) -> Self {
        Self { queue, log: log.clone() }
    }

    pub(crate) fn pull(&mut self, topic: usize, tray: &Tray, now: Duration) {
        self.log.record(Event::Join { puller: tray.name(), topic, capacity: tray.capacity(), now });
        let expired = self.queue.pull(topic, tray, now);
        self.end(Answer::Dropped(expired));
    }

    pub(crate) fn leave(&mut self, puller: usize, now: Duration) {
        self.log.record(Event::Leave { puller, now });
        let dropped = self.queue.leave(puller, now);
        self.end(Answer::Dropped(dropped));
    }

    pub(crate) fn ready(&mut self, puller: usize) {
        self.log.record(Event::Ready { puller });
        self.queue.ready(puller);
        self.end(Answer::Nothing);
    }

    pub(crate) fn push(
        &mut self,
        topic: usize,
        (job, message): (usize, &Message),
        now: Duration,
        waiter: Option<&Tray>,
    ) -> Pushed {
        let size = message.len();
        self.log.record(Event::Push { job, size, topic, pusher: waiter.map(Tray::name), now });
        let answer = self.queue.push(topic, message, now, waiter);
        self.end(Answer::Pushed(answer));
        answer
    }

    pub(crate) fn stop_waiting(&mut self, topic: usize, waiter: &Tray) {
        self.log.record(Event::GiveUp { pusher: waiter.name() });
        self.queue.stop_waiting(topic, waiter);
        self.end(Answer::Nothing);
    }

    pub(crate) fn expire(&mut self, now: Duration) {
        self.log.record(Event::Expire { now });
        let expired = self.queue.expire(now);
        self.end(Answer::Dropped(expired));
    }

    fn end(&self, answer: Answer) {
        self.log.record(Event::Return { answer, sizes: self.queue.sizes() });
    }
}

/// Whether a list of waiting pushers has this one.
pub(crate) fn waits(waiting: &[Tray], pusher: &Tray) -> bool {
    waiting.iter().any(|known| known.is(pusher))
}
