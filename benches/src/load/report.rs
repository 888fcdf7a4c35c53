//! What a run prints: a table for people, JSON for programs.

use serde::Serialize;

use crate::judge::Verdict;
use crate::latency::Latencies;

/// The figures of the measured part of a run.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Report {
    /// Messages published.
    pub(crate) published: u64,
    pub(crate) published_per_second: f64,
    /// Messages received: each counts once for each listener.
    pub(crate) deliveries: u64,
    pub(crate) deliveries_per_second: f64,
    /// Of the whole run, the warming up included.
    #[serde(flatten)]
    pub(crate) verdict: Faults,
    /// Publishers and listeners that the server has disconnected.
    pub(crate) closed: u64,
    /// From when a message was due until the read that returned it.
    pub(crate) latency: Quantiles,
    /// How late the generator itself was, in microseconds: part of the latency that is not the server's.
    pub(crate) lateness_p99_us: f64,
    pub(crate) deliveries_per_read: f64,
    /// Processor time of the server, in microseconds.
    pub(crate) server_us_per_delivery: f64,
    /// Processors that the server kept busy.
    pub(crate) server_cores: f64,
    /// Processors that this generator kept busy; near 1 means that it was the limit.
    pub(crate) generator_cores: f64,
}

/// What went wrong, by kind.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Faults {
    pub(crate) lost: u64,
    pub(crate) duplicated: u64,
    pub(crate) reordered: u64,
    pub(crate) foreign: u64,
}

/// Latencies in microseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Quantiles {
    #[serde(rename = "p50_us")]
    pub(crate) p50: f64,
    #[serde(rename = "p99_us")]
    pub(crate) p99: f64,
    #[serde(rename = "p999_us")]
    pub(crate) p999: f64,
    #[serde(rename = "highest_us")]
    pub(crate) highest: f64,
}

impl From<Verdict> for Faults {
    fn from(verdict: Verdict) -> Self {
        let Verdict { lost, duplicated, reordered, foreign } = verdict;
        Self { lost, duplicated, reordered, foreign }
    }
}

impl Faults {
    /// How many faults of any kind.
    pub(crate) fn total(&self) -> u64 {
        self.lost + self.duplicated + self.reordered + self.foreign
    }
}

impl From<&Latencies> for Quantiles {
    fn from(latencies: &Latencies) -> Self {
        let microseconds = |share| latencies.quantile(share) as f64 / 1e3;
        Self {
            p50: microseconds(0.5),
            p99: microseconds(0.99),
            p999: microseconds(0.999),
            highest: latencies.highest() as f64 / 1e3,
        }
    }
}

/// One line of a table: what it is, and its value in each column.
pub(crate) type Line = (&'static str, Vec<String>);

impl Report {
    /// The lines of a table with a column for each of `reports`.
    pub(crate) fn lines(reports: &[&Self]) -> Vec<Line> {
        let line = |name, value: &dyn Fn(&Self) -> String| {
            (name, reports.iter().map(|report| value(report)).collect())
        };
        vec![
            line("published", &|r| format!("{} ({:.0}/s)", r.published, r.published_per_second)),
            line("deliveries", &|r| format!("{} ({:.0}/s)", r.deliveries, r.deliveries_per_second)),
            line("lost / duplicated / reordered", &|r| {
                let Faults { lost, duplicated, reordered, .. } = r.verdict;
                format!("{lost} / {duplicated} / {reordered}")
            }),
            line("messages of others", &|r| r.verdict.foreign.to_string()),
            line("closed by the server", &|r| r.closed.to_string()),
            line("latency p50 / p99 / p99.9 (us)", &|r| {
                let Quantiles { p50, p99, p999, .. } = r.latency;
                format!("{p50:.0} / {p99:.0} / {p999:.0}")
            }),
            line("generator late, p99 (us)", &|r| format!("{:.0}", r.lateness_p99_us)),
            line("deliveries per read", &|r| format!("{:.2}", r.deliveries_per_read)),
            line("server us per delivery", &|r| format!("{:.3}", r.server_us_per_delivery)),
            line("server / generator cores", &|r| {
                format!("{:.2} / {:.2}", r.server_cores, r.generator_cores)
            }),
        ]
    }
}

/// Prints lines with aligned columns; `head` names the columns and may be empty.
pub(crate) fn print_table(head: &[&str], lines: &[Line]) {
    let names = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let values = lines.iter().flat_map(|(_, values)| values).map(String::len);
    let width = values.chain(head.iter().map(|name| name.len())).max().unwrap_or(0);
    let print = |name: &str, columns: &mut dyn Iterator<Item = &str>| {
        print!("{name:names$}");
        for column in columns {
            print!("  {column:>width$}");
        }
        println!();
    };
    if !head.is_empty() {
        print("", &mut head.iter().copied());
    }
    for (name, values) in lines {
        print(name, &mut values.iter().map(String::as_str));
    }
}

/// Prints `value` as one line of JSON.
pub(crate) fn print_json(value: &impl Serialize) {
    println!("{}", serde_json::to_string(value).expect("reports have only string keys"));
}
