//! The role of a publisher that waits for acknowledgements.

use std::time::{Duration, Instant};

use crate::clock::Clock;
use crate::error::LoadError;

use super::client::{Acknowledged, Messages, Seat};
use super::console::Console;
use super::tally::{Meter, Tally};

/// Publishes for `time`.
pub(super) async fn publish<P: Acknowledged>(
    seat: Seat,
    mut console: Console,
    time: Duration,
) -> Result<Tally, LoadError> {
    let publisher = P::connect(&seat).await?;
    console.ready().await?;
    let meter = Meter::start()?;
    let acknowledged = publisher.flood(Messages::new(Clock::new()), Instant::now() + time).await?;
    meter.tally(acknowledged)
}
