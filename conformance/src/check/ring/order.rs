//! Which turns are known: where nobody came or went while a job was under way, and no other job was that nobody can place.

use super::{Job, Ring, is_ordered};
use crate::check::ledger::Member;
use crate::history::Leave;

impl Ring<'_> {
    /// Neighbours whose turns are known, in the order of sending. A job that was under way when somebody came or went may
    /// have come back and taken another turn: it parts those before it from those behind it, and who was under way together
    /// with it belongs to neither.
    pub(super) fn stretches(&self) -> Vec<Vec<&Job>> {
        let mut stretches = vec![Vec::new()];
        for job in &self.jobs {
            if self.is_placed(job) {
                stretches.last_mut().expect("there is always one").push(job);
            } else {
                stretches.push(Vec::new());
            }
        }
        stretches.retain(|stretch| !stretch.is_empty());
        stretches
    }

    /// The parts of stretches in which nobody came or went, where somebody pulled.
    pub(super) fn windows(&self) -> Vec<Vec<&Job>> {
        let stretches = self.stretches();
        let windows = stretches.iter().flat_map(|stretch| stretch.chunk_by(|a, b| a.window == b.window));
        let pulled = windows.map(|jobs| jobs.iter().copied().filter(|job| !job.ready.is_empty()).collect());
        pulled.filter(|jobs: &Vec<&Job>| !jobs.is_empty()).collect()
    }

    /// Those of them in which every job reached exactly one.
    pub(super) fn whole_windows(&self) -> Vec<Vec<&Job>> {
        let mut windows = self.windows();
        windows.retain(|jobs| jobs.iter().all(|job| job.taker().is_some()));
        windows
    }

    /// Whether it was routed in one window, and no job that cannot be placed was under way together with it.
    pub(super) fn is_placed(&self, job: &Job) -> bool {
        let Some(consumed) = job.consumed.filter(|_| job.window.is_some()) else { return false };
        let meets = |other: &Job| other.sent < consumed && other.consumed.is_none_or(|read| read > job.sent);
        !self.jobs.iter().any(|other| other.window.is_none() && meets(other))
    }

    /// Those who went without a word, and when.
    pub(super) fn vanished(&self) -> impl Iterator<Item = (&Member, usize)> {
        self.pullers.iter().filter_map(|puller| match puller.leaving {
            Some((at, Leave::Abrupt)) => Some((*puller, at)),
            _ => None,
        })
    }

    /// Whether somebody who went without a word may still have turns when this job is sent: what it was given comes back,
    /// and then takes a turn of its own.
    pub(super) fn is_haunted(&self, job: &Job) -> bool {
        let before = |at: usize| job.consumed.is_none_or(|read| at < read);
        self.vanished().any(|(_, at)| before(at) && !self.was_noticed(at, job))
    }

    /// Whether the broker is proved to have noticed that somebody went, before this job was sent: somebody else had two
    /// turns since, all in between reached others, and with strict turns the one who went would have had one of those.
    pub(super) fn was_noticed(&self, went: usize, job: &Job) -> bool {
        if !self.is_strict {
            return false;
        }
        let is_between =
            |other: &Job| other.sent > went && other.consumed.is_some_and(|read| read < job.sent);
        self.windows().into_iter().any(|window| {
            let between: Vec<&Job> = window.into_iter().filter(|other| is_between(other)).collect();
            let runs = between.split(|other| other.taker().is_none());
            runs.filter(|run| is_ordered(run)).any(|run| {
                run.iter().enumerate().any(|(i, job)| run[..i].iter().any(|other| other.takers == job.takers))
            })
        })
    }
}
