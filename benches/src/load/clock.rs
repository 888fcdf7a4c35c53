//! One monotonic clock for stamps, schedules and latencies.

use std::time::{Duration, Instant};

/// Nanoseconds since this clock was made. Stamps are only ever read by the process that wrote them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    epoch: Instant,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self { epoch: Instant::now() }
    }

    /// Nanoseconds since the epoch; a `u64` lasts 584 years.
    pub(crate) fn now(&self) -> u64 {
        nanoseconds(self.epoch.elapsed())
    }
}

/// A duration in nanoseconds.
pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
