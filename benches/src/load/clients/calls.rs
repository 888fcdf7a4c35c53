//! The roles of caller and callee.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use crate::clock::Clock;
use crate::error::LoadError;
use crate::judge::Judge;
use crate::latency::Latencies;
use crate::stamp::Stamp;

use super::client::{Callee, Caller, Messages, Seat};
use super::console::Console;
use super::tally::{Meter, Tally};

/// Answers until the parent says that it is over.
pub(super) async fn serve<C: Callee>(seat: Seat, mut console: Console) -> Result<Tally, LoadError> {
    let callee = C::offer(&seat).await?;
    let serving = tokio::spawn(callee.serve());
    console.ready().await?;
    let meter = Meter::start()?;
    console.next().await?;
    // How many calls there were is what the caller knows.
    let tally = meter.tally(0)?;
    serving.abort();
    serving.await.unwrap_or(Ok(()))?;
    Ok(tally)
}

/// Calls for `time`, with as many under way as the seat says; every answer must be that of its call.
pub(super) async fn call<C: Caller>(
    seat: Seat,
    mut console: Console,
    time: Duration,
) -> Result<Tally, LoadError> {
    let caller = C::connect(&seat).await?;
    console.ready().await?;
    let clock = Clock::new();
    let mut messages = Messages::new(clock);
    let mut answers = Answers { clock, judge: Judge::new(1, 1, |_, _| true), latencies: Latencies::new() };
    let meter = Meter::start()?;
    let until = clock.now() + crate::clock::nanoseconds(time);
    if seat.window == 1 {
        while clock.now() < until {
            let answer = caller.call(messages.next()).await?;
            answers.enter(answer);
        }
    } else {
        pipeline(&caller, &mut messages, &mut answers, seat.window, until).await?;
    }
    let tally = meter.tally(answers.judge.delivered())?;
    let mut verdict = answers.judge.verdict(&[messages.sent()]);
    if seat.window > 1 {
        // Calls that are under way together may be answered in any order.
        verdict.reordered = 0;
    }
    Ok(tally.with_latencies(&answers.latencies).judged(verdict))
}

async fn pipeline(
    caller: &impl Caller,
    messages: &mut Messages,
    answers: &mut Answers,
    window: usize,
    until: u64,
) -> Result<(), LoadError> {
    let one = |payload: &[u8]| {
        let payload = payload.to_vec();
        async move { caller.call(&payload).await }
    };
    let mut calls = FuturesUnordered::new();
    for _ in 0..window {
        calls.push(one(messages.next()));
    }
    while let Some(answer) = calls.next().await {
        answers.enter(answer?);
        if answers.clock.now() < until {
            calls.push(one(messages.next()));
        }
    }
    Ok(())
}

struct Answers {
    clock: Clock,
    judge: Judge,
    latencies: Latencies,
}

impl Answers {
    fn enter(&mut self, answer: Option<Stamp>) {
        let Some(stamp) = answer else { return self.judge.hear_foreign() };
        self.judge.hear(0, stamp.publisher as usize, stamp.sequence);
        self.latencies.add(self.clock.now().saturating_sub(stamp.due));
    }
}
