//! The role of a publisher that waits for nothing.

use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::clock::Clock;
use crate::error::LoadError;

use super::client::{Deadline, Messages, Publisher, Seat};
use super::console::Console;
use super::tally::{Meter, Tally};

/// Publishes for `time`, `rate` messages a second or as many as go.
pub(super) async fn publish<P: Publisher>(
    seat: Seat,
    mut console: Console,
    time: Duration,
    rate: Option<u32>,
) -> Result<Tally, LoadError> {
    let publisher = P::connect(&seat).await?;
    console.ready().await?;
    let mut messages = Messages::new(Clock::new());
    let meter = Meter::start()?;
    match rate {
        None => flood(&publisher, &mut messages, time).await?,
        Some(rate) => keep_pace(&publisher, &mut messages, time, rate).await?,
    }
    publisher.settle().await?;
    meter.tally(messages.sent())
}

async fn flood(publisher: &impl Publisher, messages: &mut Messages, time: Duration) -> Result<(), LoadError> {
    let mut deadline = Deadline::after(time);
    while !deadline.is_passed() {
        publisher.send(messages.next()).await?;
    }
    Ok(())
}

/// `rate` messages a second: each millisecond brings its share of them at once.
pub(super) async fn keep_pace(
    publisher: &impl Publisher,
    messages: &mut Messages,
    time: Duration,
    rate: u32,
) -> Result<(), LoadError> {
    let mut ticks = ticks();
    let share = rate / 1000;
    for _ in 0..time.as_millis() {
        ticks.tick().await;
        for _ in 0..share {
            publisher.send(messages.next()).await?;
        }
    }
    Ok(())
}

/// One a millisecond; those that were missed come at once, so that the rate is kept.
fn ticks() -> Interval {
    let mut ticks = interval(Duration::from_millis(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    ticks
}
