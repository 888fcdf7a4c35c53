//! The workloads that are compared, and the figures each of them gives.

use std::time::Duration;

use clap::ValueEnum;

use super::launch::Launched;
use super::{Entry, Group};
use crate::arguments::Traffic;
use crate::error::LoadError;
use crate::idle;
use crate::report::Report;
use crate::slow;
use crate::traffic::{self, Pacing};

/// How long connections are left alone before their memory is read.
const REST: Duration = Duration::from_secs(2);

/// What a server is put through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Workload {
    /// One publisher, 100 subscribers, 200 messages a second: one delivery per read.
    Paced,
    /// The same with 64 messages in flight: many deliveries per read.
    Closed,
    /// 1000 subscribers, 64 in flight.
    Wide,
    /// Subscribers that stop reading beside 20 that do not.
    Slow,
    /// 10,000 idle connections.
    Idle,
    /// 2,000 idle TLS connections.
    Tls2000,
    /// 10,000 idle TLS connections.
    Tls10000,
    /// WAMP beside Mercury: as `paced`.
    WampPaced,
    /// WAMP beside Mercury: as `closed`.
    WampClosed,
    /// WAMP beside Mercury: as `wide`.
    WampWide,
    /// WAMP beside Mercury: 10,000 joined sessions, each subscribed to a topic of its own.
    WampIdle,
}

/// One figure of one run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    pub(crate) value: f64,
    /// Decimals to print.
    pub(crate) decimals: usize,
    /// Whether a ratio of ours to the peer's says something.
    pub(crate) compared: bool,
}

/// The figures of one run, always the same for a workload and entry.
pub(crate) type Figures = Vec<Figure>;

pub(crate) const fn figure(name: &'static str, value: f64, decimals: usize) -> Figure {
    Figure { name, value, decimals, compared: true }
}

pub(crate) const fn note(name: &'static str, value: f64, decimals: usize) -> Figure {
    Figure { name, value, decimals, compared: false }
}

impl Workload {
    /// What the table calls it.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Paced | Self::WampPaced => "1 to 100, 128 B, 200/s",
            Self::Closed | Self::WampClosed => "1 to 100, 128 B, 64 in flight",
            Self::Wide | Self::WampWide => "1 to 1000, 128 B, 64 in flight",
            Self::Slow => "1 to 20, 1 KiB, 2000/s, 2 more stop reading",
            Self::Idle => "10,000 idle connections",
            Self::Tls2000 => "2,000 idle TLS connections",
            Self::Tls10000 => "10,000 idle TLS connections",
            Self::WampIdle => "10,000 idle, each subscribed to a topic of its own",
        }
    }

    /// The table that it belongs to.
    pub(crate) fn group(self) -> Group {
        match self {
            Self::WampPaced | Self::WampClosed | Self::WampWide | Self::WampIdle => Group::Dialects,
            _ => Group::Servers,
        }
    }

    pub(crate) fn is_tls(self) -> bool {
        matches!(self, Self::Tls2000 | Self::Tls10000)
    }

    /// The peer has neither TLS nor bounds.
    pub(crate) fn is_run_by(self, entry: Entry) -> bool {
        entry != Entry::Tungstenite || matches!(self, Self::Paced | Self::Closed | Self::Wide | Self::Idle)
    }

    /// Runs once, for `seconds` where messages flow.
    pub(crate) fn run(self, entry: Entry, server: &Launched, seconds: f64) -> Result<Figures, LoadError> {
        let traffic =
            |subscribers, size| Traffic { size, seconds, warm: 0.5, ..entry.traffic(server, subscribers) };
        match self {
            Self::Paced | Self::WampPaced => flow(&traffic(100, 128), Pacing::Rate(200.0), server),
            Self::Closed | Self::WampClosed => flow(&traffic(100, 128), Pacing::Window(64), server),
            Self::Wide | Self::WampWide => flow(&traffic(1000, 128), Pacing::Window(64), server),
            Self::Slow => stalled(&traffic(20, 1024)),
            Self::Idle | Self::Tls10000 => rest(entry, server, 10_000, 1),
            Self::Tls2000 => rest(entry, server, 2_000, 1),
            Self::WampIdle => rest(entry, server, 10_000, 10_000),
        }
    }
}

/// A run with messages, and how many writes the server counts for them.
fn flow(traffic: &Traffic, pacing: Pacing, server: &Launched) -> Result<Figures, LoadError> {
    const WRITES: &str = "petasus_socket_writes_total";
    const DELIVERIES: &str = "petasus_deliveries_total";
    let report = traffic::run(traffic, pacing)?;
    let mut figures = vec![
        figure("CPU us per delivery", report.server_us_per_delivery, 3),
        note("deliveries per read", report.deliveries_per_read, 2),
        note("deliveries per second", report.deliveries_per_second, 0),
        note("latency p50, us", report.latency.p50, 0),
        note("latency p99, us", report.latency.p99, 0),
        note("latency p99.9, us", report.latency.p999, 0),
        note("lost, duplicated or reordered", faults(&report), 0),
        note("server cores", report.server_cores, 2),
        note("generator cores", report.generator_cores, 2),
    ];
    if let (Some(writes), Some(deliveries)) = (server.counter(WRITES)?, server.counter(DELIVERIES)?) {
        figures.push(note("writes per delivery", writes / deliveries.max(1.0), 3));
    }
    Ok(figures)
}

fn stalled(traffic: &Traffic) -> Result<Figures, LoadError> {
    const SLOW: usize = 2;
    let report = slow::run(traffic, 2000.0, SLOW, 4096)?;
    let grown = report.stalled.resident as f64 - report.before.resident as f64;
    Ok(vec![
        note("others' deliveries per second, all read", report.without.deliveries_per_second, 0),
        note("others' deliveries per second, two stop", report.with.deliveries_per_second, 0),
        note("others' p99, us, all read", report.without.latency.p99, 0),
        note("others' p99, us, two stop", report.with.latency.p99, 0),
        note("others' lost, duplicated or reordered", faults(&report.with), 0),
        note("memory grown per stopped one, bytes", grown / SLOW as f64, 0),
        note(
            "stopped ones closed by policy (3100)",
            report.closed.get(&3100).copied().unwrap_or(0) as f64,
            0,
        ),
        note("stopped ones cut off without a code", report.closed.get(&0).copied().unwrap_or(0) as f64, 0),
    ])
}

/// `connections` that are subscribed to `topics`, in turn, and nothing else.
fn rest(entry: Entry, server: &Launched, connections: usize, topics: usize) -> Result<Figures, LoadError> {
    let (_, url) = entry.urls(server, "idle{}");
    let report = idle::run(&url, connections, topics, REST, &entry.reach(server))?;
    Ok(vec![
        figure("bytes per connection", report.bytes_per_connection, 0),
        figure("CPU us per handshake", report.server_us_per_handshake, 1),
        note("CPU us per second while idle", report.server_us_per_second, 0),
        note("closed while idle", report.closed as f64, 0),
    ])
}

fn faults(report: &Report) -> f64 {
    (report.verdict.total() + report.closed) as f64
}
