//! What is done to connections on their way, and to the broker.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::ExecError;
use super::stage::Stage;
use super::wire::Wire;
use crate::driver::Target;
use crate::fault::{Disturbance, Link};
use crate::history::{Conn, Event, Leave, Wait, What};
use crate::launch::{Broker, LaunchError};
use crate::model::{Fill, Kind};
use crate::plan::{Plan, Step};

/// For how much of the deadline, as a part of it, one of many messages is waited for.
const PROBES: u32 = 8;

/// The connections that a plan disturbs.
pub(super) fn disturbed(plan: &Plan) -> BTreeSet<Conn> {
    let named = |step: &Step| match step {
        Step::Disturb { conn, .. } => Some(*conn),
        _ => None,
    };
    plan.steps.iter().filter_map(named).collect()
}

impl Stage<'_> {
    /// Where a connection finds the broker: behind a proxy if it is to be disturbed.
    pub(super) async fn way(&mut self, conn: Conn) -> Result<Target, ExecError> {
        let mut target = self.target.clone();
        if self.proxied.contains(&conn) {
            if target.address.port() == 0 {
                return Err(ExecError::Unrepresentable(
                    "this is disturbed on its way, and has none".to_owned(),
                ));
            }
            let failed = |why| ExecError::Unreachable(format!("no proxy can be started: {why}"));
            let link = Link::start(target.address).await.map_err(failed)?;
            target.address = link.address;
            self.links.insert(conn, link);
        }
        Ok(target)
    }

    pub(super) async fn disturb(&mut self, conn: Conn, how: Disturbance) {
        let (Some(link), true) = (self.links.get(&conn), self.live.contains_key(&conn)) else { return };
        link.disturb(how);
        self.note(Some(conn), What::Disturbed { how });
        if how == Disturbance::Reset {
            self.leave(conn, Leave::Abrupt).await;
        }
    }

    pub(super) async fn await_end(&mut self, conn: Conn) {
        let is_over = |stage: &Self| {
            !stage.live.contains_key(&conn)
                && !stage.is_line_open(conn)
                && !matches!(stage.wires.get(&conn), Some(Wire::Frames(_)))
        };
        // One that was not served in time is not given as much again.
        let missed = |event: &Event| event.conn == Some(conn) && matches!(event.what, What::Missed { .. });
        let has_missed = self.history.events.iter().any(missed);
        let patience = if has_missed { Duration::ZERO } else { self.timing.deadline + self.slack };
        if !self.until_within(patience, is_over).await {
            self.note(Some(conn), What::Missed { wait: Wait::End });
        }
    }

    /// One message is on its way at a time: it arrives, or somebody has it who is not there any more.
    pub(super) async fn await_turns(&mut self, conn: Conn, turns: u32) {
        let began = Instant::now();
        let mut in_a_row = 0;
        while in_a_row < turns {
            let Some(number) = self.send(conn, Kind::Text, &Fill::Tagged(8), 1).await else { return };
            self.pass(&[conn]).await;
            let has_come = |stage: &Self| stage.live.keys().any(|&to| stage.has(to, conn, number));
            let has_come = self.until_within(self.timing.deadline / PROBES, has_come).await;
            in_a_row = if has_come { in_a_row + 1 } else { 0 };
            if !has_come && began.elapsed() > self.timing.deadline {
                return self.note(Some(conn), What::Missed { wait: Wait::Delivery });
            }
        }
    }

    pub(super) async fn await_frames(&mut self, conn: Conn, opcode: u8, count: u32) {
        let have_come = |stage: &Self| {
            let is_one = |what: &What| matches!(what, What::Frame { opcode: of, .. } if *of == opcode);
            let events = stage.history.events.iter();
            let come = events.filter(|event| event.conn == Some(conn) && is_one(&event.what)).count();
            come >= count as usize || !matches!(stage.wires.get(&conn), Some(Wire::Frames(_)))
        };
        if !self.until_within(self.timing.deadline + self.slack, have_come).await {
            self.note(Some(conn), What::Missed { wait: Wait::Delivery });
        }
    }

    fn own(&mut self) -> Result<&mut dyn Broker, ExecError> {
        let nobodys = || ExecError::Unrepresentable("this stops the broker, which is not ours".to_owned());
        match &mut self.own {
            Some(broker) => Ok(&mut **broker),
            None => Err(nobodys()),
        }
    }

    pub(super) async fn kill(&mut self) -> Result<(), ExecError> {
        self.note(None, What::Killed);
        self.own()?.kill().await.map_err(failed)?;
        let all: Vec<Conn> = self.live.keys().copied().collect();
        if !self.until(|stage| stage.live.is_empty()).await {
            for conn in all {
                self.note(Some(conn), What::Missed { wait: Wait::End });
            }
        }
        Ok(())
    }

    pub(super) async fn stop(&mut self) -> Result<(), ExecError> {
        self.note(None, What::Stopping);
        self.own()?.stop().await.map_err(failed)
    }

    pub(super) async fn await_stop(&mut self) -> Result<(), ExecError> {
        let deadline = self.timing.deadline;
        let Ok(status) = timeout(deadline, self.own()?.stopped()).await else {
            self.counts.waited += deadline;
            self.note(None, What::Missed { wait: Wait::Stop });
            return Ok(());
        };
        // What it said before is read first.
        self.drain();
        let status = status.map_err(failed)?;
        self.note(None, What::Stopped { status });
        Ok(())
    }

    /// A broker that does not start again is a matter of the history, and its end.
    pub(super) async fn restart(&mut self) -> Result<(), ExecError> {
        match self.own()?.restart().await {
            Ok(()) => self.note(None, What::Restarted),
            Err(why) => {
                self.is_dead = true;
                self.note(None, What::Dead { why: why.to_string() });
            }
        }
        Ok(())
    }
}

#[allow(clippy::needless_pass_by_value, reason = "`map_err` gives it away")]
fn failed(why: LaunchError) -> ExecError {
    ExecError::Unreachable(why.to_string())
}
