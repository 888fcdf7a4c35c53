//! The status of all sockets together: that of the worst one that is wanted.

use super::super::core::{Core, Phase};
use super::super::{Failure, Status, Welcome};
use super::link::Stage;

/// How the wanted sockets stand, and what the program was told of it.
#[derive(Debug, Default)]
pub(super) struct Board {
    waiting: usize,
    opening: usize,
    ready: usize,
    shown: Option<Stage>,
    /// Of the last attempt.
    pub(super) attempt: u32,
    /// Of the last loss, with the wait for the next attempt.
    pub(super) loss: Option<(Failure, u64)>,
}

impl Board {
    /// Counts a socket as `new` that was counted as `old`.
    pub(super) fn recount(&mut self, old: Option<Stage>, new: Option<Stage>) {
        if let Some(old) = old {
            *self.count(old) -= 1;
        }
        if let Some(new) = new {
            *self.count(new) += 1;
        }
    }

    fn count(&mut self, stage: Stage) -> &mut usize {
        match stage {
            Stage::Waiting => &mut self.waiting,
            Stage::Opening => &mut self.opening,
            Stage::Ready => &mut self.ready,
        }
    }

    /// The sockets that are wanted.
    pub(super) fn wanted(&self) -> usize {
        self.waiting + self.opening + self.ready
    }

    /// Those of them that are open.
    pub(super) fn ready(&self) -> usize {
        self.ready
    }

    /// Tells the program if the status changed.
    pub(super) fn show(&mut self, core: &mut Core) {
        if core.phase != Phase::Running || self.wanted() == 0 {
            return;
        }
        let stage = if self.waiting > 0 {
            Stage::Waiting
        } else if self.opening == 0 {
            Stage::Ready
        } else if self.shown == Some(Stage::Ready) {
            // A topic that is new does not mean that a connection was lost: what is lost waits first.
            return;
        } else {
            Stage::Opening
        };
        if self.shown == Some(stage) {
            return;
        }
        self.shown = Some(stage);
        match (stage, &self.loss) {
            (Stage::Waiting, Some((failure, wait))) => {
                core.status(Status::Waiting { failure: failure.clone(), wait: *wait });
            }
            (Stage::Ready, _) => core.status(Status::Connected(Welcome::default())),
            _ => core.status(Status::Connecting { attempt: self.attempt }),
        }
    }
}
