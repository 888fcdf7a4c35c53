//! Plans are carried out here, and become histories.
//!
//! Nothing sleeps. A wait ends with the event that it is for, or at a deadline; only deadlines and quiet windows count
//! as waiting. See [`Timing`].

use std::time::Duration;

use tokio::time::Instant;

use crate::driver::{Driver, OpenError, Target};
use crate::history::{History, Leave, What};
use crate::launch::Broker;
use crate::namespace::Namespace;
use crate::params::Params;
use crate::plan::{Plan, Step};

mod disturb;
mod lines;
mod lingering;
mod settle;
mod stage;
mod talk;
mod wire;

pub use lingering::{Graveyard, Late};
use stage::Stage;

/// The two clocks of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// How long to wait for what must come. It costs nothing while everything comes.
    pub deadline: Duration,
    /// How long to listen, at the end of a case, for what must not come. Zero unless the broker hands messages on
    /// outside of the order that barriers prove.
    pub quiet: Duration,
}

/// For how many ping periods somebody who answers none may stay, with one to spare.
const PERIODS: u32 = 3;

/// How much was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Scripts run.
    pub runs: u64,
    /// Connections opened.
    pub connects: u64,
    /// Messages sent.
    pub sent: u64,
    /// Messages received.
    pub received: u64,
    /// Spent until deadlines that passed, and in quiet windows.
    pub waited: Duration,
}

impl Counts {
    /// Adds what another run did.
    pub fn add(&mut self, other: &Self) {
        self.runs += other.runs;
        self.connects += other.connects;
        self.sent += other.sent;
        self.received += other.received;
        self.waited += other.waited;
    }
}

/// What became of a plan.
pub struct Outcome {
    /// What happened.
    pub history: History,
    /// How much that was.
    pub counts: Counts,
    /// Connections that stay open, to see what comes late.
    pub late: Late,
}

/// Why a plan has no history.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExecError {
    /// Nobody listens any more.
    #[error("{0}")]
    Unreachable(String),
    /// The dialect cannot say what the plan needs; another script may do.
    #[error("{0}")]
    Unrepresentable(String),
}

/// The broker of a plan.
pub struct At<'a> {
    /// Where it is.
    pub target: &'a Target,
    /// The broker itself, if it was started for this plan: it can be stopped.
    pub own: Option<&'a mut dyn Broker>,
}

/// Carries out a plan.
///
/// # Errors
/// Nobody listens, or the dialect cannot express the plan. A broker that refuses, ends connections or is silent is a
/// matter of the history.
pub async fn run<'a>(
    driver: &'a dyn Driver,
    at: At<'a>,
    timing: Timing,
    check: &str,
    params: &Params,
    namespace: Namespace,
    plan: &Plan,
) -> Result<Outcome, ExecError> {
    let mut stage = Stage::new(driver, at, timing, History::new(namespace, check));
    stage.proxied = disturb::disturbed(plan);
    let (max_message, strict_turns) = (params.max_message, params.patterns.strict);
    let declared = What::Declared { max_message, strict_turns };
    stage.note(None, declared);
    for step in &plan.steps {
        stage.drain();
        stage.act(step, plan.flush_before_changes).await?;
        stage.intact()?;
        if stage.is_dead {
            return Ok(stage.finish());
        }
    }
    settle::settle(&mut stage).await?;
    stage.intact()?;
    Ok(stage.finish())
}

impl Stage<'_> {
    async fn act(&mut self, step: &Step, flush_before_changes: bool) -> Result<(), ExecError> {
        match step {
            Step::Open { conn, door, spelling } => {
                if flush_before_changes && door.role.receives() {
                    self.flush().await;
                }
                self.open(*conn, door, *spelling, "").await?;
            }
            Step::Knock { conn, door, suffix } => {
                self.open(*conn, door, crate::plan::Spelling::Usual, suffix).await?;
                // One that got in stands at no topic that anybody could send to: nothing is due to it.
                self.leave(*conn, Leave::Abrupt).await;
            }
            Step::Send { conn, kind, fill, pieces } => {
                if !self.can_say(*conn, *kind, fill) {
                    return Err(ExecError::Unrepresentable(format!("{fill:?}")));
                }
                self.send(*conn, *kind, fill, *pieces).await;
            }
            Step::Flush => self.flush().await,
            Step::Await { conn, from, number } => self.await_message(*conn, *from, *number).await,
            Step::Ask { conn, request } => self.ask(*conn, request).await,
            Step::AwaitAnswer { conn, number } => self.await_answer(*conn, *number).await,
            Step::Serve { caller, number, gives } => self.serve((*caller, *number), gives).await,
            Step::AwaitNotice { conn, awaited } => self.await_notice(*conn, *awaited).await,
            Step::AwaitInterrupt { caller, number } => self.await_interrupt((*caller, *number)).await,
            Step::Launch(wanted) => {
                self.slack = Duration::from_millis(wanted.ping_ms.unwrap_or(0)) * PERIODS;
                self.note(None, What::Launched { wanted: wanted.clone() });
            }
            Step::Connect { conn, line } => self.connect(*conn, line).await?,
            Step::Tell { conn, messages } => self.tell(*conn, messages).await,
            Step::Heed { conn, begins } => self.heed(*conn, begins).await,
            Step::Http { conn, door, request } => self.request(*conn, door, request).await?,
            Step::Write { conn, frames } => self.write_frames(*conn, frames).await,
            Step::Hear { conn } => self.hear(*conn).await,
            Step::Finish { conn } => self.finish_wire(*conn).await,
            Step::Disturb { conn, how } => self.disturb(*conn, *how).await,
            Step::AwaitEnd { conn } => self.await_end(*conn).await,
            Step::AwaitFrames { conn, opcode, count } => self.await_frames(*conn, *opcode, *count).await,
            Step::AwaitTurns { conn, turns } => self.await_turns(*conn, *turns).await,
            Step::Kill => self.kill().await?,
            Step::Stop => self.stop().await?,
            Step::AwaitStop => self.await_stop().await?,
            Step::Restart => self.restart().await?,
            Step::Leave { conn, how } => {
                if flush_before_changes {
                    self.flush().await;
                }
                self.leave(*conn, *how).await;
            }
        }
        Ok(())
    }
}

/// What an error of opening means for the run.
fn fatal(error: &OpenError) -> Option<ExecError> {
    match error {
        OpenError::Unreachable(why) => Some(ExecError::Unreachable(format!("nobody listens: {why}"))),
        OpenError::Lost(why) => Some(ExecError::Unreachable(why.clone())),
        OpenError::Unrepresentable(what) => Some(ExecError::Unrepresentable(what.clone())),
        OpenError::Rejected { .. } | OpenError::Protocol(_) => None,
    }
}

/// Microseconds since `begin`.
fn micros(begin: Instant) -> u64 {
    u64::try_from(begin.elapsed().as_micros()).unwrap_or(u64::MAX)
}
