//! One puller of a ring, and its work.

use std::collections::BTreeMap;

use super::clients::Clients;
use super::{Assignment, JobEnd, Load, Offered};

/// What a job costs beside its payload, in bytes.
pub(super) const OVERHEAD: usize = 64;

/// A job, and the push that waits until it is done.
#[derive(Clone)]
pub(super) struct Task<J> {
    pub(super) job: J,
    /// The number of that push, known or forgotten; `None` if the pusher only wanted to be rid of it.
    pub(super) errand: Option<u64>,
}

impl<J: Load> Task<J> {
    /// What it counts against `hold_total`, in bytes.
    pub(super) fn cost(&self) -> usize {
        self.job.size() + OVERHEAD
    }

    pub(super) fn to(&self) -> To {
        if self.errand.is_some() { To::Answering } else { To::All }
    }
}

/// Who may take a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum To {
    All,
    /// Those who answer.
    Answering,
    /// Those who do not: nothing more may be kept until it is answered.
    Silent,
}

/// A puller.
pub(super) struct Puller<O: JobEnd> {
    pub(super) id: usize,
    pub(super) outbox: O,
    /// Cleared when the outbox refuses a job, set when its owner says that there is room again.
    pub(super) room: bool,
    /// What it has not answered, if it does answer.
    pub(super) work: Option<Work<O::Job>>,
}

/// The work of a puller that answers.
pub(super) struct Work<J> {
    /// Whose puller it is.
    pub(super) client: usize,
    pub(super) registration: u64,
    /// How many jobs it has at one time, at most.
    pub(super) concurrency: usize,
    /// What it has not answered, by number: in the order in which it was handed over.
    pub(super) running: BTreeMap<u64, Task<J>>,
}

impl<O: JobEnd> Puller<O> {
    pub(super) fn is_ready(&self) -> bool {
        self.room && self.work.as_ref().is_none_or(|work| work.running.len() < work.concurrency)
    }

    pub(super) fn answers(&self) -> bool {
        self.work.is_some()
    }

    pub(super) fn takes(&self, to: To) -> bool {
        match to {
            To::All => true,
            To::Answering => self.answers(),
            To::Silent => !self.answers(),
        }
    }

    pub(super) fn offer(
        &mut self,
        task: &Task<O::Job>,
        clients: &mut Clients<O>,
        batch: &mut O::Batch,
    ) -> Offered {
        let Some(work) = &mut self.work else { return self.outbox.offer(&task.job, None, batch) };
        let invocation = clients.next_invocation(work.client);
        let assignment = Assignment { registration: work.registration, invocation };
        let offered = self.outbox.offer(&task.job, Some(assignment), batch);
        match offered {
            Offered::Taken => {
                clients.assigned(work.client, self.id);
                work.running.insert(invocation, task.clone());
            }
            Offered::Full => clients.is_full(work.client, self.id),
            Offered::Never => {}
        }
        offered
    }
}
