//! What happened to a queue: calls, effects and answers, in the order of the queue's lock.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use petasus_broker::hub::{ClientId, ClientLimits, Outbox, PullerId, Pushed, Queue, QueueRules};
use petasus_protocol::{Message, Topic};

use crate::outbox::Tray;

/// The topics of the histories, by number. One lies below the other, which must mean nothing (REQ-RR-007).
pub(crate) const TOPICS: [&str; 2] = ["jobs", "jobs/a"];

/// One thing that happened. Pullers, pushers and jobs have numbers that are never used twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// A call begins: a puller joins, whose outbox takes so many jobs at a time. With a concurrency it answers them,
    /// and has at most so many that it has not answered.
    Join { puller: usize, topic: usize, capacity: usize, concurrency: Option<usize>, now: Duration },
    /// A call begins: a puller leaves.
    Leave { puller: usize, now: Duration },
    /// A call begins: a job is pushed, from a POST or by a pusher that waits if there is no room.
    /// `done`: the pusher waits until it is done.
    Push { job: usize, size: usize, topic: usize, pusher: Option<usize>, done: bool, now: Duration },
    /// A call begins: a puller answers a job.
    Answered { puller: usize, job: usize },
    /// A call begins: a pusher does not want its job done any more.
    Cancel { job: usize },
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
    /// A pusher that waits until its job is done is told how it ended.
    Settled { job: usize, how: How },
    /// A job is on its way to the puller, out of reach. The only event that may stand within a call.
    Wrote { puller: usize, job: usize },
    /// The call ends.
    Return { answer: Answer, sizes: Sizes },
}

/// How a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    Answered,
    NoPuller,
    Expired,
    Canceled,
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
    /// Not answered.
    pub(crate) running: usize,
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
    /// Pushes for `asker`, who is told how the job ends.
    fn push_and_wait(
        &mut self,
        topic: usize,
        job: usize,
        message: &Message,
        now: Duration,
        asker: &Tray,
    ) -> Pushed;
    fn answer(&mut self, puller: &Tray, job: usize);
    fn cancel(&mut self, job: usize);
    fn stop_waiting(&mut self, topic: usize, waiter: &Tray);
    fn expire(&mut self, now: Duration) -> usize;
    fn sizes(&self) -> Sizes;
}

/// The queue of the broker.
pub(crate) struct RealQueue {
    queue: Queue<Tray>,
    topics: [Topic; 2],
    ids: Vec<(usize, Id)>,
    /// The client that waits for all answers.
    asker: Option<ClientId>,
}

#[derive(Clone, Copy)]
enum Id {
    Silent(PullerId),
    Answering(ClientId),
}

const NO_LIMITS: ClientLimits = ClientLimits { pullers: usize::MAX, pushes: usize::MAX };

impl RealQueue {
    pub(crate) fn new(rules: QueueRules) -> Self {
        Self { queue: Queue::new(rules), topics: TOPICS.map(Topic::new), ids: Vec::new(), asker: None }
    }

    fn id(&self, puller: usize) -> Id {
        self.ids.iter().find(|(name, _)| *name == puller).expect("a puller that is there").1
    }
}

impl JobQueue for RealQueue {
    fn pull(&mut self, topic: usize, tray: &Tray, now: Duration) -> usize {
        let topic = &self.topics[topic];
        let (id, expired) = match tray.concurrency() {
            None => {
                let (id, expired) = self.queue.pull(topic, tray.clone(), now, &mut ());
                (Id::Silent(id), expired)
            }
            Some(concurrency) => {
                let client = self.queue.enter(tray.clone(), NO_LIMITS);
                let joined = self.queue.register(client, topic, concurrency, now, &mut (), |_, ()| {});
                (Id::Answering(client), joined.expect("its first"))
            }
        };
        self.ids.push((tray.name(), id));
        expired
    }

