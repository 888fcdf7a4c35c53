//! What was measured, and the table of it.

use std::fmt::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;
use petasus::Error;

use super::super::arguments::{BenchArgs, Load, Wire};

/// What was measured.
pub(super) struct Report {
    inner: Mutex<Inner>,
}

struct Inner {
    /// Microseconds.
    times: Histogram<u64>,
    failed: u64,
    /// The first one.
    error: Option<Error>,
    took: Duration,
}

impl Default for Report {
    fn default() -> Self {
        Self::new()
    }
}

impl Report {
    pub(super) fn new() -> Self {
        // Up to ten minutes, with three digits.
        let times = Histogram::new_with_bounds(1, 600_000_000, 3).expect("the bounds are in order");
        let inner = Inner { times, failed: 0, error: None, took: Duration::ZERO };
        Self { inner: Mutex::new(inner) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes down how long a message took, or why it did not arrive.
    pub(super) fn add(&self, took: Duration, outcome: Result<(), Error>) {
        let mut inner = self.lock();
        match outcome {
            Ok(()) => inner.times.saturating_record(took.as_micros().max(1) as u64),
            Err(error) => {
                inner.failed += 1;
                inner.error.get_or_insert(error);
            }
        }
    }

    pub(super) fn messages(&self) -> u64 {
        self.lock().times.len()
    }

    pub(super) fn end(&self, took: Duration) {
        self.lock().took = took;
    }

    /// The first error, if nothing arrived at all.
    pub(super) fn outcome(&self) -> Result<(), Error> {
        let inner = self.lock();
        match &inner.error {
            Some(error) if inner.times.is_empty() => Err(error.clone()),
            _ => Ok(()),
        }
    }

    /// A line on what was done, one on what came of it, and the percentiles.
    pub(super) fn table(&self, args: &BenchArgs) -> String {
        let inner = self.lock();
        let load = match args.load {
            Load::Publish => "publish: from a message to its confirmation",
            Load::Deliver => "deliver: from a message to its arrival",
            Load::Request => "request: from a call to its result",
        };
        let wire = if args.dialect == Wire::Wamp { "wamp" } else { "mercury" };
        let seconds = inner.took.as_secs_f64();
        let (messages, times) = (inner.times.len(), &inner.times);
        let mut text = format!(
            "{load}\n{} clients over {wire}, {} in flight each, {} bytes, {seconds:.1} s\n\n",
            args.clients, args.in_flight, args.size
        );
        let quantiles = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)];
        let _ = write!(text, "{:>12} {:>12}", "messages", "messages/s");
        for (name, _) in quantiles {
            let _ = write!(text, " {name:>12}");
        }
        let rate = messages as f64 / seconds.max(0.001);
        let _ = write!(text, " {:>12}\n{messages:>12} {rate:>12.0}", "max");
        for (_, quantile) in quantiles {
            let _ = write!(text, " {:>12}", milliseconds(times.value_at_quantile(quantile)));
        }
        let _ = write!(text, " {:>12}", milliseconds(times.max()));
        if let Some(error) = &inner.error {
            let _ = write!(text, "\n\nfailed: {} (the first: {error})", inner.failed);
        }
        text
    }
}

fn milliseconds(micros: u64) -> String {
    format!("{:.3} ms", micros as f64 / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_in_milliseconds_and_failures_are_no_times() {
        let report = Report::new();
        report.add(Duration::from_micros(1500), Ok(()));
        report.add(Duration::from_secs(1), Err(Error::TimedOut));
        assert_eq!((report.messages(), report.outcome()), (1, Ok(())));
        assert_eq!(milliseconds(1500), "1.500 ms");
    }

    #[test]
    fn nothing_but_failures_is_a_failure() {
        let report = Report::new();
        report.add(Duration::from_secs(1), Err(Error::TimedOut));
        assert_eq!(report.outcome(), Err(Error::TimedOut));
    }
}
