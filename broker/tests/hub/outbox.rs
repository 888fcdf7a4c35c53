//! An outbox in memory that tells the history what happens to it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use petasus_broker::hub::{Assignment, Ended, JobEnd, Offered, Outbox, Via};
use petasus_protocol::Message;

use crate::history::{Event, How, Log};

/// The outbox of one receiver, or the waiting place of one pusher. Clones are the same outbox.
#[derive(Clone)]
pub(crate) struct Tray(Arc<Inner>);

struct Inner {
    name: usize,
    /// The most jobs that wait here.
    capacity: usize,
    /// How many jobs it has not answered, at most; `None` if it never answers.
    concurrency: Option<usize>,
    log: Log,
    state: Mutex<State>,
    bell: Condvar,
}

#[derive(Default)]
struct State {
    /// What was appended or offered, and not yet written.
    pending: VecDeque<Message>,
    /// A job was refused since its owner last asked.
    refused: bool,
    resumed: bool,
    /// The numbers under which jobs are to be answered.
    assigned: BTreeMap<usize, u64>,
    /// What was written and is not answered.
    open: Vec<usize>,
}

impl Tray {
    pub(crate) fn new(name: usize, capacity: usize, log: &Log) -> Self {
        Self::with(name, capacity, None, log)
    }

    /// One whose owner answers its jobs, if it has a `concurrency`.
    pub(crate) fn with(name: usize, capacity: usize, concurrency: Option<usize>, log: &Log) -> Self {
        Self(Arc::new(Inner {
            name,
            capacity,
            concurrency,
            log: log.clone(),
            state: Mutex::default(),
            bell: Condvar::new(),
        }))
    }

    /// One that takes everything and tells nobody.
    pub(crate) fn quiet(name: usize) -> Self {
        Self::new(name, usize::MAX, &Log::default())
    }

    pub(crate) fn name(&self) -> usize {
        self.0.name
    }

    pub(crate) fn capacity(&self) -> usize {
        self.0.capacity
    }

    pub(crate) fn concurrency(&self) -> Option<usize> {
        self.0.concurrency
    }

    /// What its owner knows of and has not answered.
    pub(crate) fn open(&self) -> Vec<usize> {
        self.0.state.lock().unwrap().open.clone()
    }

    /// Its owner answers a job; the number to do it under.
    pub(crate) fn close(&self, job: usize) -> u64 {
        let mut state = self.0.state.lock().unwrap();
        state.open.retain(|&open| open != job);
        // A job that came twice is answered once.
        state.assigned.remove(&job).unwrap_or(0)
    }

    /// Writes up to `count` jobs to the socket that is not there; they are out of the hub's reach from then on.
    pub(crate) fn write(&self, count: usize) -> usize {
        let mut state = self.0.state.lock().unwrap();
        let count = count.min(state.pending.len());
        let written: Vec<usize> = state.pending.drain(..count).map(|message| job_of(&message)).collect();
        for &job in &written {
            // Inside the lock, so that the history has the order of this outbox.
            self.0.log.record(Event::Wrote { puller: self.0.name, job });
        }
        if self.0.concurrency.is_some() {
            state.open.extend(written);
        }
        count
    }

    /// Everything that came since the last call.
    pub(crate) fn take(&self) -> Vec<Message> {
        self.0.state.lock().unwrap().pending.drain(..).collect()
    }

    /// Whether a job was refused since the last call.
    pub(crate) fn take_refused(&self) -> bool {
        std::mem::take(&mut self.0.state.lock().unwrap().refused)
    }

    /// Whether a waiting pusher was resumed since the last call.
    pub(crate) fn take_resumed(&self) -> bool {
        std::mem::take(&mut self.0.state.lock().unwrap().resumed)
    }

    /// Waits until a pusher is resumed. The bound is there to fail instead of hanging.
    pub(crate) fn wait_until_resumed(&self) {
        let state = self.0.state.lock().unwrap();
        let bound = Duration::from_mins(1);
        let (mut state, waited) =
            self.0.bell.wait_timeout_while(state, bound, |state| !state.resumed).unwrap();
        assert!(!waited.timed_out(), "REQ-RR-014: pusher {} was never resumed", self.0.name);
        state.resumed = false;
    }
}

impl Outbox for Tray {
    type Batch = ();
    type Parcel = Message;

    fn append(&self, message: &Message, _: Via, (): &mut ()) {
        self.0.state.lock().unwrap().pending.push_back(message.clone());
    }

    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl JobEnd for Tray {
    type Job = Message;
    type Answer = ();

    fn offer(&self, message: &Message, assignment: Option<Assignment>, (): &mut ()) -> Offered {
        let mut state = self.0.state.lock().unwrap();
        let (puller, job) = (self.0.name, job_of(message));
        if state.pending.len() >= self.0.capacity {
            state.refused = true;
            self.0.log.record(Event::Refused { puller });
            return Offered::Full;
        }
        state.pending.push_back(message.clone());
        if let Some(assignment) = assignment {
            state.assigned.insert(job, assignment.invocation);
        }
        self.0.log.record(Event::Assigned { puller, job });
        Offered::Taken
    }

    fn reclaim(&self) -> Vec<Message> {
        self.take()
    }

    fn retract(&self, _: u64) {
        self.take();
    }

    fn resume(&self) {
        let mut state = self.0.state.lock().unwrap();
        state.resumed = true;
        self.0.log.record(Event::Resumed { pusher: self.0.name });
        self.0.bell.notify_all();
    }

    fn settle(&self, request: u64, ended: Ended<'_, ()>, (): &mut ()) {
        let how = match ended {
            Ended::Answered(()) => How::Answered,
            Ended::NoPuller => How::NoPuller,
            Ended::Expired => How::Expired,
            Ended::Canceled => How::Canceled,
        };
        self.0.log.record(Event::Settled { job: usize::try_from(request).unwrap(), how });
    }
}

/// The message of a job: its number, and as many bytes as it takes to have `size` of them.
pub(crate) fn job_message(job: usize, size: usize) -> Message {
    Message::from(format!("{:.<size$}", job.to_string()))
}

/// The number of a job; that of an empty one is not told.
pub(crate) fn job_of(message: &Message) -> usize {
    let text = message.as_str().expect("jobs are text").trim_end_matches('.');
    if text.is_empty() { usize::MAX } else { text.parse().expect("a job begins with its number") }
}
