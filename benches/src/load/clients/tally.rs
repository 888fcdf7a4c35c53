//! What a process of a run says at its end.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::error::LoadError;
use crate::judge::Verdict;
use crate::latency::Latencies;
use crate::server::own_processor_time;

/// The count of one process. What it has nothing to say about is 0.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct Tally {
    /// Messages sent, acknowledged, received or answered.
    pub(super) messages: u64,
    /// The time they took.
    pub(super) seconds: f64,
    /// The messages during which processor time was measured, and that time in microseconds.
    pub(super) charged: u64,
    pub(super) processor_us: f64,
    pub(super) lost: u64,
    pub(super) duplicated: u64,
    pub(super) reordered: u64,
    /// In microseconds.
    pub(super) p50: f64,
    pub(super) p99: f64,
    pub(super) p999: f64,
}

impl Tally {
    /// Enters what was wrong with the sequence.
    pub(super) fn judged(self, verdict: Verdict) -> Self {
        let Verdict { lost, duplicated, reordered, foreign } = verdict;
        // A message of somebody else on a broker of our own was never sent: as bad as one twice.
        Self { lost, duplicated: duplicated + foreign, reordered, ..self }
    }

    /// Enters quantiles.
    pub(super) fn with_latencies(self, latencies: &Latencies) -> Self {
        let microseconds = |share| latencies.quantile(share) as f64 / 1e3;
        Self { p50: microseconds(0.5), p99: microseconds(0.99), p999: microseconds(0.999), ..self }
    }

    /// Messages a second.
    pub(super) fn rate(&self) -> f64 {
        if self.seconds > 0.0 { self.messages as f64 / self.seconds } else { 0.0 }
    }

    /// Processor time in microseconds for each message.
    pub(super) fn cost(&self) -> f64 {
        self.processor_us / self.charged.max(1) as f64
    }
}

/// Takes the time and processor time of this process.
#[derive(Debug, Clone, Copy)]
pub(super) struct Meter {
    started: Instant,
    processor: Duration,
}

impl Meter {
    /// From now on.
    pub(super) fn start() -> Result<Self, LoadError> {
        Ok(Self { started: Instant::now(), processor: own_processor_time()? })
    }

    /// Time since the start.
    pub(super) fn seconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    /// A tally of `messages` that took the time since the start.
    pub(super) fn tally(&self, messages: u64) -> Result<Tally, LoadError> {
        let processor = own_processor_time()?.saturating_sub(self.processor);
        Ok(Tally {
            messages,
            seconds: self.seconds(),
            charged: messages,
            processor_us: processor.as_secs_f64() * 1e6,
            ..Tally::default()
        })
    }
}
