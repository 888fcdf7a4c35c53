//! What one turn of a task collects: the outboxes it touched, to be flushed once each, and counters.

use std::cell::RefCell;

use petasus_protocol::Message;

use super::outbox::Outbox;
use crate::admin::Metrics;
use crate::dialect::Pattern;

/// Sockets written to before the task lets others run.
const SOCKETS_PER_TURN: usize = 64;

/// Counted while the hub is locked, booked afterwards.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Counts {
    /// Messages and payload bytes that came in, by pattern.
    pub(crate) messages: [u64; Pattern::ALL.len()],
    pub(crate) bytes: [u64; Pattern::ALL.len()],
    /// Messages from roles that send nothing.
    pub(crate) ignored: u64,
    pub(crate) deliveries: u64,
    pub(crate) dropped_oldest: u64,
    pub(crate) dropped_newest: u64,
    pub(crate) overflows: u64,
    /// Messages that a receiver's dialect cannot carry.
    pub(crate) unrepresentable: u64,
    /// Messages that are longer than a receiver takes.
    pub(crate) too_long: u64,
    /// Jobs that nobody was there to take, and jobs that waited too long.
    pub(crate) without_puller: u64,
    pub(crate) expired: u64,
    /// POSTs that reached nobody.
    pub(crate) unheard: u64,
    /// Messages of a connection that ended before they could go on.
    pub(crate) unsent: u64,
    pub(crate) writes: u64,
}

impl Counts {
    pub(crate) fn received(&mut self, pattern: Pattern, len: usize) {
        self.messages[pattern as usize] += 1;
        self.bytes[pattern as usize] += len as u64;
    }
}

/// All appends of a publish happen before any flush of it, so that nobody can see an answer before its cause.
#[derive(Default)]
pub(crate) struct Batch {
    pub(super) touched: Vec<Outbox>,
    /// What was read and goes to the hub together.
    pub(super) messages: Vec<Message>,
    pub(crate) counts: Counts,
}

thread_local! {
    /// Lists for reuse, so that a publish allocates none.
    static LISTS: RefCell<(Vec<Outbox>, Vec<Message>)> = const { RefCell::new((Vec::new(), Vec::new())) };
}

impl Batch {
    pub(crate) fn new() -> Self {
        let (touched, messages) = LISTS.try_with(RefCell::take).unwrap_or_default();
        Self { touched, messages, counts: Counts::default() }
    }

    /// Writes to every touched outbox once, letting other tasks run in between.
    pub(crate) async fn flush(mut self, metrics: &Metrics) {
        while self.flush_some(metrics) {
            tokio::task::yield_now().await;
        }
        self.finish(metrics);
    }

    /// As `flush`, for callers that cannot wait.
    pub(crate) fn flush_now(mut self, metrics: &Metrics) {
        while self.flush_some(metrics) {}
        self.finish(metrics);
    }

    /// Flushes some; whether there are more. What was counted is booked before the caller waits: it may never
    /// come back.
    pub(super) fn flush_some(&mut self, metrics: &Metrics) -> bool {
        let from = self.touched.len().saturating_sub(SOCKETS_PER_TURN);
        for outbox in self.touched.drain(from..) {
            outbox.0.flush(&mut self.counts.writes);
        }
        let more = !self.touched.is_empty();
        if more {
            metrics.book(&std::mem::take(&mut self.counts));
        }
        more
    }

    pub(super) fn finish(mut self, metrics: &Metrics) {
        metrics.book(&self.counts);
        let lists = (std::mem::take(&mut self.touched), std::mem::take(&mut self.messages));
        let _ = LISTS.try_with(|kept| {
            let mut kept = kept.borrow_mut();
            if kept.0.capacity() < lists.0.capacity() || kept.1.capacity() < lists.1.capacity() {
                *kept = lists;
            }
        });
    }
}

impl Drop for Batch {
    /// A task that ends between append and flush leaves the flushing to the owners.
    fn drop(&mut self) {
        for outbox in self.touched.drain(..) {
            outbox.0.leave_to_owner();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::task::{Context, Waker};

    use super::*;
    use petasus_protocol::Topic;

    use crate::config::OverflowPolicy;
    use crate::connection::{Parcel, Wire};
    use crate::dialect::Dialect;
    use crate::hub::{Outbox as _, Via};

    /// As the POST of a client that goes while it is being answered.
    ///
    /// REQ-ADM-002
    #[test]
    fn what_was_counted_is_booked_though_the_flush_is_given_up() {
        let metrics = Metrics::new();
        let mut batch = Batch::new();
        let parcel = Parcel::one(Topic::new("t"), Message::from("text"));
        for _ in 0..=SOCKETS_PER_TURN {
            Outbox::new(Wire::Bare(Dialect::Mercury), OverflowPolicy::Close, 1024).append(
                &parcel,
                Via::NONE,
                &mut batch,
            );
        }
        {
            let mut flush = std::pin::pin!(batch.flush(&metrics));
            assert!(flush.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        }
        assert_eq!(metrics.totals().2, SOCKETS_PER_TURN as u64 + 1);
    }
}
