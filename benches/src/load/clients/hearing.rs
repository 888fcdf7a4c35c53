//! The role of a subscriber, and its books.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::clock::Clock;
use crate::error::LoadError;
use crate::judge::{Judge, Verdict};
use crate::latency::Latencies;
use crate::stamp::Stamp;

use super::client::{Inbox, Seat};
use super::console::{Console, Order};
use super::tally::{Meter, Tally};

/// How often the books are looked at. A look reads the processor time of a few threads, some 30 microseconds.
const LOOK: Duration = Duration::from_millis(20);

/// Nothing for so long after the end of the publishing, and what is missing is lost.
const QUIET: Duration = Duration::from_secs(2);

/// Hears until the parent says how many messages there were and they are all here, or nothing more comes.
pub(super) async fn subscribe<I: Inbox>(seat: Seat, mut console: Console) -> Result<Tally, LoadError> {
    let inbox = I::open(&seat).await?;
    let books = Books::new(None);
    let hearing = books.keep(inbox);
    console.ready().await?;
    let mut watch = Watch::default();
    let published = loop {
        tokio::select! {
            order = console.next() => if let Order::Finish(published) = order? { break published },
            () = sleep(LOOK) => watch.look(&books)?,
        }
        if hearing.is_finished() {
            break u64::MAX;
        }
    };
    let tally = watch.finish(&books, published).await?;
    stop(hearing).await?;
    Ok(tally.judged(books.verdict(published)))
}

/// Ends the hearing; its error, if it had ended by itself.
pub(super) async fn stop(hearing: JoinHandle<Result<(), LoadError>>) -> Result<(), LoadError> {
    hearing.abort();
    // Aborted is as it should be.
    hearing.await.unwrap_or(Ok(()))
}

/// What arrived at one listener from one publisher.
#[derive(Clone)]
pub(super) struct Books {
    open: Arc<Mutex<Open>>,
}

struct Open {
    judge: Judge,
    latencies: Latencies,
    /// The clock of the stamps, where it is that of this process.
    clock: Option<Clock>,
}

impl Books {
    /// Empty; with the clock by which the publisher stamps, latencies are entered as well.
    pub(super) fn new(clock: Option<Clock>) -> Self {
        let judge = Judge::new(1, 1, |_, _| true);
        Self { open: Arc::new(Mutex::new(Open { judge, latencies: Latencies::new(), clock })) }
    }

    /// Enters all that arrives, in a task of its own.
    pub(super) fn keep(&self, mut inbox: impl Inbox) -> JoinHandle<Result<(), LoadError>> {
        let books = self.clone();
        tokio::spawn(async move {
            loop {
                let stamp = inbox.next().await?;
                books.open.lock().enter(stamp);
            }
        })
    }

    /// Latencies from now on.
    pub(super) fn forget_latencies(&self) {
        self.open.lock().latencies = Latencies::new();
    }

    /// The latencies so far.
    pub(super) fn latencies(&self) -> Latencies {
        self.open.lock().latencies.clone()
    }

    /// Messages so far, each once.
    pub(super) fn delivered(&self) -> u64 {
        self.open.lock().judge.delivered()
    }

    /// The verdict when so many were published and nothing more will arrive.
    pub(super) fn verdict(&self, published: u64) -> Verdict {
        self.open.lock().judge.verdict(&[published])
    }

    /// Waits until `published` messages are here, or nothing more comes.
    pub(super) async fn settle(&self, published: u64) {
        let (mut last, mut quiet) = (self.delivered(), Duration::ZERO);
        while last < published && quiet < QUIET {
            sleep(LOOK).await;
            let now = self.delivered();
            quiet = if now == last { quiet + LOOK } else { Duration::ZERO };
            last = now;
        }
    }
}

impl Open {
    fn enter(&mut self, stamp: Option<Stamp>) {
        let Some(stamp) = stamp else { return self.judge.hear_foreign() };
        self.judge.hear(0, stamp.publisher as usize, stamp.sequence);
        if let Some(clock) = self.clock {
            self.latencies.add(clock.now().saturating_sub(stamp.due));
        }
    }
}

/// Follows the books, so that waiting before the first and after the last message does not count.
#[derive(Default)]
struct Watch {
    /// When the first messages were seen, and how many there were by then.
    first: Option<(Meter, u64)>,
    /// The last change.
    last: Tally,
}

impl Watch {
    fn look(&mut self, books: &Books) -> Result<(), LoadError> {
        let delivered = books.delivered();
        match &self.first {
            None if delivered > 0 => self.first = Some((Meter::start()?, delivered)),
            Some((meter, before)) if delivered - before > self.last.messages => {
                self.last = meter.tally(delivered - before)?;
            }
            _ => {}
        }
        Ok(())
    }

    async fn finish(mut self, books: &Books, published: u64) -> Result<Tally, LoadError> {
        let mut quiet = Duration::ZERO;
        while books.delivered() < published && quiet < QUIET {
            let before = books.delivered();
            sleep(LOOK).await;
            self.look(books)?;
            quiet = if books.delivered() == before { quiet + LOOK } else { Duration::ZERO };
        }
        self.look(books)?;
        Ok(self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(sequences: &[u64]) -> Books {
        let books = Books::new(Some(Clock::new()));
        for &sequence in sequences {
            books.open.lock().enter(Some(Stamp { publisher: 0, sequence, due: 0 }));
        }
        books
    }

    #[test]
    fn planted_faults_are_in_the_verdict() {
        let verdict = heard(&[0, 1, 1, 3, 2, 5]).verdict(7);
        assert_eq!(verdict, Verdict { lost: 2, duplicated: 1, reordered: 1, foreign: 0 });
    }

    #[test]
    fn a_message_without_a_stamp_is_foreign() {
        let books = heard(&[0]);
        books.open.lock().enter(None);
        assert_eq!(books.verdict(1).foreign, 1);
    }

    #[test]
    fn latencies_that_are_forgotten_are_gone() {
        let books = heard(&[0, 1]);
        assert!(books.latencies().highest() > 0);
        books.forget_latencies();
        assert_eq!(books.latencies().highest(), 0);
    }
}
