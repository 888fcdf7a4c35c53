//! The mode `churn`: connections come and go beside traffic that must not notice.

use serde::Serialize;

use crate::arguments::Traffic;
use crate::drive::Run;
use crate::error::LoadError;
use crate::lineup::{self, Lineup};
use crate::report::{Line, Report};
use crate::server::Memory;
use crate::target::Target;
use crate::traffic::Pacing;
use crate::wamp::Part;

/// The figures of a churn run.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Churn {
    /// Of those that stayed, over the whole time.
    pub(crate) traffic: Report,
    /// Connections that came and went.
    pub(crate) cycles: usize,
    pub(crate) cycles_per_second: f64,
    /// Memory at the begin, at half of the cycles and at their end.
    pub(crate) memory: [Memory; 3],
}

/// Opens and closes `cycles` connections, `at_once` at a time, beside `traffic` at `rate`. The traffic lasts as long
/// as the cycles do, and at least as long as the command line says.
pub(crate) fn run(traffic: &Traffic, rate: f64, cycles: usize, at_once: usize) -> Result<Churn, LoadError> {
    lineup::allow_descriptors(traffic.subscribers + traffic.publishers + at_once)?;
    let url = traffic.bus.as_ref().or(traffic.subscribe.as_ref());
    let url = url.ok_or(LoadError::Options("name --sub or --bus"))?;
    let targets = lineup::targets(url, traffic.topics, traffic.topics)?;
    let targets = lineup::seated(targets, &traffic.reach, Part::Subscriber);
    let lineup = Lineup::connect(traffic)?;
    let pace = Pacing::Rate(rate).begin(&lineup)?;
    let mut run = Run::new(lineup, pace, traffic);
    let begin = run.server.memory()?;
    let mut door = Door { targets, cycles, at_once, opened: 0, closed: 0, half: begin, end: begin, took: 0 };
    let started = run.fleet.clock.now();
    let report = run.measure(traffic, |run| {
        door.attend(run)?;
        if door.closed == cycles && door.took == 0 {
            door.took = run.fleet.clock.now() - started;
        }
        Ok(door.closed == cycles)
    })?;
    Ok(Churn {
        traffic: report,
        cycles,
        cycles_per_second: cycles as f64 * 1e9 / door.took.max(1) as f64,
        memory: [begin, door.half, door.end],
    })
}

/// Lets visitors in and out.
struct Door {
    targets: Vec<Target>,
    cycles: usize,
    at_once: usize,
    opened: usize,
    closed: usize,
    half: Memory,
    end: Memory,
    /// Nanoseconds until the last one had gone; 0 until then.
    took: u64,
}

impl Door {
    /// Closes those that have come in since the last turn, and opens others in place of those that have gone.
    fn attend(&mut self, run: &mut Run) -> Result<(), LoadError> {
        for client in std::mem::take(&mut run.floor.visitors.opened) {
            run.fleet.close(client, 1000)?;
        }
        for _ in std::mem::take(&mut run.floor.visitors.closed) {
            self.closed += 1;
            if self.closed == self.cycles / 2 {
                self.half = run.server.memory()?;
            }
            if self.closed == self.cycles {
                self.end = run.server.memory()?;
            }
        }
        while self.opened < self.cycles && self.opened - self.closed < self.at_once {
            run.fleet.open(&self.targets[self.opened % self.targets.len()], None)?;
            self.opened += 1;
        }
        Ok(())
    }
}

impl Churn {
    /// The lines of a table.
    pub(crate) fn lines(&self) -> Vec<Line> {
        let mut lines = Report::lines(&[&self.traffic]);
        let resident: Vec<_> =
            self.memory.iter().map(|memory| (memory.resident / 1024).to_string()).collect();
        lines.push(("cycles", vec![format!("{} ({:.0}/s)", self.cycles, self.cycles_per_second)]));
        lines.push(("resident at begin / half / end (KiB)", vec![resident.join(" / ")]));
        lines
    }
}
