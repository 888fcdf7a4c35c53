//! The mode `slow`: what the others notice of subscribers that stop reading.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::arguments::Traffic;
use crate::clock::nanoseconds;
use crate::drive::Run;
use crate::error::LoadError;
use crate::lineup::{self, Lineup};
use crate::report::{Line, Report};
use crate::server::Memory;
use crate::traffic::{self, Pacing};
use crate::wamp::Part;

/// How long the stopped subscribers may read on, at the end, to find out what the server did to them.
const PATIENCE: Duration = Duration::from_secs(2);

/// The figures of both runs.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Slow {
    /// Everybody reads.
    pub(crate) without: Report,
    /// Some do not; of the others.
    pub(crate) with: Report,
    /// Memory before the second run's messages.
    pub(crate) before: Memory,
    /// Memory after them, before anybody read on.
    pub(crate) stalled: Memory,
    /// How many subscribers stopped reading.
    pub(crate) stopped: usize,
    /// How many of them the server closed, by close code (0: without a close frame).
    pub(crate) closed: BTreeMap<u16, usize>,
}

/// Runs `traffic` at `rate` without and with `slow` subscribers that stop reading.
pub(crate) fn run(
    traffic: &Traffic,
    rate: f64,
    slow: usize,
    receive_buffer: usize,
) -> Result<Slow, LoadError> {
    let without = traffic::run(traffic, Pacing::Rate(rate))?;

    let mut lineup = Lineup::connect(traffic)?;
    lineup::allow_descriptors(traffic.subscribers + traffic.publishers + slow)?;
    let url = traffic.bus.as_ref().or(traffic.subscribe.as_ref());
    let url = url.ok_or(LoadError::Options("name --sub or --bus"))?;
    let targets = lineup::targets(url, slow, traffic.topics)?;
    let targets = lineup::seated(targets, &traffic.reach, Part::Subscriber);
    let stopped = lineup.fleet.open_all(targets, Some(receive_buffer))?;
    for &client in &stopped {
        lineup.fleet.stop_reading(client)?;
    }
    let before = lineup.server.memory()?;
    let pace = Pacing::Rate(rate).begin(&lineup)?;
    let mut run = Run::new(lineup, pace, traffic);
    let with = run.measure(traffic, |_| Ok(true))?;
    let stalled = run.server.memory()?;
    let closed = read_on(&mut run, &stopped)?;
    Ok(Slow { without, with, before, stalled, stopped: slow, closed })
}

/// Lets the stopped subscribers read what is left for them; how many were closed, by code.
fn read_on(run: &mut Run, stopped: &[usize]) -> Result<BTreeMap<u16, usize>, LoadError> {
    for &client in stopped {
        run.fleet.resume_reading(client)?;
    }
    let end = run.fleet.clock.now() + nanoseconds(PATIENCE);
    while run.floor.visitors.closed.len() < stopped.len() {
        let left = end.saturating_sub(run.fleet.clock.now());
        if left == 0 {
            break;
        }
        run.fleet.turn(Some(Duration::from_nanos(left)), &mut run.floor)?;
    }
    let mut closed = BTreeMap::new();
    for (_, code) in &run.floor.visitors.closed {
        *closed.entry(code.unwrap_or(0)).or_insert(0) += 1;
    }
    Ok(closed)
}

impl Slow {
    /// The lines of a table: the runs side by side, then what became of the slow ones.
    pub(crate) fn lines(&self) -> Vec<Line> {
        let mut lines = Report::lines(&[&self.without, &self.with]);
        let grown = self.stalled.resident as f64 - self.before.resident as f64;
        let codes: Vec<_> = self.closed.iter().map(|(code, count)| format!("{count} with {code}")).collect();
        lines.push((
            "memory grown, per slow one",
            vec![String::new(), format!("{:.0} bytes", grown / self.stopped.max(1) as f64)],
        ));
        lines.push((
            "slow ones closed",
            vec![String::new(), if codes.is_empty() { "none".into() } else { codes.join(", ") }],
        ));
        lines
    }
}
