//! The clocks: time since the broker was made, which is all that the hub wants to know, and the calendar for people.

use std::time::{Duration, SystemTime};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Time since the broker was made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock(tokio::time::Instant);

impl Clock {
    pub(crate) fn start() -> Self {
        Self(tokio::time::Instant::now())
    }

    pub(crate) fn now(self) -> Duration {
        self.0.elapsed()
    }

    /// When this clock shows `time`.
    pub(crate) fn at(self, time: Duration) -> tokio::time::Instant {
        self.0 + time
    }
}

/// The calendar time, since 1970.
pub(crate) fn since_epoch() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// A calendar time as ISO 8601 writes it, to the second, in UTC.
pub(crate) fn iso_8601(since_epoch: Duration) -> String {
    let moment = OffsetDateTime::from_unix_timestamp(since_epoch.as_secs().cast_signed())
        .unwrap_or(OffsetDateTime::UNIX_EPOCH);
    moment.format(&Rfc3339).unwrap_or_default()
}
