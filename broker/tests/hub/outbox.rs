//! An outbox in memory that tells the history what happens to it.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use petasus_broker::hub::{Outbox, Via};
use petasus_protocol::Message;

use crate::history::{Event, Log};

/// The outbox of one receiver, or the waiting place of one pusher. Clones are the same outbox.
#[derive(Clone)]
pub(crate) struct Tray(Arc<Inner>);

struct Inner {
    name: usize,
    /// The most jobs that wait here.
    capacity: usize,
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
}

impl Tray {
    pub(crate) fn new(name: usize, capacity: usize, log: &Log) -> Self {
        Self(Arc::new(Inner {
            name,
            capacity,
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

    /// Writes up to `count` jobs to the socket that is not there; they are out of the hub's reach from then on.
    pub(crate) fn write(&self, count: usize) -> usize {
        let mut state = self.0.state.lock().unwrap();
        let count = count.min(state.pending.len());
        for message in state.pending.drain(..count) {
            // Inside the lock, so that the history has the order of this outbox.
            self.0.log.record(Event::Wrote { puller: self.0.name, job: job_of(&message) });
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

    fn offer(&self, message: &Message, (): &mut ()) -> bool {
        let mut state = self.0.state.lock().unwrap();
        let (puller, job) = (self.0.name, job_of(message));
        let takes = state.pending.len() < self.0.capacity;
        if takes {
            state.pending.push_back(message.clone());
            self.0.log.record(Event::Assigned { puller, job });
        } else {
            state.refused = true;
            self.0.log.record(Event::Refused { puller });
        }
        takes
    }

    fn reclaim(&self) -> Vec<Message> {
        self.take()
    }

    fn resume(&self) {
        let mut state = self.0.state.lock().unwrap();
        state.resumed = true;
        self.0.log.record(Event::Resumed { pusher: self.0.name });
        self.0.bell.notify_all();
    }

    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// The message of a job: its number, and as many bytes as it takes to have `size` of them.
pub(crate) fn job_message(job: usize, size: usize) -> Message {
    Message::from(format!("{:.<size$}", job.to_string()))
}

/// The number of a job; that of an empty one is not told.
fn job_of(message: &Message) -> usize {
    let text = message.as_str().expect("jobs are text").trim_end_matches('.');
    if text.is_empty() { usize::MAX } else { text.parse().expect("a job begins with its number") }
}