    fn leave(&mut self, puller: usize, now: Duration) -> usize {
        let id = self.id(puller);
        self.ids.retain(|(name, _)| *name != puller);
        match id {
            Id::Silent(id) => self.queue.leave(id, now, &mut ()),
            Id::Answering(client) => self.queue.exit(client, now, &mut ()),
        }
    }

    fn ready(&mut self, puller: usize) {
        match self.id(puller) {
            Id::Silent(id) => self.queue.ready(id, &mut ()),
            Id::Answering(client) => self.queue.has_room(client, &mut ()),
        }
    }

    fn push_and_wait(
        &mut self,
        topic: usize,
        job: usize,
        message: &Message,
        now: Duration,
        asker: &Tray,
    ) -> Pushed {
        let client = *self.asker.get_or_insert_with(|| self.queue.enter(asker.clone(), NO_LIMITS));
        let topic = &self.topics[topic];
        self.queue.push_and_wait(client, job as u64, topic, message, now, &mut ()).expect("no limit")
    }

    fn answer(&mut self, puller: &Tray, job: usize) {
        let Id::Answering(client) = self.id(puller.name()) else { unreachable!("it answers") };
        assert!(self.queue.answer(client, puller.close(job), &(), &mut ()), "a job of its own");
    }

    fn cancel(&mut self, job: usize) {
        if let Some(client) = self.asker {
            self.queue.cancel(client, job as u64, &mut ());
        }
    }

    fn push(&mut self, topic: usize, job: &Message, now: Duration, waiter: Option<&Tray>) -> Pushed {
        self.queue.push(&self.topics[topic], job, now, waiter, &mut ())
    }

    fn stop_waiting(&mut self, topic: usize, waiter: &Tray) {
        self.queue.stop_waiting(&self.topics[topic], waiter);
    }

    fn expire(&mut self, now: Duration) -> usize {
        self.queue.expire(now, &mut ())
    }

    fn sizes(&self) -> Sizes {
        let queue = &self.queue;
        Sizes {
            topics: queue.topics(),
            pullers: queue.pullers(),
            held: queue.held(),
            running: queue.running(),
        }
    }
}

/// A queue whose calls go into the history.
pub(crate) struct Recorded<Q> {
    queue: Q,
    log: Log,
    /// Who waits for all answers.
    asker: Tray,
}

impl<Q: JobQueue> Recorded<Q> {
    pub(crate) fn new(queue: Q, log: &Log) -> Self {
        Self { queue, log: log.clone(), asker: Tray::new(usize::MAX, 0, log) }
    }

    pub(crate) fn pull(&mut self, topic: usize, tray: &Tray, now: Duration) {
        let (puller, capacity, concurrency) = (tray.name(), tray.capacity(), tray.concurrency());
        self.log.record(Event::Join { puller, topic, capacity, concurrency, now });
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
        let pusher = waiter.map(Tray::name);
        self.log.record(Event::Push { job, size, topic, pusher, done: false, now });
        let answer = self.queue.push(topic, message, now, waiter);
        self.end(Answer::Pushed(answer));
        answer
    }

    pub(crate) fn push_and_wait(
        &mut self,
        topic: usize,
        (job, message): (usize, &Message),
        now: Duration,
    ) -> Pushed {
        let size = message.len();
        self.log.record(Event::Push { job, size, topic, pusher: None, done: true, now });
        let answer = self.queue.push_and_wait(topic, job, message, now, &self.asker);
        self.end(Answer::Pushed(answer));
        answer
    }

    pub(crate) fn answer(&mut self, puller: &Tray, job: usize) {
        self.log.record(Event::Answered { puller: puller.name(), job });
        self.queue.answer(puller, job);
        self.end(Answer::Nothing);
    }

    pub(crate) fn cancel(&mut self, job: usize) {
        self.log.record(Event::Cancel { job });
        self.queue.cancel(job);
        self.end(Answer::Nothing);
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
