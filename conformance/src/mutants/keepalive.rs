//! Pings, and whoever answers none.

use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval_at};

use super::Mutant;
use super::connection::{Shared, lock};
use super::outbox::Outbox;
use super::rooms::Id;
use crate::raw::{Frame, Opcode};

/// The pings of one connection.
pub(super) struct Keepalive {
    mutant: Mutant,
    turns: Option<Interval>,
    /// A ping has no answer.
    is_asked: bool,
}

impl Keepalive {
    pub(super) fn of(shared: &Shared) -> Self {
        let period = shared.wanted.ping_ms.map(Duration::from_millis);
        let turns = period.map(|period| {
            let mut turns = interval_at(tokio::time::Instant::now() + period, period);
            turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
            turns
        });
        Self { mutant: shared.mutant, turns, is_asked: false }
    }

    /// Looks at what came.
    pub(super) fn hear(&mut self, frame: Frame) -> Frame {
        if frame.opcode == Opcode::PONG && self.mutant != Mutant::DropsTheLiving {
            self.is_asked = false;
        }
        frame
    }

    /// Waits for the next turn, and pings. False: the last ping has no answer.
    pub(super) async fn turn(&mut self, out: &Outbox) -> bool {
        let Some(turns) = &mut self.turns else { return std::future::pending().await };
        turns.tick().await;
        if self.mutant == Mutant::NeverPings {
            return true;
        }
        if self.is_asked {
            return self.mutant == Mutant::DeadStays;
        }
        self.is_asked = true;
        out.send(Frame::new(Opcode::PING, "")).is_ok()
    }

    /// The connection is dropped.
    pub(super) fn bury(&self, id: Id, shared: &Shared) {
        if self.mutant != Mutant::DeadKeepsSlot {
            lock(&shared.rooms).leave(id);
        }
    }
}
