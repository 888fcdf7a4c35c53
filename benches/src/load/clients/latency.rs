//! The role of a process that publishes and hears itself.

use std::time::Duration;

use crate::clock::Clock;
use crate::error::LoadError;

use super::client::{Inbox, Messages, Publisher, Seat};
use super::console::Console;
use super::hearing::{Books, stop};
use super::tally::{Meter, Tally};
use super::throughput::keep_pace;

/// Before latencies count.
const WARM: Duration = Duration::from_millis(500);

/// Publishes `rate` messages a second for `time` over one connection, and hears them over another.
pub(super) async fn exchange<P: Publisher, I: Inbox>(
    seat: Seat,
    mut console: Console,
    time: Duration,
    rate: u32,
) -> Result<Tally, LoadError> {
    let clock = Clock::new();
    let inbox = I::open(&seat).await?;
    let publisher = P::connect(&seat).await?;
    let books = Books::new(Some(clock));
    let hearing = books.keep(inbox);
    console.ready().await?;
    let mut messages = Messages::new(clock);
    keep_pace(&publisher, &mut messages, WARM, rate).await?;
    let warm = messages.sent();
    books.settle(warm).await;
    books.forget_latencies();
    let meter = Meter::start()?;
    keep_pace(&publisher, &mut messages, time, rate).await?;
    let tally = meter.tally(messages.sent() - warm)?;
    publisher.settle().await?;
    books.settle(messages.sent()).await;
    stop(hearing).await?;
    Ok(tally.with_latencies(&books.latencies()).judged(books.verdict(messages.sent())))
}
