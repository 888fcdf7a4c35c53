//! A run: publishers send at their pace, listeners hear, the judge keeps the books.

use std::time::Duration;

use crate::arguments::{self, Traffic};
use crate::client::Audience;
use crate::clock::nanoseconds;
use crate::error::LoadError;
use crate::fleet::Fleet;
use crate::judge::{Arrival, Judge};
use crate::latency::Latencies;
use crate::lineup::Lineup;
use crate::pace::{Due, Pace};
use crate::report::{Faults, Report};
use crate::server::{self, Server};
use crate::stamp::Stamp;
use crate::wire::Opcode;

/// After so long without an arrival, what is missing counts as lost.
const PATIENCE: Duration = Duration::from_secs(2);

/// The same for a server that runs under a counting tool, some fifty times slower.
const SLOW_PATIENCE: Duration = Duration::from_secs(30);
/// How long a run that is not done when its time is over waits for the next thing to happen.
const OVERTIME: Duration = Duration::from_millis(100);

/// A run in progress.
pub(crate) struct Run {
    pub(crate) fleet: Fleet,
    pub(crate) server: Server,
    pub(crate) floor: Floor,
    publishers: Vec<usize>,
    opcode: Opcode,
    /// The message, whose head is overwritten by each stamp.
    payload: Vec<u8>,
    /// How late messages left, against their schedule.
    lateness: Latencies,
}

/// The listeners' side of a run.
pub(crate) struct Floor {
    pub(crate) visitors: Visitors,
    listeners: Vec<Option<usize>>,
    judge: Judge,
    pace: Pace,
    latencies: Latencies,
    size: usize,
    /// Messages due before this belong to the warming up and have no latency.
    measured_from: u64,
    last_arrival: u64,
    reads: u64,
    closed: u64,
}

/// What befell the clients that are neither publishers nor listeners, since somebody last looked.
#[derive(Default)]
pub(crate) struct Visitors {
    pub(crate) opened: Vec<usize>,
    pub(crate) closed: Vec<(usize, Option<u16>)>,
}

/// The counters at the begin or end of the measured time.
struct Mark {
    at: u64,
    delivered: u64,
    reads: u64,
    published: u64,
    server: Duration,
    generator: Duration,
}

impl Run {
    /// A run of `lineup` at `pace`.
    pub(crate) fn new(lineup: Lineup, pace: Pace, traffic: &Traffic) -> Self {
        let Lineup { fleet, server, publishers, listeners, judge } = lineup;
        let now = fleet.clock.now();
        Self {
            fleet,
            server,
            floor: Floor {
                visitors: Visitors::default(),
                listeners,
                judge,
                pace,
                latencies: Latencies::new(),
                size: traffic.size,
                measured_from: u64::MAX,
                last_arrival: now,
                reads: 0,
                closed: 0,
            },
            publishers,
            opcode: if traffic.binary { Opcode::Binary } else { Opcode::Text },
            payload: vec![b'.'; traffic.size],
            lateness: Latencies::new(),
        }
    }

    /// Warms up, measures and waits for the last message. While it measures, `is_done` is called after each turn; the
    /// measured time is that of the command line or until `is_done`, whichever is longer.
    pub(crate) fn measure(
        &mut self,
        traffic: &Traffic,
        mut is_done: impl FnMut(&mut Self) -> Result<bool, LoadError>,
    ) -> Result<Report, LoadError> {
        let start = self.fleet.clock.now();
        self.floor.pace.start(start);
        let begin = start + nanoseconds(arguments::seconds(traffic.warm)?);
        let end = begin + nanoseconds(arguments::seconds(traffic.seconds)?);
        while self.fleet.clock.now() < begin {
            self.step(begin)?;
        }
        self.floor.measured_from = begin;
        self.lateness = Latencies::new();
        let first = self.mark()?;
        loop {
            let done = is_done(self)?;
            let now = self.fleet.clock.now();
            if done && now >= end {
                break;
            }
            self.step(if now < end { end } else { now + nanoseconds(OVERTIME) })?;
        }
        // The last turn may have ended late.
        self.send_due(end - 1)?;
        let sending = self.fleet.clock.now() - first.at;
        self.drain()?;
        let last = self.mark()?;
        Ok(self.report(&first, &last, sending))
    }

    /// Sends until the pace ends and waits for the last message, without measuring.
    pub(crate) fn deliver_all(&mut self) -> Result<Faults, LoadError> {
        loop {
            self.send_due(self.fleet.clock.now())?;
            let published = self.floor.pace.published();
            if self.floor.judge.delivered() == self.floor.judge.due(&published) {
                return Ok(self.floor.judge.verdict(&published).into());
            }
            if !self.fleet.turn(Some(SLOW_PATIENCE), &mut self.floor)? {
                return Err(LoadError::Late { what: "deliver", seconds: SLOW_PATIENCE.as_secs() });
            }
        }
    }

