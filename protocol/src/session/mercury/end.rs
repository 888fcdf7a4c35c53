//! The end of a session.

use super::super::core::{Core, Phase};
use super::super::{Failure, Status};
use super::links::drop_queue;
use super::{LinkId, Mercury};

impl Mercury {
    pub(in super::super) fn drain(&mut self, core: &mut Core, now: u64) {
        if !self.begun {
            // Nothing that waits could be finished.
            core.phase = Phase::Closed { failure: None };
            return self.close(core, now);
        }
        core.status(Status::Draining);
        for id in self.all_links() {
            // What still has something to send closes after it, see `flush`.
            if self.links.get(id.0).is_some_and(|link| link.queue.is_empty()) {
                self.leave(core, id, now);
            }
        }
        self.tidy(core, now);
    }

    pub(in super::super) fn close(&mut self, core: &mut Core, now: u64) {
        self.end_posts(core);
        let error = core.over();
        for id in self.all_links() {
            self.end_members(core, id, &error);
            if let Some(link) = self.links.get_mut(id.0) {
                drop_queue(core, link);
            }
            self.leave(core, id, now);
        }
        self.tidy(core, now);
    }

    /// The broker can not be had: all is over.
    pub(super) fn give_up(&mut self, core: &mut Core, failure: Failure, now: u64) {
        core.phase = Phase::Closed { failure: Some(failure) };
        self.close(core, now);
    }

    /// Says that the session is over, when it is.
    pub(super) fn finish(&mut self, core: &mut Core) {
        if self.finished || !self.links.is_empty() || !self.posts.is_empty() {
            return;
        }
        let failure = match &core.phase {
            Phase::Running => return,
            // What was sent last may not have arrived.
            Phase::Draining { .. } => self.cut.take(),
            Phase::Closed { failure } => failure.clone(),
        };
        self.finished = true;
        core.phase = Phase::Closed { failure: failure.clone() };
        core.status(Status::Closed { failure });
    }

    pub(super) fn all_links(&self) -> Vec<LinkId> {
        self.links.numbers().into_iter().map(LinkId).collect()
    }
}