    /// Sends what is due and reads what has arrived, once; returns by `deadline`.
    pub(crate) fn step(&mut self, deadline: u64) -> Result<(), LoadError> {
        let now = self.fleet.clock.now();
        self.send_due(now)?;
        let until = Duration::from_nanos(deadline.saturating_sub(now));
        let wait = self.floor.pace.wait(now).map_or(until, |wait| wait.min(until));
        self.fleet.turn(Some(wait), &mut self.floor)?;
        Ok(())
    }

    /// Sends what is due by `now`.
    fn send_due(&mut self, now: u64) -> Result<(), LoadError> {
        while let Some(due) = self.floor.pace.next_due(now) {
            self.send(due);
            // By the clock, each message is written when it is due, by itself; with a window, all that the last
            // arrivals allow leave together, as from any client that writes after its reads.
            if matches!(self.floor.pace, Pace::Rate(_)) {
                self.fleet.flush(self.publishers[due.publisher])?;
            }
        }
        if matches!(self.floor.pace, Pace::Window(_)) {
            for &publisher in &self.publishers {
                self.fleet.flush(publisher)?;
            }
        }
        Ok(())
    }

    /// Reads on without sending, until everything has arrived or nothing arrives any more.
    fn drain(&mut self) -> Result<(), LoadError> {
        let due = self.floor.judge.due(&self.floor.pace.published());
        let mut since = self.fleet.clock.now();
        while self.floor.judge.delivered() < due {
            self.fleet.turn(Some(PATIENCE), &mut self.floor)?;
            since = since.max(self.floor.last_arrival);
            if self.fleet.clock.now() > since + nanoseconds(PATIENCE) {
                break;
            }
        }
        Ok(())
    }

    fn send(&mut self, due: Due) {
        let stamp = Stamp { publisher: due.publisher as u32, sequence: due.sequence, due: due.at };
        stamp.write(&mut self.payload);
        self.lateness.add(self.fleet.clock.now().saturating_sub(due.at));
        self.fleet.queue(self.publishers[due.publisher], self.opcode, &self.payload);
    }

    fn mark(&self) -> Result<Mark, LoadError> {
        Ok(Mark {
            at: self.fleet.clock.now(),
            delivered: self.floor.judge.delivered(),
            reads: self.floor.reads,
            published: self.floor.pace.published().iter().sum(),
            server: self.server.processor_time()?,
            generator: server::own_processor_time()?,
        })
    }

    /// What happened between two marks; `sending` is how long messages were sent, in nanoseconds.
    fn report(&self, first: &Mark, last: &Mark, sending: u64) -> Report {
        let floor = &self.floor;
        let deliveries = last.delivered - first.delivered;
        let sent = last.published - first.published;
        let elapsed = Duration::from_nanos(floor.last_arrival.max(first.at + 1) - first.at).as_secs_f64();
        let wall = Duration::from_nanos(last.at - first.at).as_secs_f64();
        let server = last.server.saturating_sub(first.server).as_secs_f64();
        Report {
            published_per_second: sent as f64 / Duration::from_nanos(sending).as_secs_f64(),
            published: sent,
            deliveries,
            deliveries_per_second: deliveries as f64 / elapsed,
            verdict: floor.judge.verdict(&floor.pace.published()).into(),
            closed: floor.closed,
            latency: (&floor.latencies).into(),
            lateness_p99_us: self.lateness.quantile(0.99) as f64 / 1e3,
            deliveries_per_read: deliveries as f64 / (last.reads - first.reads).max(1) as f64,
            server_us_per_delivery: server * 1e6 / deliveries.max(1) as f64,
            server_cores: server / wall,
            generator_cores: last.generator.saturating_sub(first.generator).as_secs_f64() / wall,
        }
    }
}

impl Floor {
    fn listener(&self, client: usize) -> Option<usize> {
        self.listeners.get(client).copied().flatten()
    }

    fn is_visitor(&self, client: usize) -> bool {
        client >= self.listeners.len()
    }
}

impl Audience for Floor {
    fn opened(&mut self, client: usize) {
        if self.is_visitor(client) {
            self.visitors.opened.push(client);
        }
    }

    fn read(&mut self, client: usize) {
        if self.listener(client).is_some() {
            self.reads += 1;
        }
    }

    fn message(&mut self, client: usize, payload: &[u8], at: u64) {
        if self.is_visitor(client) {
            return;
        }
        let stamp = Stamp::read(payload).filter(|_| payload.len() == self.size);
        let (Some(listener), Some(stamp)) = (self.listener(client), stamp) else {
            self.judge.hear_foreign();
            return;
        };
        let publisher = stamp.publisher as usize;
        let arrival = self.judge.hear(listener, publisher, stamp.sequence);
        if matches!(arrival, Arrival::Duplicate | Arrival::Foreign) {
            return;
        }
        self.pace.arrived(publisher, stamp.sequence);
        self.last_arrival = at;
        if stamp.due >= self.measured_from {
            self.latencies.add(at.saturating_sub(stamp.due));
        }
    }

    fn closed(&mut self, client: usize, code: Option<u16>) {
        if self.is_visitor(client) {
            self.visitors.closed.push((client, code));
        } else {
            self.closed += 1;
        }
    }
}
